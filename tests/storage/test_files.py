"""Files are published whole or not at all; listing; hashing."""

import hashlib

import pyarrow as pa
import pytest

from manifests.errors import GristmillError
from storage.files import exists, list_files, list_stats, matches, publish, read_bytes, sha256_file, sweep_temporaries


def test_publish_replaces_and_leaves_no_temporary(tmp_path):
    path = str(tmp_path / "a" / "b.bin")
    publish(path, b"one")
    publish(path, [b"tw", pa.py_buffer(b"o")])
    assert read_bytes(path) == b"two"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b.bin"]


def test_a_publish_that_fails_in_the_middle_leaves_the_old_file(tmp_path):
    path = str(tmp_path / "x")
    publish(path, b"old")

    def buffers():
        yield b"half of the new"
        raise OSError(28, "No space left on device")

    with pytest.raises(GristmillError, match="the disk is full"):
        publish(path, buffers())
    assert read_bytes(path) == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_what_an_iterator_gives_is_written_as_it_comes(tmp_path):
    path = tmp_path / "x"
    seen = []

    def buffers():
        for number in range(3):
            yield bytes([number]) * (1 << 20)
            seen.append(next(tmp_path.glob(".tmp-*")).stat().st_size)

    publish(str(path), buffers())
    assert seen == [1 << 20, 2 << 20, 3 << 20]
    assert path.stat().st_size == 3 << 20


def test_an_error_of_the_iterator_leaves_no_temporary(tmp_path):
    def buffers():
        yield b"half of the new"
        raise GristmillError("is damaged", where="a shard")

    with pytest.raises(GristmillError, match="is damaged"):
        publish(str(tmp_path / "x"), buffers())
    assert list(tmp_path.iterdir()) == []


def test_unfinished_files_are_not_listed_and_can_be_swept(tmp_path):
    publish(str(tmp_path / "d" / "whole"), b"1")
    (tmp_path / "d" / ".tmp-123").write_bytes(b"torn")
    assert list_files(str(tmp_path)) == ["d/whole"]
    sweep_temporaries(str(tmp_path))
    assert not (tmp_path / "d" / ".tmp-123").exists()
    assert exists(str(tmp_path / "d" / "whole"))


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("a.gz", "*.gz", True),
        ("d/a.gz", "*.gz", False),
        ("d/a.gz", "**/*.gz", True),
        ("a.gz", "**/*.gz", True),
        ("d/e/a", "d/**", True),
        ("ab", "a?", True),
        ("a/", "a?", False),
        ("x1", "x[0-9]", True),
        ("xa", "x[0-9]", False),
        ("a+b", "a+b", True),
    ],
)
def test_patterns_for_object_stores_mean_what_they_mean_on_disk(name, pattern, expected):
    assert matches(name, pattern) is expected


def test_urls_are_listed_like_local_folders(tmp_path):
    for name in ("a/1.x", "a/b/2.x", "3.y"):
        publish(str(tmp_path / name), b"-")
    for pattern in ("**", "*.y", "**/*.x", "a/*"):
        assert list_files(f"file://{tmp_path}", pattern) == list_files(str(tmp_path), pattern)


@pytest.mark.parametrize("dotted", [False, True])
def test_names_that_begin_with_a_dot_are_listed_when_they_are_asked_for(tmp_path, dotted):
    for name in (".index", "a", "step-1/.index", "step-1/b", ".d/c", "step-1/.tmp-e"):
        publish(str(tmp_path / name), b"-")
    expected = {
        "**": ["a", "step-1/b"],
        "step-*/*": ["step-1/b"],
        ".*": [".index"],
        "step-*/.*": ["step-1/.index"],
    }
    if dotted:
        expected = {
            "**": [".d/c", ".index", "a", "step-1/.index", "step-1/b"],
            "step-*/*": ["step-1/.index", "step-1/b"],
        }
    for pattern, names in expected.items():
        assert list(list_stats(str(tmp_path), pattern, dotted=dotted)) == names
        assert list(list_stats(f"file://{tmp_path}", pattern, dotted=dotted)) == names


def test_sha256_of_a_file(tmp_path):
    data = bytes(range(256)) * 100_000
    publish(str(tmp_path / "f"), data)
    assert sha256_file(str(tmp_path / "f")) == hashlib.sha256(data).hexdigest()


def test_missing_file_is_named(tmp_path):
    with pytest.raises(GristmillError, match=str(tmp_path / "none")):
        read_bytes(str(tmp_path / "none"))
