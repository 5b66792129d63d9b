"""What counts as personal information: one table of texts per kind, and the development corpora."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from pipeline.personal_information import KINDS, count_spans, find_spans, search
from tests.paths import SHARED
from tests.property.texts import buffers


def counts_of(documents: list[str]) -> dict[str, list[int]]:
    return {name: counts.tolist() for name, counts in count_spans(*buffers(documents)).items()}


@pytest.mark.parametrize(
    ("kind", "text", "count"),
    [
        ("email", "write to jane.doe+news@mail.example.co.uk.", 1),
        ("email", "a@b.c, <d_e%f@g-h.ij>; (k@l.mn)", 3),
        ("email", "no domain: jane@localhost", 0),
        ("email", "two signs: a@b@c.de", 0),
        ("email", "ü@example.org", 0),
        ("email", "中jane@example.org文", 1),
        ("email", "x" * 64 + "@example.org", 1),
        ("email", "x" * 65 + "@example.org", 0),
        ("phone", "(212) 555-0100", 1),
        ("phone", "+1 212 555 0100, 1-212-555-0100, 212.555.0100", 3),
        ("phone", "(212)555-0100", 1),
        ("phone", "2125550100", 0),
        ("phone", "112 555 0100 and 212 155 0100", 0),
        ("phone", "212 555 01000", 0),
        ("phone", "id-212-555-0100", 0),
        ("ip", "8.8.8.8", 1),
        ("ip", "at 93.184.216.34.", 1),
        ("ip", "1.2.3.4.5", 0),
        ("ip", "version v1.2.3.4", 0),
        ("ip", "256.1.1.1", 0),
        ("ip", "08.8.8.8", 0),
        ("ip", "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 127.0.0.1 169.254.1.1 100.64.0.1", 0),
        ("ip", "0.0.0.0 255.255.255.255 224.0.0.1 240.0.0.1 192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 192.88.99.1 192.0.0.8", 0),
        ("ip", "9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.169.0.0 223.255.255.255", 8),
        ("national_id", "078-05-1120", 1),
        ("national_id", "000-12-3456 666-12-3456 900-12-3456 999-12-3456", 0),
        ("national_id", "123-00-4567 123-45-0000", 0),
        ("national_id", "899-99-9999 001-01-0001", 2),
        ("national_id", "1123-45-6789 123-45-67890 123-45-6789-0", 0),
    ],
)
def test_what_counts(kind: str, text: str, count: int) -> None:
    assert counts_of([text])[kind] == [count]


def test_counts_belong_to_their_documents() -> None:
    documents = ["", "a@b.cd", "nothing", "8.8.8.8\n8.8.4.4 e@f.gh", "212-555-0100 078-05-1120"]
    assert counts_of(documents) == {
        "email": [0, 1, 0, 1, 0],
        "phone": [0, 0, 0, 0, 1],
        "ip": [0, 0, 0, 2, 0],
        "national_id": [0, 0, 0, 0, 1],
    }


def test_spans_say_where() -> None:
    documents = ["ü: a@b.cd", "", "x\nmail e@f.gh now"]
    spans = find_spans(*buffers(documents))["email"]
    places = zip(*(column.tolist() for column in spans), strict=True)
    assert [(document, documents[document].encode()[start:stop]) for document, start, stop in places] == [(0, b"a@b.cd"), (2, b"e@f.gh")]


def test_offsets_need_not_begin_at_zero() -> None:
    data, offsets = buffers(["a@b.cd ", "e@f.gh", "8.8.8.8"])
    assert {name: counts.tolist() for name, counts in count_spans(data, offsets[1:]).items() if counts.any()} == {
        "email": [1, 0],
        "ip": [0, 1],
    }


def test_a_document_of_numbers_is_searched_once() -> None:
    """A megabyte of cores: the time must not grow with the number of cores in a run."""
    numbers = "123-45-6789-" * 90_000
    assert counts_of([numbers, "8.8.8.8." * 30_000, "a@" * 300_000]) == {kind: [0, 0, 0] for kind in KINDS}


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="../shared is not here")
def test_mail_is_counted_as_by_the_patterns_alone() -> None:
    assert SHARED is not None
    with gzip.open(SHARED / "corpora" / "pii" / "spamassassin.jsonl.gz", "rt") as lines:
        documents = [json.loads(line)["text"].encode("utf-8", "replace").decode() for _, line in zip(range(400), lines, strict=False)]
    counts = counts_of(documents)
    for kind, name in enumerate(KINDS):
        assert counts[name] == [len(search(document.encode(), kind)) for document in documents]
    assert np.sum(counts["email"]) > 1000
