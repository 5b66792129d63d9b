import io
import random
import tarfile
import tracemalloc
from itertools import chain, repeat

import pytest

from manifests.step import Problem
from pipeline.readers.latex.tar import Gap, Member, is_tar, members


def archive(files, *, format=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if data is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def read(data, *, chunk=1000, wanted=lambda name, size: True):
    return list(members((data[at : at + chunk] for at in range(0, len(data), chunk)), wanted=wanted))


FILES = {"a.tex": b"x" * 700, "folder": None, "folder/é" + "n" * 300 + ".tex": b"", "b": bytes(range(256)) * 4}


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("chunk", [1, 511, 1 << 16])
def test_members_as_tarfile_reads_them(format, chunk):
    data = archive(FILES, format=format)
    assert is_tar(data[:1024])
    found = read(data, chunk=chunk)
    assert [(m.name, m.data) for m in found] == [
        (name, content) for name, content in FILES.items() if content is not None
    ]
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        # tarfile's offset is that of the extended header before the member's own.
        assert [m.name for m in found] == [m.name for m in tar.getmembers() if m.isfile()]
    assert data[found[0].offset :].startswith(b"a.tex\x00")


def test_old_names_have_a_prefix():
    name = "/".join(["folder" * 10] * 3)
    (member,) = read(archive({name: b"x"}, format=tarfile.USTAR_FORMAT))
    assert member.name == name


def test_what_is_not_wanted_is_not_read():
    found = read(archive(FILES), wanted=lambda name, size: size < 10)
    assert [m.data for m in found] == [None, b"", None]


def test_behind_a_broken_header_reading_goes_on():
    data = bytearray(archive({name: name.encode() * 100 for name in ("one", "two", "three")}))
    at = data.index(b"two\x00")
    data[at + 1] = 0
    found = read(bytes(data))
    assert [(type(event).__name__, getattr(event, "name", None)) for event in found] == [
        ("Member", "one"),
        ("Gap", None),
        ("Member", "three"),
    ]
    assert found[1].offset == at


def test_an_archive_that_ends_early_says_where():
    data = archive({"one": b"1" * 600, "two": b"2" * 600})
    assert read(data[:1000]) == [Gap(0, "one", Problem("damaged tar", "the archive ends in the middle of a member"))]
    found = read(data[: 1536 + 700])
    assert (found[0].name, found[1]) == (
        "one",
        Gap(1536, "two", Problem("damaged tar", "the archive ends in the middle of a member")),
    )
    assert read(data[:1800]) == [
        Member(0, "one", 600, b"1" * 600),
        Gap(1536, None, Problem("damaged tar", "bytes that are no member")),
    ]


def header(name, size=b"", kind=b"0", **fields):
    """A header by hand: its size as in the field, other fields by their place (`at124=...`); the sum is right."""
    block = bytearray(tarfile.TarInfo(name).tobuf(tarfile.USTAR_FORMAT))
    block[156:157] = kind
    for place, value in {"at124": size.rjust(11, b"0") + b"\0" if len(size) < 12 else size, **fields}.items():
        at = int(place.removeprefix("at"))
        block[at : at + len(value)] = value
    block[148:156] = b"%06o\0 " % sum(block[:148] + b" " * 8 + block[156:])
    return bytes(block)


def extended(kind, data):
    return header("extended", b"%o" % len(data), kind) + data + bytes(-len(data) % 512)


RUBBISH = b"\x01" * 512
# Inputs that `tarfile` of Python 3.11 ends at, never comes back from, or reads other files in.
OTHERWISE = {
    "a broken header after a long name": (extended(b"L", b"n" * 150) + RUBBISH, ["Gap"]),
    "a broken header after an extended one": (extended(b"x", b"11 path=ab\n") + RUBBISH, ["Gap"]),
    "thousands of long names": (extended(b"L", b"n\0") * 3_000 + header("b"), ["n"]),
    "a number of 5,000 digits": (extended(b"x", b"1" * 5_000 + b" path=ab\n") + header("b"), ["b"]),
    "a character set that is no text": (extended(b"x", b"18 hdrcharset=\xff\xfe\n") + header("b"), ["b"]),
    "a sparse map without numbers": (extended(b"x", b"22 GNU.sparse.map=a,b\n") + header("b"), ["b"]),
    "a path for all that follows": (extended(b"g", b"11 path=ab\n") + header("b"), ["b"]),
    "times where others have a prefix": (header("b", at257=b"ustar  \0", at345=b"15302646727\0"), ["b"]),
    "a header from before there was a prefix": (header("b", at257=bytes(8), at329=b"\xd8\x13 anything"), ["b"]),
    "an owner that is no number": (header("b", at108=b"nobody\0\0"), ["b"]),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_tarfile_would_read_otherwise(name):
    middle, expected = OTHERWISE[name]
    data = archive({"a": b"1"})[:1024] + middle + archive({"c": b"3"})
    assert [type(event).__name__ if isinstance(event, Gap) else event.name for event in read(data)] == [
        "a",
        *expected,
        "c",
    ]


@pytest.mark.parametrize("size", [b"\x80" + (1 << 70).to_bytes(11, "big"), b"\xff" * 11 + b"\x00"])
def test_a_size_beyond_every_disk_ends_the_archive(size):
    data = archive({"a": b"1"})[:1024] + header("b", size) + archive({"c": b"3"})
    assert read(data)[1:] == [Gap(1024, "b", Problem("damaged tar", "the archive ends in the middle of a member"))]


@pytest.mark.parametrize("kind", [b"L", b"x"])
def test_an_extended_header_of_megabytes_is_passed_over(kind):
    stream = chain([header("long", b"%o" % (64 << 20), kind)], repeat(bytes(1 << 16), 1024), [header("b")])
    tracemalloc.start()
    found = list(members(stream, wanted=lambda name, size: True))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [member.name for member in found] == ["b"]
    assert peak < 4 << 20


def test_any_bytes_are_read_to_their_end():
    chance = random.Random(3)
    whole = archive({str(number): b"text" * number for number in range(40)})
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        found = read(bytes(data), chunk=1 << 16)
        assert [event.offset for event in found] == sorted(event.offset for event in found)
    assert not is_tar(bytes(1024))
    assert not is_tar(b"\\documentclass" * 100)
