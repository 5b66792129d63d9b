"""A corpus of web pages with a people finder, a shop, and two blogs of one hoster, one of them heavy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from manifests.corpus import CorpusManifest, load_corpus
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract
from pipeline.folders import DECIDE, EXTRACT
from pipeline.schemas import read_ipc
from tests.endtoend.corpora import prose

GIVEN = ("Ann", "John", "Anna", "Peter", "Martin", "Julia")
# Weights of the tests' own: those of the manifest are fitted and change.
RULE = {"weights": {"email_and_more": 6.0, "staff": -3.0}, "bias": -3.0}
HEAVY, BLOG, OTHER_BLOG, SHOP = "people.example", "ann.github.io", "bob.github.io", "shop.example"
MIXED = "mixed.example"


def person(number: int) -> tuple[str, str, str]:
    """Name, address and telephone number of a made-up person; no two numbers are of one block."""
    name = f"{GIVEN[number % len(GIVEN)]} Quandersen"
    return name, f"quander{number}@gmail.com", f"+49 30 {910_000 + 10_007 * number}"


def pages(scale: int = 1) -> list[dict[str, str]]:
    """Records with URL and text."""
    records = []
    for site, count, heavy in ((HEAVY, 9, True), (BLOG, 6, True), (OTHER_BLOG, 6, False), (SHOP, 12, False)):
        for number in range(count * scale):
            name, address, phone = person(len(records))
            text = prose(f"{site} {number}", words=40)
            if heavy:
                text = f"{name}, {address}, {phone}\n\n{text}"
            elif site == SHOP:
                text += "\n\nOrder from orders@shop.example or +49 30 771820."
            records.append({"id": f"{site}-{number}", "url": f"https://www.{site}/{number}", "text": text})
    # Without a site.
    records.append({"id": "nowhere", "text": prose("nowhere")})
    return records


def write_pages(
    folder: Path,
    *,
    files: int = 3,
    scale: int = 1,
    records: Sequence[Mapping[str, str]] | None = None,
    rule: Mapping[str, object] | None = RULE,
    **sections: object,
) -> Path:
    """The manifest's path; pages, or these records, are dealt out to some files."""
    folder.mkdir(parents=True, exist_ok=True)
    records = pages(scale) if records is None else records
    for number in range(files):
        lines = [json.dumps(record) + "\n" for record in records[number::files]]
        (folder / f"{number}.jsonl").write_text("".join(lines))
    manifest = {
        "kind": "corpus",
        "version": 1,
        "name": "sites",
        "sources": [{"name": "web", "format": "jsonl", "files": ["*.jsonl"], "licence": "made up"}],
        "filters": "none",
        "dedup": {"exact": True, "minhash": None},
        "personal_information": {"sites": rule},
        "tokenizer": {"train": {"vocab_size": 400, "sample_mb": 1}},
        **sections,
    }
    path = folder / "corpus.yaml"
    path.write_text(yaml.safe_dump(manifest))
    return path


def snapshots(scale: int = 1) -> list[list[dict[str, str]]]:
    """Three crawls of the same sites: each third page is in two of them, and no two have the same pages of a site.

    One page of `MIXED` is heavy and is in the first crawl alone; its other pages are in the others.
    """
    crawls: list[list[dict[str, str]]] = [[], [], []]
    for number, record in enumerate(pages(scale)):
        crawls[number % 3].append(record)
        if number % 3 == 2:
            crawls[number // 3 % 2].append(record)
    for number in range(24):
        name, address, phone = person(1_000 + number)
        text = prose(f"{MIXED} {number}", words=40)
        text = text if number else f"{name}, {address}, {phone}\n\n{text}"
        crawls[1 + number % 2 if number else 0].append(
            {"id": f"{MIXED}-{number}", "url": f"https://{MIXED}/{number}", "text": text}
        )
    return crawls


def judge(manifest: CorpusManifest | Path, out: Path, *, runner: Runner | None = None) -> list[str]:
    """Run extract and decide; the notes of decide."""
    loaded = load_corpus(manifest) if isinstance(manifest, Path) else manifest
    extract(loaded, out=str(out), runner=runner or Runner())
    return list(decide(loaded, out=str(out), runner=runner or Runner()).notes)


def dropped(out: Path) -> dict[str, str]:
    """Names of dropped documents to reasons."""
    return {
        row["name"]: row["reason"]
        for path in (out / DECIDE / "dropped").rglob("*.arrow")
        for row in read_ipc(str(path)).to_pylist()
    }


def stamps(out: Path, step: str = EXTRACT) -> dict[str, int]:
    """When the files of a step were written."""
    return {str(path): path.stat().st_mtime_ns for path in (out / step).rglob("*.arrow")}
