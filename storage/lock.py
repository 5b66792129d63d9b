"""One writer per folder: the same lock for every command that writes one, on local disk and in object stores.

Locally the system holds a lock on `FOLDER/.lock` and releases it when the process ends, however it ends. A store has no
locks: there the object `FOLDER/.tmp-lock.json` is a lease, which its owner renews by writing a higher count. Every
write of it is conditional: it is created only if there is none, and replaced only if it is the version last seen, so
exactly one of any number of commands succeeds. A command that finds a lease watches it. A lease that changes has a
living owner. One that stays the same for long enough, by the watcher's own clock, or whose owner was a process of this
machine that no longer runs, is taken over. A command that was suspended so long that another took its lease ends with
an error when it wakes up.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.errors import GristmillError
from storage import objects
from storage.files import is_url, join, remove_file

if TYPE_CHECKING:
    from obstore import UpdateVersion

LEASE = ".tmp-lock.json"
RENEW_SECONDS = 10.0
"""Between two renewals of a lease."""
STALE_SECONDS = 30.0
"""A lease that has not changed for so long, while it was watched, has no owner any more: three renewals."""

_BUSY_REMEDY = "wait for it to end or stop it, or choose another folder"


@dataclass(frozen=True)
class Lease:
    """What the object holds.

    Attributes:
        token: different for every writer.
        host, machine: name of the machine; its boot and process namespace, by which process numbers mean something.
        born: when the process began, in the system's ticks; distinguishes it from a later one of the same number.
        count: of renewals.
    """

    token: str
    host: str
    machine: str
    pid: int
    born: str
    count: int = 0


@contextmanager
def only_writer(
    folder: str,
    *,
    say: Callable[[str], object] = lambda text: None,
    renew: float = RENEW_SECONDS,
    stale: float = STALE_SECONDS,
) -> Iterator[None]:
    """Hold a folder, local or a URL, until the block ends; a local one is created if need be.

    Args:
        say: called with a sentence when a lease is watched or taken over.
        renew, stale: seconds, for folders in object stores; all writers of a folder must use the same.

    Raises:
        GristmillError: another command writes there, the folder cannot be written, its store ignores conditions, or
            (when the block ends) the lease was lost.
    """
    folder = folder.removeprefix("file://")
    if is_url(folder):
        with _leased(folder, say, renew, stale):
            yield
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lock = open(Path(folder) / ".lock", "w")  # noqa: SIM115  (held by the block below)
    except OSError as error:
        raise GristmillError(
            f"cannot be written: {error.strerror}", where=folder, remedy="choose another folder"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GristmillError(
                "another command is writing into this folder", where=folder, remedy=_BUSY_REMEDY
            ) from None
        yield


@contextmanager
def _leased(folder: str, say: Callable[[str], object], renew: float, stale: float) -> Iterator[None]:
    path = join(folder, LEASE)
    before = _wait_for_stale(path, folder, say, stale)
    mine = Lease(uuid.uuid4().hex, socket.gethostname(), _machine(), os.getpid(), _born(os.getpid()))
    version = _write(path, mine, before)
    if version is None:
        raise _busy(folder, _read(path)[0])
    if objects.put_if(path, _encoded(mine), None) is not None:
        raise GristmillError(
            "its store ignores conditions (`If-None-Match`): two commands could write into it at once",
            where=folder,
            remedy=(
                "use a store that knows them, as those of Amazon, Google and Microsoft, MinIO, Ceph and SeaweedFS do"
            ),
        )
    done, lost = threading.Event(), threading.Event()

    def keep() -> None:
        held, last = mine, version
        while not done.wait(renew):
            try:
                following = replace(held, count=held.count + 1)
                stored = _write(path, following, last)
                if done.is_set():
                    return  # it may be missing because it was released
                if stored is None:
                    lost.set()
                    # Like Ctrl-C, this also ends waits. A command that a shell started in the background ignores
                    # Ctrl-C.
                    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
                    signal.pthread_kill(
                        threading.main_thread().ident or 0, signal.SIGTERM if ignored else signal.SIGINT
                    )
                    return
                held, last = following, stored
            except GristmillError:
                continue  # the store does not answer: the work itself will say so, if it lasts

    keeper = threading.Thread(target=keep, name=f"lease of {folder}", daemon=True)
    keeper.start()
    try:
        yield
    except KeyboardInterrupt:
        if lost.is_set():
            raise _lost(folder) from None
        raise
    finally:
        done.set()
        keeper.join(timeout=renew)
        _release(path, mine)
    if lost.is_set():
        raise _lost(folder)


def _wait_for_stale(path: str, folder: str, say: Callable[[str], object], stale: float) -> UpdateVersion | None:
    """Wait until there is no lease, or none with a living owner; returns None, or the version to be replaced."""
    first, version = _read(path)
    if first is None:
        return None
    if _is_gone(first):
        say(
            f"{folder} was left by a command that has ended (process {first.pid} of this machine): its lock is taken"
            " over"
        )
        return version
    say(
        f"{folder} is locked by process {first.pid} on {first.host}; watching for up to {stale:.0f} s whether it is"
        " alive"
    )
    end = time.monotonic() + stale
    while time.monotonic() < end:
        time.sleep(stale / 30)
        now, version = _read(path)
        if now is None:
            return None
        if now != first:
            raise _busy(folder, now)
    say(f"the lock of process {first.pid} on {first.host} has not changed for {stale:.0f} s: it is taken over")
    return version


def _release(path: str, mine: Lease) -> None:
    try:
        found, _ = _read(path)
        if found is not None and found.token == mine.token:
            remove_file(path)
    except GristmillError:
        pass  # the output is already written; the lease becomes stale


def _read(path: str) -> tuple[Lease | None, UpdateVersion | None]:
    """The lease and its version; None when there is no lease.

    One that cannot be understood counts as a writer that never renews.
    """
    found = objects.get_version(path)
    if found is None:
        return None, None
    data, version = found
    try:
        return Lease(**json.loads(data)), version
    except (ValueError, TypeError):
        return Lease(data.hex(), "an unknown machine", "", 0, ""), version


def _write(path: str, lease: Lease, before: UpdateVersion | None) -> UpdateVersion | None:
    """Replace a version of the lease, or create it; the version written, or None when another one was there."""
    written = objects.put_if(path, _encoded(lease), before)
    if written is None:
        found, version = _read(path)
        return version if found == lease else None  # its confirmation was lost
    return written


def _encoded(lease: Lease) -> bytes:
    return json.dumps(asdict(lease), sort_keys=True).encode()


def _is_gone(lease: Lease) -> bool:
    """Whether the owner was a process of this machine and namespace that no longer runs."""
    return bool(lease.machine) and lease.machine == _machine() and _born(lease.pid) != lease.born


def _machine() -> str:
    """Boot and process namespace: a container has process numbers of its own. Empty where the system does not say."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _born(pid: int) -> str:
    """Start time of a process in ticks since boot; empty when there is no such process (a zombie does not count)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _busy(folder: str, lease: Lease | None) -> GristmillError:
    who = "" if lease is None else f" (process {lease.pid} on {lease.host})"
    return GristmillError(f"another command is writing into this folder{who}", where=folder, remedy=_BUSY_REMEDY)


def _lost(folder: str) -> GristmillError:
    return GristmillError(
        "another command has taken over this folder: this one was suspended, or cut off from the store, for too long",
        where=folder,
        remedy="let the other one end, then run the same command again: finished parts are kept",
    )
