"""Copies explained: similarity from texts, and what a real prepared folder says of a document."""

import pytest

from demo.duplicates import Copy, changed_sentences, explained, find_copy, found_with, jaccard, shingles
from demo.planted import CLUB, DIRECTORY, EXACT_COPY, NEAR_COPY, ORIGINAL, PAPER, PEOPLE, planted_pages
from demo.texts import json_lines
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from pipeline.decide.site_report import explain_site, heaviest, losses, open_sites
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract
from tests.paths import PROJECT


def test_similarity_of_word_ngrams():
    one, other = shingles("a b c d", ngram=2), shingles("B, c d E", ngram=2)
    assert one == {("a", "b"), ("b", "c"), ("c", "d")}
    assert jaccard(one, other) == pytest.approx(2 / 4)
    assert jaccard(frozenset(), frozenset()) == 1.0
    assert shingles("a b", ngram=5) == {("a", "b")}


def test_the_probability_of_the_published_bands():
    assert found_with(1.0, bands=14, rows=8) == 1.0
    assert found_with(0.0, bands=14, rows=8) == 0.0
    assert found_with(0.75, bands=14, rows=8) == pytest.approx(0.772, abs=5e-4)


def test_what_changed_is_shown_by_sentences():
    assert changed_sentences("One. Two is here. Three.", "One. Nothing alike!\nThree. Four.") == [
        "- Two is here.",
        "+ Nothing alike!",
        "+ Four.",
    ]


def test_a_document_without_copies_takes_one_line():
    assert list(explained(Copy("kept", "u", "t", None, None), ngram=5, bands=14, rows=8)) == ["kept: u"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[CorpusManifest, str]:
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
    return corpus, out


def test_the_directory_is_dropped_whole_and_nothing_else(prepared: tuple[CorpusManifest, str]):
    opened = open_sites(prepared[1])
    verdicts = {row["site"]: (row["documents"], row["dropped"]) for row in heaviest(opened, most=9).to_pylist()}
    assert verdicts == {DIRECTORY: (PEOPLE, True), CLUB: (26, False), PAPER: (1, False)}
    assert [(loss.source, loss.documents) for loss in losses(opened)] == [("web", PEOPLE)]


def test_the_evidence_is_masked(prepared: tuple[CorpusManifest, str]):
    explanation = explain_site(open_sites(prepared[1]), DIRECTORY)
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
        (ORIGINAL, "kept", []),
        (EXACT_COPY, "exact_duplicate", [f"kept instead: https://{ORIGINAL}", "the two texts are equal: "]),
        (
            NEAR_COPY,
            "near_duplicate",
            [
                f"kept instead: https://{ORIGINAL}",
                "364 of 420 different runs of 5 words are in both: Jaccard similarity 0.867",
                "pairs so alike are found with probability 0.995",
                "- Mending a puncture at the side of the road",
                "+ How to mend a flat tyre",
            ],
        ),
    ],
)
def test_what_became_of_the_copies(name: str, reason: str, said: list[str], prepared: tuple[CorpusManifest, str]):
    corpus, out = prepared
    copy = find_copy(corpus, out, source="web", name=name)
    assert copy.reason == reason
    first, *lines = explained(copy, ngram=5, bands=14, rows=8)
    assert first == f"{reason}: https://{name}"
    assert len(lines) >= len(said)
    for expected, line in zip(said, lines, strict=False):
        assert line.strip().startswith(expected)


def test_a_name_that_no_document_has_is_an_error(prepared: tuple[CorpusManifest, str]):
    with pytest.raises(GristmillError, match="no document `nothing`"):
        find_copy(*prepared, source="web", name="nothing")
