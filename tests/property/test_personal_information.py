"""The gate before the exact patterns loses and adds nothing, on texts made of what the patterns match.

Masking replaces the spans and nothing else."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.personal import KINDS, count_spans, find_spans, mail, mask, search
from pipeline.text.personal import spans as finding
from pipeline.text.personal.masking import TOKENS
from pipeline.text.personal.patterns import Pattern
from pipeline.text.personal.spans import PATTERNS
from tests.property.texts import any_text, buffers, thorough

# What hypothesis makes from a pattern over bytes is Latin-1: its bytes are taken for UTF-8 where they are, replaced
# where not. Patterns that look backward from their first character match behind something only.
LOOKS_BEHIND = re.compile(rb"\(\?<=\[[^\]]*\](?:@|%40)\)")


def matches_of(pattern: Pattern) -> st.SearchStrategy[str]:
    behind = "a" if pattern.bounds is not None else ""
    texts = st.from_regex(LOOKS_BEHIND.sub(b"", pattern.pattern), fullmatch=True)
    return texts.map(lambda text: behind + text.decode("utf-8", "replace"))


matching = st.one_of([matches_of(pattern) for pattern in PATTERNS])
# Spans that pass their validators, which random digits seldom do.
VALID = (
    "a@b.co",
    "miles.o'brien@acme-mill.com",
    "jörg@müller-mühle.de",
    "请联系jane@example.org。",
    "张三@例子.中国",
    "{ann, bob}@acme-mill.edu",
    '"jane roe"@acme-mill.com',
    "jane%40acme-mill.com",
    "jane@[93.184.216.34]",
    "https://x.org/?email=jane@acme-mill.com&x=|a|b@c.de|",
    "References: <abc@x.example>\n <d1@y.example>",
    "OpenSSL 1.1.1.1 and 8.8.8.8",
    "+49 30 901820",
    "0049 30 901820",
    "(212) 555-0100 x12",
    "Tel: 030 1234567",
    "69 987 88 37 office",
    "(07) 5331 0577",
    "at 8.8.8.8",
    "2a00:1450:4001:81b::200e",
    "078-05-1120",
    "54362315K",
    "RCCMNL83S18D969H",
    "2 95 10 99 126 111 93",
    "AB 12 34 56 C",
    "131052-308T",
    "85.07.30-033.28",
    "19880320-0016",
    "710319/2745",
    "BSN: 111222333",
    "PESEL\n44051401359",
    "ΑΜΚΑ 01013099997",
    "DE89 3704 0044 0532 0130 00",
    "4111 1111 1111 1111",
    "378282246310005",
    "12 W. 42nd St., Durham, NC 27701",
    "9 Trinity Court, London SW1A 2AA",
    "Berliner Straße 12, 10115 Berlin",
    "12, rue de la Paix",
    "born on March 3, 1970",
    "né le 3 mars 1970",
    "(* 3. Mai 1970",
    "ur. 3 maja 1970",
    "am 3. Mai 1970 in Kassel geboren",
    "RSSMRA 80A01 H501U",
    "ring Ruth on 020 7946 0958",
    "Ruf an, 030 901820",
    "au 01 23 45 67 89",
    "llame al 912 345 678",
    "cell. 347 1234567",
    "dzwonić 601 123 456",
    "dial 2125550100",
    "15070649C103",
    "RV-Nr. 65 170839 J 003",
    "10135 E. Via Linda #D124, Scottsdale, AZ 85258",
    "4 Oak, Leeds LS1 4AP",
    "9 Trinity Court, DURHAM",
    "Via Giuseppe Verdi 12, 20121 Milano",
    "Calle de Alcalá, nº 45",
    "Rua das Flores, 12",
    "ul. Żeromskiego 5 m. 7, 30-001 Kraków",
    "lives at 12 Oak Glen",
    "8 wressle road suite 771",
    "Ostring 28, 44787 Bochum",
)
alphabet = st.text("ab_125789.@-+() %\n,é\x00中\u00a0–", max_size=25)
joints = st.sampled_from(["", "", " ", "\n", ",", ".", "-", "@", "(", "/", "x", "1", "ß", "\x00", ": "])
pieces = st.lists(st.one_of(matching, st.sampled_from(VALID), alphabet, joints), max_size=12).map("".join)
batches = st.lists(st.one_of(pieces, any_text), max_size=5)


def reference(documents: list[str]) -> dict[str, list[tuple[int, int, int]]]:
    return {
        kind: [
            (number, start, stop)
            for number, document in enumerate(documents)
            for start, stop in search(document.encode(), kind)
        ]
        for kind in KINDS
    }


def found(documents: list[str]) -> dict[str, list[tuple[int, int, int]]]:
    return {
        name: list(zip(*(column.tolist() for column in spans), strict=True))
        for name, spans in find_spans(*buffers(documents)).items()
    }


def masked(documents: list[str], kinds: list[str]) -> list[str]:
    """Slow and obvious: spans of all kinds in one list, those that overlap made one, texts cut and joined."""
    texts = []
    for document in documents:
        data = document.encode()
        spans = sorted(
            (start, KINDS.index(kind), stop) for kind in KINDS if kind in kinds for start, stop in search(data, kind)
        )
        clusters: list[list[tuple[int, int, int]]] = []
        for span in spans:
            if clusters and span[0] < max(stop for _, _, stop in clusters[-1]):
                clusters[-1].append(span)
            else:
                clusters.append([span])
        pieces, reached = [], 0
        for cluster in clusters:
            longest = min(cluster, key=lambda span: (span[0] - span[2], span[1], span[0]))
            pieces += [data[reached : cluster[0][0]], TOKENS[KINDS[longest[1]]].encode()]
            reached = max(stop for _, _, stop in cluster)
        texts.append(b"".join([*pieces, data[reached:]]).decode())
    return texts


@thorough
@given(batches)
@example([])
@example(["", "a@b.co", "", "x@y.zz"])
@example(["123-45", "-6789", "8.8.8", ".8", "a@", "b.co"])
@example(["ul. ƀ 1", "Via Ƀ 1", "AAplatz 1 0000 A\ufffda@-.-", "Via Roma 1 - 20121 Milano-"])
@example(["8.8.8.8 8.8.8.8.8 8.8.8.8-", "212 555 0100 212 555 0100", "a@b.co@d.ef f@g.hi"])
@example(
    ["x", "BSN: 111222333", "born 1970-03-03", "1 Oak Street", "Streetx", "12 Oak St", "ate", "Tel: 030 1234567", "1"]
)
@example(["5 Oak St" * 40, "+49 30 901820 " * 40, "Tel: " * 60 + "030 1234567"])
@example(
    [
        "version 8.8.8.8 8.8.8.8\n5.3.1.1 8.8.8.8",
        "5.3.1.1",
        "\x005.3.1.1",
        "x" * 60 + " 8.8.8.8",
        "version ",
        "8.8.8.8/24 8.8.8.8/24x",
    ]
)
def test_spans_are_those_of_the_exact_patterns(documents: list[str]) -> None:
    assert found(documents) == reference(documents)


def test_valid_spans_are_found() -> None:
    kinds = {kind for kind, spans in found(list(VALID)).items() if spans}
    assert kinds == set(KINDS)
    # Identifiers of messages have the form of addresses and are none.
    assert [text for text in VALID if not any(search(text.encode(), kind) for kind in KINDS)] == [
        "References: <abc@x.example>\n <d1@y.example>"
    ]


@thorough
@given(batches)
def test_counts_count_the_spans(documents: list[str]) -> None:
    expected = reference(documents)
    counts = count_spans(*buffers(documents))
    assert list(counts) == list(KINDS)
    for name in KINDS:
        assert counts[name].tolist() == [
            sum(span[0] == number for span in expected[name]) for number in range(len(documents))
        ]


@thorough
@given(batches)
def test_too_many_cores_change_nothing(documents: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "MOST_CORES", 1)
        assert found(documents) == reference(documents)


@thorough
@given(st.one_of(matching, st.sampled_from(VALID), pieces), st.integers(0, 400))
@example("toll\x00free\x01 2012000000", 0)
def test_a_cut_between_documents_is_a_border(text: str, cut: int) -> None:
    documents = [text[:cut], text[cut:]]
    assert found(documents) == reference(documents)


@thorough
@given(batches)
def test_spans_of_a_kind_are_apart_and_in_order(documents: list[str]) -> None:
    for spans in found(documents).values():
        assert all(start < stop for _, start, stop in spans)
        assert all(left[0] < right[0] or left[2] <= right[1] for left, right in zip(spans, spans[1:], strict=False))


@thorough
@given(batches, st.lists(st.sampled_from(KINDS), max_size=8))
@example(["é a@b.co 8.8.8.8", "", "nothing", "Tel: 078-05-1120"], list(KINDS))
@example(["AAplatz 1 0000 A\ufffda@-.-"], ["street_address"])
def test_masked_texts(documents: list[str], kinds: list[str]) -> None:
    texts = pa.array(documents, pa.large_string())
    assert mask(texts, find_spans(*buffers(documents)), kinds=kinds).to_pylist() == masked(documents, kinds)


_NEVER = re.compile(rb"(?!)")
locals_ = st.text("aZ09._+-'=/?&{}|\"é\u4e00 <(:@\n%", max_size=70) | st.sampled_from(
    ["git", "a" * 64, "b" * 65, "x-1.y", "HG"]
)
domains = st.text("aZ09.-_é[", max_size=40) | st.sampled_from(
    ["a.b.co", "x.png", "1.2-a.rc", "a--b.org", f"{'a' * 63}.com", f"{'a' * 64}.com"]
)


@thorough
@given(before=locals_, local=locals_, domain=domains, behind=st.text("aZ. _@>-\n", max_size=4))
@example(before=" ", local="jane.roe+x", domain="acme-mill.com", behind=".")
@example(before="a@", local="b", domain="c.de", behind="")
def test_plain_addresses_are_found_as_others_are(before: str, local: str, domain: str, behind: str) -> None:
    text = f"{before}{local}@{domain}{behind}".encode()
    fast = search(text, "email")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mail, "_PLAIN_LOCAL", _NEVER)
        patch.setattr(mail, "_PLAIN_DOMAIN", _NEVER)
        assert search(text, "email") == fast
