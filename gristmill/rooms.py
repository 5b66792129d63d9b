"""The first check of every command: nothing is imported from the working folder, and the packages found under
Gristmill's names are Gristmill's own.

In: `sys.path` as Python made it. Out: the same without the working folder, or an error that names the file of another
package that was found. It comes before any other import of a command, and imports nothing that it has not checked.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

_HOME = Path(__file__).resolve().parents[1]


def leave_working_folder() -> None:
    """Remove the working folder from the path, where `python -m` and empty entries of PYTHONPATH have put it.

    It stays if Gristmill itself is in it, or if PYTHONPATH names it in full.
    """
    try:
        here = str(Path.cwd())
    except OSError:  # it was deleted, or is closed to this user: what is relative to it cannot be found
        sys.path[:] = [entry for entry in sys.path if Path(entry).is_absolute()]
        return
    asked = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    if here in asked or _HOME in (Path(here), Path(here).resolve()):
        return
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]


def check_rooms() -> None:
    """Check that each package found under one of Gristmill's names is Gristmill's own.

    Raises:
        ImportError: names the file that was found.
    """
    spec = importlib.util.spec_from_file_location("storage.rooms", _HOME / "storage" / "rooms.py")
    assert spec is not None
    assert spec.loader is not None
    rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rooms)
    rooms.check_rooms()
