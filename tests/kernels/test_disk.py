"""Where compiled kernels are kept: in the first writable folder; only folders that no other user can write are read."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kernels import disk
from kernels.disk import Entry, keep, load, places, writable_place
from tests.paths import PROJECT

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root only")


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A Python file in a folder of its own, with all places below the test's folder."""
    for name in ("sources", "cache", "tmp", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    places.cache_clear()
    yield tmp_path / "sources" / "kernels.py"
    places.cache_clear()


def entry(source: Path, *, stamp: str = "s" * 64, key: str = "k" * 64) -> Entry:
    return Entry(source=source, stem="kernels.add.py311", stamp=stamp, key=key)


def blocked(folder: Path) -> None:
    """Where a file stands, nobody can make a folder, root neither."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.touch()


def test_kept_beside_the_source_and_found_again(source):
    assert load(entry(source)) is None
    assert keep(entry(source), b"code").kind == "source"
    assert load(entry(source)) == b"code"
    assert load(entry(source, key="other")) is None
    assert load(entry(source, stamp="other")) is None


def test_named_folder_comes_first(source, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "named"))
    places.cache_clear()
    assert keep(entry(source), b"code").folder.parent == tmp_path / "named"
    assert load(entry(source)) == b"code"


def test_next_places_when_one_cannot_be_written(source, tmp_path, monkeypatch):
    blocked(source.parent / "__pycache__")
    assert keep(entry(source), b"code").folder.parent == tmp_path / "cache/gristmill/kernels"
    blocked(tmp_path / "other/gristmill")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    places.cache_clear()
    place = keep(entry(source), b"code")
    assert place.kind == "temporary"
    assert place.folder.parent.parent == tmp_path / "tmp"
    assert place.folder.parent.stat().st_mode & 0o777 == 0o700
    assert load(entry(source)) == b"code"


def test_nowhere(source, monkeypatch):
    monkeypatch.setattr(disk, "places", lambda folder: (disk.Place("user", Path("/proc/none/leaf")),))
    assert keep(entry(source), b"code") is None
    assert writable_place(source) is None
    assert load(entry(source)) is None


def test_what_was_compiled_before_the_installation_became_read_only_is_read(source, tmp_path):
    keep(entry(source), b"code")
    (source.parent / "__pycache__").chmod(0o555)
    assert load(entry(source)) == b"code"


@pytest.mark.parametrize("damage", [b"", b"short", bytes(32) + b"code", b"x" * 4096])
def test_damaged_entries_are_compiled_again(source, damage):
    place = keep(entry(source), b"code")
    (place.folder / entry(source).name).write_bytes(damage)
    assert load(entry(source)) is None
    keep(entry(source), b"code")
    assert load(entry(source)) == b"code"


def test_cache_folder_that_vanishes(source, tmp_path):
    blocked(source.parent / "__pycache__")
    place = keep(entry(source), b"code")
    (place.folder / entry(source).name).unlink()
    place.folder.rmdir()
    assert load(entry(source)) is None
    assert keep(entry(source), b"code") == place


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
def test_folder_that_others_can_write_is_not_read(source, mode):
    blocked(source.parent / "__pycache__")
    place = keep(entry(source), b"code")
    place.folder.chmod(mode)
    assert load(entry(source)) is None
    assert keep(entry(source), b"code").kind == "temporary"


@AS_ROOT
def test_folder_of_another_user_is_not_read(source):
    blocked(source.parent / "__pycache__")
    place = keep(entry(source), b"code")
    os.chown(place.folder, 65534, 65534)
    assert load(entry(source)) is None
    assert keep(entry(source), b"code").kind == "temporary"


def test_symbolic_link_in_place_of_the_folder_is_not_followed(source, tmp_path):
    blocked(source.parent / "__pycache__")
    place = keep(entry(source), b"code")
    place.folder.rename(tmp_path / "elsewhere")
    place.folder.symlink_to(tmp_path / "elsewhere")
    assert load(entry(source)) is None


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o755])
def test_temporary_folder_must_be_closed_to_others(source, tmp_path, mode, monkeypatch):
    blocked(source.parent / "__pycache__")
    blocked(tmp_path / "cache/gristmill")
    place = next(place for place in places(source.parent) if place.kind == "temporary")
    place.folder.parent.mkdir()
    place.folder.parent.chmod(mode)
    place.folder.mkdir()
    (place.folder / entry(source).name).write_bytes(b"planted")
    monkeypatch.setattr(disk, "places", lambda folder: (place,))
    assert load(entry(source)) is None
    assert keep(entry(source), b"code") is None


@pytest.mark.parametrize("home", ["", "~", "relative/home"])
def test_unknown_home_is_no_folder_here(source, monkeypatch, home):
    """A random user of a container has no entry in the system's list."""

    def unknown(number: int) -> object:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_CACHE_HOME")
    places.cache_clear()
    assert [place.kind for place in places(source.parent)][:2] == ["source", "temporary"]
    assert all(place.folder.is_absolute() for place in places(source.parent))


def test_full_disk_leaves_nothing_behind(source):
    """A limit on file sizes stands for the disk: the entry goes to no place, and no piece of one is left."""
    program = (
        "import resource, sys; from pathlib import Path; from kernels.disk import Entry, keep\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        f"print(keep(Entry(Path({str(source)!r}), 'a', 's', 'k'), bytes(1000)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"
    assert not [path for path in source.parent.parent.rglob("*") if path.is_file()]


def test_entries_of_older_sources_go(source, tmp_path):
    keep(entry(source, stamp="old" * 20), b"old")
    keep(entry(source, key="other processor"), b"other")
    keep(entry(source), b"code")
    assert load(entry(source, stamp="old" * 20)) is None
    assert load(entry(source, key="other processor")) == b"other"


def test_entries_of_another_version_stay_in_a_shared_folder_until_they_are_old(source):
    blocked(source.parent / "__pycache__")
    place = keep(entry(source, stamp="old" * 20), b"old")
    keep(entry(source), b"code")
    assert load(entry(source, stamp="old" * 20)) == b"old"
    past = time.time() - 40 * 86_400
    os.utime(place.folder / entry(source, stamp="old" * 20).name, (past, past))
    keep(entry(source), b"code")
    assert load(entry(source, stamp="old" * 20)) is None
