"""What the site rule decided, to look at: the sites, the tokens that went with them, other thresholds, one verdict.

In: the folder that `gristmill prep` or `gristmill merge-sites` wrote. Out: plain rows. Nothing is written. Examples
from pages are masked: no span of personal information and no name that Gristmill finds is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.corpus import SiteEvidence, SiteRule
from manifests.errors import GristmillError
from manifests.step import StepManifest, TaskManifest
from pipeline.decide.block_lists import are_listed, opt_out_sites
from pipeline.decide.settings import DecideSettings
from pipeline.decide.site_merge import STEP, open_merged, places_of, rule_of
from pipeline.decide.site_pages import PAGES, kind_file, partition_of
from pipeline.decide.site_rule import EVIDENCE_KINDS, site_rates, sites_file, verdicts_task
from pipeline.decide.snapshots import no_rule, partitions_in
from pipeline.decide.source_losses import source_losses
from pipeline.folders import DECIDE, EXTRACT
from pipeline.schemas import read_ipc
from pipeline.text.normalise import text_buffers
from pipeline.text.personal import KINDS, TOKENS, Spans, find_spans
from pipeline.text.personal.masking import replace
from pipeline.text.personal.names import find_names
from shards.contents import contents_of
from storage.files import join
from storage.steps import done_step, read_step, read_task, require_step

# Scores at which the sweep cuts, beside the rule's own, 0.
SWEEP = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
NAME_TOKEN = "|||NAME|||"
_EXAMPLES = 3
_LINES = 6
_LINE = 160


@dataclass(frozen=True)
class Cut:
    """What a rule that drops sites above `score` would drop."""

    score: float
    sites: int
    documents: int
    words: int


@dataclass(frozen=True)
class Loss:
    """What went from a source because its site was dropped.

    Attributes:
        documents, words: that went for no reason before.
        share: of the source's words.
        tokens: an estimate by the tokens per word of what the source kept; None before tokenize, or if it kept nothing.
    """

    source: str
    documents: int
    words: int
    share: float
    tokens: int | None


@dataclass(frozen=True)
class Explanation:
    """Why a site is dropped or kept.

    Attributes:
        row: its row of the site table.
        evidence: of each kind with a weight: rate from 0 to 1, weight, and what both add to the score.
        bias: what the score begins with.
        examples: of pages of the site: the document's id, and the first lines, masked. URLs often hold names.
    """

    row: Mapping[str, object]
    evidence: list[tuple[SiteEvidence, float, float, float]]
    bias: float
    examples: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class SiteFolder:
    """The site tables of a folder.

    Attributes:
        folder: as it was named.
        tables: the step's folder.
        step: which wrote the tables: decide, or a merge.
        extracts: folders of extract steps, where the texts are, and their manifests.
        missing: folders that were merged and are no longer what they were: there are no examples from them.
    """

    folder: str
    tables: str
    step: StepManifest
    partitions: int
    rule: SiteRule
    extracts: Sequence[tuple[str, StepManifest]]
    missing: Sequence[str] = ()


def open_sites(out: str) -> SiteFolder:
    """The site tables that decide wrote below `out`, or that a merge wrote there.

    Raises:
        GristmillError: decide is not complete, its manifest has no site rule, or a file is missing.
    """
    alone = read_step(out)
    if alone is not None and alone.step == STEP:
        return _open_merged(out)
    step = require_step(join(out, DECIDE), command="gristmill decide")
    extract = require_step(join(out, EXTRACT), command="gristmill extract")
    rule = DecideSettings.model_validate(step.settings).site_rule
    if rule is None:
        raise no_rule(out)
    tables = join(out, DECIDE)
    return SiteFolder(out, tables, step, partitions_in(step, "evidence"), rule, [(join(out, EXTRACT), extract)])


def _open_merged(folder: str) -> SiteFolder:
    step, places = open_merged(folder), places_of(folder)
    extracts, missing = [], []
    for digest in sorted(step.inputs.values()):
        found = done_step(join(places[digest], EXTRACT)) if digest in places else None
        if found is None or found.digest != digest:
            missing.append(places.get(digest, f"extract {digest[:16]}"))
        else:
            extracts.append((join(places[digest], EXTRACT), found))
    return SiteFolder(folder, folder, step, partitions_in(step, "evidence"), rule_of(step), extracts, sorted(missing))


def site_tables(sites: SiteFolder) -> Iterator[pa.Table]:
    """The sites of each partition with their verdicts."""
    for number in range(sites.partitions):
        yield read_ipc(join(sites.tables, sites_file(number)))


def heaviest(sites: SiteFolder, *, most: int) -> pa.Table:
    """The sites with the highest scores, highest first."""
    top: pa.Table | None = None
    for table in site_tables(sites):
        both = table if top is None else pa.concat_tables([top, table])
        top = both.sort_by([("score", "descending"), ("site", "ascending")]).slice(0, most)
    return pa.table({}) if top is None else top


def opted_out(sites: SiteFolder, names: Sequence[str]) -> list[bool]:
    """Which sites are on the list of opt-outs: their documents go, whatever the verdict."""
    path = None
    if sites.step.step == DECIDE:
        path = opt_out_sites(DecideSettings.model_validate(sites.step.settings))
    return [False] * len(names) if path is None else are_listed(names, join(sites.tables, path)).tolist()


def sweep(sites: SiteFolder) -> list[Cut]:
    """What other thresholds would drop; allowed sites stay."""
    totals = {score: [0, 0, 0] for score in SWEEP}
    for table in site_tables(sites):
        judged = table.filter(pc.invert(table["allowed"]))
        scores, documents, words = (judged[name].to_numpy() for name in ("score", "documents", "words"))
        for score, total in totals.items():
            above = scores > score
            total[0] += int(above.sum())
            total[1] += int(documents[above].sum())
            total[2] += int(words[above].sum())
    return [Cut(score, *total) for score, total in totals.items()]


def losses(sites: SiteFolder) -> list[Loss]:
    """What went with the dropped sites, by source; sources that lost nothing are left out. Of a merge nothing does."""
    if sites.step.step != DECIDE:
        return []
    found = {
        source: (
            losses["dropped"].get("personal_information_site", 0),
            *(losses["words"][kind] for kind in ("of_dropped_sites", "all", "kept")),
        )
        for source, losses in source_losses(sites.tables).items()
    }
    tokens = _kept_tokens(sites.folder)
    return [
        Loss(
            source,
            documents,
            words,
            words / max(total, 1),
            tokens[source] * words // kept if kept and source in tokens else None,
        )
        for source, (documents, words, total, kept) in sorted(found.items())
        if documents
    ]


def means_of(sites: SiteFolder, partition: int) -> dict[SiteEvidence, float]:
    """The means of all sites, towards which those of a partition were drawn; the same for each."""
    means: dict[SiteEvidence, float] = _task(sites, verdicts_task(partition)).details["means"]
    return means


def _task(sites: SiteFolder, name: str) -> TaskManifest:
    task = read_task(sites.tables, name)
    if task is None:
        raise GristmillError(
            f"the manifest of the task {name} is not there",
            where=sites.tables,
            remedy=f"run `gristmill {sites.step.step}` again",
        )
    return task


def _kept_tokens(out: str) -> dict[str, int]:
    """Tokens in the shards of each source; empty before tokenize."""
    tokens: dict[str, int] = {}
    shards = contents_of(out).shards
    for bucket, size in ({} if shards is None else shards.bucket_sizes()).items():
        source = bucket.rsplit("/", 1)[0]
        tokens[source] = tokens.get(source, 0) + size.tokens
    return tokens


def explain_site(sites: SiteFolder, site: str) -> Explanation:
    """Why a site is dropped or kept.

    Raises:
        GristmillError: no document is from this site.
    """
    number = partition_of(site, sites.partitions)
    table = read_ipc(join(sites.tables, sites_file(number)))
    row = table.filter(pc.equal(table["site"], site))
    if not row.num_rows:
        raise GristmillError(
            f"no document is from `{site}`",
            where=sites.folder,
            remedy="name a registered domain, or a host below a hosting suffix: `example.org`, `ann.github.io`",
        )
    rates = site_rates(row, means=means_of(sites, number), prior_pages=sites.rule.prior_pages)
    weights = sites.rule.weights
    evidence = [
        (kind, float(rates[kind][0]), weights[kind], weights[kind] * float(rates[kind][0]))
        for kind in EVIDENCE_KINDS
        if weights.get(kind)
    ]
    pages = read_ipc(join(sites.tables, kind_file("pages", number)))
    return Explanation(
        row=row.to_pylist()[0],
        evidence=sorted(evidence, key=lambda entry: -abs(entry[3])),
        bias=sites.rule.bias,
        examples=list(_examples(sites, site, pages.filter(pc.equal(pages["site"], site)))),
    )


def _examples(sites: SiteFolder, site: str, pages: pa.Table) -> Iterator[tuple[str, list[str]]]:
    """The pages with the most values, masked."""
    sizes = pc.list_value_length(pages[PAGES.names[-1]]).to_numpy()
    chosen = np.argsort(-sizes, kind="stable")[:_EXAMPLES]
    wanted = pages["id"].combine_chunks().take(pa.array(chosen))
    found: dict[bytes, str] = {}
    paths = [
        join(folder, output.path)
        for folder, step in sites.extracts
        for output in step.outputs
        if output.path.startswith("documents/")
    ]
    for path in paths:
        if len(found) == len(wanted):
            break
        documents = read_ipc(path, columns=["site", "id"])
        rows = np.flatnonzero(
            pc.and_(
                pc.equal(documents["site"], site).fill_null(False), pc.is_in(documents["id"], value_set=wanted)
            ).to_numpy(zero_copy_only=False)
        )
        if len(rows):
            for record in read_ipc(path, columns=["id", "text"]).take(pa.array(rows)).to_pylist():
                found.setdefault(record["id"], record["text"])
    for identity in wanted.to_pylist():
        if identity in found:
            yield identity.hex(), masked_lines(found[identity])


def masked_lines(text: str) -> list[str]:
    """The first lines of a text with tokens in place of personal information and of names."""
    array = pa.array([text], pa.large_string())
    data, offsets = text_buffers(array)
    names = find_names(data, offsets)
    found = find_spans(data, offsets)
    masked = replace(
        array,
        [
            *((found[kind], TOKENS[kind]) for kind in KINDS),
            (Spans(names.documents, names.starts, names.stops), NAME_TOKEN),
        ],
    )
    lines = [line.strip() for line in masked[0].as_py().splitlines() if line.strip()]
    return [line if len(line) <= _LINE else line[:_LINE] + " …" for line in lines[:_LINES]]
