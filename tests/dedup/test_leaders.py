"""Leaders of buckets, and what numbers of equal places say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.leaders import MOST_PLACES, Limits, compare, estimated, lead, limits, sketches
from tests.property.texts import thorough

PLACES = 6
sketch = st.lists(st.integers(0, 2), min_size=PLACES, max_size=PLACES)


def reference(buckets: list[list[list[int]]], within: Limits, most: int, doubtful: int) -> list[tuple[int, int, int]]:
    found, first = [], 0
    for bucket in buckets:
        leaders: list[int] = []
        for place, values in enumerate(bucket):
            matched = False
            kept = 0
            for leader in leaders:
                same = sum(one == other for one, other in zip(bucket[leader], values, strict=True))
                matched = same >= within.alike
                if matched or (same >= within.unlike and kept < doubtful):
                    found.append((first + leader, first + place, same))
                    kept += 1
                if matched:
                    break
            if not matched and len(leaders) < most:
                leaders.append(place)
        first += len(bucket)
    return found


@thorough
@given(
    st.lists(st.lists(sketch, max_size=9), max_size=5),
    st.integers(0, 6),
    st.integers(0, 3),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_pairs_equal_the_definition(buckets, unlike, more, most, doubtful) -> None:
    within = Limits(unlike, unlike + more)
    sketched = np.array([values for bucket in buckets for values in bucket], np.uint8).reshape(-1, PLACES)
    starts = np.cumsum([0, *map(len, buckets)])
    found = lead(sketched, starts, within=within, most_leaders=most, most_doubtful=doubtful)
    assert list(zip(found.leaders.tolist(), found.members.tolist(), found.equal.tolist(), strict=True)) == reference(
        buckets, within, most, doubtful
    )
    assert (compare(sketched, found.leaders, found.members) == found.equal).all()
    assert found.compared.sum() - found.rejected.sum() >= len(found.equal)
    assert (np.bincount(found.members, minlength=len(sketched)) <= doubtful + 1).all()


def test_more_pairs_than_were_made_room_for() -> None:
    found = lead(np.zeros((5_000, 4), np.uint8), np.array([0, 5_000]), within=Limits(3, 4))
    assert (len(found.equal), set(found.leaders.tolist())) == (4_999, {0})


def test_a_bucket_of_unlike_pages_does_not_take_the_square_of_their_number() -> None:
    values = np.random.default_rng(1).integers(0, 256, (4_000, 64), dtype=np.uint8)
    found = lead(values, np.array([0, 4_000]), within=Limits(40, 50), most_leaders=32)
    assert len(found.equal) == 0
    assert found.compared.max() == 32


@pytest.mark.parametrize("similarity", [0.2, 0.5, 0.7, 0.9])
def test_estimates_are_right_on_average_and_limits_hold(similarity: float) -> None:
    """Signatures of which each place agrees with this probability, and else by chance in one of 256 cases."""
    generator = np.random.default_rng(7)
    count, places = 20_000, 112
    one = generator.integers(0, 2**32, (count, places), dtype=np.uint32)
    same = generator.random((count, places)) < similarity
    other = np.where(same, one, generator.integers(0, 2**32, (count, places), dtype=np.uint32))
    sketched = sketches(np.concatenate([one, other]))
    equal = compare(sketched, np.arange(count), count + np.arange(count))
    assert estimated(equal, places=places).mean() == pytest.approx(similarity, abs=0.002)
    within = limits(similarity, places=places)
    # Two standard errors below, two and a half above; a whole number of places rounds to the inside.
    assert (equal < within.unlike).mean() < 0.035
    assert (equal >= within.alike).mean() < 0.012


def test_long_signatures_are_compared_by_their_first_places() -> None:
    assert sketches(np.full((3, 9_000), 0x12345678, np.uint32)).shape == (3, MOST_PLACES)
    assert sketches(np.full((1, 2), 0x12345678, np.uint32)).tolist() == [[0x78, 0x78]]


@thorough
@given(st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3), min_size=1, max_size=6), st.data())
def test_sketches_are_the_lowest_bytes(signatures, draw) -> None:
    chosen = draw.draw(st.lists(st.integers(0, len(signatures) - 1), max_size=8))
    values = np.array(signatures, np.uint32)
    expected = [[value & 255 for value in signature] for signature in signatures]
    assert sketches(values).tolist() == expected
    assert sketches(values, np.array(chosen, np.int64)).tolist() == [expected[number] for number in chosen]


def test_few_places_say_nothing_for_sure() -> None:
    assert limits(0.7, places=2) == Limits(1, 2)
    assert limits(0.7, places=112).unlike < 0.7 * 112 < limits(0.7, places=112).alike
