"""Distributed checkpoints: model, optimizer and step, loadable under any layout.

    OUT/checkpoints/step-00000100/      Megatron's torch_dist files
    OUT/checkpoints/step-00000100/_MANIFEST.json

All ranks write into a temporary folder; when all are done the manifest is added, last, and the folder is renamed (for a run in an object
store `training.staging` uploads the files, then the manifest is stored). A folder without a manifest, or with other files than it lists, is
no checkpoint. There is no random state: without dropout training draws no numbers.
"""

from __future__ import annotations

import errno
import json
import os
import queue
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from megatron.core import dist_checkpointing, parallel_state
from megatron.core.dist_checkpointing.serialization import get_default_load_sharded_strategy, get_default_save_sharded_strategy
from megatron.core.dist_checkpointing.strategies import filesystem_async
from megatron.core.dist_checkpointing.validation import StrictHandling
from megatron.core.optimizer import MegatronOptimizer
from pydantic import ValidationError
from torch.distributed.checkpoint.api import CheckpointException

from manifests.base import Strict
from manifests.errors import GristmillError
from manifests.run import Layout
from manifests.storage import is_url, join, list_stats, publish, read_bytes, remove_file, remove_tree
from training.parallel import RankError, agree
from training.staging import fresh_folder, local_copy, upload

FOLDER = "checkpoints"
MANIFEST = "_MANIFEST.json"
_TEMPORARY = ".tmp-"
_FULL = 1 << 20  # bytes left on a full disk, at most
_GO_BACK = "remove this folder: the run then resumes from the checkpoint before"
_MAKE_ROOM = "make room and run the same command again: it resumes from the checkpoint before"


class Identity(Strict):
    """What a checkpoint belongs to; all hashes must be equal to go on from it."""

    model: str
    data: str
    order: str


class CheckpointManifest(Strict):
    """One complete checkpoint.

    Attributes:
        step: steps done; the next one has this number.
        loss: of the last of them.
        layout, data_parallel: what wrote it; another layout may read it.
        files: name to bytes.
    """

    format: Literal["gristmill-checkpoint/1"] = "gristmill-checkpoint/1"
    step: int
    loss: float
    identity: Identity
    layout: Layout
    data_parallel: int
    files: dict[str, int]


def folder_of(out: str, step: int) -> str:
    """Where the checkpoint after `step` steps lies."""
    return join(out, FOLDER, f"step-{step:08d}")


def save(
    out: str, model: Any, optimizer: MegatronOptimizer, *, step: int, loss: float, identity: Identity, layout: Layout, keep: int
) -> str:
    """Write and publish the checkpoint after `step` steps, then delete all but the newest `keep`. Called by all ranks together.

    Raises:
        GristmillError: the disk is full or cannot be written; earlier checkpoints stay.
    """
    final = folder_of(out, step)
    if is_url(out):
        temporary = fresh_folder(out, f"step-{step:08d}")
    else:
        temporary = join(out, FOLDER, f"{_TEMPORARY}step-{step:08d}")
        agree(lambda: _fresh_folder(temporary))
    metadata = _metadata(optimizer)
    # Overlapped gathering leaves the weights of the last update to be fetched by the next forward pass: fetch them now.
    if model.use_forward_hook:
        model.disable_forward_pre_hook()
        model.enable_forward_pre_hook()
    try:
        with _written_by_this_process():
            dist_checkpointing.save(
                _state(model, optimizer, metadata, loading=False),
                temporary,
                get_default_save_sharded_strategy("torch_dist", 1),
                content_metadata=_stored(metadata),
            )
    except CheckpointException as error:  # raised by all ranks when writing has failed on any; rank 0 alone knows why
        # torch's file writer tells of a full disk as a wrong position in the file.
        cause = "the disk is full" if shutil.disk_usage(temporary).free < _FULL else _cause(error)
        agree(lambda: remove_tree(temporary))
        raise GristmillError(f"the checkpoint cannot be written: {agree(lambda: cause)}", where=final, remedy=_MAKE_ROOM) from None
    except Exception as error:  # the other ranks are inside the save, waiting for this one: only its end ends them
        raise RankError(f"the checkpoint cannot be written: {_cause(error)}", where=final, remedy=_MAKE_ROOM) from error
    data_parallel = parallel_state.get_data_parallel_world_size()
    files = upload(temporary, final) if is_url(out) else agree(lambda: _files(temporary))
    manifest = CheckpointManifest(step=step, loss=loss, identity=identity, layout=layout, data_parallel=data_parallel, files=files)
    agree(lambda: _store_manifest(final, manifest) if is_url(out) else _publish(temporary, final, manifest))
    agree(lambda: _prune(out, keep))
    return final


