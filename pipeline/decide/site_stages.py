"""Which pages sites are judged by, from the parts of extract to the files of `pipeline.decide.site_pages`.

In: the runs of parts (ids, sites, words, hashed values; no text). Out: counts, large sites, pages and evidence of each
partition of sites. Stages, each a task per run or per partition:

- `sent` (runs): one record for each site of a run: its documents, their words, and the smallest ids.
- `counts` (partitions): `counts-<p>.arrow`, `large-<p>.arrow`.
- `shares` (partitions): to each run the large sites among its own, and the share of their pages that is needed.
- `pages` (runs): the pages of each site, of a large one no more than the sample is likely to need.
- `evidence` (partitions): `pages-<p>.arrow`, `evidence-<p>.arrow`.

So nothing that a task reads grows with a site, and a run is told of its own sites alone. All documents of a site count,
whether or not a filter drops them. Pages without any evidence are sent like others: they count in the shares by which a
site is judged, and other snapshots may have evidence on their sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kernels.arrays import Float64s, Int64s, Uint64s
from manifests.step import Output, TaskManifest
from pipeline.decide import site_pages
from pipeline.decide.exchange import Shape, one_batch, receive, receive_each, send
from pipeline.decide.runs import RunJob, parts_of
from pipeline.decide.site_pages import (
    COUNTS,
    FOLDER,
    PAGES,
    by_site_and_id,
    first_pages,
    kind_file,
    numbered_sites,
    partition_name,
    partitions_of_names,
    partitions_of_rows,
    publish_evidence,
    publish_kind,
    sampled_pages,
    site_partitions,
    summed_counts,
)
from pipeline.decide.stages import Stage, numbered, run_stages, tasks_in
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import collect, pending_tasks
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import id_halves, read_ipc
from storage.files import join

SENT, SHARES, PAGES_SENT = (f"{FOLDER}/{name}" for name in ("sent", "shares", "pages"))
# Of a large site, this many times `MOST_PAGES` different pages are expected to be sent: with fewer than `MOST_PAGES`
# among them the sample would only be smaller.
_SENT_TIMES = 2
# Of so many smallest ids the number of different pages is estimated, to within an eighth (one standard deviation).
_SMALLEST = 64
# What runs say of a site: the ids of some of its pages tell how many are different (`_different`).
_SENT = pa.schema([*COUNTS, pa.field("smallest", pa.list_(pa.uint64()), nullable=False)])
_LARGE = pa.schema([*COUNTS, pa.field("different", pa.float64(), nullable=False)])
_SHARES = pa.schema([pa.field("site", pa.string(), nullable=False), pa.field("share", pa.float64(), nullable=False)])


class SiteJob(RunJob):
    """What tasks over runs and over partitions of sites share.

    Attributes:
        partitions: how many there are.
    """

    partitions: int

    @property
    def to_partitions(self) -> Shape:
        """Of exchanges from runs to partitions."""
        return Shape(self.runs, self.partitions)

    @property
    def to_runs(self) -> Shape:
        """Of exchanges from partitions to runs."""
        return Shape(self.partitions, self.runs)


def site_job(parts: Sequence[Part], job: RunJob) -> SiteJob:
    """The job with the number of partitions that the sites of these parts have."""
    own = {name: getattr(job, name) for name in RunJob.model_fields}
    return SiteJob(**own, partitions=site_partitions(parts))


def run_site_pages(job: SiteJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish counts, pages and evidence of all partitions; returns the tasks, those of evidence last.

    Args:
        runner: with as many workers as the stages can use.
    """
    stages = page_stages(job)
    published = [tasks_in(stage, job) for stage in stages if stage.work in (publish_counts, publish_pages)]
    if pending_tasks([task for tasks in published for task in tasks], folder=job.folder):
        run_stages(stages, job, runner=runner)
    return [manifest for tasks in published for manifest in collect(tasks, folder=job.folder)]


def page_stages(job: SiteJob) -> list[Stage]:
    """All stages, in their order."""
    counts, evidence = (partial(partition_name, kind) for kind in ("counts", "evidence"))
    shares, pages = (partial(numbered, stage=name) for name in (SHARES, PAGES_SENT))
    return [
        sent_stage(job),
        Stage("Sites: counts", publish_counts, counts, job.partitions),
        Stage("Sites: shares", send_shares, shares, job.partitions, ((SHARES, job.to_runs),)),
        Stage("Sites: pages", send_pages, pages, job.runs, ((PAGES_SENT, job.to_partitions),)),
        Stage("Sites: evidence", publish_pages, evidence, job.partitions),
    ]


def sent_stage(job: SiteJob) -> Stage:
    """The stage that sends the sites of each run to their partitions."""
    return Stage("Sites", send_sites, partial(numbered, stage=SENT), job.runs, ((SENT, job.to_partitions),))


class _Documents(NamedTuple):
    """Documents of n rows that have a site.

    Attributes:
        names: the different sites, sorted.
        sites: int64[n], the number of each row's site among them.
        ids: uint64[n, 2].
        words: int64[n].
    """

    names: pa.Array
    sites: Int64s
    ids: Uint64s
    words: Int64s


def _documents(run: int, job: SiteJob) -> _Documents:
    tables = [pa.schema([*PAGES][:3]).empty_table()]
    for part in parts_of(run, job):
        documents = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["site", "id"])
        words = read_ipc(join(job.extract, part_file("signals", part.name)), columns=["words"])["words"]
        tables.append(documents.append_column("words", words).filter(pc.is_valid(documents["site"])))
    table = pa.concat_tables([each.cast(tables[0].schema) for each in tables])
    return _Documents(
        *numbered_sites(table["site"]), id_halves(table["id"]), table["words"].to_numpy().astype(np.int64)
    )


