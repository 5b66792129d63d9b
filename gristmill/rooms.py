"""The first look of the front door: nothing is imported from the working folder, and each package of Gristmill's is Gristmill's.

In: `sys.path` as Python made it. Out: the same without the working folder, or an error that names the file that another package was found
in. It comes before any other import of a command, and imports nothing that it has not checked.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path


class ForeignRoomError(ImportError):
    """Under the name of a package of Gristmill's, Python finds another."""


def leave_working_folder() -> None:
    """Take the working folder off the path, where `python -m` and empty entries of PYTHONPATH have put it.

    It stays where Gristmill itself lies there, and where PYTHONPATH names it in full.
    """
    try:
        here = str(Path.cwd())
    except OSError:  # it was deleted, or is closed to this user: what is relative to it cannot be found
        sys.path[:] = [entry for entry in sys.path if Path(entry).is_absolute()]
        return
    asked = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    if here in asked or _home() in (Path(here), Path(here).resolve()):
        return
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]


def check_rooms() -> None:
    """Each package of Gristmill's that is found is Gristmill's.

    Raises:
        ForeignRoomError: names the file that was found.
    """
    spec = sys.modules["manifests"].__spec__ if "manifests" in sys.modules else importlib.util.find_spec("manifests")
    found = None if spec is None else Path(spec.origin or next(iter(spec.submodule_search_locations or ()), ""))
    ours = _home() / "manifests"
    if found is not None and ours not in (found.parent, found.resolve().parent):
        raise ForeignRoomError(
            f"{found}: Python finds another package `manifests` than Gristmill's, which is {ours}\n"
            "  remedy: rename it, start from another folder, or take its folder off PYTHONPATH"
        )
    from manifests.errors import GristmillError
    from storage import rooms

    try:
        rooms.check_rooms()
    except GristmillError as error:
        raise ForeignRoomError(str(error)) from None


def _home() -> Path:
    return Path(__file__).resolve().parents[1]
