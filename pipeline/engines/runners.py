"""Where pipelines run: Beam's embedded runner, or a job service.

In: a function that builds a pipeline. Out: nothing; pipelines publish files, and this module only reports whether they
succeeded.

The embedded runner is built directly. `DirectRunner` would first try to download another engine, and a plain
`FnApiRunner` hands its workers empty options. The classes used here are not public API: Beam is pinned exactly, and
tests/pipeline/engines/test_runners.py checks that they still exist and behave.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from manifests.cluster import ClusterManifest, load_cluster
from manifests.errors import GristmillError
from pipeline.engines.compiled import compile_kernels
from pipeline.engines.failures import explain
from pipeline.engines.subset import check_subset

if TYPE_CHECKING:
    from pipeline.engines.portable import RunningCluster
    from pipeline.engines.worker_processes import IdleWorkers

RunnerKind = Literal["embedded", "portable", "flink"]


def _silent(_message: object) -> None:
    pass


class Helpers:
    """Helper processes on this machine that serve one pipeline after another.

    They start when a pipeline first needs them.
    """

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._idle_workers: IdleWorkers | None = None
        self._served: RunningCluster | None = None

    def idle_workers(self) -> IdleWorkers:
        """Worker processes between two pipelines of the embedded runner."""
        from pipeline.engines.worker_processes import IdleWorkers

        if self._idle_workers is None:
            self._idle_workers = self._stack.enter_context(contextlib.closing(IdleWorkers()))
        return self._idle_workers

    def local_cluster(self) -> RunningCluster:
        """Beam's own job service and a worker pool."""
        from pipeline.engines.portable import local_cluster

        if self._served is None:
            self._served = self._stack.enter_context(local_cluster())
        return self._served


@dataclass(frozen=True)
class Runner:
    """How to run pipelines.

    Attributes:
        kind: `embedded` runs in this process (one worker) or in `workers` processes on this machine; the others submit
            to a job service with external workers.
        workers: worker processes of the embedded runner, or cluster slots that a pipeline uses.
        cluster: the job service; None with kind `portable` starts Beam's own local one and a worker pool.
        owner: prefix of each job's name on the cluster, so that a job can be found by the folder that it writes.
        say: called with messages for the user while a pipeline runs.
        expect: called with the number of tasks that a step is about to have, finished ones included; a step may call it
            several times.
        helpers: processes that several pipelines share (`with_helpers`).
    """

    kind: RunnerKind = "embedded"
    workers: int = 1
    cluster: ClusterManifest | None = None
    owner: str = "gristmill"
    say: Callable[[str], object] = _silent
    expect: Callable[[int], object] = _silent
    helpers: Helpers | None = None

    def at_most(self, workers: int) -> Runner:
        """The same runner with at most this many workers: starting a worker costs two CPU seconds."""
        return replace(self, workers=max(1, min(self.workers, workers)))


def on_cluster(cluster: ClusterManifest, *, say: Callable[[str], object] = _silent) -> Runner:
    """A runner that uses all slots that the manifest allows."""
    return Runner(kind=cluster.runner, workers=cluster.parallelism, cluster=cluster, say=say)


def choose_runner(kind: str | None, *, workers: int, cluster: Path | None, say: Callable[[str], object]) -> Runner:
    """The runner that the options of a command ask for.

    A cluster's `store_endpoint` goes into the environment of this process, unless that names one.

    Args:
        kind: None means that of the cluster, or the embedded one.

    Raises:
        GristmillError: no such kind, Flink without a cluster, or a kind that is not the cluster's.
    """
    if kind is not None and kind not in get_args(RunnerKind):
        raise GristmillError(
            f"unknown runner `{kind}`", where="--runner", remedy=f"use one of {', '.join(get_args(RunnerKind))}"
        )
    if cluster is None:
        if kind == "flink":
            raise GristmillError(
                "a Flink cluster has to be described",
                where="--runner",
                remedy="add `--cluster CLUSTER.yaml` (docs/cluster.md)",
            )
        return Runner(kind="portable" if kind == "portable" else "embedded", workers=workers, say=say)
    manifest = load_cluster(cluster)
    if kind is not None and kind != manifest.runner:
        raise GristmillError(
            f"--runner {kind}, but the manifest's runner is {manifest.runner}",
            where=str(cluster),
            remedy="leave --runner out",
        )
    if manifest.store_endpoint is not None:
        # The manifest stands in where the environment says nothing; where both speak, the pre-flight check compares
        # them.
        os.environ.setdefault("AWS_ENDPOINT_URL", manifest.store_endpoint)
    return on_cluster(manifest, say=say)


