"""The alarm: a source that loses more than is expected ends the run before tokenize, and only the manifest counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from pipeline.decide.duplicates.report.alarm import FEWEST_DOCUMENTS
from pipeline.engines.runners import Runner
from pipeline.prep import prepare, run_step
from tests.endtoend.corpora import prose, tree_hashes
from tests.pipeline.decide.duplicates.corpora import write


def copies(count: int, *, of: int, source: str) -> list[dict[str, str]]:
    """Documents of a source that are copies of a few texts: all but `of` of them go."""
    return [
        {
            "id": f"{source}-{number}",
            "url": f"https://{source}.example/{number}",
            "text": prose(f"{source} {number % of}", words=60),
            "source": source,
        }
        for number in range(count)
    ]


def stamps(folder: Path) -> dict[str, int]:
    """When each file of a step was written."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def written(
    folder: Path, rows: list[dict[str, str]], *, expected: dict[str, float] | None = None, **dedup: object
) -> Path:
    return expecting(write(folder, rows, **dedup), expected or {})


def expecting(path: Path, expected: dict[str, float]) -> Path:
    """The manifest with shares that sources are expected to lose."""
    content = yaml.safe_load(path.read_text())
    for source in content["sources"]:
        if source["name"] in expected:
            source["expected_duplicates"] = expected[source["name"]]
    path.write_text(yaml.safe_dump(content))
    return path


def error_of(manifest: CorpusManifest, out: Path) -> str:
    with pytest.raises(GristmillError) as caught:
        prepare(manifest, out=str(out), runner=Runner())
    return str(caught.value)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """A source that loses 108 of 120, and one that loses 24 of 120."""
    return copies(120, of=12, source="other") + copies(120, of=96, source="best")


def test_it_stops_before_tokenize_and_names_clusters(tmp_path, rows) -> None:
    said = error_of(load_corpus(written(tmp_path, rows)), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["decide", "extract"]
    assert (tmp_path / "out" / "decide" / "_MANIFEST.json").exists()
    assert "source `other`: 108 of 120 documents, 90.0 %, go (108 exact, 0 near); expected are 50 % at most" in said
    assert "`best`" not in said
    assert "the largest of its 12 clusters" in said
    shown = [
        line.split() for line in said.splitlines() if line.startswith("          9  1.000  https://other.example/")
    ]
    assert len(shown) == 10
    assert said.count(" for https://other.example/") == 10
    assert "`expected_duplicates: 0.9` for source `other`" in said
    assert f"gristmill dedup clusters {tmp_path}/out --source other" in said


def test_once_it_is_expected_the_run_goes_on(tmp_path, rows) -> None:
    path = written(tmp_path, rows)
    error_of(load_corpus(path), tmp_path / "out")
    before = stamps(tmp_path / "out" / "extract"), stamps(tmp_path / "out" / "decide")
    prepared = prepare(load_corpus(expecting(path, {"other": 0.9})), out=str(tmp_path / "out"), runner=Runner())
    assert prepared.shards.ledger.kept == 12 + 96
    # The step's manifest is written anew, with the same content; nothing else is.
    after = stamps(tmp_path / "out" / "extract"), stamps(tmp_path / "out" / "decide")
    for one, other in zip(before, after, strict=True):
        assert {path for path in one.keys() | other.keys() if one.get(path) != other.get(path)} <= {
            path for path in one if path.endswith("_MANIFEST.json")
        }
    hashes = tree_hashes(tmp_path / "out")
    prepare(load_corpus(written(tmp_path, rows, alarm=None)), out=str(tmp_path / "again"), runner=Runner())
    assert tree_hashes(tmp_path / "again") == hashes


@pytest.mark.parametrize("step", ["decide", "tokenizer", "tokenize"])
def test_each_step_alone_stops(tmp_path, rows, step) -> None:
    manifest = load_corpus(written(tmp_path, rows))
    run_step("extract", manifest, out=str(tmp_path / "out"), runner=Runner())
    with pytest.raises(GristmillError, match="`other` goes as duplicates"):
        run_step("decide", manifest, out=str(tmp_path / "out"), runner=Runner())
    with pytest.raises(GristmillError, match="`other` goes as duplicates"):
        run_step(step, manifest, out=str(tmp_path / "out"), runner=Runner())
    expected = load_corpus(written(tmp_path, rows, alarm=0.95))
    assert run_step("decide", expected, out=str(tmp_path / "out"), runner=Runner()).ledger.kept == 12 + 96


@pytest.mark.parametrize(
    ("expected", "dedup", "alarming"),
    [
        ({}, {}, ["other"]),
        ({}, {"alarm": 0.1}, ["best", "other"]),
        ({}, {"alarm": 0.9}, []),
        ({}, {"alarm": 0.899}, ["other"]),
        ({}, {"alarm": None}, []),
        ({"other": 1.0}, {}, []),
        ({"best": 0.1}, {"alarm": 0.95}, ["best"]),
        ({"best": 0.1}, {"alarm": None}, []),
        ({}, {"exact": False, "minhash": {}}, ["other"]),
        ({}, {"exact": False, "minhash": None}, []),
    ],
)
def test_which_sources_alarm(tmp_path, rows, expected, dedup, alarming) -> None:
    manifest = load_corpus(written(tmp_path, rows, expected=expected, **dedup))
    out = str(tmp_path / "out")
    run_step("extract", manifest, out=out, runner=Runner())
    if not alarming:
        assert run_step("decide", manifest, out=out, runner=Runner()).ledger.records_in == 240
        return
    with pytest.raises(GristmillError) as caught:
        run_step("decide", manifest, out=out, runner=Runner())
    for name in ("best", "other"):
        assert (f"source `{name}`: " in str(caught.value)) == (name in alarming)


@pytest.mark.parametrize(("count", "alarms"), [(FEWEST_DOCUMENTS - 1, False), (FEWEST_DOCUMENTS, True)])
def test_a_small_source_never_alarms(tmp_path, count, alarms) -> None:
    manifest = load_corpus(written(tmp_path, copies(count, of=1, source="other") + copies(2, of=2, source="best")))
    out = str(tmp_path / "out")
    run_step("extract", manifest, out=out, runner=Runner())
    if alarms:
        with pytest.raises(GristmillError, match="the largest of its 1 clusters"):
            run_step("decide", manifest, out=out, runner=Runner())
    else:
        assert run_step("decide", manifest, out=out, runner=Runner()).ledger.kept == 3


def test_what_rules_dropped_before_does_not_count(tmp_path) -> None:
    """Of 240 documents 120 are dropped for their length; of the others 70 go, which is more than half of them."""
    short = [
        {**row, "id": f"short-{row['id']}", "text": f"short {row['id']}"} for row in copies(120, of=120, source="other")
    ]
    path = written(tmp_path, copies(120, of=50, source="other") + short + copies(1, of=1, source="best"))
    path.write_text(path.read_text().replace("filters: none", "filters: [{variant: gopher-paper, min_words: 50}]"))
    assert "source `other`: 70 of 120 documents, 58.3 %" in error_of(load_corpus(path), tmp_path / "out")
