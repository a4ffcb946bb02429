"""What each sound label is called in an answer: one short noun phrase per language, none part of another."""

from __future__ import annotations

from training.audio_qa.phrases import Language

_TABLE = """
accordion | an accordion | 手风琴声
acoustic_guitar | an acoustic guitar | 木吉他声
air_spray | a hiss of compressed air | 喷气声
airplane | an airplane | 飞机声
alarm | an alarm sounding | 警报声
baby_cry | a baby crying | 婴儿哭声
banjo | a banjo | 班卓琴声
bass_guitar | a bass guitar | 贝斯声
bicycle | a bicycle rolling | 自行车行驶声
bicycle_bell | a bicycle bell | 自行车铃声
bird | a bird singing | 鸟鸣声
blender | a blender | 搅拌机声
boat | a boat passing | 船行声
boiling | water boiling | 水沸腾声
bongo | bongo drums | 邦戈鼓声
branch_trimmer | a hedge trimmer | 树枝修剪机声
bubbles | bubbles rising | 气泡声
camera_shutter | a camera shutter | 相机快门声
can_opener | a can opener | 开罐器声
car_horn | a car horn | 汽车喇叭声
carousel | a carousel | 旋转木马声
cat | a cat meowing | 猫叫声
cat_purr | a cat purring | 猫呼噜声
cello | a cello | 大提琴声
chainsaw | a chainsaw | 电锯声
chopping | something being chopped | 砍切声
church_bells | church bells | 教堂钟声
clock_alarm | an alarm clock | 闹钟声
clock_tick | a clock ticking | 时钟滴答声
clothes_dryer | a clothes dryer | 烘干机声
coffee_grinder | a coffee grinder | 咖啡研磨机声
construction | a construction site | 建筑工地声
cow | a cow mooing | 牛叫声
crickets | crickets chirping | 蟋蟀声
crow | a crow cawing | 乌鸦叫声
crowd | a crowd of people | 人群声
dog | a dog barking | 狗叫声
donkey | a donkey braying | 驴叫声
door | a door | 开关门声
drill | a drill | 电钻声
drums | a drum kit | 架子鼓声
eating | someone eating | 咀嚼声
electric_guitar | an electric guitar | 电吉他声
electric_shaver | an electric shaver | 电动剃须刀声
engine | an engine running | 发动机声
explosion | an explosion | 爆炸声
fan | a fan | 风扇声
fire | a fire crackling | 火焰噼啪声
fireworks | fireworks | 烟花声
flute | a flute | 长笛声
footsteps | footsteps | 脚步声
french_horn | a French horn | 圆号声
frog | a frog croaking | 青蛙叫声
glass_breaking | glass breaking | 玻璃破碎声
gong | a gong | 锣声
gunshot | a gunshot | 枪声
hair_dryer | a hair dryer | 吹风机声
hammer | a hammer | 锤子声
hand_saw | a hand saw | 手锯声
hands_rubbing | hands rubbing | 搓手声
harmonica | a harmonica | 口琴声
harp | a harp | 竖琴声
helicopter | a helicopter | 直升机声
hen | a hen clucking | 母鸡叫声
horse | a horse | 马叫声
impact_ceramic | a knock on ceramic | 敲击陶瓷声
impact_fabric | a pat on fabric | 拍打布料声
impact_glass | a knock on glass | 敲击玻璃声
impact_metal | a knock on metal | 敲击金属声
impact_paper | a tap on paper | 拍打纸张声
impact_plastic | a knock on plastic | 敲击塑料声
impact_stone | a knock on stone | 敲击石头声
impact_water | a splash of water | 拍打水面声
impact_wood | a knock on wood | 敲击木头声
insects | insects buzzing | 昆虫声
jungle | a jungle | 丛林声
keyboard_typing | typing on a keyboard | 敲键盘声
leaf_blower | a leaf blower | 吹叶机声
lion | a lion roaring | 狮子吼声
maraca | a maraca | 沙锤声
marimba | a marimba | 马林巴琴声
monkey | a monkey calling | 猴子叫声
morse_code | Morse code | 摩尔斯电码声
oboe | an oboe | 双簧管声
organ | an organ | 管风琴声
owl | an owl hooting | 猫头鹰叫声
panpipe | a panpipe | 排箫声
peeling | something being peeled | 削皮声
pepper_grinder | a pepper grinder | 胡椒研磨器声
piano | a piano | 钢琴声
pouring_water | water being poured | 倒水声
projector | a projector | 放映机声
radio | a radio | 收音机声
rain | rain falling | 雨声
ratchet | a ratchet | 棘轮声
reverse_beeper | a reversing beeper | 倒车提示音
rooster | a rooster crowing | 公鸡打鸣声
rustling_leaves | leaves rustling | 树叶沙沙声
saxophone | a saxophone | 萨克斯声
scissors | scissors cutting | 剪刀声
sea_waves | sea waves | 海浪声
seagull | a seagull crying | 海鸥叫声
sheep | a sheep bleating | 羊叫声
shovel | a shovel digging | 铲子声
singing_bowl | a singing bowl | 颂钵声
siren | a siren wailing | 警笛声
sneeze | a sneeze | 喷嚏声
spray_can | a spray can | 喷罐声
stapler | a stapler | 订书机声
steel_drum | a steel drum | 钢鼓声
submarine | a submarine | 潜水艇声
suitcase_rolling | a suitcase rolling | 行李箱滚动声
thunder | thunder | 雷声
traffic | road traffic | 车流声
train | a train | 火车声
trombone | a trombone | 长号声
trumpet | a trumpet | 小号声
typewriter | a typewriter | 打字机声
underwater | an underwater sound | 水下声
vacuum_cleaner | a vacuum cleaner | 吸尘器声
velcro | velcro tearing | 魔术贴声
vinyl | a vinyl record | 黑胶唱片声
violin | a violin | 小提琴声
washing_machine | a washing machine | 洗衣机声
water | water flowing | 流水声
whale | a whale calling | 鲸鱼叫声
wind | wind blowing | 风声
wind_chimes | wind chimes | 风铃声
windshield_wipers | windshield wipers | 雨刷声
wolf | a wolf howling | 狼嚎声
woodpecker | a woodpecker | 啄木鸟声
zipper | a zipper | 拉链声
"""


def _read(table: str) -> dict[str, dict[Language, str]]:
    rows = [line.split(" | ") for line in table.strip().splitlines()]
    return {label: {"en": english, "zh": chinese} for label, english, chinese in rows}


NAMES: dict[str, dict[Language, str]] = _read(_TABLE)  # label -> its name in each language
