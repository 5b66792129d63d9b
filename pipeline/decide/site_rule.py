"""The site rule: drops whole sites that are heavy in personal information about private persons.

In: the evidence of all sites (`pipeline.decide.site_pages`). Out, below `OUT/decide/sites`:

    <p>.arrow         `SITES`, the sites of one partition with their verdicts, sorted by name
    dropped.arrow     the names of the dropped sites, sorted

Llama 2 removed "certain sites known to contain a high volume of personal information about private individuals" (arXiv
2307.09288, section 2.1) without publishing its rule; this one is our own. It was fitted on planted sites of one half of
the templates of `bench/site_templates.py` and measured on the other half (`bench/sites.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kernels.arrays import Float64s
from manifests.base import sha256_of
from manifests.corpus import PersonalInformation, SiteEvidence, SiteRule
from manifests.step import Ledger, TaskManifest
from pipeline.decide.allowed_sites import allowed_file
from pipeline.decide.block_lists import are_listed
from pipeline.decide.settings import DecideJob
from pipeline.decide.site_pages import FOLDER, SITE_EVIDENCE, kind_file
from pipeline.decide.site_stages import SiteJob, run_site_pages
from pipeline.engines.partitions import PartitionJob, finish_partition
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import Task, collect, run_tasks
from pipeline.filters.reasons import Reasons, code_of
from pipeline.schemas import publish_ipc, read_ipc
from storage.files import join
from storage.steps import finished_task

SITES = pa.schema(
    [
        *SITE_EVIDENCE,
        pa.field("score", pa.float64(), nullable=False),  # above 0 is heavy
        pa.field("allowed", pa.bool_(), nullable=False),  # on the list of sites that are never dropped
        pa.field("dropped", pa.bool_(), nullable=False),
    ]
)
DROPPED_FILE = f"{FOLDER}/dropped.arrow"
_DROPPED_TASK = f"{FOLDER}/dropped"
DROPPED_SCHEMA = pa.schema([pa.field("site", pa.string(), nullable=False)])
EVIDENCE_KINDS: tuple[SiteEvidence, ...] = get_args(SiteEvidence)
# What evidence is counted in, and what it is divided by: the sum of the columns. All other evidence is pages with it,
# of all pages.
_PARTS: dict[SiteEvidence, tuple[str, tuple[str, ...]]] = {
    "names": ("rare_names", ("pages",)),
    "density": ("particulars", ("page_words",)),
    "names_again": ("names_again", ("all_names",)),
    "staff_share": ("work_addresses", ("work_addresses", "particulars")),
}
# Evidence that may exceed 1.
_AMOUNTS = ("names", "density")
# Shares that count as they are: what speaks for a site. The other shares are of pages that speak against it, and filler
# among them must not hide them.
_PLAIN = ("staff", "business", "staff_share", "names_again")
# The share of pages at which evidence against a site has half its weight.
_HALF = 0.2
# So many words count as one where particulars are divided by words.
_WORDS_PER_PAGE = 100
# Divides nothing by nothing.
_TINY = 1e-9
_FACTORS: dict[SiteEvidence, int] = {"density": _WORDS_PER_PAGE}
# Means are sums of whole numbers, so that they do not depend on the order of sites: rates in this unit, of sites that
# count by their pages, up to this many.
_UNIT = 1 << 20
_MOST_WEIGHT = 8
# A corpus of people finders must not make a shop of three pages heavy.
_HIGHEST_MEAN = 0.03


class VerdictJob(PartitionJob):
    """What the verdicts on all sites share.

    Attributes:
        rule: by which sites are judged.
        allowed: the published list of sites that are never dropped; None if there is none.
    """

    rule: SiteRule
    allowed: str | None


class SiteTask(Task):
    """The verdicts on the sites of one partition.

    Attributes:
        partition: its number.
        means: of each kind of evidence, over all sites.
    """

    partition: int
    means: dict[SiteEvidence, float]


def run_site_rule(job: SiteJob, *, runner: Runner) -> list[TaskManifest]:
    """Publish the sites with their verdicts and the list of dropped sites."""
    pages = run_site_pages(job, runner=runner)
    return [*pages, *run_verdicts(verdict_job(job), job.partitions, runner=runner)]


def verdict_job(job: DecideJob) -> VerdictJob:
    """What the verdicts of a decide step with a site rule share."""
    assert job.settings.site_rule is not None
    return VerdictJob(folder=job.folder, key=job.key, rule=job.settings.site_rule, allowed=allowed_file(job))


def run_verdicts(job: VerdictJob, partitions: int, *, runner: Runner) -> list[TaskManifest]:
    """Publish the sites of all partitions with their verdicts and the list of dropped sites, from their evidence."""
    means = mean_rates(job.folder, range(partitions))
    key = sha256_of([job.key, means])
    tasks = [
        SiteTask(name=verdicts_task(number), key=key, partition=number, means=means) for number in range(partitions)
    ]
    verdicts = run_tasks(tasks, judge_partition, job, folder=job.folder, label="Site verdicts", runner=runner)
    return [*verdicts, *list_dropped(job, partitions)]


def mean_rates(folder: str, partitions: Iterable[int]) -> dict[SiteEvidence, float]:
    """The mean of each kind of evidence over all sites, towards which sites with few pages are drawn."""
    sums, weights = dict.fromkeys(EVIDENCE_KINDS, 0), 0
    for number in partitions:
        table = read_ipc(join(folder, kind_file("evidence", number)))
        weight = np.minimum(table["pages"].to_numpy(), _MOST_WEIGHT)
        weights += int(weight.sum())
        for kind in EVIDENCE_KINDS:
            rates = np.minimum(_rates(table, kind, mean=0.0, prior_pages=0.0), 1.0)
            sums[kind] += int((np.floor(rates * _UNIT).astype(np.int64) * weight).sum())
    return {kind: min(_HIGHEST_MEAN, total / _UNIT / max(weights, 1)) for kind, total in sums.items()}


def _rates(table: pa.Table, kind: SiteEvidence, *, mean: float, prior_pages: float) -> Float64s:
    """How much there is of one kind of evidence, drawn towards the mean: float64[n]."""
    over, under = _PARTS.get(kind, (kind, ("pages",)))
    amount = table[over].to_numpy() * _FACTORS.get(kind, 1)
    size = sum(table[name].to_numpy() for name in under).astype(np.float64)
    # How many words a page has depends on the site.
    scale = size / np.maximum(table["pages"].to_numpy(), 1) if under == ("page_words",) else 1.0
    rates: Float64s = (amount + prior_pages * scale * mean) / np.maximum(size + prior_pages * scale, _TINY)
    return rates


def site_rates(
    table: pa.Table, *, means: Mapping[SiteEvidence, float], prior_pages: float
) -> dict[SiteEvidence, Float64s]:
    """The rate of each kind of evidence on n sites, from 0 to 1, drawn towards the means: float64[n] each.

    A share of pages is (pages with it + p m) / (pages + p), p being `prior_pages` and m the mean: the posterior mean of
    a binomial share under a beta prior, whose mean is estimated from all sites (empirical Bayes: Casella 1985, The
    American Statistician 39). Amounts that may exceed 1 a page, x, become x / (1 + x); shares of pages that speak
    against a site, x, become 1.2 x / (x + 0.2), so that pages of filler hide little. Only operations that IEEE 754
    defines to the last bit are used: scores are the same on all machines.
    """
    rates: dict[SiteEvidence, Float64s] = {}
    for kind in EVIDENCE_KINDS:
        found = _rates(table, kind, mean=means[kind], prior_pages=prior_pages)
        if kind in _AMOUNTS:
            rates[kind] = found / (1 + found)
        elif kind in _PLAIN:
            rates[kind] = np.minimum(found, 1.0)
        else:
            rates[kind] = found * (1 + _HALF) / (found + _HALF)
    return rates


def site_scores(table: pa.Table, rule: SiteRule, *, means: Mapping[SiteEvidence, float]) -> Float64s:
    """The score of each site, float64[n]; above 0 is heavy."""
    rates = site_rates(table, means=means, prior_pages=rule.prior_pages)
    scores = np.full(table.num_rows, rule.bias)
    for kind in EVIDENCE_KINDS:
        scores += rule.weights.get(kind, 0.0) * rates[kind]
    return scores


def judge_partition(task: SiteTask, job: VerdictJob) -> TaskManifest:
    """Publish the verdicts on the sites of one partition."""
    table = read_ipc(join(job.folder, kind_file("evidence", task.partition)))
    return publish_verdicts(task, table, site_scores(table, job.rule, means=task.means), job)


def publish_verdicts(task: SiteTask, table: pa.Table, scores: Float64s, job: VerdictJob) -> TaskManifest:
    """Publish the sites of one partition with their scores.

    The task's manifest says towards which means they were drawn.

    Args:
        table: `SITE_EVIDENCE`.
        scores: float64[n].
    """
    sites = table["site"].to_pylist()
    allowed = np.zeros(len(sites), bool) if job.allowed is None else are_listed(sites, job.allowed)
    columns = [*table.columns, pa.array(scores), pa.array(allowed), pa.array((scores > 0) & ~allowed)]
    batches = pa.table(columns, schema=SITES).combine_chunks().to_batches()
    output = publish_ipc(job.folder, sites_file(task.partition), batches, SITES)
    return TaskManifest(
        task=task.name, key=task.key, inputs={}, outputs=[output], ledger=Ledger(), details={"means": task.means}
    )


def document_reasons(reasons: Reasons, signals: pa.Table, rule: PersonalInformation | None) -> Reasons:
    """Mark documents with more personal information than the rule allows. Documents that have a reason keep it."""
    if rule is None or rule.max_spans_per_document is None:
        return reasons
    hit = spans_of(signals, rule) > rule.max_spans_per_document
    return np.where((reasons == 0) & hit, np.uint8(code_of("personal_information_document")), reasons).astype(np.uint8)


def site_reasons(reasons: Reasons, sites: pa.ChunkedArray, dropped: pa.Array) -> Reasons:
    """Mark documents of dropped sites. Documents that have a reason keep it."""
    if not len(dropped):
        return reasons
    hit = pc.is_in(sites, value_set=dropped).to_numpy(zero_copy_only=False)
    return np.where((reasons == 0) & hit, np.uint8(code_of("personal_information_site")), reasons).astype(np.uint8)


def spans_of(signals: pa.Table, rule: PersonalInformation) -> npt.NDArray[np.int64]:
    """Number of personal-information spans per document, over the kinds of the rule; int64[n]."""
    total = np.zeros(signals.num_rows, np.int64)
    for kind in rule.kinds:
        total += signals[f"spans_{kind}"].to_numpy()
    return total


def sites_file(partition: int) -> str:
    """The sites of one partition with their verdicts, below the step's folder."""
    return f"{verdicts_task(partition)}.arrow"


def verdicts_task(partition: int) -> str:
    """The task that judges the sites of one partition."""
    return f"{FOLDER}/{partition:05d}"


def list_dropped(job: PartitionJob, partitions: int) -> list[TaskManifest]:
    """Publish the names of the dropped sites of all partitions, unless that is done."""
    if finished_task(job.folder, _DROPPED_TASK, job.key) is None:
        dropped: list[str] = []
        for number in range(partitions):
            table = read_ipc(join(job.folder, sites_file(number)), columns=["site", "dropped"])
            dropped += table.filter(table["dropped"])["site"].to_pylist()
        batch = pa.RecordBatch.from_arrays([pa.array(sorted(dropped), pa.string())], schema=DROPPED_SCHEMA)
        finish_partition(_DROPPED_TASK, job, [publish_ipc(job.folder, DROPPED_FILE, [batch], DROPPED_SCHEMA)])
    return collect([Task(name=_DROPPED_TASK, key=job.key)], folder=job.folder)
