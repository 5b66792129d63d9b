"""Which lines go, against brute force in plain Python, on generated documents, cut into parts and partitions at will."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.lines import (
    RECORD,
    RECORD_WITHOUT_RANK,
    REPEATED,
    Frequent,
    Units,
    apart,
    chosen_units,
    distinct,
    line_units,
    most_frequent,
    paragraph_units,
    preferences,
    removed_lines,
    repeated,
    sums,
)
from manifests.repeated_lines import C4Lines, CCNetLines, LineRule
from pipeline.text.line_hashes import line_hashes
from tests import repeated_lines as reference
from tests.property.texts import buffers, thorough

_LINES = (
    "Home",
    "home",
    "About us",
    "a b c d",
    "Call 12",
    "call 34",
    "",
    "",
    "…",
    "unique {}",
    "long line of words {}",
)


@st.composite
def documents(draw: st.DrawFn) -> list[reference.Document]:
    """Documents of few different lines; some go before, some have lines that filters removed."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        lines = draw(st.lists(st.sampled_from(_LINES), max_size=8))
        text = "\n".join(line.format(number) for line in lines)
        source = draw(st.sampled_from("ab"))
        found.append(
            reference.Document(
                text=text,
                id=hashlib.md5(f"{number}{text}".encode()).digest(),
                source=source,
                priority={"a": 100, "b": draw(st.sampled_from((100, 7)))}[source],
                words=draw(st.sampled_from((len(text.split()), 3))),
                stays=draw(st.integers(0, 5)) > 0,
                filtered=draw(st.sets(st.integers(0, 3), max_size=1)),
            )
        )
    return found


rules = st.builds(
    lambda kind, **options: kind(**options),
    st.sampled_from((CCNetLines, C4Lines)),
    unit=st.sampled_from(("line", "paragraph")),
    scope=st.sampled_from(("corpus", "source")),
    groups=st.sampled_from((1, 2, 5)),
    keep=st.sampled_from(("none", "hash", "best")),
    max_documents=st.sampled_from((1, 1, 2)),
    min_words=st.sampled_from((0, 0, 2)),
    min_characters=st.sampled_from((0, 0, 5)),
)


def units_of(part: Sequence[reference.Document], rule: LineRule) -> Units:
    """The units of some documents, from their texts."""
    lists = line_hashes(*buffers([document.text for document in part]), normalisation=rule.normalisation).column(0)
    offsets = lists.offsets.to_numpy().astype(np.int64)
    items = lists.flatten()
    counted = np.array(
        [
            document.stays and number not in document.filtered
            for document in part
            for number in range(len(reference.lines_of(document.text)))
        ],
        bool,
    )
    hashes, characters = items.field("hash").to_numpy(), items.field("characters").to_numpy().astype(np.int64)
    begins = items.field("begins_paragraph").to_numpy(zero_copy_only=False)
    units = (
        line_units(hashes, offsets, counted)
        if rule.unit == "line"
        else paragraph_units(hashes, begins, offsets, counted)
    )
    words = np.array(
        [len(line.split()) for document in part for line, _ in reference.lines_of(document.text)], np.int64
    )
    chosen = (sums(words, units) >= rule.min_words) & (sums(characters, units) >= rule.min_characters)
    units = chosen_units(units, chosen)
    if rule.scope == "source" or rule.groups > 1:
        scopes = [
            (
                ord(document.source) if rule.scope == "source" else 0,
                int.from_bytes(document.id[8:], "big") % rule.groups,
            )
            for document in part
        ]
        units = apart(units, np.array([source * 1_000 + group for source, group in scopes], np.uint64))
    return units


def ranks_of(part: Sequence[reference.Document], rule: LineRule) -> np.ndarray | None:
    if rule.keep == "none":
        return None
    rows = [
        preferences(
            document.priority,
            np.array([document.words]),
            np.frombuffer(document.id, ">u8").astype(np.uint64).reshape(1, 2),
            by_words=rule.keep == "best",
        )
        for document in part
    ]
    return np.concatenate([np.empty((0, 2), np.uint64), *rows])


