"""The plan for a corpus far too large for this machine: all counts, and the cost of each step.

In: the result of bench/slopes.py, the size of the corpus, prices. Out: lines of cost; `bench.scale_tables` prints them.
Costs are extrapolated linearly with the slope at the largest measured size. If the fitted exponent is above 1 even at
the lower end of its range, the plan also gives the cost with that exponent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from bench.power_law import Fit, Series
from dedup.pairs import BYTES_PER_PARTITION, bytes_per_document
from pipeline.decide.duplicates import SHUFFLE_BYTES
from pipeline.extract.settings import PART_TEXT_BYTES

TB, GB, MB = 1e12, 1e9, 1e6
CORES = (1, 100, 1000)
BANDS = 14


@dataclass(frozen=True)
class Workload:
    """The corpus of the plan. Everything here is assumed, not measured.

    Attributes:
        raw_files: web crawls come in files of about 28,000 pages (Common Crawl: 90,000 files for 2.6 billion pages).
        duplicate_share: of the documents, those that are dropped as copies.
        documents_per_site, dropped_site_share: registered domains, and those that the site rule drops.
        site_bytes: of a site's name.
    """

    documents: float = 1e10
    text_bytes: float = 4e13
    tokens: float = 2e12
    raw_files: float = 360_000
    shard_tokens: float = 64e6
    duplicate_share: float = 0.5
    documents_per_site: float = 200
    dropped_site_share: float = 0.01
    site_bytes: float = 24


@dataclass(frozen=True)
class Prices:
    """Assumed prices and machines.

    Attributes:
        core_hour: USD for a core with 4 GB, on demand.
        tb_month: USD for a terabyte in an object store.
        months: how long everything is kept.
        efficiency: CPU seconds of useful work per core and second of wall time.
        request_s: one small request to an object store, seconds.
        worker_gb, client_gb: the largest worker, and the machine of the command.
        graph_mb: largest job that Flink's REST takes by default (`rest.server.max-content-length`, from its
            documentation; not tried).
    """

    core_hour: float = 0.04
    tb_month: float = 23.0
    months: float = 1.0
    efficiency: float = 0.7
    request_s: float = 0.02
    worker_gb: float = 64.0
    client_gb: float = 16.0
    graph_mb: float = 104.9


@dataclass(frozen=True)
class Points:
    """A saved result."""

    series: dict[str, Series]
    fits: dict[str, Fit]
    facts: dict[str, float]

    def slope(self, name: str) -> float:
        """Net value per unit at the largest size."""
        return self.series[name].slope()


@dataclass(frozen=True)
class Counts:
    """How many of everything the code makes of a workload."""

    parts: float
    rows: float
    partitions: float
    site_partitions: float
    near_elements: float
    exact_elements: float
    edges: float
    kept_documents: float
    shard_tasks: float
    embedded_passes: float

    @property
    def elements(self) -> float:
        return self.near_elements + self.exact_elements


@dataclass(frozen=True)
class Line:
    """One step. CPU in hours: `parallel` divides by cores, `serial` does not; bytes; memory of one worker in MB."""

    step: str
    parallel: float
    serial: float = 0.0
    high: float | None = None
    read: float | None = None
    shuffled: float = 0.0
    written: float = 0.0
    memory: float | None = None
    tasks: float = 0.0
    keys: float = 0.0
    source: str = ""

    def wall(self, cores: int, prices: Prices) -> float:
        """Hours."""
        return self.parallel / cores / prices.efficiency + self.serial

    def cost(self, prices: Prices) -> float:
        """USD for CPU; a step that waits for one core pays for that core alone."""
        return (self.parallel / prices.efficiency + self.serial) * prices.core_hour


def points_from(saved: dict[str, Any]) -> Points:
    """The inverse of what bench/slopes.py saves."""
    return Points(
        series={name: Series(**value) for name, value in saved["series"].items()},
        fits={name: Fit(**value) for name, value in saved["fits"].items() if value is not None},
        facts=saved["facts"],
    )


def count(work: Workload, points: Points) -> Counts:
    """What the code makes of a workload: parts, partitions, elements, edges."""
    facts = points.facts
    parts = work.raw_files * math.ceil(work.text_bytes / work.raw_files / PART_TEXT_BYTES)
    rows = work.documents / parts
    total = work.documents * bytes_per_document(BANDS, exact=True)
    partitions = math.ceil(total / BYTES_PER_PARTITION)
    return Counts(
        parts=parts,
        rows=rows,
        partitions=partitions,
        site_partitions=math.ceil(work.documents * 64 / BYTES_PER_PARTITION),
        near_elements=parts * occupied(BANDS * rows, partitions),
        exact_elements=parts * occupied(rows, partitions),
        edges=work.documents * work.duplicate_share * facts["edges_per_duplicate"],
        kept_documents=facts["kept_documents"] / facts["tokens"] * work.tokens,
        shard_tasks=math.ceil(work.tokens / work.shard_tokens),  # tasks are cut by what is kept
        embedded_passes=math.ceil(total / SHUFFLE_BYTES),
    )


def occupied(keys: float, partitions: float) -> float:
    """Expected number of partitions that `keys` keys, spread at random, fall into."""
    return partitions * -math.expm1(-keys / partitions)


def lines(work: Workload, points: Points, counts: Counts, prices: Prices) -> list[Line]:
    """The steps in the order in which they run.

    Names in brackets are alternatives or belong to training: not in the sum.
    """
    facts, slope, hour = points.facts, points.slope, 3600.0
    per_document, text_mb = work.documents / facts["documents"], work.text_bytes / MB
    written_documents = facts["extract.written.extract/documents.bytes"] / (facts["text_mb"] * MB) * work.text_bytes
    written_rows = (
        facts["extract.written.extract/signals.bytes"] + facts["extract.written.extract/signatures.bytes"]
    ) * per_document
    extract_tasks = work.raw_files * slope("files.extract.cpu")

    def extract(name: str, kind: str) -> Line:
        cpu = (text_mb / facts[f"extract.{kind}.text_mb_per_cpu_s"] + extract_tasks) / hour
        return Line(
            name,
            parallel=cpu,
            high=raised(cpu, text_mb, points, "extract.cpu"),
            # Each raw file is read twice: for its text, and for its hash.
            read=2 * facts[f"extract.{kind}.raw_bytes_per_text_byte"] * work.text_bytes,
            written=written_documents + written_rows,
            memory=facts["memory.extract.peak_mb"],
            tasks=work.raw_files,
            source=f"`extract.{kind}.*`, `files.extract.cpu`, `memory.extract.*`",
        )

    def documents_of(names: tuple[str, ...]) -> float:
        return work.documents * sum(slope(f"ids.{name}.cpu") for name in names) / hour

    def documents_high(names: tuple[str, ...]) -> float:
        return sum(
            raised(documents_of((name,)), work.documents, points, f"ids.{name}.cpu") or documents_of((name,))
            for name in names
        )

    def read_by(*names: str) -> float:
        return sum(facts[f"decide.reading.{name}"] for name in names) * per_document

    small = (counts.elements * slope("shuffle.cpu") + 2 * counts.parts * counts.partitions * slope("pack.cpu")) / hour
    edge_bytes = (
        facts["decide.written.decide/edges-near.bytes"] + facts["decide.written.decide/edges-exact.bytes"]
    ) / max(1.0, facts["edges_found_here"])
    clusters = counts.edges * slope("clusters.cpu") / hour
    waiting = 2 * 2 * counts.partitions * prices.request_s / hour
    dropped_bytes = facts["decide.written.decide/dropped.bytes"] / (facts["documents"] - facts["kept_documents"])
    kept_text = work.tokens / facts["tokens"] * facts["text_mb"]
    scan = text_mb / facts["tokenizer.scan_mb_per_cpu_s"] / hour
    encode = work.tokens / facts["tokens"] * points.series["tokenize.cpu"].net()[-1] / hour
    unread = max(0.0, text_mb - kept_text) / facts["tokenizer.scan_mb_per_cpu_s"] / hour
    tokenize = encode + unread + counts.shard_tasks * slope("files.tokenize.cpu") / hour
    peak = points.series["memory.tokenize.peak"]
    peak_slope = (peak.y[-1] - peak.y[0]) / (peak.x[-1] - peak.x[0])
    sides = facts["tokenize.written.shards/documents.bytes"] / facts["kept_documents"] * counts.kept_documents
    sizes = ("emit_keys", "reduce_keys")
    training = points.fits.get("tokenizer.cpu")
    trained = (
        training.factor * 64.0**training.exponent / hour
        if training
        else points.series["tokenizer.cpu"].y[-1] * 4 / hour
    )
    windows = work.tokens / 4_096
    return [
        extract("extract, from WARC", "warc"),
        extract("(extract, were it all JSONL)", "jsonl"),
        Line(
            "decide: sites",
            parallel=documents_of(("emit_sites", "reduce_sites")),
            high=documents_high(("emit_sites", "reduce_sites")),
            read=read_by("emit_sites"),
            shuffled=work.documents * slope("ids.sites.shuffled") * MB,
            tasks=counts.site_partitions,
            keys=counts.site_partitions,
            memory=points.series["ids.decide.peak"].y[-1],
            source="`ids.*`",
        ),
        Line(
            "decide: duplicates, by byte",
            parallel=documents_of(sizes),
            high=documents_high(sizes),
            read=read_by("emit_keys"),
            shuffled=work.documents * slope("ids.keys.shuffled") * MB,
            written=counts.edges * edge_bytes,
            tasks=2 * counts.partitions,
            keys=2 * counts.partitions,
            memory=points.series["ids.decide.peak"].y[-1],
            source="`ids.*`",
        ),
        Line("decide: duplicates, by element", parallel=small, source="`shuffle.cpu`, `pack.cpu`"),
        Line(
            "decide: clusters",
            parallel=0.0,
            serial=clusters + waiting,
            high=(raised(clusters, counts.edges, points, "clusters.cpu") or clusters) + waiting,
            read=counts.edges * edge_bytes,
            shuffled=counts.edges * slope("clusters.shuffled"),
            memory=counts.edges * slope("clusters.memory") / MB,
            tasks=1,
            keys=counts.parts,
            source="`clusters.*`, `request_s`",
        ),
        Line(
            "decide: decisions",
            parallel=documents_of(("decide_part",)),
            high=documents_high(("decide_part",)),
            read=read_by("decide_part") + 2 * counts.parts * dropped_sites_bytes(work),
            written=facts["decide.written.decide/decisions.bytes"] * per_document
            + dropped_bytes * (work.documents - counts.kept_documents),
            memory=points.series["ids.decide.peak"].y[-1],
            tasks=counts.parts,
            keys=counts.parts,
            source="`ids.decide_part.cpu`",
        ),
        Line(
            "decide: Beam itself",
            parallel=documents_of(("runner",)) + counts.parts * slope("files.decide.cpu") / hour,
            source="`ids.runner.cpu`, `files.decide.cpu`",
        ),
        Line(
            "(tokenizer, were it trained on 64 MB)",
            parallel=0.0,
            serial=trained + scan,
            read=written_documents,
            memory=points.series["tokenizer.peak"].y[-1],
            tasks=1,
            source="`tokenizer.*`",
        ),
        Line(
            "tokenize",
            parallel=tokenize,
            high=raised(tokenize, text_mb, points, "tokenize.cpu"),
            read=written_documents + facts["decide.written.decide/decisions.bytes"] * per_document,
            written=2 * work.tokens + sides,
            memory=peak.y[-1] + max(0.0, work.shard_tokens - peak.x[-1]) * peak_slope,
            tasks=counts.shard_tasks,
            source="`tokenize.cpu`, `tokenizer.scan_*`, `files.tokenize.cpu`, `memory.tokenize.peak`",
        ),
        Line(
            "the command's own process",
            parallel=0.0,
            serial=(task_count(work, counts) * slope("tasks.cpu") + output_count(work, counts) * _manifest_cpu(points))
            / hour
            + waiting_requests(work, counts) * prices.request_s / hour,
            memory=client_bytes(work, counts, points) / MB,
            source="`tasks.*`, `manifest.*`, `request_s`",
        ),
        Line(
            "(start of training, each rank)",
            parallel=0.0,
            serial=counts.shard_tasks * slope("open.cpu") / hour,
            read=counts.shard_tasks * slope("open.bytes"),
            memory=counts.shard_tasks * slope("open.memory") / MB,
            source="`open.*`",
        ),
        Line(
            "(reading all tokens once in training)",
            parallel=windows * slope("samples.cpu") / hour,
            read=windows * 2 * 4_097,
            source="`samples.cpu`",
        ),
    ]


def raised(value: float, size: float, points: Points, name: str) -> float | None:
    """The value at `size` if the series went on by its fitted exponent; None unless that is above 1 with 95 %
    confidence.
    """
    fit = points.fits.get(name)
    if fit is None or fit.low <= 1:
        return None
    return value * math.pow(size / points.series[name].x[-1], fit.exponent - 1)


def dropped_sites_bytes(work: Workload) -> float:
    """Size of the list of dropped sites, which each task that looks at a part reads whole."""
    return work.documents / work.documents_per_site * work.dropped_site_share * work.site_bytes


def task_count(work: Workload, counts: Counts) -> float:
    """Task manifests of all steps."""
    return work.raw_files + counts.site_partitions + 2 * counts.partitions + counts.parts + counts.shard_tasks


def output_count(work: Workload, counts: Counts) -> float:
    """Files that the step manifests list: three a part from extract, two from decide, one a partition, two a shard."""
    return 5 * counts.parts + 2 * counts.partitions + counts.site_partitions + 2 * counts.shard_tasks


def waiting_requests(work: Workload, counts: Counts) -> float:
    """Requests to the store that wait for each other in the command, in a run without interruption.

    A partition's manifest is looked for before (1) and after (exists, read, exists and size of its output: 4) one by
    one; tasks are looked for before (1) and read after (2), as partitions are in the end (2), 32 at once
    (`pipeline.engines.tasks`).
    """
    partitions = counts.site_partitions + 2 * counts.partitions
    return 5 * partitions + (3 * (work.raw_files + counts.parts + counts.shard_tasks) + 2 * partitions) / 32


def client_bytes(work: Workload, counts: Counts, points: Points) -> float:
    """What the command holds at the end of decide: the manifest of extract, and all task manifests of decide with their
    outputs.
    """
    tasks = counts.parts + counts.site_partitions + 2 * counts.partitions
    return 3 * counts.parts * points.slope("manifest.memory") + tasks * points.slope("tasks.memory")


def _manifest_cpu(points: Points) -> float:
    return points.slope("manifest.write.cpu") + points.slope("manifest.read.cpu")
