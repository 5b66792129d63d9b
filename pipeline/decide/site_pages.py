"""The pages of sites through the shuffle: which pages a site is judged by, and the evidence on them.

In: the parts of extract (ids, sites, words, hashed values; no text). Out, below `OUT/decide/sites`:

    counts-<p>.arrow     documents and words per site, sorted by site
    large-<p>.arrow      those of them with more than `MOST_PAGES` documents, and how many pages about are different
    pages-<p>.arrow      the pages that each site is judged by, sorted by site and id
    evidence-<p>.arrow   one row per site: its counts and `pipeline.decide.site_evidence.EVIDENCE`, sorted by site

Sites are divided among partitions by ranges of xxh3(name), so that a partition of one folder meets few of another that
has more or fewer. A site is judged by at most `MOST_PAGES` different pages, those with the smallest ids: ids are hashes
of the text, so this is a random sample, the same however documents came, and the pages of two snapshots make that of
both (`pipeline.decide.site_merge`). Parts send no more pages of a large site than the sample is likely to need, so that
no key of the shuffle grows with a site. All documents of a site count, whether or not a filter drops them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from kernels.arrays import Int64s
from manifests.corpus import SiteRule
from manifests.step import Output, TaskManifest
from pipeline.decide.settings import DecideJob
from pipeline.decide.site_evidence import EVIDENCE, Pages, site_evidence
from pipeline.engines.partitions import finish_partition, partitions_for, run_partitions
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import Task, collect
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import DOCUMENT_ID, id_halves, ipc_bytes, publish_ipc, read_ipc
from pipeline.text.personal.name_rows import NAMES_IN_ROW
from pipeline.text.personal.values import BUSINESS, VALUES
from storage.files import join

FOLDER = "sites"
# Enough for a share of pages to within 0.03 (two standard deviations at one half).
MOST_PAGES = 1_024
# Of a large site, this many times `MOST_PAGES` different pages are expected to be sent: with fewer than `MOST_PAGES`
# among them the sample would only be smaller.
_SENT = 2
# Of so many smallest ids the number of different pages is estimated, to within an eighth (one standard deviation).
_SMALLEST = 64
# Estimated bytes of a page in the shuffle: id, words, a dozen values.
_BYTES_PER_PAGE = 96

COUNTS = pa.schema(
    [
        pa.field("site", pa.string(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("words", pa.int64(), nullable=False),
    ]
)
# What parts say of a site: the ids of some of its pages tell how many are different (`_different`).
_PART_COUNTS = pa.schema([*COUNTS, pa.field("smallest", pa.list_(pa.uint64()), nullable=False)])
_LARGE = pa.schema([*COUNTS, pa.field("different", pa.float64(), nullable=False)])
PAGES = pa.schema(
    [
        pa.field("site", pa.string(), nullable=False),
        pa.field("id", DOCUMENT_ID, nullable=False),
        pa.field("words", pa.int32(), nullable=False),
        BUSINESS,
        NAMES_IN_ROW,
        VALUES,
    ]
)
SITE_EVIDENCE = pa.schema([*COUNTS, *EVIDENCE])


def run_site_pages(parts: Sequence[Part], job: DecideJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish counts, pages and evidence of all partitions; returns the tasks, those of evidence last."""
    partitions = site_partitions(parts)
    counts = {number: partition_name("counts", number) for number in range(partitions)}
    evidence = {number: partition_name("evidence", number) for number in range(partitions)}
    run_partitions(
        counts, parts, partial(emit_sites, partitions=partitions), reduce_sites, job, label="Sites", runner=runner
    )
    run_partitions(
        evidence, parts, partial(emit_pages, partitions=partitions), reduce_pages, job, label="Pages", runner=runner
    )
    return [
        manifest
        for names in (counts, evidence)
        for manifest in collect([Task(name=name, key=job.key) for name in names.values()], folder=job.folder)
    ]


def site_partitions(parts: Sequence[Part]) -> int:
    """How many partitions the sites of these parts have."""
    return partitions_of_sites(sum(part.rows for part in parts))


def partitions_of_sites(documents: int) -> int:
    """How many partitions the sites of so many documents have."""
    return partitions_for(documents * _BYTES_PER_PAGE)


def kind_file(kind: str, partition: int) -> str:
    """One file of a partition, below the step's folder."""
    return f"{partition_name(kind, partition)}.arrow"


def partition_name(kind: str, number: int) -> str:
    """The name of one file of a partition, below the step's folder, without its ending."""
    return f"{FOLDER}/{kind}-{number:05d}"


