"""SHA-1 in a kernel against hashlib."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kernels.sha1 import ROOM, sha1_head
from tests.property.texts import thorough


def head(data: bytes, start: int, end: int) -> int:
    return int(sha1_head(np.frombuffer(data, np.uint8), start, end, np.empty(ROOM, np.uint32)))


def reference(data: bytes) -> int:
    return int.from_bytes(hashlib.sha1(data).digest()[:4], "little")


@thorough
@given(st.binary(max_size=400), st.binary(max_size=9), st.binary(max_size=9))
@example(b"", b"", b"\x80")
@example(b"abc", b"a", b"")
def test_it_equals_hashlib_whatever_lies_around(data: bytes, before: bytes, after: bytes) -> None:
    assert head(before + data + after, len(before), len(before) + len(data)) == reference(data)


@pytest.mark.parametrize("size", [*range(50, 68), *range(114, 132), 1_000, 65_537, 3_000_000])
def test_at_the_ends_of_blocks_and_for_long_texts(size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    assert head(data, 0, size) == reference(data)
