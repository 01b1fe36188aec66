"""Times of day as people write them: "at 9", "5 pm", «в 9 утра», "下午3点半"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time

from .numbers import END, START, ZH_NUMBER, number_of

LAST_HOUR, LAST_MINUTE = 23, 59
_PARTS = {
    r"in the morning|mornings?|с утра|утром?|утра|早上|早晨|清晨|上午|早(?![餐饭会班安点读操课茶])": time(9),
    r"at noon|noon|midday|в полдень|中午": time(12),
    r"in the afternoon|afternoons?|днём|днем|下午": time(15),
    r"in the evening|this evening|evenings?|tonight|вечер(?:ом|а)?|傍晚|晚上|晚(?![餐饭会班安点些报宴])": time(20),
    r"at night|nights?|ночью": time(22),
    r"at midnight|midnight|в полночь|午夜": time(0),
    r"凌晨": time(3),
}
_LATER = {hour: hour + 12 for hour in range(1, 12)}
_HOURS: dict[str, dict[int, int]] = {
    r"\ba\.?m": {12: 0} | {hour: hour for hour in range(12)},
    r"\bp\.?m": {hour: hour for hour in range(12, 24)} | _LATER,
    r"morning|утр|早|清晨|上午": {hour: hour for hour in range(1, 12)},
    r"中午": {11: 11, 12: 12, 13: 13, 14: 14, 1: 13, 2: 14},
    r"afternoon|дня|дн[её]м|下午": {hour: hour for hour in range(12, 20)} | {hour: hour + 12 for hour in range(1, 8)},
    r"evening|вечер|傍晚": {hour: hour for hour in range(16, 24)} | {hour: hour + 12 for hour in range(4, 12)},
    r"night|ноч|晚|夜": {hour: hour for hour in (*range(5), *range(18, 24))}
    | {hour: hour + 12 for hour in range(6, 12)}
    | {12: 0},
    r"凌晨|半夜": {12: 0} | {hour: hour for hour in range(7)},
}
"""Which hour a part of the day makes of the one that is said; what it does not have is not a time that people say."""
_SETTLED = re.compile(r"[ap]\.?m|утра|дня|вечера|ночи|in the|at night|this|tonight|утром|вечером|ночью", re.IGNORECASE)
_NIGHT = re.compile(r"night|ноч|晚|夜", re.IGNORECASE)
DAWN = 5
_WORDS = r"in the (?:morning|afternoon|evening)|at night|this evening|tonight|утром|вечером|днём|днем|ночью"
_LEAD = rf"(?P<lead>(?:{_WORDS}|mornings?|afternoons?|evenings?|nights?)\s*,?\s*)?"
_SUFFIX = (
    r"(?P<part>\s*(?:a\.?m\b\.?|p\.?m\b\.?|o'clock"
    rf"|час(?:а|ов)?(?:\s+(?:утра|дня|вечера|ночи))?|утра|дня|вечера|ночи|{_WORDS}))"
)
_SURE_SUFFIX = (
    r"(?P<part>\s*(?:a\.?m\b\.?|p\.?m\b\.?|o'clock"
    rf"|час(?:а|ов)?\s+(?:утра|дня|вечера|ночи)|утра|(?<![2-4]\s)дня|вечера|ночи|{_WORDS}))"
)
"""One that makes an hour of a number that stands alone; «2 часа» and «3 дня» may be as many hours and days."""
_HOUR_WORDS = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|пять|шесть|семь|восемь|девять|десять"
    r"|одиннадцать|двенадцать|(?:два|три|четыре)(?=\s+(?:часа\s+)?(?:утра|вечера|ночи))"
)
_AT = r"(?:\b(?:at|в|во|к|by)\s+|(?<![^\s(])@\s*)"
_ZH_PART = r"(?P<part>凌晨|半夜|深夜|夜里|夜晚|早上|早晨|清晨|上午|中午|下午|傍晚|晚上|早|晚)"
_ACTIVITY = (
    "开(?!本)|[起吃看听去叫喝做写读练跑健运洗买卖取拿交付还赶坐飞登参聚请准记得和跟与在收发复预查询签拜访见接送唱休锻散游瑜睡赴约给带的]"
    "|学(?![时分年])|考(?=[试])|提(?=[醒交])|打(?=[卡电球车扫针印游])|关(?=[灯门火机闭注])|乘(?=[车坐飞地高火公])|[早晚午](?=[饭餐会读操])"
    "|午[休睡]|晨[会跑练读]|集合|会议|站会|例会|面试|电影|航班|体检|到(?!\\d)|[上下](?=[班楼课车床])|出(?=[发门去])|回(?=[家来去公学])"
    "|校车|牙医|组会|闹钟|新闻|火车|高铁|地铁|公司|动车|课程|英语|数学|语文|钢琴|篮球|足球|球赛|比赛|直播|抢票|聚|医院|快递"
    "|妈妈|爸爸|生日|电话|培训|讲座|答辩|婚礼|咖啡|[喂遛倒换充浇催搬刷煮炖熬蒸]|确认|检查|安排|整理|打扫|背(?=[书单])|量(?=血)|分[享析]"
    "|(?!min|sec|hour)[A-Za-z]{4}"
)
_MINUTE_ENDS = (
    rf"(?=\s*(?:$|[,，、。.;；!！?？)）]|\x1f|(?:{_ACTIVITY}))|\s+(?![\d零一二两三四五六七八九十]|(?:[个人位张片粒杯瓶次块元本份颗件条"
    r"只名场家斤米楼层岁度路公箱双页滴下组毫升天班%]|k?m|k?g|ml|cm|mm)(?![a-z])))"
)
"""What stands behind minutes that are not called so; another number, or what is counted, is none of it."""
_HALF = (
    r"半(?![价程个瓶岁袋只杯斤天年月块份片粒碗盒箱包桶条根里场决导糖路夜边途截百票职张]|小时|成品|公[里斤]|马(?!上)"
    r"|日(?![语本])|身(?!体)|数(?!学)|点(?!名|餐|外卖))"
)
"""Half past, and not half a price, a marathon, a day."""
_MINUTE = (
    rf"(?P<minute>零[一二三四五六七八九\d](?!\d)|{ZH_NUMBER}(?=分(?![钟享析]))"
    rf"|(?:\d{{2}}|[一二三四五]?十[一二三四五六七八九]?)(?:(?=分(?![钟享析]))|{_MINUTE_ENDS}))(?:分(?![享析]))?"
)
_NO_UNIT = r"(?!\d|[.:]\d|\s*(?:(?!еже)[а-я]*(?:минут|дн|недел)|раза?\b|minute|hour|day|week))"
_FORMS = [
    re.compile(rf"{_ZH_PART}\s*(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})"),
    re.compile(rf"{_LEAD}{_AT}?\b(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?!\d|\.\d){_SUFFIX}?", re.IGNORECASE),
    re.compile(rf"{_LEAD}{_AT}(?P<hour>\d{{1,2}})\.(?P<minute>\d{{2}})(?!\d|\.\d){_SUFFIX}?", re.IGNORECASE),
    re.compile(rf"{_LEAD}\b(?P<hour>\d{{1,2}})\.(?P<minute>\d{{2}})(?!\d|\.\d){_SUFFIX}", re.IGNORECASE),
    re.compile(rf"{_LEAD}{_AT}\b(?P<hour>\d{{1,2}}){_SUFFIX}(?!\w)", re.IGNORECASE),
    re.compile(rf"{_LEAD}\b(?<![:.])(?P<hour>\d{{1,2}}){_SURE_SUFFIX}(?!\w)", re.IGNORECASE),
    re.compile(rf"{_LEAD}{_AT}(?P<hour>\d{{1,2}}){_NO_UNIT}\b", re.IGNORECASE),
    re.compile(rf"{_LEAD}{_AT}(?P<hour>{_HOUR_WORDS}){_SURE_SUFFIX}(?!\w)", re.IGNORECASE),
    re.compile(
        rf"(?:{_ZH_PART}\s*|(?!(?<=[\u4e00-\u9fff])一点(?!钟)))(?P<hour>{ZH_NUMBER})\s*(?:点[钟整]?|时)"
        rf"(?:(?P<half>{_HALF})|(?P<quarter>[一三])刻|{_MINUTE})?"
    ),
]


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was read, and where it stands.

    Attributes:
        start: first character.
        end: behind the last.
        value: the time; None if the words contradict each other.
        after_midnight: it is night, and the day may have been named by its evening.
        vague: it was a part of the day, for which an hour was chosen.
        complete: it was said with minutes, or as one of the morning or afternoon, so that no more of it can follow.
    """

    start: int
    end: int
    value: time | None
    after_midnight: bool = False
    vague: bool = False
    complete: bool = False


