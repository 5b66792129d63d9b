"""Numbers, fractions, powers and money in wikitext: `{{formatnum:1234}}`, `{{frac|3|1|2}}`, `{{e|23}}`, `{{INR|600}}`.

In: a template's arguments. Out: the words, or None when there are no words. Powers are `<sup>`, which
`pipeline.readers.wiki.tags` turns into text.

Sources: the templates' pages in the English Wikipedia (Template:Frac, Template:E, Template:Percentage, Template:INR,
...), and for `formatnum` https://www.mediawiki.org/wiki/Help:Magic_words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from pipeline.readers.wiki.arguments import Given, filled, first_of, positional
from pipeline.readers.wiki.expressions import rounded, shown

_GROUPED = re.compile(r"[-−]?\d{1,3}(?:,\d{3}){1,10}(?:\.\d+)?")
_PLAIN = re.compile(r"[-+−]?\d{1,15}(?:\.\d{1,15})?")
# Symbols of currencies, by code, and by the names of their templates.
_CURRENCIES = {
    **{
        "inr": "₹",
        "usd": "US$",
        "us$": "US$",
        "us dollar": "US$",
        "gbp": "£",
        "£": "£",
        "eur": "€",
        "€": "€",
        "euro": "€",
    },
    **{"jpy": "¥", "¥": "¥"},
    **{
        "yen": "¥",
        "cny": "CN¥",
        "rmb": "CN¥",
        "aud": "A$",
        "au$": "A$",
        "a$": "A$",
        "cad": "CA$",
        "ca$": "CA$",
        "can$": "CA$",
    },
    **{"c$": "CA$"},
    **{
        "nzd": "NZ$",
        "nz$": "NZ$",
        "hkd": "HK$",
        "hk$": "HK$",
        "sgd": "S$",
        "s$": "S$",
        "nt$": "NT$",
        "twd": "NT$",
        "mxn": "MX$",
    },
    **{"brl": "R$"},
    **{
        "r$": "R$",
        "chf": "CHF ",
        "sek": "SEK ",
        "nok": "NOK ",
        "dkk": "DKK ",
        "pln": "PLN ",
        "rub": "₽",
        "krw": "₩",
        "won": "₩",
    },
    **{"php": "₱"},
    **{
        "ils": "₪",
        "nis": "₪",
        "try": "₺",
        "ngn": "₦",
        "zar": "R",
        "thb": "฿",
        "vnd": "₫",
        "uah": "₴",
        "bdt": "৳",
        "pkr": "₨",
    },
    **{"lkr": "Rs. "},
    **{
        "idr": "Rp ",
        "myr": "RM ",
        "rm": "RM ",
        "kzt": "₸",
        "huf": "HUF ",
        "czk": "CZK ",
        "peso": "₱",
        "$": "$",
        "bdt ": "৳",
    },
    **{"kes": "KSh ", "ghs": "GH₵"},
}
_MAGNITUDES = {
    "k": " thousand",
    "m": " million",
    "b": " billion",
    "t": " trillion",
    "l": " lakh",
    "c": " crore",
    "lc": " lakh crore",
}
_CONVERTED = re.compile(r"(usd|gbp|inr|eur|jpy|cny|krw|rub|sek|chf|cad|aud) ?convert")
MONEY = frozenset(_CURRENCIES)


def formatted(given: Given) -> str | None:
    """`{{formatnum:1234567.8}}`: as written; with `R` a formatted number without its commas."""
    text = given.get("1", "")
    if given.get("2", "").upper() == "R" and _GROUPED.fullmatch(text):
        return text.replace(",", "")
    return text or None


def fraction(given: Given) -> str | None:
    """`1|2`, `3|1|2`, `2` (of one)."""
    values = filled(given)
    if not values:
        return None
    parts = values[:-1] if len(values) == 3 else ["1"] if len(values) == 1 else values[:1]
    return f"{' '.join(parts)}/{values[-1]}"


def power_of_ten(given: Given) -> str | None:
    """`{{e|9}}`; without a number French's superscript e, as in 19e."""
    exponent = given.get("1")
    return f"×10<sup>{exponent}</sup>" if exponent else "<sup>e</sup>"


def ten_to_the(given: Given) -> str:
    """`{{10^|6}}`."""
    return f"10<sup>{given.get('1', '')}</sup>"


def times_ten_to_the(given: Given) -> str:
    """`{{x10^|6}}`."""
    return f"×10<sup>{given.get('1', '')}</sup>"


def raised(given: Given) -> str | None:
    """`{{sup|6}}`."""
    text = given.get("1")
    return f"<sup>{text}</sup>" if text else None


def lowered(given: Given) -> str | None:
    """`{{sub|1}}`."""
    text = given.get("1")
    return f"<sub>{text}</sub>" if text else None


