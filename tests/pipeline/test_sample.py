"""A rehearsal on a hash sample: what it draws, and how near its predictions come."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from gristmill.cli import app
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from manifests.steps import StepManifest
from pipeline.engines.runners import Runner
from pipeline.extract import extract
from pipeline.inputs import RawFile, RawPiece
from pipeline.readers.pieces import whole
from pipeline.sample import LEAST_FILES, Prediction, draw_pieces, sample_extract
from tests.endtoend.corpora import prose


def pieces(source: str, count: int) -> list[RawPiece]:
    return [
        RawPiece(RawFile(source=source, name=f"{number}.gz", path=f"/{number}.gz", size=1, stamp=""), whole(1), 1)
        for number in range(count)
    ]


def test_files_are_drawn_per_source_by_their_names() -> None:
    everything = [*pieces("a", 1000), *pieces("b", 2)]
    drawn = draw_pieces(everything, share=0.05, seed=1)
    assert sum(raw.file.source == "a" for raw in drawn) == 50
    assert sum(raw.file.source == "b" for raw in drawn) == 2
    assert drawn == draw_pieces(everything, share=0.05, seed=1)
    assert [raw for raw in everything if raw in drawn] == drawn
    assert drawn != draw_pieces(everything, share=0.05, seed=2)
    # More files are more of the same: a larger share holds the smaller one.
    assert set(drawn) <= set(draw_pieces(everything, share=0.1, seed=1))
    assert len(draw_pieces(pieces("a", 100), share=0.001, seed=1)) == LEAST_FILES


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources: one file of many documents, and many files of few."""
    folder = tmp_path_factory.mktemp("sample")
    for name, documents in [("one", 2000), *((f"many-{number}", 60) for number in range(40))]:
        with gzip.open(folder / f"{name}.jsonl.gz", "wt") as file:
            for number in range(documents):
                text = prose(f"{name} {number}", words=40 + number % 100)
                file.write(json.dumps({"id": str(number), "text": text}) + "\n")
            file.write("broken\n")
    sources = [{"name": name, "format": "jsonl", "files": [f"{name}*.jsonl.gz"], "licence": "none"} for name in ("one", "many")]
    path = folder / "corpus.yaml"
    path.write_text(yaml.safe_dump({"kind": "corpus", "version": 1, "name": "s", "sources": sources, "tokenizer": {"train": {}}}))
    return path


@pytest.fixture(scope="module")
def manifest(corpus: Path) -> CorpusManifest:
    return load_corpus(corpus)


@pytest.fixture(scope="module")
def full(manifest: CorpusManifest, tmp_path_factory: pytest.TempPathFactory) -> StepManifest:
    return extract(manifest, out=str(tmp_path_factory.mktemp("full")), runner=Runner(workers=1))


def predict(manifest: CorpusManifest, out: Path, share: float) -> Prediction:
    return sample_extract(manifest, out=str(out), share=share, runner=Runner(workers=1))


def test_sizes_of_the_full_run_are_predicted(manifest: CorpusManifest, full: StepManifest, tmp_path: Path) -> None:
    predicted = predict(manifest, tmp_path, 0.25)
    read = sum(source.sampled_documents for source in predicted.sources)
    assert 0.2 * full.ledger.kept < read < 0.3 * full.ledger.kept
    assert predicted.documents == pytest.approx(full.ledger.kept, rel=0.1)
    assert predicted.text_bytes == pytest.approx(sum(output.text_bytes for output in full.outputs), rel=0.1)
    assert predicted.output_bytes == pytest.approx(sum(output.bytes for output in full.outputs), rel=0.2)
    assert predicted.cpu_s > 0
    assert predicted.worker_bytes > 50_000_000
    assert not (tmp_path / "extract").exists()


def test_the_whole_is_its_own_sample(manifest: CorpusManifest, full: StepManifest, tmp_path: Path) -> None:
    predicted = predict(manifest, tmp_path, 1.0)
    assert predicted.documents == full.ledger.kept
    assert predicted.output_bytes == sum(output.bytes for output in full.outputs)


def test_a_sample_is_the_same_wherever_it_runs(manifest: CorpusManifest, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    predict(manifest, first, 0.05)
    predict(manifest, second, 0.05)
    of_first, of_second = (sorted((folder / "sample").rglob("*.arrow")) for folder in (first, second))
    assert len(of_first) > 6
    assert [path.read_bytes() for path in of_first] == [path.read_bytes() for path in of_second]


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_a_share_that_is_none_is_refused(manifest: CorpusManifest, tmp_path: Path, share: float) -> None:
    with pytest.raises(GristmillError, match="sample of"):
        predict(manifest, tmp_path, share)


def test_an_empty_sample_says_so(manifest: CorpusManifest, tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="holds no document"):
        predict(manifest, tmp_path, 1e-9)


def test_the_command_prints_the_prediction(corpus: Path, tmp_path: Path) -> None:
    arguments = ["extract", str(corpus), "--out", str(tmp_path), "--sample", "0.02", "--workers", "1"]
    predicted = json.loads(CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False).stdout)
    assert {source["source"] for source in predicted["sources"]} == {"one", "many"}
    printed = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
    assert "The full run, by 2 % of its records" in printed
    assert f"{predicted['documents']:,}" in printed
    assert "per worker" in printed
