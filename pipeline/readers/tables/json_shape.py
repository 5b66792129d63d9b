"""Whether a file that should be JSON Lines is something else, from its beginning.

In: the first bytes of a file. Out: None, or what it is and what to do about it. One broken line is not enough: a file
counts as one JSON value only where its first value goes on, as JSON, after the end of its first line, or is an array
that fills the file. Where the first value is longer than what is looked at, the lines after its first one decide: an
object that is a line of its own is not part of it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson

from manifests.step import Problem

# How much of a file is looked at.
HEAD_BYTES = 1 << 16
# Tokens of the first value that are looked at.
_MOST_TOKENS = 1 << 15
# After the beginning: how far the end of the first line is searched for, and how much of what follows is looked at.
_MOST_FIRST_LINE = 64 << 20
_MOST_AHEAD = 8 << 20
_KIND = "no JSON Lines"
_ARRAY = Problem(_KIND, "the file is one JSON array; write one object on each line, as `jq -c '.[]' OLD > NEW` does")
_OBJECT = Problem(
    _KIND,
    "the file holds JSON objects over several lines; write each on one line, as `jq -c . OLD > NEW` does "
    "(`jq -c '.KEY[]' OLD > NEW` if its records are the array under a key)",
)
# Byte order marks, and how the first characters of a record look without one. UTF-32's mark begins with UTF-16's.
_WIDE = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
    (b'{\0"\0', "UTF-16LE"),
    (b'\0{\0"', "UTF-16BE"),
    (b"{\0\r\0", "UTF-16LE"),
    (b"\0{\0\r", "UTF-16BE"),
    (b"{\0\n\0", "UTF-16LE"),
    (b"\0{\0\n", "UTF-16BE"),
    (b"[\0", "UTF-16LE"),
    (b"\0[", "UTF-16BE"),
)
# A string may be cut by the end of what is looked at. Possessive: what is not a token costs one look.
_TOKEN = re.compile(
    rb"[ \t\r\n]*+(?:(?P<opens>[\[{])|(?P<closes>[\]}])|(?P<comma>,)|(?P<colon>:)"
    rb'|(?P<string>"(?:[^"\\\x00-\x1f]++|\\.)*+(?:"|\\?\Z))|(?P<other>-?[0-9][0-9.eE+-]*+|true|false|null|NaN|-?Infinity))'
)
_LINES_TRIED = 20


@dataclass(frozen=True)
class _Value:
    """The first value of a file.

    Attributes:
        stop: where it ends, or what was looked at.
        lines: how many line feeds are between its tokens.
        complete: its end was seen.
        all_seen: all of the text was looked at.
    """

    stop: int
    lines: int
    complete: bool
    all_seen: bool = True


def other_than_json_lines(
    head: bytes, *, complete: bool, ahead: Callable[[], Iterable[bytes]] | None = None
) -> Problem | None:
    """What a file is whose first bytes are `head`; None: JSON Lines, or undecided.

    Args:
        complete: `head` is the whole file.
        ahead: portions of the file from its beginning on; read where `head` does not decide. Without it what follows
            `head` is unknown.
    """
    for mark, encoding in _WIDE:
        if head.startswith(mark):
            if any(map(_is_object, head.split(b"\n"))):
                return None  # one line that has been damaged
            return Problem(
                _KIND, f"the file is {encoding}; make it UTF-8, as `iconv -f {encoding} -t UTF-8 OLD > NEW` does"
            )
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    array = text.startswith(b"[")
    if not array and not text.startswith(b"{"):
        return None
    if not array and _is_object(text.split(b"\n", 1)[0]):
        return None
    value = _first_value(text)
    if value is None:
        return None
    if ahead is not None and not value.complete and not (complete and value.all_seen) and (array or value.lines):
        own = _object_lines_follow(ahead())
        if own or (own is None and not value.lines):
            return None
    rest = text[value.stop :].lstrip()
    if array and not value.lines:
        # An array on each line is a file of broken lines.
        return _ARRAY if not rest and (complete or not value.complete) else None
    if not value.lines:
        return None
    if value.complete and _is_object(rest.split(b"\n", 1)[0]):
        return None
    if array:
        return _ARRAY
    # One broken record before whole ones: those are not to be lost with it. Within a value over several lines objects
    # are indented.
    return None if any(line.startswith(b"{") and _is_object(line) for line in text.split(b"\n")) else _OBJECT


def lines_are_none(head: bytes) -> tuple[int, Problem] | None:
    """(offset, what to say) of the first line that is not blank, if there are several first lines and none is JSON."""
    lines = head.split(b"\n")[:-1]
    filled = [line for line in lines if line.strip()][:_LINES_TRIED]
    if len(filled) < 2 or any(_is_json(line) for line in filled):
        return None
    commas = all(line.rstrip().endswith(b",") and _is_json(line.rstrip()[:-1]) for line in filled)
    reason = "each ends with a comma; remove it" if commas else "give the `format` that it has, or convert it"
    first = next(index for index, line in enumerate(lines) if line.strip())
    return sum(len(line) + 1 for line in lines[:first]), Problem(
        _KIND, f"none of the first {len(filled)} lines is JSON: {reason}"
    )


def several_values(line: bytes) -> bool:
    """True for a line that begins with a whole object and goes on with another value."""
    if not line.lstrip().startswith(b"{"):
        return False
    value = _first_value(line.lstrip()[:HEAD_BYTES])
    return value is not None and value.complete and line.lstrip()[value.stop :].lstrip().startswith((b"{", b"["))


def _first_value(text: bytes) -> _Value | None:
    """The array or object that a text begins with, or as much of it as there is; None when it is not JSON."""
    open_brackets = bytearray()
    position = stop = line_feeds = 0
    # What may come next: a value, or the end of an empty one; after a value a comma or an end; after a key a colon.
    value, end, key, colon = True, False, False, False
    for _ in range(_MOST_TOKENS):
        token = _TOKEN.match(text, position)
        if token is None:
            # White space at the end of what there is, or something that is not JSON.
            return (
                None
                if text[position:].strip() and not _is_cut(text[position:])
                else _Value(len(text), line_feeds, False)
            )
        kind, symbol = token.lastgroup, token[0].lstrip()
        line_feeds += text.count(b"\n", position, token.end())
        position = stop = token.end()
        after_value = False
        if kind == "opens" and value:
            open_brackets += symbol
            value, end, key = symbol == b"[", True, symbol == b"{"
        elif kind == "closes" and end and open_brackets and bytes(open_brackets[-1:]) + symbol in (b"[]", b"{}"):
            del open_brackets[-1:]
            after_value = True
        elif kind == "comma" and end and not (value or key or colon):
            key = open_brackets[-1:] == b"{"
            value, end = not key, False
        elif kind == "colon" and colon:
            value, colon = True, False
        elif kind == "string" and key:
            key, end, colon = False, False, True
        elif kind in ("string", "other") and value:
            after_value = True
        else:
            return None
        if after_value:
            value, end, key = False, True, False
            if not open_brackets:
                return _Value(stop, line_feeds, True)
    return _Value(len(text), line_feeds, False, all_seen=False)


def _object_lines_follow(portions: Iterable[bytes]) -> bool | None:
    """Whether an object is a line of its own after the first line; None: the lines do not end within what is looked at.

    Within a value, a bracket, a comma or a colon comes before an object, and a bracket or a comma after it.
    """
    first, following, seen = False, bytearray(), 0
    for portion in portions:
        if not seen:
            portion = portion.removeprefix(codecs.BOM_UTF8).lstrip()
        seen += len(portion)
        if first:
            following += portion
        elif b"\n" in portion:
            first = True
            following += portion.split(b"\n", 1)[1]
        if len(following) > _MOST_AHEAD or (not first and seen > _MOST_FIRST_LINE):
            if b"\n" not in following:
                return None
            # What is cut off is not a line.
            del following[following.rfind(b"\n") + 1 :]
            break
    before, found = True, False
    for line in bytes(following).split(b"\n"):
        line = line.strip()
        if not line:
            continue
        if found and not line.startswith((b",", b"]", b"}")):
            return True
        found = before and line.startswith(b"{") and line.endswith(b"}") and _is_object(line)
        before = not line.endswith((b",", b"[", b"{", b":"))
    return found


def _is_cut(rest: bytes) -> bool:
    """True for the beginning of a word that the end of what is looked at cuts."""
    word = rest.strip()
    return len(word) < 9 and any(name.startswith(word) for name in (b"true", b"false", b"null", b"NaN", b"-Infinity"))


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line.removeprefix(codecs.BOM_UTF8).lstrip(b"\x1e"))
    except orjson.JSONDecodeError:
        # What Python writes beside JSON.
        return line.lstrip().startswith(b"{") and any(word in line for word in (b"NaN", b"Infinity", b"\\ud", b"\\uD"))
    return True
