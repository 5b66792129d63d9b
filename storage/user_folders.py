"""The folders of the user who runs a command, as the XDG base directory rules name them; a user without a home has
none.

In: XDG_CACHE_HOME, XDG_STATE_HOME and HOME, and the system's list of users. Out: absolute paths, whether a folder is
there or not. A relative path counts as not set, as those rules require: an unknown home would become a folder named `~`
in the working folder.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from pathlib import Path

from manifests.errors import GristmillError

_PROJECT = "gristmill"


def user_cache() -> Path | None:
    """`gristmill` in XDG_CACHE_HOME, else in ~/.cache: what may be lost at any time."""
    return _folder("XDG_CACHE_HOME", ".cache")


def user_state() -> Path | None:
    """`gristmill` in XDG_STATE_HOME, else in ~/.local/state: what outlives a command."""
    return _folder("XDG_STATE_HOME", ".local", "state")


def chosen_folder(setting: str, *, default: str, holds: str) -> Path:
    """The folder that a setting of the environment names, else one of this name in the user's cache.

    Args:
        holds: what is kept there, for the error.

    Raises:
        GristmillError: nothing names a folder.
    """
    given, cache = os.environ.get(setting), user_cache()
    if not given:
        folder = None if cache is None else cache / default
    elif given == "~" or given.startswith("~/"):  # no shell has read a file of settings
        home = _home()
        folder = None if home is None else home / given[2:]
    else:
        folder = Path(given)
    if folder is None:
        raise GristmillError(
            f"this user has no home folder to keep {holds} in", where=setting, remedy="set it to a folder"
        )
    return folder


def _folder(setting: str, *below_home: str) -> Path | None:
    given, home = Path(os.environ.get(setting, "")), _home()
    if given.is_absolute():
        return given / _PROJECT
    return None if home is None else home.joinpath(*below_home, _PROJECT)


def _home() -> Path | None:
    home = os.environ.get("HOME", "")
    if not home:
        with contextlib.suppress(KeyError):  # a random user of a container has no entry in the system's list
            home = pwd.getpwuid(os.getuid()).pw_dir
    return Path(home) if Path(home).is_absolute() else None
