"""Raw files and their kinds: how a file is compressed, what decompresses it, and where its members begin.

In: an opened file. Out: `RawFile`; for a compressed one also the next place where a member begins whose content looks
as expected. `compressed` reads its bytes.
"""

from __future__ import annotations

import bz2
import lzma
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lz4.frame
import zstandard
from zlib_ng import zlib_ng

from storage.frame_headers import LZ4_MAGIC, MOST_WINDOW_BYTES, MOST_XZ_BYTES, XZ_MAGIC, ZSTD_MAGIC

MAGIC = {"gzip": b"\x1f\x8b", "zstd": ZSTD_MAGIC, "bzip2": b"BZh", "xz": XZ_MAGIC, "lz4": LZ4_MAGIC}
SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
DICTIONARY_FRAME = b"\x5d\x2a\x4d\x18"
_DICTIONARY_MAGIC = b"\x37\xa4\x30\xec"
_MOST_DICTIONARY_BYTES = 16 << 20
# The most skippable frames before the first one with content; with more it is not such a file.
_MOST_LEADING_FRAMES = 64
# Compressed bytes that are tried to see how a member's content begins.
MEMBER_HEAD = 4096


@dataclass(frozen=True)
class RawFile:
    """An opened file.

    Attributes:
        file: what `storage.files.open_stream` gave.
        kind: "gzip", "zstd", "bzip2", "xz", "lz4"; None for a plain file.
        make: makes a decompressor for one member: `decompress(bytes)`, `eof`, `unused_data`.
        dictionary: number of the dictionary that the file begins with; 0: none.
    """

    file: Any
    kind: str | None
    make: Callable[[], Any]
    dictionary: int = 0


def identified(file: Any) -> RawFile:
    """A file with its kind, by the first bytes that are not a skippable frame's."""
    position, dictionary = 0, None
    for _ in range(_MOST_LEADING_FRAMES):
        file.seek(position)
        head = bytes(file.read(8))
        if len(head) < 8 or SKIPPABLE.match(head) is None:
            break
        size = int.from_bytes(head[4:], "little")
        if position == 0 and head.startswith(DICTIONARY_FRAME) and size <= _MOST_DICTIONARY_BYTES:
            dictionary = _dictionary(bytes(file.read(size)))
        position += 8 + size
    kind = next((name for name, magic in MAGIC.items() if head.startswith(magic)), None)
    if kind is None or (position and kind not in ("zstd", "lz4")):
        return RawFile(file, None, _no_decompressor)
    return RawFile(file, kind, _decompressor(kind, dictionary), 0 if dictionary is None else int(dictionary.dict_id()))


def _dictionary(data: bytes) -> Any:
    """The dictionary in a skippable frame, compressed or not; None when it is not a dictionary."""
    try:
        if data.startswith(MAGIC["zstd"]):
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=_MOST_DICTIONARY_BYTES)
        if not data.startswith(_DICTIONARY_MAGIC):
            return None
        dictionary = zstandard.ZstdCompressionDict(data)
        zstandard.ZstdDecompressor(dict_data=dictionary).decompressobj()  # only this looks at what is in it
        return dictionary
    except zstandard.ZstdError:
        return None


def find_member(raw: RawFile, position: int, resume: re.Pattern[bytes], stop: int | None) -> int | None:
    """Offset of the next member in [position, stop) whose content begins with `resume`."""
    file, magic = raw.file, MAGIC[str(raw.kind)]
    if raw.kind == "gzip":
        magic += b"\x08"  # the only method there is (RFC 1952, section 2.3.1)
    base, window, portion = position, b"", MEMBER_HEAD
    while stop is None or base < stop:
        file.seek(base + len(window))
        more = bytes(file.read(portion))
        if not more:
            return None
        window += more
        portion = min(2 * portion, 1 << 20)
        at = window.find(magic)
        while at >= 0 and (stop is None or base + at < stop):
            head = window[at : at + MEMBER_HEAD]
            if len(head) < MEMBER_HEAD:
                file.seek(base + at)
                head = bytes(file.read(MEMBER_HEAD))
            if _begins(raw.make(), head, resume):
                return base + at
            at = window.find(magic, at + 1)
        base += len(window) - len(magic) + 1
        window = window[len(window) - len(magic) + 1 :]
    return None


def _begins(decompressor: Any, head: bytes, expected: re.Pattern[bytes]) -> bool:
    """Whether a member begins in `head`, and its content as expected; little of it is needed for that."""
    content = b""
    for at in range(0, len(head), 512):
        try:
            content += decompressor.decompress(head[at : at + 512])
        except Exception:
            return False
        if decompressor.eof or len(content) >= MEMBER_HEAD:
            break
    return expected.match(content) is not None


def _no_decompressor() -> Any:
    raise AssertionError("a plain file")


def _decompressor(kind: str, dictionary: Any) -> Callable[[], Any]:
    """What makes a decompressor for one member: `decompress(bytes)`, `eof`, `unused_data`."""
    if kind == "gzip":
        # zlib's own code, vectorised: the same bytes and the same errors at the same places (40,000 damaged streams),
        # twice as fast. isal would be three times as fast, but accepts some damage and gives other bytes before it.
        return lambda: zlib_ng.decompressobj(wbits=31)
    if kind == "bzip2":
        return bz2.BZ2Decompressor
    if kind == "xz":
        return lambda: lzma.LZMADecompressor(memlimit=MOST_XZ_BYTES)
    if kind == "lz4":
        return lambda: lz4.frame.LZ4FrameDecompressor()
    return lambda: zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=MOST_WINDOW_BYTES).decompressobj()