def load(folder: str, model: Any, optimizer: MegatronOptimizer) -> None:
    """Load a complete checkpoint, of any layout, into model and optimizer. Called by all ranks together.

    Raises:
        GristmillError: it cannot be read.
    """
    metadata = _metadata(optimizer)
    with local_copy(folder, agree(lambda: _manifest_of(folder)).files) as local:
        state = _read(local, _state(model, optimizer, metadata, loading=True), where=folder)
    model.module.load_state_dict(state["model"], strict=True)
    with torch.no_grad():  # the distributed optimizer under fp32 writes into the weights themselves
        optimizer.load_state_dict(state["optimizer"])


def load_weights(folder: str, model: torch.nn.Module) -> None:
    """Load the weights of a complete checkpoint into a bare model."""
    with local_copy(folder, _manifest_of(folder).files) as local:
        state = _read(local, {"model": model.sharded_state_dict(metadata=_group())}, where=folder)  # type: ignore[operator]
    model.load_state_dict(state["model"], strict=True)


def complete(out: str) -> tuple[list[CheckpointManifest], list[str]]:
    """The complete checkpoints of a run, oldest first, and what is wrong with the others."""
    good: list[CheckpointManifest] = []
    problems: list[str] = []
    for folder, present in _folders(out):
        try:
            manifest = _manifest_of(folder)
        except GristmillError:
            problems.append(f"{folder} has no readable {MANIFEST}: it is not used")
            continue
        damaged = sorted(name for name, size in manifest.files.items() if present.get(name) != size)
        if damaged:
            problems.append(f"{folder} is damaged ({', '.join(damaged)}): it is not used")
        else:
            good.append(manifest)
    return good, problems


def check_identity(manifest: CheckpointManifest, identity: Identity, *, where: str) -> None:
    """Raise a GristmillError unless the checkpoint belongs to this model, these data and this order."""
    theirs = manifest.identity.model_dump()
    other = [name for name, value in identity.model_dump().items() if theirs[name] != value]
    if other:
        raise GristmillError(
            f"the checkpoint belongs to another run: {', '.join(other)} differ",
            where=where,
            remedy="remove it from the run's folder, or choose another `out`",
        )


def sweep(out: str) -> None:
    """Delete what killed saves left. Only the one process that holds the run's folder may do so."""
    if is_url(out):
        for folder, present in _folders(out):
            if MANIFEST not in present:
                remove_tree(folder)
        return
    for leftover in Path(out, FOLDER).glob(f"{_TEMPORARY}*"):
        remove_tree(str(leftover))


def _folders(out: str) -> list[tuple[str, dict[str, int]]]:
    """The folders of checkpoints, oldest first, each with its files: name to bytes; in a store with the manifest, locally without."""
    if not is_url(out):
        return [(str(folder), _files(str(folder))) for folder in sorted(Path(out, FOLDER).glob("step-*"))]
    found: dict[str, dict[str, int]] = {}
    for name, stat in list_stats(join(out, FOLDER), "step-*/*").items():
        folder, _, file = name.partition("/")
        found.setdefault(join(out, FOLDER, folder), {})[file] = stat.size
    return sorted(found.items())


def _manifest_of(folder: str) -> CheckpointManifest:
    try:
        return CheckpointManifest.model_validate_json(read_bytes(join(folder, MANIFEST)))
    except (OSError, ValidationError):
        raise GristmillError(f"has no readable {MANIFEST}", where=folder, remedy=_GO_BACK) from None


def _group() -> dict[str, Any]:
    return {"dp_cp_group": parallel_state.get_data_parallel_group(with_context_parallel=True)}


def _metadata(optimizer: MegatronOptimizer) -> dict[str, Any]:
    # 'fully_reshardable' is the one sharding of the distributed optimizer for every layout; Megatron's default loads under none.
    sharding = {"distrib_optim_sharding_type": "fully_reshardable"} if optimizer.config.use_distributed_optimizer else {}
    return {**_group(), "chained_optim_avoid_prefix": True, "singleton_local_shards": False, **sharding}


