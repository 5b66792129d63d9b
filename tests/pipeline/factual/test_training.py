"""Training from a manifest: the same bytes every time, labels by URL, what is held out, and errors."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from manifests.errors import GristmillError
from manifests.factual import load_factual
from pipeline.factual.documents import read_documents
from pipeline.factual.training import train_factual
from pipeline.text.factual.model import read_model, scores
from tests.endtoend.corpora import prose
from tests.property.texts import buffers

FACTS = "was born in 1901 and founded the university according to the national archive".split()
CHAT = "buy now lol this is so cool click here my friends awesome deal today".split()


def text(kind: list[str], seed: str) -> str:
    """Words of one kind among words of no kind."""
    draw = random.Random(seed)
    noise = prose(seed).split()
    return " ".join(word if draw.random() < 0.8 else draw.choice(kind) for word in noise)


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def manifest(folder: Path, sources: list[dict[str, Any]], **more: Any) -> Path:
    path = folder / "factual.yaml"
    path.write_text(yaml.safe_dump({"kind": "factual", "name": "m", "hash_bits": 12, "sources": sources, **more}))
    return path


def source(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "format": "jsonl", "files": [f"{name}.jsonl"], **more}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("raw")
    for name, kind in (("books", FACTS), ("papers", FACTS), ("shop", CHAT), ("forum", CHAT)):
        write(place, name, [{"id": f"{name}{number}", "text": text(kind, f"{name}{number}")} for number in range(40)])
    pages = [
        {
            "url": f"https://site{number % 8}.example/{number}",
            "text": text(FACTS if number % 4 == 0 else CHAT, f"p{number}"),
        }
        for number in range(160)
    ]
    write(place, "crawl", pages)
    (place / "urls.txt").write_text("".join(f"http://www.site{n % 8}.example/{n}\n" for n in range(0, 160, 4)))
    return place


FOUR = [
    source("books", label="factual"),
    source("papers", label="factual"),
    source("shop", label="general"),
    source("forum", label="general"),
]


def test_the_model_tells_sources_apart_that_it_has_not_seen(folder: Path, tmp_path: Path) -> None:
    model, report = train_factual(load_factual(manifest(folder, FOUR)), out=str(tmp_path / "m"))
    assert report.held_out == {"factual": "sources", "general": "sources"}
    assert report.folds == 2
    assert report.auc > 0.95
    assert list(report.rates) == ["1", "3", "10", "30"]
    assert report.auc == max(report.rates.values())
    assert report.rates[f"{model.header.training['rate']:g}"] == report.auc
    assert report.auc_source == 1.0
    assert not report.beats_source
    assert [found.name for found in report.sources] == ["books", "forum", "papers", "shop"]
    fresh = [text(FACTS, "new"), text(CHAT, "other")]
    assert np.sign(scores(*buffers(fresh), model)).tolist() == [1, -1]
    assert read_model(str(tmp_path / "m")).header == model.header


def test_the_same_bytes_every_time_and_in_any_order_of_records(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_factual(load_factual(manifest(folder, FOUR)), out=str(tmp_path / "a"))
    first = (tmp_path / "a").read_bytes()
    monkeypatch.setattr("pipeline.readers.records.BATCH_TEXT_BYTES", 3_000)
    train_factual(load_factual(manifest(folder, FOUR)), out=str(tmp_path / "b"))
    assert (tmp_path / "b").read_bytes() == first
    for path in folder.glob("*.jsonl"):
        lines = path.read_text().splitlines()
        random.Random(1).shuffle(lines)
        (tmp_path / path.name).write_text("\n".join(lines) + "\n")
    shuffled, _ = train_factual(load_factual(manifest(tmp_path, FOUR)), out=str(tmp_path / "c"))
    known = read_model(str(tmp_path / "a"))
    assert np.array_equal(shuffled.weights, known.weights)
    assert (shuffled.header.bias, shuffled.header.report) == (known.header.bias, known.header.report)
    # The files are others, and the model says so.
    assert shuffled.header.training["sources"] != known.header.training["sources"]


GOLDEN = "cd506320bf380f946508c4703f7cc8548c236af408f1c83c0c335903efe5361d"


def test_golden(folder: Path, tmp_path: Path) -> None:
    """The weights of fixed texts: the same on every machine, and for every version of NumPy, numba and Python."""
    model, _ = train_factual(load_factual(manifest(folder, FOUR)), out=str(tmp_path / "m"))
    assert hashlib.sha256(model.weights.astype("<i4").tobytes()).hexdigest() == GOLDEN


def test_labels_by_url(folder: Path, tmp_path: Path) -> None:
    path = manifest(folder, [source("crawl", factual_urls="urls.txt")])
    documents = read_documents(load_factual(path))
    assert int(documents.labels.sum()) == 40
    assert documents.origins["crawl"]["factual"] == 40
    assert len(set(documents.groups)) == 8
    assert documents.held_out == {"factual": "sites", "general": "sites"}
    _, report = train_factual(load_factual(path), out=str(tmp_path / "m"))
    assert report.beats_source
    assert report.auc_within is not None
    assert report.auc_within > 0.9
    assert report.auc_source == pytest.approx(0.5, abs=0.15)


def test_a_document_is_used_once_and_as_factual(folder: Path, tmp_path: Path) -> None:
    same = [{"text": text(FACTS, "same")}, {"text": text(FACTS, "same")}]
    write(tmp_path, "first", [*same, {"text": text(FACTS, "a")}])
    write(tmp_path, "second", [{"text": text(CHAT, "b")}, *same])
    write(tmp_path, "third", [{"text": text(FACTS, "c")}, *same])
    sources = [source("second", label="general"), source("first", label="factual"), source("third", label="factual")]
    documents = read_documents(load_factual(manifest(tmp_path, sources)))
    assert len(documents.ids) == len(set(documents.ids)) == 4
    assert documents.origins["first"]["factual"] == 2
    assert documents.origins["second"]["general_elsewhere"] == 1
    assert documents.origins["third"]["factual_elsewhere"] == 1


def test_the_documents_of_the_smallest_hashes_are_used(folder: Path) -> None:
    few = [source("books", label="factual", max_documents=7), source("shop", label="general")]
    some = read_documents(load_factual(manifest(folder, few)))
    again = read_documents(load_factual(manifest(folder, few, seed=1)))
    every = read_documents(load_factual(manifest(folder, FOUR[:1] + FOUR[2:3])))
    books = [identity for identity, name in zip(some.ids, some.sources, strict=True) if name == "books"]
    assert len(books) == 7
    assert books == [i for i, name in zip(every.ids, every.sources, strict=True) if name == "books"][:7]
    assert set(books) != {i for i, name in zip(again.ids, again.sources, strict=True) if name == "books"}


def test_words_beyond_the_first_are_not_learnt_from(folder: Path) -> None:
    short = read_documents(load_factual(manifest(folder, FOUR, max_words=5)))
    assert set(np.diff(short.bounds).tolist()) == {9}
    single = read_documents(load_factual(manifest(folder, FOUR, max_words=5, ngrams=1)))
    assert set(np.diff(single.bounds).tolist()) == {5}


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([source("books")], "exactly one of `label` and `factual_urls`"),
        ([source("books", label="factual", factual_urls="urls.txt")], "exactly one of"),
        ([source("books", label="factual")], "needs documents of both kinds"),
        ([*FOUR, source("books", label="general")], "given twice: books"),
        ([*FOUR[:3], source("forum", label="general", priority=3)], "`priority` has no meaning here"),
        ([*FOUR[:3], source("forum", label="genral")], "label"),
    ],
)
def test_manifests_that_cannot_be_meant(folder: Path, sources: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(GristmillError, match=message):
        load_factual(manifest(folder, sources))


def test_a_list_of_another_crawl(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("https://elsewhere.example/\n")
    path = manifest(folder, [source("crawl", factual_urls=str(tmp_path / "other.txt"))])
    with pytest.raises(GristmillError, match="there are no factual documents"):
        train_factual(load_factual(path), out=str(tmp_path / "m"))
    assert not (tmp_path / "m").exists()
