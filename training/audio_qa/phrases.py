"""The fixed words of answers and the many paraphrases of questions about a binaural clip, in English and Chinese.

None of the questions starts with a "please", which is added at random in training.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "zh"]
Kind = Literal["describe", "what", "where", "side", "front", "count", "relation", "other"]
Side = Literal["left", "right", "middle"]
Front = Literal["front", "back", "side"]
Relation = Literal["left", "right"]

KINDS: tuple[Kind, ...] = ("describe", "what", "where", "side", "front", "count", "relation", "other")

# In the order of geometry.OCTANTS, as they stand after "from" and between 从 and 传来.
OCTANT: dict[Language, tuple[str, ...]] = {
    "en": (
        "the front", "the front right", "the right", "the back right", "behind", "the back left", "the left",
        "the front left",
    ),
    "zh": ("正前方", "右前方", "右边", "右后方", "正后方", "左后方", "左边", "左前方"),
}  # fmt: skip
SIDE: dict[Language, dict[Side, str]] = {
    "en": {"left": "the left", "right": "the right", "middle": "the middle"},
    "zh": {"left": "左边", "right": "右边", "middle": "中间"},
}
FRONT: dict[Language, dict[Front, str]] = {
    "en": {"front": "the front", "back": "behind", "side": "the side"},
    "zh": {"front": "前面", "back": "后面", "side": "侧面"},
}
COUNT: dict[Language, dict[int, str]] = {
    "en": {1: "One sound.", 2: "Two sounds."},
    "zh": {1: "一种声音。", 2: "两种声音。"},
}
RELATION: dict[Language, dict[Relation, str]] = {
    "en": {"left": "To the left of the other one.", "right": "To the right of the other one."},
    "zh": {"left": "在另一个声音的左边。", "right": "在另一个声音的右边。"},
}
NO_DIRECTION: dict[Language, str] = {
    "en": "the ears hear no difference in time, so I can't tell where",
    "zh": "两耳听到的时间没有差别，所以我说不出在哪里",
}
CANNOT: dict[Language, str] = {
    "en": "I can only say what sounds and where it comes from.",
    "zh": "我只能说出是什么声音、从哪里来。",
}

_ENGLISH: dict[Kind, str] = {
    "describe": """
What is it and where is it? | What is that sound, and where is it? | Describe what you hear. | Describe the scene.
| Tell me what you hear and where.
| What do you hear, and from where? | Describe the sound and its direction. | What's sounding, and from which direction?
| Tell me everything you hear. | What is around me?
| Describe this clip. | What is going on here? | What can you hear, and where does it come from? | Describe it.
| What is happening around me?
| Say what it is and where it stands. | Give me a description of what you hear. | What's going on around me?
| Which sound is it, and where does it come from? | Describe the sounds around you.
| Listen and describe. | Name the sound and say where it is. | What and where? | Can you describe this recording?
| Could you tell me what this is and where it comes from?
| I'd like to know what is sounding and where. | Describe the audio. | Give me the full picture.
| Sum up what you hear. | Describe everything that you can hear in this recording.
""",
    "what": """
What is it? | What is that? | What do you hear? | What is that sound? | What am I hearing?
| What's this sound? | What is making that noise? | Name the sound. | What can be heard? | What can you hear?
| Which sound is this? | What kind of sound is it? | Tell me what that is. | What sounds there? | Identify the sound.
| What's that noise? | What is this? | Can you tell what this is? | Do you recognise the sound? | What could that be?
| Which sounds do you hear? | What sort of noise is that? | I hear something, what is it? | What's making the sound?
| What does that sound like to you?
| Say what you hear. | Just name it. | Could you name what is sounding? | What is the source of the sound?
| Tell me which sound this is.
""",
    "where": """
Where is it? | Where is that? | Where does it come from? | Where is that sound coming from? | Where's the sound?
| From where? | From which direction? | Which direction does the sound come from? | Tell me where that is.
| Where does that come from?
| Where does the sound come from? | In which direction is it? | Which way is it? | Where should I look?
| In what direction is the sound?
| Point me to the sound. | Locate the sound. | Where is the source? | Where is that noise coming from?
| Can you locate it?
| Give me the direction. | At what angle is it? | Which way should I turn? | Tell me the direction of the sound.
| Which direction?
| Where around me is it? | What is its direction? | Say where it is. | Can you tell where the sound is?
| Could you tell me which way the sound is coming from?
""",
    "side": """