def emit_sites(part: Part, job: DecideJob, *, partitions: int) -> Iterable[tuple[int, bytes]]:
    """One part's documents and words per site, one element per partition: an IPC file of `_PART_COUNTS`."""
    documents = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["site", "id"])
    words = read_ipc(join(job.extract, part_file("signals", part.name)), columns=["words"])["words"]
    table = pa.table({"site": documents["site"], "id": documents["id"], "words": words.cast(pa.int64())})
    table = table.filter(pc.is_valid(table["site"])).sort_by([("site", "ascending"), ("id", "ascending")])
    sums = table.group_by("site").aggregate([("words", "count"), ("words", "sum")]).sort_by("site")
    counts = pa.table([sums["site"], sums["words_count"], sums["words_sum"]], schema=COUNTS)
    yield from _by_partition(counts.append_column(_PART_COUNTS.field("smallest"), _smallest_ids(table)), partitions)


def reduce_sites(partition: int, elements: list[bytes], job: DecideJob) -> str:
    """Publish the documents and words of the partition's sites, and which of them are large."""
    table = _read_elements(elements, _PART_COUNTS)
    counts = summed_counts(table)
    large = counts.filter(pc.greater(counts["documents"], MOST_PAGES))
    different = [_different(table.filter(pc.equal(table["site"], site))) for site in large["site"]]
    large = large.append_column(_LARGE.field("different"), pa.array(different, pa.float64()))
    outputs = [
        publish_kind("counts", partition, counts, job.folder),
        publish_kind("large", partition, large, job.folder),
    ]
    return finish_partition(partition_name("counts", partition), job, outputs)


def summed_counts(table: pa.Table) -> pa.Table:
    """One row per site of rows of counts, sorted by site."""
    sums = table.group_by("site").aggregate([("documents", "sum"), ("words", "sum")]).sort_by("site")
    return pa.table([sums["site"], sums["documents_sum"], sums["words_sum"]], schema=COUNTS)


def _smallest_ids(table: pa.Table) -> pa.Array:
    """The first halves of the `_SMALLEST` smallest different ids of each site, of a table sorted by site and id."""
    rows = _first_pages(table, most=_SMALLEST)
    sizes = np.bincount(_site_numbers(table["site"])[rows]) if len(rows) else np.zeros(0, np.int64)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(id_halves(table["id"])[rows, 0]))


def _different(parts: pa.Table) -> float:
    """About how many different pages a site has of whose ids all parts sent the smallest.

    Exact if there are fewer than `_SMALLEST`; else (k - 1) / u, u being where the k-th smallest id lies between 0 and 1
    (Bar-Yossef et al. 2002, Counting distinct elements in a data stream, algorithm 1).
    """
    ids = np.unique(parts["smallest"].combine_chunks().flatten().to_numpy())
    if len(ids) < _SMALLEST:
        return float(len(ids))
    return (_SMALLEST - 1) / ((float(ids[_SMALLEST - 1]) + 1) / (1 << 64))


def emit_pages(part: Part, job: DecideJob, *, partitions: int) -> Iterable[tuple[int, bytes]]:
    """One part's pages that sites may be judged by, one element per partition: an IPC file of `PAGES`."""
    documents = read_ipc(join(job.extract, part_file("documents", part.name)), columns=["site", "id"])
    signals = read_ipc(join(job.extract, part_file("signals", part.name)), columns=PAGES.names[2:])
    table = pa.table([documents["site"], documents["id"], *signals.columns], names=PAGES.names)
    table = table.filter(pc.is_valid(table["site"])).combine_chunks()
    large, shares = _large_sites(job.folder, job.key, partitions)
    if len(large):
        place = pc.index_in(table["site"], large).to_numpy(zero_copy_only=False)
        of_large = ~np.isnan(place)
        share = np.ones(table.num_rows)
        share[of_large] = shares[place[of_large].astype(np.int64)]
        table = table.filter(pa.array(_ranks(table["id"]) <= share))
    yield from _by_partition(sampled_pages(table.cast(PAGES)), partitions)


def reduce_pages(partition: int, elements: list[bytes], job: DecideJob) -> str:
    """Publish the pages and the evidence of the partition's sites."""
    rule = job.settings.site_rule
    assert rule is not None
    pages = sampled_pages(_read_elements(elements, PAGES))
    counts = read_ipc(join(job.folder, kind_file("counts", partition)))
    outputs = publish_evidence(partition, counts, pages, job.folder, rule=rule)
    return finish_partition(partition_name("evidence", partition), job, outputs)


def publish_evidence(partition: int, counts: pa.Table, pages: pa.Table, folder: str, *, rule: SiteRule) -> list[Output]:
    """Publish the pages and the evidence of a partition's sites, both sorted by site."""
    evidence = site_evidence(pages_of(pages), furniture_share=rule.furniture_share)
    rows = pa.table([*counts.columns, *evidence.columns], schema=SITE_EVIDENCE)
    return [publish_kind("pages", partition, pages, folder), publish_kind("evidence", partition, rows, folder)]


def publish_kind(kind: str, partition: int, rows: pa.Table, folder: str) -> Output:
    """Publish one file of a partition."""
    return publish_ipc(folder, kind_file(kind, partition), rows.combine_chunks().to_batches(), rows.schema)


