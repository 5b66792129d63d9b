"""The text of a page from its bytes: which encoding they are in, and how much of them it could not read.

In: the body of a page, and the charset of its Content-Type header. Out: `Decoded`, or `Undecodable` for a page whose
text would be soup.

The byte order mark comes first, then valid UTF-8 whatever is declared (text in another encoding is practically never
valid UTF-8 by accident), then what the header and then `meta` declare, unless the bytes contradict it: when they do not
decode, or when another encoding makes them far likelier (`pipeline.readers.web.charset_guess`). Where nothing is
declared, the likeliest encoding is taken.

Sources: the WHATWG Encoding and HTML standards for the order and the meaning of labels.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from dataclasses import dataclass
from typing import Final

from pipeline.losses import NOTHING, Lost
from pipeline.readers.web.charset_declared import declared_in
from pipeline.readers.web.charset_decoders import decode_as
from pipeline.readers.web.charset_guess import contradicted, guess, visible
from pipeline.readers.web.charset_labels import encoding_of

# UTF-32's mark begins with UTF-16's.
BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
# With more than this part of the characters beyond ASCII unreadable, the bytes are not in the encoding, whatever is
# said.
MOST_REPLACED: Final = 0.05
# So few are slips even on the shortest page.
_FEW_REPLACED: Final = 2
# With more characters of two bytes, valid UTF-8 is not an accident.
_FEW_BYTES: Final = 8
_LEADS: Final = bytes(range(0xC2, 0xF5))
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_HZ_WITHIN: Final = 4096
_SEVEN_BIT: Final = ("iso-2022-jp", "replacement")
# The beginning of a character that is cut at the end of a page.
_CUT_UTF8: Final = re.compile(rb"(?:[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})\Z")
# Beginnings of punctuation and emoji, which no text in Latin-1 ends with.
_NO_LATIN: Final = (b"\xe2\x80", b"\xf0\x9f")


class Undecodable(Exception):
    """The bytes are not text in any encoding."""


@dataclass(frozen=True)
class Decoded:
    """Text of bytes.

    Attributes:
        encoding: the name that the WHATWG gives it, or `utf-32-le`, `utf-32-be`.
        replaced: how many U+FFFD are in the text for bytes that could not be read; those that the page itself has are
            not counted.
        utf8: the text in UTF-8, where the bytes are just that.
    """

    text: str
    encoding: str
    replaced: int
    utf8: bytes | None = None

    @property
    def lost(self) -> Lost:
        """For the inside ledger."""
        return {("replaced_characters", self.encoding): self.replaced} if self.replaced else NOTHING


def decode_text(body: bytes, *, charset: str | None = None) -> Decoded:
    """The text of a page; undecodable bytes become U+FFFD while they are few.

    Args:
        charset: the label that the Content-Type header gives.

    Raises:
        Undecodable: in each encoding that could be meant, too many bytes are not characters.
    """
    for mark, encoding in BOMS:
        if body.startswith(mark):
            decoded = decoded_as(body[len(mark) :], encoding)
            if not _too_many(decoded):
                return decoded
            body = body[len(mark) :]
            break
    wide = _wide(body)
    if wide is not None:
        return _checked(decoded_as(body, wide))
    seven_bit = _seven_bit(body, charset)
    if seven_bit is not None:
        return seven_bit
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _not_utf8(body, _declared(body, charset))
    return _accidental(body, text, charset) or Decoded(text, "utf-8", 0, utf8=body)


def decoded_as(body: bytes, encoding: str, *, sure: bool = True) -> Decoded:
    """The text of bytes in an encoding; a character that is cut at the end is left out.

    Args:
        sure: False when the bytes are read as UTF-8 on trial: what looks cut may then be the only accent of a text in
            Latin-1.
    """
    body = _whole(body, encoding, sure=sure)
    text = body.decode(encoding, "replace") if encoding.startswith("utf-32") else decode_as(body, encoding)
    return Decoded(text, encoding, max(0, text.count("\ufffd") - _own_replacements(body, encoding)))


def decode_utf8(body: bytes, *, sure: bool = True) -> Decoded:
    """Text that is in UTF-8, with few slips.

    Args:
        sure: False when nothing declares that it is.

    Raises:
        Undecodable: it is not in UTF-8.
    """
    decoded = decoded_as(body, "utf-8", sure=sure)
    if decoded.replaced > MOST_REPLACED * lead_bytes(body):
        raise Undecodable(f"{decoded.replaced} characters cannot be read")
    return decoded


def lead_bytes(body: bytes) -> int:
    """How many bytes begin a character of UTF-8 beyond ASCII, if the bytes are in it."""
    return len(body) - len(body.translate(None, _LEADS))


def is_soup(text: str) -> bool:
    """True for text with more U+FFFD than a reader can fill in, wherever they come from."""
    count = text.count("\ufffd")
    return count > _FEW_REPLACED and count > MOST_REPLACED * len(text)


def _whole(body: bytes, encoding: str, *, sure: bool) -> bytes:
    if encoding == "utf-8":
        cut = _CUT_UTF8.search(body[-4:])
        if cut is None:
            return body
        whole = body[: len(body) - len(cut[0])]
        return whole if sure or not whole.isascii() or cut[0].startswith(_NO_LATIN) else body
    if encoding in ("utf-16le", "utf-16be"):
        return body[: len(body) & ~1]
    return body


def _own_replacements(body: bytes, encoding: str) -> int:
    """How often the bytes spell U+FFFD itself."""
    if encoding == "utf-8":
        return body.count(b"\xef\xbf\xbd")
    if encoding in ("gb18030", "gbk"):
        return body.count(b"\x84\x31\xa4\x37")
    if encoding in ("utf-16le", "utf-16be"):
        return body.count(b"\xfd\xff" if encoding == "utf-16le" else b"\xff\xfd")
    return 0


def _declared(body: bytes, charset: str | None) -> str | None:
    """What the header says, else what the page says; None also for labels that say nothing about the letters."""
    found = encoding_of(charset) if charset else None
    if found is None or found == "x-user-defined":
        found = declared_in(body)
    return found


def _wide(body: bytes) -> str | None:
    """UTF-16 without a mark: markup has a NUL in every other byte."""
    head = body[:1024]
    pairs = len(head) // 2
    even, odd = head[: 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if odd > pairs // 4 and even <= odd // 8:
        return "utf-16le"
    return "utf-16be" if even > pairs // 4 and odd <= even // 8 else None


def _seven_bit(body: bytes, charset: str | None) -> Decoded | None:
    """Text in an encoding of ASCII bytes, which has its escapes in it."""
    declared = None
    if b"\x1b" in body or "hz" in (charset or "").lower() or b"hz-gb" in body[:_HZ_WITHIN].lower():
        declared = _declared(body, charset)
    if declared not in _SEVEN_BIT:
        if b"\x1b" not in body or (b"\x1b$B" not in body and b"\x1b$@" not in body):
            return None
        declared = "iso-2022-jp"
    decoded = decoded_as(body, declared)
    return None if _too_many(decoded) else decoded


def _accidental(body: bytes, text: str, charset: str | None) -> Decoded | None:
    """A few characters in a declared East Asian encoding whose bytes happen to be UTF-8 for unlikely letters."""
    if not 0 < len(body) - len(text) <= _FEW_BYTES:
        return None
    declared = _declared(body, charset)
    if declared not in ("gbk", "gb18030", "big5", "euc-kr", "shift_jis", "euc-jp"):
        return None
    strange = [character for character in text if character > "\x7f"]
    if any(character < "\u0250" or character > "\u07ff" for character in strange):
        return None
    decoded = decoded_as(body, declared)
    return None if decoded.replaced else decoded


def _not_utf8(body: bytes, declared: str | None) -> Decoded:
    with contextlib.suppress(Undecodable):
        return decode_utf8(body, sure=declared == "utf-8")
    sample = visible(body)
    legacy = (
        declared if declared is not None and not declared.startswith("utf-") and declared not in _SEVEN_BIT else None
    )
    if legacy is not None and not (sample and contradicted(sample, legacy)):
        decoded = decoded_as(body, legacy)
        if not _too_many(decoded):
            return decoded
    # Where the sample is empty, bytes beyond ASCII are in scripts only.
    tried = [guessed.encoding for guessed in guess(sample)[:2] if guessed.plausible] if sample else ["windows-1252"]
    for encoding in tried:
        decoded = decoded_as(body, encoding)
        if not _too_many(decoded):
            return decoded
    raise Undecodable("too many characters are none")


def _too_many(decoded: Decoded) -> bool:
    """True for soup: bytes that are not characters, or controls, which text does not hold."""
    bad = decoded.replaced + len(_CONTROLS.findall(decoded.text))
    if bad <= _FEW_REPLACED:
        return False
    return bad > MOST_REPLACED * _beyond_ascii(decoded.text)


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _checked(decoded: Decoded) -> Decoded:
    if _too_many(decoded):
        raise Undecodable(f"too many characters are none in {decoded.encoding}")
    return decoded
