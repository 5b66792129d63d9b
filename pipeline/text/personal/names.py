"""Names of persons: a first name of a list, followed by a family name.

In: UTF-8 bytes and offsets of n documents. Out: the mentions of names, in the order of documents and positions, and a
hash of each name. A document's mentions depend on its own bytes only.

A mention is a first name of Faker's lists (25,000 of some 70 countries, those written in Latin, Greek or Cyrillic
letters), then at most three initials, first names or particles (`van`, `de la`), then a word with a capital. In lists
the family name often comes first. `Lee, Ann` counts where a line or a cell begins with it; `Lee Ann` and `Lee/Ann`
where an entry of a list begins with it and no word follows; `LEE Ann` and `LEE/ANN`, in capitals, anywhere.
Words that are names of months, days, places or titles as often as of persons do not begin a name. All letters small or
other scripts: not found. This serves counting, not masking: it is meant to tell pages about persons from others, and
misses the names of no list.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numba as nb
import numpy as np

from kernels.arrays import Boolean, Bytes, Int64s, Integer, Uint64s
from kernels.compiled import bare_kernel, kernel
from kernels.hashing import SEED, mix

# What is more often something else: taken out of the lists. Chosen by reading the mentions in encyclopedia articles,
# textbooks and manuals.
_OTHER_WORDS = frozenset(
    "add africa al alabama alaska alberta america american among an and april are art as asia at atlas august"
    " austin autumn avenue baker baron be berlin big bill bishop black blue brother brown by can cap captain"
    " carolina case chad chase china christian city colonel cuba da dallas das de dean den der di die do doctor dom"
    " don du duke dutch earl early east einen einer el english europa faith father florence for french friday"
    " general georgia german go golden grace grant gray great green has he hence her his hope hudson if in india"
    " indian indiana is israel it italian jordan joy june kenya king la lady lage lake las le les line little london"
    " long lord los louisiana mac maj major march marine mark master may me media mercy milan miles minor miss"
    " missouri monday moon mother mount mrs my new no north not of old on or our page paris park pastor peace per"
    " phoenix polish president press prince professor queen rain reason red river road rock rocky roman rose royal"
    " sage said saint san sant santa santo server she sie silver sir sister skip sky so south squire sri star storm"
    " street summer sun sunday sydney tage texas the to true unknown us van vi via victoria viking virginia von was"
    " washington we west white will winter york you young".split()
)
# What stands before a first name and is no family name.
_NO_FAMILY = (
    "aunt cher chère ciao dear frau herr hallo hello hey hi hola isle liebe lieber lieve madame meet mister monsieur ms"
    " pope port rey roi señor señora signor signora sint szent tante uncle villa".split()
)
# As they stand in names, with small letters or a capital.
_PARTICLES = (
    "van von de der den del della di da dos das du la le bin ibn al el ter ten zu af av"
    " Van Von De Der Den Del Della Di Da Dos Das Du La Le Bin Ibn Al El Ter Ten Zu Af"
).split()
# At most this many words between the first name and the family name.
_MOST_BETWEEN = 3
_SLOTS = 1 << 16


class Mentions(NamedTuple):
    """m mentions: int64[m] each of documents and of bytes within the document, and a hash of each name, uint64[m]."""

    documents: Int64s
    starts: Int64s
    stops: Int64s
    names: Uint64s


def find_names(data: Bytes, offsets: Int64s) -> Mentions:
    """The mentions of names in n documents.

    Args:
        data: UTF-8 bytes.
        offsets: int64[n + 1] into `data`.
    """
    starts, stops, names = _scan(data, offsets, name_tables())
    documents = np.searchsorted(offsets, starts, side="right") - 1
    return Mentions(documents, starts - offsets[documents], stops - offsets[documents], names)


@cache
def first_names_of_faker() -> tuple[str, ...]:
    """The first names of all countries that the installed Faker has, sorted; those that begin with a capital letter."""
    from faker.providers import person

    found: set[str] = set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            if attribute.startswith("first_names"):
                found.update(name for name in _texts(getattr(provider, attribute)) if _usable(name))
    return tuple(sorted(found))


def _texts(names: object) -> Iterable[str]:
    return [str(name) for name in names] if isinstance(names, Iterable) and not isinstance(names, str) else []


def _usable(name: str) -> bool:
    """One word of two letters or more, with a capital."""
    return len(name) > 1 and name.isalpha() and name[0].isupper() and name.lower() not in _OTHER_WORDS


class Tables(NamedTuple):
    """Tables for `slot_of`: what begins a name, what stands before a family name, and what is none."""

    first_names: Uint64s
    particles: Uint64s
    no_family: Uint64s


@cache
def name_tables() -> Tables:
    """The tables of this module's lists."""
    others = [word.capitalize() for word in (*_OTHER_WORDS, *_NO_FAMILY)]
    return Tables(_table(first_names_of_faker()), _table(_PARTICLES), _table(others))


