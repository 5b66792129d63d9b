"""One corpus of real texts with copies, for bench/dedup_speed.py beside its peers.

In: the folder of the development corpora, and a size. Out: a JSONL file of documents (`id`, `text`).

Texts are English: books, reference works, papers, mail. They are cut into pieces of 100 to 1,500 words. Each round over
all pieces takes another share of the words of each, from none to a fifth, for other words of the same piece, until the
size is reached: of ten copies one is exact, four differ in up to one word in 25, and half are no duplicates any more (a
fifth of all words: a Jaccard similarity of 5-grams of .2). All draws are hashes of round and place. Without the corpora
the pieces are the made texts of bench/dedup_speed_inputs.py.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xxhash

from bench.dedup_speed_inputs import texts_of

_FILES = ("books/*.jsonl.gz", "factual/*.jsonl.gz", "scientific/*.jsonl.gz", "pii/*.jsonl.gz")
FEWEST_WORDS, MOST_WORDS = 100, 1_500
# The share of words that a copy has others for, by the last digit of its hash.
_SHARES = (0.0, 0.002, 0.005, 0.01, 0.04, *[0.2] * 5)
_MADE = 100_000


def write_texts(path: Path, *, corpora: Path, megabytes: float, small: bool = False) -> int:
    """Write the corpus, at least so many megabytes of text; returns the bytes of text.

    Args:
        small: take one piece of twenty, for tests.
    """
    pieces = [text.split(" ") for number, text in enumerate(_pieces(corpora)) if not small or number % 20 == 0]
    size = written = 0
    with open(path, "w", encoding="utf-8") as file:
        for number in range(1 << 20):
            for place, words in enumerate(pieces):
                text = _copy(words, f"{number}-{place}") if number else " ".join(words)
                file.write(json.dumps({"id": f"{written:09d}", "text": text}) + "\n")
                written += 1
                size += len(text.encode())
                if size >= megabytes * 1e6:
                    return size
    raise AssertionError("a piece has words")


def _copy(words: list[str], name: str) -> str:
    seed = xxhash.xxh3_64_intdigest(name.encode())
    edits = round(len(words) * _SHARES[seed % len(_SHARES)])
    if not edits:
        return " ".join(words)
    draw = np.random.Generator(np.random.PCG64(seed))
    found = list(words)
    for place, other in draw.integers(0, len(words), (edits, 2)).tolist():
        found[place] = words[other]
    return " ".join(found)


def _pieces(corpora: Path) -> Iterator[str]:
    found = False
    for pattern in _FILES:
        for path in sorted(corpora.glob(pattern)):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    words = (json.loads(line).get("text") or "").split(" ")
                    start = 0
                    while len(words) - start >= FEWEST_WORDS:
                        drawn = xxhash.xxh3_64_intdigest(f"{path.name}-{start}-{len(words)}".encode())
                        stop = start + FEWEST_WORDS + drawn % (MOST_WORDS - FEWEST_WORDS)
                        yield " ".join(words[start:stop])
                        start, found = stop, True
    if not found:
        made = texts_of(np.arange(_MADE, dtype=np.uint64))
        whole = made.data.tobytes().decode()
        yield from (whole[start:stop] for start, stop in zip(made.offsets[:-1], made.offsets[1:], strict=True))
