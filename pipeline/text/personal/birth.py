r"""Dates of birth: dates after a word that says so.

Out: `PATTERNS` of the kind `date_of_birth`. Only years from 1900 on: earlier dates belong to nobody alive.
"""

from __future__ import annotations

import re

from pipeline.text.personal.check_digits import is_day
from pipeline.text.personal.patterns import ANYTHING, GAP, GAP_AND_DIGIT, Pattern, whole_if

# English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish and Norwegian, Polish. "Birthday" alone
# is not enough: it may be a party's.
_WORDS = (
    rb"(?:(?i:born|(?:date|place) of birth|birth ?date|d\.?o\.?b|birthday is|geboren|geb|geburtsdatum|geburtstag ist"
    rb"|n\xc3\xa9(?:e|\(e\))? (?:le|un|en)|naissance|anniversaire est|nacid[oa]|nacimiento|cumplea\xc3\xb1os"
    rb" es|nascita|nacque"
    rb"|nascid[oa]|nasceu|nascimento|geboortedatum|geboortedag|verjaardag"
    rb" is|f\xc3\xb6dd|f\xc3\xb8dt|f\xc3\xb6delsedatum|urodzon[yae]"
    rb"|urodzi\xc5\x82(?:a|em|am)|urodzenia|urodziny mam)|[Nn]at[oa] (?:il|l|a|ad|in))"
)
# Those that end with no ASCII letter.
_OTHER_WORDS = (
    rb"(?i:(?:birthday|geburtstag|anniversaire"
    rb" ?|cumplea\xc3\xb1os|compleanno|verjaardag|urodziny):|n\xc3\xa9(?:e|\(e\))? \xc3\xa0"
    rb"|naci\xc3\xb3|nac\xc3\xad|compleanno \xc3\xa8|urodzi\xc5\x82|urodziny s\xc4\x85|ur\.)"
)
# As genealogists write: `(* 3. Mai 1970`.
_STAR = rb"\(\* {0,2}"
# German and Dutch close the clause with the word: `am 3. Mai 1970 in Kassel geboren`. Laws say `vor dem 1. Juli 1976
# geboren`.
_OPENING = rb"(?i:am|op|den) "
_CLOSING = rb" (?:[^0-9.;!?\x00\n]{0,30} )?(?i:geboren)"
_MONTHS = (
    rb"(?i:jan(?:uary|uar|vier|uari|\.)?|j\xc3\xa4nner|feb(?:ruary|ruar|ruari|rero|braio|\.)?|f\xc3\xa9vrier|mar(?:ch|s|zo|\xc3\xa7o|\.)?|m\xc3\xa4rz"
    rb"|maart|apr(?:il|ile|\.)?|avril|abril|may|mai|mei|mayo|maggio|maio|jun(?:e|i|io|ho|\.)?|juin|giugno|jul(?:y|i|io|ho|\.)?|juillet|luglio"
    rb"|aug(?:ust|ustus|\.)?|ao\xc3\xbbt|agosto|sep(?:tember|tembre|tiembre|t|t\.|\.)?|setembro|settembre|oct(?:ober|obre|\.)?|okt(?:ober|\.)?"
    rb"|ottobre|outubro|enero|janeiro|gennaio|fevereiro|nov(?:ember|embre|iembre|embro|\.)?|dec(?:ember|\.)?|dez(?:ember|embro|\.)?"
    rb"|d\xc3\xa9cembre|diciembre|dicembre"
    rb"|stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|wrze\xc5\x9bnia|pa\xc5\xbadziernika|listopada|grudnia)"
)
_YEAR = rb"(?:19|20)[0-9]{2}"
_DAY = rb"[0-3]?[0-9]"
_NUMERIC = (
    rb"(?:"
    + _DAY
    + rb"[./\-] ?"
    + _DAY
    + rb"[./\-] ?(?:"
    + _YEAR
    + rb"|[0-9]{2})|"
    + _YEAR
    + rb"[\-/.][01]?[0-9][\-/.]"
    + _DAY
    + rb")"
)
_DAY_FIRST = _DAY + rb"(?:st|nd|rd|th|er|\.|\xc2[\xba\xb0])? ?(?:of |de |di )?" + _MONTHS + rb",?(?: de| di)? " + _YEAR
_MONTH_FIRST = _MONTHS + rb" " + _DAY + rb"(?:st|nd|rd|th)?,? " + _YEAR
_NUMBERS = re.compile(rb"[0-9]+")


def date_of_birth(span: bytes) -> bool:
    """The numbers of the span can be a day: year first, day first or month first."""
    numbers = [int(number) for number in _NUMBERS.findall(span)]
    if len(numbers) == 2:
        return 1 <= numbers[0] <= 31
    first, second, third = numbers
    if first > 31:
        return is_day(first, second, third)
    # Two digits of the year: 2000 and 1900 differ in February 29.
    year = third if third > 99 else 2000 + third
    return is_day(year, second, first) or is_day(year, first, second)


PATTERNS = (
    Pattern(
        kind="date_of_birth",
        cores=(_WORDS + rb"\b" + GAP_AND_DIGIT, _OTHER_WORDS + GAP_AND_DIGIT),
        # The first letters of all words: this rules most places out.
        pattern=rb"(?=[ABCDFGNPUVabcdfgnpuv])(?:"
        + _WORDS
        + rb"|"
        + _OTHER_WORDS
        + rb")(?![\w\x80-\xff])"
        + GAP
        + rb"(?<!\w)(?P<span>"
        + _NUMERIC
        + rb"|"
        + _DAY_FIRST
        + rb"|"
        + _MONTH_FIRST
        + rb")",
        before=rb"\w",
        after=rb"[\w@]|[./\-][0-9]",
        seen=ANYTHING,
        longest=104,
        measure=whole_if(date_of_birth),
    ),
    Pattern(
        kind="date_of_birth",
        cores=(_STAR + rb"[0-9]",),
        pattern=_STAR + rb"(?P<span>" + _NUMERIC + rb"|" + _DAY_FIRST + rb")",
        before=rb"\w",
        after=rb"[\w@]|[./\-][0-9]",
        seen=ANYTHING,
        longest=64,
        measure=whole_if(date_of_birth),
    ),
    Pattern(
        kind="date_of_birth",
        cores=(rb"[0-9]" + _CLOSING,),
        pattern=_OPENING + rb"(?P<span>" + _NUMERIC + rb"|" + _DAY_FIRST + rb")" + _CLOSING,
        before=rb"\w",
        after=rb"[\w\x80-\xff]",
        seen=ANYTHING,
        longest=92,
        measure=whole_if(date_of_birth),
    ),
)
