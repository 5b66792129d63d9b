"""`gristmill sites`: tables for people, JSON for programs, errors with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import GristmillError
from tests.gristmill.commands.invoke import printed, run
from tests.pipeline.decide.site_corpus import BLOG, GIVEN, HEAVY, OTHER_BLOG, SHOP, judge, write_pages


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites")
    judge(write_pages(folder), folder / "out")
    return folder / "out"


def test_the_sites_and_the_sweep(out: Path) -> None:
    status, text = run("sites", out)
    assert status == 0
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines[HEAVY][1] == "9"
    assert {site: lines[site][-1] for site in (HEAVY, BLOG, OTHER_BLOG, SHOP)} == {
        HEAVY: "dropped",
        BLOG: "dropped",
        OTHER_BLOG: "kept",
        SHOP: "kept",
    }
    # Two sites of 9 and 6 documents at the rule's own threshold.
    assert lines["0"][:3] == ["0", "2", "15"]


def test_fewer_sites(out: Path) -> None:
    text = run("sites", out, "--most", 1)[1]
    assert sum(site in text for site in (HEAVY, BLOG, OTHER_BLOG, SHOP)) == 1


def test_json(out: Path) -> None:
    found = printed("sites", out, "--most", 3)
    assert len(found["sites"]) == 3
    assert [row["site"] for row in found["sites"] if row["dropped"]] == [
        row["site"] for row in found["sites"] if row["score"] > 0
    ]
    assert {"score", "sites", "documents", "words"} == set(found["sweep"][0])


def test_one_site(out: Path) -> None:
    status, text = run("sites", out, "--site", HEAVY)
    assert status == 0
    assert f"{HEAVY}: dropped" in text
    assert "email_and_more" in text
    assert "|||NAME|||" in text
    assert not [word for word in ("@", "Quandersen", "quander", *GIVEN) if word in text]
    assert f"{SHOP}: kept" in run("sites", out, "--site", SHOP)[1]


def test_one_site_as_json(out: Path) -> None:
    found = printed("sites", out, "--site", HEAVY)
    assert set(found) == {"row", "evidence", "bias", "examples", "opted_out", "missing"}
    assert found["row"]["documents"] == 9
    assert found["bias"] + sum(added for _, _, _, added in found["evidence"]) == pytest.approx(found["row"]["score"])


def test_opted_out(tmp_path: Path) -> None:
    """Whatever the rule says of them, in all three places."""
    (tmp_path / "asked.txt").write_text(f"{HEAVY}\n{SHOP}\n")
    judge(write_pages(tmp_path, opt_out={"sites": "asked.txt"}), tmp_path / "out")
    lines = {line.split()[0]: line for line in run("sites", tmp_path / "out")[1].splitlines() if line.strip()}
    assert [lines[site].rstrip().endswith("opted out") for site in (HEAVY, SHOP, BLOG)] == [True, True, False]
    found = printed("sites", tmp_path / "out")["sites"]
    assert {row["site"] for row in found if row["opted_out"]} == {HEAVY, SHOP}
    assert f"{HEAVY}: opted out" in run("sites", tmp_path / "out", "--site", HEAVY)[1]
    assert printed("inspect", tmp_path / "out")["steps"]["decide"]["ledger"]["dropped"]["opt_out"] == 21


def test_errors(out: Path, tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match=r"no document is from `www\.people\.example`"):
        run("sites", out, "--site", "www.people.example")
    with pytest.raises(GristmillError, match="gristmill decide"):
        run("sites", tmp_path)
