"""Parser functions and variables of MediaWiki: `{{#if:x|y|z}}`, `{{lc:ABC}}`, `{{PAGENAME}}`.

In: name and arguments of `{{name:first|second}}`, inner templates done already. Out: the words; None when they are not
the same on every day and every site (`{{CURRENTYEAR}}`, `{{#time:}}`, `{{#invoke:}}`).

Source: https://www.mediawiki.org/wiki/Help:Extension:ParserFunctions and Help:Magic_words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipeline.readers.wiki.expressions import evaluated, shown
from pipeline.readers.wiki.numbers import formatted

# MediaWiki has no longer titles; a longer text is not a title.
MOST_TITLE_BYTES = 255
# The widest that a text is padded to (`padleft`).
_MOST_WIDTH = 500
_NUMBER = re.compile(r"[-+]?\d{1,15}(?:\.\d{1,15})?")
# Variables that give the page's title.
_TITLE = frozenset(("pagename", "fullpagename", "basepagename", "subpagename", "titlepagename", "rootpagename"))
_SIGNS = {
    "!": "|",
    "=": "=",
    "(!": "{|",
    "!)": "|}",
    "!-": "|-",
    "!!": "||",
    "((": "{{",
    "))": "}}",
    "(": "{",
    ")": "}",
    "!+": "|+",
}


def variable(name: str, title: str) -> str | None:
    """What `{{name}}` stands for wherever it is used: signs that have a meaning of their own, and the page's title."""
    return title if name in _TITLE and title else _SIGNS.get(name)


def as_title(title: str) -> str:
    """The title, or nothing where the text cannot be a title."""
    return title if len(title) <= MOST_TITLE_BYTES and len(title.encode("utf-8", "replace")) <= MOST_TITLE_BYTES else ""


def function(name: str, arguments: Sequence[str]) -> str | None:
    """The words of a parser function; None when it gives no words, or is not known."""
    run = _FUNCTIONS.get(name)
    return None if run is None else run([argument.strip() for argument in arguments])


def _at(values: Sequence[str], index: int) -> str:
    return values[index] if index < len(values) else ""


def _if(values: Sequence[str]) -> str:
    return _at(values, 1 if values[0] else 2)


def _if_equal(values: Sequence[str]) -> str:
    first, second = values[0], _at(values, 1)
    numbers = _NUMBER.fullmatch(first) and _NUMBER.fullmatch(second)
    return _at(values, 2 if (float(first) == float(second) if numbers else first == second) else 3)


def _if_expression(values: Sequence[str]) -> str:
    return _at(values, 1 if evaluated(values[0]) else 2)


def _expression(values: Sequence[str]) -> str | None:
    value = evaluated(values[0])
    return None if value is None else shown(value)


def _switch(values: Sequence[str]) -> str:
    """The first case that is the value, else the default; cases without a value fall through to the
    next that has one.
    """
    value, fell, default = values[0], False, ""
    for number, case in enumerate(values[1:], 1):
        label, equals, result = (part.strip() for part in case.partition("="))
        if not equals:
            fell = fell or label == value
            if number == len(values) - 1:
                default = label
        elif fell or label == value:
            return result
        elif label == "#default":
            default = result
    return default


def _pad(values: Sequence[str], *, left: bool) -> str:
    text, with_ = values[0], _at(values, 2) or "0"
    width = (
        int(_at(values, 1)) if _at(values, 1).isascii() and _at(values, 1).isdigit() and len(_at(values, 1)) < 4 else 0
    )
    room = max(0, min(width, _MOST_WIDTH) - len(text))
    filling = (with_[:room] * room)[:room]
    return filling + text if left else text + filling


def _plural(values: Sequence[str]) -> str:
    """English has two forms: one, and others."""
    return _at(values, 1) if values[0] in ("1", "-1") or len(values) < 3 else values[2]


_FUNCTIONS: dict[str, Callable[[Sequence[str]], str | None]] = {
    "#if": _if,
    "#ifeq": _if_equal,
    "#ifexpr": _if_expression,
    "#iferror": lambda values: _at(values, 2) if len(values) > 2 else values[0],
    "#ifexist": lambda values: _at(values, 1),
    "#switch": _switch,
    "#expr": _expression,
    "formatnum": lambda values: formatted({"1": values[0], "2": _at(values, 1)}),
    "lc": lambda values: values[0].lower(),
    "uc": lambda values: values[0].upper(),
    "lcfirst": lambda values: values[0][:1].lower() + values[0][1:],
    "ucfirst": lambda values: values[0][:1].upper() + values[0][1:],
    "padleft": lambda values: _pad(values, left=True),
    "padright": lambda values: _pad(values, left=False),
    "plural": _plural,
    "grammar": lambda values: _at(values, 1),
    "gender": lambda values: _at(values, len(values) - 1),
    "nowiki": lambda values: values[0],
    "#formatdate": lambda values: values[0],
    "#dateformat": lambda values: values[0],
}
KNOWN = frozenset(_FUNCTIONS)
