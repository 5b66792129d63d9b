"""Windows, dictionaries and bytes after a member are read or reported.

Nothing is silently lost or wrongly called damaged.
"""

import bz2
import gzip
import lzma
import shutil
import subprocess
import zlib

import lz4.frame
import pytest
import zstandard

from storage import frame_headers
from tests.pipeline.readers.samples import json_lines, read, write

ROWS = [{"text": f"The {number}th of the made-up records."} for number in range(400)]
DATA = json_lines(*ROWS)
TEXTS = [row["text"] for row in ROWS]


def zstd_frame(data, *, window=None, mantissa=0, dictionary=None) -> bytes:
    """A frame of one raw block that asks for a window of 2**window, eighths of it more; and for a dictionary."""
    flags = 0 if dictionary is None else 3
    header = b"\x28\xb5\x2f\xfd" + bytes([flags, (window - 10) << 3 | mantissa])
    header += b"" if dictionary is None else dictionary.to_bytes(4, "little")
    return header + (len(data) << 3 | 1).to_bytes(3, "little") + data


@pytest.mark.parametrize("long", [27, 28, 30, 31])
def test_windows_up_to_two_gib_are_read(tmp_path, long) -> None:
    assert read(write(tmp_path / "f.jsonl.zst", zstd_frame(DATA, window=long)), "jsonl").texts == TEXTS


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd's command is not installed")
def test_what_zstd_makes_with_a_long_window_is_read(tmp_path) -> None:
    write(tmp_path / "f.jsonl", DATA)
    subprocess.run(["zstd", "-q", "--ultra", "--long=31", "f.jsonl"], cwd=tmp_path, check=True)
    assert read(tmp_path / "f.jsonl.zst", "jsonl").texts == TEXTS


def test_frames_of_several_windows_and_skippable_ones(tmp_path) -> None:
    half = len(json_lines(*ROWS[:200]))
    skippable = b"\x51\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    frames = [
        zstd_frame(DATA[:half], window=15),
        skippable,
        zstandard.compress(b""),
        zstd_frame(DATA[half:], window=30),
        skippable,
    ]
    assert read(write(tmp_path / "f.zst", b"".join(frames)), "jsonl").texts == TEXTS


@pytest.mark.parametrize(
    ("window", "mantissa", "size"), [(31, 1, "2,304 MiB"), (32, 0, "4,096 MiB"), (41, 7, "3,932,160 MiB")]
)
def test_a_larger_window_is_named_with_a_remedy(tmp_path, window, mantissa, size) -> None:
    (broken,) = read(write(tmp_path / "f.zst", zstd_frame(DATA, window=window, mantissa=mantissa)), "jsonl").broken
    assert broken.error.startswith(
        f"zstd window too large: {size}, at most 2,048 MiB are read; compress it again, as `zstd -dc --memory="
    )
    # What comes before it is read.
    mixed = zstd_frame(DATA, window=20) + zstd_frame(DATA, window=window, mantissa=mantissa)
    result = read(write(tmp_path / "f.zst", mixed), "jsonl")
    assert (result.texts, result.kinds) == (TEXTS, ["zstd window too large"])


def test_a_window_costs_no_more_memory_than_its_content() -> None:
    assert frame_headers.zstd_window(zstd_frame(b"x", window=31)) == 2 << 30
    assert frame_headers.zstd_window(zstandard.ZstdCompressor(level=1).compress(b"x" * 5_000)) == 5_000


def test_a_dictionary_that_is_not_there_is_named(tmp_path) -> None:
    trained = zstandard.train_dictionary(2_000, [line for line in DATA.splitlines() for _ in range(3)])
    packed = zstandard.ZstdCompressor(dict_data=trained).compress(DATA)
    (broken,) = read(write(tmp_path / "f.zst", packed), "jsonl").broken
    assert broken.error.startswith(
        f"zstd dictionary missing: the file needs dictionary {trained.dict_id()}, which it does not hold"
    )
    content = trained.as_bytes()
    inside = b"\x5d\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content
    assert read(write(tmp_path / "f.zst", inside + packed), "jsonl").texts == TEXTS
    frame = bytearray(lz4.frame.compress(DATA, content_checksum=True))
    frame[4] |= 1
    (broken,) = read(write(tmp_path / "f.lz4", bytes(frame)), "jsonl").broken
    assert broken.error.startswith("lz4 dictionary missing")


def test_dictionaries_of_xz(tmp_path) -> None:
    def packed(size):
        return lzma.compress(
            DATA, filters=[{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": size}]
        )

    assert read(write(tmp_path / "f.xz", packed(256 << 20)), "jsonl").texts == TEXTS
    # The size stands in the block's header, under a checksum: the compressor would want ten times as much memory to
    # write it.
    head = bytearray(packed(256 << 20))
    end = 12 + 4 * (head[12] + 1)
    place = head.index(b"\x21\x01", 12) + 2
    head[place] = 39
    head[end - 4 : end] = zlib.crc32(bytes(head[12 : end - 4])).to_bytes(4, "little")
    (broken,) = read(write(tmp_path / "f.xz", bytes(head)), "jsonl").broken
    assert broken.error.startswith(
        "xz dictionary too large: 3,072 MiB, less than 1,024 MiB are read; compress it again"
    )


PACKERS = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lz4": lambda data: lz4.frame.compress(data, block_linked=True),
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_what_follows_a_member(tmp_path, pack) -> None:
    """Members and zeros go on with it; other bytes are told, and cost nothing before them."""
    half = len(json_lines(*ROWS[:200]))
    for data in (
        pack(DATA[:half]) + pack(DATA[half:]),
        pack(DATA) + bytes(1_024),
        pack(DATA[:half]) + bytes(512) + pack(DATA[half:]),
    ):
        result = read(write(tmp_path / "f.jsonl.x", data), "jsonl")
        assert (result.texts, result.broken) == (TEXTS, [])
    for after in (b"\n", b"garbage", b"garbage" * 5_000, pack(DATA)[:40], b"PK\x03\x04", b"\x00" * 9 + b"x"):
        result = read(write(tmp_path / "f.jsonl.x", pack(DATA) + after), "jsonl")
        assert result.texts == TEXTS
        assert len(result.broken) == 1
        assert result.broken[0].error.startswith("damaged ")
