"""The whole data half: extract, decide, tokenizer, tokenize, one after the other in one folder.

In: a corpus manifest. Out: the folder OUT with the four steps' folders. Each step skips what is finished; the folder's lock keeps a
second command from writing into it at the same time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from manifests.corpus import CorpusManifest
from manifests.step import StepManifest
from pipeline.decide.step import decide
from pipeline.engines import flink
from pipeline.engines.runners import Runner, job_owner, with_helpers
from pipeline.extract.inputs import check_out, list_raw_files
from pipeline.extract.step import extract
from pipeline.tokenize.step import tokenize
from pipeline.tokenize.training_step import make_tokenizer
from shards.format import ShardManifest
from storage.lock import only_writer


@dataclass(frozen=True)
class Prepared:
    """The manifests of all steps."""

    extract: StepManifest
    decide: StepManifest
    tokenizer: StepManifest
    shards: ShardManifest


def prepare(manifest: CorpusManifest, *, out: str, runner: Runner, on_step: Callable[[str], object] = lambda step: None) -> Prepared:
    """Run all steps.

    Args:
        on_step: told the name of each step as it begins.

    Raises:
        GristmillError: a step failed; what is finished stays, and the same call goes on from there.
    """
    with claimed(manifest, out=out, runner=runner) as runner:
        on_step("extract")
        extracted = extract(manifest, out=out, runner=runner)
        on_step("decide")
        decided = decide(manifest, out=out, runner=runner)
        on_step("tokenizer")
        tokenizer = make_tokenizer(manifest, out=out)
        on_step("tokenize")
        return Prepared(extracted, decided, tokenizer, tokenize(manifest, out=out, runner=runner))


@contextlib.contextmanager
def claimed(manifest: CorpusManifest, *, out: str, runner: Runner) -> Iterator[Runner]:
    """Hold the output folder, and the helper processes that all steps share.

    On a cluster also end what an earlier command left running there, and check it before it is used.

    Gives the runner whose jobs are named after the folder.

    Raises:
        GristmillError: the inputs reach the folder, another command writes there, or the cluster is not ready.
    """
    check_out(manifest.sources, out=out)
    with only_writer(out, say=runner.say), with_helpers(runner) as runner:
        if runner.cluster is None:
            yield runner
            return
        from pipeline.engines.portable import cancel_jobs
        from pipeline.engines.preflight import check_cluster

        mine = replace(runner, owner=job_owner(out))
        if runner.cluster.runner == "flink" and any(not job.ended for job in flink.jobs(runner.cluster.rest, prefix=mine.owner)):
            runner.say(f"an earlier command left its job: {cancel_jobs(runner.cluster.rest, prefix=mine.owner)}")
        check_cluster(mine, out=out, inputs=[list_raw_files([source])[0].path for source in manifest.sources])
        yield mine
