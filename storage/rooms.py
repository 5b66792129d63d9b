"""Are Gristmill's packages the ones that Python finds? Their names are common words, and other folders and packages
have them too.

In: names of packages. Out: nothing, or an error that names the file found. Nothing is imported, not even Gristmill's
own packages: no foreign code is run. `gristmill.rooms` loads this file by its path, since Python may find another
`storage`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

ROOMS = ("manifests", "storage", "shards", "kernels", "dedup", "pipeline", "mixing", "training")

_HOME = Path(__file__).resolve().parents[1]


class ForeignRoomError(ImportError):
    """Python finds another package under the name of one of Gristmill's."""


def check_rooms(names: Sequence[str] = ROOMS) -> None:
    """Check that each package that is found lies beside this one.

    Raises:
        ForeignRoomError: another is found under that name, as a module, a package, or a folder without `__init__.py`.
    """
    for name in names:
        found = place_of(name)
        if found is not None and not _is_ours(found, name):
            raise ForeignRoomError(
                f"{found}: Python finds another package `{name}` than Gristmill's, which is {_HOME / name}\n"
                "  remedy: rename it, start from another folder, or take its folder off PYTHONPATH"
            )


def place_of(name: str) -> Path | None:
    """The file or folder that `import name` takes, or has taken."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None) if module is not None else importlib.util.find_spec(name)
    if spec is None:
        origin = getattr(module, "__file__", None)
        return Path(origin) if origin else None
    if spec.origin is not None and spec.origin not in ("built-in", "frozen"):
        return Path(spec.origin)
    return next((Path(folder) for folder in spec.submodule_search_locations or ()), None)


def _is_ours(found: Path, name: str) -> bool:
    return _HOME / name in (found.parent, found.resolve().parent)
