"""Documents of the development corpora to compare line rules, and a function that runs a peer on them."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xxhash

from bench.peers import Unavailable, peer_environment, peer_python
from pipeline.text.normalise import normalise
from tests.paths import SHARED

EVERYTHING = os.environ.get("GRISTMILL_CONFORMANCE") == "all"


def documents(*, sample_mb: float) -> list[str]:
    """Normalised texts: a hash sample of about so many MB, or all of them where GRISTMILL_CONFORMANCE=all."""
    if SHARED is None:
        pytest.skip("the development corpora are not beside the project")
    # Documents are sampled by hash, and the longest left to the complete run: one novel would be a third of the sample.
    texts = []
    room = sample_mb * 1e6
    for text in _texts(SHARED / "corpora"):
        if EVERYTHING:
            texts.append(text)
        elif len(text) < 100_000 and xxhash.xxh3_64_intdigest(text.encode()) % 1000 < 1000 * sample_mb / 150:
            texts.append(text)
            room -= len(text)
            if room < 0:
                break
    cleaned = normalise(pa.array(texts, pa.large_string())).to_pylist()
    return [text for text in cleaned if text]


def _texts(corpora: Path) -> Iterator[str]:
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    for path in sorted(corpora.glob("web/*.wet.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, record_types=WarcRecordType.conversion):
                yield record.reader.read().decode("utf-8", "replace")
    for path in sorted(corpora.glob("*/*.jsonl.gz")):
        if path.parent.name != "eval":
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    text = json.loads(line).get("text")
                    if text:
                        yield text


def run_peer(name: str, script: str, rows: list[dict[str, Any]], folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """The rows that a script gives back, one a row, run in the peer's own environment."""
    try:
        python = peer_python(name)
    except Unavailable as reason:
        pytest.skip(str(reason))
    source, result = folder / "rows.jsonl", folder / "result.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    command = [str(python), str(Path(__file__).with_name(script)), str(source), str(result), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=peer_environment(), check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with result.open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    assert len(found) == len(rows)
    return found
