"""What the pages of a site say about private persons: rare particulars, counted page by page.

In: pages of many sites, a row each, sorted by site: words, marks of business, names in a row, and the values of
`pipeline.text.personal.values`. Out: a row per site of counts (`EVIDENCE`), in the same order. A row depends on the
pages of its own site only, whatever their order.

A value is *rare* if few pages of its site hold it: a value on many is furniture, such as the number of an office. A
telephone number is furniture, too, if many pages hold others of its block. A *particular* is a rare value that may
belong to a private person: an e-mail address at a provider for private persons, a telephone number, a street address, a
date of birth, a national number, an IBAN, a card; it is *named* if a name stands near it. Dates and long numbers beside
names are particulars that nothing announces. Addresses at work and marks of business tell pages about people at work; a
page is *private* if it has hardly any of them beside its particulars. `_lists_persons` says which pages list private
persons.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kernels.arrays import Bools, Int64s, Uint32s
from pipeline.text.personal.values import BLOCK_SHIFT, KIND_SHIFT, NAMED, ValueKind

# Counts of pages, and of values on them, by which a site is judged.
EVIDENCE = pa.schema(
    [
        pa.field(name, pa.int64(), nullable=False)
        for name in (
            "pages",  # different pages that were looked at
            "page_words",  # their words
            # Pages with:
            "lists",  # a list of private persons, or the record of one
            "email_list",  # `SEVERAL` private e-mail addresses that no other page has
            "email_and_more",  # a private e-mail address, and particulars of another kind
            # Pages that are not private, with:
            "staff",  # a rare address at work or of an office
            "business",  # marks of business beyond those that every page has
            # Values, each once per page:
            "particulars",
            "work_addresses",  # rare ones, at work or of offices
            "rare_names",
            "all_names",
            "names_again",  # those of them that other pages have, too
        )
    ]
)

SEVERAL = 3
# What makes a list of dates, or of names: fewer stand beside each other in texts about people in public, too. A list of
# dates has one in so many words or fewer.
_DATES = 5
_WORDS_PER_DATE = 60
_NAMES_IN_ROW = 12
# A private page has so many particulars for each address at work and each mark of business: some marks stand in streets
# and names, too.
_PARTICULARS_PER_MARK = 20
# A footer may have so many marks of business, if a site has enough pages to tell a footer from them.
_MOST_FURNITURE_MARKS = 2
_FEWEST_PAGES = 3
_BIRTH = (ValueKind.DATE_OF_BIRTH, ValueKind.DATE_OF_BIRTH_FIELD)
_SECRET = (ValueKind.NATIONAL_ID, ValueKind.IBAN, ValueKind.PAYMENT_CARD)
_PARTICULARS = (ValueKind.EMAIL, ValueKind.PHONE, ValueKind.STREET_ADDRESS, *_BIRTH, *_SECRET)
_UNANNOUNCED = (ValueKind.NUMBER_NEAR_NAME, ValueKind.DATE_NEAR_NAME)
_WORK = (ValueKind.OFFICE, ValueKind.WORK_EMAIL)
# What counts as one kind.
_KINDS = (
    (ValueKind.EMAIL,),
    (ValueKind.PHONE, ValueKind.NUMBER_NEAR_NAME),
    (ValueKind.STREET_ADDRESS,),
    (*_BIRTH, ValueKind.DATE_NEAR_NAME),
    _SECRET,
)


class Pages(NamedTuple):
    """n pages of m sites, sorted by site.

    Attributes:
        sites: int64[n], the number of each page's site, from 0 to m - 1, ascending; each number occurs.
        words: int64[n].
        marks: int64[n], marks of business.
        rows: int64[n], the most names in a row.
        offsets: int64[n + 1] into `values`.
        values: uint32, ascending and different within a page.
    """

    sites: Int64s
    words: Int64s
    marks: Int64s
    rows: Int64s
    offsets: Int64s
    values: Uint32s


class _Values(NamedTuple):
    """The rare values of n pages: the page of each, its kind, whether a name is near it, on how many pages it is."""

    pages: int
    page: Int64s
    kind: Int64s
    named: Bools
    holders: Int64s

    def of(self, *kinds: ValueKind) -> Bools:
        """Which values are of these kinds."""
        return np.isin(self.kind, kinds)

    def on_pages(self, where: Bools) -> Int64s:
        """How many values of each page are so: int64[n]."""
        counts: Int64s = np.bincount(self.page[where], minlength=self.pages)
        return counts

    def kinds_on_pages(self, where: Bools) -> Int64s:
        """Of how many kinds the values of each page are that are so: int64[n]."""
        counts: Int64s = np.sum([self.on_pages(where & self.of(*group)) > 0 for group in _KINDS], axis=0)
        return counts


def site_evidence(pages: Pages, *, furniture_share: float) -> pa.RecordBatch:
    """The evidence of each site.

    Args:
        pages: of m sites.
        furniture_share: a value on more than this share of a site's pages, and on more than one, is furniture.

    Returns:
        m rows of `EVIDENCE`.
    """
    count = int(pages.sites[-1]) + 1 if len(pages.sites) else 0
    page = np.repeat(np.arange(len(pages.sites)), np.diff(pages.offsets))
    kind = (pages.values >> np.uint32(KIND_SHIFT)).astype(np.int64)
    holders = _holders(pages, page)
    rare = _rare(pages, page, kind, holders, furniture_share)
    named = (pages.values & NAMED) != 0
    values = _Values(len(pages.sites), page[rare], kind[rare], named[rare], holders[rare])
    name = kind == ValueKind.NAME
    announced, unannounced = values.of(*_PARTICULARS), values.of(*_UNANNOUNCED)
    work = values.on_pages(values.of(*_WORK))
    marks = pages.marks - _on_every_page(pages.marks, pages.sites, count)[pages.sites]
    email_list = values.on_pages(values.of(ValueKind.EMAIL) & (values.holders == 1)) >= SEVERAL
    emails = values.on_pages(values.of(ValueKind.EMAIL))
    private = (work + marks) * _PARTICULARS_PER_MARK <= values.on_pages(announced | unannounced)
    by_page = {
        "pages": np.ones(len(pages.sites), np.int64),
        "page_words": pages.words,
        "lists": email_list | _lists_persons(values, pages, private),
        "email_list": email_list,
        "email_and_more": (emails > 0) & (values.kinds_on_pages(announced) >= 2),
        "staff": (work > 0) & ~private,
        "business": (marks > 0) & ~private,
        "particulars": values.on_pages(announced),
        "work_addresses": work,
        "rare_names": values.on_pages(values.of(ValueKind.NAME)),
        "all_names": np.bincount(page[name], minlength=len(pages.sites)),
        "names_again": np.bincount(page[name & (holders > 1)], minlength=len(pages.sites)),
    }
    # Sums of whole numbers below 2^53 are exact.
    columns = [np.bincount(pages.sites, by_page[name], minlength=count).astype(np.int64) for name in EVIDENCE.names]
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=EVIDENCE)


def _lists_persons(values: _Values, pages: Pages, private: Bools) -> Bools:
    """Which pages list private persons by more than e-mail addresses, or have the record of one: bool[n].

    Those with many names in a row, with a date of birth and another particular near a name, and private pages with
    several named particulars or with a list of dates. Dates of birth in running text make no list: biographies have
    them. One page with names in a row makes none either: some papers have as many authors.
    """
    rows = pages.rows >= _NAMES_IN_ROW
    rows &= np.bincount(pages.sites, rows)[pages.sites] > 1
    announced, unannounced = values.of(*_PARTICULARS), values.of(*_UNANNOUNCED)
    in_text = values.of(ValueKind.DATE_OF_BIRTH)
    several = values.on_pages(announced & values.named & ~in_text) >= SEVERAL
    dates = values.on_pages(values.of(ValueKind.DATE_OF_BIRTH_FIELD, ValueKind.DATE_NEAR_NAME))
    many_dates = (dates >= _DATES) & (dates * _WORDS_PER_DATE >= pages.words)
    born = values.on_pages(values.of(*_BIRTH) & values.named) > 0
    record = born & (values.kinds_on_pages(announced & values.named | unannounced) >= 2)
    lists: Bools = private & (several | many_dates) | record | rows
    return lists


def _on_every_page(marks: Int64s, sites: Int64s, count: int) -> Int64s:
    """How many marks of business every page of a site has: int64[count]."""
    fewest = np.full(count, _MOST_FURNITURE_MARKS, np.int64)
    np.minimum.at(fewest, sites, marks)
    return np.where(np.bincount(sites, minlength=count) < _FEWEST_PAGES, 0, fewest)


def _holders(pages: Pages, page: Int64s) -> Int64s:
    """On how many pages of its site each value is, with a name near it or without: int64[values]."""
    key = pages.sites[page].astype(np.uint64) << np.uint64(32) | (pages.values & ~NAMED)
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    holders: Int64s = counts[inverse]
    return holders


def _rare(pages: Pages, page: Int64s, kind: Int64s, holders: Int64s, furniture_share: float) -> Bools:
    """Which values few pages of their site hold: bool[values]."""
    size = np.bincount(pages.sites)
    most = np.maximum(1, np.floor(furniture_share * size)).astype(np.int64)[pages.sites[page]]
    rare: Bools = holders <= most
    phone = np.flatnonzero(kind == ValueKind.PHONE)
    block = pages.values[phone] & ~NAMED & ~np.uint32((1 << BLOCK_SHIFT) - 1)
    key = pages.sites[page[phone]].astype(np.uint64) << np.uint64(32) | block
    rare[phone] &= _pages_with(page[phone], key) <= most[phone]
    return rare


def _pages_with(pages: Int64s, keys: npt.NDArray[np.uint64]) -> Int64s:
    """On how many pages each key is; a page may hold it several times."""
    order = np.lexsort((pages, keys))
    new = np.ones(len(keys), bool)
    new[1:] = (np.diff(keys[order]) != 0) | (np.diff(pages[order]) != 0)
    different, counts = np.unique(keys[order][new], return_counts=True)
    held: Int64s = counts[np.searchsorted(different, keys)]
    return held
