"""The text pass: one batch of raw records to clean documents, signals and signatures, each text read once.

In: batches of schema `pipeline.readers.records.RAW`. Out: `Measured`: row-aligned batches of schemas `DOCUMENTS`, `ALL_SIGNALS` and
`signature_schema`, in the order of the batch, without the records that hold nothing but space. A row depends on its own record and the
settings only: how records are batched does not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dedup.signatures import Permutations, make_permutations, signatures
from manifests.corpus import MinHash
from pipeline.language import identify
from pipeline.normalise import document_ids, normalise, text_buffers
from pipeline.personal_information import KINDS, count_spans
from pipeline.schemas import DOCUMENTS
from pipeline.signals import SIGNALS, compute_signals
from pipeline.sites import sites

# Language identification looks at a document's first characters only: cost is proportional to them (peers' practice).
LANGUAGE_CHARACTERS = 1_000

ALL_SIGNALS = pa.schema(
    [
        *SIGNALS,
        pa.field("language", pa.dictionary(pa.int16(), pa.string()), nullable=False),
        pa.field("language_score", pa.float32(), nullable=False),
        *[pa.field(f"spans_{kind}", pa.int32(), nullable=False) for kind in KINDS],
    ]
)


@dataclass(frozen=True)
class TextPass:
    """What the pass is to do, made once per task from the step's settings."""

    permutations: Permutations | None
    ngram: int
    language_characters: int


@dataclass(frozen=True)
class Measured:
    """One batch after the pass.

    Attributes:
        empty: records that held nothing but space; they are in no batch.
        text_bytes: bytes of UTF-8 text in `documents`.
        signatures: None when no near duplicates are wanted.
    """

    empty: int
    text_bytes: int
    documents: pa.RecordBatch
    signals: pa.RecordBatch
    signatures: pa.RecordBatch | None


def signature_schema(length: int) -> pa.Schema:
    """Schema of a signatures part for signatures of `length` 32-bit values."""
    return pa.schema(
        [
            pa.field("signature", pa.list_(pa.field("item", pa.uint32(), nullable=False), length), nullable=False),
            pa.field("shingles", pa.int32(), nullable=False),
        ]
    )


def text_pass(settings: Mapping[str, Any]) -> TextPass:
    """The pass that the settings of the extract step describe."""
    if settings["minhash"] is None:
        return TextPass(None, 0, settings["language_characters"])
    minhash = MinHash.model_validate(settings["minhash"])
    permutations = make_permutations(minhash.bands * minhash.rows, seed=settings["seed"])
    return TextPass(permutations, minhash.ngram, settings["language_characters"])


def measure(records: pa.RecordBatch, wanted: TextPass) -> Measured:
    """Normalise one batch of raw records and compute all that later steps need."""
    texts = normalise(records["text"])
    filled = pc.greater(pc.binary_length(texts), 0)
    empty = records.num_rows - int(pc.sum(filled).as_py() or 0)
    if empty:
        records, texts = records.filter(filled), texts.filter(filled)
    data, offsets = text_buffers(texts)
    documents = pa.RecordBatch.from_arrays(
        [
            document_ids(texts),
            texts,
            records["url"],
            pa.array(sites(records["url"].to_pylist()), pa.string()),
            records["name"],
            records["offset"],
        ],
        schema=DOCUMENTS,
    )
    signals = compute_signals(data, offsets)
    codes, scores = identify(pc.utf8_slice_codeunits(texts, 0, wanted.language_characters).to_pylist())
    spans = count_spans(data, offsets)
    columns = [
        *signals.columns,
        pa.array(codes, pa.string()).dictionary_encode().cast(ALL_SIGNALS.field("language").type),
        pa.array(scores, pa.float32()),
        *[pa.array(spans[kind], pa.int32()) for kind in KINDS],
    ]
    signed = None
    if wanted.permutations is not None:
        values, shingles = signatures(data, offsets, permutations=wanted.permutations, ngram=wanted.ngram)
        schema = signature_schema(values.shape[1])
        packed = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), type=schema.field("signature").type)
        signed = pa.RecordBatch.from_arrays([packed, pa.array(shingles, pa.int32())], schema=schema)
    return Measured(empty, int(offsets[-1] - offsets[0]), documents, pa.RecordBatch.from_arrays(columns, schema=ALL_SIGNALS), signed)
