"""Runs whose folder is in an object store: checkpoints are written to and read from a local folder, and copied.

    GRISTMILL_STAGING     the folder; default: `gristmill/runs` in XDG_CACHE_HOME, else in ~/.cache. Needs room for one
    checkpoint.

Every rank uploads the files that it wrote, so that the machines of a cluster need no shared disk; rank 0 uploads the
manifest last. A checkpoint is downloaded once per machine, used, and deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch.distributed as dist

from manifests.errors import GristmillError
from storage.checked import Remembered
from storage.files import is_url, join, list_stats, map_file, open_stream, publish, remove_tree
from storage.user_folders import chosen_folder
from training.parallel import agree, every_rank
from training.tensor_files import StoredFile

_PIECE = 16 << 20
_OF_A_RANK = re.compile(r"__(\d+)_")  # a rank's file is `__RANK_0.distcp`; all other files belong to rank 0


def staging_folder(out: str) -> Path:
    """The local folder for a run's folder in a store."""
    folder = chosen_folder("GRISTMILL_STAGING", default="runs", holds="checkpoints")
    return folder / hashlib.sha256(out.encode()).hexdigest()[:16]


def fresh_folder(out: str, name: str) -> str:
    """An empty local folder for a checkpoint, the same path on every machine. Called by all ranks together.

    Deletes what killed saves left there.

    Raises:
        GristmillError: the folder cannot be made.
    """
    number = agree(lambda: uuid.uuid4().hex)

    def make() -> str:
        folder = staging_folder(out) / "saving"
        target = folder / f"{name}-{number}"
        with _writing(folder):
            target.mkdir(parents=True, exist_ok=True)
            for other in folder.iterdir():
                if other != target:
                    shutil.rmtree(other, ignore_errors=True)
        return str(target)

    return every_rank(make)[dist.get_rank()]


def upload(local: str, final: str, files: Mapping[str, StoredFile]) -> None:
    """Upload the files of a checkpoint, except its manifest, and delete the local files. Called by all ranks together.

    Args:
        files: the files of all ranks; each rank uploads those that it wrote and hashed.

    Raises:
        GristmillError: a rank cannot upload its files, or the store then does not hold exactly these files.
    """
    agree(lambda: remove_tree(final))
    rank = dist.get_rank()

    def store() -> None:
        for name in files:
            match = _OF_A_RANK.match(name)
            if (int(match[1]) if match else 0) == rank:
                _put(Path(local, name), join(final, name))

    every_rank(store)
    shutil.rmtree(local, ignore_errors=True)

    def check() -> None:
        stored = {
            name: stat.size for name, stat in list_stats(final, dotted=True).items()
        }  # the index is named `.metadata`
        if stored != {name: file.bytes for name, file in files.items()}:
            raise GristmillError(
                f"{len(stored)} files are stored, {len(files)} were written, or their sizes differ", where=final
            )

    agree(check)


def fetch(folder: str, files: Mapping[str, StoredFile]) -> list[str]:
    """Download the files of a checkpoint that are not on this machine yet. Called by all ranks together.

    Args:
        files: the files in the checkpoint's manifest.

    Returns:
        Names of files whose bytes do not match the manifest; they are not kept.

    Raises:
        GristmillError: a file cannot be downloaded.
    """

    def download() -> list[str]:
        target = staging_folder(folder) / "loading"
        with _writing(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            lock = open(target.with_suffix(".lock"), "w")  # noqa: SIM115  (held by the block below)
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one rank of a machine downloads, the others then find the files
            with _writing(target):
                target.mkdir(exist_ok=True)
            remembered = Remembered(target.with_suffix(".checked"))
            return [
                name for name, file in files.items() if not _get(join(folder, name), target / name, file, remembered)
            ]

    return sorted({name for names in every_rank(download) for name in names})


def forget(folder: str) -> None:
    """Delete the downloaded files of a checkpoint. Called by all ranks together."""
    if is_url(folder):
        dist.barrier()
        shutil.rmtree(staging_folder(folder), ignore_errors=True)


@contextlib.contextmanager
def local_copy(folder: str, files: Mapping[str, StoredFile]) -> Iterator[str]:
    """A checkpoint's folder on a local disk. Called by all ranks together.

    A local folder is used as it is; a folder in a store is downloaded, and the copy deleted after the block.

    Args:
        files: the files in the checkpoint's manifest.

    Raises:
        GristmillError: it cannot be downloaded, or its bytes do not match the manifest.
    """
    if not is_url(folder):
        yield folder
        return
    damaged = fetch(folder, files)
    if damaged:
        raise GristmillError(
            f"is damaged ({', '.join(damaged)})", where=folder, remedy="remove it: the checkpoint before is used then"
        )
    yield str(staging_folder(folder) / "loading")
    forget(folder)


def _put(path: Path, url: str) -> None:
    if not path.stat().st_size:
        publish(url, b"")
        return
    with map_file(str(path)) as file:
        publish(url, file.read_buffer())


def _get(url: str, path: Path, file: StoredFile, remembered: Remembered) -> bool:
    """Download one file unless it is there already; False if the bytes did not match `file` in two downloads."""
    if remembered.holds(str(path), file.sha256):
        return True
    temporary = path.with_name(f"{path.name}.part")
    for _ in range(2):
        digest = hashlib.sha256()
        with open_stream(url) as source, _writing(path), open(temporary, "wb") as copy:
            while piece := source.read(_PIECE):
                digest.update(piece)
                copy.write(piece)
        if digest.hexdigest() == file.sha256:
            with _writing(path):
                temporary.replace(path)
            remembered.add(str(path), file.sha256)
            return True
    temporary.unlink(missing_ok=True)
    return False


@contextlib.contextmanager
def _writing(place: Path) -> Iterator[None]:
    """Turn an OSError about a local folder, or a file in it, into a GristmillError that can be sent to all ranks."""
    try:
        yield
    except OSError as error:
        raise GristmillError(
            f"cannot be written: {error.strerror or error}",
            where=str(place),
            remedy="set GRISTMILL_STAGING to a folder with room",
        ) from None
