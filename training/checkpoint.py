"""Distributed checkpoints: model, optimizer and step, loadable under any layout.

    OUT/checkpoints/step-00000100/      `training.tensor_files`: tensors as plain bytes, and a JSON index of them
    OUT/checkpoints/step-00000100/_MANIFEST.json

All ranks write into a temporary folder. When all are done, the manifest is added last and the folder is renamed. (For a
run in an object store, `training.staging` uploads the files, then the manifest is stored.) Hashes decide whether a
checkpoint is whole: each rank hashes its files while it writes them, and every file is compared with its hash before a
checkpoint is used. A folder without a manifest, or with files other than those it lists, is not a checkpoint. There is
no random state: without dropout, training draws no random numbers.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.optimizer import MegatronOptimizer
from pydantic import ValidationError

from manifests.base import Strict, load_json, sha256_of
from manifests.errors import GristmillError
from manifests.run import Layout
from storage.checked import file_problem
from storage.files import is_url, join, list_stats, publish, read_if_there, remove_file, remove_tree
from training.parallel import RankError, agree, every_rank
from training.staging import fetch, fresh_folder, local_copy, upload
from training.tensor_files import FileName, StoredFile, read_state, write_state

FOLDER = "checkpoints"
MANIFEST = "_MANIFEST.json"
FORMAT = "gristmill-checkpoint/2"
_PICKLED = "gristmill-checkpoint/1"
_TEMPORARY = ".tmp-"
_GO_BACK = "remove this folder: the run then resumes from the checkpoint before"
_MAKE_ROOM = "make room and run the same command again: it resumes from the checkpoint before"


class Identity(Strict):
    """The model, data and order that a checkpoint belongs to; to resume from it, all hashes must be equal."""

    model: str
    data: str
    order: str


class CheckpointManifest(Strict):
    """One complete checkpoint.

    Attributes:
        step: number of steps done; the next step has this number.
        loss: loss of the last step.
        layout, data_parallel: the layout that wrote it; another layout may read it.
        digest: sha256 over all other fields.
    """

    format: Literal["gristmill-checkpoint/2"] = "gristmill-checkpoint/2"
    step: int
    loss: float
    identity: Identity
    layout: Layout
    data_parallel: int
    files: dict[FileName, StoredFile]
    digest: str = ""


@dataclass(frozen=True)
class Problem:
    """Why a checkpoint is not used."""

    folder: str
    message: str

    def __str__(self) -> str:
        return f"{self.folder} {self.message}"


def folder_of(out: str, step: int) -> str:
    """The folder of the checkpoint after `step` steps."""
    return join(out, FOLDER, f"step-{step:08d}")


def save(
    out: str,
    model: Any,
    optimizer: MegatronOptimizer,
    *,
    step: int,
    loss: float,
    identity: Identity,
    layout: Layout,
    keep: int,
) -> str:
    """Write and publish the checkpoint after `step` steps, then delete all but the newest `keep`. Called by all ranks
    together.

    Raises:
        GristmillError: the disk is full or cannot be written; earlier checkpoints are kept.
    """
    final = folder_of(out, step)
    if is_url(out):
        temporary = fresh_folder(out, f"step-{step:08d}")
    else:
        temporary = join(out, FOLDER, f"{_TEMPORARY}step-{step:08d}")
        agree(lambda: _fresh_folder(temporary))
    metadata = _metadata(optimizer)
    # With overlapped gathering, the next forward pass would fetch the weights of the last update: fetch them now.
    if model.use_forward_hook:
        model.disable_forward_pre_hook()
        model.enable_forward_pre_hook()
    try:
        files = write_state(temporary, _state(model, optimizer, metadata, loading=False))
    except GristmillError as error:  # raised by all ranks
        agree(lambda: remove_tree(temporary))
        raise GristmillError(
            f"the checkpoint cannot be written: {error.message}", where=final, remedy=_MAKE_ROOM
        ) from None
    except Exception as error:  # the other ranks are inside the save and wait for this one until it ends
        raise RankError(f"the checkpoint cannot be written: {_cause(error)}", where=final, remedy=_MAKE_ROOM) from error
    if is_url(out):
        upload(temporary, final, files)
    undigested = CheckpointManifest(
        step=step,
        loss=loss,
        identity=identity,
        layout=layout,
        data_parallel=parallel_state.get_data_parallel_world_size(),
        files=files,
    )
    manifest = undigested.model_copy(update={"digest": _digest(undigested)})
    agree(lambda: _store_manifest(final, manifest) if is_url(out) else _publish(temporary, final, manifest))
    agree(lambda: _prune(out, keep, step))
    return final


def load(folder: str, model: Any, optimizer: MegatronOptimizer) -> None:
    """Load a whole checkpoint, of any layout, into model and optimizer. Called by all ranks together.

    Raises:
        GristmillError: it cannot be read.
    """
    metadata = _metadata(optimizer)
    files = agree(lambda: _manifest_of(folder)).files
    with local_copy(folder, files) as local:
        state = _read(local, _state(model, optimizer, metadata, loading=True), files, where=folder)
    model.module.load_state_dict(state["model"], strict=True)
    with torch.no_grad():  # the distributed optimizer under fp32 writes into the weights themselves
        optimizer.load_state_dict(state["optimizer"])


def load_weights(folder: str, model: torch.nn.Module) -> None:
    """Load the weights of a whole checkpoint into a bare model."""
    files = _manifest_of(folder).files
    with local_copy(folder, files) as local:
        state = _read(local, {"model": model.sharded_state_dict(metadata=_group())}, files, where=folder)  # type: ignore[operator]
    model.load_state_dict(state["model"], strict=True)


def newest_whole(out: str, *, say: Callable[[str], None]) -> CheckpointManifest | None:
    """The newest checkpoint whose files all match their hashes; None if there is no checkpoint.

    Called by all ranks together.

    Files in an object store are downloaded for this, and kept until they are loaded.

    Args:
        say: called with a note for each checkpoint that is not used.

    Raises:
        GristmillError: there are checkpoints, but none of them is whole.
    """
    good, problems = agree(lambda: complete(out))
    for problem in problems:
        say(f"note: {problem}")
    for manifest in reversed(good):
        folder = folder_of(out, manifest.step)
        names = damaged_files(folder, manifest)
        if not names:
            return manifest
        problems.append(_damaged(folder, names))
        say(f"note: {problems[-1]}")
    if problems:
        raise GristmillError(
            "\n  ".join(["none of the checkpoints is whole:", *map(str, problems)]),
            where=out,
            remedy=f"restore one of them, or remove {join(out, FOLDER)} to begin again at step 0",
        )
    return None


def damaged_files(folder: str, manifest: CheckpointManifest) -> list[str]:
    """The files of a checkpoint that do not match its manifest.

    Called by all ranks together: each reads a part of the files.
    """
    if is_url(folder):
        return fetch(folder, manifest.files)
    names = sorted(manifest.files, key=lambda name: (-manifest.files[name].bytes, name))
    mine = names[dist.get_rank() :: dist.get_world_size()]
    damaged = every_rank(lambda: [name for name in mine if _is_damaged(join(folder, name), manifest.files[name])])
    return sorted(name for names in damaged for name in names)


def check_checkpoints(out: str) -> tuple[int, list[Problem]]:
    """The number of files in all checkpoints of a run, and the problems found; reads every byte."""
    good, problems = complete(out)
    for manifest in good:
        folder = folder_of(out, manifest.step)
        names = sorted(name for name, file in manifest.files.items() if _is_damaged(join(folder, name), file))
        problems += [_damaged(folder, names)] if names else []
    return sum(len(manifest.files) for manifest in good), problems


def complete(out: str) -> tuple[list[CheckpointManifest], list[Problem]]:
    """The checkpoints with a manifest and all files in the right sizes, oldest first, and the problems of the others.

    Raises:
        GristmillError: a checkpoint has an old format that only unpickling can read.
    """
    good: list[CheckpointManifest] = []
    problems: list[Problem] = []
    for folder, present in _folders(out):
        try:
            manifest = _manifest_of(folder)
        except PickledError:
            raise
        except GristmillError as error:
            problems.append(Problem(folder, f"{error.message}: it is not used"))
            continue
        damaged = sorted(name for name, file in manifest.files.items() if present.get(name) != file.bytes)
        if damaged:
            problems.append(_damaged(folder, damaged))
        else:
            good.append(manifest)
    return good, problems


def _damaged(folder: str, names: list[str]) -> Problem:
    return Problem(folder, f"is damaged ({', '.join(names)}): it is not used")


def _is_damaged(path: str, file: StoredFile) -> bool:
    return file_problem(path, size=file.bytes, sha256=file.sha256) is not None


def check_identity(
    manifest: CheckpointManifest, identity: Identity, earlier: Sequence[tuple[int, Identity]] = (), *, where: str
) -> None:
    """Raise a GristmillError unless the checkpoint belongs to this model, these data and this order.

    Args:
        earlier: what checkpoints up to a step may belong to instead.
    """
    if any(manifest.step <= last and manifest.identity == before for last, before in earlier):
        return
    theirs = manifest.identity.model_dump()
    other = [name for name, value in identity.model_dump().items() if theirs[name] != value]
    if other:
        raise GristmillError(
            f"the checkpoint belongs to another run: {', '.join(other)} differ",
            where=where,
            remedy="remove it from the run's folder, or choose another `out`",
        )


def sweep(out: str) -> None:
    """Delete what killed saves left. Only the process that holds the lock of the run's folder may do so."""
    if is_url(out):
        for folder, present in _folders(out):
            if MANIFEST not in present:
                remove_tree(folder)
        return
    for leftover in Path(out, FOLDER).glob(f"{_TEMPORARY}*"):
        remove_tree(str(leftover))


