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

    def __init__(self, *values: tuple[ValueKind, int, bool], words: int = 100, marks: int = 0, row: int = 0) -> None:
        self.values = sorted({(kind << KIND_SHIFT) | (int(NAMED) * named) | number for kind, number, named in values})
        self.words, self.marks, self.row = words, marks, row


def pages_of(sites: list[list[Page]]) -> Pages:
    pages = [page for site in sites for page in site]
    return Pages(
        sites=np.repeat(np.arange(len(sites)), [len(site) for site in sites]).astype(np.int64),
        words=np.array([page.words for page in pages], np.int64),
        marks=np.array([page.marks for page in pages], np.int64),
        rows=np.array([page.row for page in pages], np.int64),
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
        ([value("EMAIL"), value("PHONE")], {"particulars": 2, "email_and_more": 1}),
        ([value("EMAIL", number) for number in (1, 2)], {"particulars": 2}),
        ([value("EMAIL", number) for number in (1, 2, 3)], {"particulars": 3, "email_list": 1, "lists": 1}),
        ([value("PHONE", number << BLOCK_SHIFT) for number in (1, 2, 3)], {"particulars": 3}),
        ([value("PHONE", number << BLOCK_SHIFT, named=True) for number in (1, 2)], {"particulars": 2}),
        ([value("PHONE", number << BLOCK_SHIFT, named=True) for number in (1, 2, 3)], {"particulars": 3, "lists": 1}),
        # A date of birth makes a record with another particular near a name.
        ([value("DATE_OF_BIRTH", named=True)], {"particulars": 1}),
        ([value("DATE_OF_BIRTH", named=True), value("PHONE", named=True)], {"particulars": 2, "lists": 1}),
        ([value("DATE_OF_BIRTH_FIELD", named=True), value("NUMBER_NEAR_NAME")], {"particulars": 1, "lists": 1}),
        ([value("DATE_OF_BIRTH"), value("PHONE", named=True)], {"particulars": 2}),
        ([value("DATE_OF_BIRTH", named=True), value("PHONE")], {"particulars": 2}),
        # The two ways to write a date of birth are one kind; a date beside a name is of it.
        ([value("DATE_OF_BIRTH", named=True), value("DATE_NEAR_NAME")], {"particulars": 1}),
        # Dates of birth in running text make no list.
        ([value("DATE_OF_BIRTH", number, named=True) for number in range(9)], {"particulars": 9}),
        ([value("DATE_OF_BIRTH_FIELD", number) for number in range(4)], {"particulars": 4}),
        ([value("DATE_OF_BIRTH_FIELD", number) for number in range(5)], {"particulars": 5, "lists": 1}),
        ([value("DATE_NEAR_NAME", number) for number in range(5)], {"lists": 1}),
        ([value("NUMBER_NEAR_NAME", number) for number in range(9)], {}),
        ([value("STREET_ADDRESS"), value("NATIONAL_ID"), value("IBAN"), value("PAYMENT_CARD")], {"particulars": 4}),
        ([value("OFFICE"), value("WORK_EMAIL")], {"work_addresses": 2, "staff": 1}),
        ([value("IP")], {}),
        ([value("NAME", number) for number in range(16)], {"rare_names": 16, "all_names": 16}),
    ],
)
def test_one_page(values: list[tuple[ValueKind, int, bool]], counts: dict[str, int]) -> None:
    expected = dict.fromkeys(EVIDENCE.names, 0) | {"pages": 1, "page_words": 100} | counts
    assert evidence([Page(*values)]) == [expected]


def test_dates_far_apart_are_no_list() -> None:
    dates = [value("DATE_NEAR_NAME", number) for number in range(5)]
    assert [evidence([Page(*dates, words=words)])[0]["lists"] for words in (300, 301)] == [1, 0]


def test_names_in_a_row_are_a_list() -> None:
    def lists(*rows: int) -> int:
        return evidence([Page(row=row, marks=9) for row in rows])[0]["lists"]

    assert [lists(12, 12), lists(12, 11), lists(12, 0, 12), lists(12)] == [2, 0, 2, 0]


def test_addresses_that_other_pages_have_are_no_list() -> None:
    once = Page(*(value("EMAIL", number) for number in (1, 2, 3)))
    again = Page(value("EMAIL", 3))
    assert [row["email_list"] for row in evidence([once, Page()], [once, again], share=1.0)] == [1, 0]


def test_names_that_other_pages_have() -> None:
    first, second = Page(value("NAME", 1), value("NAME", 2)), Page(value("NAME", 2), value("NAME", 3))
    (row,) = evidence([first, second])
    assert {name: row[name] for name in ("all_names", "names_again", "rare_names")} == {
        "all_names": 4,
        "names_again": 2,
        "rare_names": 2,
    }


