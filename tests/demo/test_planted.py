"""The made-up pages: the same always, nobody's numbers, and heavy or not by the site rule alone."""

import hashlib
import re
from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from demo.planted import CLUB, DIRECTORY, EXACT_COPY, NEAR_COPY, ORIGINAL, PEOPLE, RIDES, planted_pages
from demo.texts import json_lines
from manifests.corpus import load_corpus
from manifests.minhash import MinHash
from pipeline.decide.duplicates.report.explanation import shared_shingles
from pipeline.text.normalise import text_buffers
from pipeline.text.personal import find_spans
from pipeline.text.personal.names import find_names
from tests.paths import PROJECT

SHA256 = "af58a76990a213b78738c1dfb31ca572016d8078a582906ed6b14894dd0e948f"
PAGES = {page["id"]: page for page in planted_pages()}


def texts_of(site: str) -> list[str]:
    return [page["text"] for name, page in PAGES.items() if name.startswith(f"{site}/")]


def spans_of(text: str) -> dict[str, int]:
    found = find_spans(*text_buffers(pa.array([text], pa.large_string())))
    return {kind: len(spans.starts) for kind, spans in found.items() if len(spans.starts)}


def jaccard(one: str, other: str) -> float:
    shared = shared_shingles(one, other, minhash=MinHash())
    assert shared is not None
    return shared.jaccard


def test_the_pages_are_the_same_everywhere():
    assert planted_pages() == planted_pages()
    assert len(PAGES) == len(planted_pages()) == PEOPLE + RIDES + 3
    assert hashlib.sha256(json_lines(planted_pages())).hexdigest() == SHA256


def test_every_page_of_the_directory_has_spans_that_the_detector_finds():
    texts = texts_of(DIRECTORY)
    assert len(texts) == PEOPLE
    for text in texts:
        assert spans_of(text) == {"email": 1, "phone": 1, "street_address": 2, "date_of_birth": 3}
    names = find_names(*text_buffers(pa.array(texts, pa.large_string())))
    assert len(names.starts) >= 3 * PEOPLE


def test_the_club_has_a_contact_on_every_page():
    texts = texts_of(CLUB)
    assert len(texts) == RIDES + 2
    assert {tuple(sorted(spans_of(text).items())) for text in texts} == {(("email", 1), ("phone", 1))}


def test_no_telephone_number_and_no_mail_address_is_anybodys():
    everything = "\n".join(page["text"] for page in PAGES.values())
    numbers = re.findall(r"\(\d{3}\) \d{3}-\d{4}", everything)
    assert len(numbers) == len(PAGES)
    assert all(re.fullmatch(r"\(\d{3}\) 555-01\d\d", number) for number in numbers)
    mails = re.findall(r"\S+@\S+", everything)
    assert len(mails) == len(PAGES)
    for mail in mails:
        local, domain = mail.split("@")
        assert domain.endswith(".example") or (domain == "gmail.com" and len(local.replace(".", "")) > 30), mail
    assert all(page["url"].split("/")[2].endswith(".example") for page in PAGES.values())


def test_no_two_people_share_a_block_of_numbers():
    codes = Counter(re.search(r"\((\d{3})\) 555", text)[1] for text in texts_of(DIRECTORY))
    assert codes.most_common(1)[0][1] == 1


def test_one_copy_is_equal_one_is_nearly_so_and_nothing_else_is_alike():
    assert PAGES[EXACT_COPY]["text"] == PAGES[ORIGINAL]["text"]
    assert PAGES[EXACT_COPY]["url"] != PAGES[ORIGINAL]["url"]
    assert 0.85 < jaccard(PAGES[ORIGINAL]["text"], PAGES[NEAR_COPY]["text"]) < 1
    rides = [page["text"] for name, page in PAGES.items() if "/rides/" in name]
    assert max(jaccard(one, other) for one, other in combinations(rides, 2)) < 0.4


def test_the_original_is_kept_since_it_comes_first():
    assert min(ORIGINAL, EXACT_COPY, NEAR_COPY) == ORIGINAL


@pytest.mark.parametrize("name", sorted(PAGES))
def test_filters_would_keep_a_page(name):
    words = PAGES[name]["text"].split()
    assert len(words) >= 50
    assert 3 <= np.mean([len(word) for word in words]) <= 10
    assert np.mean([any(letter.isalpha() for letter in word) for word in words]) >= 0.8


def test_the_corpus_reads_them_and_judges_sites():
    corpus = load_corpus(PROJECT / "demo" / "corpus.yaml")
    [web] = [source for source in corpus.sources if source.name == "web"]
    assert web.kind == "web"
    assert web.root == str(PROJECT / ".demo" / "raw" / "web")
    assert corpus.personal_information is not None
    assert corpus.personal_information.sites is not None
    assert corpus.banded_sources() == {"django"}
    assert corpus.factual is not None
    assert corpus.factual.model == str(PROJECT / ".demo" / "factual.arrow")
