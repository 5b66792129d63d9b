"""Labelled documents to train the factual model with, read from raw files as extract reads them.

In: a factual manifest. Out: `Documents`, in the order of source, label and the hash of a document's id: id, source,
label, group and the slots of its n-grams; texts are not kept. Texts are normalised as extract does it, so that n-grams
are those of the texts to be scored; personal information is not masked. Of equal documents the first source's is kept,
a factual one before a general one. Of each source and label the documents with the smallest hashes are kept, which is a
random sample that does not depend on the order of files or records.

A group is what is held out together when the model is tested: a source, if its label has others; else the site of a
document's URL; else the document itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from pydantic import JsonValue

from kernels.arrays import Bools, Int64s, Uint32s, Uint64s
from kernels.characters import classes
from manifests.corpus import FORMATS
from manifests.errors import GristmillError
from manifests.factual import FactualManifest, FactualSource
from pipeline.extract.inputs import list_raw_files
from pipeline.factual.urls import listed, read_url_hashes
from pipeline.readers import read_records
from pipeline.text.factual.ngrams import folded_bytes, list_slots
from pipeline.text.normalise import document_ids, normalise, text_buffers
from pipeline.text.sites import sites
from storage.files import sha256_file

# What a model's file says of one source.
Origin: TypeAlias = dict[str, JsonValue]


class Documents(NamedTuple):
    """n documents.

    Attributes:
        slots, bounds: uint32[m], int64[n + 1]: `pipeline.text.factual.ngrams.list_slots`.
        held_out: what the groups are, by label.
        origins: per source its files' hashes, its documents and what was left out.
    """

    ids: list[bytes]
    sources: list[str]
    groups: list[str]
    labels: Bools
    slots: Uint32s
    bounds: Int64s
    held_out: dict[str, str]
    origins: dict[str, Origin]


class _Row(NamedTuple):
    key: int
    id: bytes
    url: str | None
    slots: Uint32s


def read_documents(manifest: FactualManifest) -> Documents:
    """The documents of all sources.

    Raises:
        GristmillError: a file is missing or unusable, or there are no documents of one label.
    """
    origins: dict[str, Origin] = {}
    kept: dict[tuple[str, bool], list[_Row]] = {}
    for source in manifest.sources:
        found, origin = _read_source(source, manifest)
        origins[source.name] = origin
        kept.update({(source.name, label): rows for label, rows in found.items()})
    _once(kept, [source.name for source in manifest.sources], origins)
    for label, word in ((True, "factual"), (False, "general")):
        if not any(rows for (_, own), rows in kept.items() if own == label):
            raise GristmillError(
                f"there are no {word} documents",
                where=manifest.name,
                remedy=(
                    "check `files` and, with `factual_urls`, that the list and the documents' URLs are of the same"
                    " crawl"
                ),
            )
    units = {label: _unit([rows for (_, own), rows in sorted(kept.items()) if own == label]) for label in (True, False)}
    ids, sources, groups, labels, slots = [], [], [], [], []
    for (name, label), rows in sorted(kept.items()):
        for row in rows:
            ids.append(row.id)
            sources.append(name)
            groups.append(_group(name, row, units[label]))
            labels.append(label)
            slots.append(row.slots)
    return Documents(
        ids=ids,
        sources=sources,
        groups=groups,
        labels=np.array(labels, np.bool_),
        slots=np.concatenate(slots),
        bounds=np.cumsum([0, *map(len, slots)]).astype(np.int64),
        held_out={"factual": units[True], "general": units[False]},
        origins=origins,
    )


def _read_source(
    source: FactualSource, manifest: FactualManifest
) -> tuple[dict[bool, list[_Row]], dict[str, JsonValue]]:
    urls = None if source.factual_urls is None else read_url_hashes(source.factual_urls)
    kept: dict[bool, list[_Row]] = {True: [], False: []}
    files: dict[str, str] = {}
    counts = Counter[str]()
    for file in list_raw_files([source]):
        files[file.name] = sha256_file(file.path)
        for batch, broken in _batches(source, file.path, file.name):
            counts["broken"] += broken
            texts = normalise(batch["text"], manifest.text)
            filled = pc.greater(pc.binary_length(texts), 0)
            batch, texts = batch.filter(filled), texts.filter(filled)
            for label, row in _rows(batch, texts, source, urls, manifest):
                counts["read"] += 1
                kept[label].append(row)
            for rows in kept.values():
                if len(rows) > 2 * source.max_documents:
                    _shorten(rows, source.max_documents)
    for rows in kept.values():
        _shorten(rows, source.max_documents)
    origin: Origin = {
        "files": dict(files),
        "urls": None if source.factual_urls is None else sha256_file(source.factual_urls),
        "read": counts["read"],
        "broken": counts["broken"],
    }
    return kept, origin


def _batches(source: FactualSource, path: str, name: str) -> Iterator[tuple[pa.RecordBatch, int]]:
    chosen = source if FORMATS[source.format].html else source.model_copy(update={"extraction": None})
    for records in read_records(path, name=name, source=chosen):
        yield records.documents, len(records.broken)


def _rows(
    batch: pa.RecordBatch, texts: pa.Array, source: FactualSource, urls: Uint64s | None, manifest: FactualManifest
) -> Iterator[tuple[bool, _Row]]:
    data, offsets = text_buffers(texts)
    pairs = manifest.ngrams == 2
    room = np.empty(int(offsets[-1] - offsets[0]) + 2 * len(texts), np.uint32)
    bounds = np.zeros(len(texts) + 1, np.int64)
    list_slots(data, offsets, folded_bytes(), classes(), manifest.hash_bits, pairs, manifest.max_words, room, bounds)
    addresses = batch["url"].to_pylist()
    labels = [source.label == "factual"] * len(texts) if urls is None else listed(addresses, urls).tolist()
    for number, (identity, label) in enumerate(zip(document_ids(texts).to_pylist(), labels, strict=True)):
        slots = room[bounds[number] : bounds[number + 1]].copy()
        if len(slots):
            key = xxhash.xxh3_64_intdigest(identity, manifest.seed)
            yield label, _Row(key, identity, addresses[number], slots)


def _shorten(rows: list[_Row], most: int) -> None:
    """Leave the rows with the smallest keys, each document once, in the order of their keys."""
    rows.sort(key=lambda row: (row.key, row.id, row.url or ""))
    rows[:] = [row for place, row in enumerate(rows) if not place or row.id != rows[place - 1].id][:most]


def _once(kept: dict[tuple[str, bool], list[_Row]], names: list[str], origins: dict[str, Origin]) -> None:
    """Leave each document once: among factual ones before general ones, and in the first source that has it."""
    seen: set[bytes] = set()
    for label in (True, False):
        for name in names:
            rows = kept[name, label]
            new = [row for row in rows if row.id not in seen]
            seen.update(row.id for row in new)
            word = "factual" if label else "general"
            origins[name][word] = len(new)
            origins[name][f"{word}_elsewhere"] = len(rows) - len(new)
            kept[name, label] = new


def _unit(sources: list[list[_Row]]) -> str:
    """What is held out of one label's sources."""
    filled = [rows for rows in sources if rows]
    if len(filled) > 1:
        return "sources"
    return "sites" if any(row.url for rows in filled for row in rows) else "documents"


def _group(source: str, row: _Row, unit: str) -> str:
    if unit == "sources":
        return f"source {source}"
    site = sites([row.url])[0] if unit == "sites" else None
    return f"document {row.id.hex()}" if site is None else f"site {site}"
