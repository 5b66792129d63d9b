"""Raw files to batches of records, one reader per format. Every raw record is exactly one of document, broken, or skipped."""

from __future__ import annotations

from collections.abc import Iterator

from manifests.corpus import Source
from pipeline.readers.records import Records


def read_records(path: str, *, name: str, source: Source) -> Iterator[Records]:
    """Batches of about 4 MB of text from one raw file, in the order of the file; memory does not grow with the file.

    Args:
        path: what to open.
        name: the file's name in errors.
        source: says the format and the fields.

    Raises:
        GristmillError: the file is missing, or (Parquet) has no text column.
    """
    # Imported here: a worker loads only what its files need.
    match source.format:
        case "warc" | "wet":
            from pipeline.readers.warc import read_warc

            yield from read_warc(path)
        case "jsonl":
            from pipeline.readers.jsonl import read_jsonl

            yield from read_jsonl(path, source=source)
        case "parquet":
            from pipeline.readers.parquet import read_parquet

            yield from read_parquet(path, name=name, source=source)
        case "mediawiki":
            from pipeline.readers.mediawiki import read_mediawiki

            yield from read_mediawiki(path)
