"""What the commands of the demo say of the made-up pages: sites judged, copies explained."""

import pytest

from demo.planted import CLUB, DIRECTORY, EXACT_COPY, NEAR_COPY, ORIGINAL, PAPER, PEOPLE, planted_pages
from demo.texts import json_lines
from manifests.corpus import load_corpus
from pipeline.decide.site_report import explain_site, heaviest, losses, open_sites
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract
from tests.gristmill.commands.invoke import printed, run
from tests.paths import PROJECT


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo's corpus without what it downloads, decided."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "pages.jsonl").write_bytes(json_lines(planted_pages()))
    whole = load_corpus(PROJECT / "demo" / "corpus.yaml")
    web = next(source for source in whole.sources if source.name == "web")
    corpus = whole.model_copy(
        update={"sources": [web.model_copy(update={"root": str(folder), "files": ["*.jsonl"]})], "factual": None}
    )
    out = str(folder / "out")
    extract(corpus, out=out, runner=Runner())
    decide(corpus, out=out, runner=Runner())
    return out


def test_the_directory_is_dropped_whole_and_nothing_else(prepared: str):
    opened = open_sites(prepared)
    verdicts = {row["site"]: (row["documents"], row["dropped"]) for row in heaviest(opened, most=9).to_pylist()}
    assert verdicts == {DIRECTORY: (PEOPLE, True), CLUB: (26, False), PAPER: (1, False)}
    assert [(loss.source, loss.documents) for loss in losses(opened)] == [("web", PEOPLE)]


def test_the_evidence_is_masked(prepared: str):
    explanation = explain_site(open_sites(prepared), DIRECTORY)
    assert len(explanation.examples) == 3
    titles = {page["text"].split(" in ")[0] for page in planted_pages() if DIRECTORY in page["url"]}
    for _, lines in explanation.examples:
        shown = "\n".join(lines)
        assert not any(title in shown for title in titles)
        assert "555-01" not in shown
        assert "@" not in shown
        assert all(token in shown for token in ("|||NAME|||", "|||PHONE_NUMBER|||", "|||STREET_ADDRESS|||"))


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        (ORIGINAL, "kept", ["Documents that went for it: 2"]),
        (
            EXACT_COPY,
            "exact_duplicate",
            [f"kept for it: https://{ORIGINAL}\n", "Their texts are equal: 2,033 characters", "1, 2, 3, 4, 5, 6, 7, 8"],
        ),
        (
            NEAR_COPY,
            "near_duplicate",
            [
                f"kept for it: https://{ORIGINAL}\n",
                "0.867: 364 of 420 different shingles of 5 words are in both",
                "found with probability 0.999",
                "[-Mending a puncture at the side of the road-] A puncture is no reason",
                "{+How to mend a flat tyre+} A puncture is no reason",
            ],
        ),
    ],
)
def test_what_became_of_the_copies(name: str, reason: str, said: list[str], prepared: str):
    status, text = run("dedup", "explain", prepared, name)
    assert status == 0
    assert text.startswith(f"{reason}: https://{name}\n")
    for expected in said:
        assert expected in text


def test_the_copies_are_one_cluster(prepared: str):
    found = printed("dedup", "clusters", prepared)
    [cluster] = found["largest"]
    assert cluster["kept"]["name"] == ORIGINAL
    assert {copy["document"]["name"] for copy in cluster["examples"]} == {EXACT_COPY, NEAR_COPY}