def raised_and_lowered(given: Given) -> str | None:
    """`{{su|p=2|b=i}}`; in `{{sup sub|2|i}}` by position."""
    above, below = first_of(given, "p", "1"), first_of(given, "b", "2")
    return (f"<sub>{below}</sub>" if below else "") + (f"<sup>{above}</sup>" if above else "") or None


def chemical(given: Given) -> str | None:
    """`{{chem|SO|4|2-}}`: numbers below, a charge above."""
    values = filled(given)
    out = [f"<sup>{value}</sup>" if re.fullmatch(r"\d{0,2}[+−-]", value) else value for value in values]
    return "".join(out) or None


def chemical_formula(given: Given) -> str | None:
    """`{{chem2|SO4(2-)}}`."""
    text = re.sub(r"\((\d{0,2}[+−-])\)", r"<sup>\1</sup>", given.get("1", ""))
    return text.replace("*", "·") or None


def isotope(given: Given) -> str | None:
    """`{{nuclide|uranium|235}}`: uranium-235."""
    values = filled(given)[:2]
    return "-".join(values) or None


def percentage(given: Given) -> str | None:
    """`1|4` is 25%, `1|3|1` 33.3%."""
    values = filled(given)
    try:
        part, whole = (float(value.replace(",", "")) for value in values[:2])
        return f"{shown(rounded(100 * part / whole, int(values[2]) if len(values) > 2 else 0))}%"
    except (ValueError, ArithmeticError, InvalidOperation):
        return f"{values[0]}%" if len(values) == 1 else None


def ordinal(given: Given) -> str | None:
    """`3` is 3rd."""
    value = given.get("1", "")
    if not value.isascii() or not value.isdigit():
        return value or None
    tens = value[-2:]
    return value + ("th" if tens in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(value[-1], "th"))


def century(given: Given) -> str | None:
    """`19` is 19th century."""
    value = ordinal(given)
    return f"{value} century" if value else None


def ratio(given: Given) -> str | None:
    """`4|3` is 4:3."""
    return ":".join(filled(given)) or None


def rating(given: Given) -> str | None:
    """`4|5`: what its stars say, 4/5."""
    return "/".join(filled(given)[:2]) or None


def change(given: Given) -> str | None:
    """An arrow up or down, and the number after it."""
    return " ".join(filled(given)) or None


def times(given: Given) -> str | None:
    """`1|23|45` is 1:23:45; `m=3|s=5` is 3:05."""
    values = filled(given) or [given[name] for name in ("h", "m", "s") if given.get(name)]
    if given.get("h") and not given.get("m") and not given.get("1"):
        values = [given["h"], "00", given.get("s") or "00"]
    if len(values) == 1 and given.get("s"):
        values = ["0", *values]
    return ":".join([*values[:1], *(value.zfill(2) for value in values[1:])]) if values else None


def pounds_shillings(given: Given) -> str | None:
    """`{{£sd|l=5|s=3|d=2}}`, `{{£sd|5|3|2}}`."""
    values = [first_of(given, name, str(place)) for place, name in enumerate(("l", "s", "d"), 1)]
    parts = [
        f"£{values[0]}" if values[0] else "",
        f"{values[1]}s" if values[1] else "",
        f"{values[2]}d" if values[2] else "",
    ]
    return " ".join(part for part in parts if part) or None


def money(name: str) -> Callable[[Given], str | None]:
    """A currency's template: its symbol and the amount."""
    mark = _CURRENCIES[name]

    def render(given: Given) -> str | None:
        amount = given.get("1")
        return f"{mark}{amount}" if amount else mark.strip()

    return render


def currency(given: Given) -> str | None:
    """`{{currency|600|INR}}`, also `{{currency|amount=600|type=INR}}`."""
    amount, code = first_of(given, "1", "amount"), first_of(given, "2", "type", "first")
    if not amount:
        return None
    mark = _CURRENCIES.get((code or "").lower())
    return f"{mark}{amount}" if mark else f"{amount} {code}" if code else amount


def converted_money(name: str, given: Given) -> str | None:
    """`{{INRConvert|600|c}}`: the amount as given."""
    found = _CONVERTED.fullmatch(name)
    values = positional(given)
    if found is None or not values or not values[0]:
        return None
    magnitude = _MAGNITUDES.get(values[1].lower(), "") if len(values) > 1 else ""
    return f"{_CURRENCIES[found[1]]}{values[0]}{magnitude}"


def difference(given: Given) -> str | None:
    """`{{percent change|10|12}}`, `{{change|…}}` are computed: the two numbers."""
    values = [value for value in filled(given)[:2] if _PLAIN.fullmatch(value)]
    try:
        before, after = (Decimal(value) for value in values)
        return f"{shown(rounded(float(100 * (after - before) / before), 1))}%"
    except (ValueError, ArithmeticError):
        return None
