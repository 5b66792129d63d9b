"""Quantities in wikitext: `{{convert|5|ft|7|in|cm}}`, `{{val|3.2|e=5|u=kg}}`, `{{unité|2000|m}}`.

In: a template's arguments. Out: the quantity as the author gave it: "5 ft 7 in". What the template converts it to is
not computed: the sentence keeps the number of its source, and no number is there that the author did not write.

The order of arguments, words of ranges, pairs of units and symbols of units: Template:Convert, Template:Val and
Module:Convert of the English Wikipedia; Modèle:Unité of the French one.
"""

from __future__ import annotations

import re

from pipeline.readers.wiki.arguments import Given, filled, first_of, positional

# Between the numbers of a range.
_RANGES = {
    "-": "–",
    "–": "–",
    "to": " to ",
    "to(-)": " to ",
    "to about": " to about ",
    "and": " and ",
    "and(-)": " and ",
    "&": " & ",
    "or": " or ",
    "or(-)": " or ",
    "by": " by ",
    "by(x)": " by ",
    "x": " × ",
    "xx": " × ",
    "×": " × ",
    "*": " × ",
    "+/-": " ± ",
    "±": " ± ",
    "+": " + ",
    ",": ", ",
    ", and": ", and ",
    ", or": ", or ",
    "/": "/",
}
# A quantity in two units or three: which may follow which.
_SMALLER = {
    "mi": ("yd", "ft", "ch", "chain", "furlong", "fur"),
    "furlong": ("ch", "yd"),
    "yd": ("ft", "in"),
    "ft": ("in",),
    "foot": ("in", "inch"),
    "st": ("lb", "lbs"),
    "lb": ("oz",),
    "long ton": ("cwt", "long cwt", "lb", "long hundredweight"),
    "lt": ("cwt", "long cwt", "lb"),
    "cwt": ("qtr", "lb"),
    "long cwt": ("qtr", "lb"),
    "qtr": ("lb",),
    "acre": ("rood",),
    "rood": ("perch",),
    "h": ("min",),
    "min": ("s",),
    "yr": ("month", "d"),
    "£": ("s",),
}
# What is shown for a unit, where it is not the code.
_SYMBOLS = {
    **{
        "sqmi": "sq mi",
        "sqft": "sq ft",
        "sqyd": "sq yd",
        "sqin": "sq in",
        "sqnmi": "sq nmi",
        "cuft": "cu ft",
        "cuyd": "cu yd",
    },
    **{
        "cuin": "cu in",
        "cumi": "cu mi",
        "usgal": "US gal",
        "impgal": "imp gal",
        "usfloz": "US fl oz",
        "impfloz": "imp fl oz",
    },
    **{"u.s.gal": "US gal", "usoz": "US fl oz", "degc": "°C", "degf": "°F", "c-change": "°C"},
    **{"f-change": "°F", "lbf": "lbf", "oilbbl": "barrels", "bbl": "barrels"},
    **{
        "acre": "acres",
        "mile": "miles",
        "foot": "feet",
        "inch": "inches",
        "deg": "°",
        "ftlbf": "ft⋅lbf",
        "lbft": "lb⋅ft",
    },
    **{"cuft/s": "cu ft/s"},
    **{
        "m3/s": "m3/s",
        "ozt": "ozt",
        "ft3": "cu ft",
        "ft2": "sq ft",
        "mi2": "sq mi",
        "in2": "sq in",
        "kmh": "km/h",
        "mpgus": "mpg‑US",
    },
    **{"mpgimp": "mpg‑imp", "hectare": "hectares", "kts": "kn", "knot": "knots"},
}
# Codes whose meaning depends on case, as they are written.
_EXACT = {
    "ST": "short tons",
    "LT": "long tons",
    "MT": "tonnes",
    "C": "°C",
    "F": "°F",
    "K": "K",
    "Nm": "N⋅m",
    "N.m": "N⋅m",
    "Nmi": "nmi",
}
_NEVER = frozenset(("c", "f", "k", "nm", "lt"))  # lower-case letters that are other units, or no units
# For `adj=on`: "a 5-mile run".
_NAMES = {
    **{
        "mi": "mile",
        "ft": "foot",
        "in": "inch",
        "yd": "yard",
        "km": "kilometre",
        "m": "metre",
        "cm": "centimetre",
        "mm": "millimetre",
    },
    **{
        "lb": "pound",
        "lbs": "pound",
        "oz": "ounce",
        "st": "stone",
        "kg": "kilogram",
        "g": "gram",
        "t": "tonne",
        "LT": "long-ton",
    },
    **{
        "ST": "short-ton",
        "ha": "hectare",
        "acre": "acre",
        "acres": "acre",
        "hp": "horsepower",
        "l": "litre",
        "L": "litre",
    },
    **{"gal": "gallon"},
    **{
        "nmi": "nautical-mile",
        "mph": "mile-per-hour",
        "km/h": "kilometre-per-hour",
        "sqmi": "square-mile",
        "km2": "square-kilometre",
    },
    **{"kn": "knot", "sqft": "square-foot", "m2": "square-metre", "kW": "kilowatt", "MW": "megawatt", "kV": "kilovolt"},
    **{"cc": "cubic-centimetre"},
}
_AMERICAN = (("metre", "meter"), ("litre", "liter"))
_NUMBER = re.compile(r"[-−+]?[\d.,\u00a0 ]*\d(?:\.(?!\d))?(?:/{1,2}\d+)?")
_EXPONENT = re.compile(r"([-−]?[\d.,]++(?:\(\d{1,9}\))?)[eE]([-+−]?\d+)")
_MIXED = re.compile(r"([-−]?\d[\d,]*+)\s?[+ ]\s?(\d++)//?(\d+)")
# A longer text is not a number: looking for parts of one would cost the square of its length.
_LONGEST_NUMBER = 64
_FRACTION = re.compile(r"(?<![\d/])(\d+)//(\d+)")
# Before a unit's code: thousands, millions and so on.
_THOUSANDS = re.compile(r"e(3|6|9|12|15|18)(?=[^\d\W])")
_BRACKETED = re.compile(r"\([^()]*\)")
# Units without a blank before them.
_CLOSE = frozenset(("°", "%", "‰", "′", "″"))