Which side? | Left or right? | Is it on the left or on the right? | On which side is it? | Which side is it on?
| From the left or from the right? | Is that left or right? | Which ear is nearer to it? | Right or left?
| From which side does it come?
| Does it come from the left or the right? | Which side does the sound come from? | Tell me which side it is on.
| Is the sound to my left or to my right? | Left side or right side?
| On my left or on my right? | On what side is the sound? | Left, right or in the middle? | Say left or right.
| Is it to the right or to the left?
| Is it more to the left or more to the right? | To which side should I turn? | Which ear is closer to the sound?
| Is it left of me or right of me? | Tell me whether it is left or right.
| Did that come from my left or my right? | Is it coming from the left? | Is it coming from the right?
| Is it in the middle or to one side? | What side is that sound on?
""",
    "front": """
Front or back? | In front or behind? | Is it in front of me or behind me? | Is that in front or at the back?
| Is it behind me or in front of me?
| Does it come from the front or from behind? | Is it ahead or behind? | Is the sound behind me? | Is it in front of me?
| Ahead of me or behind me?
| Before me or behind me? | Front, back or side? | Is it at the front or at the back? | Tell me whether it is behind me.
| Behind or in front?
| Can I see it if I look ahead? | Is it behind my back? | Is the sound coming from the front? | Say front or back.
| Does that come from behind?
| From the front or from the back? | Is something behind me? | Is it coming from behind? | Back or front?
| Tell me if it is in front or behind.
| Is the source ahead of me? | Do I have to turn around to see it? | Is the sound in front, behind or beside me?
| In front of my face or at my back? | Is the sound ahead of me or at my back?
""",
    "count": """
How many sounds are there? | How many sounds? | How many do you hear? | How many sources are there?
| How many things are sounding?
| Is it one sound or two? | One or two? | Count the sounds. | How many different sounds do you hear?
| How many sounds can you hear?
| Is there more than one sound? | Is there just one sound? | How many noises are there?
| Tell me how many sounds there are. | What is the number of sounds?
| Are there two sounds? | Are there several sounds? | How many sound sources can you hear? | Just one or more?
| One sound or more than one?
| Do you hear one thing or two? | How many things do you hear? | Give me the number of sources. | What's the count?
| Can you count the sounds?
| How many sounds does this clip hold? | Is there a second sound? | Is anything else sounding? | Count what you hear.
| Is that a single sound or are there two?
""",
    "relation": """
Is the main sound left or right of the other one? | Is the louder sound to the left or to the right of the other one?
| Which side of the other sound is the main one on? | Where is the main sound, seen from the other one?
| Is the louder one left or right of the other sound?
| Is the main one to the left of the other? | Is the main one to the right of the other?
| Is the louder sound left of the other one? | Is the louder sound right of the other one?
| On which side of the other one is the louder sound?
| Is the main sound to the left of the second one? | Is the main sound to the right of the second one?
| On what side of the other one does the main sound stand? | Left or right of the other one?
| Is the main sound to the right or to the left of the other?
| Where is the louder one compared with the other? | How do the two sounds stand to each other?
| Tell me if the main sound is left or right of the other. | Is the first sound left or right of the second?
| Where does the main sound stand next to the other one?
| Compare the places of the two sounds. | Does the louder sound come from further left or further right?
| Of the two, is the louder one on the left or on the right? | Is the main sound further left than the other one?
| Tell me on which side of the other sound the louder one is.
| Is the main sound further right than the other one? | Which of the two sides is the main one on, next to the other?
| Where is the louder of the two, left or right of the other? | Say on which side of the other one the main sound is.
| Is the louder one of the two further left or further right?
""",
    "other": """
What colour is it? | Who are you? | How far away is it? | What time is it? | How big is it?
| What is your name? | How old are you? | Tell me a joke. | What's the weather like? | How loud is it?
| How high up is it? | Is it dangerous? | Who is speaking? | What are they saying? | What does it smell like?
| How much does it cost? | Where was this recorded? | When was this recorded? | Sing me a song. | Who made you?
| Is it male or female? | How heavy is it? | What is the meaning of life? | How fast is it moving?
| What day is it today?
| What is it made of? | Hello! | How are you? | What is two plus two? | Can you write a poem?
| Do you like music? | What is the capital of France? | Translate this. | Which brand is it? | Is it beautiful?
| How long does it last? | What happened before? | What will happen next? | Why is it sounding? | Whose is it?
| What's its pitch? | Which key is it in? | Can you play it again? | Turn it off. | What should I cook tonight?
""",
}

_CHINESE: dict[Kind, str] = {
    "describe": """
