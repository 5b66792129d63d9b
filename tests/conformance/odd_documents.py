"""Documents that are rare in the development corpora: one for each Gopher and FineWeb reason, odd spaces and breaks.

In: nothing. Out: `ODD`, texts.
"""

from __future__ import annotations

_NAMES = [
    f"{first}{second}{third}"
    for first in ("al", "be", "co", "du")
    for second in ("ra", "mi", "so", "fe")
    for third in ("n", "st", "k", "x")
]
# Sixty words that all differ, with the stop words that English text has.
_PROSE = " ".join(["the", "and", *_NAMES[:58]])
_LINES = [" ".join(["the", "of", *_NAMES[start : start + 12]]) + "." for start in range(0, 48, 6)]

ODD = (
    " ",
    "\n",
    "\n\n",
    "a",
    "\u2026",
    _PROSE,
    _PROSE + ".",
    "\n".join(_LINES),
    "\n\n".join(_LINES),
    "\r\n".join(_LINES),
    " \n \n".join(_LINES) + "\n ",
    "\n\n" + "\n".join(_LINES) + "\n\n\n",
    "\n".join(line[:-1] + "\u2026" for line in _LINES),
    "\n".join(line[:-1] + "..." for line in _LINES),
    "\n".join("- " + line for line in _LINES),
    "\n".join("* " + line for line in _LINES),
    "\n".join("  \u2022 " + line for line in _LINES),
    "\n".join([*_LINES, *_LINES]),
    "\n\n".join([*_LINES, *_LINES[:3]]),
    "\n\n".join([*_LINES, _LINES[0] + " ", _LINES[0]]),
    "\n".join([*_LINES, " ", " ", "", " "]),
    "\u2028".join(_LINES) + "\x85" + "\x0b".join(_LINES),
    " ".join(f"#{name}" for name in _NAMES),
    " ".join(f"{name}..." for name in _NAMES),
    " ".join(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] * 7),
    " ".join(f"{name} {name[::-1]} 12 {index} 9" for index, name in enumerate(_NAMES)),
    " ".join(_NAMES[:30] * 3),
    " ".join([_PROSE, "ab c d e f", "a bc d e f", "abc d e f g", *_NAMES]),
    " ".join(name * 5 for name in _NAMES),
    "\n".join(_NAMES),
    "\u4e2d\u6587\u3002" * 60,
    "\u0418 \u0441\u043a\u0430\u0437\u0430\u043b \u0411\u043e\u0433: \u0434\u0430 \u0431\u0443\u0434\u0435\u0442"
    " \u0441\u0432\u0435\u0442. " * 12,
    "\u3000".join(_NAMES) + "\u3000",
    "\x1f".join(_NAMES) + "\x00",
    " ".join(["!?"] * 40 + _NAMES[:20]),
)
