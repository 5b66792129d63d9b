"""Megatron's token files against Megatron's own builder and reader, and damaged."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import GristmillError
from shards.megatron_files import CODES, document_lengths, documents_of, index_pieces, megatron_dtype, open_index
from tests.shards.megatron import build

DOCUMENTS = [[[1, 5, 2]], [[1, 7], [8, 9, 2]], [[]], [[1, 2]], []]


def _read(prefix: Path) -> list[list[int]]:
    found = []
    for tokens, lengths in documents_of(open_index(str(prefix))):
        at = 0
        for length in lengths.tolist():
            found.append(tokens[at : at + length].tolist())
            at += length
        assert at == len(tokens)
    return found


@given(
    lengths=st.lists(st.lists(st.integers(0, 40), max_size=8), min_size=1, max_size=4),
    dtype=st.sampled_from([np.dtype("<u2"), np.dtype("<i4")]),
)
def test_an_index_is_the_one_that_megatron_writes(tmp_path_factory, lengths, dtype) -> None:
    prefix = tmp_path_factory.mktemp("built") / "x"
    build(prefix, [[list(range(length))] for some in lengths for length in some], dtype.type)
    made = b"".join(index_pieces([np.array(some, np.int32) for some in lengths], dtype))
    assert made == prefix.with_suffix(".idx").read_bytes()


@given(
    documents=st.lists(st.lists(st.lists(st.integers(0, 100), max_size=6), max_size=3), max_size=12),
    dtype=st.sampled_from(list(CODES.values())),
)
def test_what_megatron_writes_is_read(tmp_path_factory, documents, dtype) -> None:
    prefix = tmp_path_factory.mktemp("built") / "x"
    build(prefix, documents, dtype.type)
    assert _read(prefix) == [[token for sequence in document for token in sequence] for document in documents]


def test_documents_are_read_in_pieces(tmp_path, monkeypatch) -> None:
    documents = [[list(range(count % 7))] for count in range(50)]
    build(tmp_path / "x", documents, np.uint16)
    monkeypatch.setattr("shards.megatron_files._DOCUMENTS", 4)
    monkeypatch.setattr("shards.megatron_files._TOKENS", 5)
    assert _read(tmp_path / "x") == [document[0] for document in documents]
    assert len(list(document_lengths(open_index(str(tmp_path / "x"))))) == 13


def test_the_dtype_of_a_vocabulary() -> None:
    assert megatron_dtype(1 << 16) == np.uint16
    assert megatron_dtype((1 << 16) + 1) == np.int32
    assert megatron_dtype(1 << 31) == np.int32
    with pytest.raises(GristmillError, match="does not fit"):
        megatron_dtype((1 << 31) + 1)


def _cut(suffix: str, count: int) -> Callable[[Path], None]:
    def damage(prefix: Path) -> None:
        path = prefix.with_suffix(suffix)
        path.write_bytes(path.read_bytes()[:-count])

    return damage


def _put(at: int, code: str, value: int) -> Callable[[Path], None]:
    """Another number in the index."""

    def damage(prefix: Path) -> None:
        path = prefix.with_suffix(".idx")
        data = bytearray(path.read_bytes())
        struct.pack_into(code, data, at, value)
        path.write_bytes(data)

    return damage


def _longer(prefix: Path) -> None:
    with open(prefix.with_suffix(".bin"), "ab") as file:
        file.write(b"\0\0")


def _multimodal(prefix: Path) -> None:
    with open(prefix.with_suffix(".idx"), "ab") as file:
        file.write(bytes(5))


# The header has 34 bytes; then 5 lengths of 4, 5 offsets of 8, 6 first sequences of 8.
@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (_cut(".bin", 2), r"x\.bin: has 18 bytes: document 3 ends beyond"),
        (_cut(".bin", 10), r"x\.bin: has 10 bytes: document 1 ends beyond"),
        (_cut(".idx", 1), r"x\.idx: has 141 bytes; an index of 5 sequences and 5 documents has 142"),
        (_cut(".idx", 120), r"x\.idx: is not an index"),
        (_longer, r"x\.bin: has 22 bytes, its index describes 20"),
        (_multimodal, r"x\.idx: is multimodal"),
        (_put(0, "<B", 0), r"x\.idx: is not an index"),
        (_put(9, "<Q", 2), "version 2"),
        (_put(17, "<B", 6), "dtype code 6"),
        (_put(17, "<B", 9), "dtype code 9"),
        (_put(18, "<Q", 4), "bytes; an index of 4 sequences"),
        (_put(26, "<Q", 0), "lists no documents"),
        (_put(34 + 8, "<i", -3), "document 1 has a negative length"),
        (_put(34 + 4, "<i", 3), "document 1 does not begin where the one before ends"),
        (_put(54 + 32, "<q", 0), "document 3 does not begin where the one before ends"),
        (_put(94 + 8, "<q", 4), "document 1 ends before it begins"),
        (_put(94, "<q", 1), "document 0 to 5 have the sequences 1 to 5"),
        (_put(94 + 40, "<q", 9), "have the sequences 0 to 9"),
        (lambda prefix: prefix.with_suffix(".bin").unlink(), r"x\.bin: no such file"),
        (lambda prefix: prefix.with_suffix(".idx").unlink(), r"x\.idx: no such file"),
    ],
)
def test_damage_is_named(tmp_path, damage, match) -> None:
    build(tmp_path / "x", DOCUMENTS, np.uint16)
    assert len(_read(tmp_path / "x")) == len(DOCUMENTS)
    damage(tmp_path / "x")
    with pytest.raises(GristmillError, match=match):
        _read(tmp_path / "x")


def test_fewer_sequences_in_documents_than_there_are(tmp_path) -> None:
    build(tmp_path / "x", DOCUMENTS, np.uint16)
    _put(94 + 40, "<q", 4)(tmp_path / "x")
    _put(94 + 32, "<q", 4)(tmp_path / "x")
    with pytest.raises(GristmillError, match="its documents have 4 of 5 sequences"):
        _read(tmp_path / "x")


@given(at=st.integers(0, 141), value=st.integers(0, 255))
def test_any_damage_to_an_index_is_an_error_or_changes_nothing(built, tmp_path_factory, at, value) -> None:
    """Never another exception, and never tokens other than those of the .bin in their order."""
    prefix = tmp_path_factory.mktemp("damaged") / "x"
    for suffix in (".bin", ".idx"):
        shutil.copy(built.with_suffix(suffix), prefix.with_suffix(suffix))
    _put(at, "<B", value)(prefix)
    index = built.with_suffix(".idx").read_bytes()
    try:
        found = _read(prefix)
    except GristmillError:
        return
    flat = [token for document in found for token in document]
    if at == 17:  # another dtype of the same width
        assert len(flat) in (10, 20)
    elif index[at] == value:
        assert found == _read(built)
    else:
        assert flat == [1, 5, 2, 1, 7, 8, 9, 2, 1, 2]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    prefix = tmp_path_factory.mktemp("built") / "x"
    build(prefix, DOCUMENTS, np.uint16)
    return prefix
