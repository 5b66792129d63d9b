"""Raw files to batches of records, one reader per format. Every raw record is exactly one of document, broken, or skipped."""

from __future__ import annotations

from collections.abc import Iterator

from manifests.corpus import Extraction, Source, SourceFormat
from pipeline.readers.pieces import Piece
from pipeline.readers.records import Draw, Records


def read_records(path: str, *, name: str, source: Source, piece: Piece | None = None, draw: Draw | None = None) -> Iterator[Records]:
    """Batches of about 4 MB of text from one raw file, in the order of the file; memory does not grow with the file.

    Args:
        path: what to open.
        name: the file's name in errors.
        source: says the format and the fields.
        piece: the part of the file to read, one of `pipeline.readers.pieces.split`; None: all of it.
        draw: of the formats that hold HTML pages, records that it leaves out are skipped before their text is made; others do not ask it.

    Raises:
        GristmillError: the file is missing, or (Parquet, Arrow) has no text column.
    """
    extraction = source.extraction or "resiliparse"
    # Imported here: a worker loads only what its files need.
    match source.format:
        case "warc" | "wet" | "arc":
            from pipeline.readers.archives.warc import read_warc

            yield from read_warc(path, piece=piece, extraction=extraction, draw=draw)
        case "jsonl":
            from pipeline.readers.tables.jsonl import read_jsonl

            yield from read_jsonl(path, source=source, piece=piece)
        case "parquet":
            from pipeline.readers.tables.parquet import read_parquet

            yield from read_parquet(path, name=name, source=source, piece=piece)
        case "arrow":
            from pipeline.readers.tables.arrow import read_arrow

            yield from read_arrow(path, name=name, source=source, piece=piece)
        case _ if piece is None or not piece.index:
            yield from _read_whole(path, name=name, format=source.format, extraction=extraction, draw=draw)


def _read_whole(path: str, *, name: str, format: SourceFormat, extraction: Extraction, draw: Draw | None) -> Iterator[Records]:
    """The formats that are not split: all of a file belongs to its first piece."""
    match format:
        case "mediawiki":
            from pipeline.readers.wiki.mediawiki import read_mediawiki

            yield from read_mediawiki(path)
        case "stackexchange":
            from pipeline.readers.posts.stackexchange import read_stackexchange

            yield from read_stackexchange(path)
        case "html":
            from pipeline.readers.web.html_files import read_html_files

            yield from read_html_files(path, name=name, extraction=extraction, draw=draw)
        case "text":
            from pipeline.readers.plain_text import read_plain_text

            yield from read_plain_text(path, name=name)
        case "latex":
            from pipeline.readers.latex.papers import read_latex

            yield from read_latex(path, name=name)
