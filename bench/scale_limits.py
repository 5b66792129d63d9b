"""What breaks first as a corpus grows: quantities that one process holds, or that a format bounds.

In: measured slopes and the counts of a workload. Out: for each quantity its value, its bound, and the number of
documents at which it reaches the bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.scale import (
    BANDS,
    GB,
    MB,
    Counts,
    Points,
    Prices,
    Workload,
    client_bytes,
    dropped_sites_bytes,
    output_count,
    task_count,
    waiting_requests,
)
from dedup.pairs import BYTES_PER_PARTITION, bytes_per_document
from pipeline.decide.duplicates import SHUFFLE_BYTES

# Beam's rule for this project: values of one key, bytes (DESIGN.md, "The Beam subset").
KEY_BYTES = 32 * 2**20
# Elements below this are overhead rather than data: the microseconds of an element are then what copying it several
# times over takes.
SMALL_ELEMENT = 1_024


@dataclass(frozen=True)
class Limit:
    """A quantity that one process holds, or that a format bounds, and the number of documents at which it no longer
    fits.
    """

    what: str
    value: float
    unit: str
    bound: float
    documents: float
    source: str


def limits(work: Workload, points: Points, counts: Counts, prices: Prices) -> list[Limit]:
    """What one process holds or a format bounds.

    Quantities grow with the number of documents; text per document stays.
    """

    def linear(what: str, value: float, unit: str, bound: float, source: str) -> Limit:
        return Limit(what, value, unit, bound, work.documents * bound / value if value else math.inf, source)

    element = 16 * BANDS * counts.rows * counts.parts / counts.near_elements
    # The pairs of a part spread over partitions, whose number grows with the corpus, until an element holds one pair.
    per_partition = BYTES_PER_PARTITION / bytes_per_document(BANDS, exact=True)
    thin = 16 * BANDS * counts.rows * per_partition / SMALL_ELEMENT
    facts = points.facts
    hot = max(24 * facts["largest_id_share"], 16 * facts["largest_band_share"]) * work.documents
    return [
        linear(
            "memory of the worker that finds the clusters (`emit_clusters`)", counts.edges * points.slope("clusters.memory") / GB, "GB",
            prices.worker_gb, "`clusters.memory`, `edges_per_duplicate`",
        ),
        linear(
            "CPU hours of the worker that finds the clusters",
            counts.edges * points.slope("clusters.cpu") / 3600, "h", 24.0, "`clusters.cpu`",
        ),
        Limit(
            "size of a shuffle element of band keys (`pack_bands`: a part is divided among all partitions)", element, "bytes",
            SMALL_ELEMENT, thin, "counted",
        ),
        Limit(
            "CPU hours of walking through part times partition (`_pack`)",
            2 * counts.parts * counts.partitions * points.slope("pack.cpu") / 3600, "h", 10_000.0,
            work.documents * math.sqrt(10_000.0 * 3600 / (2 * counts.parts * counts.partitions * points.slope("pack.cpu"))), "`pack.cpu`",
        ),
        linear("one key: the most frequent text or band of the corpora, at its share", hot / MB, "MB", KEY_BYTES / MB, "`largest_*_share`"),
        linear(
            "the submitted job: all parts in one Create", counts.parts * points.slope("graph.bytes") / MB, "MB",
            prices.graph_mb, "`graph.bytes`",
        ),
        linear(
            "memory of the command at the end of decide", client_bytes(work, counts, points) / GB, "GB", prices.client_gb,
            "`manifest.memory`, `tasks.memory`",
        ),
        linear(
            "requests to the store that the command waits for", waiting_requests(work, counts) * prices.request_s / 3600, "h", 24.0,
            "counted, `request_s`",
        ),
        linear(
            "training of a tokenizer: one process reads all documents",
            work.text_bytes / MB / facts["tokenizer.scan_mb_per_cpu_s"] / 3600, "h", 24.0, "`tokenizer.scan_mb_per_cpu_s`",
        ),
        linear("list of dropped sites, read for each part", dropped_sites_bytes(work) / MB, "MB", 100.0, "assumed shares"),
        linear("number of a part in a row id", counts.parts, "parts", 2.0**24, "24 bits (`pipeline.parts`)"),
        Limit(
            "row in a part in a row id", counts.rows, "rows", 2.0**32, math.inf,
            "32 bits; a part closes at 64 MiB of text and cannot hold so many",
        ),
        linear(
            "shards of a folder, all in each rank's manifest", counts.shard_tasks * points.slope("open.memory") / GB, "GB", 4.0,
            "`open.memory`",
        ),
        linear("shards mapped at once (`most_maps`): more are mapped again and again", counts.shard_tasks, "shards", 43_686.0, "counted"),
        Limit(
            "embedded runner: passes over all signatures (`SHUFFLE_BYTES`)", counts.embedded_passes, "passes", 10.0,
            10 * SHUFFLE_BYTES / bytes_per_document(BANDS, exact=True), "counted; a cluster makes one pass",
        ),
        linear("files below the folders of one corpus", output_count(work, counts) + task_count(work, counts), "files", 1e8, "counted"),
    ]  # fmt: skip