def send_sites(run: int, job: SiteJob) -> list[Output]:
    """Stage `sent` of one run."""
    names, sites, ids, words = _documents(run, job)
    order = by_site_and_id(sites, ids)
    # Sums of whole numbers below 2^53 are exact.
    totals = np.bincount(sites, words, minlength=len(names)).astype(np.int64)
    first = first_pages(sites[order], ids[order], most=_SMALLEST)
    offsets = np.searchsorted(sites[order][first], np.arange(len(names) + 1)).astype(np.int32)
    smallest = pa.ListArray.from_arrays(pa.array(offsets), pa.array(ids[order][first, 0]))
    documents = np.bincount(sites, minlength=len(names))
    batch = pa.RecordBatch.from_arrays([names, pa.array(documents), pa.array(totals), smallest], schema=_SENT)
    return [send(job, SENT, run, batch, partitions_of_names(names, job.partitions), shape=job.to_partitions)]


def publish_counts(partition: int, job: SiteJob) -> list[Output]:
    """Publish the documents and words of the partition's sites, and which of them are large."""
    table = receive(job, SENT, partition, shape=job.to_partitions)
    counts = summed_counts(table)
    large = counts.filter(pc.greater(counts["documents"], site_pages.MOST_PAGES))
    sent = table.filter(pc.is_in(table["site"], value_set=large["site"].combine_chunks())).combine_chunks()
    large = large.append_column(_LARGE.field("different"), pa.array(_different(sent), pa.float64()))
    return [
        publish_kind("counts", partition, counts, job.folder),
        publish_kind("large", partition, large, job.folder),
    ]


def _different(sent: pa.Table) -> Float64s:
    """About how many different pages each site has, in the order of names: float64[n].

    Exact if there are fewer than `_SMALLEST`; else (k - 1) / u, u being where the k-th smallest id lies between 0 and 1
    (Bar-Yossef et al. 2002, Counting distinct elements in a data stream, algorithm 1).

    Args:
        sent: what runs said of n sites.
    """
    names, sites = numbered_sites(sent["site"])
    lists = sent["smallest"].combine_chunks()
    ids, of_site = lists.flatten().to_numpy(), np.repeat(sites, pc.list_value_length(lists).to_numpy())
    order = np.lexsort((ids, of_site))
    halves = np.stack([np.zeros(len(ids), np.uint64), ids[order]], axis=1)
    first = first_pages(of_site[order], halves, most=_SMALLEST)
    ids, of_site = ids[order][first], of_site[order][first]
    found = np.bincount(of_site, minlength=len(names)).astype(np.float64)
    many = found == _SMALLEST
    last = np.searchsorted(of_site, np.flatnonzero(many), side="right") - 1
    found[many] = (_SMALLEST - 1) / ((ids[last].astype(np.float64) + 1) / (1 << 64))
    return found


def send_shares(partition: int, job: SiteJob) -> list[Output]:
    """Stage `shares` of one partition."""
    large = read_ipc(join(job.folder, kind_file("large", partition)))
    shares = _SENT_TIMES * site_pages.MOST_PAGES / np.maximum(large["different"].to_numpy(), 1)
    cut = pa.table([large["site"], pa.array(shares)], schema=_SHARES).filter(pa.array(shares < 1)).combine_chunks()
    return [send_back(job, SHARES, partition, cut)]


def send_back(job: SiteJob, exchange: str, partition: int, table: pa.Table) -> Output:
    """Send the rows of a table on sites of one partition to each run that has the site.

    Args:
        table: a row per site, with a column `site`.
    """
    tables, runs = [table.schema.empty_table()], [np.zeros(0, np.int64)]
    if table.num_rows:
        for run, batch in enumerate(receive_each(job, SENT, partition, shape=job.to_partitions)):
            places = pc.index_in(table["site"], value_set=batch["site"]).is_valid()
            tables.append(table.filter(places))
            runs.append(np.full(tables[-1].num_rows, run, np.int64))
    batch = one_batch(pa.concat_tables(tables))
    return send(job, exchange, partition, batch, np.concatenate(runs), shape=job.to_runs)


def send_pages(run: int, job: SiteJob) -> list[Output]:
    """Stage `pages` of one run."""
    shares = receive(job, SHARES, run, shape=job.to_runs)
    found = [PAGES.empty_table()]
    for part in parts_of(run, job):
        documents = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["site", "id"])
        signals = read_ipc(join(job.extract, part_file("signals", part.name)), columns=PAGES.names[2:])
        table = pa.table([*documents.columns, *signals.columns], names=PAGES.names)
        table = table.filter(pc.is_valid(table["site"]))
        if shares.num_rows:
            place = pc.index_in(table["site"], value_set=shares["site"].combine_chunks())
            share = shares["share"].take(place.combine_chunks()).fill_null(1.0).to_numpy()
            table = table.filter(pa.array(id_halves(table["id"])[:, 0] / float(1 << 64) <= share))
        found.append(table.cast(PAGES))
    pages = sampled_pages(pa.concat_tables(found).combine_chunks())
    to = partitions_of_rows(pages, job.partitions)
    return [send(job, PAGES_SENT, run, one_batch(pages), to, shape=job.to_partitions)]


def publish_pages(partition: int, job: SiteJob) -> list[Output]:
    """Publish the pages and the evidence of the partition's sites."""
    rule = job.settings.site_rule
    assert rule is not None
    pages = sampled_pages(receive(job, PAGES_SENT, partition, shape=job.to_partitions))
    counts = read_ipc(join(job.folder, kind_file("counts", partition)))
    return publish_evidence(partition, counts, pages, job.folder, rule=rule)
