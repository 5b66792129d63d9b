"""Exchanges of any shape, against lists of lists."""

from __future__ import annotations

import tempfile

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from manifests.corpus import CorpusManifest
from pipeline.decide.exchange import Shape, combine, combining, receive, receive_each, send, two_levels
from pipeline.decide.runs import RunJob
from pipeline.decide.settings import decide_settings

RECORDS = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("values", pa.list_(pa.uint32()))])
MANIFEST = CorpusManifest.model_validate(
    {
        "name": "sample",
        "sources": [{"name": "web", "format": "jsonl", "files": ["*.jsonl"], "licence": "made up"}],
        "tokenizer": {"model": "none"},
    }
)
SETTINGS = decide_settings(MANIFEST, block_lists=(), allowed_sites=None)


@st.composite
def an_exchange(draw: st.DrawFn) -> tuple[int, Shape, list[list[tuple[int, str, list[int]]]]]:
    """The most tasks of one level, a shape, and the records of each source with their destinations."""
    shape = Shape(draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    record = st.tuples(
        st.integers(0, shape.destinations - 1), st.text(max_size=3), st.lists(st.integers(0, 9), max_size=3)
    )
    sources = draw(st.lists(st.lists(record, max_size=9), min_size=shape.sources, max_size=shape.sources))
    return draw(st.integers(1, 8)), shape, sources


@given(an_exchange())
def test_destinations_get_what_was_sent_to_them(
    exchange: tuple[int, Shape, list[list[tuple[int, str, list[int]]]]],
) -> None:
    fan, shape, sources = exchange
    with tempfile.TemporaryDirectory() as folder:
        # The numbers of tasks of a shape need not be those of runs.
        job = RunJob(settings=SETTINGS, extract="", folder=folder, key="k", runs=3, fan=fan, parts=3)
        for source, records in enumerate(sources):
            columns = [pa.array([record[1] for record in records], pa.string())]
            columns.append(pa.array([record[2] for record in records], pa.list_(pa.uint32())))
            batch = pa.RecordBatch.from_arrays(columns, schema=RECORDS)
            send(job, "x", source, batch, np.array([record[0] for record in records], np.int64), shape=shape)
        assert (combining(job, shape) > 0) == two_levels(job, shape) == (max(shape) > fan)
        for number in range(combining(job, shape)):
            combine(job, "x", number, shape=shape)
        for destination in range(shape.destinations):
            sent = [[list(record[1:]) for record in records if record[0] == destination] for records in sources]
            found = [batch.to_pylist() for batch in receive_each(job, "x", destination, shape=shape)]
            assert [[list(row.values()) for row in rows] for rows in found] == sent
            whole = receive(job, "x", destination, shape=shape)
            assert whole.schema.equals(RECORDS)
            assert [list(row.values()) for row in whole.to_pylist()] == [row for rows in sent for row in rows]


def test_without_a_shape_there_are_as_many_as_runs() -> None:
    with tempfile.TemporaryDirectory() as folder:
        job = RunJob(settings=SETTINGS, extract="", folder=folder, key="k", runs=5, fan=2, parts=5)
        batch = pa.RecordBatch.from_arrays([pa.array([3, 4], pa.int64())], names=["to"])
        for source in range(5):
            send(job, "x", source, batch, np.array([3, 4]))
        assert combining(job) == 9
        for number in range(combining(job)):
            combine(job, "x", number)
        assert [receive(job, "x", number)["to"].to_pylist() for number in range(5)] == [[], [], [], [3] * 5, [4] * 5]
