"""Snapshots decided by the verdicts on all of them: what one run over all documents drops."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.decide import merged_verdicts
from pipeline.decide.site_merge import merge_sites
from pipeline.decide.site_pages import kind_file
from pipeline.engines.runners import Helpers, Runner
from pipeline.folders import DECIDE, EXTRACT
from pipeline.prep import prepare
from pipeline.schemas import read_ipc
from tests.endtoend.corpora import change, tree_hashes
from tests.pipeline.decide.site_corpus import (
    BLOG,
    HEAVY,
    MIXED,
    OTHER_BLOG,
    RULE,
    SHOP,
    dropped,
    judge,
    snapshots,
    stamps,
    write_pages,
)


def merge(folders: list[Path], out: Path) -> Path:
    merge_sites([str(folder) for folder in folders], out=str(out), runner=Runner())
    return out


def write(place: Path, number: int, **rule: object) -> Path:
    return write_pages(place / f"raw{number}", records=snapshots()[number], rule={**RULE, **rule})


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three crawls, each decided by itself, and their merged sites."""
    place = tmp_path_factory.mktemp("crawls")
    for number in range(3):
        judge(write(place, number), place / f"crawl{number}")
    return merge([place / f"crawl{number}" for number in range(3)], place / "sites")


def decided(merged: Path, place: Path, number: int, *, runner: Runner | None = None, **rule: object) -> Path:
    """A copy of a crawl, decided by the merged verdicts."""
    out = place / f"crawl{number}"
    shutil.copytree(merged.parent / f"crawl{number}", out)
    judge(write(place, number, merged=str(merged), **rule), out, runner=runner)
    return out


def test_documents_go_as_in_one_run(merged: Path, tmp_path: Path) -> None:
    records = [record for some in snapshots() for record in some]
    judge(write_pages(tmp_path / "one", records=records), tmp_path / "out")

    def by_site(found: dict[str, str]) -> set[str]:
        return {name for name, reason in found.items() if reason == "personal_information_site"}

    gone = [by_site(dropped(decided(merged, tmp_path, number))) for number in range(3)]
    assert set.union(*gone) == by_site(dropped(tmp_path / "out"))
    # Alone the first crawl dropped a site that the others show to be clean.
    assert f"{MIXED}-0" in dropped(merged.parent / "crawl0")
    assert f"{MIXED}-0" not in gone[0]


def test_the_tables_hold_its_own_documents_and_the_evidence_of_all(merged: Path, tmp_path: Path) -> None:
    out = decided(merged, tmp_path, 1)
    rows, alone, together = (
        {row["site"]: row for row in read_ipc(str(path / "sites/00000.arrow")).to_pylist()}
        for path in (out / DECIDE, merged.parent / "crawl1" / DECIDE, merged)
    )
    assert rows.keys() == alone.keys() <= together.keys()
    for site, row in rows.items():
        own = {name: alone[site][name] for name in ("documents", "words")}
        assert row == {**together[site], **own}
        assert together[site]["documents"] > own["documents"]
    assert rows[MIXED]["score"] != alone[MIXED]["score"]
    # Its own evidence is there, so that it can be merged again, with the same result.
    for kind in ("counts", "pages", "evidence"):
        name = kind_file(kind, 0)
        assert (out / DECIDE / name).read_bytes() == (merged.parent / "crawl1" / DECIDE / name).read_bytes()
    again = merge([merged.parent / "crawl0", out, merged.parent / "crawl2"], tmp_path / "again")
    assert (again / "_MANIFEST.json").read_bytes() == (merged / "_MANIFEST.json").read_bytes()


def test_any_number_of_workers(merged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: Helpers) -> None:
    monkeypatch.setattr("pipeline.engines.partitions.DOCUMENTS_PER_WORKER", 10)
    runners = [Runner(workers=workers, helpers=helpers) for workers in (1, 2, 7)]
    hashes = [tree_hashes(decided(merged, tmp_path / str(each.workers), 0, runner=each)) for each in runners]
    assert hashes[1:] == hashes[:1] * 2


