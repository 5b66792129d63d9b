"""The whole data half: extract, decide, tokenizer, tokenize, one after the other in one folder, or one of them; or a
rehearsal of extract. If the manifest has `dedup.substrings`, tokenize is two: its shards, and these without repeated
runs.

In: a corpus manifest. Out: the folder OUT with the steps' folders. Each step skips what is finished. The folder's
lock prevents a second command from writing into it at the same time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.step import StepManifest
from pipeline.decide.allowed_sites import check_allowed
from pipeline.decide.block_lists import check_lists
from pipeline.decide.duplicates.index import index_settings
from pipeline.decide.merged_verdicts import merged_settings
from pipeline.decide.step import decide
from pipeline.engines import flink
from pipeline.engines.runners import Runner, job_owner, with_helpers
from pipeline.extract.inputs import check_out, list_raw_files
from pipeline.extract.sample import Prediction, sample_extract
from pipeline.extract.step import extract
from pipeline.folders import SUBSTRINGS, TOKENS
from pipeline.substrings.step import remove_substrings
from pipeline.tokenize.step import tokenize
from pipeline.tokenize.training_step import make_tokenizer
from shards.format import ShardManifest
from storage.files import exists, join
from storage.lock import only_writer
from storage.steps import read_step

Step = Literal["extract", "decide", "tokenizer", "tokenize"]


@dataclass(frozen=True)
class Prepared:
    """The manifests of all steps; that of `substrings` only if the corpus' manifest asks for it."""

    extract: StepManifest
    decide: StepManifest
    tokenizer: StepManifest
    shards: ShardManifest
    substrings: StepManifest | None = None


def prepare(
    manifest: CorpusManifest, *, out: str, runner: Runner, on_step: Callable[[str], object] = lambda step: None
) -> Prepared:
    """Run all steps.

    Args:
        on_step: called with the name of each step as it begins.

    Raises:
        GristmillError: a file that a later step reads is missing, which is found before the first step begins; or a
            step failed: finished work is kept, and the same call continues from there.
    """
    _check_places(manifest)
    with claimed(manifest, out=out, runner=runner) as runner:
        on_step("extract")
        extracted = extract(manifest, out=out, runner=runner)
        on_step("decide")
        decided = decide(manifest, out=out, runner=runner)
        on_step("tokenizer")
        tokenizer = make_tokenizer(manifest, out=out)
        shards = _shards(manifest, out, runner, on_step)
        return Prepared(extracted, decided, tokenizer, shards, cut_from(shards, out))


def run_step(
    step: Step,
    manifest: CorpusManifest,
    *,
    out: str,
    runner: Runner,
    on_step: Callable[[str], object] = lambda step: None,
) -> StepManifest | ShardManifest:
    """Run one step; arguments and errors are those of `prepare`."""
    with claimed(manifest, out=out, runner=runner) as runner:
        if step == "tokenize":
            return _shards(manifest, out, runner, on_step)
        on_step(step)
        match step:
            case "extract":
                return extract(manifest, out=out, runner=runner)
            case "decide":
                return decide(manifest, out=out, runner=runner)
            case "tokenizer":
                return make_tokenizer(manifest, out=out)


def cut_from(shards: ShardManifest, out: str) -> StepManifest | None:
    """The manifest of the step that cut repeated runs out of these shards; None if none did."""
    return read_step(join(out, SUBSTRINGS)) if SUBSTRINGS in shards.inputs else None


def _shards(manifest: CorpusManifest, out: str, runner: Runner, on_step: Callable[[str], object]) -> ShardManifest:
    if manifest.dedup.substrings is None:
        on_step("tokenize")
        return tokenize(manifest, out=out, runner=runner)
    on_step(TOKENS)
    tokenize(manifest, out=out, runner=runner)
    return remove_substrings(manifest, out=out, runner=runner, on_step=on_step)


def rehearse(manifest: CorpusManifest, *, out: str, share: float, runner: Runner) -> Prediction:
    """Run extract on a sample and predict the full run; arguments and errors are those of `sample_extract`."""
    with claimed(manifest, out=out, runner=runner) as runner:
        return sample_extract(manifest, out=out, share=share, runner=runner)


def _check_places(manifest: CorpusManifest) -> None:
    """What later steps read is looked for before the first one begins, which may take days."""
    check_lists(manifest)
    check_allowed(manifest)
    merged_settings(manifest)
    index_settings(manifest)
    if manifest.tokenizer.model is not None and not exists(manifest.tokenizer.model):
        raise GristmillError("no such file", where=manifest.tokenizer.model, remedy="check `tokenizer.model`")


@contextlib.contextmanager
def claimed(manifest: CorpusManifest, *, out: str, runner: Runner) -> Iterator[Runner]:
    """Hold the lock of the output folder, and the helper processes that all steps share.

    On a cluster, also end jobs that an earlier command left running, and check the cluster before it is used.

    Yields the runner, whose jobs are named after the folder.

    Raises:
        GristmillError: patterns of the inputs match the folder, another command writes there, or the cluster is not
            ready.
    """
    check_out(manifest.sources, out=out)
    with only_writer(out, say=runner.say), with_helpers(runner) as runner:
        if runner.cluster is None:
            yield runner
            return
        from pipeline.engines.portable import cancel_jobs
        from pipeline.engines.preflight import check_cluster

        owned = replace(runner, owner=job_owner(out))
        if runner.cluster.runner == "flink" and any(
            not job.ended for job in flink.jobs(runner.cluster.rest, prefix=owned.owner)
        ):
            runner.say(f"an earlier command left its job: {cancel_jobs(runner.cluster.rest, prefix=owned.owner)}")
        check_cluster(owned, out=out, inputs=[list_raw_files([source])[0].path for source in manifest.sources])
        yield owned
