"""Signals in a person's words: is there something to keep, told by code alone, before any model is asked.

A model call costs seconds on a small machine, so plain questions and commands must not lead to one.
"""

from __future__ import annotations

import re

MOST_CHARACTERS = 2000
"""So much of a message is looked at; what a person says of themselves stands at the beginning."""

_END = re.compile(r"(?<=[.!?…])(?<!\b[A-ZА-Я][a-zа-я]\.)(?<!\b[A-ZА-Я]\.)(?<!\b[A-Z][a-z]{2}\.)\s+|(?<=[。！？])|\n+")
"""Where a sentence ends; not after initials and titles (`A.`, `Dr.`, `Mrs.`)."""
_QUESTION = re.compile(r"[?？]\s*[\"'»”)]*\s*$")

_IN_ENGLISH = (
    r"(?:(?:hi|hey|hello|ok|okay|aura|and|also)[,!\s]+)*"
    r"(?:(?:please|can you|could you|will you|i want you to|i'd like you to)[,\s]+)*"
    r"(?:remember|keep in mind|don['’]?t forget|do not forget|note for (?:later|the future))"
    r"(?:\s*[:,—-]\s*|\s+that\s*[:,]?\s+|\s+(?!(?:when|me\?|how|the time|what|where|who|if|whether)\b))(\S.*)"
)
_IN_RUSSIAN = (
    r"(?:(?:привет|пожалуйста|аура|и|также|прошу)[,!\s]+)*"
    r"(?:запомни(?:те)?|не забудь(?:те)?|не забывай(?:те)?|имей(?:те)? в виду|учти(?:те)?)"
    r"(?:,?\s*пожалуйста)?(?:\s*[:,—-]\s*|\s+)(?:(?:что|о том,? что)\s+)?(\S.*)"
)
_IN_CHINESE = r"(?:(?:你好|请|麻烦你?|另外|帮我)[,，!！\s]*)*(?:记住|记得|别忘了|不要忘记|记下)[:：,，\s]*(\S.*)"
_ASKED = (_IN_ENGLISH, _IN_RUSSIAN, _IN_CHINESE)
_EXPLICIT = tuple(re.compile(phrase, re.IGNORECASE | re.DOTALL) for phrase in _ASKED)
_POINTING = {"this", "that", "it", "me", "him", "her", "them", "это", "меня", "его", "её", "这个", "这", "我", "它"}
"""Words that name nothing by themselves."""

_LASTING = (
    # English: what I am, do, like and have; how to treat me
    r"\bI(?:['’]m|\s+am)\s+(?!(?:going|trying|looking|wondering|not sure|asking|curious|sorry|afraid|writing)\b)",
    r"\bI\s+(?:(?:really|usually|always|never|often|also|only|now)\s+)*(?:live|work|study)\b",
    r"\bI\s+(?:\w+\s+)?(?:like|love|hate|dislike)\b(?!\s+(?:this|that|these|those|it|your)\b)",
    r"\bI\s+(?:(?:really|usually|always|never|often|also|only|now)\s+)*(?:prefer|speak|eat|drink|use|own|play|take)\b",
    r"\bI\s+(?:was born|moved|cannot|can['’]t)\b",
    r"\bI\s+have\s+(?:a|an|two|three|four|five|\d+|no)\s+(?!(?:question|file|problem|list|text|task)\b)",
    r"\bI(?:['’]d| would)\s+(?:rather|prefer)\b|\bcall me\b|\bfrom now on\b|\bin (?:the )?future\b",
    r"\bmy\s+(?:\w+['’]?s?\s+){1,4}(?:is|are|was|lives?|works?|likes?|has)\b",
    r"^(?:please\s+)?(?:always|never)\s+\w+",
    # Russian
    r"\bменя зовут\b|\bмне\s+(?:\w+\s+)?(?:нравится|нравятся|лет|года?)\b|\bя\s*[—–-]\s*\w",
    r"\bя\s+(?:\w+\s+)?(?:живу|работаю|люблю|предпочитаю|учусь|ненавижу|говорю|родился|родилась)\b",
    r"\bя\s+(?:\w+\s+)?(?:вегетариан\w+|веган\w*|аллерг\w+)\b",
    r"\b(?:мой|моя|моё|мое|мои|моего|мою)\s+(?:\w+\s+){0,3}(?:[—–-]|это|зовут|живёт|живет|работает|любит)",
    r"\b(?:мою|моего|моих)\s+\w+\s+зовут\b|\bу меня\s+(?:есть|аллергия|двое|трое|два|две|один|одна)\b",
    r"\bзови(?:те)? меня\b|\bобращай(?:ся|тесь) ко мне\b|\bв будущем\b|\bвпредь\b",
    r"^(?:пожалуйста,?\s+)?(?:всегда|никогда)\s+\w+",
    # Chinese
    r"我(?:叫|是|喜欢|不喜欢|爱|讨厌|住|在.{1,12}(?:工作|上学)|有|养|不吃|不喝|对.{1,12}过敏|习惯|偏好)",
    r"我的.{1,12}(?:是|叫|在)|(?:以后|今后|从现在起)|^(?:请)?(?:总是|永远|一直)",
    # German, French, Spanish
    r"\bich\s+(?:bin|heiße|wohne|arbeite|mag|liebe|hasse|bevorzuge)\b",
    r"\bmein(?:e|en)?\s+(?:\w+\s+){1,3}(?:ist|heißt|sind)\b",
    r"\bje\s+(?:suis|préfère|déteste|travaille|m['’]appelle)\b|\bj['’](?:aime|habite|ai)\b",
    r"\b(?:me llamo|vivo en|trabajo en|prefiero|me gusta|soy)\b",
)
_PASSING = re.compile(
    r"\b(?:today|tonight|tomorrow|yesterday|right now|at the moment|this (?:morning|afternoon|evening|week|month))\b"
    r"|\b(?:сегодня|завтра|вчера|сейчас|на этой неделе)\b|今天|明天|昨天|现在(?!起)|今晚|这周",
    re.IGNORECASE,
)
"""What is true only for a while."""
_STATEMENT = re.compile("|".join(_LASTING), re.IGNORECASE)


def explicit_facts(text: str) -> list[str]:
    """What the person asks to remember in so many words ("remember that …", "запомни …", "记住…"), in their words."""
    found: list[str] = []
    for sentence in _statements(text):
        match = next(filter(None, (phrase.fullmatch(sentence) for phrase in _EXPLICIT)), None)
        fact = match[1].strip() if match else ""
        if fact and fact.rstrip(" .!。！").casefold() not in _POINTING:
            found.append(f"remember {fact}" if fact.casefold().startswith("to ") else fact)
    return found


def may_hold_facts(text: str) -> bool:
    """Whether a model should be asked if there is something to keep: the person says what lasts.

    "I live in …", "call me …", "always answer in …" do; questions and orders do not.
    """
    return any(_STATEMENT.search(sentence) and not _PASSING.search(sentence) for sentence in _statements(text))


def _statements(text: str) -> list[str]:
    """The sentences that are not questions."""
    sentences = (part.strip() for part in _END.split(text[:MOST_CHARACTERS]))
    return [sentence for sentence in sentences if sentence and not _QUESTION.search(sentence)]
