"""`gristmill dedup`, and the ledger of duplicates in `inspect` and `decide`: tables for people, JSON for programs."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from manifests.errors import GristmillError
from manifests.filters import REASONS
from tests.gristmill.commands.invoke import printed, run
from tests.pipeline.decide.duplicates.corpora import SOURCES, records, rows_of, write
from tests.pipeline.decide.duplicates.corpora import run as extract_and_decide


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dedup")
    extract_and_decide(write(folder, records()), folder / "out")
    return folder


@pytest.fixture(scope="module")
def out(folder: Path) -> Path:
    return folder / "out"


def test_a_near_duplicate(out: Path) -> None:
    row = next(row for row in rows_of(out) if REASONS[row["reason"]] == "near_duplicate")
    status, text = run("dedup", "explain", out, row["url"])
    assert status == 0
    assert text.startswith(f"near_duplicate: {row['url']}\n")
    for said in ("kept for it: https://", "noted in the search", "exact Jaccard", "bands that met: ", " of 16"):
        assert said in text
    for said in (
        "found with probability 0.",
        "The first passage that differs begins with word ",
        "[-",
        "-]",
        "{+",
        "+}",
    ):
        assert said in text
    found = printed("dedup", "explain", out, row["url"])
    assert found["similarity"] == pytest.approx(row["similarity"])
    assert f"exact Jaccard          {found['comparison']['shared']['jaccard']:.3f}" in text
    assert f"estimated Jaccard      {found['comparison']['signed']['estimated']:.3f}" in text


def test_other_fates(out: Path) -> None:
    rows = {row["name"]: row for row in rows_of(out)}
    same = next(name for name, row in rows.items() if REASONS[row["reason"]] == "exact_duplicate")
    text = run("dedup", "explain", out, same)[1]
    assert "Their texts are equal" in text
    assert "differs" not in text
    single = run("dedup", "explain", out, "single0", "--source", "best")[1]
    assert "kept: https://single0.example/" in single
    assert "No document went for it." in single
    text = run("dedup", "explain", out, rows[same]["id"].hex())[1]
    assert "Documents that went for it: " in text
    assert "Other documents that are called so: " in text


def test_clusters(out: Path) -> None:
    status, text = run("dedup", "clusters", out, "--top", 3)
    assert status == 0
    assert "Largest clusters, 3 of " in text
    assert "0.970 to 1.000" in text
    assert "exact copies" in text
    assert len(re.findall(r"^ *\d+ +\d\.\d{3} +\d\.\d{3} +kept ", text, re.MULTILINE)) == 3
    found = printed("dedup", "clusters", out, "--source", "other", "--top", 2)
    assert len(found["largest"]) == 2
    assert [row["source"] for row in found["ledger"]] == ["other"]
    own = [row for row in rows_of(out) if row["source"] == "other" and row["duplicate_of"]]
    assert found["exact"] + found["near"] == len(own) == found["ledger"][0]["exact"] + found["ledger"][0]["near"]
    assert sum(each["documents"] for each in found["histogram"]) == found["near"]


def test_errors(out: Path, tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="no document is called `nobody`"):
        run("dedup", "explain", out, "nobody")
    with pytest.raises(GristmillError, match="no source `third`"):
        run("dedup", "clusters", out, "--source", "third")
    for command in (["clusters"], ["explain"]):
        with pytest.raises(GristmillError, match="run `gristmill decide` first"):
            run("dedup", *command, tmp_path, *(["x"] if command == ["explain"] else []))


def test_the_ledger_is_shown_by_inspect_and_decide(folder: Path, out: Path) -> None:
    found = printed("inspect", out)["duplicates"]
    assert [row["source"] for row in found] == sorted(SOURCES)
    rows = rows_of(out)
    for row in found:
        own = Counter(REASONS[each["reason"]] for each in rows if each["source"] == row["source"])
        assert (row["documents"], row["exact"], row["near"]) == (
            sum(own.values()),
            own["exact_duplicate"],
            own["near_duplicate"],
        )
    assert printed("decide", folder / "corpus.yaml", "--out", out)["duplicates"] == found
    for words in (("inspect", out), ("decide", folder / "corpus.yaml", "--out", out)):
        text = run(*words)[1]
        [line] = [line for line in text.splitlines() if line.startswith("other ")]
        shown = ("documents", "searched", "exact", "near")
        assert line.split()[1:5] == [f"{found[1][name]:,}" for name in shown]
        assert all(name in text for name in ("compared", "candidates", "by shingles", "confirmed", "rejected"))
    assert "duplicates" not in printed("extract", folder / "corpus.yaml", "--out", out)


def test_an_index_and_a_document_that_goes_for_one_in_it(folder: Path, tmp_path: Path) -> None:
    """A snapshot with the same documents: each has its copy in the index."""
    made = printed("dedup", "index", folder / "out", "--out", tmp_path / "index", "--workers", "1")
    assert made["documents"] > 20
    assert run("verify", tmp_path / "index")[0] == 0
    again = tmp_path / "again"
    extract_and_decide(write(again, records(), index=[str(tmp_path / "index")]), again / "out")
    row = next(row for row in rows_of(again / "out") if row["duplicate_row"] is None and row["duplicate_of"])
    found = printed("dedup", "explain", again / "out", row["name"])
    assert (found["kept"], found["kept_before"]) == (None, row["duplicate_of"].hex())
    status, text = run("dedup", "explain", again / "out", row["name"])
    assert status == 0
    assert f"kept for it: document {row['duplicate_of'].hex()} of an earlier snapshot" in text
    status, text = run("dedup", "index", folder / "out", "--out", tmp_path / "other", "--workers", "1")
    assert status == 0
    assert f"digest  {made['digest']}" in text
