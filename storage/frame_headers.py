"""What the header of a compressed member asks for that its decompressor refuses: too large a window, or a dictionary.

In: the first bytes of a member that could not be decompressed. Out: None, or a sentence for the quarantine, its kind
before the colon.

Sources: RFC 8878, sections 3.1.1.1 and 5; "The .xz File Format" 1.2, sections 3.1 and 5.3.1; "LZ4 Frame Format
Description" 1.6.
"""

from __future__ import annotations

from manifests.step import Problem

# The largest window that zstd's own command makes (`--long=31`). What a frame asks for is taken from memory as its
# content comes, and never more than the content has.
MOST_WINDOW_BYTES = 2 << 30
# liblzma's limit, in which a dictionary of 1 GiB less some 64 KiB fits; `xz -9` has 64 MiB.
MOST_XZ_BYTES = 1 << 30
HEADER_BYTES = 64
ZSTD_MAGIC, XZ_MAGIC, LZ4_MAGIC = b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"\x04\x22\x4d\x18"
_LZMA2 = 0x21  # of xz's filters


def unusual(kind: str, head: bytes, *, dictionary: int) -> Problem | None:
    """Why a sound member cannot be decompressed.

    Args:
        kind: of compression, as in `raw_file.RawFile`.
        head: the member's first `HEADER_BYTES`, or what there is.
        dictionary: number of the dictionary that the decompressor has; 0: none.
    """
    try:
        if kind == "zstd" and head.startswith(ZSTD_MAGIC):
            return _zstd(head, dictionary)
        if kind == "xz" and head.startswith(XZ_MAGIC):
            return _xz(head)
        if kind == "lz4" and head.startswith(LZ4_MAGIC) and head[4] & 1:
            return Problem(
                "lz4 dictionary missing",
                "the file needs one, which it does not hold; decompress it with `lz4 -d -D DICTIONARY`",
            )
    except IndexError:
        pass
    return None


def zstd_window(head: bytes) -> int:
    """Bytes that decompressing a zstd frame takes: its window, or its content where that is known to be less; 0 if it
    is not a frame.
    """
    try:
        window, content, _ = _zstd_header(head) if head.startswith(ZSTD_MAGIC) else (0, None, 0)
    except IndexError:
        return 0
    return window if content is None else min(window, content)


def _zstd_header(head: bytes) -> tuple[int, int | None, int]:
    """Window, content and dictionary number of a frame; zstd's own function refuses what the format allows."""
    flags, at = head[4], 5
    window = 0
    single = flags & 0x20
    if not single:
        base = 1 << (10 + (head[at] >> 3))
        window, at = base + base // 8 * (head[at] & 7), at + 1
    size = (0, 1, 2, 4)[flags & 3]
    dictionary, at = int.from_bytes(head[at : at + size], "little"), at + size
    size = (1 if single else 0, 2, 4, 8)[flags >> 6]
    content = int.from_bytes(head[at : at + size], "little") + (256 if size == 2 else 0) if size else None
    return content if single and content is not None else window, content, dictionary


def _zstd(head: bytes, has: int) -> Problem | None:
    window, _, dictionary = _zstd_header(head)
    if window > MOST_WINDOW_BYTES:
        again = f"`zstd -dc --memory={-(-window >> 20)}MB OLD | zstd -o NEW` does where there is so much memory"
        return Problem(
            "zstd window too large",
            f"{_mib(window)}, at most {_mib(MOST_WINDOW_BYTES)} are read; compress it again, as {again}",
        )
    if dictionary and dictionary != has:
        needs = f"the file needs dictionary {dictionary}, which it does not hold"
        return Problem("zstd dictionary missing", f"{needs}; decompress it with `zstd -d -D DICTIONARY`")
    return None


def _xz(head: bytes) -> Problem | None:
    """Judged by the dictionary in the first block's header: after the stream's 12 bytes come the block's size and
    flags, and two more sizes if flagged.
    """
    flags, at = head[13], 14
    for bit in (0x40, 0x80):
        if flags & bit:
            at = _behind_number(head, at)
    for _ in range((flags & 3) + 1):
        name, at = head[at], _behind_number(head, at)
        size, at = head[at], _behind_number(head, at)
        if name == _LZMA2 and size == 1 and head[at] <= 40:
            bits = head[at]
            dictionary = 0xFFFFFFFF if bits == 40 else (2 | bits & 1) << (bits // 2 + 11)
            if dictionary >= MOST_XZ_BYTES - (1 << 20):
                sizes = f"{_mib(dictionary)}, less than {_mib(MOST_XZ_BYTES)} are read"
                return Problem(
                    "xz dictionary too large", f"{sizes}; compress it again, as `xz -dc OLD | xz -9 > NEW` does"
                )
        at += size
    return None


def _behind_number(head: bytes, at: int) -> int:
    while head[at] & 0x80:
        at += 1
    return at + 1


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
