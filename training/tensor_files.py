"""The files of a checkpoint: tensors as plain bytes, one file per rank, and a JSON index of the pieces of each tensor.

    __RANK_0.distcp     pieces of tensors, little-endian, each beginning at a multiple of 64 bytes
    .metadata           JSON: `Index`, all tensors with their pieces, and the values that are not tensors

In: a Megatron state (`ShardedTensor`s, factories, plain values). Out: files, or such a state filled in with any layout:
each rank copies the overlap of its piece of a tensor with the pieces that were written. Reading these files cannot run
code. torch's and Megatron's own readers can, since they unpickle (`.metadata`, `common.pt`, objects in `.distcp`).
"""

from __future__ import annotations

import errno
import hashlib
import math
import mmap
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import torch.distributed as dist
from megatron.core.dist_checkpointing.core import CheckpointingException
from megatron.core.dist_checkpointing.dict_utils import dict_list_map_inplace, merge, nested_values
from megatron.core.dist_checkpointing.mapping import ShardedObject, ShardedTensor, apply_factory_merges, is_main_replica
from megatron.core.dist_checkpointing.state_dict_utils import load_preprocess, save_preprocess
from megatron.core.dist_checkpointing.utils import extract_sharded_base
from megatron.core.dist_checkpointing.validation import determine_global_metadata, validate_sharding_integrity
from pydantic import Field, NonNegativeInt

from manifests.base import Strict, canonical_json, load_json, validate
from manifests.errors import GristmillError
from storage.mapped import note_mapped
from training.parallel import agree, every_rank

INDEX = ".metadata"

FileName = Annotated[str, Field(pattern=r"^(\.metadata|__[0-9]+_0\.distcp)$")]
"""Name of a file in a checkpoint; no name can lead out of its folder."""

_ALIGN = 64
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# Values that JSON cannot express are written as an object with one of these keys.
_TUPLE, _PAIRS, _TENSOR = "__tuple__", "__pairs__", "__tensor__"
# A plain tensor of at most this many numbers may be stored as a value in the index; weights are stored as pieces.
_MOST_VALUES = 4096

_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float64,
        torch.float32,
        torch.bfloat16,
        torch.float16,
        torch.int64,
        torch.int32,
        torch.uint8,
        torch.bool,
    )
}


class StoredFile(Strict):
    """A file of a checkpoint."""

    bytes: NonNegativeInt
    sha256: str


class Piece(Strict):
    """A box of a tensor, in row-major order: its offset in the tensor, its shape, its file and its first byte there."""

    offset: list[NonNegativeInt]
    shape: list[NonNegativeInt]
    file: str
    at: NonNegativeInt


class StoredTensor(Strict):
    """A tensor; its pieces do not overlap."""

    dtype: str
    shape: list[NonNegativeInt]
    pieces: list[Piece]


class Index(Strict):
    """The contents of a checkpoint."""

    format: Literal["gristmill-tensors/1"] = "gristmill-tensors/1"
    tensors: dict[str, StoredTensor]
    values: Any


def write_state(folder: str, state: dict[str, Any]) -> dict[str, StoredFile]:
    """Write a state into an empty folder that all ranks see, and flush it to disk. Called by all ranks together.

    Returns:
        Name to size and sha256, of the files of all ranks.

    Raises:
        GristmillError: the disk is full or cannot be written, or the state has a value that JSON cannot express.
    """
    sharded, values = save_preprocess(state)
    name = f"__{dist.get_rank()}_0.distcp"
    mine = [item for item in nested_values(sharded) if is_main_replica(item.replica_id)]

    def write() -> tuple[StoredFile | None, list[tuple[str, StoredTensor]]]:
        for item in mine:
            if isinstance(item, ShardedObject) and not _is_nothing(item.data):
                raise GristmillError(f"{item.key} is state that is no tensor: checkpoints hold none", where=folder)
        tensors = [item for item in mine if isinstance(item, ShardedTensor)]
        return _write_tensors(Path(folder), name, tensors) if tensors else (None, [])

    written = every_rank(write)
    files = {f"__{rank}_0.distcp": file for rank, (file, _) in enumerate(written) if file is not None}

    def write_index() -> StoredFile:
        index = Index(
            tensors=_joined(pair for _, pairs in written for pair in pairs), values=_plain(values, where=folder)
        )
        return _write(Path(folder, INDEX), [canonical_json(index.model_dump(mode="json")).encode()])

    return {**files, INDEX: agree(write_index)}