def _stored(metadata: dict[str, Any]) -> dict[str, Any]:
    """The part of the metadata that goes into the checkpoint."""
    return {key: value for key, value in metadata.items() if key != "dp_cp_group"}


def _state(model: Any, optimizer: MegatronOptimizer, metadata: dict[str, Any], *, loading: bool) -> dict[str, Any]:
    # Of the module inside the DDP wrapper, which would put "module." before every name.
    weights = model.module.sharded_state_dict(metadata=metadata)
    with _unpadded_offsets(optimizer):
        return {"model": weights, "optimizer": optimizer.sharded_state_dict({"model": weights}, is_loading=loading, metadata=metadata)}


@contextmanager
def _unpadded_offsets(optimizer: MegatronOptimizer) -> Iterator[None]:
    """Give Megatron 0.16.1 the offsets that its buffers really have while it lays out the distributed optimizer's state.

    It slices 'fully_reshardable' state with offsets of padded buckets out of buffers whose padding was removed: with several buckets, and
    a data-parallel size that does not divide them, all but the first would be saved shifted, silently (Megatron-LM pull request 5077).
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


@contextmanager
def _written_by_this_process() -> Iterator[None]:
    """Have a synchronous save write its files itself.

    Megatron forks a writer even then, and fetches its answer through a manager process that imports `__main__` again: seconds per save,
    and a writer that is killed leaves its parent waiting for ever.
    """
    writer = filesystem_async.FileSystemWriterAsync
    before_queue, before_write = filesystem_async._results_queue, writer.write_preloaded_data_multiproc
    filesystem_async._results_queue = queue.Queue()
    writer.write_preloaded_data_multiproc = staticmethod(_write_buckets)
    try:
        yield
    finally:
        filesystem_async._results_queue, writer.write_preloaded_data_multiproc = before_queue, staticmethod(before_write)


class _Done:
    """Stands for the queue on which a forked writer would say that it is done."""

    def get(self) -> None:
        pass

    def task_done(self) -> None:
        pass


def _write_buckets(transforms: list[Any], use_msc: bool, rank: int, buckets: list[Any], results: queue.Queue[Any]) -> None:
    written: dict[int, Any] = {}
    answers: queue.Queue[Any] = queue.Queue()
    for number, bucket in enumerate(buckets):
        filesystem_async.FileSystemWriterAsync.write_preloaded_data(transforms, number, bucket, answers, _Done(), True, use_msc=use_msc)
        _, answer = answers.get()
        if isinstance(answer, Exception):
            results.put(answer)
            return
        written[number] = answer
    results.put(written)


def _read(folder: str, state: dict[str, Any], *, where: str) -> dict[str, Any]:
    try:
        strategy = get_default_load_sharded_strategy(folder)
        loaded: dict[str, Any] = dist_checkpointing.load(state, folder, strategy, strict=StrictHandling.RAISE_UNEXPECTED)
    except CheckpointException as error:  # raised by all ranks
        raise GristmillError(f"the checkpoint cannot be read: {_cause(error)}", where=where, remedy=_GO_BACK) from None
    except Exception as error:
        raise RankError(f"the checkpoint cannot be read: {_cause(error)}", where=where, remedy=_GO_BACK) from error
    return loaded


def _cause(error: BaseException) -> str:
    """The first line of what began it all, with a full disk said plainly."""
    text = str(error)
    if isinstance(error, CheckpointException) and error.failures:
        return _cause(next(iter(error.failures.values()))[0])
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or os.strerror(errno.ENOSPC) in text:
        return "the disk is full"
    return f"{type(error).__name__}: {text.strip().splitlines()[0] if text.strip() else ''}"


def _fresh_folder(folder: str) -> None:
    remove_tree(folder)
    try:
        Path(folder).mkdir(parents=True)
    except OSError as error:
        raise GristmillError(f"cannot be written: {error.strerror}", where=folder, remedy="check the folder's permissions") from None


def _files(folder: str) -> dict[str, int]:
    return {entry.name: entry.stat().st_size for entry in sorted(Path(folder).iterdir()) if entry.name != MANIFEST and entry.is_file()}


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


def _prune(out: str, keep: int) -> None:
    good, _ = complete(out)
    for old in good[:-keep]:
        # Without its manifest a half-deleted folder is no checkpoint.
        remove_file(join(folder_of(out, old.step), MANIFEST))
        remove_tree(folder_of(out, old.step))