def number(value: str) -> str:
    """A number as it is read: `5+1/2` is 5 1/2, `2.5e3` is 2.5×10^3, `-3` is -3."""
    if len(value) > _LONGEST_NUMBER:
        return value
    value = _MIXED.sub(r"\1 \2/\3", value)
    value = _FRACTION.sub(r"\1/\2", value)
    return _EXPONENT.sub(r"\1×10^\2", value)


def symbol(code: str) -> str:
    """What is shown for a unit's code; for `e6m3` ×10^6 m3."""
    thousands = _THOUSANDS.match(code)
    if thousands is not None:
        return f"×10^{thousands[1]} {symbol(code[thousands.end() :])}"
    if code in _EXACT:
        return _EXACT[code]
    lower = code.lower()
    return code if lower in _NEVER else _SYMBOLS.get(lower, code)


def convert(given: Given) -> str | None:
    """What Template:Convert is given: number, unit; or number, range, number, unit; or number, unit, number, unit."""
    values = positional(given)
    if not values or not values[0]:
        return None
    words, at = [number(values[0])], 1
    while at + 1 < len(values) and values[at].lower() in _RANGES and values[at + 1]:
        # `5|x|10`: a cross may also be a unit, but then a number never follows.
        words += [_RANGES[values[at].lower()], number(values[at + 1])]
        at += 2
    amount = "".join(words)
    unit = values[at] if at < len(values) else ""
    shown = given.get("disp", "")
    if shown in ("number", "#") or given.get("abbr") == "values":
        return amount
    if shown == "unit":
        return symbol(unit)
    if given.get("adj", "off") not in ("off", "") and given.get("abbr") not in ("on", "in") and unit:
        return _adjective(amount, unit, values[at + 1 :], given)
    text = _with_unit(amount, unit)
    # Smaller units follow larger ones: 5 ft 7 in.
    while (
        at + 2 < len(values)
        and values[at + 2].lower() in _SMALLER.get(values[at].lower(), ())
        and _NUMBER.match(values[at + 1])
    ):
        at += 2
        text += f" {_with_unit(number(values[at - 1]), values[at])}"
    return text


