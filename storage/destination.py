"""A folder that an export or an import fills: whose it is, and whether it may be written to.

In: a folder, and what is to be written into it. Out: the file `.begun.json` in it, which is published before anything
else and says what the folder is for. The same command goes on there after an interruption; every other folder that
holds something is refused, so that nothing of anyone is replaced.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from manifests.errors import GristmillError
from storage.files import is_url, join, list_files, publish, read_if_there

BEGUN = ".begun.json"
_OTHER = "choose another folder, or delete this one"


def check_destination(folder: str, *, purpose: dict[str, Any]) -> bool:
    """Whether this very work was begun in a folder; False when the folder is empty or not there. Files whose names
    begin with a dot are not looked at.

    Args:
        purpose: JSON; what is written there, from what, with which settings.

    Raises:
        GristmillError: the folder holds something else, or what was begun there had another purpose.
    """
    path = join(folder, BEGUN)
    data = read_if_there(path)
    if data is None:
        found = _something_in(folder)
        if found is not None:
            raise GristmillError(
                f"is not empty, and not what this command wrote: it holds {found}", where=folder, remedy=_OTHER
            )
        return False
    if data == _encoded(purpose):
        return True
    try:
        before = json.loads(data)
    except ValueError:
        before = None
    if not isinstance(before, dict):
        raise GristmillError("cannot be understood", where=path, remedy=_OTHER)
    differing = sorted(key for key in purpose.keys() | before.keys() if purpose.get(key) != before.get(key))
    raise GristmillError(
        f"something else was begun here: other {', '.join(differing)}",
        where=folder,
        remedy=f"repeat the command as it was, or {_OTHER}",
    )


def check_apart(out: str, places: Iterable[str]) -> None:
    """Refuse a folder that is, or lies in, a place that is read: what is written there would be taken for input, or be
    deleted when the place is made anew.

    Raises:
        GristmillError: it does.
    """
    for place in places:
        if f"{_real(out)}/".startswith(f"{_real(place)}/"):
            raise GristmillError(f"lies in {place}, which is read", where=out, remedy="choose another folder")


def _real(place: str) -> str:
    return place.rstrip("/") if is_url(place) else os.path.realpath(place)


def begin_destination(folder: str, *, purpose: dict[str, Any]) -> None:
    """Take a folder for this work, unless it was begun there already; call it as the folder's only writer.

    Raises:
        GristmillError: as `check_destination`.
    """
    if not check_destination(folder, purpose=purpose):
        publish(join(folder, BEGUN), _encoded(purpose))


def _something_in(folder: str) -> str | None:
    """The name of something in a folder; a local one is not descended into, for it may be anyone's."""
    if is_url(folder):
        return next(iter(list_files(folder)), None)
    try:
        return min((path.name for path in Path(folder).iterdir() if not path.name.startswith(".")), default=None)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GristmillError(
            f"cannot be used: {error.strerror}", where=folder, remedy="choose another folder"
        ) from None


def _encoded(purpose: dict[str, Any]) -> bytes:
    return (json.dumps(purpose, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