def _table(words: Iterable[str]) -> Uint64s:
    """An open-addressing table of hashes, uint64[`_SLOTS`]; 0 is an empty slot."""
    encoded = [word.encode() for word in words]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return _filled(np.frombuffer(b"".join(encoded), np.uint8), offsets)


@bare_kernel
def word_hash(data: Bytes, start: Integer, stop: Integer) -> np.uint64:
    """A hash of a word, with ASCII letters as small ones after the first; never 0."""
    value = SEED
    for place in range(start, stop):
        byte = data[place]
        if place > start and 0x41 <= byte <= 0x5A:
            byte |= 0x20
        value = mix(value, nb.uint64(byte))
    return value | nb.uint64(1)


@bare_kernel
def slot_of(table: Uint64s, value: np.uint64) -> np.int64:
    """Where the value is, or the empty slot where it would be."""
    slot = nb.int64(value >> nb.uint64(40)) & (_SLOTS - 1)
    while table[slot] != 0 and table[slot] != value:
        slot = (slot + 1) & (_SLOTS - 1)
    return slot


@kernel
def _filled(data: Bytes, offsets: Int64s) -> Uint64s:
    table = np.zeros(_SLOTS, np.uint64)
    for word in range(len(offsets) - 1):
        value = word_hash(data, offsets[word], offsets[word + 1])
        table[slot_of(table, value)] = value
    return table


@bare_kernel
def begins_letter(byte: np.uint8) -> Boolean:
    """A letter begins with this byte; quotation marks, dashes and spaces beyond ASCII begin with C2 or E2."""
    answer: Boolean = 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A or (byte >= 0xC3 and byte != 0xE2)
    return answer


@bare_kernel
def is_capital(data: Bytes, place: Integer, stop: Integer) -> Boolean:
    """A capital letter of ASCII, Latin-1, Greek or Cyrillic begins here, or any of Latin Extended-A."""
    byte = data[place]
    after = data[place + 1] if place + 1 < stop else np.uint8(0)
    answer: Boolean = (
        0x41 <= byte <= 0x5A
        or (byte == 0xC3 and 0x80 <= after <= 0x9E)
        or (byte == 0xC4 or byte == 0xC5)
        or (byte == 0xCE and 0x86 <= after <= 0xA9)
        or (byte == 0xD0 and 0x80 <= after <= 0xAF)
    )
    return answer


@bare_kernel
def word_end(data: Bytes, start: Integer, stop: Integer) -> np.int64:
    """Where the word ends that begins here: letters, and hyphens and apostrophes between letters."""
    end = nb.int64(start)
    while end < stop:
        byte = data[end]
        joins = (byte == 0x2D or byte == 0x27) and end > start and end + 1 < stop and begins_letter(data[end + 1])
        if not (begins_letter(byte) or joins or 0x80 <= byte < 0xC0):
            break
        end += 1
    return end


@bare_kernel
def _letter_before(data: Bytes, place: Integer, floor: Integer) -> Boolean:
    """A letter ends here."""
    lead = nb.int64(place) - 1
    while lead > floor and 0x80 <= data[lead] < 0xC0:
        lead -= 1
    return lead >= floor and begins_letter(data[lead])


@bare_kernel
def _in_word(data: Bytes, place: Integer, floor: Integer) -> Boolean:
    """The word of this letter begins before it."""
    if place == floor:
        return False
    if data[place - 1] == 0x2D or data[place - 1] == 0x27:
        return _letter_before(data, place - 1, floor)
    return _letter_before(data, place, floor)


