"""A small corpus with texts that repeat: within documents, shards, sources, and over buckets."""

from __future__ import annotations

import json
import random
from pathlib import Path

from manifests.corpus import CorpusManifest, load_corpus

SYLLABLES = ("ka", "ri", "mo", "ten", "la", "sur", "vi", "nor", "pel", "du", "gan", "ho", "bre", "sti", "wen")


def words(draw: random.Random, count: int) -> str:
    return " ".join("".join(draw.choice(SYLLABLES) for _ in range(draw.randint(1, 3))) for _ in range(count))


def texts(*, seed: int = 4, documents: int = 90) -> list[str]:
    """Documents of words that nobody else has, and of notices and passages that several have."""
    draw = random.Random(seed)
    notices = [words(draw, count) for count in (40, 60, 120, 15)]
    found = []
    for number in range(documents):
        parts = [words(draw, draw.randint(5, 80))]
        for _ in range(draw.choice([0, 0, 1, 1, 2])):
            notice = draw.choice(notices).split()
            cut = draw.randint(0, 12)
            parts.insert(draw.randint(0, len(parts)), " ".join(notice[cut:]))
        if number % 9 == 0:
            parts = [notices[2], words(draw, 2)]  # hardly anything of its own
        if number % 13 == 0:
            parts.append("= - " * 80)
        found.append("\n".join(parts))
    return found


def write_corpus(
    folder: Path,
    *,
    files: dict[str, list[str]],
    section: dict[str, object] | None,
    shard_tokens: int = 2000,
    model: str | None = None,
) -> CorpusManifest:
    """Two sources of JSON Lines, files `one-*` and `two-*`; the tokenizer is trained unless a model is given."""
    folder.mkdir(parents=True)
    for name, lines in files.items():
        rows = [{"text": text, "url": f"https://example.org/{hash_of(text)}"} for text in lines]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    sources = [
        {"name": name, "format": "jsonl", "files": [f"{name}-*"], "licence": "made up", "filters": "none"}
        for name in ("one", "two")
    ]
    sources[1]["priority"] = 50
    manifest = {
        "kind": "corpus",
        "name": "repeats",
        "sources": sources,
        "dedup": {"exact": False, "minhash": None, "substrings": section},
        "personal_information": None,
        "tokenizer": {"model": model} if model else {"train": {"vocab_size": 400, "sample_mb": 1}},
        "shard_tokens": shard_tokens,
    }
    (folder / "corpus.yaml").write_text(json.dumps(manifest))
    return load_corpus(folder / "corpus.yaml")


def dealt(documents: list[str]) -> dict[str, list[str]]:
    """Six files, three of each source."""
    return {f"{'one' if number < 3 else 'two'}-{number}": documents[number::6] for number in range(6)}


def hash_of(text: str) -> int:
    return sum(number * ord(character) for number, character in enumerate(text, start=1))
