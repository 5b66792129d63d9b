"""Dates and long numbers beside names of persons, whatever announces them.

In: UTF-8 bytes and offsets of n documents, and the mentions of names in them. Out: for each date and each number that
stands near a mention, its document and a hash, in the order of documents and positions.

Lists of people often give dates of birth and telephone numbers without a word that says so: `Ann Lee 3.5.1970`. Beside
running text such digits may be anything, so they are no spans and are never masked; the site rule looks at how many
different ones a site has. A *date* is a day of a month from 1900 to 2000, in figures or with the month as a word; other
years, and days of death after a dagger, count as nothing. A *number* has 8 to 13 digits in groups that only space,
dots, hyphens, slashes, brackets and a plus sign part.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from kernels.arrays import Boolean, Bools, Bytes, Int64s, Integer, Uint64s
from kernels.compiled import bare_kernel, kernel
from kernels.hashing import SEED, mix
from pipeline.text.personal.names import Mentions, before_spaces

# Bytes before and after a mention that are looked at, up to the next mention.
_BEFORE = 48
_AFTER = 96
_FEWEST_DIGITS = 8
_MOST_DIGITS = 13
_FIRST_YEAR = 1900
# Children are born later; but most dates of this century beside names are those of events and of what is written.
_LAST_YEAR = 2000
# Other dates, which must not be taken for numbers.
_EARLIEST_YEAR, _LATEST_YEAR = 1000, 2099
_LONGEST_MONTH = 14


class NearNames(NamedTuple):
    """m dates and numbers: documents int64[m]; whether each is a date, bool[m]; hashes uint64[m]."""

    documents: Int64s
    dates: Bools
    hashes: Uint64s


def find_near_names(data: Bytes, offsets: Int64s, names: Mentions) -> NearNames:
    """The dates and numbers beside the mentions of `find_names` over the same bytes."""
    base = offsets[names.documents]
    return NearNames(*_search(data, offsets, names.documents, names.starts + base, names.stops + base))


@kernel
def _search(
    data: Bytes, offsets: Int64s, documents: Int64s, starts: Int64s, stops: Int64s
) -> tuple[Int64s, Bools, Uint64s]:
    """Documents, whether each is a date, hashes."""
    # A window of this many bytes holds no more numbers, dates included.
    room = len(starts) * ((_BEFORE + _AFTER) // 5 + 1)
    found, dates, hashes = np.empty(room, np.int64), np.empty(room, np.bool_), np.empty(room, np.uint64)
    count = 0
    for mention in range(len(starts)):
        document = documents[mention]
        low, high = offsets[document], offsets[document + 1]
        if mention and documents[mention - 1] == document:
            low = stops[mention - 1]
        if mention + 1 < len(starts) and documents[mention + 1] == document:
            high = starts[mention + 1]
        for side in range(2):
            place = max(low, starts[mention] - _BEFORE) if side == 0 else stops[mention]
            stop = starts[mention] if side == 0 else min(high, stops[mention] + _AFTER)
            while place < stop:
                if not _is_digit(data[place]) or (place > low and _is_digit(data[place - 1])):
                    place += 1
                    continue
                end, value, date, number = _read(data, place, stop)
                if number or (date and not _after_dagger(data, place, low)):
                    found[count], dates[count], hashes[count] = document, date, value
                    count += 1
                place = end
    return found[:count].copy(), dates[:count].copy(), hashes[:count].copy()


@bare_kernel
def _is_digit(byte: np.uint8) -> Boolean:
    answer: Boolean = 0x30 <= byte <= 0x39
    return answer


@bare_kernel
def _is_letter(byte: np.uint8) -> Boolean:
    answer: Boolean = 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A or byte >= 0x80
    return answer


@bare_kernel
def _number_at(data: Bytes, place: Integer, stop: Integer) -> tuple[np.int64, np.int64]:
    """The number of up to 18 digits that begins here, and where it ends."""
    value, end = nb.int64(0), nb.int64(place)
    while end < stop and _is_digit(data[end]) and end - place < 18:
        value = value * 10 + nb.int64(data[end] - 0x30)
        end += 1
    return value, end


@bare_kernel
def _read(data: Bytes, start: Integer, stop: Integer) -> tuple[np.int64, np.uint64, Boolean, Boolean]:
    """What begins at this digit: where it ends, its hash, whether it is a date, whether it is a long number."""
    first, end = _number_at(data, start, stop)
    after_word = _after_month(data, end, stop)
    if after_word >= 0 and 1 <= first <= 31 and end - start <= 2:
        year, year_end = _number_at(data, after_word, stop)
        if _is_year(year, year_end - after_word):
            value = mix(mix(mix(SEED, nb.uint64(first)), nb.uint64(year)), nb.uint64(data[end + 2]))
            return year_end, value, _is_birth_year(year), False
    groups, digits = nb.int64(1), end - start
    second = third = nb.int64(0)
    second_size = third_size = nb.int64(0)
    value = mix(SEED, nb.uint64(first))
    while True:
        place = end
        while place < stop and place - end < 3 and _parts(data[place]):
            place += 1
        if place == end or place >= stop or not _is_digit(data[place]):
            break
        number, finish = _number_at(data, place, stop)
        if groups == 1:
            second, second_size = number, finish - place
        elif groups == 2:
            third, third_size = number, finish - place
        value = mix(value, nb.uint64(number))
        groups, digits, end = groups + 1, digits + finish - place, finish
        if groups == 3 and _is_date(first, second, third, second_size, third_size):
            return end, value, _is_birth_year(max(first, third)), False
    closed = end >= stop or not _is_letter(data[end])
    return end, value, False, closed and _FEWEST_DIGITS <= digits <= _MOST_DIGITS


@bare_kernel
def _parts(byte: np.uint8) -> Boolean:
    """Space and `( ) - . / +`, which part the groups of a number."""
    answer: Boolean = byte == 0x20 or byte == 0x28 or byte == 0x29 or byte == 0x2B or 0x2D <= byte <= 0x2F
    return answer


@bare_kernel
def _after_month(data: Bytes, end: Integer, stop: Integer) -> np.int64:
    """Where the year begins after a day and a word: `3 May 1970`, `3. Mai 1970`, `3 de mayo de 1970`, `May 3, 1970`.

    -1 if nothing like that follows.
    """
    place = nb.int64(end)
    if place + 5 < stop and data[place] == 0x2C and data[place + 1] == 0x20 and _is_digit(data[place + 2]):
        return place + 2
    if place < stop and data[place] == 0x2E:
        place += 1
    words = 0
    while place < stop and data[place] == 0x20 and words < 4:
        place += 1
        if place < stop and _is_digit(data[place]):
            return place if words else nb.int64(-1)
        word = place
        while place < stop and _is_letter(data[place]) and place - word < _LONGEST_MONTH:
            place += 1
        if place == word:
            break
        words += 1
        while place < stop and (data[place] == 0x2E or data[place] == 0x2C):
            place += 1
    return nb.int64(-1)


@bare_kernel
def _is_year(value: np.int64, size: np.int64) -> Boolean:
    answer: Boolean = size == 4 and _EARLIEST_YEAR <= value <= _LATEST_YEAR
    return answer


@bare_kernel
def _is_birth_year(value: np.int64) -> Boolean:
    answer: Boolean = _FIRST_YEAR <= value <= _LAST_YEAR
    return answer


@bare_kernel
def _after_dagger(data: Bytes, place: Integer, floor: Integer) -> Boolean:
    """A dagger stands here, spaces aside: the day of a death follows."""
    end = before_spaces(data, place, floor)
    answer: Boolean = end >= floor + 3 and data[end - 3] == 0xE2 and data[end - 2] == 0x80 and data[end - 1] == 0xA0
    return answer


@bare_kernel
def _is_date(
    first: np.int64, second: np.int64, third: np.int64, second_size: np.int64, third_size: np.int64
) -> Boolean:
    """Three numbers as day, month and year, month first or year first."""
    if _is_year(third, third_size):
        day_and_month: Boolean = 1 <= first <= 31 and 1 <= second <= 31 and min(first, second) <= 12
        return day_and_month
    year_first: Boolean = _EARLIEST_YEAR <= first <= _LATEST_YEAR and second_size <= 2 and third_size <= 2
    answer: Boolean = year_first and 1 <= second <= 12 and 1 <= third <= 31
    return answer
