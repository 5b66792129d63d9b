"""The Arrow tables between the stages of substrings, as arrays; and the table that stays, `REMOVED`.

Documents are rows of a shard of `OUT/tokens`, or shard << 32 | row where several shards meet. Starts and offsets count
tokens from the beginning of a document's text: BOS is not counted.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dedup.repeats import Repeats
from dedup.stretches import Answers
from kernels.arrays import Int64s, Uint64s
from pipeline.schemas import DOCUMENT_ID, id_column, id_halves, read_ipc

# Grams of a shard that are not first in it, by document and start.
WITHIN = pa.schema([pa.field(name, pa.int64(), nullable=False) for name in Repeats._fields])

# Keys that several shards have, by shard and key.
SHARED = pa.schema(
    [
        pa.field("shard", pa.int64(), nullable=False),
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("hot", pa.bool_(), nullable=False),  # too many texts have it for one partition
    ]
)

# Grams whose first occurrence is in another shard, by document and start.
ANSWERS = pa.schema(
    [
        pa.field("document", pa.uint64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("first_document", pa.uint64(), nullable=False),
        pa.field("first_start", pa.int64(), nullable=False),
        pa.field("first_id", DOCUMENT_ID, nullable=False),
    ]
)

# Runs that were cut out of one shard, by document and offset. Runs may overlap: what goes is what they cover together.
REMOVED = pa.schema(
    [
        pa.field("document", pa.int64(), nullable=False),  # row of the shard in `OUT/tokens`
        pa.field("document_id", DOCUMENT_ID, nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),  # tokens
        pa.field("kept_id", DOCUMENT_ID, nullable=False),  # the document with the first occurrence
        pa.field("kept_offset", pa.int64(), nullable=False),
        pa.field("whole", pa.bool_(), nullable=False),  # the document goes, with what the runs leave of it
    ]
)


def within_batch(repeats: Repeats) -> pa.RecordBatch:
    """Rows of `WITHIN`."""
    return pa.RecordBatch.from_arrays([pa.array(column) for column in repeats], schema=WITHIN)


def read_within(path: str) -> Repeats:
    """What a file of `WITHIN` holds."""
    table = read_ipc(path)
    return Repeats._make(table[name].to_numpy() for name in WITHIN.names)


def answers_batch(answers: Answers) -> pa.RecordBatch:
    """Rows of `ANSWERS`."""
    columns = [pa.array(column) for column in answers[:-1]]
    return pa.RecordBatch.from_arrays([*columns, id_column(answers.first_ids)], schema=ANSWERS)


def read_answers(path: str) -> Answers:
    """What a file of `ANSWERS` holds."""
    table = read_ipc(path)
    return Answers._make(
        [*(table[name].to_numpy() for name in ANSWERS.names[:-1]), id_halves(table["first_id"])],
    )


def pack_answers(answers: Answers) -> bytes:
    """Answers as bytes: 56 each."""
    columns = [column.astype(np.uint64) for column in answers[:-1]]
    return np.ascontiguousarray(np.column_stack([*columns, answers.first_ids])).tobytes()


def unpack_answers(packed: bytes) -> Answers:
    """The inverse of `pack_answers`."""
    words = np.frombuffer(packed, np.uint64).reshape(-1, 7)
    return Answers(
        words[:, 0],
        words[:, 1].astype(np.int64),
        words[:, 2].astype(np.int64),
        words[:, 3],
        words[:, 4].astype(np.int64),
        words[:, 5:],
    )


def pack_kept(documents: Uint64s, starts: Int64s, counts: Int64s) -> bytes:
    """First occurrences as bytes, each once: 24 each."""
    rows = np.column_stack([documents & np.uint64(0xFFFFFFFF), starts.astype(np.uint64), counts.astype(np.uint64)])
    return np.unique(rows, axis=0).tobytes()


def unpack_kept(packed: bytes) -> tuple[Int64s, Int64s, Int64s]:
    """The inverse of `pack_kept`: rows, starts, counts."""
    rows, starts, counts = np.frombuffer(packed, np.int64).reshape(-1, 3).T
    return rows, starts, counts
