"""`gristmill merge-sites`, and `gristmill sites` on what it wrote."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from manifests.errors import GristmillError
from tests.gristmill.commands.invoke import printed, run
from tests.pipeline.decide.site_corpus import (
    BLOG,
    GIVEN,
    HEAVY,
    MIXED,
    OTHER_BLOG,
    RULE,
    SHOP,
    judge,
    snapshots,
    write_pages,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three crawls, `crawl0` to `crawl2`."""
    folder = tmp_path_factory.mktemp("crawls")
    for number, records in enumerate(snapshots()):
        judge(write_pages(folder / f"raw{number}", records=records), folder / f"crawl{number}")
    return folder


@pytest.fixture(scope="module")
def out(place: Path) -> Path:
    status, text = run("merge-sites", *(place / f"crawl{number}" for number in range(3)), "--out", place / "sites")
    assert status == 0
    assert "5 sites with 68 documents in 3 snapshots; 2 sites with 20 documents are dropped" in text
    assert f"{place}/sites/dropped.txt" in text
    return place / "sites"


def test_json(out: Path, place: Path) -> None:
    found = printed("merge-sites", *(place / f"crawl{number}" for number in (2, 1, 0)), "--out", out, "--workers", 1)
    assert found["digest"] == printed("merge-sites", *sorted(place.glob("crawl?")), "--out", place / "again")["digest"]
    assert {name: value for name, value in found.items() if name != "digest"} == {
        "out": str(out),
        "sites": 5,
        "documents": 68,
        "dropped": 2,
        "dropped_documents": 20,
    }
    assert (out / "dropped.txt").read_text().split() == [BLOG, HEAVY]


def test_the_sites_and_the_sweep(out: Path) -> None:
    lines = {line.split()[0]: line.split() for line in run("sites", out)[1].splitlines() if line.strip()}
    assert {site: lines[site][-1] for site in (HEAVY, BLOG, OTHER_BLOG, SHOP, MIXED)} == {
        HEAVY: "dropped",
        BLOG: "dropped",
        OTHER_BLOG: "kept",
        SHOP: "kept",
        MIXED: "kept",
    }
    assert lines["0"][:3] == ["0", "2", "20"]
    assert printed("sites", out)["lost"] == []


def test_one_site_with_masked_examples_from_the_first_folders(out: Path) -> None:
    text = run("sites", out, "--site", HEAVY)[1]
    assert f"{HEAVY}: dropped" in text
    assert "12 documents" in text
    assert text.count("document ") == 3
    assert "|||NAME|||" in text
    assert not [word for word in ("@", "Quandersen", "quander", *GIVEN) if word in text]
    found = printed("sites", out, "--site", MIXED)
    assert found["row"]["pages"] == 24
    assert found["bias"] + sum(added for _, _, _, added in found["evidence"]) == pytest.approx(found["row"]["score"])


def test_folders_that_are_gone_or_changed(
    out: Path, place: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folders = [Path(shutil.copytree(place / f"crawl{number}", tmp_path / f"crawl{number}")) for number in range(3)]
    run("merge-sites", *folders, "--out", tmp_path / "sites")
    shutil.rmtree(folders[0])
    judge(write_pages(tmp_path / "raw", records=snapshots()[1][:9], rule=RULE), folders[1])
    status, text = run("sites", tmp_path / "sites", "--site", HEAVY)
    assert status == 0
    assert f"{HEAVY}: dropped" in text
    shutil.rmtree(folders[2])
    found = printed("sites", tmp_path / "sites", "--site", HEAVY)
    assert found["examples"] == []
    assert found["missing"] == sorted(map(str, folders))
    # Without the record of where they are.
    (tmp_path / "sites/.folders.json").unlink()
    assert len(printed("sites", tmp_path / "sites", "--site", HEAVY)["missing"]) == 3


def test_a_crawl_decided_by_them(out: Path, place: Path, tmp_path: Path) -> None:
    crawl = Path(shutil.copytree(place / "crawl0", tmp_path / "crawl0"))
    judge(write_pages(tmp_path / "raw0", records=snapshots()[0], rule={**RULE, "merged": str(out)}), crawl)
    assert "dropped" in run("sites", place / "crawl0", "--site", MIXED)[1].splitlines()[0]
    assert "kept" in run("sites", crawl, "--site", MIXED)[1].splitlines()[0]
    found = printed("sites", crawl, "--site", HEAVY)
    assert found["row"]["documents"] < 12
    assert found["row"]["pages"] == 9
    assert found["bias"] + sum(added for _, _, _, added in found["evidence"]) == pytest.approx(found["row"]["score"])
    assert len(found["examples"]) == 3


def test_verify(out: Path) -> None:
    assert printed("verify", out)["problems"] == []


def test_errors(out: Path, place: Path, tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="name each snapshot once"):
        run("merge-sites", place / "crawl0", place / "crawl0", "--out", tmp_path / "out")
    with pytest.raises(GristmillError, match="gristmill extract"):
        run("merge-sites", place / "crawl0", tmp_path, "--out", tmp_path / "out")
    with pytest.raises(GristmillError, match=r"no document is from `www\.people\.example`"):
        run("sites", out, "--site", "www.people.example")
    assert run("merge-sites", "--out", tmp_path / "out")[0] == 2
