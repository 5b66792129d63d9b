"""Sums in wikitext: `{{#expr: 1.5 * 4 round 0}}`.

In: the expression as written. Out: the number as MediaWiki shows it, or None when it has no value, or is longer than
`MOST_CHARACTERS`.

Operators and their order are those of MediaWiki's ParserFunctions (https://www.mediawiki.org/wiki/Help:Calculation);
the trigonometric ones and logarithms are left out: no sentence was seen that needs them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MOST_CHARACTERS = 200
_DIGITS = 14  # PHP's setting `precision`
_WHOLE = 10**_DIGITS
_PARTS = re.compile(
    r"\s{0,200}(?:(?P<number>[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})"
    r"|(?P<operator>[-+*/^()×−]|<>|!=|<=|>=|[<>=]|mod|round|div|and|or|not|abs|floor|ceil|trunc|pi|e)(?![a-z]))",
    re.IGNORECASE,
)
_SPELLINGS = {"×": "*", "−": "-", "div": "/", "!=": "<>"}
_BINARY: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "e": (10, lambda a, b: a * 10.0**b),
    "^": (8, lambda a, b: a**b),
    "*": (7, lambda a, b: a * b),
    "/": (7, lambda a, b: a / b),
    "mod": (7, lambda a, b: math.fmod(int(a), int(b))),
    "+": (6, lambda a, b: a + b),
    "-": (6, lambda a, b: a - b),
    "round": (5, lambda a, b: rounded(a, int(b))),
    "=": (4, lambda a, b: float(a == b)),
    "<>": (4, lambda a, b: float(a != b)),
    "<": (4, lambda a, b: float(a < b)),
    ">": (4, lambda a, b: float(a > b)),
    "<=": (4, lambda a, b: float(a <= b)),
    ">=": (4, lambda a, b: float(a >= b)),
    "and": (3, lambda a, b: float(bool(a) and bool(b))),
    "or": (2, lambda a, b: float(bool(a) or bool(b))),
}
_UNARY: dict[str, Callable[[float], float]] = {
    "negative": lambda a: -a,
    "positive": lambda a: a,
    "not": lambda a: float(not a),
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
}
_CLOSEST = 9  # of the operators that come before their number


def rounded(value: float, places: int) -> float:
    """Half away from zero, as MediaWiki does."""
    if not -30 <= places <= 30:
        return value
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def shown(value: float) -> str:
    """A number as MediaWiki, and so PHP, writes it: 14 digits, whole numbers without a point, others as 1.0E+20 or
    1.0E-7.
    """
    if value == int(value) and abs(value) < _WHOLE:
        return str(int(value))
    mantissa, exponent, power = f"{value:.{_DIGITS}g}".partition("e")
    if not exponent:
        return mantissa
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}E{int(power):+d}"


def evaluated(expression: str) -> float | None:
    """The value of an expression; None when it has no value."""
    if not expression.strip() or len(expression) > MOST_CHARACTERS:
        return None
    values: list[float] = []
    operators: list[str] = []
    wants_value = True
    position, end = 0, len(expression.rstrip())
    try:
        while position < end:
            part = _PARTS.match(expression, position)
            if part is None:
                return None
            position = part.end()
            name = "" if part["number"] else _SPELLINGS.get(part["operator"].lower(), part["operator"].lower())
            if name == "e" and wants_value:
                name = "e constant"
            if part["number"] or name in ("pi", "e constant"):
                if not wants_value:
                    return None
                values.append(float(part["number"]) if part["number"] else math.pi if name == "pi" else math.e)
                wants_value = False
            elif wants_value and name in ("-", "+"):
                operators.append("negative" if name == "-" else "positive")
            elif name == "(" or name in _UNARY:
                if not wants_value:
                    return None
                operators.append(name)
            elif wants_value:
                return None
            elif name == ")":
                while operators[-1] != "(":
                    _apply(operators.pop(), values)
                operators.pop()
            else:
                while operators and operators[-1] != "(" and _order(operators[-1]) >= _order(name):
                    _apply(operators.pop(), values)
                operators.append(name)
                wants_value = True
        while operators:
            _apply(operators.pop(), values)
        (value,) = values
    except (ArithmeticError, IndexError, KeyError, ValueError, TypeError, InvalidOperation):
        return None
    return value if isinstance(value, float | int) and math.isfinite(value) else None


def _order(name: str) -> int:
    return _CLOSEST if name in _UNARY else _BINARY[name][0]


def _apply(name: str, values: list[float]) -> None:
    if name in _UNARY:
        values.append(_UNARY[name](values.pop()))
    else:
        right, left = values.pop(), values.pop()
        values.append(_BINARY[name][1](left, right))
