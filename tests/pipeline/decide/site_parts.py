"""Parts of extract that hold only what the site rule reads, made of pages by hand."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pyarrow as pa

from manifests.corpus import CorpusManifest, SiteRule
from pipeline.decide import runs
from pipeline.decide.exchange import receive
from pipeline.decide.runs import run_job
from pipeline.decide.settings import DecideJob, decide_settings
from pipeline.decide.site_evidence import site_evidence
from pipeline.decide.site_pages import pages_of, partition_name, partition_of
from pipeline.decide.site_stages import PAGES_SENT, SiteJob, page_stages
from pipeline.decide.stages import steps_of
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import DOCUMENT_ID, publish_ipc, read_ipc
from pipeline.text.personal.name_rows import NAMES_IN_ROW
from pipeline.text.personal.values import BUSINESS, KIND_SHIFT, NAMED, VALUES, ValueKind

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


def page(site: str | None, number: int) -> Document:
    """A page with some values of its own; every fifth has one that is on others too."""
    kind = list(ValueKind)[number % len(ValueKind)]
    values = {(kind << KIND_SHIFT) | number, (ValueKind.EMAIL << KIND_SHIFT) | int(NAMED) | (number + 1_000)}
    if number % 5 == 0:
        values.add(ValueKind.PHONE << KIND_SHIFT)
    return Document(site, f"{site} {number}", number % 90, tuple(sorted(values)))


def deal(documents: Sequence[Document], parts: int, seed: int) -> list[list[Document]]:
    draw = random.Random(seed)
    shuffled = draw.sample(list(documents), len(documents))
    return [shuffled[number::parts] for number in range(parts)]


def in_runs(parts: Sequence[Part], job: DecideJob, *, partitions: int, seed: int = 0) -> SiteJob:
    """The job over runs of some length, with exchanges of one level or two."""
    draw = random.Random(seed)
    with (
        patch.object(runs, "RUN_BYTES", draw.choice((1, 40 * 224, 1 << 26))),
        patch.object(runs, "FAN", draw.choice((1, 2, 256))),
    ):
        own = run_job(parts, job)
    return SiteJob(**{name: getattr(own, name) for name in runs.RunJob.model_fields}, partitions=partitions)


def shuffle(parts: Sequence[Part], job: DecideJob, *, partitions: int, seed: int = 0) -> dict[str, int]:
    """All stages without Beam, the tasks of each in a random order; how many pages were sent for each site."""
    draw = random.Random(seed)
    own = in_runs(parts, job, partitions=partitions, seed=seed)
    for stage in steps_of(page_stages(own), own):
        for number in draw.sample(range(stage.size), stage.size):
            stage.work(number, own)
    sent: dict[str, int] = defaultdict(int)
    for number in range(partitions):
        for site in receive(own, PAGES_SENT, number, shape=own.to_partitions)["site"].to_pylist():
            sent[site] += 1
    return sent


def read(job: DecideJob, kind: str, *, partitions: int) -> list[dict[str, Any]]:
    tables = [read_ipc(f"{job.folder}/{partition_name(kind, number)}.arrow") for number in range(partitions)]
    for number, table in enumerate(tables):
        names = table["site"].to_pylist()
        assert names == sorted(names)
        assert all(partition_of(name, partitions) == number for name in names)
    return sorted(
        (row for table in tables for row in table.to_pylist()), key=lambda row: (row["site"], row.get("id", b""))
    )


def expected(documents: Sequence[Document], most: int) -> tuple[list[dict[str, Any]], list[tuple[str, bytes]]]:
    """Evidence of each site, and the pages that it is judged by, slowly."""
    rows, pages = [], []
    sites = sorted({document.site for document in documents if document.site is not None})
    for site in sites:
        here = [document for document in documents if document.site == site]
        chosen = dict(sorted({document.id: document for document in here}.items())[:most])
        pages += [(site, identity) for identity in chosen]
        table = pa.table(
            {
                "site": [site] * len(chosen),
                "words": pa.array([document.words for document in chosen.values()], pa.int32()),
                "business_marks": pa.array([len(document.text) % 2 for document in chosen.values()], pa.int32()),
                "names_in_row": pa.array([len(document.text) % 3 for document in chosen.values()], pa.int32()),
                "personal_values": pa.array([document.values for document in chosen.values()], VALUES.type),
            }
        )
        (row,) = site_evidence(pages_of(table), furniture_share=0.03).to_pylist()
        counts = {"site": site, "documents": len(here), "words": sum(document.words for document in here)}
        rows.append(counts | row)
    return rows, pages