def _folders(out: str) -> list[tuple[str, dict[str, int]]]:
    """The folders of checkpoints, oldest first, each with its files (name to bytes).

    In an object store the files include the manifest, on a local disk they do not.
    """
    if not is_url(out):
        return [(str(folder), _files(str(folder))) for folder in sorted(Path(out, FOLDER).glob("step-*"))]
    folders: dict[str, dict[str, int]] = {}
    for name, stat in list_stats(join(out, FOLDER), "step-*/*", dotted=True).items():
        folder, _, file = name.partition("/")
        folders.setdefault(join(out, FOLDER, folder), {})[file] = stat.size
    return sorted(folders.items())


class PickledError(GristmillError):
    """A checkpoint in a format that can only be read by unpickling, which can run code."""


def _manifest_of(folder: str) -> CheckpointManifest:
    path = join(folder, MANIFEST)
    try:
        data = load_json(read_if_there(path) or b"", where=path)
        if isinstance(data, dict) and data.get("format") == _PICKLED:
            raise PickledError(
                "was written by an earlier version, as pickles: they are not read, since reading could run what a file"
                " says",
                where=folder,
                remedy="go on with the version that wrote it, or remove the run's checkpoints to begin again at step 0",
            )
        manifest = CheckpointManifest.model_validate(data)
    except PickledError:
        raise
    except (OSError, GristmillError, ValidationError):
        raise GristmillError(f"has no readable {MANIFEST}", where=folder, remedy=_GO_BACK) from None
    if (
        manifest.digest != _digest(manifest)
        or folder_of("", manifest.step).rpartition("/")[2] != folder.rpartition("/")[2]
    ):
        raise GristmillError(
            f"is damaged (its {MANIFEST} was changed, or is that of another checkpoint)", where=folder, remedy=_GO_BACK
        )
    return manifest


