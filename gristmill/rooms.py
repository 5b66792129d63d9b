"""The first look of the front door: nothing is imported from the working folder, and each package of Gristmill's is
Gristmill's.

In: `sys.path` as Python made it. Out: the same without the working folder, or an error that names the file that another
package was found in. It comes before any other import of a command, and imports nothing that it has not checked.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

_HOME = Path(__file__).resolve().parents[1]


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
    if here in asked or _HOME in (Path(here), Path(here).resolve()):
        return
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]


def check_rooms() -> None:
    """Each package of Gristmill's that is found is Gristmill's.

    Raises:
        ImportError: names the file that was found.
    """
    spec = importlib.util.spec_from_file_location("storage.rooms", _HOME / "storage" / "rooms.py")
    assert spec is not None
    assert spec.loader is not None
    rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rooms)
    rooms.check_rooms()
