"""Web pages that the demo makes up, so that its corpus has what crawls have: a people directory, an ordinary small site
beside it, an exact and a near duplicate.

In: nothing. Out: documents with `id`, `url` and `text`, the same on every machine. No person is real: telephone numbers
are of the range that North America keeps for fiction (555-0100 to 555-0199), domains end in `example` (RFC 2606),
e-mail addresses are longer than their provider allows (30 characters before the `@`), towns and streets are invented.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from demo.planted_words import (
    ARTICLE,
    CHANGED,
    CLUB_CONTACT,
    CLUB_SENTENCES,
    CLUB_SLOTS,
    CUT,
    FIRST_NAMES,
    LAST_NAMES,
    MONTHS,
    STREET_TYPES,
    STREETS,
    TOWNS,
)
from demo.texts import Document

Item = TypeVar("Item")

DIRECTORY = "vale-people-index.example"
CLUB = "harbour-cycling-club.example"
PAPER = "valley-gazette.example"
# Record ids of the article and of its two copies.
ORIGINAL = f"{CLUB}/mending-a-puncture"
EXACT_COPY = f"{CLUB}/print/mending-a-puncture"
NEAR_COPY = f"{PAPER}/mending-a-puncture"

PEOPLE = 40
RIDES = 24
# One a person: numbers of one block on many pages would be those of an office.
_AREA_CODES = (
    "201 205 208 212 216 225 234 248 252 260 270 281 301 304 308 312 316 319 325 330 334 337 352 361 402 406 412 417"
    " 432 440 503 509 515 540 563 574 601 605 612 618"
).split()


def planted_pages() -> list[Document]:
    """All pages, in no order that matters."""
    return [
        *(_person_page(number) for number in range(PEOPLE)),
        *(_ride_page(number) for number in range(RIDES)),
        _page(ORIGINAL, [*ARTICLE, CLUB_CONTACT]),
        _page(EXACT_COPY, [*ARTICLE, CLUB_CONTACT]),
        _page(NEAR_COPY, [*_edited(ARTICLE), CLUB_CONTACT]),
    ]


def _page(name: str, paragraphs: Sequence[str]) -> Document:
    return {"id": name, "url": f"https://{name}", "text": "\n\n".join(paragraphs)}


def _edited(article: Sequence[str]) -> list[str]:
    """The article as the editor of the paper left it: another headline, one sentence changed, one cut."""
    changed = [paragraph.replace(*CHANGED) for paragraph in article[1:]]
    return ["How to mend a flat tyre", *changed[:-1], changed[-1].replace(CUT, "")]


def _person_page(number: int) -> Document:
    first, last = _name(number)
    town, state = _pick(TOWNS, number, "town")
    before, before_state = _pick(TOWNS, number, "town before")
    relatives = [
        f"{_pick(FIRST_NAMES, number, f'relative {place}')} {last}, born {_date(number, f'relative {place}')}"
        for place in range(2)
    ]
    phone = f"({_AREA_CODES[number]}) 555-01{_draw(number, 'phone', 100):02d}"
    mail = f"{first}.{last}.made.up.for.the.demo.{number:02d}@gmail.com".lower()
    return _page(
        f"{DIRECTORY}/records/{number:02d}",
        [
            f"{first} {last} in {town}, {state}",
            f"We found one record for {first} {last}. According to what we have: born on {_date(number, 'own')}, lives"
            f" at {_street(number, 'own')}, {town}, {state} {_zip(number, 'own')}.",
            f"Phone: {phone}\nE-mail: {mail}",
            f"The address before that was {_street(number, 'before')}, {before}, {before_state}"
            f" {_zip(number, 'before')}.",
            f"Relatives who have lived at the same address: {relatives[0]}; {relatives[1]}.",
            "Look up anybody by name, by number or by street. The records that you see on this page were taken from"
            " many lists and have not been checked by us.",
        ],
    )


def _ride_page(number: int) -> Document:
    sentences = [
        _filled(_pick(variants, number, f"sentence {place}"), number, f"slot {place}")
        for place, variants in enumerate(CLUB_SENTENCES)
    ]
    half = len(sentences) // 2
    paragraphs = [f"Ride report {number + 1}", " ".join(sentences[:half]), " ".join(sentences[half:]), CLUB_CONTACT]
    return _page(f"{CLUB}/rides/{number:02d}", paragraphs)


def _filled(sentence: str, number: int, salt: str) -> str:
    return sentence.format(**{slot: _pick(words, number, f"{salt} {slot}") for slot, words in CLUB_SLOTS.items()})


def _name(number: int) -> tuple[str, str]:
    return _pick(FIRST_NAMES, number, "first"), _pick(LAST_NAMES, number, "last")


def _date(number: int, salt: str) -> str:
    day, month = 1 + _draw(number, f"day {salt}", 28), _pick(MONTHS, number, f"month {salt}")
    return f"{day} {month} {1938 + _draw(number, f'year {salt}', 60)}"


def _street(number: int, salt: str) -> str:
    street, kind = _pick(STREETS, number, f"street {salt}"), _pick(STREET_TYPES, number, f"type {salt}")
    return f"{100 + _draw(number, f'house {salt}', 8900)} {street} {kind}"


def _zip(number: int, salt: str) -> str:
    # Codes that begin with 00 to 004 are given to no town.
    return f"00{1 + _draw(number, f'zip {salt}', 399):03d}"


def _pick(items: Sequence[Item], number: int, salt: str) -> Item:
    return items[_draw(number, salt, len(items))]


def _draw(number: int, salt: str, below: int) -> int:
    digest = hashlib.sha256(f"{salt}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % below
