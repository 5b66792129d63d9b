"""The substrings step: cuts repeated runs of tokens out of shards; `dedup.substrings` says what a repeated run is.

In: `OUT/tokens`, the shards as tokenize writes them if the manifest has `dedup.substrings`. Out, below
`OUT/substrings`:

    within/<bucket>/<name>.arrow     what repeats within one shard          (pipeline.substrings.texts)
    shared/<p>.arrow                 anchors that several shards have       (pipeline.substrings.shared)
    answers/<p>.arrow                what is first in another shard         (pipeline.substrings.shared)
    removed/<bucket>/<name>.arrow    the runs that go, for those who look   (pipeline.substrings.spans)

and `OUT/shards`, the shards that everybody reads, without these runs (`pipeline.substrings.cutting`).

Shards are copied, not masked: windows of training, the sample order, lineage, exports and checks all count tokens of a
bucket's stream, and a token that is not in it can be in none of them. A mask would have to be asked for in each, and
would leave windows of different sizes. This costs a second copy of the tokens on disk; `OUT/tokens` may be deleted when
`OUT/shards` is complete, and is made again by a later `prep`. Whoever wants to know what was cut out of a
document, and where it stays, reads `removed/`.

Stages are resumable, and outputs do not depend on the number of partitions, passes and workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from manifests.base import sha256_of
from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.step import Inside, KindOfLoss, StepManifest, TaskManifest, merge_ledgers
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import pending_tasks, run_tasks
from pipeline.folders import SHARDS, SUBSTRINGS, TOKENS
from pipeline.substrings.cutting import CutJob, cut_shards, cut_tasks
from pipeline.substrings.settings import (
    Shard,
    SubstringsJob,
    SubstringsSettings,
    list_shards,
    substrings_settings,
    workers_for_tokens,
)
from pipeline.substrings.shared import run_answers, run_shared
from pipeline.substrings.spans import KIND, run_spans
from pipeline.substrings.texts import find_within, within_task
from shards.format import ShardManifest
from shards.writer import finish_shards, load_manifest
from storage.files import join
from storage.steps import begin_step, done_step, finish_step


def remove_substrings(
    manifest: CorpusManifest, *, out: str, runner: Runner, on_step: Callable[[str], object] = lambda step: None
) -> ShardManifest:
    """Run the step, and cut the shards; finished tasks are not repeated.

    Args:
        on_step: called with the name of each folder as its tasks begin.

    Raises:
        GristmillError: the manifest does not ask for it, tokenize is not complete, or a task failed.
    """
    section = manifest.dedup.substrings
    if section is None:
        raise GristmillError("`dedup.substrings` is null", where=manifest.name)
    whole = load_manifest(join(out, TOKENS))
    settings = substrings_settings(manifest, section)
    job = SubstringsJob(
        folder=join(out, SUBSTRINGS),
        key=sha256_of([settings.model_dump(mode="json"), whole.manifest_sha256]),
        settings=settings,
        tokens=join(out, TOKENS),
        dtype=whole.dtype,
        bos=whole.tokenizer.bos_id is not None,
        eos=whole.tokenizer.eos_id is not None,
    )
    shards = list_shards(whole, settings)
    on_step(SUBSTRINGS)
    done = _find(shards, job, whole, runner=runner)
    on_step(SHARDS)
    return _cut(shards, job, whole, done, out=join(out, SHARDS), runner=runner)


def _find(shards: list[Shard], job: SubstringsJob, whole: ShardManifest, *, runner: Runner) -> StepManifest:
    """Publish what goes."""
    described = job.settings.model_dump(mode="json")
    inputs = {TOKENS: whole.manifest_sha256}
    done = done_step(job.folder)
    if done is None or (done.settings, done.inputs) != (described, inputs):
        begin_step(job.folder)
    tasks = [within_task(shard, job) for shard in shards]
    few = runner.at_most(workers_for_tokens(shards))
    within = run_tasks(tasks, find_within, job, folder=job.folder, label="Within", runner=few)
    shared = run_shared(shards, job, runner=runner)
    answers = run_answers(shards, shared, job, runner=runner)
    removed = run_spans(shards, answers, job, runner=runner)
    return finish_step(
        job.folder,
        step=SUBSTRINGS,
        settings=described,
        inputs=inputs,
        tasks=[*within, *shared, *answers, *removed],
        inside=_inside(removed),
        notes=_notes(removed, job.settings),
    )


def _inside(removed: Sequence[TaskManifest]) -> dict[str, Inside]:
    """What goes from documents that stay, by source."""
    sums: dict[str, KindOfLoss] = {}
    for task in removed:
        if KIND in task.inside:
            loss, so_far = task.inside[KIND], sums.get(task.details["source"], KindOfLoss(documents=0, count=0))
            sums[task.details["source"]] = KindOfLoss(
                documents=so_far.documents + loss.documents, count=so_far.count + loss.count
            )
    return {source: {KIND: sums[source]} for source in sorted(sums)}


def _notes(removed: Sequence[TaskManifest], settings: SubstringsSettings) -> list[str]:
    """How many tokens of each source go, those of whole documents included."""
    counts: dict[str, tuple[int, int, int]] = {}
    for task in removed:
        gone, tokens, documents = counts.get(task.details["source"], (0, 0, 0))
        dropped = sum(task.ledger.dropped.values())
        counts[task.details["source"]] = (
            gone + task.details["removed"],
            tokens + task.details["tokens"],
            documents + dropped,
        )
    if not any(gone for gone, _, _ in counts.values()):
        return [f"substrings: no run of {settings.min_tokens} tokens occurs a second time"]
    return [
        f"substrings: {gone:,} of {tokens:,} tokens of {source} go, {documents:,} documents as a whole"
        for source, (gone, tokens, documents) in sorted(counts.items())
        if gone
    ]


def _cut(
    shards: list[Shard], job: SubstringsJob, whole: ShardManifest, done: StepManifest, *, out: str, runner: Runner
) -> ShardManifest:
    """Publish the shards without what goes, and their manifest."""
    tasks = cut_tasks(shards, job, done)
    if pending_tasks(tasks, folder=out):
        begin_step(out)
    cut = CutJob(substrings=job, tokenizer=whole.tokenizer, out=out)
    few = runner.at_most(workers_for_tokens(shards))
    manifests = run_tasks(tasks, cut_shards, cut, folder=out, label="Cut", runner=few)
    ledger = merge_ledgers(task.ledger for task in manifests)
    if ledger != done.ledger or ledger.records_in != whole.ledger.kept:
        raise GristmillError(
            f"{done.ledger.kept} of {whole.ledger.kept} documents were to stay, {ledger.kept} are in shards",
            where=out,
            remedy="this is a fault of Gristmill: please report it with the folder's task manifests",
        )
    return finish_shards(
        out,
        manifests,
        corpus=whole.corpus,
        tokenizer=whole.tokenizer,
        ledger=ledger,
        settings_sha256=whole.settings_sha256,
        inputs={**whole.inputs, SUBSTRINGS: done.digest},
    )
