"""The site rule: sums personal information per registered domain and drops whole domains.

In: the parts of extract (sites, words, spans). Out, below `OUT/decide/sites`:

    <p>.arrow         pipeline.schemas.SITES, the sites of one partition, sorted by name
    dropped.arrow     the names of the dropped sites, sorted; later tasks read only this file

A site belongs to partition xxh3(name) mod the number of partitions. All documents of a site count, whether or not a
filter drops them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence, Set
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dedup.pairs import partitions_for
from manifests.corpus import PersonalInformation
from manifests.step import TaskManifest
from pipeline.decide.settings import DecideJob
from pipeline.engines.partitions import finish_partition, run_partitions
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import Task, collect
from pipeline.filters.reasons import Reasons, code_of
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import SITES, publish_ipc, read_ipc
from storage.files import join
from storage.steps import finished_task

FOLDER = "sites"
_DROPPED_TASK = f"{FOLDER}/dropped"
_DROPPED_FILE = f"{FOLDER}/dropped.arrow"
_DROPPED_SCHEMA = pa.schema([pa.field("site", pa.string(), nullable=False)])
# Estimated size of a row of a shuffle element: a name and three numbers as JSON; at most one row per document.
_BYTES_PER_ROW = 64


def run_site_rule(parts: Sequence[Part], job: DecideJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish the sites and the list of dropped sites. Does nothing if the manifest has no rule."""
    rule = job.settings.personal_information
    if rule is None:
        return []
    count = partitions_for(sum(part.rows for part in parts) * _BYTES_PER_ROW)
    names = {number: f"{FOLDER}/{number:05d}" for number in range(count)}
    emit, reduce = partial(emit_sites, rule=rule, partitions=count), partial(reduce_sites, rule=rule)
    run_partitions(names, parts, emit, reduce, job, label="Sites", runner=runner)
    if finished_task(job.folder, _DROPPED_TASK, job.key) is None:
        _publish_dropped(sorted(names.values()), job)
    return collect([Task(name=name, key=job.key) for name in (*names.values(), _DROPPED_TASK)], folder=job.folder)


def is_heavy(documents: int, words: int, spans: int, rule: PersonalInformation) -> bool:
    """The site rule: enough documents to judge, and more spans per 1,000 words than allowed.

    Llama 2 removed "certain sites known to contain a high volume of personal information" (arXiv 2307.09288, section
    2.1) without publishing its rule; density per registered domain is our own choice.
    """
    return documents >= rule.min_documents and spans * 1000 > rule.max_spans_per_1000_words * max(words, 1)


def emit_sites(
    part: Part, job: DecideJob, *, rule: PersonalInformation, partitions: int
) -> Iterable[tuple[int, bytes]]:
    """One part's sums per site, as JSON rows [site, documents, words, spans], one element per partition."""
    site = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["site"])["site"]
    columns = ["words", *(f"spans_{kind}" for kind in rule.kinds)]
    signals = read_ipc(join(job.extract, part_file("signals", part.name)), columns=columns)
    table = pa.table(
        {"site": site, "words": signals["words"].cast(pa.int64()), "spans": pa.array(spans_of(signals, rule))}
    )
    named = table.filter(pc.is_valid(table["site"]))
    sums = named.group_by("site").aggregate([("words", "count"), ("words", "sum"), ("spans", "sum")])
    rows: dict[int, list[tuple[str, int, int, int]]] = {}
    for row in zip(
        *(sums[name].to_pylist() for name in ("site", "words_count", "words_sum", "spans_sum")), strict=True
    ):
        rows.setdefault(xxhash.xxh3_64_intdigest(row[0].encode()) % partitions, []).append(row)
    for partition, group in sorted(rows.items()):
        yield partition, json.dumps(sorted(group)).encode()


def reduce_sites(partition: int, elements: list[bytes], job: DecideJob, *, rule: PersonalInformation) -> str:
    """Publish the partition's sites, sorted by name, with the verdict of the site rule."""
    sums: dict[str, list[int]] = {}
    for element in elements:
        for site, *counts in json.loads(element):
            sums[site] = [a + b for a, b in zip(sums.get(site, [0, 0, 0]), counts, strict=True)]
    rows = [
        {
            "site": site,
            "documents": documents,
            "words": words,
            "spans": spans,
            "dropped": is_heavy(documents, words, spans, rule),
        }
        for site, (documents, words, spans) in sorted(sums.items())
    ]
    name = f"{FOLDER}/{partition:05d}"
    batch = pa.RecordBatch.from_pylist(rows, schema=SITES)
    return finish_partition(name, job, [publish_ipc(job.folder, f"{name}.arrow", [batch], SITES)])


def dropped_sites(job: DecideJob) -> set[str]:
    """Names of the sites that the rule drops; empty without a rule."""
    if job.settings.personal_information is None:
        return set()
    return set(read_ipc(join(job.folder, _DROPPED_FILE))["site"].to_pylist())


def document_reasons(reasons: Reasons, signals: pa.Table, rule: PersonalInformation | None) -> Reasons:
    """Mark documents with more personal information than the rule allows. Documents that have a reason keep it."""
    if rule is None or rule.max_spans_per_document is None:
        return reasons
    hit = spans_of(signals, rule) > rule.max_spans_per_document
    return np.where((reasons == 0) & hit, np.uint8(code_of("personal_information_document")), reasons).astype(np.uint8)


def site_reasons(reasons: Reasons, sites: pa.ChunkedArray, dropped: Set[str]) -> Reasons:
    """Mark documents of dropped sites. Documents that have a reason keep it."""
    if not dropped:
        return reasons
    hit = pc.is_in(sites, value_set=pa.array(sorted(dropped), pa.string())).to_numpy(zero_copy_only=False)
    return np.where((reasons == 0) & hit, np.uint8(code_of("personal_information_site")), reasons).astype(np.uint8)


def spans_of(signals: pa.Table, rule: PersonalInformation) -> npt.NDArray[np.int64]:
    """Number of personal-information spans per document, over the kinds of the rule; int64[n]."""
    total = np.zeros(signals.num_rows, np.int64)
    for kind in rule.kinds:
        total += signals[f"spans_{kind}"].to_numpy()
    return total


def _publish_dropped(names: Sequence[str], job: DecideJob) -> None:
    dropped: list[str] = []
    for name in names:
        table = read_ipc(join(job.folder, f"{name}.arrow"))
        dropped += table.filter(table["dropped"])["site"].to_pylist()
    batch = pa.RecordBatch.from_arrays([pa.array(sorted(dropped), pa.string())], schema=_DROPPED_SCHEMA)
    finish_partition(_DROPPED_TASK, job, [publish_ipc(job.folder, _DROPPED_FILE, [batch], _DROPPED_SCHEMA)])