def sampled_pages(table: pa.Table) -> pa.Table:
    """The pages among these that each site is judged by, sorted by site and id.

    Samples of samples are those of all pages: of copies of a page the same one stays whatever the order. Copies may
    differ where texts are masked, since values are hashed before that and ids after it: the one with the most values
    stays.
    """
    values = table[VALUES.name].combine_chunks()
    spelled = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(),
        len(values),
        [None, pa.py_buffer(4 * _offsets(values)), pa.py_buffer(values.flatten().to_numpy().astype(">u4"))],
    )
    fewer = pc.negate(pc.list_value_length(values))
    keys = pa.table([*table.columns[:-1], fewer, spelled], names=[*table.column_names[:-1], "fewer", "spelled"])
    rows = pc.sort_indices(
        keys, sort_keys=[(name, "ascending") for name in ("site", "id", "fewer", *table.column_names[2:-1], "spelled")]
    )
    ordered = table.take(rows)
    return ordered.take(pa.array(_first_pages(ordered, most=MOST_PAGES))).combine_chunks()


def pages_of(table: pa.Table) -> Pages:
    """Pages of sites, sorted by site, as arrays."""
    values = table[VALUES.name].combine_chunks()
    return Pages(
        sites=_site_numbers(table["site"]),
        words=table["words"].to_numpy().astype(np.int64),
        marks=table[BUSINESS.name].to_numpy().astype(np.int64),
        rows=table[NAMES_IN_ROW.name].to_numpy().astype(np.int64),
        offsets=_offsets(values),
        values=values.flatten().to_numpy(),
    )


def _offsets(lists: pa.ListArray) -> Int64s:
    """Where each list begins in all their values, and where the last one ends."""
    offsets: Int64s = lists.offsets.to_numpy().astype(np.int64)
    return offsets - offsets[:1] if len(offsets) else np.zeros(1, np.int64)


def _site_numbers(sites: pa.ChunkedArray) -> Int64s:
    """0 for the first site, 1 for the next: int64[n] for n names that are sorted."""
    numbers: Int64s = sites.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    return numbers


def _first_pages(table: pa.Table, *, most: int) -> Int64s:
    """The rows of the first `most` different pages of each site, of a table sorted by site and id."""
    if not table.num_rows:
        return np.zeros(0, np.int64)
    sites, ids = _site_numbers(table["site"]), id_halves(table["id"])
    new = np.ones(len(sites), bool)
    new[1:] = (sites[1:] != sites[:-1]) | (ids[1:] != ids[:-1]).any(axis=1)
    rows = np.flatnonzero(new)
    first = np.flatnonzero(np.diff(sites[rows], prepend=-1))
    rank = np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows)))
    return rows[rank < most]


def _ranks(ids: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Where ids lie between the smallest possible one, 0, and the largest, 1: float64[n]."""
    return id_halves(ids)[:, 0] / float(1 << 64)


@lru_cache(maxsize=1)
def _large_sites(folder: str, _key: str, partitions: int) -> tuple[pa.Array, npt.NDArray[np.float64]]:
    """All large sites, and the share of the pages of each that is sent."""
    table = pa.concat_tables(
        [read_ipc(join(folder, kind_file("large", number))) for number in range(partitions)]
    ).combine_chunks()
    names = table["site"].combine_chunks() if table.num_rows else pa.array([], pa.string())
    return names, np.minimum(1.0, _SENT * MOST_PAGES / np.maximum(table["different"].to_numpy(), 1))


def partition_of(site: str, partitions: int) -> int:
    """The partition of a site."""
    return xxhash.xxh3_64_intdigest(site.encode()) * partitions >> 64


def overlapping(partition: int, partitions: int, *, others: int) -> range:
    """The partitions of a division into `others` that may hold sites of one of a division into `partitions`."""
    return range(partition * others // partitions, -(-(partition + 1) * others // partitions))


def partitions_of_rows(table: pa.Table, partitions: int) -> Int64s:
    """The partition of each row of a table that has a column `site`: int64[n]."""
    encoded = table["site"].combine_chunks().dictionary_encode()
    numbers = np.array([partition_of(site, partitions) for site in encoded.dictionary.to_pylist()], np.int64)
    of_rows: Int64s = numbers[encoded.indices.to_numpy()] if table.num_rows else np.zeros(0, np.int64)
    return of_rows


def _by_partition(table: pa.Table, partitions: int) -> Iterable[tuple[int, bytes]]:
    """The rows of a table that has a column `site`, an IPC file per partition."""
    rows = partitions_of_rows(table, partitions)
    for partition in np.unique(rows):
        chosen = table.take(pa.array(np.flatnonzero(rows == partition))).combine_chunks()
        yield int(partition), ipc_bytes(chosen.to_batches(), table.schema).to_pybytes()


def _read_elements(elements: Sequence[bytes], schema: pa.Schema) -> pa.Table:
    tables = [pa.ipc.open_file(pa.BufferReader(element)).read_all() for element in elements]
    return pa.concat_tables([schema.empty_table(), *tables]).combine_chunks()
