"""Predicts the size of the files of a full run from the files of a sample.

In: the task manifests of a sample of one source, and their files. Out: bytes.

A sampled file has few rows, and few rows compress badly. Therefore rows of several files are put together until there
are as many as in a file of the full run, or in a batch. The bytes that a file takes without rows are counted once per
file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pyarrow as pa

from dedup.signature_settings import signature_settings
from manifests.minhash import MinHash
from manifests.step import Output, TaskManifest
from pipeline.extract.text_pass import ALL_SIGNALS, signature_schema
from pipeline.folders import kind_and_name
from pipeline.readers.records import BATCH_TEXT_BYTES
from pipeline.schemas import DOCUMENTS, ipc_bytes, read_ipc
from pipeline.text.line_hashes import LINES
from storage.files import join

# With more text than this in total, sizes are taken as they are: the more text, the fuller the batches.
_MOST_TEXT_BYTES = 64 << 20
_COMPRESSED = ("documents", "signals")
# A file without rows has about as many bytes whatever its signatures are made by.
_SIGNATURES = signature_schema(signature_settings(MinHash(), seed=0))


def full_output_bytes(manifests: Sequence[TaskManifest], *, folder: str, record_share: float, by_files: float) -> int:
    """Bytes of all files of the full run.

    Args:
        manifests: manifests of the sampled tasks, in any fixed order.
        folder: the folder of their files.
        record_share: the share of each file's records that was drawn.
        by_files: raw bytes of all files divided by raw bytes of the sampled files.
    """
    outputs = [output for manifest in manifests for output in manifest.outputs]
    # The quarantine holds all broken records of a file, drawn or not.
    quarantine = sum(output.bytes for output in outputs if _kind(output) == "quarantine")
    frames: float = sum(_frame_bytes()[_kind(output)] for output in outputs if _kind(output) != "quarantine")
    rows = sum(output.bytes for output in outputs) - quarantine - frames
    text = sum(output.text_bytes for output in outputs)
    if record_share < 1 and 0 < text <= _MOST_TEXT_BYTES:
        kept = [manifest for manifest in manifests if manifest.ledger.kept]
        documents = sum(manifest.ledger.kept for manifest in kept)
        # In the full run, files whose records were not drawn also give documents.
        files = min(len(manifests), documents / record_share)
        frames *= files / len(kept)
        together = min(documents / record_share / files, max(1.0, BATCH_TEXT_BYTES * documents / text))
        groups = min(len(kept), max(1, round(documents / together)))
        rows = 0
        for number in range(groups):
            members = [manifest for index, manifest in enumerate(kept) if index * groups // len(kept) == number]
            rows += _row_bytes([output for manifest in members for output in manifest.outputs], folder)
    return round(by_files * (quarantine + frames + rows / record_share))


def _row_bytes(outputs: Sequence[Output], folder: str) -> int:
    """Bytes of the rows of several files if they were one batch."""
    total = 0
    for kind in ("documents", "signals", "signatures", "lines"):
        same_kind = [output for output in outputs if _kind(output) == kind]
        if same_kind and kind in _COMPRESSED:
            table = pa.concat_tables(
                [read_ipc(join(folder, output.path)).replace_schema_metadata() for output in same_kind]
            )
            table = table.unify_dictionaries().combine_chunks()
            total += ipc_bytes(table.to_batches(), table.schema).size - _frame_bytes()[kind]
        else:
            total += sum(output.bytes - _frame_bytes()[kind] for output in same_kind)
    return total


def _kind(output: Output) -> str:
    return kind_and_name(output.path)[0]


@cache
def _frame_bytes() -> dict[str, int]:
    """Bytes of a file with one batch of no rows, by kind."""
    schemas = {"documents": DOCUMENTS, "signals": ALL_SIGNALS, "signatures": _SIGNATURES, "lines": LINES}
    return {kind: ipc_bytes([_empty(schema)], schema).size for kind, schema in schemas.items()}


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
