"""Patterns of English questions about a binaural clip, one a line, and of questions that no ear can answer."""

from __future__ import annotations

from training.audio_qa.phrases import Kind

SLOTS: dict[str, str] = {
    "it": "it|that|this|the sound|the noise|the source|this thing|that thing|this sound|that noise|the sound source"
    "|the thing I hear",
    "noun": "the sound|the noise|the source|this sound|that noise|this thing|that sound|the sound source|this noise",
    "ask": "Can you tell me|Could you tell me|Do you know|Can you say|Can you hear|Any idea|Would you tell me",
    "order": "Tell me|Say|Let me know|I want to know|I need to know|I wonder|Just tell me|Try to say",
    "comes": "does|did",
    "is": "is|was",
    "clip": "this clip|the clip|this recording|the recording|the audio|this file|here",
    "leftright": "left or right|on the left or the right|on my left or my right|to the left or to the right"
    "|to my right or my left|on the left-hand or the right-hand side|on the right or on the left"
    "|on the left side or the right side|at my left hand or at my right|nearer the left ear or the right ear"
    "|on the right-hand side or the left-hand side|leftwards or rightwards",
    "hand": "on the left|on the right|to the left|to the right|on my left|on my right|to my left|to my right"
    "|on the left-hand side|on the right-hand side|on my left side|on my right side|left of me|right of me"
    "|at my left ear|at my right ear|at my left hand|at my right hand",
    "frontback": "in front or behind|ahead or behind|ahead of me or behind me|before me or at my back"
    "|in front of me or at my back|in front or in the rear|at the front or at the rear|behind or ahead"
    "|behind me or ahead of me|at my back or in front of me|at the back or at the front|before me or behind",
    "depth": "behind me|behind|behind us|at my back|at the back|in the rear|to the rear|behind my head|behind my back"
    "|ahead|ahead of me|in front|in front of me|before me|at the front|in front of my face|right behind me"
    "|straight ahead|further ahead|before my eyes|in front of us",
    "sounds": "sounds|noises|sources|sound sources|things|different sounds|separate sounds|kinds of sound"
    "|types of noise|distinct sources|different noises|audible things",
    "main": "the main sound|the louder sound|the main one|the louder one|the stronger sound|the first sound"
    "|the loudest one|the dominant sound|the main source|the main noise",
    "other": "the other|the other one|the other sound|the second one|the second sound|the quieter one"
    "|the weaker sound|the softer one|the other source|the other noise",
    "all": "the scene|this sound|these sounds|the recording|what is happening|the soundscape|this audio|everything"
    "|my surroundings|all the sounds|what you are hearing|the sounds in this clip|what is to be heard"
    "|the sound and its place|what sounds and where",
    "from": "where is it|where does it come from|where is it coming from|from which direction|from where"
    "|in which direction is it|which way is it",
}  # fmt: skip

