"""Factual bands from raw text to shards: the same bytes however they are made, and what their notes and errors say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import pipeline.schemas
import shards.writer
import storage.steps
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from pipeline.decide.step import decide
from pipeline.engines.runners import Helpers, Runner
from pipeline.extract.step import extract
from pipeline.prep import prepare
from pipeline.schemas import read_ipc
from pipeline.text.factual.model import make_model, model_bytes
from shards.reader import open_shards
from storage.files import publish
from tests.endtoend.corpora import change, prose, tree_hashes, write_corpus
from tests.stopping import Stopped, limit_publishing

BANDS = 4


def write_model(path: Path) -> str:
    """A model of weights that follow no rule that texts know."""
    weights = np.arange(1 << 12) * 40_503 % 4_096 / 2_048 - 1
    model = make_model(weights, 0.0, name="made up", pairs=True, training={}, report={})
    publish(str(path), model_bytes(model))
    return str(path)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> CorpusManifest:
    folder = tmp_path_factory.mktemp("corpus")
    corpus = write_corpus(folder, scale=3)
    model = write_model(folder / "model.arrow")
    return load_corpus(change(corpus.path, factual={"model": model, "bands": BANDS}))


@pytest.fixture(scope="module")
def prepared(manifest: CorpusManifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared")
    prepare(manifest, out=str(out), runner=Runner())
    return out


def kept(out: Path, source: str) -> pa.Table:
    """Scores, characters, buckets and reasons of a source's documents."""
    tables = []
    for path in sorted((out / "decide" / "decisions" / source).glob("*.arrow")):
        signals = read_ipc(str(out / "extract" / "signals" / source / path.name), columns=["characters", "factual"])
        decisions = read_ipc(str(path))
        bucket = decisions["bucket"].cast(pa.string())
        tables.append(signals.append_column("bucket", bucket).append_column("reason", decisions["reason"]))
    return pa.concat_tables(tables)


def test_buckets_are_sources_and_bands(manifest: CorpusManifest, prepared: Path) -> None:
    buckets = open_shards(str(prepared / "shards")).buckets
    assert "wiki/factual" in buckets  # flagged: it keeps its one band
    assert {f"articles/q{number:02d}" for number in range(1, BANDS + 1)} <= set(buckets)
    assert not [name for name in buckets if name.endswith("/general")]
    side = read_ipc(str(next((prepared / "shards" / "articles" / "q02").glob("*.documents.arrow"))))
    assert side["band"].cast(pa.string()).unique().to_pylist() == ["q02"]


def test_every_document_is_in_the_band_of_its_score(manifest: CorpusManifest, prepared: Path) -> None:
    table = read_ipc(str(prepared / "decide" / "bands" / "thresholds.arrow")).to_pylist()
    checked = 0
    for source in sorted(manifest.banded_sources()):
        rows = [row for row in table if row["source"] == source]
        documents = kept(prepared, source)
        for score, bucket in zip(documents["factual"].to_pylist(), documents["bucket"].to_pylist(), strict=True):
            assert bucket == f"{source}/q{1 + sum(score >= row['threshold'] for row in rows[1:]):02d}"
            checked += 1
        for row in rows:
            own = [
                size
                for size, bucket, reason in zip(
                    *(documents[name].to_pylist() for name in ("characters", "bucket", "reason")), strict=True
                )
                if reason == 0 and bucket == f"{source}/{row['band']}"
            ]
            assert (row["documents"], row["characters"]) == (len(own), sum(own))
    assert checked > 80
    sizes = [row["characters"] for row in table if row["source"] == "articles"]
    # A band is off by at most one document at each end.
    assert max(sizes) - min(sizes) < 0.3 * sum(sizes) / BANDS


def test_bands_order_documents_by_score(prepared: Path) -> None:
    documents = kept(prepared, "articles").to_pylist()
    by_band = {
        band: [row["factual"] for row in documents if row["bucket"] == f"articles/q{band:02d}"] for band in range(1, 5)
    }
    assert all(max(by_band[band]) <= min(by_band[band + 1]) for band in range(1, 4))


GOLDEN = [("q01", None, 4), ("q02", -0.03515625, 5), ("q03", -0.0126953125, 5), ("q04", 0.0087890625, 4)]


def test_golden(prepared: Path) -> None:
    """Thresholds of a fixed corpus under a fixed model: another word, hash, step or weighting changes them."""
    table = read_ipc(str(prepared / "decide" / "bands" / "thresholds.arrow")).to_pylist()
    found = [(row["band"], row["threshold"], row["documents"]) for row in table if row["source"] == "books"]
    assert found == GOLDEN


