"""Runs in datasketch's own environment: MinHash and MinHashLSH, pairs joined by union-find, the first is kept.

python -m bench.dedup_peer_datasketch DOCUMENTS.jsonl REMOVALS.json
"""

from __future__ import annotations

import sys
from importlib.metadata import version

from bench.dedup_peer_files import BANDS, ROWS, Clusters, read_documents, removals, shingles, write_removals


def main(path: str, out: str) -> None:
    from datasketch import MinHash, MinHashLSH

    documents = read_documents(path)
    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    clusters = Clusters(len(documents))
    for number, document in enumerate(documents):
        signature = MinHash(num_perm=BANDS * ROWS)
        signature.update_batch([shingle.encode() for shingle in shingles(document.text)])
        for other in index.query(signature):
            clusters.join(number, other)
        index.insert(number, signature)
    write_removals(out, removals(clusters, documents), note=f"datasketch {version('datasketch')}")


if __name__ == "__main__":
    main(*sys.argv[1:])