PATTERNS: dict[Kind, str] = {
    "describe": """
Describe {all} {to me|for me|in words|in a sentence|briefly|}.
{Can|Could|Would} you describe {all}{| for me}?
{What|Which sound} {is} {it|that|this|the noise|this sound|that thing} and {from}?
What {do|can} {you|we|I} hear and {from}?
{Where is it|Where does it come from|From which direction does it come}, and what {is it|is that|sound is it}?
{ask} what {it} is and where {it is|it comes from|it stands}?
{order} what {it} is and where {it is|it comes from|it stands}.
What is {happening|going on|all that|to be heard} {around me|around us|near me|in this clip|in this recording|here}?
{Give me|Write me|I want|Make} a {short|full|brief|complete} {description|summary|account|overview} of {all}.
Tell me {everything|all that} {you hear|you can hear|you notice|that sounds|I should know about this clip}.
{Name|Identify|Recognise} {noun} and {locate it|say where it is|tell me where it comes from|give its direction}.
{Summarise|Sum up|Report on|Put into words|Outline} {all}.
What's {around|near|about} {me|us|my head|this place}?
{What sounds|What is sounding|What makes noise} and {where|from which direction|from which side|from where}?
{Who or what is|What things are|Which sounds are} around {me|us} and where?
Which {sound|noise|thing} comes from {where|which direction|which side}?
What is {it|that|this sound} and {which way|on which side|in what direction} is it?
{Listen|Listen closely|Listen to this} and {describe it|tell me all you hear|say what and where|report what you hear}.
{How would you describe|How would you sum up|What can you say about} {all}?
""",
    "what": """
What {is} {it|that|this|this thing|that thing|the source} {exactly|just now|supposed to be|again}?
What {is} {noun} {that I hear|I am hearing|you hear|in my ears|called|actually}?
What {is} {sounding|making noise|making a sound|audible|to be heard} {in the clip|there|just now|right now|}?
What {makes|made|produces|produced|causes|caused|is making|was making} {this sound|that sound|that noise|the noise}?
{Which|What} {sound|noise|kind of sound|kind of noise|type of sound|sort of sound|thing} {is} {it|that|this}?
{Which|What} {thing|object|animal or object} {makes|made|gives off} {this sound|that noise|such a sound}?
{ask} what {it} {is}?
{order} what {it} {is}.
{ask} what {makes that noise|is sounding|I am hearing|makes this sound|that could be|can be heard}?
What do {you|your ears} {hear|pick up|make out|recognise|detect|notice} {there|in this clip|right now|}?
What {am I|are we|are you} {hearing|listening to} {right now|there|}?
What did {I|we|you} {just hear|hear just now|hear in this clip|hear there}?
{Identify|Recognise|Name|Classify|Label} {it|that|the noise|this noise|the source|what you hear|what is sounding}.
What {would|do} you call {it|that|this sound|that noise|such a sound}?
What {is} the {name|source|cause|kind|type} of {this sound|that noise|the noise|that sound}?
{noun}, what {is it|was it|could it be|is it called}?
I {hear|heard|can hear} {something|a sound|a noise|this noise}, what {was it|is that|could it be|might that be}?
Is {it|that|this|the source} {an animal|a machine|a person|a vehicle|an instrument|a tool|a bird or a car}?
Is {it|that|this} {an animal or a machine|a person or a thing|a voice or an instrument|an engine or an animal}?
What {sounds|noises|things} {can be heard|are audible|are sounding|can you recognise|do I hear|do you make out}?
What {might|could|can|may} {it|this|the sound|the noise|that noise|this thing} be?
What {does|did} {it|that|this|the noise|the clip} sound like?
Do you {recognise|know|identify} {it|that|this noise|the noise|what that is|what sounds|this sound}?
{Guess|Say|Tell me|Try to guess} {what I am hearing|what makes the sound|the name of the sound|what sounds}.
""",
    "where": """
Where {is} {it} {located|exactly|now|}?
Where {comes} {it} {come from|come from exactly|originate}?
Where {is} {it} coming from {exactly|just now|right now|}?
From {which|what} {direction|angle|place|spot|point} {comes} {it} come?
{From|Out of} {which|what} direction {is} {it} coming?
In {which|what} direction {is} {it} {to be heard|located|}?
{Which|What} {direction|way} {is} {it} {coming from|in|}?
{ask} where {it} {is|comes from|was|is coming from|stands}?
{order} where {it} {is|comes from|was|is coming from|stands}.
{ask} {which|what} direction {it} {comes from|is coming from|is in}?
{order} {which|what} direction {it} {comes from|is coming from|is in}.
{Locate|Find|Point at|Point out|Show me|Pinpoint} {noun}.
{Give me|Tell me|Name|Say|State} the {direction|angle|position|location|bearing|place} of {noun}.
What {is} the {direction|angle|position|location|bearing|place} of {noun}?
What {is} its {angle|position|location|bearing|place|exact direction}?
How many degrees {is it to the side|off centre is it|from straight ahead is it|do I have to turn|away is the sound}?
At {what|which} {angle|bearing|position} {is} {noun}?
{Where|In which direction|In what direction} {should|must|do|can} I {turn|face|look for it|turn my head|point}?
{Which way|Where} {should|must|do} I {look to see it|turn to face it|look to find it|turn my head}?
{Whereabouts|Just where|Where exactly} {is} {it}?
Where around {me|us|my head|the listener} is {noun}?
{noun}, {where is it|which direction|where does it come from|which way is it|from where}?
Can you {find|point to|pin down|pinpoint|show me} {noun}?
Where {is} the {main|louder|loudest} {sound|noise|one} {coming from|}?
{Its direction|The direction|The angle|Its place|The location}, {if you can|if you know it}.
""",
    "side": """
Is {it} {leftright}?
{comes} {it} come from {the left or from the right|my left or my right|the right or the left|the left or right side}?
Is {it} {hand}?
Was {it} {hand}?
{comes} {it} come from {the|my} {left|right} {side|hand side|ear|}?
Is {it} coming from {the|my} {left|right} {side|hand side|}?
{Which|What} {side|ear|hand} {is} {it} {nearer to|closest to|nearest to}?
On {which|what} side {of me|of my head|of my body|} {is} {it}?
From {which|what} side {comes} {it} come?
{Which|What} side {comes} {it} come from?
{Which|What} ear {hears it|hears it first|gets it first|hears it better|is it at|is the noise at|faces the sound}?
{ask} {whether|if} {it} is {leftright}?
{order} {whether|if} {it} is {leftright}.
{ask} {whether|if} {it} is {hand}?
{order} {whether|if} {it} is {hand}.
{ask} {which|what} side {it} {is on|comes from}?
{order} {which|what} side {it} {is on|comes from}.
Is there {something|anything|a sound|a noise} {hand}?
Do {I|you} hear {it|that|the noise|something} {hand}?
Do {I|you} hear {it|that|the noise} {leftright}?
{Should|Must|Do} I {turn|look|lean} {left or right|to the left or to the right|right or left}?
{Left|Right} {ear|side|hand}?
{Left ear or right ear|Left hand or right hand|Left half or right half|Left of me or right of me|Right ear or left}?
{Leftwards or rightwards|To the left or to the right|On the left or the right|To my right or to my left}?
Is {it} {in the centre|central|on neither side|on one side|off to one side|in the middle|between my ears}?
Is {it} {more|further|rather|mostly} {to the|on the} {left|right}?
{Left, right or centre|Right, left or middle|Left, middle or right|Left, right or neither}{|, which is it}?
{hand}?
{noun}, {left or right|which side|right or left|on the left|on the right|which ear}?
""",
    "front": """
Is {it} {frontback}?
Was {it} {frontback}?
{comes} {it} come from {the front or the back|the front or the rear|in front or behind|ahead or behind|behind or ahead}?
Is {it} {depth}?
Was {it} {depth}?
Is {it} {depth}?{ Or not?| Yes or no?}
{comes} {it} come from {behind|behind me|the back|the rear|the front|ahead|in front of me|my back|straight ahead}?
Is {it} coming from {behind me|the back|the rear|ahead|in front of me|behind my back}?
Is there {something|anything|a sound|a noise} {depth}?
{ask} {whether|if} {it} is {frontback}?
{order} {whether|if} {it} is {frontback}.
{ask} {whether|if} {it} is {depth}?
{order} {whether|if} {it} is {depth}.
Do {I|you} hear {it|that|the noise|something} {depth}?
Do {I|you} hear {it|that|the noise} {frontback}?
Do I {need|have} to turn {around|round|back} {for it|to face it|to look at it|to see the source}?
Should I look {behind me|back|over my shoulder|ahead|straight ahead|forward|in front of me}?
Could I see {it|the source|this thing} {looking ahead|without turning|in front of me|with my eyes}?
Am I {facing|looking at|turned towards|turned away from} {it|the sound|the source|that noise}?
Is my {back|face} {turned to|towards} {it|the sound|the source|that noise}?
{Front|In front|Ahead|Before me|Forwards|At the front} or {rear|in the rear|at my back|backwards|at the back|behind me}?
{Rear|Behind|At my back|Backwards|Behind me} or {in front of me|ahead of me|forwards|at the front|front}?
{Front, back or beside me|Ahead, behind or sideways|Behind, ahead or beside|Front, rear or side}?
{depth}?
From {behind|the rear|the back|the front|ahead|in front|the rear or the front|behind or ahead}?
{noun}, {front or back|ahead or behind|behind me|in front of me|front or rear}?
Is {it} {towards|in} the {front|back|rear} {half|part}?
""",
    "count": """
How many {sounds} are {there in all|there|in this clip|playing|in the recording|audible}?
How many {sounds} {do you hear|can you hear|can you make out|am I hearing|did you hear|do I hear|do you notice}?
How many {sounds} {does this clip contain|does the recording hold|make up this clip|sound at once|can be told apart}?
What {is} the {number|count|total|total number|amount} of {sounds} {here|in this clip|that you hear|}?
{Is|Was} {it|that|this} {one|a single|only one|just one} {sound|noise|source|thing} or {two|several|more|a couple}?
{Is it|Are there|Is this|Do you hear|Does it hold} {one or two|two or one|one or more} {sounds|noises|sources|things}?
{Is|Was} there {one|a single|only one|just one} {sound|noise|source} or {two|several|more|are there two}?
{One|A single|Only one|Just one} {sound|noise|source|thing} or {two|more|several|more than one|a couple}?
Are there {two|several|many|multiple|a couple of|at least two|different} {sounds|noises|sources|things}?
Is there {only one|more than one|a single|another|one more|a second|any other|just one} {sound|noise|source|thing}?
Do you hear {two|several|many|multiple|a couple of|different|other} {sounds|noises|sources|things}?
Do you hear {only one|a second|another|more than one|a single|just one} {sound|noise|source|thing}?
Is {anything|something} else {there|audible|making noise|to be heard|in the background|in this clip}?
Is {it|that|the sound|the noise} {alone|on its own|by itself|the only one|accompanied by another|a single one}?
{Count|Tally|Add up} {the noises|the sources|the things you hear|all the sounds|everything that sounds|the things}.
{ask} how many {sounds} {there are|you hear|are sounding|are in it}?
{order} how many {sounds} {there are|you hear|are sounding|are in it}.
{ask} {whether|if} there {is one sound or two|are two sounds|is more than one|is only one|is a second sound}?
{order} {whether|if} there {is one sound or two|are two sounds|is more than one|is only one|is a second sound}.
How many{| of them| are they| sounds| things} {in all|in total|altogether|at once|at the same time|together|here}?
{Give me|Tell me|State|Say} the {number|count|total} of {sounds}.
{One, two or more|One or several|Single or double|One or more than one|A single one or two|Alone or not|Two or one}?
Is {it|that|this|the clip} {made of two sounds|a mixture|just one thing|more than one thing|one thing or two}?
Can you {count|number|tally} {the noises|the sources|them|what you hear|the things that sound}?
{Two|Several|Many|Different} {sounds|sources|noises|things} {or not|or just one|or only one}?
{Only one|More than one|Just one} {sound|source|noise|thing} {or not|here|in this clip|, am I right}?
""",
    "relation": """
Is {main} {left|right|to the left|to the right|on the left side|on the right-hand side} of {other}?
Is {main} {left or right|right or left|to the left or the right|to the right or the left} of {other}?
Is {main} {further|more} {left|right|to the left|to the right} than {other}?
Is {main} further {left or further right|right or further left|to the left or to the right} than {other}?
On {which|what} side of {other} {is|lies|stands|was} {main}?
{Which|What} side of {other} {is} {main} on?
{ask} {whether|if} {main} is {left or right|left|right|to the left or to the right} of {other}?
{order} {whether|if} {main} is {left or right|left|right|to the left or to the right} of {other}.
{ask} on which side of {other} {main} {is|stands|lies}?
{order} on which side of {other} {main} {is|stands|lies}.
{Seen|Heard|Judged} from {other}, {where is|on which side is} {main}?
{Compared with|Relative to|With respect to|Next to} {other}, {where is|on which side is} {main}?
Where is {main} {compared with|relative to|with respect to|in relation to|as seen from} {other}?
Of the two {sounds|sources|noises|}, is {main} {further left|further right|on the left or the right|more to the left}?
Does {main} {lie|stand|sit|come from} {to the left|to the right|left or right} of {other}?
Do I hear {main} {to the left|to the right|left|right|left or right} of {other}?
How are the two {sounds|sources|noises} {placed|arranged|positioned} {left and right|next to each other|side by side}?
{Left or right|To the left or to the right|Which side} of {the second one|the other sound|the quieter one}?
{Compare|Tell me about} the {positions|directions|places} of the two {sources|noises|sounds}{|, left or right}.
""",
    "other": """
What {colour|shape|size|brand|age|make|temperature} is {it|that|this thing|the source|the object|that thing}?
What is its {colour|size|weight|height|price|speed|pitch|loudness|length|temperature|age|purpose|mood|quality}?
What is the {volume|loudness|pitch|frequency|tempo|rhythm|duration|distance|mood|quality} of {this sound|the noise|it}?
How {far|loud|long|old|big|heavy|fast|tall} is {that|this|the sound|the source|the thing}?
How {expensive|deep|high|warm|quiet|close|strong|large|wide|near} is {it|that|this|the sound|the source}?
How {far away|far off|near to me|long ago} {is|was} {it|that|the source|this sound}?
How many {days are in a week|minutes are in an hour|planets are there|people live in China|legs does a spider have}?
How many {seconds does it last|years old are you|friends do you have|languages do you speak|words do you know}?
How many {metres away is it|eggs do I need|people are in the room|hours do you sleep|decibels is it}?
How much {is that|time is left|salt do I need|water should I drink|money do you have|does it weigh|do you cost}?
Is {it|that|this|the sound} {ugly|pretty|beautiful|nice|lovely|pleasant|annoying|elegant}?
Is {it|that|this|the noise} {loud|quiet|far|near|far away|close|high|low|soft|too loud|long|short|distant}?
Is {it|that|this|the thing} {dangerous|safe|old|new|big|small|fast|slow|expensive|cheap|warm|cold|heavy|clean}?
Is {it|that|this|the sound} {happy|sad|angry|funny|scary|boring|good|bad|real|fake|broken|alive|true}?
Is {it|that|this|the source} {above me|below me|indoors|outside|up or down|moving|coming closer|near or far}?
Is {it|today} {Monday|Sunday|a holiday|your birthday|sunny|cold outside|late|summer}?
Do you {like|love|enjoy|know|prefer|hate} {dogs|cats|chocolate|films|football|summer|books|me|school|coffee|jazz}?
Do you {feel|think|dream|sleep|eat|believe in God|have a family|have feelings|have a name|speak Chinese|remember me}?
Are you {happy|sad|a robot|human|real|alive|tired|hungry|clever|busy|married|conscious|a man|a woman|okay|angry}?
What should I {eat|wear|do|read|watch|buy|drink|cook} {today|tonight|tomorrow|this evening|next|on Sunday|for dinner}?
What {shall|can|could} {I|we} {cook|eat|have|make} {for lunch|for supper|tonight|for my guests|this evening}?
How do I {cook rice|bake bread|boil an egg|make soup|lose weight|learn English|fix my car|tie a tie|get rich}?
Tell me {a story|a riddle|a secret|a fact|the news|about yourself|the time|the date|your name|your age}.
Give me {a recipe|some advice|a number|a hug|your address|the time|an example|some money|a compliment}.
{Write|Compose|Recite|Read me} {a poem|a song|a letter|a story|a haiku} {about love|about the sea|for my mother|}.
{Translate|Say|Repeat} {this sentence|the word house|good morning|hello|that} {in French|in German|in Spanish}.
{Spell|Pronounce} {this word|the word house|my name|your name|that}.
What is {three|four|seven|ten|twelve} {plus|minus|times} {one|two|five|six}?
{Calculate|Compute|Work out|Solve} {five times six|the square root of nine|ten minus four|this equation|eight plus one}.
What is the {capital|president|population|flag|currency|language} of {Spain|Japan|Italy|China|Germany|Brazil}?
{What|Which} {date|month|year|season|hour|weekday} is it {now|today|}?
{How is|What is} the weather {today|tomorrow|in London|outside|there|this week}{| like}?
Will it {rain|snow|be sunny|be cold|get warmer|be windy} {today|tomorrow|tonight|on Sunday|next week}?
Who is {the president|your maker|the singer|that man|your friend|the king of Spain|your boss|the speaker}?
Who {wrote|painted|composed|invented|built|sang|recorded|owns} {this|it|that|the song|the telephone}?
Why {is the sky blue|do you ask|is it so loud|are you here|do birds sing|do we sleep|did it stop|me}?
When {did it start|does it end|was it made|will it stop|is Christmas|is dinner|were you born|does the train leave}?
Can you {dance|sing|swim|cook|help me|see|smell|think|drive|count to ten|play chess|speak German|read|fly}?
Can you {make it louder|stop it|repeat that|turn it up|record this|open the window|order a pizza|call my mother}?
{Play|Stop|Pause|Repeat|Delete|Save|Record|Rewind|Mute} {it|this|that|the clip|the song|the music}{| again| now}.
{Turn|Switch} {it up|it down|the light on|the light off|the music off|off the noise|on the radio}.
Where {do you live|are you from|was this filmed|is Paris|can I buy one|did you grow up|is Berlin|were you born}?
What does it {taste like|look like|feel like|mean|cost|weigh|eat|want|need|contain|remind you of}?
How do you {feel|feel today|do|work|know|spell that|say thank you in French|like it|sleep}?
I {am|feel} {sad|tired|bored|hungry|happy|lonely|cold|ill|in love|angry}.
{Thank you|Thanks|Good morning|Good evening|Good night|Hi|Hi there|Bye|Goodbye|Nice to meet you|Well done|I love you}.
What is {love|happiness|time|gravity|a black hole|philosophy|your favourite colour|your hobby|your opinion}?
What is {he|she|the person|the speaker|the man|the woman} {saying|thinking|wearing|talking about|feeling|called}?
{What|Which} {language|song|artist|band|singer|album|composer|book|film|city|country} is {this|it|that}?
What happened {yesterday|afterwards|after that|last year|then|in the end|in the war}?
What will happen {tomorrow|afterwards|after that|next year|then|in the end|to us}?
{How long|For how long} {did it take|will it last|has it been going on|is the clip|is the recording|do I boil eggs}?
What {do you think of it|are you doing|are you wearing|did you eat|do you want|can you do|is your job|makes you happy}?
""",
}
