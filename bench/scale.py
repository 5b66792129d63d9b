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
from pipeline.decide.duplicates.search import copies_stages, fates_stages, pairs_stages
from pipeline.decide.runs import FAN, RUN_BYTES
from pipeline.decide.site_pages import partitions_of_sites
from pipeline.extract.settings import PART_TEXT_BYTES

TB, GB, MB = 1e12, 1e9, 1e6
CORES = (1, 100, 1000)
BANDS = 16
# `rest`, `chosen`, and with rounds `asks`, `last` and the rounds themselves: three are enough for any corpus measured.
_CHOICE_STAGES = 7


@dataclass(frozen=True)
class Workload:
    """The corpus of the plan. Everything here is assumed, not measured.

    Attributes:
        raw_files: web crawls come in files of about 28,000 pages (Common Crawl: 90,000 files for 2.6 billion pages).
        duplicate_share: of the documents, those that are dropped as copies.
        documents_per_site, dropped_site_share: registered domains, and those that the site rule drops.
        site_bytes: of a site's name, as an object of the command.
    """

    documents: float = 1e10
    text_bytes: float = 4e13
    tokens: float = 2e12
    raw_files: float = 360_000
    shard_tokens: float = 64e6
    duplicate_share: float = 0.5
    documents_per_site: float = 200
    dropped_site_share: float = 0.01
    site_bytes: float = 100


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
    runs: float
    blocks: float
    batch_bytes: float
    site_partitions: float
    pairs: float
    kept_documents: float
    shard_tasks: float


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
    """What the code makes of a workload: parts, runs, partitions, pairs."""
    facts = points.facts
    parts = work.raw_files * math.ceil(work.text_bytes / work.raw_files / PART_TEXT_BYTES)
    rows = work.documents / parts
    run_parts = math.ceil(RUN_BYTES / (16 * BANDS) / rows)
    runs = math.ceil(parts / run_parts)
    blocks = math.ceil(runs / FAN)
    return Counts(
        parts=parts,
        rows=rows,
        runs=runs,
        blocks=blocks,
        # What one run sends to one block, and, once combined, `FAN` runs to one: about the same.
        batch_bytes=run_parts * rows * 16 * BANDS / (blocks if blocks > 1 else runs),
        site_partitions=partitions_of_sites(int(work.documents)),
        pairs=work.documents * work.duplicate_share * facts["pairs_per_duplicate"],
        kept_documents=facts["kept_documents"] / facts["tokens"] * work.tokens,
        shard_tasks=math.ceil(work.tokens / work.shard_tokens),  # tasks are cut by what is kept
    )


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
        return sum(facts.get(f"decide.reading.{name}", 0.0) for name in names) * per_document

    dropped_bytes = facts["decide.written.decide/dropped.bytes"] / (facts["documents"] - facts["kept_documents"])
    kept_text = work.tokens / facts["tokens"] * facts["text_mb"]
    scan = text_mb / facts["tokenizer.scan_mb_per_cpu_s"] / hour
    encode = work.tokens / facts["tokens"] * points.series["tokenize.cpu"].net()[-1] / hour
    unread = max(0.0, text_mb - kept_text) / facts["tokenizer.scan_mb_per_cpu_s"] / hour
    tokenize = encode + unread + counts.shard_tasks * slope("files.tokenize.cpu") / hour
    peak = points.series["memory.tokenize.peak"]
    peak_slope = (peak.y[-1] - peak.y[0]) / (peak.x[-1] - peak.x[0])
    sides = facts["tokenize.written.shards/documents.bytes"] / facts["kept_documents"] * counts.kept_documents
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
            parallel=documents_of(("sites",)),
            high=documents_high(("sites",)),
            read=read_by("sites"),
            shuffled=work.documents * slope("ids.sites.handed") * MB,
            tasks=counts.site_partitions,
            keys=counts.site_partitions,
            memory=points.series["ids.decide.peak"].y[-1],
            source="`ids.*`",
        ),
        Line(
            "decide: duplicates",
            parallel=documents_of(("duplicates",)),
            high=documents_high(("duplicates",)),
            read=read_by("duplicates"),
            # Through two levels what is handed on is written twice.
            shuffled=work.documents * slope("ids.duplicates.handed") * MB * (2 if counts.blocks > 1 else 1),
            tasks=duplicate_tasks(counts),
            keys=counts.runs,
            memory=points.series["ids.decide.peak"].y[-1],
            source="`ids.*`",
        ),
        Line(
            "decide: decisions",
            parallel=documents_of(("decisions",)),
            high=documents_high(("decisions",)),
            read=read_by("decisions"),
            written=facts["decide.written.decide/decisions.bytes"] * per_document
            + dropped_bytes * (work.documents - counts.kept_documents),
            memory=points.series["ids.decide.peak"].y[-1],
            tasks=counts.runs,
            keys=counts.parts,
            source="`ids.decisions.cpu`",
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
    """Size of the list of dropped sites while the command writes it: for readers of the run, no task reads it."""
    return work.documents / work.documents_per_site * work.dropped_site_share * work.site_bytes


def duplicate_tasks(counts: Counts) -> float:
    """Tasks of the search for duplicates: each stage has one a run, each exchange as many again for its second level."""
    runs = int(counts.runs)
    stages = [*copies_stages(runs), *pairs_stages(runs), *fates_stages(runs)]
    exchanges = sum(len(stage.sends) for stage in stages)
    return (len(stages) + _CHOICE_STAGES) * counts.runs + (exchanges * counts.blocks**2 if counts.blocks > 1 else 0)


def task_count(work: Workload, counts: Counts) -> float:
    """Task manifests of all steps."""
    return work.raw_files + counts.site_partitions + duplicate_tasks(counts) + counts.runs + counts.shard_tasks


def output_count(work: Workload, counts: Counts) -> float:
    """Files that the step manifests list: three a part from extract, two from decide, one a partition, two a shard."""
    return 5 * counts.parts + 2 * counts.runs + counts.site_partitions + 2 * counts.shard_tasks


def waiting_requests(work: Workload, counts: Counts) -> float:
    """Requests to the store that wait for each other in the command, in a run without interruption.

    A partition of sites is looked for before (1) and after (exists, read, exists and size of its output: 4) one by one;
    tasks are looked for before (1) and read after (2), 32 at once (`pipeline.engines.tasks`).
    """
    tasks = work.raw_files + duplicate_tasks(counts) + counts.runs + counts.shard_tasks
    return 5 * counts.site_partitions + (3 * tasks + 2 * counts.site_partitions) / 32


def client_bytes(work: Workload, counts: Counts, points: Points) -> float:
    """What the command holds at the end of decide: the manifest of extract, and the task manifests of decide with their
    outputs. Of the search for duplicates only those of one stage at a time.
    """
    tasks = counts.parts + counts.site_partitions + counts.runs
    return 3 * counts.parts * points.slope("manifest.memory") + tasks * points.slope("tasks.memory")


def _manifest_cpu(points: Points) -> float:
    return points.slope("manifest.write.cpu") + points.slope("manifest.read.cpu")
