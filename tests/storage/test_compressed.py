import bz2
import gzip
import lzma
import random
import re

import pyarrow as pa
import pytest
import zstandard

from manifests.errors import GristmillError
from storage import compressed
from storage.compressed import Damaged, Portion, chunks, opened, portions
from tests.pipeline.readers.samples import write

TEXT = random.Random(0).randbytes(300_000).hex().encode()


def lz4(data):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "lz4") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


COMPRESS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": lz4,
}


def read_until_damage(path):
    parts, damage = [], None
    try:
        for chunk in chunks(str(path)):
            parts.append(chunk)
    except Damaged as error:
        damage = error
    assert damage is None or damage.offset == sum(map(len, parts))
    return b"".join(parts), None if damage is None else str(damage)


def events(path, **options):
    with opened(str(path)) as raw:
        return list(portions(raw, **options))


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("count", [1, 3])
def test_reads_one_and_many_members(tmp_path, kind, count):
    path = write(tmp_path / "file", COMPRESS[kind](TEXT) * count)
    assert read_until_damage(path) == (TEXT * count, None)


@pytest.mark.parametrize("kind", [kind for kind in COMPRESS if kind != "plain"])
def test_truncation_delivers_what_came_before_and_says_so(tmp_path, kind):
    data = COMPRESS[kind](TEXT)
    path = write(tmp_path / "file", data[: len(data) // 2])
    text, problem = read_until_damage(path)
    # A block of bzip2 holds 900 kB: here none is whole. The others deliver nearly half.
    assert len(text) > (0 if kind == "bzip2" else len(TEXT) * 0.3) - 1
    assert TEXT.startswith(text)
    assert problem == f"damaged {kind}: the file ends in the middle of a member"


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_corruption_in_the_second_member_delivers_the_first(tmp_path, kind):
    first, second = COMPRESS[kind](TEXT), bytearray(COMPRESS[kind](TEXT))
    for at in range(len(second) // 2, len(second) // 2 + 64):
        second[at] ^= 0xFF
    text, problem = read_until_damage(write(tmp_path / "file", first + bytes(second)))
    assert text.startswith(TEXT)
    assert text != 2 * TEXT
    assert problem == f"damaged {kind}: corrupt data or wrong checksum"


def test_a_wrong_checksum_is_damage(tmp_path):
    data = bytearray(gzip.compress(TEXT))
    data[-6] ^= 1
    assert read_until_damage(write(tmp_path / "file", bytes(data)))[1] == "damaged gzip: corrupt data or wrong checksum"


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_bytes_after_the_last_member_are_damage_but_padding_is_not(tmp_path, kind):
    data = COMPRESS[kind](TEXT)
    assert read_until_damage(write(tmp_path / "padded", data + b"\x00" * 100_000)) == (TEXT, None)
    text, problem = read_until_damage(write(tmp_path / "followed", data + b"no member"))
    assert text == TEXT
    assert problem == f"damaged {kind}: bytes that are no member follow a member"


def test_portions_tell_where_members_begin(tmp_path):
    first, second = gzip.compress(TEXT), gzip.compress(b"two")
    found = [(portion.member, len(portion.data)) for portion in events(write(tmp_path / "file", first + second))]
    assert [member for member, _ in found if member is not None] == [0, len(first)]
    assert found[-1] == (len(first), 3)


def test_resumes_at_the_next_member_that_begins_as_expected(tmp_path):
    bad = bytearray(gzip.compress(b"WARC/ " + TEXT))
    bad[2000:2064] = b"\x1f\x8b\x08" * 21 + b"\xff"  # what looks like members inside the damage
    good = gzip.compress(b"WARC/ good")
    found = events(write(tmp_path / "file", bytes(bad) + gzip.compress(b"other") + good), resume=re.compile(b"WARC/"))
    damage = [event for event in found if isinstance(event, Damaged)]
    assert [event.member for event in damage] == [0]
    assert found[-1] == Portion(b"WARC/ good", len(bad) + len(gzip.compress(b"other")))


def member(content, *, flags=0, extra=b""):
    packed = gzip.compress(content, 6, mtime=0)
    return packed[:3] + bytes([flags]) + packed[4:10] + extra + packed[10:]


def joined(found):
    """Damage, and each member with its whole content."""
    contents = {}
    for event in found:
        if isinstance(event, Damaged):
            contents[str(event), event.member] = event.offset
        else:
            start = event.member if event.member is not None else next(reversed(contents))
            contents[start] = contents.get(start, b"") + event.data
    return contents


def test_members_decompressed_whole_are_those_of_zlib(tmp_path, monkeypatch):
    draw = random.Random(5)
    record = b"WARC/ " + bytes(draw.choices(b"abcdef <>", k=30_000))
    large = b"WARC/ " + draw.randbytes(compressed._MOST_WHOLE + 200_000)
    whole = [record, b"", large, record[:100]]
    named = member(record, flags=8, extra=b"name\0")
    files = [
        b"".join(map(member, whole)),
        member(record) + named + member(record),
        member(record, flags=0xE0) + member(record),
    ]
    for _ in range(150):
        data = bytearray(member(record) + member(record[:50]) + member(record[:20_000]))
        match draw.randrange(4):
            case 0:
                data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            case 1:
                del data[draw.randrange(len(data)) :]
            case 2:
                del data[draw.randrange(9000) : draw.randrange(9000, len(data))]
            case _:
                at = draw.randrange(len(data))
                data[at:at] = draw.randbytes(9)
        files.append(bytes(data))
    by_isal = compressed._by_isal
    taken = []
    for data in files:
        path = write(tmp_path / "file", data)
        monkeypatch.setattr(compressed, "_by_isal", lambda unread: taken.append(by_isal(unread)) or taken[-1])
        both = joined(events(path, resume=re.compile(b"WARC/")))
        monkeypatch.setattr(compressed, "_by_isal", lambda unread: None)
        assert both == joined(events(path, resume=re.compile(b"WARC/")))
    assert sum(content is not None for content in taken) > 200
    assert sum(content is None for content in taken) > 50


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_a_bomb_comes_in_bounded_portions(tmp_path, kind):
    zeros = b"\x00" * (64 << 20)
    largest = max(len(chunk) for chunk in chunks(str(write(tmp_path / "file", COMPRESS[kind](zeros)))))
    assert largest <= 64 << 20
    assert sum(len(chunk) for chunk in chunks(str(tmp_path / "file"))) == 64 << 20


def test_an_empty_file_has_no_chunks(tmp_path):
    assert list(chunks(str(write(tmp_path / "file", b"")))) == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GristmillError, match=r"nowhere\.gz: no such file"):
        list(chunks(str(tmp_path / "nowhere.gz")))