def _digest(manifest: CheckpointManifest) -> str:
    return sha256_of(manifest.model_dump(mode="json", exclude={"digest"}))


def _group() -> dict[str, Any]:
    return {"dp_cp_group": parallel_state.get_data_parallel_group(with_context_parallel=True)}


def _metadata(optimizer: MegatronOptimizer) -> dict[str, Any]:
    # State of the distributed optimizer sharded as 'fully_reshardable' loads with any layout. With Megatron's default
    # it does not load at all, not even with the same layout.
    sharding = (
        {"distrib_optim_sharding_type": "fully_reshardable"} if optimizer.config.use_distributed_optimizer else {}
    )
    return {**_group(), "chained_optim_avoid_prefix": True, "singleton_local_shards": False, **sharding}


def _state(model: Any, optimizer: MegatronOptimizer, metadata: dict[str, Any], *, loading: bool) -> dict[str, Any]:
    # Use the module inside the DDP wrapper: the wrapper would put "module." before every name.
    weights = model.module.sharded_state_dict(metadata=metadata)
    with _unpadded_offsets(optimizer):
        return {
            "model": weights,
            "optimizer": optimizer.sharded_state_dict({"model": weights}, is_loading=loading, metadata=metadata),
        }


@contextmanager
def _unpadded_offsets(optimizer: MegatronOptimizer) -> Iterator[None]:
    """Give Megatron 0.16.1 the real offsets of its buffers while it lays out the distributed optimizer's state.

    It slices 'fully_reshardable' state with offsets of padded buckets, but from buffers whose padding was removed. With
    several buckets, and a data-parallel size that does not divide them, all but the first would silently be saved
    shifted (Megatron-LM pull request 5077).
    """
    buffers = [buffer for part in optimizer.chained_optimizers for buffer in getattr(part, "buffers", [])]
    original = [buffer.param_index_map for buffer in buffers]
    for buffer in buffers:
        padding = [0]
        for bucket in buffer.buckets:
            padding.append(padding[-1] + bucket.grad_data.numel() - bucket.numel_unpadded)
        buffer.param_index_map = {
            parameter: (start - padding[number], end - padding[number], number)
            for parameter, (start, end, number) in buffer.param_index_map.items()
        }
    try:
        yield
    finally:
        for buffer, index in zip(buffers, original, strict=True):
            buffer.param_index_map = index