def read_state(folder: str, state: dict[str, Any], files: Mapping[str, StoredFile]) -> dict[str, Any]:
    """Fill a state from a folder whose files are known to be whole. Called by all ranks together.

    Args:
        state: the state of this rank, for any layout; tensors are filled in place.
        files: the files in the folder.

    Raises:
        GristmillError: the checkpoint lacks a part of the state, or is inconsistent.
    """
    index = validate(
        load_json(Path(folder, INDEX).read_bytes(), where=str(Path(folder, INDEX))),
        Index,
        where=str(Path(folder, INDEX)),
    )
    loaded: dict[str, Any] = _values(index.values)
    sharded, local, factories = load_preprocess(state)
    merge(loaded, local)
    sharded, _ = extract_sharded_base(sharded)
    validate_sharding_integrity(determine_global_metadata(sharded)[1])
    with _Maps(Path(folder), files) as maps:
        for item in nested_values(sharded):
            if isinstance(item, ShardedTensor):
                _read_tensor(item, index, maps, where=folder)
    merge(loaded, dict_list_map_inplace(lambda item: item.data, sharded))
    filled: dict[str, Any] = apply_factory_merges(loaded, factories)
    return filled


def _write_tensors(
    folder: Path, name: str, tensors: Iterable[ShardedTensor]
) -> tuple[StoredFile, list[tuple[str, StoredTensor]]]:
    pairs: list[tuple[str, StoredTensor]] = []

    def parts() -> Iterable[bytes | memoryview]:
        at = 0
        for tensor in tensors:
            data = tensor.data.detach().to("cpu").contiguous()
            piece = Piece(offset=list(tensor.global_offset), shape=_local_shape(tensor), file=name, at=at)
            dtype = str(data.dtype).removeprefix("torch.")
            pairs.append((tensor.key, StoredTensor(dtype=dtype, shape=list(tensor.global_shape), pieces=[piece])))
            size = data.numel() * data.element_size()
            yield memoryview(data.reshape(-1).view(torch.uint8).numpy())
            at += size + -size % _ALIGN
            yield bytes(-size % _ALIGN)

    return _write(folder / name, parts()), pairs


def _write(path: Path, parts: Iterable[bytes | memoryview]) -> StoredFile:
    digest, size = hashlib.sha256(), 0
    try:
        with open(path, "wb") as file:
            for part in parts:
                digest.update(part)
                size += file.write(part)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        cause = "the disk is full" if error.errno in _FULL_DISK else f"cannot be written: {error.strerror or error}"
        raise GristmillError(cause, where=str(path)) from None
    return StoredFile(bytes=size, sha256=digest.hexdigest())


def _joined(pairs: Iterable[tuple[str, StoredTensor]]) -> dict[str, StoredTensor]:
    tensors: dict[str, StoredTensor] = {}
    for key, tensor in pairs:
        before = tensors.get(key)
        if before is None:
            tensors[key] = tensor
        elif (before.dtype, before.shape) != (tensor.dtype, tensor.shape):
            raise CheckpointingException(
                f"{key} is {before.dtype}{before.shape} on one rank, {tensor.dtype}{tensor.shape} on another"
            )
        else:
            before.pieces.extend(tensor.pieces)
    for key, tensor in tensors.items():
        written = sum(math.prod(piece.shape) for piece in tensor.pieces)
        if written != math.prod(tensor.shape):
            raise CheckpointingException(f"of the {math.prod(tensor.shape)} numbers of {key} the ranks wrote {written}")
    return tensors


class _Maps:
    """Memory-mapped files of a checkpoint, for as long as the block runs."""

    def __init__(self, folder: Path, files: Mapping[str, StoredFile]) -> None:
        self._folder, self._files, self._open = folder, files, dict[str, mmap.mmap]()

    def __enter__(self) -> _Maps:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.clear()

    def tensor(self, piece: Piece, dtype: torch.dtype) -> torch.Tensor:
        """The tensor of a piece; read-only."""
        size = math.prod(piece.shape) * dtype.itemsize
        if piece.file not in self._files or piece.at + size > self._files[piece.file].bytes or piece.at % _ALIGN:
            raise GristmillError(f"a piece lies outside of {piece.file}", where=str(self._folder / INDEX))
        if piece.file not in self._open:
            note_mapped(str(self._folder / piece.file))
            with open(self._folder / piece.file, "rb") as file:
                self._open[piece.file] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch warns about read-only memory
            return torch.frombuffer(
                self._open[piece.file], dtype=dtype, count=math.prod(piece.shape), offset=piece.at
            ).view(piece.shape)