def _with_unit(amount: str, unit: str) -> str:
    shown = symbol(unit)
    if shown.startswith("×"):
        # Both numbers of a range are multiplied.
        return f"{amount}{shown}" if _NUMBER.fullmatch(amount) else f"({amount}){shown}"
    return f"{amount}{shown}" if shown in _CLOSE else f"{amount} {shown}".strip()


def _adjective(amount: str, unit: str, others: list[str], given: Given) -> str:
    name = _NAMES.get(unit)
    if name is None:
        return _with_unit(amount, unit)
    if given.get("sp") == "us":
        for british, american in _AMERICAN:
            name = name.replace(british, american)
    after = (
        others[-1]
        if given["adj"].startswith("mid") and others and not _NUMBER.match(others[-1].lstrip("-")) and len(others) > 1
        else ""
    )
    by = amount.replace(" × ", "-by-").replace(" by ", "-by-")
    return f"{by}-{name}{after if after.startswith('-') or not after else f' {after}'}"


def converted_from(unit: str, given: Given) -> str | None:
    """`{{km to mi|5}}` is 5 km."""
    value = given.get("1")
    return _with_unit(number(value), unit) if value else None


def height(given: Given) -> str | None:
    """`ft=6|in=3`, `m=1.85`, `cm=185`; also weights, `st=`, `lb=`, `kg=`."""
    parts = [
        f"{number(given[unit])} {unit}" for unit in ("m", "cm", "ft", "in", "kg", "st", "lb", "oz") if given.get(unit)
    ]
    return " ".join(parts) or convert(given)


def unit(given: Given) -> str | None:
    """A number, and its unit: what follows and is not a number; a whole number after the unit is its power (`m|2`)."""
    values = filled(given)
    if not values:
        return None
    text = number(values[0]) + (f"×10^{given['e']}" if given.get("e") else "")
    for value in values[1:]:
        text += f"<sup>{value}</sup>" if re.fullmatch(r"[-−]?\d", value) and text != values[0] else f" {value}"
    named = first_of(given, "u", "ul")
    return f"{text} {named}" if named else text


def value(given: Given) -> str | None:
    """Template:Val: `3.2|e=5|u=kg`, `1.2|0.1`, `1.2|(3)`, `1.2|+0.3|-0.1`, `p=` before, `s=` after."""
    values = positional(given)
    if not values:
        return None
    text = given.get("p", "") + number(values[0])
    uncertain = [one for one in values[1:3] if one]
    while uncertain and _BRACKETED.fullmatch(uncertain[0]):
        text += uncertain.pop(0)  # of its last digits: 11.1(2)
    if len(uncertain) == 2:
        text += f" +{uncertain[0].lstrip('+')} −{uncertain[1].lstrip('-−')}"
    elif uncertain:
        text += f" ± {uncertain[0].lstrip('±')}"
    if given.get("e"):
        text = f"({text})" if uncertain else text
        text += f"×10^{given['e']}"
    text += first_of(given, "s", "end") or ""
    of, per = first_of(given, "u", "ul"), first_of(given, "up", "upl")
    if of or per:
        text += f"{'' if of in _CLOSE else ' '}{of}{f'/{per}' if per else ''}" if of else f"/{per}"
    return text


def sizes(given: Given) -> str | None:
    """Several numbers and one unit: `{{dunité|5|6|m}}`."""
    values = filled(given)
    if len(values) < 2:
        return values[0] if values else None
    return f"{' × '.join(values[:-1])} {values[-1]}"


def density(given: Given) -> str | None:
    """Template:Pop density: people and area, `3645257|640081.87|km2|sqmi|prec=1`: their quotient, which is what the
    sentence says.
    """
    values = positional(given)
    try:
        people, area = float(values[0].replace(",", "")), float(values[1].replace(",", ""))
        places = int(given.get("prec", "1" if people < 10 * area else "0"))
        return f"{people / area:.{max(0, min(places, 6))}f}/{symbol(values[2])}"
    except (IndexError, ValueError, ZeroDivisionError):
        return None