def by_arrays(
    parts: Sequence[Sequence[reference.Document]], rule: LineRule, *, partitions: int, shuffle: random.Random
) -> tuple[list[list[set[int]]], Frequent]:
    """The same through records that come in any order to any partition."""
    units = [units_of(part, rule) for part in parts]
    records = [distinct(units[number], ranks_of(part, rule)) for number, part in enumerate(parts)]
    kind = RECORD_WITHOUT_RANK if rule.keep == "none" else RECORD
    assert {each.dtype for each in records} <= {kind}
    joined = np.concatenate([np.empty(0, kind), *records])
    numbers = np.repeat(np.arange(len(parts)), [len(each) for each in records])
    told, of_parts, listed = [np.empty(0, REPEATED)], [np.empty(0, np.int64)], []
    for partition in range(partitions):
        places = np.flatnonzero(joined["key"] % np.uint64(partitions) == partition).tolist()
        shuffle.shuffle(places)
        found, of_part, most = repeated(joined[places], numbers[places], most=rule.max_documents, frequent=5)
        told.append(found)
        of_parts.append(of_part)
        listed.append(most)
    every, of_part = np.concatenate(told), np.concatenate(of_parts)
    gone = []
    for number, part in enumerate(parts):
        own = np.flatnonzero(of_part == number).tolist()
        shuffle.shuffle(own)
        marked = removed_lines(units[number], every[own])
        numbers_of = [set() for _ in part]  # type: ignore[var-annotated]
        places = [
            (row, line) for row, document in enumerate(part) for line in range(len(reference.lines_of(document.text)))
        ]
        for (row, line), goes in zip(places, marked.tolist(), strict=True):
            if goes:
                numbers_of[row].add(line)
        gone.append(numbers_of)
    return gone, most_frequent(listed, most=5)


@thorough
@given(
    given_documents=documents(),
    rule=rules,
    parts=st.integers(1, 4),
    partitions=st.sampled_from((1, 2, 7)),
    seed=st.integers(0, 3),
)
def test_the_removed_sets_are_those_of_brute_force(
    given_documents: list[reference.Document], rule: LineRule, parts: int, partitions: int, seed: int
) -> None:
    expected = reference.removed_lines(given_documents, rule)
    draw = random.Random(seed)
    order = list(range(len(given_documents)))
    draw.shuffle(order)
    cut = [order[number::parts] for number in range(parts)]
    gone, most = by_arrays(
        [[given_documents[index] for index in part] for part in cut], rule, partitions=partitions, shuffle=draw
    )
    found = {
        index: lines
        for part, removed in zip(cut, gone, strict=True)
        for index, lines in zip(part, removed, strict=True)
    }
    assert found == dict(enumerate(expected))
    # The most frequent lines, by what brute force removes.
    counts: Counter[tuple[object, ...]] = Counter()
    for document, lines in zip(given_documents, expected, strict=True):
        scope = (
            document.source if rule.scope == "source" else None,
            int.from_bytes(document.id[8:], "big") % rule.groups,
        )
        for key, numbers in reference.units_of(document, rule):
            if document.stays and numbers[0] in lines:
                counts[(*scope, key)] += 1
    assert most.removed.tolist() == sorted(counts.values(), reverse=True)[:5]


def test_a_hot_line_is_one_record_for_each_part() -> None:
    hashes = np.full(100_000, 7, np.uint64)
    units = line_units(hashes, np.arange(100_001), np.ones(100_000, bool))
    (record,) = distinct(units, None)
    assert (int(record["key"]), int(record["documents"]), int(record["copies"])) == (7, 100_000, 100_000)


def test_preference_is_priority_then_words_then_id() -> None:
    ids = np.array([[1 << 60, 5], [1 << 59, 9], [1 << 59, 9 + (1 << 41)]], np.uint64)
    words = np.array([10, 5, 5])
    best = preferences(3, words, ids, by_words=True)
    assert [tuple(row) for row in best.tolist()] == sorted(tuple(row) for row in best.tolist())
    drawn = preferences(3, words, ids, by_words=False)
    assert np.lexsort((drawn[:, 1], drawn[:, 0])).tolist() == [1, 2, 0]
    assert preferences(2, words[1:2], ids[:1], by_words=True)[0, 0] < best[0, 0]
    # More words than 32 bits hold count as the most that they hold.
    assert preferences(3, np.array([1 << 40]), ids[:1], by_words=True)[0, 0] >> np.uint64(24) == 3 << 32
