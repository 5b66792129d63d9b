"""A corpus of copies: of texts edited a little and a lot, of records, of pages in a frame; and what decide says of it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from manifests.corpus import CorpusManifest, load_corpus
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract
from pipeline.folders import DECIDE, EXTRACT
from pipeline.schemas import read_ipc
from tests.endtoend.corpora import prose

SOURCES = {"best": 1, "other": 2}


def edited(text: str, *, words: int, seed: str) -> str:
    """The text with so many of its words replaced."""
    chosen, found = random.Random(seed), text.split(" ")
    for place in chosen.sample(range(len(found)), words):
        found[place] = f"{chosen.choice(('red', 'old', 'new'))}{chosen.randrange(1000)}"
    return " ".join(found)


def records(*, families: int = 8, seed: int = 0) -> list[dict[str, str]]:
    """Records of two sources: families of edits, edits of edits, exact copies, pages in one frame, and single ones."""
    found: list[dict[str, str]] = []

    def add(name: str, text: str, *, source: str) -> None:
        found.append({"id": name, "url": f"https://{name}.example/", "text": text, "source": source})

    frame = prose("frame", words=40)
    for family in range(families):
        text = prose(f"family {seed} {family}", words=90 + 10 * family)
        add(f"f{family}", text, source="other")
        for copy in range(1 + family % 5):
            text = edited(text, words=1 + (family + copy) % 6, seed=f"{seed} {family} {copy}")
            add(f"f{family}-{copy}", text, source="best" if (family + copy) % 3 else "other")
        add(f"f{family}-same", text, source="best" if family % 2 else "other")
        add(f"f{family}-again", text, source="other")
        add(f"frame{family}", frame + "\n\n" + prose(f"framed {seed} {family}", words=4), source="other")
        add(f"single{family}", prose(f"single {seed} {family}", words=50), source="best")
    add("empty-one", "...", source="other")
    add("empty-two", "...", source="other")
    return found


def write(
    folder: Path, rows: Sequence[Mapping[str, str]], *, files: int = 1, shuffled: int | None = None, **dedup: object
) -> Path:
    """Deal the records out to some files of each source; returns the corpus manifest."""
    rows = list(rows)
    if shuffled is not None:
        random.Random(shuffled).shuffle(rows)
    for source in SOURCES:
        own = [row for row in rows if row["source"] == source]
        (folder / source).mkdir(parents=True, exist_ok=True)
        for number in range(files):
            name = f"{number if shuffled is None else (number * 37 + shuffled) % 101:03d}.jsonl"
            text = "".join(
                json.dumps({key: row[key] for key in ("id", "url", "text")}) + "\n" for row in own[number::files]
            )
            (folder / source / name).write_text(text)
    manifest = {
        "name": "copies",
        "sources": [
            {
                "name": name,
                "format": "jsonl",
                "root": str(folder / name),
                "files": ["*.jsonl"],
                "licence": "made here",
                "priority": priority,
            }
            for name, priority in SOURCES.items()
        ],
        "filters": "none",
        "personal_information": None,
        "dedup": dedup or {},
        "tokenizer": {"train": {"sample_mb": 1, "vocab_size": 300}},
    }
    (folder / "corpus.yaml").write_text(yaml.safe_dump(manifest))
    return folder / "corpus.yaml"


class Decision(NamedTuple):
    """What decide says of one document; `of` is the name of a document with the id that it duplicates."""

    reason: int
    of: str | None
    similarity: float | None


def run(corpus: Path, out: Path, *, runner: Runner | None = None) -> CorpusManifest:
    """Extract and decide."""
    manifest = load_corpus(corpus)
    extract(manifest, out=str(out), runner=Runner())
    decide(manifest, out=str(out), runner=runner or Runner())
    return manifest


def rows_of(out: Path) -> list[dict[str, Any]]:
    """All documents with their signatures and decisions, in the order of parts."""
    found: list[dict[str, Any]] = []
    for path in sorted((out / EXTRACT / "documents").rglob("*.arrow")):
        name = path.relative_to(out / EXTRACT / "documents")
        tables = [
            read_ipc(str(path)),
            read_ipc(str(out / EXTRACT / "signatures" / name)) if (out / EXTRACT / "signatures").exists() else None,
            read_ipc(str(out / DECIDE / "decisions" / name)),
        ]
        columns = {
            column: table[column].to_pylist() for table in tables if table is not None for column in table.column_names
        }
        for row in zip(*columns.values(), strict=True):
            found.append({**dict(zip(columns, row, strict=True)), "source": name.parts[0]})
    return found


def fates(out: Path) -> dict[str, tuple[int, str | None, float | None]]:
    """Reason, id of the document that stays, and similarity, by name."""
    return {
        row["name"]: (row["reason"], row["duplicate_of"] and row["duplicate_of"].hex(), row["similarity"])
        for row in rows_of(out)
    }


def decisions(out: Path) -> dict[str, Decision]:
    """What decide says of each document, by its name; names of exact copies stand for each other by their smallest."""
    rows = rows_of(out)
    named: dict[bytes, str] = {}
    for row in rows:
        named[row["id"]] = min(row["name"], named.get(row["id"], row["name"]))
    return {
        row["name"]: Decision(
            row["reason"], None if row["duplicate_of"] is None else named[row["duplicate_of"]], row["similarity"]
        )
        for row in rows
    }