@contextlib.contextmanager
def with_helpers(runner: Runner) -> Iterator[Runner]:
    """The same runner, with helper processes that all its pipelines share and that end with the block."""
    if runner.helpers is not None:
        yield runner
        return
    with contextlib.ExitStack() as stack:
        yield replace(runner, helpers=Helpers(stack))


def job_owner(out: str) -> str:
    """The prefix of the names of all jobs that write into the folder `out`."""
    return f"gristmill-{hashlib.sha256(out.rstrip('/').encode()).hexdigest()[:10]}"


def run_pipeline(build: Callable[[Any], object], *, runner: Runner, label: str = "pipeline") -> None:
    """Build and run one pipeline to its end.

    Args:
        build: called with a `beam.Pipeline`; applies transforms to it.
        label: name of the job on a cluster.

    Raises:
        GristmillError: an element failed (with the worker's own last message) or a worker process died.
    """
    if runner.cluster is None:
        compile_kernels(runner.say)
    quiet_import()
    try:
        with _quiet_threads(), with_helpers(runner) as helped:
            _run(build, helped, label)
    except Exception as error:
        raise explain(error) from error


def _run(build: Callable[[Any], object], runner: Runner, label: str) -> None:
    assert runner.helpers is not None
    if runner.kind == "embedded":
        _run_embedded(build, workers=runner.workers, helpers=runner.helpers)
        return
    from pipeline.engines.portable import RunningCluster, run_portable

    words = "".join(letter if letter.isalnum() else "-" for letter in label.lower())
    name = f"{runner.owner}-{words}-{uuid.uuid4().hex[:8]}"
    served = runner.helpers.local_cluster() if runner.cluster is None else RunningCluster(runner.cluster)
    run_portable(
        build, cluster=served.manifest, job_name=name, parallelism=runner.workers, say=runner.say, watch=served.watch
    )


@contextlib.contextmanager
def _quiet_threads() -> Iterator[None]:
    """Suppress tracebacks of Beam's reader threads when a worker is lost; the main thread raises the loss itself."""
    import grpc

    before = threading.excepthook

    def hook(arguments: threading.ExceptHookArgs) -> None:
        if not isinstance(arguments.exc_value, grpc.RpcError):
            before(arguments)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


def quiet_import() -> None:
    """Import Beam without its import-time messages."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    import apache_beam  # noqa: F401  # the import itself logs


def _run_embedded(build: Callable[[Any], object], *, workers: int, helpers: Helpers) -> None:
    if workers == 1:
        _run_beam(build, workers=1, environment=None)
        return
    from pipeline.engines.embedded import run_in_processes

    run_in_processes(
        lambda environment: _run_beam(build, workers=workers, environment=environment),
        workers=workers,
        idle=helpers.idle_workers(),
    )


def _run_beam(build: Callable[[Any], object], *, workers: int, environment: Any) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.portability.api import beam_provision_api_pb2
    from apache_beam.runners.portability.fn_api_runner import fn_runner
    from apache_beam.runners.portability.portable_runner import JobServiceHandle

    flags = [f"--direct_num_workers={workers}", "--default_sdk_harness_log_level=ERROR"]
    options = PipelineOptions(flags)
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    provision = fn_runner.ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded))
    engine = fn_runner.FnApiRunner(default_environment=environment, provision_info=provision)
    pipeline = beam.Pipeline(runner=engine, options=options)
    build(pipeline)
    check_subset(pipeline)
    pipeline.run().wait_until_finish()
