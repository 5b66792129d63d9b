"""Dates in wikitext: `{{birth date|1901|5|12|df=y}}`, `{{as of|2011}}`, `{{circa|1450}}`.

In: a template's arguments. Out: the words, or None. Ages and times up to today are not computed: a text must not depend
on the day on which it is made. Ages at a given date are.

Sources: Template:Birth date, Template:As of, Template:Circa, Template:Film date and others of the English Wikipedia;
Modèle:Date of the French one.
"""

from __future__ import annotations

import re

from pipeline.readers.wiki.arguments import Given, filled, positional

_MONTHS = tuple(
    "January, February, March, April, May, June, July, August, September, October, November, December".split(", ")
)
_ISO = re.compile(r"(-?\d{1,4})-(\d{1,2})(?:-(\d{1,2}))?(?:T.*)?")
# Years, months and days have no more digits; Python refuses to read numbers of thousands of digits.
_MOST_DIGITS = 9
_YES = ("y", "yes", "1", "true")


def date_text(year: str, month: str, day: str, *, day_first: bool) -> str:
    """May 12, 1901 or 12 May 1901; month and day may be missing."""
    if month.isascii() and month.isdigit():
        if len(month) > _MOST_DIGITS or not 1 <= int(month) <= 12:
            return " ".join(part for part in (year, month, day) if part)
        month = _MONTHS[int(month) - 1]
    day = day.lstrip("0") or "" if day.isascii() and day.isdigit() else day
    if not month:
        return year
    if not day:
        return f"{month} {year}".strip()
    return f"{day} {month} {year}".strip() if day_first else f"{month} {day}, {year}".rstrip(", ")


def _day_first(given: Given) -> bool:
    return given.get("df", "").lower() in _YES or given.get("format", "") == "dmy"


def date(given: Given) -> str | None:
    """`1901|5|12`, `1901-05-12`, `12 May 1901`; further arguments, such as hours and places, are left out."""
    values = positional(given)[:3]
    if not any(values):
        return None
    iso = _ISO.fullmatch(values[0])
    if iso is not None:
        return date_text(iso[1], iso[2], iso[3] or "", day_first=_day_first(given))
    if not values[0].lstrip("-").isdigit() or len(values[0]) < 3:
        # 12 May 1901, 12|5|1901 (French: day, month, year), May 12, 1901.
        values = filled(given)
        if len(values) > 2 and values[2].isdigit() and len(values[2]) > 2:
            return date_text(values[2], values[1], values[0], day_first=True)
        return values[0] if len(values) < 3 and not values[0].isdigit() else " ".join(values[:3])
    year, month, day = (*values, "", "")[:3]
    return date_text(year, month, day, day_first=_day_first(given))


def date_and_age(given: Given) -> str | None:
    """A death's date, and the age when the birth is given: `1990|1|2|1900|3|4`."""
    values = filled(given)
    text = date(given)
    if text is None or len(values) < 4 or not all(map(_is_number, values[:6])):
        return text
    if len(values) < 6:
        return date_text(*values[:3], day_first=_day_first(given))
    return f"{text} (aged {_years(values)})"


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS


def _years(values: list[str]) -> int:
    later, earlier = tuple(map(int, values[:3])), tuple(map(int, values[3:6]))
    return later[0] - earlier[0] - (later[1:] < earlier[1:])


def year(given: Given) -> str | None:
    """`{{birth year and age|1980}}`, `{{death year and age|1990|1900}}`: the year."""
    return given.get("1") or None


def age(given: Given) -> str | None:
    """The age between two dates; None for the age today, which depends on the day."""
    values = filled(given)
    if len(values) < 6 or not all(map(_is_number, values[:6])):
        return None
    return str(_years([*values[3:6], *values[:3]]))


def film_dates(given: Given) -> str | None:
    """Up to ten dates with places: `1999|2|3|Cannes|1999|5|6`."""
    values = positional(given)
    out: list[str] = []
    at = 0
    while at < len(values) and len(out) < 10:
        if not values[at].isdigit():
            at += 1
            continue
        part = [
            value if value.isdigit() or not index else ""
            for index, value in enumerate((*values[at : at + 3], "", "")[:3])
        ]
        words = date_text(*part, day_first=_day_first(given))
        at += 3
        if at < len(values) and values[at] and not values[at].isdigit():
            words += f" ({values[at]})"
        at += 1
        out.append(words)
    return ", ".join(out) or None


def as_of(given: Given) -> str | None:
    """`2010|5` is As of May 2010, with `lc=y` as of, with `since=y` Since, `alt=` the words given."""
    if given.get("alt"):
        return given["alt"]
    words = "since" if given.get("since") else "as of"
    words = words if given.get("lc") else words.capitalize()
    values = [value for value in positional(given)[:3] if value]
    if not values:
        return words
    text = (
        date_text(*(*values, "", "")[:3], day_first=given.get("df", "y").lower() in _YES)
        if values[0].isdigit()
        else " ".join(values)
    )
    return f"{words} {text}{given.get('post', '')}"


def circa(given: Given) -> str:
    """`1450` is c. 1450; of two years both are uncertain."""
    return " – ".join(f"c. {value}" for value in filled(given)[:2]) or "c."


def between(mark: str, given: Given) -> str:
    """Years after a mark: `r. 1066–1087`, `fl. 1200`."""
    return f"{mark} {'–'.join(filled(given)[:2])}".rstrip()


def era(name: str, given: Given) -> str | None:
    """`{{BCE|44}}` is 44 BCE, `{{AD|44}}` AD 44."""
    values = filled(given)
    if not values:
        return name.upper()
    return f"AD {values[0]}" if name == "ad" else f"{values[0]} {name.upper()}"


def old_style(given: Given) -> str | None:
    """`4 May|1700|23 April` is 4 May [O.S. 23 April] 1700."""
    values = positional(given)
    if len(values) < 3:
        return " ".join(values) or None
    return f"{values[0]} [O.S. {values[2]}] {values[1]}"


def ago(given: Given) -> str | None:
    """The date itself: how long ago depends on the day."""
    return date({**given, "df": "y"})


def french_century(given: Given) -> str | None:
    """`{{s-|XIX|e}}` is XIXe siècle, `{{sp|XII|e|et|XIII|e|s}}` XIIe et XIIIe siècles."""
    values = filled(given)
    if len(values) > 3:
        return (
            f"{values[0]}{values[1]} {values[2]} {values[3]}{values[4] if len(values) > 4 else 'e'}"
            f" siècle{'s' if len(values) > 5 else ''}"
        )
    return f"{values[0]}{values[1] if len(values) > 1 else 'e'} siècle" if values else None


def spanish_century(given: Given) -> str | None:
    """`{{siglo|XIX||s}}` is siglo XIX."""
    value = given.get("1")
    return f"siglo {value}" if value else None