def test_any_number_of_workers(
    manifest: CorpusManifest, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: Helpers
) -> None:
    monkeypatch.setattr("pipeline.engines.partitions.DOCUMENTS_PER_WORKER", 10)
    for workers in (2, 7):
        out = tmp_path / str(workers)
        prepare(manifest, out=str(out), runner=Runner(workers=workers, helpers=helpers))
        assert tree_hashes(out) == tree_hashes(prepared)


def test_any_runs(manifest: CorpusManifest, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", 1)
    prepare(manifest, out=str(tmp_path), runner=Runner())
    assert len(list((tmp_path / "decide" / "bands").iterdir())) > 6
    hashes, expected = tree_hashes(tmp_path), tree_hashes(prepared)
    names = [name for name in expected if name.startswith(("decide/decisions/", "decide/bands/thresholds", "shards/s"))]
    assert {name: hashes[name] for name in names} == {name: expected[name] for name in names}


def test_stopped_between_any_two_files(
    manifest: CorpusManifest, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowance = limit_publishing(monkeypatch, storage.steps, pipeline.schemas, shards.writer)
    stops = 0
    for attempts in range(1, 80):
        allowance.left = 6 + attempts
        try:
            prepare(manifest, out=str(tmp_path / "out"), runner=Runner())
            break
        except (GristmillError, Stopped) as error:
            stopped = error
            stops += 1
        assert "Stopped" in repr((stopped, stopped.__cause__))
    assert stops > 5
    assert tree_hashes(tmp_path / "out") == tree_hashes(prepared)


def test_scores_without_bands_change_no_bucket(manifest: CorpusManifest, tmp_path: Path) -> None:
    assert manifest.factual is not None
    without = manifest.model_copy(update={"factual": manifest.factual.model_copy(update={"bands": None})})
    extract(without, out=str(tmp_path), runner=Runner())
    decide(without, out=str(tmp_path), runner=Runner())
    assert not (tmp_path / "decide" / "bands").exists()
    assert kept(tmp_path, "articles")["bucket"].unique().to_pylist() == ["articles/general"]


def test_bands_without_scores_are_an_error(manifest: CorpusManifest, tmp_path: Path) -> None:
    extract(manifest.model_copy(update={"factual": None}), out=str(tmp_path), runner=Runner())
    with pytest.raises(GristmillError, match="needs scores, which extract did not store") as raised:
        decide(manifest, out=str(tmp_path), runner=Runner())
    assert "gristmill extract" in str(raised.value)


def test_a_note_says_that_scores_are_too_equal(tmp_path: Path) -> None:
    lines = [{"text": prose(str(number))} for number in range(20)]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    constant = make_model(np.zeros(1 << 10), 0.25, name="constant", pairs=True, training={}, report={})
    publish(str(tmp_path / "model.arrow"), model_bytes(constant))
    source = {"name": "texts", "format": "jsonl", "files": ["texts.jsonl"], "licence": "made up"}
    manifest = CorpusManifest.model_validate(
        {
            "name": "c",
            "sources": [{**source, "root": str(tmp_path)}],
            "factual": {"model": str(tmp_path / "model.arrow")},
            "tokenizer": {"train": {}},
        }
    )
    extract(manifest, out=str(tmp_path / "out"), runner=Runner())
    notes = decide(manifest, out=str(tmp_path / "out"), runner=Runner()).notes
    assert any(note.startswith("factual bands: source `texts` fills 1 of 20") for note in notes)


@pytest.mark.parametrize(
    ("sources", "message"), [(["nothing"], "names `nothing`, which is no source"), (["wiki"], "it has one band")]
)
def test_sources_that_cannot_be_cut(manifest: CorpusManifest, sources: list[str], message: str) -> None:
    data = manifest.model_dump(mode="json")
    data["factual"]["sources"] = sources
    with pytest.raises(ValueError, match=message):
        CorpusManifest.model_validate(data)


def test_only_the_named_sources_are_cut(manifest: CorpusManifest) -> None:
    assert manifest.factual is not None
    named = manifest.factual.model_copy(update={"sources": ["crawl"]})
    assert manifest.model_copy(update={"factual": named}).banded_sources() == {"crawl"}
    assert "wiki" not in manifest.banded_sources()
    assert "crawl" in manifest.banded_sources()


@pytest.mark.slow
def test_portable_job_service(manifest: CorpusManifest, prepared: Path, tmp_path: Path, helpers: Helpers) -> None:
    prepare(manifest, out=str(tmp_path), runner=Runner(kind="portable", helpers=helpers))
    assert tree_hashes(tmp_path) == tree_hashes(prepared)
