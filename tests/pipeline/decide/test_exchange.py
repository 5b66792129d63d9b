"""Records by destination, and files that are written in pieces."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decide.exchange import grouped
from pipeline.decide.runs import partition_bounds, partitions_of
from pipeline.schemas import ipc_bytes, ipc_pieces
from tests.property.texts import thorough


@thorough
@given(st.lists(st.integers(0, 5), max_size=40))
def test_records_are_grouped_in_their_order(numbers) -> None:
    found = grouped(np.array(numbers, np.int64), 6).tolist()
    assert found == sorted(range(len(numbers)), key=lambda index: numbers[index])


@thorough
@given(st.lists(st.integers(0, 2**64 - 1), max_size=40), st.sampled_from([1, 2, 3, 7, 256, 1_000]))
def test_partitions_of_ascending_hashes_are_ranges(hashes, partitions) -> None:
    edges = [number * 2**64 // partitions + more for number in range(partitions) for more in (-(2**32), -1, 0, 2**32)]
    ascending = np.array(sorted({*hashes, *(edge for edge in edges if 0 <= edge < 2**64)}), np.uint64)
    bounds = partition_bounds(ascending, partitions)
    numbers = np.repeat(np.arange(partitions), np.diff(bounds))
    assert (numbers == partitions_of(ascending, partitions)).all()


@thorough
@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=20), max_size=4))
def test_pieces_are_the_bytes_of_the_file(batches) -> None:
    schema = pa.schema([("number", pa.uint64()), ("text", pa.string())], metadata={"of": "pieces"})
    made = [
        pa.RecordBatch.from_arrays([pa.array(own, pa.uint64()), pa.array([str(each) for each in own])], schema=schema)
        for own in batches
    ]
    written = b"".join(bytes(piece) for piece in ipc_pieces(made, schema))
    assert written == ipc_bytes(made, schema, compress=False).to_pybytes()
