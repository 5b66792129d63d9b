"""Runs in rensa's own environment: its LSH index with union-find, or its own deduplicator.

    python -m bench.dedup_peer_rensa DOCUMENTS.jsonl REMOVALS.json pairs
    python -m bench.dedup_peer_rensa DOCUMENTS.jsonl REMOVALS.json verified

`pairs`: candidates of the index are joined, and the first is kept. `verified`: a document goes if its estimated
similarity to one that was kept is at least 0.7; the kept copy is, of those that the deduplicator names, the one with
the highest estimate.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

from bench.dedup_peer_files import BANDS, ROWS, Clusters, Document, read_documents, removals, shingles, write_removals

SEED = 42
LEAST_ESTIMATE = 0.7


def main(path: str, out: str, mode: str) -> None:
    documents = read_documents(path)
    kept = {"pairs": joined, "verified": verified}[mode](documents)
    write_removals(out, kept, note=f"rensa {version('rensa')}")


def joined(documents: list[Document]) -> dict[str, str]:
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=LEAST_ESTIMATE, num_perm=BANDS * ROWS, num_bands=BANDS)
    clusters = Clusters(len(documents))
    for number, document in enumerate(documents):
        signature = RMinHash(num_perm=BANDS * ROWS, seed=SEED)
        signature.update(shingles(document.text))
        for other in index.query(signature):
            clusters.join(number, other)
        index.insert(number, signature)
    return removals(clusters, documents)


def verified(documents: list[Document]) -> dict[str, str]:
    from rensa import RMinHash, RMinHashDeduplicator

    keeper = RMinHashDeduplicator(
        threshold=LEAST_ESTIMATE, num_perm=BANDS * ROWS, use_lsh=True, num_bands=BANDS, seed=SEED
    )
    signatures = {}
    kept = {}
    for document in documents:
        signature = RMinHash(num_perm=BANDS * ROWS, seed=SEED)
        signature.update(shingles(document.text))
        if keeper.add(document.id, signature):
            signatures[document.id] = signature
            continue
        found = [(signature.jaccard(signatures[other]), other) for other in keeper.get_duplicates(signature)]
        kept[document.id] = max(found)[1]
    return kept


if __name__ == "__main__":
    main(*sys.argv[1:])
