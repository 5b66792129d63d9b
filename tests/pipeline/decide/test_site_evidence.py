"""Evidence of sites: every count on pages made by hand, and against a slow reference."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decide.site_evidence import EVIDENCE, Pages, site_evidence
from pipeline.text.personal.values import BLOCK_SHIFT, KIND_SHIFT, NAMED, ValueKind
from tests.property.texts import thorough

SHARE = 0.03


class Page:
    """One page; values as (kind, hash, whether a name is near)."""

    def __init__(self, *values: tuple[ValueKind, int, bool], words: int = 100, marks: int = 0) -> None:
        self.values = sorted({(kind << KIND_SHIFT) | (int(NAMED) * named) | number for kind, number, named in values})
        self.words, self.marks = words, marks


def pages_of(sites: list[list[Page]]) -> Pages:
    pages = [page for site in sites for page in site]
    return Pages(
        sites=np.repeat(np.arange(len(sites)), [len(site) for site in sites]).astype(np.int64),
        words=np.array([page.words for page in pages], np.int64),
        marks=np.array([page.marks for page in pages], np.int64),
        offsets=np.cumsum([0, *(len(page.values) for page in pages)]).astype(np.int64),
        values=np.array([value for page in pages for value in page.values], np.uint32),
    )


def evidence(*sites: list[Page], share: float = SHARE) -> list[dict[str, int]]:
    rows: list[dict[str, int]] = site_evidence(pages_of(list(sites)), furniture_share=share).to_pylist()
    return rows


def value(kind: str, number: int = 1, *, named: bool = False) -> tuple[ValueKind, int, bool]:
    return ValueKind[kind], number, named


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([], {}),
        ([value("EMAIL")], {"particulars": 1}),
        ([value("EMAIL", named=True)], {"particulars": 1, "private": 1}),
        ([value("EMAIL"), value("PHONE")], {"particulars": 2, "email_and_more": 1, "private_kinds": 1}),
        ([value("EMAIL", number) for number in (1, 2, 3)], {"particulars": 3}),
        ([value("EMAIL", number, named=True) for number in (1, 2)], {"particulars": 2, "private": 1}),
        (
            [value("EMAIL", number, named=True) for number in (1, 2, 3)],
            {"particulars": 3, "private": 1, "private_list": 1},
        ),
        ([value("DATE_OF_BIRTH")], {"particulars": 1, "dates": 1}),
        (
            [value("DATE_OF_BIRTH_FIELD", named=True), value("PHONE", named=True)],
            {
                "particulars": 2,
                "dates": 1,
                "birth_and_more": 1,
                "private": 1,
                "private_kinds": 1,
                "private_named_kinds": 1,
            },
        ),
        # The two ways to write a date of birth are one kind; a date beside a name is of it.
        ([value("DATE_OF_BIRTH"), value("DATE_OF_BIRTH_FIELD")], {"particulars": 2, "dates": 2}),
        (
            [value("DATE_OF_BIRTH", 1), value("DATE_OF_BIRTH", 2), value("DATE_OF_BIRTH_FIELD", 3)],
            {"particulars": 3, "dates": 3, "private_dates": 1},
        ),
        ([value("DATE_NEAR_NAME", number) for number in (1, 2, 3)], {"dates": 3, "private_dates": 1}),
        # A date that nothing announces makes no second kind.
        ([value("EMAIL", named=True), value("DATE_NEAR_NAME")], {"particulars": 1, "private": 1, "dates": 1}),
        (
            [value("NUMBER_NEAR_NAME"), value("DATE_NEAR_NAME"), value("NATIONAL_NEAR_NAME")],
            {"dates": 1, "private_named_kinds": 1, "numbers_near_names": 2, "national_near_names": 1},
        ),
        # Telephone numbers, announced or not, are one kind.
        (
            [value("PHONE", named=True), value("NUMBER_NEAR_NAME")],
            {"particulars": 1, "private": 1, "numbers_near_names": 1},
        ),
        ([value("NATIONAL_ID")], {"particulars": 1, "secret": 1}),
        ([value("IBAN"), value("PAYMENT_CARD")], {"particulars": 2, "secret": 1}),
        ([value("OFFICE")], {"work_addresses": 1, "staff": 1}),
        # A page with an address at work is not private, whatever else it holds.
        (
            [value("WORK_EMAIL", named=True), value("PHONE", named=True), value("EMAIL")],
            {"particulars": 2, "work_addresses": 1, "staff": 1, "email_and_more": 1},
        ),
        ([value("IP")], {}),
        ([value("NAME", number) for number in range(16)], {"rare_names": 16}),
    ],
)
def test_one_page(values: list[tuple[ValueKind, int, bool]], counts: dict[str, int]) -> None:
    expected = dict.fromkeys(EVIDENCE.names, 0) | {"pages": 1, "page_words": 100} | counts
    assert evidence([Page(*values)]) == [expected]


def test_marks_of_business() -> None:
    phone = value("PHONE", 1, named=True)
    (row,) = evidence([Page(phone, words=7, marks=3), Page(words=5)])
    assert {name: row[name] for name in ("pages", "page_words", "marks", "business", "private")} == {
        "pages": 2,
        "page_words": 12,
        "marks": 3,
        "business": 1,
        "private": 0,
    }


def test_marks_that_every_page_has_are_the_footers() -> None:
    def site(*marks: int) -> dict[str, int]:
        (row,) = evidence(
            [Page(value("PHONE", page << BLOCK_SHIFT, named=True), marks=n) for page, n in enumerate(marks)]
        )
        return {name: row[name] for name in ("marks", "business", "private")}

    assert site(1, 1, 1) == {"marks": 0, "business": 0, "private": 3}
    assert site(1, 2, 1) == {"marks": 1, "business": 1, "private": 2}
    # A footer has at most two, and two pages are too few to tell one.
    assert site(5, 5, 5) == {"marks": 9, "business": 3, "private": 0}
    assert site(1, 1) == {"marks": 2, "business": 2, "private": 0}


def test_what_many_pages_hold_is_furniture() -> None:
    def filled(count: int, held: int) -> list[Page]:
        return [Page(value("EMAIL", named=page % 2 == 0)) if page < held else Page() for page in range(count)]

    assert [row["particulars"] for row in evidence(filled(1, 1), filled(2, 2), filled(40, 1), filled(40, 2))] == [
        1,
        0,
        1,
        0,
    ]
    # 3% of 100 pages are 3.
    assert [row["particulars"] for row in evidence(filled(100, 3), filled(100, 4))] == [3, 0]
    assert evidence(filled(2, 2), share=1.0)[0]["particulars"] == 2
    assert evidence(filled(2, 1), share=0.0)[0]["particulars"] == 1


def test_a_block_of_telephone_numbers_is_furniture() -> None:
    def numbers(count: int, block: int) -> list[Page]:
        return [Page(value("PHONE", (block << BLOCK_SHIFT) | page)) for page in range(count)]

    empty = [Page() for _ in range(90)]
    assert evidence(numbers(4, 1) + empty)[0]["particulars"] == 0
    assert evidence(numbers(2, 1) + empty)[0]["particulars"] == 2
    # One page with many numbers of a block is no switchboard.
    many = Page(*(value("PHONE", (7 << BLOCK_SHIFT) | number) for number in range(9)))
    assert evidence([many, *empty])[0]["particulars"] == 9
    # The same bits are no block where they are of another kind.
    assert evidence([Page(value("IBAN", (1 << BLOCK_SHIFT) | page)) for page in range(9)])[0]["secret"] == 9


def test_nothing() -> None:
    assert site_evidence(pages_of([]), furniture_share=SHARE).num_rows == 0
    assert site_evidence(pages_of([]), furniture_share=SHARE).schema == EVIDENCE


def reference(site: list[Page], share: float) -> dict[str, int]:
    kinds = {
        ValueKind.EMAIL: "email",
        ValueKind.PHONE: "phone",
        ValueKind.NUMBER_NEAR_NAME: "phone",
        ValueKind.STREET_ADDRESS: "street",
        ValueKind.DATE_OF_BIRTH: "birth",
        ValueKind.DATE_OF_BIRTH_FIELD: "birth",
        ValueKind.DATE_NEAR_NAME: "birth",
        ValueKind.NATIONAL_ID: "secret",
        ValueKind.IBAN: "secret",
        ValueKind.PAYMENT_CARD: "secret",
        ValueKind.NATIONAL_NEAR_NAME: "secret",
    }
    unannounced = (ValueKind.NUMBER_NEAR_NAME, ValueKind.DATE_NEAR_NAME, ValueKind.NATIONAL_NEAR_NAME)
    most = max(1, int(share * len(site)))
    held = Counter(number & ~int(NAMED) for page in site for number in page.values)
    blocks = Counter(
        block
        for page in site
        for block in {
            (number & ~int(NAMED)) >> BLOCK_SHIFT for number in page.values if number >> KIND_SHIFT == ValueKind.PHONE
        }
    )
    footer = min(2, *(page.marks for page in site)) if len(site) >= 3 else 0
    row = dict.fromkeys(EVIDENCE.names, 0)
    for page in site:
        rare = []
        for number in page.values:
            kind, plain = ValueKind(number >> KIND_SHIFT), number & ~int(NAMED)
            if held[plain] <= most and (kind != ValueKind.PHONE or blocks[plain >> BLOCK_SHIFT] <= most):
                rare.append((kind, kinds.get(kind), bool(number & int(NAMED)) or kind in unannounced))
        announced = [entry for entry in rare if entry[1] and entry[0] not in unannounced]
        named = [entry for entry in rare if entry[1] and entry[2]]
        births = [entry for entry in announced if entry[1] == "birth"]
        dates = [entry for entry in rare if entry[1] == "birth"]
        emails = [entry for entry in announced if entry[1] == "email"]
        work = sum(kind in (ValueKind.OFFICE, ValueKind.WORK_EMAIL) for kind, _, _ in rare)
        of_kind, of_named = len({entry[1] for entry in announced}), len({entry[1] for entry in named})
        without_dates = {entry[1] for entry in named if entry[0] != ValueKind.DATE_NEAR_NAME}
        named_particulars = [entry for entry in announced if entry[2]]
        marks = page.marks - footer
        private = not work and not marks

        def one(found: object) -> int:
            return int(bool(found))

        for name, count in {
            "pages": 1,
            "page_words": page.words,
            "email_and_more": one(emails and of_kind >= 2),
            "birth_and_more": one([entry for entry in births if entry[2]] and of_named >= 2),
            "secret": one([entry for entry in announced if entry[1] == "secret"]),
            "staff": one(work),
            "business": one(marks),
            "private": one(private and named_particulars),
            "private_kinds": one(private and of_kind >= 2),
            "private_named_kinds": one(private and len(without_dates) >= 2),
            "private_list": one(private and len(named_particulars) >= 3),
            "private_dates": one(private and len(dates) >= 3),
            "particulars": len(announced),
            "work_addresses": work,
            "rare_names": sum(kind == ValueKind.NAME for kind, _, _ in rare),
            "dates": len(dates),
            "numbers_near_names": len(
                [entry for entry in rare if entry[0] in (ValueKind.NUMBER_NEAR_NAME, ValueKind.NATIONAL_NEAR_NAME)]
            ),
            "national_near_names": len([entry for entry in rare if entry[0] == ValueKind.NATIONAL_NEAR_NAME]),
            "marks": marks,
        }.items():
            row[name] += count
    return row


@st.composite
def a_page(draw: st.DrawFn) -> Page:
    numbers = st.sampled_from([0, 1, 2, 3, 1 << BLOCK_SHIFT, (1 << BLOCK_SHIFT) + 1, (1 << 27) - 1])
    values = draw(st.lists(st.tuples(st.sampled_from(ValueKind), numbers, st.booleans()), max_size=12))
    # A value is on a page once.
    once = {entry[:2]: entry for entry in values}
    return Page(
        *once.values(),
        words=draw(st.integers(0, 40)),
        marks=draw(st.integers(0, 3)),
    )


sites_of_pages = st.lists(st.lists(a_page(), min_size=1, max_size=8), max_size=4)


@thorough
@given(sites_of_pages, st.sampled_from([0.0, 0.03, 0.3, 0.5, 1.0]))
def test_counts_are_those_of_the_reference(sites: list[list[Page]], share: float) -> None:
    assert evidence(*sites, share=share) == [reference(site, share) for site in sites]


@thorough
@given(sites_of_pages, st.randoms(use_true_random=False))
def test_order_of_pages_and_other_sites_do_not_matter(sites: list[list[Page]], draw: random.Random) -> None:
    alone = [evidence(site)[0] for site in sites]
    assert evidence(*sites) == alone
    assert evidence(*(draw.sample(site, len(site)) for site in sites)) == alone