def test_marks_of_business_make_a_page_that_of_a_firm() -> None:
    def page(persons: int, marks: int, addresses: int = 0) -> Page:
        numbers = [value("PHONE", number << BLOCK_SHIFT, named=True) for number in range(persons)]
        return Page(*numbers, *(value("WORK_EMAIL", number) for number in range(addresses)), words=7, marks=marks)

    (row,) = evidence([page(3, 3), Page(words=5)])
    assert {name: row[name] for name in ("pages", "page_words", "business", "lists")} == {
        "pages": 2,
        "page_words": 12,
        "business": 1,
        "lists": 0,
    }
    # One mark among many persons may be one of their streets.
    sites = [[page(*numbers)] for numbers in ((19, 1), (20, 1), (20, 0, 1), (39, 1, 1), (40, 1, 1))]
    assert [row["lists"] for row in evidence(*sites)] == [0, 1, 1, 0, 1]
    assert [(row["staff"], row["business"]) for row in evidence(*sites)] == [(0, 1), (0, 0), (0, 0), (1, 1), (0, 0)]


def test_marks_that_every_page_has_are_the_footers() -> None:
    def site(*marks: int) -> dict[str, int]:
        numbers = (
            [value("PHONE", (4 * page + number) << BLOCK_SHIFT, named=True) for number in range(3)] for page in range(3)
        )
        (row,) = evidence([Page(*of_page, marks=n) for of_page, n in zip(numbers, marks, strict=False)])
        return {name: row[name] for name in ("business", "lists")}

    assert site(1, 1, 1) == {"business": 0, "lists": 3}
    assert site(1, 2, 1) == {"business": 1, "lists": 2}
    # A footer has at most two, and two pages are too few to tell one.
    assert site(5, 5, 5) == {"business": 3, "lists": 0}
    assert site(1, 1) == {"business": 2, "lists": 0}


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
    assert evidence([Page(value("IBAN", (1 << BLOCK_SHIFT) | page)) for page in range(9)])[0]["particulars"] == 9


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
    }
    unannounced = (ValueKind.NUMBER_NEAR_NAME, ValueKind.DATE_NEAR_NAME)
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
        listed = [entry for entry in announced if entry[2] and entry[0] != ValueKind.DATE_OF_BIRTH]
        born = [entry for entry in announced if entry[1] == "birth" and entry[2]]
        dates = [entry for entry in rare if entry[0] in (ValueKind.DATE_OF_BIRTH_FIELD, ValueKind.DATE_NEAR_NAME)]
        emails = [number for number in page.values if number >> KIND_SHIFT == ValueKind.EMAIL]
        once = [number for number in emails if held[number & ~int(NAMED)] == 1]
        names = [number for number in page.values if number >> KIND_SHIFT == ValueKind.NAME]
        work = sum(kind in (ValueKind.OFFICE, ValueKind.WORK_EMAIL) for kind, _, _ in rare)
        marks = page.marks - footer
        private = 20 * (work + marks) <= sum(entry[1] is not None for entry in rare)
        email_list = len(once) >= 3
        lists = (
            email_list
            or (page.row >= 12 and sum(other.row >= 12 for other in site) > 1)
            or (born and len({entry[1] for entry in named}) >= 2)
            or (private and (len(listed) >= 3 or (len(dates) >= 5 and 60 * len(dates) >= page.words)))
        )
        kinds_of_page = {entry[1] for entry in announced}
        for name, count in {
            "pages": 1,
            "page_words": page.words,
            "lists": int(bool(lists)),
            "email_list": int(email_list),
            "email_and_more": int("email" in kinds_of_page and len(kinds_of_page) >= 2),
            "staff": int(work > 0 and not private),
            "business": int(marks > 0 and not private),
            "particulars": len(announced),
            "work_addresses": work,
            "rare_names": sum(kind == ValueKind.NAME for kind, _, _ in rare),
            "all_names": len(names),
            "names_again": sum(held[number & ~int(NAMED)] > 1 for number in names),
        }.items():
            row[name] += count
    return row


@st.composite
def a_page(draw: st.DrawFn) -> Page:
    numbers = st.sampled_from([0, 1, 2, 3, 1 << BLOCK_SHIFT, (1 << BLOCK_SHIFT) + 1, (1 << 27) - 1])
    values = draw(st.lists(st.tuples(st.sampled_from(ValueKind), numbers, st.booleans()), max_size=30))
    # A value is on a page once.
    once = {entry[:2]: entry for entry in values}
    return Page(
        *once.values(),
        words=draw(st.sampled_from([0, 40, 300, 360, 361, 400])),
        marks=draw(st.sampled_from([0, 0, 0, 1, 2, 3])),
        row=draw(st.sampled_from([0, 0, 0, 11, 12])),
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