这是什么声音，在哪里？ | 是什么，从哪里来？ | 描述一下你听到的。 | 描述这段声音。 | 说说你听到了什么，在哪里。
| 你听到什么，从哪边来？ | 描述声音和它的方向。 | 什么在响，在哪个方向？ | 把你听到的都告诉我。 | 我周围有什么？
| 描述这段录音。 | 这里发生了什么？ | 你能听到什么，它从哪里来？ | 描述一下。 | 我身边发生了什么？
| 说出是什么以及在哪里。 | 给我描述一下你听到的声音。 | 周围怎么了？ | 那是什么声音，从哪个方向来？ | 描述你周围的声音。
| 听一听，描述一下。 | 说出声音的名字和位置。 | 是什么？在哪里？ | 你能描述这段录音吗？ | 你能告诉我这是什么、在哪儿吗？
| 我想知道什么在响，在哪里响。 | 描述一下音频。 | 完整地说一说。 | 总结一下你听到的。 | 描述录音里你能听到的一切。
""",
    "what": """
这是什么？ | 那是什么？ | 你听到了什么？ | 那是什么声音？ | 我听到的是什么？
| 这是什么声音？ | 什么东西在响？ | 说出这个声音的名字。 | 能听到什么？ | 你能听到什么？
| 是哪种声音？ | 这是什么样的声音？ | 告诉我那是什么。 | 那里什么在响？ | 辨认一下这个声音。
| 那是什么动静？ | 是什么在发声？ | 你能听出这是什么吗？ | 你认得这个声音吗？ | 这会是什么呢？
| 你听到哪些声音？ | 这是什么响声？ | 我听到有声音，是什么？ | 什么东西发出的声音？ | 你觉得这像什么声音？
| 说说你听到什么。 | 只说名字。 | 你能说出是什么在响吗？ | 声源是什么？ | 告诉我这是哪种声音。
""",
    "where": """
它在哪里？ | 在哪里？ | 它从哪里来？ | 声音从哪个方向传来？ | 声音在哪里？
| 从哪里来？ | 哪个方向？ | 声音来自哪个方向？ | 告诉我它在哪里。 | 那声音是从哪儿来的？
| 声音从哪里传来？ | 它在哪个方向？ | 在什么方位？ | 我该往哪里看？ | 声音在什么方向？
| 指出声音的位置。 | 定位这个声音。 | 声源在哪里？ | 那个响声从哪儿传来？ | 你能定位它吗？
| 给我方向。 | 它在什么角度？ | 我该往哪边转？ | 告诉我声音的方向。 | 什么方向？
| 它在我周围的哪里？ | 它的方向是什么？ | 说说它在哪儿。 | 你能听出声音在哪里吗？ | 能告诉我声音是从哪个方向来的吗？
""",
    "side": """
哪一边？ | 左还是右？ | 它在左边还是右边？ | 它在哪一侧？ | 在哪一边？
| 从左边来还是从右边来？ | 那是左边还是右边？ | 哪只耳朵离它更近？ | 右还是左？ | 它从哪一侧来？
| 声音来自左边还是右边？ | 声音从哪一边传来？ | 告诉我它在哪一边。 | 声音在我的左边还是右边？ | 左侧还是右侧？
| 在我左边还是右边？ | 声音在哪一侧？ | 左边、右边还是中间？ | 说左还是右。 | 它在右边还是左边？
| 它偏左还是偏右？ | 我该向左转还是向右转？ | 哪只耳朵更靠近声音？ | 它在左手边还是右手边？ | 告诉我它在左还是在右。
| 刚才那声在我左边还是右边？ | 是从左边来的吗？ | 是从右边来的吗？ | 它在中间还是在一边？ | 那个声音在哪边？
""",
    "front": """