def _read(folder: str, state: dict[str, Any], files: dict[str, StoredFile], *, where: str) -> dict[str, Any]:
    try:
        return read_state(folder, state, files)
    except GristmillError as error:
        raise RankError(f"the checkpoint cannot be read: {error.message}", where=where, remedy=_GO_BACK) from None
    except Exception as error:
        raise RankError(f"the checkpoint cannot be read: {_cause(error)}", where=where, remedy=_GO_BACK) from error


def _cause(error: BaseException) -> str:
    """An error's type and first line."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else ''}"


def _fresh_folder(folder: str) -> None:
    remove_tree(folder)
    try:
        Path(folder).mkdir(parents=True)
    except OSError as error:
        raise GristmillError(
            f"cannot be written: {error.strerror}", where=folder, remedy="check the folder's permissions"
        ) from None


def _files(folder: str) -> dict[str, int]:
    return {
        entry.name: entry.stat().st_size
        for entry in sorted(Path(folder).iterdir())
        if entry.name != MANIFEST and entry.is_file()
    }


def _store_manifest(folder: str, manifest: CheckpointManifest) -> None:
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True)
    publish(join(folder, MANIFEST), (text + "\n").encode())


def _publish(temporary: str, final: str, manifest: CheckpointManifest) -> None:
    _store_manifest(temporary, manifest)
    remove_tree(final)
    Path(temporary).rename(final)
    descriptor = os.open(Path(final).parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prune(out: str, keep: int, step: int) -> None:
    """Delete all but the newest `keep` checkpoints up to `step`.

    Checkpoints after `step` must be damaged, or the run would have resumed from them. They do not count and are not
    deleted.
    """
    good = [manifest for manifest in complete(out)[0] if manifest.step <= step]
    for old in good[:-keep]:
        # Delete the manifest first: without it, a half-deleted folder is not taken for a checkpoint.
        remove_file(join(folder_of(out, old.step), MANIFEST))
        remove_tree(folder_of(out, old.step))
