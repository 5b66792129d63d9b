"""What the site rule decided: the heaviest sites, other thresholds, one verdict, with masked examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import GristmillError
from pipeline.decide.site_report import (
    NAME_TOKEN,
    SWEEP,
    SiteFolder,
    explain_site,
    heaviest,
    masked_lines,
    open_sites,
    site_tables,
    sweep,
)
from pipeline.text.personal.masking import TOKENS
from tests.pipeline.decide.site_corpus import (
    BLOG,
    GIVEN,
    HEAVY,
    OTHER_BLOG,
    RULE,
    SHOP,
    judge,
    write_pages,
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites")
    (folder / "allow.txt").write_text(f"{BLOG}\n")
    judge(write_pages(folder, rule={**RULE, "allow": "allow.txt"}), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def opened(out: Path) -> SiteFolder:
    return open_sites(str(out))


def test_the_heaviest_come_first(opened: SiteFolder) -> None:
    rows = heaviest(opened, most=10).to_pylist()
    assert [row["site"] for row in rows[:2]] in ([HEAVY, BLOG], [BLOG, HEAVY])
    assert sorted(row["site"] for row in rows) == sorted([HEAVY, BLOG, OTHER_BLOG, SHOP])
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert heaviest(opened, most=1).to_pylist() == rows[:1]
    assert {row["site"]: (row["allowed"], row["dropped"]) for row in rows} == {
        HEAVY: (False, True),
        BLOG: (True, False),
        OTHER_BLOG: (False, False),
        SHOP: (False, False),
    }


def test_the_sweep(opened: SiteFolder) -> None:
    cuts = sweep(opened)
    assert [cut.score for cut in cuts] == list(SWEEP)
    for lower, higher in zip(cuts, cuts[1:], strict=False):
        assert lower.sites >= higher.sites
        assert lower.documents >= higher.documents
        assert lower.words >= higher.words
    rows = [row for table in site_tables(opened) for row in table.to_pylist()]
    own = next(cut for cut in cuts if cut.score == 0)
    assert own.sites == sum(row["dropped"] for row in rows) == 1
    assert own.documents == sum(row["documents"] for row in rows if row["dropped"]) == 9
    assert own.words == sum(row["words"] for row in rows if row["dropped"])


def test_an_explanation_adds_up(opened: SiteFolder) -> None:
    for site in (HEAVY, BLOG, OTHER_BLOG, SHOP):
        found = explain_site(opened, site)
        assert found.row["site"] == site
        assert found.bias == RULE["bias"]
        assert {kind for kind, _, _, _ in found.evidence} == set(RULE["weights"])
        assert all(0 <= rate <= 1 and added == rate * weight for _, rate, weight, added in found.evidence)
        assert found.bias + sum(entry[3] for entry in found.evidence) == pytest.approx(found.row["score"])
        assert len(found.examples) == 3
        assert all(len(identity) == 32 and lines for identity, lines in found.examples)
        assert site not in str(found.examples)


def test_examples_are_masked(opened: SiteFolder) -> None:
    for site in (HEAVY, BLOG):
        for _, lines in explain_site(opened, site).examples:
            text = "\n".join(lines)
            assert lines[0] == f"{NAME_TOKEN}, {TOKENS['email']}, {TOKENS['phone']}"
            assert len(lines) > 1
            assert not [word for word in ("@", "Quandersen", "quander", "+49", "910", *GIVEN) if word in text]


def test_masked_lines() -> None:
    assert masked_lines("Ann Lee wrote.\n\n \n  Mail ann.lee@gmail.com or +49 30 901820 \nx") == [
        f"{NAME_TOKEN} wrote.",
        f"Mail {TOKENS['email']} or {TOKENS['phone']}",
        "x",
    ]
    # Spans that overlap, and names within spans.
    assert masked_lines("Jürgen Müller, 12 Ann Lee Street, x") == [f"{NAME_TOKEN}, {TOKENS['street_address']}, x"]
    assert masked_lines("") == []
    assert masked_lines("ü" * 500) == ["ü" * 160 + " …"]
    assert masked_lines("a\n" * 20) == ["a"] * 6


def test_a_mask_is_set_before_a_line_is_cut() -> None:
    (line,) = masked_lines("x" * 150 + " ann.lee@gmail.com and more")
    assert "@" not in line
    assert "ann" not in line


def test_an_unknown_site(opened: SiteFolder) -> None:
    with pytest.raises(GristmillError, match=r"no document is from `nobody\.example`") as caught:
        explain_site(opened, "nobody.example")
    assert "ann.github.io" in str(caught.value)


def test_without_a_rule_or_a_step(tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="gristmill decide"):
        open_sites(str(tmp_path))
    judge(write_pages(tmp_path, rule=None), tmp_path / "out")
    with pytest.raises(GristmillError, match="no site was judged"):
        open_sites(str(tmp_path / "out"))


def test_many_partitions_say_the_same(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 1_000)
    judge(write_pages(tmp_path, rule=RULE), tmp_path / "out")
    many, one = open_sites(str(tmp_path / "out")), open_sites(str(out))
    assert many.partitions > 1
    assert one.partitions == 1
    scores = [{row["site"]: row["score"] for row in heaviest(sites, most=9).to_pylist()} for sites in (many, one)]
    assert scores[0] == scores[1]
    assert explain_site(many, SHOP) == explain_site(one, SHOP)