@bare_kernel
def _next_word(data: Bytes, end: Integer, stop: Integer) -> np.int64:
    """Where the next word begins after one space; -1 if something else follows."""
    if end + 1 < stop and data[end] == 0x20 and begins_letter(data[end + 1]):
        return nb.int64(end) + 1
    return nb.int64(-1)


@bare_kernel
def _after_initial(data: Bytes, start: Integer, stop: Integer) -> np.int64:
    """Where the word after an initial such as `J. ` begins; -1 if no initial stands here."""
    if start + 3 < stop and is_capital(data, start, stop):
        dot = nb.int64(start) + (1 if data[start] < 0x80 else 2)
        if dot + 2 < stop and data[dot] == 0x2E and data[dot + 1] == 0x20 and begins_letter(data[dot + 2]):
            return dot + 2
    return nb.int64(-1)


@bare_kernel
def before_spaces(data: Bytes, start: Integer, floor: Integer) -> np.int64:
    """Where the spaces begin that end at `start`; `start` itself without any, never before `floor`."""
    place = nb.int64(start)
    while place > floor and data[place - 1] == 0x20:
        place -= 1
    return place


@bare_kernel
def _begins_cell(data: Bytes, start: Integer, floor: Integer) -> Boolean:
    """A line or a cell of a table begins here, spaces aside."""
    place = before_spaces(data, start, floor)
    if place == floor:
        return True
    answer: Boolean = data[place - 1] == 0x0A or data[place - 1] == 0x7C or data[place - 1] == 0x09
    return answer


@bare_kernel
def _begins_entry(data: Bytes, start: Integer, floor: Integer) -> Boolean:
    """An entry of a list begins here: a line, a cell, or what follows a semicolon or a number: `3. `, `3) `, `3 `."""
    if _begins_cell(data, start, floor):
        return True
    place = before_spaces(data, start, floor)
    if place == start:
        return False
    if place > floor and (data[place - 1] == 0x2E or data[place - 1] == 0x29):
        place -= 1
    if place == floor:
        return False
    before = data[place - 1]
    answer: Boolean = before == 0x3B or 0x30 <= before <= 0x39
    return answer


@bare_kernel
def _ends_entry(data: Bytes, end: Integer, stop: Integer) -> Boolean:
    """No word goes on here, and no sentence."""
    if end >= stop:
        return True
    if data[end] == 0x20:
        return end + 1 >= stop or not begins_letter(data[end + 1])
    answer: Boolean = not (begins_letter(data[end]) or data[end] == 0x2E or data[end] == 0x27 or data[end] == 0x2D)
    return answer


@bare_kernel
def _all_capitals(data: Bytes, start: Integer, end: Integer) -> Boolean:
    """Three bytes or more without small letters of ASCII."""
    for place in range(start, end):
        if 0x61 <= data[place] <= 0x7A:
            return False
    answer: Boolean = end - start >= 3
    return answer


@bare_kernel
def _family_name(data: Bytes, end: Integer, stop: Integer, tables: Tables) -> tuple[np.int64, np.int64]:
    """Start and end of the family name after a first name that ends at `end`; -1 and `end` if none follows."""
    start = _next_word(data, end, stop)
    for _ in range(_MOST_BETWEEN + 1):
        if start < 0:
            break
        after_initial = _after_initial(data, start, stop)
        if after_initial >= 0:
            start = after_initial
            continue
        finish = word_end(data, start, stop)
        value = word_hash(data, start, finish)
        if is_capital(data, start, stop):
            # Of several first names the last may be the family name: `John Paul George`.
            follows = _next_word(data, finish, stop)
            if tables.particles[slot_of(tables.particles, value)] != 0 and follows >= 0:
                start = follows
                continue
            if finish - start < 2:
                break
            if follows < 0 or tables.first_names[slot_of(tables.first_names, value)] == 0:
                return start, finish
            if not is_capital(data, follows, stop):
                joins = word_hash(data, follows, word_end(data, follows, stop))
                if tables.particles[slot_of(tables.particles, joins)] == 0:
                    return start, finish
            start = follows
        elif tables.particles[slot_of(tables.particles, value)] != 0:
            start = _next_word(data, finish, stop)
        else:
            break
    return nb.int64(-1), nb.int64(end)


