"""Numbers and units of time as people write them in English, Russian and Chinese."""

from __future__ import annotations

import re

_TENS = {20: ("twenty", "двадцать"), 30: ("thirty", "тридцать"), 40: ("forty", "сорок"), 50: ("fifty", "пятьдесят")}
_ONES = {
    1: ("one", "один одну"),
    2: ("two", "два две"),
    3: ("three", "три"),
    4: ("four", "четыре"),
    5: ("five", "пять"),
    6: ("six", "шесть"),
    7: ("seven", "семь"),
    8: ("eight", "восемь"),
    9: ("nine", "девять"),
}
_BETWEEN = {
    word: float(ten + one)
    for ten, (en, ru) in _TENS.items()
    for one, (en_one, ru_ones) in _ONES.items()
    for word in (f"{en} {en_one}", f"{en}-{en_one}", *(f"{ru} {ru_one}" for ru_one in ru_ones.split()))
}
"""Twenty five, twenty-five, двадцать пять."""
NUMBERS: dict[str, float] = _BETWEEN | {
    number: float(value)
    for value, words in {
        0.5: "half an|half a|half|пол",
        1: "a|an|one|один|одну|одна",
        1.5: "полтора",
        2: "two|два|две|a couple of|a couple|couple of|пару",
        3: "three|три",
        4: "four|четыре",
        5: "five|пять",
        6: "six|шесть",
        7: "seven|семь",
        8: "eight|восемь",
        9: "nine|девять",
        10: "ten|десять",
        11: "eleven|одиннадцать",
        12: "twelve|двенадцать",
        13: "thirteen|тринадцать",
        14: "fourteen|четырнадцать",
        15: "fifteen|пятнадцать",
        16: "sixteen|шестнадцать",
        17: "seventeen|семнадцать",
        18: "eighteen|восемнадцать",
        19: "nineteen|девятнадцать",
        20: "twenty|двадцать",
        30: "thirty|тридцать",
        40: "forty|сорок",
        50: "fifty|пятьдесят",
        60: "sixty|шестьдесят",
        90: "ninety|девяносто",
    }.items()
    for number in words.split("|")
}
_CHINESE = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "零": 0}
_UNITS = {
    r"seconds?|secs?|s|секунд[ауы]?|сек|秒钟?": 1,
    r"minutes?|mins?|m|минут[ауы]?|мин|м|分钟?": 60,
    r"hours?|hrs?|h|час(?:а|ов)?|ч|个?小时|个?钟头?": 3600,
    r"days?|d|день|дня|дней|сутки|суток|天|日": 86400,
    r"weeks?|w|недел[юяьи]|недели|недель|个?(?:周|星期|礼拜)": 7 * 86400,
}
DAY = 86400
START, END = r"(?<![^\W\d_\u4e00-\u9fff])", r"(?![^\W\d_\u4e00-\u9fff])"
"""Edges of a word, where Chinese characters are words of their own."""
ZH_NUMBER = r"(?:(?<!\d)\d+|半|[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
_WORDS = "|".join(sorted(NUMBERS, key=len, reverse=True))
NUMBER_WORDS = "|".join(word for word in _WORDS.split("|") if NUMBERS[word] > 1 and not word.startswith("a "))
"""Numbers in words that are more than an article."""
_AND_HALF = r"(?:(?<!\d)\d+|[一二两三四五六七八九十]{1,3})个半(?=小时|钟)"
NUMBER = rf"(?:{_AND_HALF}|(?<!\d)\d+(?:[.,]\d+)?|(?:{_WORDS})(?=\s)|{ZH_NUMBER})"
UNIT = rf"(?:{'|'.join(_UNITS)}){END}"


def number_of(text: str) -> float:
    """The number that a match of NUMBER means."""
    word = text.strip().casefold()
    if word in NUMBERS:
        return NUMBERS[word]
    if word == "半":
        return 0.5
    if word.endswith("个半"):
        return number_of(word.removesuffix("个半")) + 0.5
    if "十" in word:
        tens, ones = word.split("十")
        return _CHINESE.get(tens, 1) * 10 + _CHINESE.get(ones, 0)
    return _CHINESE.get(word) or float(word.replace(",", "."))


def seconds_of(number: str | None, unit: str) -> float:
    """How long so many units are, in seconds; without a number one."""
    size = next(size for pattern, size in _UNITS.items() if re.fullmatch(pattern, unit, re.IGNORECASE))
    return (number_of(number) if number else 1) * size
