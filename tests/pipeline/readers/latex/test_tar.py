import io
import random
import tarfile

import pytest

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
    assert [(m.name, m.data) for m in found] == [(name, content) for name, content in FILES.items() if content is not None]
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
    assert read(data[:1000]) == [Gap(0, "one", "damaged tar: the archive ends in the middle of a member")]
    found = read(data[: 1536 + 700])
    assert (found[0].name, found[1]) == ("one", Gap(1536, "two", "damaged tar: the archive ends in the middle of a member"))
    assert read(data[:1800]) == [Member(0, "one", 600, b"1" * 600), Gap(1536, None, "damaged tar: bytes that are no member")]


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
