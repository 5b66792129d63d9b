"""Runs in rensa's own environment: texts in memory to the documents that go, by its deduplicator.

    python -m bench.dedup_speed_rensa DOCUMENTS.jsonl RESULT.json

Shingles are those of bench/dedup_peer_files.py, without taking repeats out, which rensa does not need; signatures are
made in bulk (`RMinHash.from_token_sets`), and `RMinHashDeduplicator` keeps or drops each by the estimated similarity to
those that it kept. The result has the CPU seconds from the texts to the decision; reading and start-up are apart.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

from bench.dedup_peer_files import BANDS, NGRAM, ROWS, read_documents

SEED = 42
LEAST_ESTIMATE = 0.7
_WORD = re.compile(r"\w+")
# Documents whose shingles are in memory at once.
_AT_ONCE = 1_000


def main(path: str, out: str) -> None:
    from rensa import RMinHash, RMinHashDeduplicator

    documents = read_documents(path)
    RMinHash.from_token_sets([["a"]], BANDS * ROWS, SEED)
    began = time.process_time()
    keeper = RMinHashDeduplicator(
        threshold=LEAST_ESTIMATE, num_perm=BANDS * ROWS, use_lsh=True, num_bands=BANDS, seed=SEED
    )
    removed = 0
    for start in range(0, len(documents), _AT_ONCE):
        some = documents[start : start + _AT_ONCE]
        signatures = RMinHash.from_token_sets([shingles(document.text) for document in some], BANDS * ROWS, SEED)
        for document, signature in zip(some, signatures, strict=True):
            removed += not keeper.add(document.id, signature)
    cpu_s = time.process_time() - began
    Path(out).write_text(json.dumps({"cpu_s": cpu_s, "documents": len(documents), "removed": removed}))


def shingles(text: str) -> list[str]:
    """The 5-grams of words, repeats included."""
    words = _WORD.findall(text.lower())
    return [" ".join(words[start : start + NGRAM]) for start in range(max(1, len(words) - NGRAM + 1))]


if __name__ == "__main__":
    main(*sys.argv[1:])