前面还是后面？ | 前还是后？ | 它在我前面还是后面？ | 那是在前面还是在后面？ | 它在我后面还是前面？
| 它从前面来还是从后面来？ | 它在前方还是后方？ | 声音在我后面吗？ | 它在我前面吗？ | 在我前方还是后方？
| 身前还是身后？ | 前面、后面还是侧面？ | 它在前头还是后头？ | 告诉我它是不是在我后面。 | 后面还是前面？
| 我朝前看能看到它吗？ | 它在我背后吗？ | 声音是从前面来的吗？ | 说前还是后。 | 那是从后面来的吗？
| 从前面还是从后面？ | 我身后有东西吗？ | 是从背后来的吗？ | 后还是前？ | 告诉我它在前还是在后。
| 声源在我前方吗？ | 我要转身才能看到它吗？ | 声音在我前面、后面还是旁边？ | 在我面前还是背后？
| 声音在我前面还是在我背后？
""",
    "count": """
有几个声音？ | 几个声音？ | 你听到几个？ | 有几个声源？ | 有几样东西在响？
| 是一个声音还是两个？ | 一个还是两个？ | 数一数声音。 | 你听到几种不同的声音？ | 你能听到几个声音？
| 不止一个声音吗？ | 只有一个声音吗？ | 有几种响声？ | 告诉我有几个声音。 | 声音的数量是多少？
| 有两个声音吗？ | 有好几个声音吗？ | 你能听到几个声源？ | 只有一个还是更多？ | 一个声音还是不止一个？
| 你听到的是一样东西还是两样？ | 有多少种声音？ | 给我声源的数目。 | 一共几个？ | 你能数出有几个声音吗？
| 这段录音里有几个声音？ | 有第二个声音吗？ | 还有别的声音吗？ | 数数你听到的。 | 是单独一个声音还是有两个？
""",
    "relation": """
主要的声音在另一个的左边还是右边？ | 较响的声音在另一个的左边还是右边？ | 主要的声音在另一个声音的哪一边？
| 从另一个声音看，主要的声音在哪边？ | 更响的那个在另一个声音的左边还是右边？
| 主要的那个在另一个的左边吗？ | 主要的那个在另一个的右边吗？ | 较响的声音在另一个左边吗？ | 较响的声音在另一个右边吗？
| 较响的声音在另一个的哪一侧？
| 主要的声音在第二个声音的左边吗？ | 主要的声音在第二个声音的右边吗？ | 主要的声音位于另一个的哪一侧？
| 在另一个的左边还是右边？ | 主要的声音在另一个的右边还是左边？
| 和另一个相比，较响的在哪边？ | 两个声音的左右关系是怎样的？ | 告诉我主要的声音在另一个的左边还是右边。
| 第一个声音在第二个的左边还是右边？ | 主要的声音相对另一个在哪一边？
| 比较两个声音的位置。 | 较响的声音更靠左还是更靠右？ | 两个之中，较响的在左还是在右？ | 主要的声音比另一个更靠左吗？
| 告诉我较响的在另一个声音的哪一边。
| 主要的声音比另一个更靠右吗？ | 跟另一个比，主要的声音在左还是在右？ | 两个里更响的那个在另一个的左边还是右边？
| 说说主要的声音在另一个的哪一边。 | 两个声音里，较响的那个更靠左还是更靠右？
""",
    "other": """
它是什么颜色？ | 你是谁？ | 它有多远？ | 现在几点？ | 它有多大？
| 你叫什么名字？ | 你几岁了？ | 讲个笑话。 | 天气怎么样？ | 声音有多响？
| 它有多高？ | 它危险吗？ | 谁在说话？ | 他们在说什么？ | 它闻起来怎么样？
| 多少钱？ | 这是在哪里录的？ | 这是什么时候录的？ | 唱首歌吧。 | 谁制造了你？
| 它是公的还是母的？ | 它有多重？ | 生命的意义是什么？ | 它移动得多快？ | 今天星期几？
| 它是用什么做的？ | 你好！ | 你好吗？ | 二加二等于几？ | 你能写首诗吗？
| 你喜欢音乐吗？ | 法国的首都是哪里？ | 翻译这段话。 | 是什么牌子的？ | 它漂亮吗？
| 它持续多久？ | 之前发生了什么？ | 接下来会发生什么？ | 它为什么响？ | 它是谁的？
| 音高是多少？ | 这是什么调？ | 能再放一遍吗？ | 把它关掉。 | 今晚我该做什么菜？
""",
}


def _split(tables: dict[Kind, str]) -> dict[Kind, tuple[str, ...]]:
    return {kind: tuple(part.strip() for part in table.split("|")) for kind, table in tables.items()}


QUESTIONS: dict[Language, dict[Kind, tuple[str, ...]]] = {"en": _split(_ENGLISH), "zh": _split(_CHINESE)}
