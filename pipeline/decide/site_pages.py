"""The pages that sites are judged by, and the files that hold them.

Files of sites, below `OUT/decide/sites`, each of one partition:

    counts-<p>.arrow     documents and words per site, sorted by site
    large-<p>.arrow      those of them with more than `MOST_PAGES` documents, and how many pages about are different
    pages-<p>.arrow      the pages that each site is judged by, sorted by site and id
    evidence-<p>.arrow   one row per site: its counts and `pipeline.decide.site_evidence.EVIDENCE`, sorted by site

Sites are divided among partitions by ranges of xxh3(name), so that a partition of one folder meets few of another that
has more or fewer. A site is judged by at most `MOST_PAGES` different pages, those with the smallest ids: ids are hashes
of the text, so this is a random sample, the same however documents came, and the pages of two snapshots make that of
both (`pipeline.decide.site_merge`). `pipeline.decide.site_stages` makes these files of the parts of extract.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from kernels.arrays import Bools, Int64s, Uint64s
from manifests.corpus import SiteRule
from manifests.step import Output
from pipeline.decide.site_evidence import EVIDENCE, Pages, site_evidence
from pipeline.engines.partitions import partitions_for
from pipeline.parts import Part
from pipeline.schemas import DOCUMENT_ID, id_halves, publish_ipc
from pipeline.text.personal.name_rows import NAMES_IN_ROW
from pipeline.text.personal.values import BUSINESS, VALUES

FOLDER = "sites"
# Enough for a share of pages to within 0.03 (two standard deviations at one half).
MOST_PAGES = 1_024
# Estimated bytes of a page in the shuffle: id, words, a dozen values.
_BYTES_PER_PAGE = 96

COUNTS = pa.schema(
    [
        pa.field("site", pa.string(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("words", pa.int64(), nullable=False),
    ]
)
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


def summed_counts(table: pa.Table) -> pa.Table:
    """One row per site of rows of counts, sorted by site."""
    sums = table.group_by("site").aggregate([("documents", "sum"), ("words", "sum")]).sort_by("site")
    return pa.table([sums["site"], sums["documents_sum"], sums["words_sum"]], schema=COUNTS)


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
    _, sites = numbered_sites(table["site"])
    ids = id_halves(table["id"])
    order = by_site_and_id(sites, ids)
    sites, ids = sites[order], ids[order]
    copied = _copied(sites, ids)
    if copied.any():
        order[copied] = order[copied][_by_values(table.take(pa.array(order[copied])))]
    chosen = order[first_pages(sites, ids, most=MOST_PAGES)]
    return table.take(pa.array(chosen)).combine_chunks()


def _copied(sites: Int64s, ids: Uint64s) -> Bools:
    """Which pages have copies, bool[n]; sorted by site and id."""
    again = _again(sites, ids)
    copied = again.copy()
    copied[:-1] |= again[1:]
    return copied


def _by_values(table: pa.Table) -> Int64s:
    """The order of pages by site and id, and of copies of a page the one first that stays."""
    values = table[VALUES.name].combine_chunks()
    spelled = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(),
        len(values),
        [None, pa.py_buffer(4 * _offsets(values)), pa.py_buffer(values.flatten().to_numpy().astype(">u4"))],
    )
    fewer = pc.negate(pc.list_value_length(values))
    keys = pa.table([*table.columns[:-1], fewer, spelled], names=[*table.column_names[:-1], "fewer", "spelled"])
    names = ("site", "id", "fewer", *table.column_names[2:-1], "spelled")
    order: Int64s = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in names]).to_numpy().astype(np.int64)
    return order


def pages_of(table: pa.Table) -> Pages:
    """Pages of sites, sorted by site, as arrays."""
    values = table[VALUES.name].combine_chunks()
    firsts = _first_rows(table["site"].combine_chunks())
    return Pages(
        sites=np.repeat(np.arange(len(firsts)), np.diff(firsts, append=len(values))),
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


def _first_rows(sites: pa.Array) -> Int64s:
    """The first row of each site, of names that are sorted: int64[m]."""
    new = np.ones(len(sites), bool)
    new[1:] = pc.not_equal(sites[1:], sites[:-1]).to_numpy(zero_copy_only=False)
    return np.flatnonzero(new)


def numbered_sites(sites: pa.ChunkedArray) -> tuple[pa.Array, Int64s]:
    """The different sites, sorted, and the number among them of each row's site, int64[n]."""
    encoded = sites.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), places[encoded.indices.to_numpy()]


def by_site_and_id(sites: Int64s, ids: Uint64s) -> Int64s:
    """The order of pages by site and id: int64[n].

    Args:
        sites: int64[n], the number of each page's site.
        ids: uint64[n, 2].
    """
    bits = np.uint64(int(sites.max(initial=0)).bit_length())
    # One sort instead of three: of the bits of sites, followed by as many of the ids as there is room for.
    packed = sites.astype(np.uint64) << (np.uint64(64) - bits) | ids[:, 0] >> bits if bits else ids[:, 0]
    order = np.argsort(packed, kind="stable")
    packed, halves = packed[order], ids[order]
    before = (halves[1:, 0] < halves[:-1, 0]) | (halves[1:, 0] == halves[:-1, 0]) & (halves[1:, 1] < halves[:-1, 1])
    if ((packed[1:] == packed[:-1]) & before).any():  # two ids that differ in their last bits alone
        return np.lexsort((ids[:, 1], ids[:, 0], sites))
    return order


def first_pages(sites: Int64s, ids: Uint64s, *, most: int) -> Int64s:
    """The rows of the first `most` different pages of each site.

    Args:
        sites: int64[n], the number of each page's site.
        ids: uint64[n, 2]; pages are sorted by site and id.
    """
    rows = np.flatnonzero(~_again(sites, ids))
    first = np.flatnonzero(np.diff(sites[rows], prepend=-1))
    rank = np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows)))
    return rows[rank < most]


def _again(sites: Int64s, ids: Uint64s) -> Bools:
    """Which pages are copies of the one before, bool[n]."""
    again = np.zeros(len(sites), bool)
    again[1:] = (sites[1:] == sites[:-1]) & (ids[1:] == ids[:-1]).all(axis=1)
    return again


def partition_of(site: str, partitions: int) -> int:
    """The partition of a site."""
    return xxhash.xxh3_64_intdigest(site.encode()) * partitions >> 64


def overlapping(partition: int, partitions: int, *, others: int) -> range:
    """The partitions of a division into `others` that may hold sites of one of a division into `partitions`."""
    return range(partition * others // partitions, -(-(partition + 1) * others // partitions))


def partitions_of_rows(table: pa.Table, partitions: int) -> Int64s:
    """The partition of each row of a table that is sorted by its column `site`: int64[n]."""
    sites = table["site"].combine_chunks()
    firsts = _first_rows(sites)
    found = partitions_of_names(sites.take(pa.array(firsts)), partitions)
    return np.repeat(found, np.diff(firsts, append=len(sites)))


def partitions_of_names(sites: pa.Array, partitions: int) -> Int64s:
    """The partition of each site, int64[n]."""
    if partitions == 1:
        return np.zeros(len(sites), np.int64)
    names = sites.cast(pa.binary()).to_pylist()
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, names), np.uint64, len(names))
    # The product's bits from 64 on, as in `partition_of`.
    high, low = (half * np.uint64(partitions) for half in (hashes >> np.uint64(32), hashes & np.uint64(0xFFFFFFFF)))
    return ((high + (low >> np.uint64(32))) >> np.uint64(32)).astype(np.int64)
