"""Texts as a terminal may show them: what comes from data cannot move the cursor, set colours, fill the clipboard or
turn text around.

These are escaped, as `\\x1b` or `\\u202e`: control characters (C0 except line feed and tab, DEL, C1), marks that change
the direction of text, invisible ones (zero width space, byte order mark, tags), separators of lines and paragraphs, and
halves of surrogate pairs, which cannot be sent to a terminal. The joiners of Persian, Indic scripts and emoji (U+200C,
U+200D) and the soft hyphen are text, and stay.
"""

from __future__ import annotations

import re

_CONTROLS = r"\x00-\x08\x0b-\x1f"
_MARKS = (
    r"\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    r"\ud800-\udfff\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_UNSAFE = re.compile(f"[{_CONTROLS}{_MARKS}]")
_UNSAFE_IN_LINE = re.compile(rf"[{_CONTROLS}{_MARKS}\n\t]")
_UNSAFE_IN_JSON = re.compile(f"[{_MARKS}]")  # JSON escapes the others itself


def printable(text: str) -> str:
    """A text of one or several lines; doing it twice changes nothing more."""
    return _UNSAFE.sub(_escape, text)


def printable_line(text: str) -> str:
    """A text of one line, such as a table's cell: line feeds and tabs are escaped, too."""
    return _UNSAFE_IN_LINE.sub(_escape, text)


def printable_json(text: str) -> str:
    """JSON text of the same value."""
    return _UNSAFE_IN_JSON.sub(_json_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    short = {9: "\\t", 10: "\\n", 13: "\\r"}.get(code)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code - 0x10000 & 0x3FF):04x}"
