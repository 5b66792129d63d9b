"""A rehearsal on a hash sample: what it draws, and how accurate its predictions are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from gristmill.cli import app
from manifests.corpus import CorpusManifest, Dedup, Extraction, load_corpus
from manifests.errors import GristmillError
from manifests.repeated_lines import C4Lines
from manifests.step import StepManifest
from pipeline.engines.runners import Runner
from pipeline.extract import sample
from pipeline.extract.inputs import RawFile, RawPiece
from pipeline.extract.sample import LEAST_FILES, Prediction, draw_pieces, sample_extract
from pipeline.extract.step import extract, raw_records
from pipeline.losses import Extracted
from pipeline.readers.archives import responses
from pipeline.readers.pieces import whole
from pipeline.readers.web import html_files
from pipeline.readers.web.html import extract_html
from pipeline.schemas import read_ipc
from tests.endtoend.corpora import prose
from tests.pipeline.readers.samples import members, warc_record


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
    sources = [
        {"name": name, "format": "jsonl", "files": [f"{name}*.jsonl.gz"], "licence": "none"} for name in ("one", "many")
    ]
    path = folder / "corpus.yaml"
    path.write_text(
        yaml.safe_dump({"kind": "corpus", "version": 1, "name": "s", "sources": sources, "tokenizer": {"train": {}}})
    )
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


def test_hashes_of_lines_are_predicted_too(manifest: CorpusManifest, tmp_path: Path) -> None:
    hashing = manifest.model_copy(update={"dedup": Dedup(lines=C4Lines())})
    whole = extract(hashing, out=str(tmp_path / "full"), runner=Runner(workers=1))
    assert any(output.path.startswith("lines/") for output in whole.outputs)
    size = sum(output.bytes for output in whole.outputs)
    assert predict(hashing, tmp_path / "all", 1.0).output_bytes == size
    assert predict(hashing, tmp_path / "some", 0.25).output_bytes == pytest.approx(size, rel=0.2)


def test_a_sample_is_the_same_wherever_it_runs(manifest: CorpusManifest, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    predict(manifest, first, 0.05)
    predict(manifest, second, 0.05)
    of_first, of_second = (sorted((folder / "sample").rglob("*.arrow")) for folder in (first, second))
    assert len(of_first) > 6
    assert [path.read_bytes() for path in of_first] == [path.read_bytes() for path in of_second]


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> CorpusManifest:
    """A WARC file, an ARC file and a folder of pages; all of them hold pages only, and a record that is none."""
    folder = tmp_path_factory.mktemp("crawl")
    html = [f"<html><body><p>{prose(f'page {number}', words=200)}</p></body></html>".encode() for number in range(300)]
    blocks = [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page for page in html]
    (folder / "a.warc.gz").write_bytes(
        members([warc_record(number, block) for number, block in enumerate(blocks)] + [warc_record(0, b"x")])
    )
    arc = [
        b"http://example.org/%d 1.2.3.4 20200101000000 text/html %d\n%b\n" % (n, len(block), block)
        for n, block in enumerate(blocks)
    ]
    (folder / "b.arc.gz").write_bytes(members(arc))
    for number, page in enumerate(html[:30]):
        (folder / f"{number}.html").write_bytes(page)
    formats = {"warc": "*.warc.gz", "arc": "*.arc.gz", "html": "*.html"}
    sources = [{"name": name, "format": name, "files": [files], "licence": "none"} for name, files in formats.items()]
    path = folder / "corpus.yaml"
    path.write_text(
        yaml.safe_dump({"kind": "corpus", "version": 1, "name": "s", "sources": sources, "tokenizer": {"train": {}}})
    )
    return load_corpus(path)


def test_html_that_is_not_drawn_is_not_parsed(
    crawl: CorpusManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def counted(html: str, *, utf8: bytes | None, extraction: Extraction) -> Extracted:
        parsed.append(html)
        return extract_html(html, utf8=utf8, extraction=extraction)

    monkeypatch.setattr(responses, "extract_html", counted)
    monkeypatch.setattr(html_files, "extract_html", counted)
    predicted = predict(crawl, tmp_path / "early", 0.2)
    sampled = {source.source: source.sampled_documents for source in predicted.sources}
    assert len(parsed) == sum(sampled.values())
    assert all(30 < sampled[name] < 90 for name in ("warc", "arc"))
    assert 0 < sampled["html"] < 16
    # The draw is the same as of records that are all read first, as other formats' are.
    monkeypatch.setattr(sample, "raw_records", lambda task, job, *, draw: raw_records(task, job))
    predict(crawl, tmp_path / "late", 0.2)
    early, late = (
        sorted((tmp_path / name / "sample" / "extract").rglob("documents/**/*.arrow")) for name in ("early", "late")
    )
    assert [read_ipc(str(path)) for path in early] == [read_ipc(str(path)) for path in late]
    assert len(early) > 2


def test_sizes_of_a_crawl_are_predicted(crawl: CorpusManifest, tmp_path: Path) -> None:
    full = extract(crawl, out=str(tmp_path / "full"), runner=Runner(workers=1))
    predicted = predict(crawl, tmp_path / "sample", 0.2)
    assert predicted.documents == pytest.approx(full.ledger.kept, rel=0.15)
    # Of each file few records are drawn, which by themselves would compress worse.
    assert predicted.output_bytes / predicted.documents == pytest.approx(
        sum(o.bytes for o in full.outputs) / full.ledger.kept, rel=0.1
    )


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