@bare_kernel
def _first_name(data: Bytes, start: Integer, stop: Integer, first_names: Uint64s) -> np.uint64:
    """The hash of a word, or of its part before a hyphen if that is a first name: `Jean-Luc`."""
    for place in range(start, stop):
        if data[place] == 0x2D:
            part = word_hash(data, start, place)
            if first_names[slot_of(first_names, part)] != 0:
                return part
            break
    return word_hash(data, start, stop)


@bare_kernel
def _given_name(data: Bytes, start: Integer, stop: Integer, first_names: Uint64s) -> np.int64:
    """The end of the first name that begins here; -1 if none does."""
    if start >= stop or not is_capital(data, start, stop):
        return nb.int64(-1)
    finish = word_end(data, start, stop)
    value = _first_name(data, start, finish, first_names)
    return finish if first_names[slot_of(first_names, value)] != 0 else nb.int64(-1)


@bare_kernel
def _given_name_after(
    data: Bytes, start: Integer, end: Integer, floor: Integer, stop: Integer, tables: Tables
) -> tuple[np.int64, np.int64]:
    """Start and end of the first name after the family name from `start` to `end`; -1 and `end` if none follows.

    The document begins at `floor`. Further first names and initials may follow; the mention ends before them.
    """
    none = nb.int64(-1), nb.int64(end)
    if end + 1 >= stop:
        return none
    if data[end] == 0x2C and data[end + 1] == 0x20 and _begins_cell(data, start, floor):
        finish = _given_name(data, end + 2, stop, tables.first_names)
        return (nb.int64(end) + 2, finish) if finish >= 0 else none
    if data[end] != 0x20 and data[end] != 0x2F:
        return none
    finish = _given_name(data, end + 1, stop, tables.first_names)
    capitals = _all_capitals(data, start, end)
    if finish < 0 or not (capitals or (end - start >= 2 and _begins_entry(data, start, floor))):
        return none
    family = word_hash(data, start, end)
    if tables.no_family[slot_of(tables.no_family, family)] != 0:
        return none
    last = finish
    for _ in range(_MOST_BETWEEN):
        follows = _next_word(data, last, stop)
        if follows < 0:
            break
        further = _given_name(data, follows, stop, tables.first_names)
        if further < 0:
            initial = follows + (1 if data[follows] < 0x80 else 2)
            if not is_capital(data, follows, stop) or initial >= stop or data[initial] != 0x2E:
                break
            further = initial + 1
        last = further
    if capitals and data[end] == 0x20 and not _all_capitals(data, end + 1, finish):
        return nb.int64(end) + 1, finish
    return (nb.int64(end) + 1, finish) if data[end] == 0x2F or _ends_entry(data, last, stop) else none


@kernel
def _scan(data: Bytes, offsets: Int64s, tables: Tables) -> tuple[Int64s, Int64s, Uint64s]:
    """Starts, stops and hashes of all mentions, as places in `data`."""
    # A name has two words of two letters, and a space.
    room = (offsets[-1] - offsets[0]) // 4 + 1
    starts, stops, names = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint64)
    count = 0
    for document in range(len(offsets) - 1):
        place, stop = offsets[document], offsets[document + 1]
        while place < stop:
            byte = data[place]
            # Most bytes are small letters: no word of them begins a name.
            may_begin = 0x41 <= byte <= 0x5A or byte >= 0xC3
            if not may_begin or not is_capital(data, place, stop) or _in_word(data, place, offsets[document]):
                place += 1
                continue
            end = word_end(data, place, stop)
            value = _first_name(data, place, end, tables.first_names)
            if tables.first_names[slot_of(tables.first_names, value)] != 0:
                family, finish = _family_name(data, end, stop, tables)
                if family >= 0:
                    starts[count], stops[count] = place, finish
                    names[count] = mix(value, word_hash(data, family, finish))
                    count += 1
                    place = finish
                    continue
            given, finish = _given_name_after(data, place, end, offsets[document], stop, tables)
            if given >= 0:
                starts[count], stops[count] = place, finish
                names[count] = mix(word_hash(data, given, finish), word_hash(data, place, end))
                count += 1
                place = finish
                continue
            place = end
    return starts[:count].copy(), stops[:count].copy(), names[:count].copy()
