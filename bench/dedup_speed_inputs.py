"""Inputs of bench/dedup_speed.py for decide: what extract would publish for millions of short documents with copies.

In: a folder and a number of documents. Out: `folder/corpus.yaml` and `folder/out/extract`, with real texts, ids, signals
and signatures, made in bulk by the functions that extract calls; language and personal information are constants.

Of 100 documents 20 are near copies of any earlier document, perhaps a copy itself, and 5 exact ones: clusters of all
sizes (Yule 1925). A near copy has a run of one to eight other words, at the start, at the end or anywhere: of some 56
shingles 1 to 12 change, a Jaccard similarity of .65 to .97. A document depends on its number alone, so that
the parts of a smaller corpus are those of a larger one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import yaml

from bench.slope_inputs import mix
from dedup.signature_settings import signature_settings
from dedup.signing import make_signing
from kernels.arrays import Bools, Bytes, Int64s, Uint64s
from kernels.compiled import kernel
from manifests.minhash import MinHash
from manifests.step import Ledger, Output, StepManifest, TaskManifest, merge_ledgers
from pipeline.extract.text_pass import ALL_SIGNALS, signature_schema
from pipeline.schemas import DOCUMENTS, publish_ipc
from pipeline.text.normalise import document_ids
from pipeline.text.signals import compute
from storage.steps import read_task, write_step, write_task

# A million documents are 64 parts; extract makes such of 64 MiB of text at 4 kB a document.
PART_ROWS = 15_625
NEAR_PERCENT, EXACT_PERCENT = 20, 5
FEWEST_WORDS, MOST_WORDS = 40, 80
_WORDS_PER_LINE = 12
_VOCABULARY = 8_192
_LONGEST_EDIT = 8
# So many sites that a part meets nearly each once: a crawl's files are cut across sites (bench/slope_inputs.py).
_SITES = 163_840


class Texts(NamedTuple):
    """UTF-8 of documents after each other, and int64[n + 1], where each begins."""

    data: Bytes
    offsets: Int64s


def write_inputs(folder: Path, *, documents: int, site_rule: bool = True) -> Path:
    """Make the parts that are missing, and the manifests of a corpus of so many documents.

    Args:
        documents: at most one part, or a multiple of `PART_ROWS`.
        site_rule: whether sites are judged, which is the default of manifests.

    Raises:
        ValueError: the last part would be a piece of one of a larger corpus.
    """
    if documents > PART_ROWS and documents % PART_ROWS:
        raise ValueError(f"{documents} documents are not a multiple of {PART_ROWS}")
    out = folder / "out" / "extract"
    tasks: list[TaskManifest] = []
    for number, start in enumerate(range(0, documents, PART_ROWS)):
        rows = np.arange(start, min(start + PART_ROWS, documents), dtype=np.uint64)
        # Task manifests hold stamps of their outputs, as those of extract do: decide need not read all files to know
        # that they are whole.
        name = f"short/{number:06d}-{len(rows)}"
        if read_task(str(out), name) is None:
            outputs = _write_part(str(out), f"short/{number:06d}.0000", rows)
            ledger = Ledger(records_in=len(rows), kept=len(rows))
            write_task(
                str(out), TaskManifest(task=name, key="short documents", inputs={}, outputs=outputs, ledger=ledger)
            )
        tasks += [task for task in [read_task(str(out), name)] if task is not None]
    write_step(
        str(out),
        StepManifest(
            step="extract",
            settings_sha256="short documents",
            inputs_sha256=f"{documents} short documents",
            settings={},
            inputs={},
            outputs=[output for task in tasks for output in task.outputs],
            ledger=merge_ledgers(task.ledger for task in tasks),
        ),
    )
    source = {"name": "short", "format": "jsonl", "root": str(folder), "files": ["none.jsonl"], "licence": "made here"}
    manifest: dict[str, Any] = {
        "kind": "corpus",
        "version": 1,
        "name": "short",
        "sources": [source],
        "filters": "none",
        "tokenizer": {"train": {}},
    }
    if not site_rule:
        manifest["personal_information"] = None
    path = folder / ("corpus.yaml" if site_rule else "corpus-without-site-rule.yaml")
    path.write_text(yaml.safe_dump(manifest, sort_keys=False))
    return path


def texts_of(rows: Uint64s) -> Texts:
    """The texts of some documents, by their numbers."""
    codes, lengths = word_numbers(rows)
    words = _vocabulary()
    sizes = np.diff(words.offsets)[codes]
    inside = np.arange(codes.shape[1]) < lengths[:, None]
    offsets = np.zeros(len(rows) + 1, np.int64)
    # A separator follows each word but the last.
    np.cumsum(np.where(inside, sizes + 1, 0).sum(axis=1) - 1, out=offsets[1:])
    data = np.empty(int(offsets[-1]), np.uint8)
    write_texts(codes, lengths, words.data, words.offsets, offsets, data)
    return Texts(data, offsets)


@kernel
def write_texts(
    codes: Int64s, lengths: Int64s, words: Bytes, word_offsets: Int64s, offsets: Int64s, out: Bytes
) -> None:
    """Write the words of each document with a space, or after each `_WORDS_PER_LINE` a line feed, between them.

    Args:
        codes: int64[n, most], numbers of words.
        lengths: int64[n], how many of them a document has.
        words, word_offsets: the vocabulary.
        offsets: int64[n + 1], where each document begins in `out`.
    """
    for document in range(len(lengths)):
        at = offsets[document]
        for index in range(lengths[document]):
            if index > 0:
                out[at] = 10 if index % _WORDS_PER_LINE == 0 else 32
                at += 1
            for place in range(word_offsets[codes[document, index]], word_offsets[codes[document, index] + 1]):
                out[at] = words[place]
                at += 1


def word_numbers(rows: Uint64s) -> tuple[Int64s, Int64s]:
    """The numbers of the words of some documents, int64[n, `MOST_WORDS`], and how many each has, int64[n]."""
    root = rows.copy()
    while (copies := is_copy(root)).any():
        root[copies] = original_of(root[copies])
    span = np.uint64(MOST_WORDS - FEWEST_WORDS + 1)
    lengths = (np.uint64(FEWEST_WORDS) + mix(root, 3) % span).astype(np.int64)
    places = np.arange(MOST_WORDS, dtype=np.uint64)
    values = mix(root[:, None] * np.uint64(128) + places, 5)
    # From the document itself back to its first original: the latest edit of a place counts.
    free = np.ones(values.shape, bool)
    current, active = rows.copy(), np.flatnonzero(is_copy(rows))
    while len(active):
        own = current[active]
        first, last = _edited(own, lengths[active])
        edit = is_near(own)[:, None] & (places >= first[:, None]) & (places < last[:, None]) & free[active]
        values[active] = np.where(edit, mix(own[:, None] * np.uint64(128) + places, 4), values[active])
        free[active] &= ~edit
        current[active] = original_of(own)
        active = active[is_copy(current[active])]
    return (values % np.uint64(_VOCABULARY)).astype(np.int64), lengths


def is_near(rows: Uint64s) -> Bools:
    """Whether each document is a near copy of an earlier one."""
    near: Bools = (mix(rows, 1) % np.uint64(100) < NEAR_PERCENT) & (rows > 0)
    return near


def is_copy(rows: Uint64s) -> Bools:
    """Whether each document is a near or an exact copy of an earlier one."""
    copies: Bools = (mix(rows, 1) % np.uint64(100) < NEAR_PERCENT + EXACT_PERCENT) & (rows > 0)
    return copies


def original_of(rows: Uint64s) -> Uint64s:
    """What each copy copies; `rows` are above 0."""
    found: Uint64s = mix(rows, 2) % rows
    return found


def _edited(rows: Uint64s, lengths: Int64s) -> tuple[Int64s, Int64s]:
    """The first place of the run of words that a near copy changes, and the one after its last."""
    run = (1 + mix(rows, 8) % np.uint64(_LONGEST_EDIT)).astype(np.int64)
    where = mix(rows, 9) % np.uint64(10)
    anywhere = (mix(rows, 10) % (lengths - run + 1).astype(np.uint64)).astype(np.int64)
    first = np.where(where < 3, 0, np.where(where < 5, lengths - run, anywhere))
    return first, first + run


def _vocabulary() -> Texts:
    """Words of two to ten letters."""
    numbers = np.arange(_VOCABULARY, dtype=np.uint64)
    lengths = 2 + (mix(numbers, 6) % np.uint64(9)).astype(np.int64)
    offsets = np.zeros(_VOCABULARY + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    letters = 97 + mix(np.arange(int(offsets[-1]), dtype=np.uint64), 11) % np.uint64(26)
    return Texts(letters.astype(np.uint8), offsets)


def _write_part(out: str, name: str, rows: Uint64s) -> list[Output]:
    texts = texts_of(rows)
    count = len(rows)
    array = pa.LargeStringArray.from_buffers(count, pa.py_buffer(texts.offsets), pa.py_buffer(texts.data))
    settings = signature_settings(MinHash(), seed=0)
    signing = make_signing(settings)
    measured = compute(texts.data, texts.offsets, permutations=signing.walk_permutations, ngram=settings.ngram)
    site = [f"s{number}.example" for number in (mix(rows, 7) % np.uint64(_SITES)).tolist()]
    documents: dict[str, Any] = {
        "id": document_ids(array),
        "text": array,
        "url": pa.nulls(count, pa.string()),
        "site": pa.array(site),
        "name": pa.nulls(count, pa.string()),
        "record": pa.array(rows.astype(np.int64)),
    }
    walked = measured.signals.schema.names
    signals = [
        measured.signals[field.name] if field.name in walked else _constant(field, count) for field in ALL_SIGNALS
    ]
    schema = signature_schema(settings)
    flat = pa.array(measured.signatures.reshape(-1))
    packed = pa.FixedSizeListArray.from_arrays(flat, type=schema.field("signature").type)
    batches = {
        "documents": ([documents[field.name] for field in DOCUMENTS], DOCUMENTS),
        "signals": (signals, ALL_SIGNALS),
        "signatures": ([packed, pa.array(measured.shingles, pa.int32())], schema),
    }
    return [
        publish_ipc(
            out,
            f"{kind}/{name}.arrow",
            [pa.RecordBatch.from_arrays(columns, schema=own)],
            own.with_metadata({**(own.metadata or {}), b"source": b"short", b"file": name.encode()}),
            compress=kind != "signatures",
            text_bytes=len(texts.data) if kind == "documents" else 0,
        )
        for kind, (columns, own) in batches.items()
    ]


def _constant(field: pa.Field, count: int) -> pa.Array:
    """Columns that the walk does not make: English, and one personal value a page, as in bench/slope_inputs.py."""
    if pa.types.is_dictionary(field.type):
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int16)), pa.array(["en"])).cast(field.type)
    if pa.types.is_list(field.type):
        return pa.array([[0]] * count, field.type)
    if pa.types.is_floating(field.type):
        return pa.array(np.full(count, 0.9, np.float32))
    return pa.array(np.zeros(count, np.int32)).cast(field.type)
