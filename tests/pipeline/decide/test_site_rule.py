"""Verdicts on sites: rates and scores on rows made by hand, and the rule at work on a small corpus."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline.schemas
import storage.steps
from manifests.corpus import PersonalInformation, SiteEvidence, SiteRule, load_corpus
from manifests.errors import GristmillError
from pipeline.decide.site_pages import SITE_EVIDENCE, partition_name
from pipeline.decide.site_rule import EVIDENCE_KINDS, mean_rates, site_rates, site_scores
from pipeline.engines.runners import Helpers, Runner
from pipeline.folders import DECIDE
from pipeline.prep import prepare
from pipeline.schemas import publish_ipc, read_ipc
from tests.endtoend.corpora import change, tree_hashes
from tests.pipeline.decide.site_corpus import (
    BLOG,
    HEAVY,
    OTHER_BLOG,
    RULE,
    SHOP,
    dropped,
    judge,
    pages,
    stamps,
    write_pages,
)
from tests.property.texts import thorough
from tests.stopping import Stopped, limit_publishing

NO_MEANS: dict[SiteEvidence, float] = dict.fromkeys(EVIDENCE_KINDS, 0.0)
OF_PAGES = ("lists", "email_list", "email_and_more")


def site(**counts: int) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SITE_EVIDENCE.names, 0) | {"site": "a.example", "pages": 1}
    return row | counts


def table(*rows: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=SITE_EVIDENCE)


def rate(kind: SiteEvidence, *, mean: float = 0.0, prior_pages: float = 0.0, **counts: int) -> float:
    means = NO_MEANS | {kind: mean}
    return float(site_rates(table(site(**counts)), means=means, prior_pages=prior_pages)[kind][0])


def test_rates_by_hand() -> None:
    # Shares of pages against a site: 1.2 x / (x + 0.2).
    assert rate("lists", pages=10, lists=10) == pytest.approx(1)
    assert rate("lists", pages=10, lists=2) == pytest.approx(0.6)
    assert rate("lists", pages=10) == 0
    # Amounts: x / (1 + x).
    assert rate("names", pages=10, rare_names=30) == pytest.approx(0.75)
    assert rate("density", pages=10, page_words=1_000, particulars=30) == pytest.approx(0.75)
    # Plain shares.
    assert rate("staff", pages=10, staff=2) == pytest.approx(0.2)
    assert rate("names_again", all_names=4, names_again=1) == pytest.approx(0.25)
    assert rate("staff_share", work_addresses=1, particulars=3) == pytest.approx(0.25)
    # Nothing of nothing.
    assert [rate(kind, pages=0) for kind in EVIDENCE_KINDS] == [0] * len(EVIDENCE_KINDS)


def test_small_sites_are_drawn_towards_the_mean() -> None:
    share = (1 + 2 * 0.1) / (1 + 2)
    assert rate("lists", mean=0.1, prior_pages=2, pages=1, lists=1) == pytest.approx(1.2 * share / (share + 0.2))
    whole = [rate("lists", mean=0.01, prior_pages=2, pages=pages, lists=pages) for pages in (1, 2, 8, 1_000)]
    assert whole == sorted(whole)
    assert whole[0] < 0.8 < 0.99 < whole[-1] <= 1
    none = [rate("lists", mean=0.01, prior_pages=2, pages=pages) for pages in (1, 2, 8, 1_000)]
    assert none == sorted(none, reverse=True)
    assert none[0] > 0
    # Words are drawn by pages of the site's own length.
    assert rate("density", mean=0.5, prior_pages=1, pages=1, page_words=100, particulars=1) == pytest.approx(
        0.75 / 1.75
    )


def test_scores() -> None:
    rule = SiteRule(weights={"lists": 2.0, "staff": -1.0}, bias=-0.5, prior_pages=0)
    rows = table(
        site(pages=10, lists=10),
        site(pages=10, lists=10, staff=10),
        site(pages=10),
        site(pages=10, staff=5),
    )
    assert site_scores(rows, rule, means=NO_MEANS).tolist() == pytest.approx([1.5, 0.5, -0.5, -1.0])
    assert site_scores(table(), rule, means=NO_MEANS).tolist() == []


@st.composite
def a_site(draw: st.DrawFn) -> dict[str, Any]:
    """Counts as pages give them: pages with something are not more than pages."""
    pages = draw(st.integers(1, 2_000))
    row = site(pages=pages)
    for name in SITE_EVIDENCE.names[4:]:
        row[name] = draw(st.integers(0, pages))
    row["page_words"] = draw(st.integers(0, 10**9))
    row["particulars"] = draw(st.integers(0, 10**6))
    for name in ("rare_names", "all_names", "work_addresses"):
        row[name] = draw(st.integers(0, 10**6))
    row["names_again"] = draw(st.integers(0, row["all_names"]))
    return row


@thorough
@given(
    st.lists(a_site(), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.001, 0.03]),
    st.sampled_from([0.0, 0.5, 2.0, 50.0]),
)
def test_rates_lie_between_0_and_1(rows: list[dict[str, Any]], mean: float, prior_pages: float) -> None:
    rates = site_rates(table(*rows), means=dict.fromkeys(EVIDENCE_KINDS, mean), prior_pages=prior_pages)
    assert set(rates) == set(get_args(SiteEvidence))
    for kind, found in rates.items():
        assert ((found >= 0) & (found <= 1 + 1e-12)).all(), kind
    # A row does not depend on the others.
    for number, row in enumerate(rows):
        alone = site_rates(table(row), means=dict.fromkeys(EVIDENCE_KINDS, mean), prior_pages=prior_pages)
        assert all(alone[kind][0] == rates[kind][number] for kind in EVIDENCE_KINDS)


def publish_evidence(folder: Path, groups: list[list[dict[str, Any]]]) -> None:
    for number, rows in enumerate(groups):
        name = f"{partition_name('evidence', number)}.arrow"
        publish_ipc(str(folder), name, table(*rows).to_batches(), SITE_EVIDENCE)


@pytest.mark.parametrize("seed", range(3))
def test_means_do_not_depend_on_partitions(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    rows = []
    for _ in range(50):
        pages = draw.randrange(1, 30)
        rows.append(site(pages=pages, page_words=900 * pages, lists=draw.randrange(2), staff=draw.randrange(2)))
    publish_evidence(tmp_path / "one", [rows])
    shuffled = draw.sample(rows, len(rows))
    publish_evidence(tmp_path / "four", [shuffled[:5], [], shuffled[5:40], shuffled[40:]])
    means = mean_rates(str(tmp_path / "one"), range(1))
    assert means == mean_rates(str(tmp_path / "four"), range(4))
    assert means["email_list"] == 0
    assert means["staff"] > 0


def test_means_by_hand_and_their_limit(tmp_path: Path) -> None:
    """Sites count by their pages, up to 8; no mean is above 0.03."""
    publish_evidence(tmp_path, [[site(pages=100, lists=2), site(pages=2, staff=2), *(site(pages=8) for _ in range(9))]])
    means = mean_rates(str(tmp_path), range(1))
    assert means["lists"] == pytest.approx(0.02 * 8 / 82, rel=1e-4)
    assert means["staff"] == pytest.approx(2 / 82, rel=1e-4)
    publish_evidence(tmp_path, [[site(pages=5, lists=5)]])
    assert mean_rates(str(tmp_path), range(1))["lists"] == 0.03
    publish_evidence(tmp_path, [[]])
    assert set(mean_rates(str(tmp_path), range(1)).values()) == {0}


def verdicts(out: Path) -> dict[str, dict[str, Any]]:
    paths = (out / DECIDE / "sites").glob("0*.arrow")
    return {row["site"]: row for path in paths for row in read_ipc(str(path)).to_pylist()}


def test_documents_of_dropped_sites_go(tmp_path: Path) -> None:
    judge(write_pages(tmp_path), tmp_path / "out")
    rows = verdicts(tmp_path / "out")
    assert {name for name, row in rows.items() if row["dropped"]} == {HEAVY, BLOG}
    assert all(row["dropped"] == (row["score"] > 0) for row in rows.values())
    assert {name: row["documents"] for name, row in rows.items()} == {HEAVY: 9, BLOG: 6, OTHER_BLOG: 6, SHOP: 12}
    assert dropped(tmp_path / "out") == {
        f"{name}-{number}": "personal_information_site"
        for name, count in ((HEAVY, 9), (BLOG, 6))
        for number in range(count)
    }


def test_another_reason_comes_first(tmp_path: Path) -> None:
    path = write_pages(tmp_path, languages={"keep": ["zh"], "min_score": 0.0})
    judge(path, tmp_path / "out")
    assert set(dropped(tmp_path / "out").values()) == {"language"}
    assert verdicts(tmp_path / "out")[HEAVY]["dropped"]


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        ("people.example\n", {HEAVY}),
        ("# ours\nhttps://www.people.example/about\n", set()),
        # What is below an entry is meant, too.
        ("github.io\nPEOPLE.example\n", {HEAVY, BLOG}),
        ("ann.github.io\n", {BLOG}),
        ("other.example\nnn.github.io\n", set()),
    ],
)
def test_allowed_sites_stay(listed: str, kept: set[str], tmp_path: Path) -> None:
    (tmp_path / "allow.txt").write_text(listed)
    judge(write_pages(tmp_path, rule={**RULE, "allow": "allow.txt"}), tmp_path / "out")
    rows = verdicts(tmp_path / "out")
    assert {name for name, row in rows.items() if row["dropped"]} == {HEAVY, BLOG} - kept
    assert {name for name, row in rows.items() if row["allowed"]} >= kept
    assert rows[HEAVY]["score"] > 0


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_nothing_overrides_an_opt_out(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: Helpers
) -> None:
    """Not the allow list, nor another list, a filter or the rule itself: an audit finds all of these documents."""
    monkeypatch.setattr("pipeline.engines.partitions.DOCUMENTS_PER_WORKER", 10)
    (tmp_path / "asked.txt").write_text("people.example\nbob.github.io\n")
    (tmp_path / "pages.txt").write_text("https://www.shop.example/3\n")
    (tmp_path / "blocked.txt").write_text("shop.example\nbob.github.io\n")
    path = write_pages(
        tmp_path,
        rule={**RULE, "allow": "asked.txt"},
        opt_out={"sites": "asked.txt", "urls": ["pages.txt"]},
        block_lists=[{"name": "shops", "sites": "blocked.txt"}],
        languages={"keep": ["zh"], "min_score": 0.0},
    )
    judge(path, tmp_path / "out", runner=Runner(workers=workers, helpers=helpers))
    found = dropped(tmp_path / "out")
    assert {name for name, reason in found.items() if reason == "opt_out"} == {
        *(f"{HEAVY}-{number}" for number in range(9)),
        *(f"{OTHER_BLOG}-{number}" for number in range(6)),
        f"{SHOP}-3",
    }
    assert found[f"{SHOP}-4"] == "blocked_site"
    assert found[f"{BLOG}-0"] == "language"


def test_a_copy_of_an_opt_out_elsewhere_is_no_duplicate(tmp_path: Path) -> None:
    """What goes first takes no part in the search for duplicates, so that nothing is dropped in favour of it."""
    (tmp_path / "asked.txt").write_text("a.example\n")
    path = write_pages(tmp_path, opt_out={"sites": "asked.txt"})
    text = pages()[-1]["text"]
    copies = [{"id": site, "url": f"http://{site}/", "text": text + " copy"} for site in ("a.example", "b.example")]
    (tmp_path / "3.jsonl").write_text("".join(json.dumps(record) + "\n" for record in copies))
    judge(path, tmp_path / "out")
    found = dropped(tmp_path / "out")
    assert found["a.example"] == "opt_out"
    assert "b.example" not in found


def test_another_list_of_the_same_name_is_seen(tmp_path: Path) -> None:
    (tmp_path / "allow.txt").write_text("people.example\n")
    path = write_pages(tmp_path, rule={**RULE, "allow": "allow.txt"})
    judge(path, tmp_path / "out")
    before = tree_hashes(tmp_path / "out")
    judge(path, tmp_path / "out")
    assert tree_hashes(tmp_path / "out") == before
    (tmp_path / "allow.txt").write_text("ann.github.io\nno site at all\n")
    notes = judge(path, tmp_path / "out")
    assert {name for name, row in verdicts(tmp_path / "out").items() if row["dropped"]} == {HEAVY}
    assert any("no site at all" in note for note in notes)


def test_a_missing_list_is_an_error_before_any_work(tmp_path: Path) -> None:
    path = write_pages(tmp_path, rule={**RULE, "allow": "nowhere.txt"})
    with pytest.raises(GristmillError, match=r"nowhere\.txt") as caught:
        prepare(load_corpus(path), out=str(tmp_path / "out"), runner=Runner())
    assert caught.value.remedy
    assert not list((tmp_path / "out").rglob("*.arrow"))


def test_no_rule(tmp_path: Path) -> None:
    path, out = write_pages(tmp_path), tmp_path / "out"
    judge(path, out)
    notes = judge(change(path, personal_information={"sites": None}), out)
    assert dropped(out) == {}
    assert not list((out / DECIDE / "sites").glob("*.arrow"))
    assert not any("personal_information_site" in note for note in notes)


def test_a_rule_without_effect_is_noted(tmp_path: Path) -> None:
    notes = judge(write_pages(tmp_path, rule={"bias": -100.0}), tmp_path / "out")
    assert "personal_information_site: no document was dropped for this" in notes


@pytest.mark.parametrize("key", ["max_spans_per_1000_words", "min_documents"])
def test_keys_of_the_rule_before_say_what_to_do(key: str, tmp_path: Path) -> None:
    path = write_pages(tmp_path, personal_information={key: 5})
    with pytest.raises(GristmillError, match=rf"{key}: sites are no longer judged by .*remove this, and see `sites`"):
        load_corpus(path)
    assert PersonalInformation().sites == SiteRule()


def test_unknown_evidence_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="named_mail"):
        load_corpus(write_pages(tmp_path, rule={"weights": {"named_mail": 1.0}}))


def test_other_weights_touch_no_text(tmp_path: Path) -> None:
    path, out = write_pages(tmp_path), tmp_path / "out"
    judge(path, out)
    before, scores = stamps(out), {name: row["score"] for name, row in verdicts(out).items()}
    judge(change(path, personal_information={"sites": {**RULE, "bias": -50.0}}), out)
    assert stamps(out) == before
    assert {name: row["score"] for name, row in verdicts(out).items()} == pytest.approx(
        {name: score - 47 for name, score in scores.items()}
    )
    assert dropped(out) == {}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pages(tmp_path_factory.mktemp("pages"), files=5, scale=2)


@pytest.fixture(scope="module")
def undisturbed(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("out")
    judge(corpus, out)
    hashes = tree_hashes(out)
    assert sum(name.startswith("decide/sites/") for name in hashes) == 7
    return hashes


@pytest.mark.parametrize("workers", [2, 7])
def test_any_number_of_workers(
    workers: int,
    corpus: Path,
    undisturbed: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    helpers: Helpers,
) -> None:
    # Or a small corpus would be decided in one process.
    monkeypatch.setattr("pipeline.engines.partitions.DOCUMENTS_PER_WORKER", 10)
    judge(corpus, tmp_path / "out", runner=Runner(workers=workers, helpers=helpers))
    assert tree_hashes(tmp_path / "out") == undisturbed


def test_any_partitioning(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(corpus, tmp_path / "one")
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 1_000)
    judge(corpus, tmp_path / "many")
    assert len(list((tmp_path / "many" / DECIDE / "sites").glob("evidence-*.arrow"))) > 3
    assert verdicts(tmp_path / "many") == verdicts(tmp_path / "one")
    assert dropped(tmp_path / "many") == dropped(tmp_path / "one")


@pytest.mark.parametrize("fan", [2, 256], ids=["two levels", "one level"])
def test_each_run_is_told_of_its_own_sites(fan: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five files of a page of each site but one, which is in the first alone."""
    records = [record for record in pages(2) if HEAVY not in record["id"]]
    heavy = [record for record in pages(2) if HEAVY in record["id"]]
    path = write_pages(tmp_path / "raw", files=5, records=records)
    (tmp_path / "raw" / "0.jsonl").write_text("".join(json.dumps(record) + "\n" for record in [*records[::5], *heavy]))
    judge(path, tmp_path / "one")
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", 1)
    monkeypatch.setattr("pipeline.decide.runs.FAN", fan)
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 1_000)
    judge(path, tmp_path / "many")
    sites = tmp_path / "many" / DECIDE / "sites"
    told = [read_ipc(str(file))["site"].to_pylist() for file in sorted((sites / "dropped").iterdir())]
    assert told == [[BLOG, HEAVY], *[[BLOG]] * 4]
    assert read_ipc(str(sites / "dropped.arrow"))["site"].to_pylist() == [BLOG, HEAVY]
    assert dropped(tmp_path / "many") == dropped(tmp_path / "one")
    # What stages handed on is gone; each file can be made again all the same.
    assert {file.name for file in sites.iterdir() if file.is_dir()} == {"dropped"}
    before = tree_hashes(tmp_path / "many")
    for name in ("dropped/000003.arrow", "evidence-00001.arrow", "00002.arrow"):
        (sites / name).unlink()
        judge(path, tmp_path / "many")
        assert tree_hashes(tmp_path / "many") == before


def test_any_dealing_out_of_pages(tmp_path: Path) -> None:
    """Other files, the same pages: the same verdicts."""
    judge(write_pages(tmp_path / "a", files=1), tmp_path / "one")
    judge(write_pages(tmp_path / "b", files=6), tmp_path / "six")
    assert verdicts(tmp_path / "one") == verdicts(tmp_path / "six")


def test_stopped_again_and_again_between_any_two_files(
    corpus: Path, undisturbed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt may publish a few files and then dies; attempts go on from each other."""
    out, attempts = tmp_path / "out", 0
    allowance = limit_publishing(monkeypatch, storage.steps, pipeline.schemas)
    for attempts in range(1, 60):
        allowance.left = 4 + attempts  # more each time: a task that writes many files must be able to finish
        try:
            judge(corpus, out)
            break
        except (GristmillError, Stopped) as error:
            stopped = repr((error, error.__cause__))
        assert "Stopped" in stopped
        assert not (out / DECIDE / "_MANIFEST.json").exists()
    assert attempts > 4
    assert tree_hashes(out) == undisturbed
