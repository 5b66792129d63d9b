"""The user's folders, and users without a home folder."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import GristmillError
from shards.cache import shard_cache
from shards.reader import open_shards
from storage.checked import Remembered, record_of
from storage.detached import state_folder
from storage.user_folders import chosen_folder, user_cache, user_state
from tests.training.data import make_corpus

SETTINGS = ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "GRISTMILL_CACHE", "GRISTMILL_STAGING")


@pytest.fixture(autouse=True)
def unknown(monkeypatch):
    """A random user of a container: no HOME, no entry in the system's list."""

    def nobody(number: int) -> object:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for setting in SETTINGS:
        monkeypatch.delenv(setting, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


@pytest.mark.parametrize("home", [None, "", "~", "relative/home", "."])
def test_unknown_homes_give_no_folder(monkeypatch, tmp_path, home):
    monkeypatch.chdir(tmp_path)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    assert user_cache() is None
    assert user_state() is None
    assert record_of(str(tmp_path)) is None
    with pytest.raises(GristmillError, match="GRISTMILL_CACHE: this user has no home folder to keep shards in"):
        shard_cache()
    with pytest.raises(GristmillError, match="has no home folder"):
        state_folder()
    assert not (tmp_path / "~").exists()


def test_shards_are_read_by_a_user_without_a_home(tmp_path, monkeypatch):
    """What was checked is known for as long as the process lives, and written nowhere."""
    monkeypatch.setattr("shards.guard.SHARDS_OPENED", 0)  # opening would check those that it looks at
    make_corpus(tmp_path / "corpus", tokens=2_000)
    shards = open_shards(str(tmp_path / "corpus" / "shards"))
    assert len(shards.unchecked()) == 3
    for bucket in shards.buckets.values():
        assert bucket.map_tokens(0).dtype == np.uint16
    assert len(shards.unchecked()) == 1
    again = Remembered(None)
    file = tmp_path / "corpus" / "shards" / shards.manifest.shards[0].file
    again.add(str(file), shards.manifest.shards[0].sha256)
    assert again.holds(str(file), shards.manifest.shards[0].sha256)


def test_folders_of_the_environment(monkeypatch):
    monkeypatch.setenv("HOME", "/home/miller")
    assert user_cache() == Path("/home/miller/.cache/gristmill")
    assert user_state() == Path("/home/miller/.local/state/gristmill")
    monkeypatch.setenv("XDG_CACHE_HOME", "/fast")
    assert (user_cache(), user_state()) == (Path("/fast/gristmill"), Path("/home/miller/.local/state/gristmill"))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert user_cache() == Path("/home/miller/.cache/gristmill")
    assert Path(str(record_of("/data/shards"))).parent == Path("/home/miller/.cache/gristmill/checked")
    assert chosen_folder("GRISTMILL_CACHE", default="shards", holds="shards") == Path(
        "/home/miller/.cache/gristmill/shards"
    )
    monkeypatch.setenv("GRISTMILL_CACHE", "~/shards")
    assert chosen_folder("GRISTMILL_CACHE", default="shards", holds="shards") == Path("/home/miller/shards")
    monkeypatch.setenv("GRISTMILL_CACHE", "below/here")
    assert chosen_folder("GRISTMILL_CACHE", default="shards", holds="shards") == Path("below/here")


def test_a_user_in_the_systems_list_needs_no_setting(monkeypatch):
    monkeypatch.undo()
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert user_cache() == Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache" / "gristmill"
