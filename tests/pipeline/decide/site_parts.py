"""Parts of extract that hold only what the site rule reads, made of pages by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from manifests.corpus import CorpusManifest, SiteRule
from pipeline.decide.settings import DecideJob, decide_settings
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import DOCUMENT_ID, publish_ipc
from pipeline.text.personal.name_rows import NAMES_IN_ROW
from pipeline.text.personal.values import BUSINESS, VALUES

_DOCUMENTS = pa.schema([pa.field("site", pa.string()), pa.field("id", DOCUMENT_ID, nullable=False)])
_SIGNALS = pa.schema([pa.field("words", pa.int32(), nullable=False), BUSINESS, NAMES_IN_ROW, VALUES])


class Document(NamedTuple):
    """What the site rule reads of a document; its id is a hash of its text."""

    site: str | None
    text: str
    words: int = 10
    values: tuple[int, ...] = ()

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()[:16]


def write_parts(folder: Path, groups: Sequence[Sequence[Document]]) -> list[Part]:
    """A part for each group of documents, below `folder`."""
    parts = []
    for number, group in enumerate(groups):
        name = f"web/{number:03d}"
        documents = pa.RecordBatch.from_arrays(
            [
                pa.array([document.site for document in group], pa.string()),
                pa.array([document.id for document in group], DOCUMENT_ID),
            ],
            schema=_DOCUMENTS,
        )
        signals = pa.RecordBatch.from_arrays(
            [
                pa.array([document.words for document in group], pa.int32()),
                pa.array([len(document.text) % 2 for document in group], pa.int32()),
                pa.array([len(document.text) % 3 for document in group], pa.int32()),
                pa.array([document.values for document in group], VALUES.type),
            ],
            schema=_SIGNALS,
        )
        publish_ipc(str(folder), part_file("documents", name), [documents], _DOCUMENTS)
        publish_ipc(str(folder), part_file("signals", name), [signals], _SIGNALS)
        parts.append(
            Part(
                name=name,
                number=number,
                source="web",
                sha256="",
                rows=len(group),
                text_bytes=0,
                priority=100,
                bucket="web/general",
            )
        )
    return parts


def site_job(extract: Path, folder: Path, *, rule: SiteRule | None = None) -> DecideJob:
    """The job of decide over such parts."""
    manifest = CorpusManifest.model_validate(
        {
            "name": "sample",
            "sources": [{"name": "web", "format": "jsonl", "files": ["*.jsonl"], "licence": "made up"}],
            "tokenizer": {"model": "none"},
            "personal_information": {"sites": (rule or SiteRule()).model_dump()},
        }
    )
    settings = decide_settings(manifest, block_lists=(), allowed_sites=None)
    return DecideJob(settings=settings, extract=str(extract), folder=str(folder), key="key")
