"""Clusters, histogram and ledger against plain Python on all rows, however the rows lie in files."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import GristmillError
from manifests.filters import REASONS
from pipeline.decide.duplicates.report.clusters import Cluster, find_clusters
from pipeline.decide.duplicates.report.gone import Copy
from pipeline.decide.duplicates.report.ledger import duplicate_ledger
from pipeline.decide.duplicates.report.prepared import Document, open_prepared
from storage.steps import read_step
from tests.pipeline.decide.duplicates.corpora import records, rows_of, run, write

Row = dict[str, Any]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clusters")
    run(write(folder, records()), folder / "out")
    return folder / "out"


def members(out: Path, source: str | None = None) -> dict[str, list[Row]]:
    """What went for each document that stays, by its name."""
    rows = rows_of(out)
    kept = {row["id"]: row["name"] for row in rows if row["reason"] == 0}
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["duplicate_of"] is not None and source in (None, row["source"]):
            found[kept[row["duplicate_of"]]].append(row)
    return found


def described(clusters: list[Cluster]) -> list[tuple[object, ...]]:
    """All but where documents lie."""
    return [
        (
            cluster.kept.name,
            cluster.copies,
            cluster.lowest,
            cluster.median,
            [(copy.document.name, copy.reason, copy.similarity) for copy in cluster.examples],
        )
        for cluster in clusters
    ]


def expected_examples(rows: list[Row]) -> set[str]:
    by_id = sorted(rows, key=lambda row: (row["id"], row["url"], row["name"]))
    least, most = sorted(by_id, key=lambda row: row["similarity"]), sorted(by_id, key=lambda row: -row["similarity"])
    chosen: list[str] = []
    for order in (least, most, by_id):
        chosen += [row["name"] for row in order if row["name"] not in chosen][:1]
    return set(chosen)


@pytest.mark.parametrize("source", [None, "best", "other"])
@pytest.mark.parametrize("most_counted", [1, 5, 1 << 26])
def test_clusters_equal_the_definition(out, monkeypatch, most_counted, source) -> None:
    monkeypatch.setattr("pipeline.decide.duplicates.report.clusters.MOST_COUNTED", most_counted)
    monkeypatch.setattr("pipeline.decide.duplicates.report.clusters._FOLD", 3)
    wanted, ids = members(out, source), {row["name"]: row["id"] for row in rows_of(out)}
    found = find_clusters(open_prepared(str(out)), source=source, most=4)
    assert found.clusters == len(wanted)
    names = sorted(wanted, key=lambda name: (-len(wanted[name]), ids[name]))[:4]
    assert [cluster.kept.name for cluster in found.largest] == names
    for cluster in found.largest:
        rows = wanted[str(cluster.kept.name)]
        similarity = [row["similarity"] for row in rows]
        assert (cluster.copies, cluster.lowest) == (len(rows), min(similarity))
        assert cluster.median == pytest.approx(statistics.median_low(similarity), abs=6e-4)
        assert {copy.document.name for copy in cluster.examples} == expected_examples(rows)
        assert [copy.similarity for copy in cluster.examples] == sorted(copy.similarity for copy in cluster.examples)
    reasons = Counter(REASONS[row["reason"]] for rows in wanted.values() for row in rows)
    assert (found.exact, found.near) == (reasons["exact_duplicate"], reasons["near_duplicate"])


def test_the_histogram_counts_near_duplicates(out) -> None:
    found = find_clusters(open_prepared(str(out)))
    assert [round(each.low, 2) for each in found.histogram] == [
        0.7,
        0.73,
        0.76,
        0.79,
        0.82,
        0.85,
        0.88,
        0.91,
        0.94,
        0.97,
    ]
    assert found.histogram[-1].high == 1
    near = [row["similarity"] for rows in members(out).values() for row in rows if row["similarity"] < 1]
    assert len(near) > 5
    for each in found.histogram:
        inside = sum(each.low <= alike < each.high for alike in near)
        assert each.documents == inside, each


def test_examples_of_a_large_cluster_do_not_depend_on_files(tmp_path, monkeypatch) -> None:
    """Ten copies of one text: similarity and id are the same, URLs differ."""
    rows = [{**row, "source": "other"} for row in records(families=1)[:1]] * 12
    rows = [{**row, "id": f"n{number}", "url": f"https://n{number}.example/"} for number, row in enumerate(rows)]
    found = []
    for files, shuffled in ((1, None), (4, 1), (5, 2)):
        folder = tmp_path / str(files)
        run(write(folder, rows, files=files, shuffled=shuffled), folder / "out")
        found.append(described(find_clusters(open_prepared(str(folder / "out"))).largest))
    assert found[0] == found[1] == found[2]
    [(_, copies, lowest, median, examples)] = found[0]
    assert (copies, lowest, median, len(examples)) == (11, 1, 1, 3)


def test_files_decide_nothing(out, tmp_path) -> None:
    run(write(tmp_path, records(), files=4, shuffled=3), tmp_path / "out")
    ones, others = (find_clusters(open_prepared(str(each)), most=50) for each in (out, tmp_path / "out"))
    assert described(ones.largest) == described(others.largest)
    assert ones.histogram == others.histogram


def test_without_minhash_there_are_exact_copies_only(tmp_path) -> None:
    run(write(tmp_path, records(families=2), minhash=None), tmp_path / "out")
    found = find_clusters(open_prepared(str(tmp_path / "out")))
    assert (found.near, found.histogram) == (0, [])
    assert found.exact == sum(cluster.copies for cluster in found.largest) > 0
    decided = read_step(str(tmp_path / "out" / "decide"))
    assert decided is not None
    assert {row.candidates for row in duplicate_ledger(str(tmp_path / "out"), decided)} == {0}


def test_without_a_search_there_is_nothing(tmp_path) -> None:
    run(write(tmp_path, records(families=1), exact=False, minhash=None), tmp_path / "out")
    prepared = open_prepared(str(tmp_path / "out"))
    found = find_clusters(prepared)
    assert (found.clusters, found.exact, found.near, found.largest) == (0, 0, 0, [])
    assert duplicate_ledger(prepared.out, prepared.decided) == []


def test_the_ledger_of_each_source(out) -> None:
    decided = read_step(str(out / "decide"))
    assert decided is not None
    rows = rows_of(out)
    for found in duplicate_ledger(str(out), decided):
        own = Counter(REASONS[row["reason"]] for row in rows if row["source"] == found.source)
        assert found.documents == found.searched == sum(own.values())
        assert (found.exact, found.near) == (own["exact_duplicate"], own["near_duplicate"])
        assert found.share == (found.exact + found.near) / found.documents
        assert found.candidates == found.confirmed + found.rejected
        assert found.compared >= found.candidates > 0
        assert found.checked_by_shingles <= found.candidates


def test_what_rules_dropped_did_not_enter_the_search(tmp_path) -> None:
    manifest = write(tmp_path, records(families=2))
    manifest.write_text(
        manifest.read_text().replace("filters: none", "filters: [{variant: gopher-paper, min_words: 60}]")
    )
    run(manifest, tmp_path / "out")
    decided = read_step(str(tmp_path / "out" / "decide"))
    assert decided is not None
    ledger = duplicate_ledger(str(tmp_path / "out"), decided)
    assert [row.source for row in ledger] == ["best", "other"]
    for row in ledger:
        own = [REASONS[each["reason"]] for each in rows_of(tmp_path / "out") if each["source"] == row.source]
        assert row.documents == len(own)
        assert row.searched == sum(reason in ("kept", "exact_duplicate", "near_duplicate") for reason in own)
    assert sum(row.searched for row in ledger) < sum(row.documents for row in ledger)


def test_copies_know_where_they_are_from() -> None:
    """What the table of clusters prints is what `explain` takes."""
    document = Document("00", None, None, "web", "a/b.jsonl", 17)
    assert document.place == document.called == "web/a/b.jsonl:17"
    assert Copy(document, "near_duplicate", 0.8).document.called == "web/a/b.jsonl:17"


def test_errors(out, tmp_path) -> None:
    with pytest.raises(GristmillError, match="no source `third`") as caught:
        find_clusters(open_prepared(str(out)), source="third")
    assert "best, other" in str(caught.value)
    with pytest.raises(GristmillError, match="not complete"):
        open_prepared(str(tmp_path))