def test_any_number_of_partitions(merged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the merged sites, and of the crawl."""
    once = decided(merged, tmp_path / "once", 0)
    for size in (700, 2_000):
        monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", size)
        divided = merge([merged.parent / f"crawl{number}" for number in (2, 0, 1)], tmp_path / f"sites{size}")
        for other in (500, 5_000):
            monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", other)
            out = tmp_path / f"out{size}-{other}"
            shutil.copytree(merged.parent / "crawl0", out)
            judge(write(tmp_path / str(size), 0, merged=str(divided)), out)
            assert dropped(out) == dropped(once)


def test_a_change_of_the_merge_repeats_decide_alone(merged: Path, tmp_path: Path) -> None:
    out = decided(merged, tmp_path, 0)
    path = tmp_path / "raw0/corpus.yaml"

    def again(**rule: object) -> None:
        judge(change(path, personal_information={"sites": {**RULE, **rule}}), out)

    before, text, times = tree_hashes(out / DECIDE), stamps(out), stamps(out, DECIDE)
    # Another place, the same content.
    again(merged=str(shutil.copytree(merged, tmp_path / "moved")))
    assert (tree_hashes(out / DECIDE), stamps(out, DECIDE)) == (before, times)
    smaller = merge([merged.parent / "crawl0", merged.parent / "crawl2"], tmp_path / "smaller")
    again(merged=str(smaller))
    assert tree_hashes(out / DECIDE)["_MANIFEST.json"] != before["_MANIFEST.json"]
    # And back to verdicts of its own.
    again()
    assert tree_hashes(out / DECIDE) == tree_hashes(merged.parent / "crawl0" / DECIDE)
    assert stamps(out) == text


def test_the_manifests_own_list_of_sites_that_stay(merged: Path, tmp_path: Path) -> None:
    (tmp_path / "raw1").mkdir()
    (tmp_path / "raw1/allow.txt").write_text("people.example\n")
    out = decided(merged, tmp_path, 1, allow="allow.txt")
    rows = {row["site"]: row for row in read_ipc(str(out / DECIDE / "sites/00000.arrow")).to_pylist()}
    assert {site: row["dropped"] for site, row in rows.items()} == {
        HEAVY: False,
        BLOG: True,
        OTHER_BLOG: False,
        SHOP: False,
        MIXED: False,
    }
    assert rows[HEAVY]["allowed"]


def test_a_crawl_that_was_not_merged_is_refused(merged: Path, tmp_path: Path) -> None:
    """Its sites have no verdict; its decisions stay."""
    smaller = merge([merged.parent / "crawl0", merged.parent / "crawl1"], tmp_path / "sites")
    out = shutil.copytree(merged.parent / "crawl2", tmp_path / "crawl2")
    before = tree_hashes(out)
    with pytest.raises(GristmillError, match="are not among those whose sites were merged") as caught:
        judge(write(tmp_path, 2, merged=str(smaller)), out)
    assert "gristmill merge-sites" in str(caught.value)
    assert tree_hashes(out) == before


def test_another_rule_than_that_of_the_merge_is_refused(
    merged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = shutil.copytree(merged.parent / "crawl0", tmp_path / "out")
    with pytest.raises(GristmillError, match=r"with other settings: personal_information\.sites\.bias\n"):
        judge(write(tmp_path, 0, merged=str(merged), bias=-2.0), out)
    monkeypatch.setattr(merged_verdicts, "VERSION", 999)
    with pytest.raises(GristmillError, match="with other settings: version of decide\n"):
        judge(write(tmp_path, 0, merged=str(merged)), out)


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("nowhere", "the step is not complete"),
        ("raw0", "the step is not complete"),
        ("crawl0/extract", "holds no merged sites"),
    ],
)
def test_what_is_no_merge_is_refused_before_any_work(place: str, problem: str, merged: Path, tmp_path: Path) -> None:
    path = write(tmp_path, 0, merged=str(merged.parent / place))
    with pytest.raises(GristmillError, match=problem) as caught:
        prepare(load_corpus(path), out=str(tmp_path / "out"), runner=Runner())
    assert "gristmill merge-sites" in str(caught.value)
    assert not (tmp_path / "out" / EXTRACT).exists()


def test_a_damaged_merge_is_refused(merged: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(merged, tmp_path / "sites")
    (copy / "sites/00000.arrow").write_bytes(b"torn")
    with pytest.raises(GristmillError, match=r"sites/00000\.arrow: .*\n.*run `gristmill merge-sites`"):
        judge(write(tmp_path, 0, merged=str(copy)), tmp_path / "out")


def test_the_place_is_relative_to_the_manifest(tmp_path: Path) -> None:
    path = change(write(tmp_path, 0), personal_information={"sites": {**RULE, "merged": "sites"}})
    information = load_corpus(path).personal_information
    assert information is not None
    assert information.sites is not None
    assert information.sites.merged == str(tmp_path / "raw0/sites")
