"""Plain text: one file, compressed or not, is one document, as books are.

In: a file. Out: one record, its offset 0, its name that of the file.

The charset is that of the byte order mark; UTF-8 when the bytes are valid; else what a Project Gutenberg header
declares; else what is detected. A file in none of them, or with bytes that no text holds, is broken; so is one larger
than `MOST_TEXT_BYTES`.

Project Gutenberg's licence around a book is removed only when both its marks are found, the beginning before the end:
with one alone it cannot be distinguished from a book that quotes it, and keeping a book matters more than removing a
licence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from manifests.step import Problem
from pipeline.readers.records import Batcher, Record, Records, unforeseen
from pipeline.readers.web.charset import BOMS, Decoded, Undecodable, decoded_as, lead_bytes
from pipeline.readers.web.charset_guess import guess, visible
from pipeline.readers.web.charset_labels import encoding_of
from pipeline.readers.whole import TooLarge, read_whole
from storage.compressed import Damaged

# The longest novel has some 10 MB; what is larger is a collection, and would be one document here.
MOST_TEXT_BYTES = 64 << 20
# Bytes that occur in no text of a charset that extends ASCII: C0 controls less white space, backspace, Ctrl-Z and
# escape, as old texts have them.
_BINARY = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1a\x1b"))
# Up to one stray byte in this many bytes is a slip in UTF-8 text, shown as U+FFFD; more is another charset.
_BYTES_PER_SLIP = 10_000
# French, with the most accents of the languages written in windows-1252, has 4 %; other scripts have over half. What is
# undetected and looks like another script is not guessed.
_MOST_ACCENTS = 0.1
_ASCII = bytes(range(128))
# Controls that single-byte encodings have where they have no character; UTF-8 may hold them.
_C1 = re.compile("[\x80-\x9f]")
_DECLARED = re.compile(rb"^character set encoding:[ \t]*([a-z0-9_.:-]{1,40})", re.IGNORECASE | re.MULTILINE)
_DECLARED_WITHIN = 16 << 10
# Marks of Project Gutenberg's files since 2004, and of its older ones, whose "small print" is at the front.
# https://www.gutenberg.org/policy/license.html is outside of them.
_BEGINNING = re.compile(
    r"^[ \t]{0,8}(?:\*{3}[ \t]{0,4}START OF (?:THE|THIS|) ?PROJECT GUTENBERG[^\n]{0,400}(?:\n[^\n*]{1,200}){0,2}\*{3}"
    r"|\*END[ *]{0,3}THE SMALL PRINT![^\n]{0,200}\*END\*)[^\n]{0,20}$",
    re.IGNORECASE | re.MULTILINE,
)
_END = re.compile(
    r"^[ \t]{0,8}(?:\*{3}[ \t]{0,4}END OF (?:THE|THIS|) ?PROJECT GUTENBERG|END OF (?:THE |THIS |)PROJECT"
    r" GUTENBERG'?S?\b)[^\n]{0,400}$",
    re.IGNORECASE | re.MULTILINE,
)


def read_plain_text(path: str, *, name: str) -> Iterator[Records]:
    """The document in one file.

    Args:
        name: the record's name.

    Raises:
        GristmillError: the file is missing.
    """
    batcher = Batcher()
    try:
        body = read_whole(path, most=MOST_TEXT_BYTES)
        if not body:
            batcher.quarantine(0, name, Problem("empty file", "it holds no text"), b"")
        else:
            decoded = decode(body)
            batcher.add(Record(0, name, None, without_licence(decoded.text), decoded.lost))
    except Damaged as damage:
        batcher.quarantine(0, name, damage.problem, b"")
    except TooLarge as error:
        remedy = "split it into its documents, or give them as lines of JSON"
        batcher.quarantine(
            0, name, Problem("text too large", f"more than {MOST_TEXT_BYTES} bytes; {remedy}"), error.head
        )
    except Undecodable as error:
        batcher.quarantine(0, name, Problem("undecodable", str(error)), body)
    except Exception as error:
        batcher.quarantine(0, name, unforeseen(error), b"")
    yield batcher.take()


def decode(body: bytes) -> Decoded:
    """The bytes as text, line ends as line feeds.

    Raises:
        Undecodable: they are not text.
    """
    decoded = _decode(body)
    return replace(decoded, text=decoded.text.replace("\r\n", "\n").replace("\r", "\n"))


def _decode(body: bytes) -> Decoded:
    for mark, encoding in BOMS:
        if body.startswith(mark):
            decoded = decoded_as(body[len(mark) :], encoding)
            if decoded.replaced > 1 + len(body) // _BYTES_PER_SLIP:
                raise Undecodable(f"it begins with the mark of {encoding}, but is not in it")
            return decoded
    if len(body.translate(None, _BINARY)) != len(body):
        raise Undecodable("it holds bytes that stand in no text")
    utf8 = decoded_as(body, "utf-8", sure=False)
    # A slip is rare among the bytes, and much rarer than whole characters: text with two accents in latin-1 is not
    # UTF-8 with slips.
    if not utf8.replaced or (utf8.replaced <= len(body) // _BYTES_PER_SLIP and lead_bytes(body) > 10 * utf8.replaced):
        return utf8
    for encoding in _candidates(body):
        decoded = decoded_as(body, encoding)
        if not decoded.replaced and not _C1.search(decoded.text):
            return decoded
    raise Undecodable("neither UTF-8 nor a charset that can be told from the bytes")


def _candidates(body: bytes) -> list[str]:
    """What the file declares, what is likeliest, and for a text of few accents what most such texts are in."""
    declared = _DECLARED.search(body[:_DECLARED_WITHIN])
    found = [encoding_of(declared[1].decode("ascii"))] if declared else []
    found += [of.encoding for of in guess(visible(body))[:2] if of.plausible]
    if len(body.translate(None, _ASCII)) <= _MOST_ACCENTS * len(body):
        found.append("windows-1252")
    return [encoding for encoding in found if encoding is not None and not encoding.startswith("utf-")]


def without_licence(text: str) -> str:
    """The book between Project Gutenberg's two marks; the text unchanged where they are not both."""
    beginning = _BEGINNING.search(text)
    if beginning is None:
        return text
    end = _END.search(text, beginning.end())
    return text if end is None else text[beginning.end() : end.start()].strip("\n") + "\n"
