"""Gristmill's search for duplicates in memory: texts to the documents that go, in one process, without files.

    python -m bench.dedup_speed_ours DOCUMENTS.jsonl RESULT.json

In: documents as an Arrow array. Out: which of them go, and for whom: what `gristmill extract` and `decide` say of the
same documents, by the same functions on arrays, verification included. The result has the CPU seconds from the texts to
the decision, those of signatures alone, and the bytes of text; reading the file and the start of Python are apart, and
all kernels have run once before.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.bands import band_keys
from dedup.buckets import members, run_keys, shared_keys
from dedup.choice import best_pairs, find, nothing_known, settle
from dedup.exact import keepers
from dedup.hash_order import bucket_order
from dedup.jaccard import commons, shingle_sets, similarity
from dedup.leaders import estimated, lead, limits, sketches
from dedup.preference import Strings, origins, preferences
from dedup.signature_settings import signature_settings
from dedup.signing import make_signing, sign_texts
from kernels.arrays import Bools, Bytes, Float64s, Int32s, Int64s, Uint32s, Uint64s
from manifests.minhash import MinHash
from pipeline.schemas import id_halves
from pipeline.text.normalise import document_ids, text_buffers


class Decision(NamedTuple):
    """Which documents go, bool[n], and for whom, int64[n]; a document that stays is its own."""

    goes: Bools
    kept: Int64s


class Signed(NamedTuple):
    """Signatures uint32[n, k] and shingle counts int32[n]."""

    signatures: Uint32s
    shingles: Int32s


def sign(texts: pa.Array, minhash: MinHash) -> Signed:
    """The signatures of large_string[n]."""
    return Signed(*sign_texts(*text_buffers(texts), make_signing(signature_settings(minhash, seed=0))))


def decide(texts: pa.Array, names: pa.Array, signed: Signed, *, minhash: MinHash) -> Decision:
    """Exact copies, then near ones, as decide finds them in one source without URLs.

    Args:
        texts, names: large_string[n].
    """
    count = len(texts)
    rows = np.arange(count, dtype=np.uint64)
    ids = id_halves(document_ids(texts))
    _, name_offsets, name_data = names.buffers()
    named = Strings(np.frombuffer(name_data or b"", np.uint8), np.frombuffer(name_offsets, np.int64)[: count + 1])
    urls = Strings(np.empty(0, np.uint8), np.zeros(count + 1, np.int64))
    kept = keepers(ids, np.zeros(count, np.uint64), origins(urls, named), rows).astype(np.int64)
    chosen = np.flatnonzero((kept == np.arange(count)) & (signed.shingles > 0))
    words = signed.shingles.astype(np.int64)
    others, staying = _near(texts, ids, words, signed.signatures, chosen, minhash)
    of = np.arange(count)
    of[others] = staying
    # The copies of a text that goes go for the same document.
    return Decision((kept != np.arange(count)) | (of != np.arange(count)), of[kept])


def _near(
    texts: pa.Array, ids: Uint64s, words: Int64s, signatures: Uint32s, chosen: Int64s, minhash: MinHash
) -> tuple[Int64s, Int64s]:
    """The rows that go for a near duplicate, and the row that stays for each."""
    own = signatures[chosen]
    keys = run_keys(band_keys(own, bands=minhash.bands, rows=minhash.rows), np.arange(len(chosen), dtype=np.uint64))
    [(shared, _)] = shared_keys([(keys.keys, keys.counts)])
    places = members(keys, shared)
    nodes, buckets = keys.rows[places[:, 0]].astype(np.int64), places[:, 1]
    # In order of preference within each bucket: more words first, then smaller ids.
    preferred = preferences(words[chosen], priority=0)
    order = bucket_order(shared[buckets], preferred[nodes], ids[chosen[nodes]])
    starts = np.searchsorted(buckets[order], np.arange(len(shared) + 1))
    within = limits(minhash.similarity, places=own.shape[1])
    sketched = sketches(own)
    found = lead(sketched[nodes[order]], starts, within=within)
    left, right = nodes[order][found.leaders], nodes[order][found.members]
    _, first = np.unique(right * len(chosen) + left, return_index=True)
    left, right, equal = left[first], right[first], found.equal[first]
    alike = estimated(equal, places=own.shape[1])
    doubtful = np.flatnonzero(equal < within.alike)
    alike[doubtful] = _exact(texts, chosen[left[doubtful]], chosen[right[doubtful]], minhash)
    confirmed = (equal >= within.alike) | (alike >= minhash.similarity)
    left, right, alike = chosen[left[confirmed]], chosen[right[confirmed]], alike[confirmed].astype(np.float32)
    one, other = left.astype(np.uint64), right.astype(np.uint64)
    known = settle(one, other, first=np.setdiff1d(one, other), known=nothing_known())
    stays = ~known.goes[find(known.rows, one)[0]]
    best = best_pairs(other, stays, alike, ids[left])
    return right[best], left[best]


def _exact(texts: pa.Array, ones: Int64s, others: Int64s, minhash: MinHash) -> Float64s:
    """The exact similarity of pairs of rows."""
    rows, place = np.unique(np.concatenate([ones, others]), return_inverse=True)
    values, starts = shingle_sets(*text_buffers(texts.take(pa.array(rows))), unit=minhash.unit, ngram=minhash.ngram)
    shared = np.empty(len(ones), np.int64)
    commons(values, starts, place[: len(ones)], place[len(ones) :], shared)
    sizes = np.diff(starts)
    return similarity(shared, sizes[place[: len(ones)]], sizes[place[len(ones) :]], measure=minhash.measure)


def read(path: str) -> tuple[pa.Array, pa.Array]:
    """The texts and the ids of a file of documents, large_string[n]."""
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return pa.array([row["text"] for row in rows], pa.large_string()), pa.array(
        [row["id"] for row in rows], pa.large_string()
    )


def main(path: str, result: str) -> None:
    minhash = MinHash()
    texts, names = read(path)
    first = texts.slice(0, 50), names.slice(0, 50)
    twice = [pa.concat_arrays([column, column]) for column in first]
    decide(*twice, sign(twice[0], minhash), minhash=minhash)
    data: tuple[Bytes, Int64s] = text_buffers(texts)
    began = time.process_time()
    signed = sign(texts, minhash)
    signing_s = time.process_time() - began
    decision = decide(texts, names, signed, minhash=minhash)
    cpu_s = time.process_time() - began
    written = {
        "cpu_s": cpu_s,
        "signing_s": signing_s,
        "text_bytes": int(data[1][-1] - data[1][0]),
        "documents": len(texts),
        "removed": int(decision.goes.sum()),
    }
    Path(result).write_text(json.dumps(written))


if __name__ == "__main__":
    main(*sys.argv[1:])
