"""What the pages of a site say about private persons: rare particulars, counted page by page.

In: pages of many sites, a row each, sorted by site: words, mentions of names, marks of business, and the values of
`pipeline.text.personal.values`. Out: a row per site of counts (`EVIDENCE`), in the same order. A row depends on the
pages of its own site only, whatever their order.

A value is *rare* if few pages of its site hold it: a value on many is furniture, such as the number of an office. A
telephone number is furniture, too, if many pages hold others of its block. A *particular* is a rare value that may
belong to a private person: an e-mail address at a provider for private persons, a telephone number, a street address, a
date of birth, a national number, an IBAN, a card; it is *named* if a name stands near it. Dates and long numbers beside
names are particulars that nothing announces. Addresses at work and marks of business tell pages about people at work; a
*private page* has no rare address at work and no mark of business but those that every page of its site has.
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
            "email_and_more",  # a private e-mail address, and particulars of another kind
            "birth_and_more",  # a date of birth with a name near it, and named particulars of another kind
            "secret",  # a national number, an IBAN or a card
            "staff",  # a rare address at work or of an office
            "business",  # marks of business beyond those that every page has
            # Private pages with:
            "private",  # a named particular
            "private_kinds",  # particulars of two kinds or more
            "private_named_kinds",  # named particulars of two kinds or more
            "private_list",  # `SEVERAL` named particulars or more
            "private_dates",  # `SEVERAL` dates of birth, or dates beside names
            # Values, each once per page:
            "particulars",
            "work_addresses",  # rare ones, at work or of offices
            "rare_names",
            "dates",  # dates of birth, and dates beside names
            "numbers_near_names",  # rare ones
            "national_near_names",  # those of them with the check digit of a national number
            # Each time:
            "marks",  # of business, beyond those that every page has
        )
    ]
)

SEVERAL = 3
# A footer may have so many marks of business, if a site has enough pages to tell a footer from them.
_MOST_FURNITURE_MARKS = 2
_FEWEST_PAGES = 3
_BIRTH = (ValueKind.DATE_OF_BIRTH, ValueKind.DATE_OF_BIRTH_FIELD)
_SECRET = (ValueKind.NATIONAL_ID, ValueKind.IBAN, ValueKind.PAYMENT_CARD)
_PARTICULARS = (ValueKind.EMAIL, ValueKind.PHONE, ValueKind.STREET_ADDRESS, *_BIRTH, *_SECRET)
_NUMBERS = (ValueKind.NUMBER_NEAR_NAME, ValueKind.NATIONAL_NEAR_NAME)
_WORK = (ValueKind.OFFICE, ValueKind.WORK_EMAIL)
# What counts as one kind.
_KINDS = (
    (ValueKind.EMAIL,),
    (ValueKind.PHONE, ValueKind.NUMBER_NEAR_NAME),
    (ValueKind.STREET_ADDRESS,),
    (*_BIRTH, ValueKind.DATE_NEAR_NAME),
    (*_SECRET, ValueKind.NATIONAL_NEAR_NAME),
)


class Pages(NamedTuple):
    """n pages of m sites, sorted by site.

    Attributes:
        sites: int64[n], the number of each page's site, from 0 to m - 1, ascending; each number occurs.
        words: int64[n].
        marks: int64[n], marks of business.
        offsets: int64[n + 1] into `values`.
        values: uint32, ascending and different within a page.
    """

    sites: Int64s
    words: Int64s
    marks: Int64s
    offsets: Int64s
    values: Uint32s


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
    rare = _rare(pages, page, kind, count, furniture_share)
    page, kind = page[rare], kind[rare]
    announced = _of(kind, _PARTICULARS)
    unannounced = _of(kind, (*_NUMBERS, ValueKind.DATE_NEAR_NAME))
    named = (announced & ((pages.values[rare] & NAMED) != 0)) | unannounced

    def values_with(where: Bools) -> Int64s:
        """How many values of each page are so."""
        counts: Int64s = np.bincount(page[where], minlength=len(pages.sites))
        return counts

    def kinds_with(where: Bools) -> Int64s:
        """Of how many kinds the values of each page are that are so."""
        counts: Int64s = np.sum([values_with(where & _of(kind, group)) > 0 for group in _KINDS], axis=0)
        return counts

    birth, date = _of(kind, _BIRTH), kind == ValueKind.DATE_NEAR_NAME
    emails = values_with(kind == ValueKind.EMAIL)
    kinds = kinds_with(announced)
    named_particulars = values_with(announced & named)
    dates = values_with(birth | date)
    work = values_with(_of(kind, _WORK))
    marks = pages.marks - _on_every_page(pages.marks, pages.sites, count)[pages.sites]
    private = (work == 0) & (marks == 0)
    by_page = {
        "pages": np.ones(len(pages.sites), np.int64),
        "page_words": pages.words,
        "email_and_more": (emails > 0) & (kinds >= 2),
        "birth_and_more": (values_with(named & birth) > 0) & (kinds_with(named) >= 2),
        "secret": values_with(_of(kind, _SECRET)) > 0,
        "staff": work > 0,
        "business": marks > 0,
        "private": private & (named_particulars > 0),
        "private_kinds": private & (kinds >= 2),
        "private_named_kinds": private & (kinds_with(named & ~date) >= 2),
        "private_list": private & (named_particulars >= SEVERAL),
        "private_dates": private & (dates >= SEVERAL),
        "particulars": values_with(announced),
        "work_addresses": work,
        "rare_names": values_with(kind == ValueKind.NAME),
        "dates": dates,
        "numbers_near_names": values_with(_of(kind, _NUMBERS)),
        "national_near_names": values_with(kind == ValueKind.NATIONAL_NEAR_NAME),
        "marks": marks,
    }
    # Sums of whole numbers below 2^53 are exact.
    columns = [np.bincount(pages.sites, by_page[name], minlength=count).astype(np.int64) for name in EVIDENCE.names]
    return pa.RecordBatch.from_arrays([pa.array(column) for column in columns], schema=EVIDENCE)


def _on_every_page(marks: Int64s, sites: Int64s, count: int) -> Int64s:
    """How many marks of business every page of a site has: int64[count]."""
    fewest = np.full(count, _MOST_FURNITURE_MARKS, np.int64)
    np.minimum.at(fewest, sites, marks)
    return np.where(np.bincount(sites, minlength=count) < _FEWEST_PAGES, 0, fewest)


def _of(kind: Int64s, kinds: tuple[ValueKind, ...]) -> Bools:
    return np.isin(kind, kinds)


def _rare(pages: Pages, page: Int64s, kind: Int64s, count: int, furniture_share: float) -> Bools:
    """Which values few pages of their site hold: bool[values]."""
    size = np.bincount(pages.sites, minlength=count)
    most = np.maximum(1, np.floor(furniture_share * size)).astype(np.int64)
    site, value = pages.sites[page], pages.values & ~NAMED
    key = site.astype(np.uint64) << np.uint64(32) | value
    rare: Bools = _counts(key) <= most[site]
    phone = np.flatnonzero(kind == ValueKind.PHONE)
    block = key[phone] & ~np.uint64((1 << BLOCK_SHIFT) - 1)
    rare[phone] &= _pages_with(page[phone], block) <= most[site[phone]]
    return rare


def _counts(keys: npt.NDArray[np.uint64]) -> Int64s:
    """How often each key occurs: int64[keys]."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    occurrences: Int64s = counts[inverse]
    return occurrences


def _pages_with(pages: Int64s, keys: npt.NDArray[np.uint64]) -> Int64s:
    """On how many pages each key is; a page may hold it several times."""
    order = np.lexsort((pages, keys))
    new = np.ones(len(keys), bool)
    new[1:] = (np.diff(keys[order]) != 0) | (np.diff(pages[order]) != 0)
    different, counts = np.unique(keys[order][new], return_counts=True)
    held: Int64s = counts[np.searchsorted(different, keys)]
    return held
