"""Collects all that a reader yields, for tests that call a reader directly."""

from collections.abc import Iterator

from pipeline.readers.records import RAW, Record, Records
from tests.pipeline.readers.samples import Read


def collect(batches: Iterator[Records]) -> Read:
    result = Read()
    for records in batches:
        assert records.documents.schema == RAW
        result.documents += [Record(**row) for row in records.documents.to_pylist()]
        result.broken += records.broken
        result.skipped.update(records.skipped)
    assert all(len(record.excerpt) <= 200 for record in result.broken)
    return result
