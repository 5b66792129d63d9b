"""Templates whose words are part of a sentence.

In: the inside of `{{...}}`, inner templates and links replaced by their words already. Out: the words, or None for all other templates:
they are boxes, notes, marks for editors. Without the former, sentences have holes: most are numbers with their units and words of other
languages.

What each renders is documented on its page in the English Wikipedia (Template:Convert, ...). Pronunciations (`IPA`, `respell`) are no
running text. Names in other languages than English are known where a template of that name means the same there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

# Which argument is the text: its number, or -1 for the last one.
_ONE = (
    *(
        "nowrap",
        "nobr",
        "nobold",
        "noitalic",
        "small",
        "smaller",
        "big",
        "larger",
        "resize",
        "em",
        "strong",
        "bold",
        "sc",
        "smallcaps",
        "sup",
        "sub",
    ),
    *(
        "math",
        "mvar",
        "var",
        "tt",
        "mono",
        "code",
        "kbd",
        "key",
        "abbr",
        "tooltip",
        "vr",
        "vanchor",
        "anchord",
        "visible anchor",
        "unicode",
        "hebrew",
    ),
    *(
        "flag",
        "flagu",
        "flagcountry",
        "not a typo",
        "as written",
        "proper name",
        "ill",
        "interlanguage link",
        "lang-rus",
        "linktext",
        "gaps",
    ),
    *(
        "formatnum",
        "nombre",
        "num",
        "nts",
        "inr",
        "notatypo",
        "nobreak",
        "asiantitle",
        "title case",
        "sic",
        "typo",
        "railgauge",
        "track gauge",
    ),
)
_TWO = ("lang", "langx", "rtl-lang", "script", "color", "colour", "audio", "sort", "nihongo2", "dts", "fontcolor", "unit")
_LAST = ("transl", "transliteration", "font color", "font", "font size")
_QUOTES = ("quote", "cquote", "blockquote", "bquote", "quotation", "quote box", "rquote", "poemquote", "verse translation", "zitat", "cita")
_SHIPS = ("hms", "hmas", "hmcs", "hmnzs", "uss", "ss", "rms", "mv", "ms", "sms", "gts", "usns", "rfa", "ins", "uscgc")
_FIXED = {
    "nbsp": "\u00a0",
    "spaces": " ",
    "space": " ",
    "ndash": "–",
    "endash": "–",
    "en dash": "–",
    "snd": " – ",
    "spnd": " – ",
    "spaced ndash": " – ",
    "spaced en dash": " – ",
    "mdash": "—",
    "emdash": "—",
    "em dash": "—",
    "mdashb": "—",
    "=": "=",
    "!": "|",
    "'": "'",
    "pi": "π",
    "times": "×",
    "minus": "−",
    "sdot": "·",
    "dot": " ·",
    "bull": " •",
    "ellipsis": "…",
    "...": "…",
    "circa": "c.",
}
_MONTHS = (*("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),)
# Between the numbers of a range in `convert`.
_RANGES = {
    "-": "–",
    "–": "–",
    "to": " to ",
    "to(-)": " to ",
    "and": " and ",
    "and(-)": " and ",
    "or": " or ",
    "by": " by ",
    "x": " × ",
    "×": " × ",
    "+/-": " ± ",
}


def template_text(content: str) -> str | None:
    """The words that a template shows in a sentence; None: it has none."""
    name, *arguments = content.split("|")
    name = " ".join(name.replace("_", " ").split()).lower()
    if ":" in name:
        # {{formatnum:1234}} has its first argument behind a colon.
        name, first = content.split("|", 1)[0].strip().split(":", 1)
        name, arguments = name.lower(), [first, *arguments]
        if name != "formatnum":
            return None
    render = _RENDER.get(name, _argument_1 if name.startswith("lang-") else None)
    if render is None:
        return _FIXED.get(name) if not arguments else None
    return render(_parsed(arguments))


def _parsed(arguments: list[str]) -> dict[str, str]:
    """Arguments by name; those without one by their number."""
    parsed: dict[str, str] = {}
    number = 0
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            parsed[name.strip().lower()] = value.strip()
        else:
            number += 1
            parsed[str(number)] = argument.strip()
    return parsed


def _positional(given: Mapping[str, str]) -> list[str]:
    count = 0
    while str(count + 1) in given:
        count += 1
    return [given[str(number)] for number in range(1, count + 1)]


def _argument_1(given: Mapping[str, str]) -> str | None:
    return given.get("1")


def _argument_2(given: Mapping[str, str]) -> str | None:
    return given.get("2") or given.get("text") or given.get("1")


def _argument_last(given: Mapping[str, str]) -> str | None:
    values = _positional(given)
    return values[-1] if values else None


def _joined(given: Mapping[str, str]) -> str:
    return "".join(_positional(given))


def _quote(given: Mapping[str, str]) -> str | None:
    text = given.get("text") or given.get("quote") or given.get("1")
    return f"\n{text}\n" if text else None


def _convert(given: Mapping[str, str]) -> str | None:
    values = _positional(given)
    words, at = values[:1], 1
    while at + 1 < len(values) and values[at].lower() in _RANGES:
        words += [_RANGES[values[at].lower()], values[at + 1]]
        at += 2
    unit = values[at : at + 1]
    return " ".join(["".join(words), *unit]) if words else None


def _unit(given: Mapping[str, str]) -> str:
    """A number, and the unit when it is no number itself."""
    return " ".join(value for value in _positional(given)[:2] if value)


def _value(given: Mapping[str, str]) -> str | None:
    values = _positional(given)
    if not values:
        return None
    text = values[0] + (f" ± {values[1]}" if len(values) > 1 and values[1] else "")
    text += f"×10^{given['e']}" if given.get("e") else ""
    unit = given.get("u") or given.get("ul") or given.get("up")
    return f"{text} {unit}" if unit else text


def _fraction(given: Mapping[str, str]) -> str | None:
    values = _positional(given)
    if not values:
        return None
    parts = values[:-1] if len(values) == 3 else ["1"] if len(values) == 1 else values[:1]
    return f"{' '.join(parts)}/{values[-1]}"


def _as_of(given: Mapping[str, str]) -> str:
    if given.get("alt"):
        return given["alt"]
    values = [value for value in _positional(given)[:3] if value]
    if len(values) > 1 and values[1].isascii() and values[1].isdigit() and 1 <= int(values[1]) <= 12:
        values[1] = _MONTHS[int(values[1]) - 1]
    return f"{'as' if given.get('lc') or given.get('since') else 'As'} of {' '.join(reversed(values))}"


def _circa(given: Mapping[str, str]) -> str:
    return f"c. {' – '.join(_positional(given)[:2])}".rstrip()


def _reign(given: Mapping[str, str]) -> str:
    return f"r. {'–'.join(_positional(given)[:2])}"


def _nihongo(given: Mapping[str, str]) -> str | None:
    first, others = given.get("1", ""), [given[key] for key in ("2", "3") if given.get(key)]
    return f"{first} ({', '.join(others)})".strip() if others else first or None


def _angle(given: Mapping[str, str]) -> str:
    return f"⟨{given.get('1', '')}⟩"


def _ship(given: Mapping[str, str]) -> str:
    return " ".join(_positional(given)[:2])


def _named_ship(prefix: str) -> Callable[[Mapping[str, str]], str]:
    return lambda given: f"{prefix} {given.get('1', '')}".rstrip()


_RENDER: dict[str, Callable[[Mapping[str, str]], str | None]] = {
    **dict.fromkeys(_ONE, _argument_1),
    **dict.fromkeys(_TWO, _argument_2),
    **dict.fromkeys(_LAST, _argument_last),
    **dict.fromkeys(_QUOTES, _quote),
    **dict.fromkeys(("convert", "cvt"), _convert),
    **dict.fromkeys(("unité", "unidad", "unità", "unitat"), _unit),
    **dict.fromkeys(("chem", "chem2", "hydrogen chem"), _joined),
    **dict.fromkeys(("frac", "sfrac", "fraction"), _fraction),
    **dict.fromkeys(("angbr", "angle bracket", "angbr ipa"), _angle),
    **dict.fromkeys(("c.", "ca.", "circa"), _circa),
    **dict.fromkeys(("reign", "r."), _reign),
    **{name: _named_ship(name.upper()) for name in _SHIPS},
    "as of": _as_of,
    "nihongo": _nihongo,
    "ship": _ship,
    "val": _value,
}