def _read_tensor(target: ShardedTensor, index: Index, maps: _Maps, *, where: str) -> None:
    """Fill a rank's piece of a tensor from the pieces that were written."""
    stored = index.tensors.get(target.key)
    if stored is None or stored.dtype not in _DTYPES or len(stored.shape) != len(target.global_shape):
        raise GristmillError(f"lacks {target.key}", where=where)
    if target.data is None:
        target.init_data("cpu")
    data = target.data.detach()
    if not target.allow_shape_mismatch and list(target.global_shape) != stored.shape:
        raise GristmillError(f"{target.key} is {stored.shape}, the model has {list(target.global_shape)}", where=where)
    if target.allow_shape_mismatch:
        data.zero_()
    shape = _local_shape(target)
    whole, missing = data.view(shape), math.prod(shape)
    for piece in stored.pieces:
        if len(piece.offset) != len(shape) or len(piece.shape) != len(shape):
            raise GristmillError(f"a piece of {target.key} has another number of axes", where=where)
        low = [max(ours, theirs) for ours, theirs in zip(target.global_offset, piece.offset, strict=True)]
        high = [
            min(ours + size, theirs + length)
            for ours, size, theirs, length in zip(target.global_offset, shape, piece.offset, piece.shape, strict=True)
        ]
        if any(end <= start for start, end in zip(low, high, strict=True)):
            continue
        source = maps.tensor(piece, _DTYPES[stored.dtype])
        target_box = tuple(slice(a - b, c - b) for a, b, c in zip(low, target.global_offset, high, strict=True))
        source_box = tuple(slice(a - b, c - b) for a, b, c in zip(low, piece.offset, high, strict=True))
        whole[target_box].copy_(source[source_box])
        missing -= math.prod(end - start for start, end in zip(low, high, strict=True))
    if missing and not target.allow_shape_mismatch:
        raise GristmillError(f"holds {target.key} in part only", where=where)
    target.data = data


def _local_shape(tensor: ShardedTensor) -> list[int]:
    return [*[1] * tensor.prepend_axis_num, *tensor.local_shape]


def _is_nothing(value: Any) -> bool:
    """True for the empty state that layers without state return."""
    if isinstance(value, torch.Tensor):
        return value.numel() == 0
    return value is None or (hasattr(value, "getbuffer") and len(value.getbuffer()) == 0)


def _plain(value: Any, *, where: str) -> Any:
    """A value in a form that JSON can express."""
    if value is None or isinstance(value, bool | str) or type(value) in (int, float):
        return value
    if isinstance(value, tuple):
        return {_TUPLE: [_plain(part, where=where) for part in value]}
    if isinstance(value, list):
        return [_plain(part, where=where) for part in value]
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("__") for key in value):
            return {key: _plain(part, where=where) for key, part in value.items()}
        return {_PAIRS: [[_plain(key, where=where), _plain(part, where=where)] for key, part in value.items()]}
    if (
        isinstance(value, torch.Tensor)
        and value.numel() <= _MOST_VALUES
        and (name := str(value.dtype).removeprefix("torch.")) in _DTYPES
    ):
        return {_TENSOR: [name, value.tolist()]}
    raise GristmillError(
        f"{type(value).__name__} among the values of the state: checkpoints cannot hold it", where=where
    )


def _values(value: Any) -> Any:
    """The inverse of `_plain`."""
    if isinstance(value, list):
        return [_values(part) for part in value]
    if not isinstance(value, dict):
        return value
    if _TUPLE in value:
        return tuple(_values(part) for part in value[_TUPLE])
    if _PAIRS in value:
        return {_values(key): _values(part) for key, part in value[_PAIRS]}
    if _TENSOR in value:
        name, numbers = value[_TENSOR]
        return torch.tensor(numbers, dtype=_DTYPES[name])
    return {key: _values(part) for key, part in value.items()}