def find_time(text: str) -> Found | None:
    """The time of day in a text; None if there is none, or one that no clock shows."""
    for form in _FORMS:
        match = form.search(text)
        if match is not None and (found := _time(match)) is not None:
            return found
    for pattern, usual in _PARTS.items():
        match = re.search(rf"{START}(?:{pattern}){END}", text, re.IGNORECASE)
        if match is not None:
            exact = usual in {time(0), time(12)}
            return Found(match.start(), match.end(), usual, usual == time(0), vague=not exact)
    return None


def _time(match: re.Match[str]) -> Found | None:
    groups = match.groupdict()
    said = int(number_of(groups["hour"]))
    minute = int(number_of(groups["minute"].lstrip("零") or "0")) if groups.get("minute") else 0
    if groups.get("half"):
        minute = 30
    if groups.get("quarter"):
        minute = 15 if groups["quarter"] == "一" else 45
    if said > LAST_HOUR or minute > LAST_MINUTE:
        return None
    part = f"{groups.get('lead') or ''} {groups.get('part') or ''}"
    hours = {rule.get(said) for words, rule in _HOURS.items() if re.search(words, part, re.IGNORECASE)} or {said}
    hour = hours.pop()
    value = None if hour is None or hours else time(hour, minute)
    late = value is not None and value.hour < DAWN and bool(_NIGHT.search(part))
    complete = bool(groups.get("minute") or groups.get("half") or _SETTLED.search(groups.get("part") or ""))
    return Found(match.start(), match.end(), value, late, complete=complete)
