"""Where pipelines run: Beam's embedded runner, or a portable job service.

In: a function that builds a pipeline. Out: nothing; pipelines publish files, and this module only says whether they ended well.

The embedded runner is built directly. `DirectRunner` would first try to download another engine, and a plain `FnApiRunner`
hands its workers empty options. The classes used here are not public API: Beam is pinned exactly, and tests/pipeline/test_runners.py
watches them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from manifests.errors import GristmillError
from pipeline.subset import check_subset

RunnerKind = Literal["embedded", "portable"]


@dataclass(frozen=True)
class Runner:
    """How to run pipelines.

    Attributes:
        kind: `embedded` runs in this process (one worker) or in `workers` processes of this machine; `portable` submits to a
            job service with an external worker pool, as a cluster would be used.
        workers: worker processes of the embedded runner.
        job_endpoint: host:port of the job service; None starts Beam's own local one for each pipeline.
        worker_endpoint: host:port of the worker pool; None starts one for each pipeline.
    """

    kind: RunnerKind = "embedded"
    workers: int = 1
    job_endpoint: str | None = None
    worker_endpoint: str | None = None

    def at_most(self, workers: int) -> Runner:
        """The same runner with no more workers than a pipeline has work for: starting one costs two CPU seconds."""
        return replace(self, workers=max(1, min(self.workers, workers)))


def run_pipeline(build: Callable[[Any], object], *, runner: Runner) -> None:
    """Build and run one pipeline to its end.

    Args:
        build: gets a `beam.Pipeline` and applies transforms to it.

    Raises:
        GristmillError: an element failed (with the worker's own last message) or a worker process died.
    """
    _quiet_import()
    try:
        with _quiet_threads():
            _run(build, runner)
    except Exception as error:
        raise _explain(error) from error


def _run(build: Callable[[Any], object], runner: Runner) -> None:
    if runner.kind == "embedded":
        _run_embedded(build, workers=runner.workers)
        return
    with _portable_endpoints(runner) as (job, worker):
        _run_portable(build, job_endpoint=job, worker_endpoint=worker)


@contextlib.contextmanager
def _quiet_threads() -> Iterator[None]:
    """Beam's reading threads end with a traceback when a worker is lost; the loss itself is raised in the main thread."""
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


def _quiet_import() -> None:
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
    import apache_beam  # noqa: F401  # the import itself logs


def _run_embedded(build: Callable[[Any], object], *, workers: int) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.portability.api import beam_provision_api_pb2
    from apache_beam.runners.portability.fn_api_runner import fn_runner
    from apache_beam.runners.portability.portable_runner import JobServiceHandle
    from apache_beam.transforms import environments

    flags = [f"--direct_num_workers={workers}", "--default_sdk_harness_log_level=ERROR"]
    options = PipelineOptions(flags)
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    provision = fn_runner.ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded))
    environment = None
    if workers > 1:
        environment = environments.SubprocessSDKEnvironment.from_command_string(f"{sys.executable} -m pipeline.worker")
    engine = fn_runner.FnApiRunner(default_environment=environment, provision_info=provision)
    with _importable_workers():
        pipeline = beam.Pipeline(runner=engine, options=options)
        build(pipeline)
        check_subset(pipeline)
        pipeline.run().wait_until_finish()


def _run_portable(build: Callable[[Any], object], *, job_endpoint: str, worker_endpoint: str) -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    options = PipelineOptions(
        [
            "--runner=PortableRunner",
            f"--job_endpoint={job_endpoint}",
            "--environment_type=EXTERNAL",
            f"--environment_config={worker_endpoint}",
            # No artifacts are staged: the workers have the package installed.
            "--sdk_location=container",
            "--experiments=disable_logging_submission_environment",
            "--default_sdk_harness_log_level=ERROR",
        ]
    )
    pipeline = beam.Pipeline(options=options)
    build(pipeline)
    check_subset(pipeline)
    result = pipeline.run()
    with _cancel_on_signal(result):
        state = result.wait_until_finish()
    if state != "DONE":
        raise GristmillError(f"the job ended in state {state}", where=job_endpoint, remedy="look into the job service's log")


@contextlib.contextmanager
def _cancel_on_signal(result: Any) -> Iterator[None]:
    """A client that just goes away leaves its job on the cluster: cancel it first."""

    def cancel(number: int, _frame: object) -> None:
        result.cancel()
        raise GristmillError(f"stopped by {signal.Signals(number).name}; the job was cancelled")

    try:
        before = {number: signal.signal(number, cancel) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: the caller owns the signals
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _importable_workers() -> Iterator[None]:
    """Worker processes import our packages by name, wherever the command was started."""
    root = str(Path(__file__).resolve().parent.parent)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = root if not before else f"{root}{os.pathsep}{before}"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@contextlib.contextmanager
def _portable_endpoints(runner: Runner) -> Iterator[tuple[str, str]]:
    """The endpoints given, or a job service and a worker pool of our own for as long as the pipeline runs."""
    with contextlib.ExitStack() as stack:
        job, worker = runner.job_endpoint, runner.worker_endpoint
        if worker is None:
            port = _free_port()
            stack.enter_context(
                _child([sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={port}"], port)
            )
            worker = f"localhost:{port}"
        if job is None:
            port = _free_port()
            stack.enter_context(
                _child([sys.executable, "-m", "apache_beam.runners.portability.local_job_service_main", "-p", str(port)], port)
            )
            job = f"localhost:{port}"
        yield job, worker


@contextlib.contextmanager
def _child(command: list[str], port: int, *, patience_s: float = 60.0) -> Iterator[None]:
    """A helper process that listens on `port`; it and its children end with the block."""
    environment = dict(os.environ)
    # The pool starts workers with the command `python` from PATH: it must be this interpreter.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).resolve().parent.parent), *filter(None, [environment.get("PYTHONPATH")])]
    )
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + patience_s
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    lines = log.read().decode(errors="replace").strip().splitlines()
                    raise GristmillError(f"`{' '.join(command[2:])}` did not start: {lines[-1] if lines else 'no output'}")
                time.sleep(0.1)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("localhost", port)) == 0


def _explain(error: Exception) -> GristmillError:
    """What the failing element said, out of Beam's wrapping.

    Beam raises a copy of an exception, made from its first argument and the name of the step; the original is its context.
    """
    original: GristmillError | None = None
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, GristmillError):
            original = cause
        cause = cause.__cause__ or cause.__context__
    if original is not None:
        return original
    text = str(error)
    if "Channel closed prematurely" in text:
        return GristmillError("a worker process died, probably for lack of memory", remedy="use fewer --workers; finished parts are kept")
    return GristmillError(_python_error_in(text))


def _python_error_in(text: str) -> str:
    """The exception's own lines from the traceback of a worker, without Beam's `[while running '…']`."""
    marker = "manifests.errors.GristmillError: "
    if marker in text:
        # The first is the original, the last is Beam's copy.
        return text.split(marker, 2)[1].split("\n\n")[0].split(" [while running")[0].strip()
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return (lines[-1] if lines else "the pipeline failed without a message").split(" [while running")[0].strip()
