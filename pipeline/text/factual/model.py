"""The factual model: its file, and the score that it gives a text.

In: UTF-8 bytes and offsets of n documents. Out: float32[n], row-aligned: the log-odds that a text is of the factual
kind (Wikipedia's references, in Llama 1: arXiv 2302.13971, section 2.1) against the general one, where both are equally
frequent. 0 is undecided; a text without words has the model's bias.

The file is one Arrow IPC file: a column `weights`, int16, one row per slot, and as schema metadata a JSON header
(`Header`) with a sha256 over all of it. Weights are whole numbers times `scale`, so that a document's sum is exact and
its score the same on every machine.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field, JsonValue, ValidationError

from kernels.arrays import Bytes, Float32s, Float64s, Int32s, Int64s
from kernels.characters import classes
from manifests.base import Strict, canonical_json, first_problem, load_json
from manifests.corpus import Factual
from manifests.errors import GristmillError
from pipeline.text.factual.ngrams import folded_bytes, sum_weights
from storage.files import read_bytes

_KEY = b"gristmill"
_COLUMN = "weights"
_LARGEST = 32_767
_REMEDY = "give a file that `gristmill factual train` wrote; copy or train it again"


class Header(Strict):
    """What a model's file says besides its weights.

    Attributes:
        bits: log2 of the number of slots.
        pairs: whether pairs of words are n-grams, besides words.
        scale, bias: log-odds are bias + scale * (sum of weights / number of n-grams).
        training: what it was made from: settings, and per source its files' hashes and documents.
        report: `pipeline.text.factual.quality.Report` as JSON.
        sha256: over the weights' bytes and all of the header but this.
    """

    format: Literal["gristmill-factual/1"] = "gristmill-factual/1"
    name: str
    bits: int = Field(ge=1, le=24)
    pairs: bool
    scale: float
    bias: float
    training: dict[str, JsonValue]
    report: dict[str, JsonValue]
    sha256: str = ""


class Model(NamedTuple):
    """A model as it scores: int32[2^bits] weights, and the rest of the file."""

    weights: Int32s
    header: Header


def make_model(
    weights: Float64s,
    bias: float,
    *,
    name: str,
    pairs: bool,
    training: dict[str, JsonValue],
    report: dict[str, JsonValue],
) -> Model:
    """The model of fitted weights, float64[2^bits], rounded to 16 bits."""
    largest = float(np.abs(weights).max())
    scale = largest / _LARGEST if largest else 1.0
    whole = np.rint(weights / scale).astype(np.int32)
    header = Header(
        name=name,
        bits=len(weights).bit_length() - 1,
        pairs=pairs,
        scale=scale,
        bias=bias,
        training=training,
        report=report,
    )
    return Model(whole, header.model_copy(update={"sha256": _sha256(whole, header)}))


def model_bytes(model: Model) -> pa.Buffer:
    """The file."""
    metadata = {_KEY: canonical_json(model.header.model_dump(mode="json")).encode()}
    schema = pa.schema([pa.field(_COLUMN, pa.int16(), nullable=False)], metadata=metadata)
    batch = pa.RecordBatch.from_arrays([pa.array(model.weights.astype(np.int16))], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema, options=pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def read_model(path: str) -> Model:
    """The model of a file.

    Raises:
        GristmillError: the file is missing, no such model, or damaged.
    """
    data = read_bytes(path)
    try:
        table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
        said = (table.schema.metadata or {}).get(_KEY)
        if (
            said is None
            or table.schema.names != [_COLUMN]
            or table.schema.field(0).type != pa.int16()
            or table[0].null_count
        ):
            raise GristmillError("is no factual model", where=path, remedy=_REMEDY)
        if table[_COLUMN].null_count:
            raise ValueError("a weight is null")
        weights = table[_COLUMN].to_numpy().astype(np.int32)
        header = Header.model_validate(load_json(said, where=path))
    except (pa.ArrowException, OSError, ValueError) as error:
        problem = first_problem(error) if isinstance(error, ValidationError) else str(error).splitlines()[0]
        raise GristmillError(f"is no factual model: {problem}", where=path, remedy=_REMEDY) from None
    if len(weights) != 1 << header.bits or header.sha256 != _sha256(weights, header):
        raise GristmillError("the factual model is damaged: its sha256 is another", where=path, remedy=_REMEDY)
    weights.flags.writeable = False
    return Model(weights, header)


def _sha256(weights: Int32s, header: Header) -> str:
    digest = hashlib.sha256(weights.astype("<i2").tobytes())
    digest.update(canonical_json(header.model_dump(mode="json", exclude={"sha256"})).encode())
    return digest.hexdigest()


def factual_settings(factual: Factual | None) -> str | None:
    """What scores depend on: the sha256 of the model of the manifest, None without one.

    Raises:
        GristmillError: as `read_model`.
    """
    return None if factual is None else read_model(factual.model).header.sha256


@lru_cache(maxsize=2)
def load_model(path: str, _digest: str) -> Model:
    """The model of a file, read once per process; `_digest` distinguishes models that have had the same path."""
    return read_model(path)


def scores(data: Bytes, offsets: Int64s, model: Model) -> Float32s:
    """The log-odds of each document.

    Args:
        data, offsets: valid UTF-8; int64[n + 1] into it.
    """
    sums, counts = np.zeros(len(offsets) - 1, np.int64), np.zeros(len(offsets) - 1, np.int64)
    sum_weights(data, offsets, folded_bytes(), classes(), model.weights, model.header.pairs, sums, counts)
    shares = sums / np.maximum(counts, 1)
    return (model.header.bias + model.header.scale * shares).astype(np.float32)
