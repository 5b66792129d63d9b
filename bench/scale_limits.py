"""What breaks first as a corpus grows: quantities that one process holds, or that a format bounds.

In: measured slopes and the counts of a workload. Out: for each quantity its value, its bound, and the number of
documents at which it reaches the bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.scale import (
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
from pipeline.decide.duplicates.candidates import LARGEST
from pipeline.decide.runs import FAN, RUN_BYTES

# Batches below this are requests to a store rather than data.
SMALL_BATCH = 64 << 10
# Bytes of one row in a bucket: key, preference, id, row, sketch of 112 places.
MEMBER_BYTES = 160


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

    facts = points.facts
    # `FAN` runs in a block: a batch of the second level shrinks as runs grow.
    thin = work.documents * counts.batch_bytes / SMALL_BATCH if counts.blocks > 1 else math.inf
    hot = max(LARGEST, counts.runs) * MEMBER_BYTES
    return [
        Limit(
            "size of a batch that runs hand on in two levels (`pipeline.decide.exchange`)", counts.batch_bytes, "bytes",
            SMALL_BATCH, thin, "counted",
        ),
        Limit(
            "one key: all rows of a bucket, or one a run (`candidates.LARGEST`)", hot / MB, "MB", RUN_BYTES / MB,
            work.documents * RUN_BYTES / MEMBER_BYTES / counts.runs, "counted",
        ),
        linear("files of an exchange that one task opens", counts.blocks, "files", 4_096.0, f"counted; {FAN} runs a file"),
        linear(
            "the submitted job: all runs in one Create", counts.runs * points.slope("graph.bytes") / MB, "MB",
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
        linear(
            "list of dropped sites, which the command writes (`list_dropped`)", dropped_sites_bytes(work) / GB, "GB",
            prices.client_gb, "assumed shares",
        ),
        linear("number of a part in a row id", counts.parts, "parts", 2.0**31, "31 bits (`pipeline.parts`)"),
        Limit(
            "row in a part in a row id", counts.rows, "rows", 2.0**32, math.inf,
            "32 bits; a part closes at 64 MiB of text and cannot hold so many",
        ),
        linear(
            "shards of a folder, all in each rank's manifest", counts.shard_tasks * points.slope("open.memory") / GB, "GB", 4.0,
            "`open.memory`",
        ),
        linear("shards mapped at once (`most_maps`): more are mapped again and again", counts.shard_tasks, "shards", 43_686.0, "counted"),
        linear("files below the folders of one corpus", output_count(work, counts) + task_count(work, counts), "files", 1e8, "counted"),
    ]  # fmt: skip
