"""Runs a pipeline on a job service and owns the job: whatever ends the client's wait also ends the job.

In: a function that builds a pipeline, and the cluster. Out: nothing; pipelines publish files. The job service may be
Beam's local one with a worker pool of our own (`local_cluster`), Flink's, or another. Progress is read from the files,
not from here.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from manifests.cluster import ClusterManifest
from manifests.errors import GristmillError
from pipeline.engines import flink
from pipeline.engines.failures import has_gristmill_error, lost_process, lost_worker, worker_message
from pipeline.engines.loopback import HOST, PORT
from pipeline.engines.subset import check_subset
from pipeline.engines.worker_pool import LOST, WHO
from storage.processes import child_environment, obituary, parent_told, python_command, start_watched, telling_lines

_POLL_S = 0.25
_FAILURES_POLL_S = 2.0
_CANCEL_S = 10.0
# From submission until Flink lists the job: the job server translates the pipeline and uploads its class path, measured
# at 3 to 7 s.
_APPEAR_S = 8.0
_ENDED = {"DONE", "FAILED", "CANCELLED", "DRAINED"}
# A job may fail because a process died, a moment before that process has been waited for.
_DEATH_S = 5.0
_START_S = 180.0


def _nothing() -> None:
    pass


def run_portable(
    build: Callable[[Any], object],
    *,
    cluster: ClusterManifest,
    job_name: str,
    parallelism: int,
    say: Callable[[str], object],
    watch: Callable[[], None] = _nothing,
) -> None:
    """Build, submit, and wait to the end.

    Args:
        job_name: must be unique on the cluster; the job is found again by this name.
        say: called with messages for the user: a lost process, a cancelled job.
        watch: called a few times a second while the job runs; an exception that it raises ends the job.

    Raises:
        GristmillError: the job failed (with the worker's last message), or the job service went away.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    pipeline = beam.Pipeline(options=PipelineOptions(beam_options(cluster, job_name=job_name, parallelism=parallelism)))
    build(pipeline)
    check_subset(pipeline)
    result = None
    try:
        result = pipeline.run()
        _wait(result, cluster=cluster, job_name=job_name, say=say, watch=watch)
    except BaseException:
        with _ignoring_signals():
            _cancel(result, cluster=cluster, job_name=job_name, say=say)
        raise


def beam_options(cluster: ClusterManifest, *, job_name: str, parallelism: int) -> list[str]:
    """The cluster manifest as Beam options. No artifacts are staged: the workers have the package installed."""
    options = [
        "--runner=PortableRunner",
        f"--job_name={job_name}",
        f"--job_endpoint={cluster.job_endpoint}",
        "--job_server_timeout=60",
        "--environment_type=EXTERNAL",
        f"--environment_config={cluster.worker_endpoint}",
        f"--sdk_worker_parallelism={cluster.workers_per_task_manager}",
        "--sdk_location=container",
        "--experiments=disable_logging_submission_environment",
        "--default_sdk_harness_log_level=ERROR",
    ]
    if cluster.runner == "flink":
        options += [
            f"--parallelism={min(parallelism, cluster.parallelism)}",
            f"--number_of_execution_retries={cluster.retries}",
            f"--execution_retry_delay={int(cluster.retry_delay_s * 1000)}",
        ]
    return options


def _wait(
    result: Any, *, cluster: ClusterManifest, job_name: str, say: Callable[[str], object], watch: Callable[[], None]
) -> None:
    messages: list[str] = []
    threading.Thread(target=_collect_errors, args=(result, messages), daemon=True).start()
    known: set[str] = set()
    next_look = 0.0
    watch()
    while (state := _state(result, cluster)) not in _ENDED:
        watch()
        if cluster.runner == "flink" and time.monotonic() >= next_look:
            _look_at_failures(cluster.rest, job_name, known, say)
            next_look = time.monotonic() + _FAILURES_POLL_S
        time.sleep(_POLL_S)
    if state == "DONE":
        return
    deadline = time.monotonic() + _DEATH_S
    while watch is not _nothing and (not messages or lost_worker(messages[0])) and time.monotonic() < deadline:
        watch()
        time.sleep(_POLL_S)
    if cluster.runner == "flink":
        _look_at_failures(cluster.rest, job_name, known, lambda text: None)
        jobs = flink.jobs(cluster.rest, prefix=job_name)
        if any(job.state == "CANCELED" for job in jobs):
            state = "CANCELLED"
        messages = [text for job in jobs for text in flink.failures(cluster.rest, job.id)] or messages
    if state == "CANCELLED":
        raise GristmillError("the job was cancelled", where=job_name, remedy="run the same command again to go on")
    if not messages:
        time.sleep(1.0)  # the message stream may be a moment behind the state
    raise GristmillError(
        worker_message(messages[0]) if messages else f"the job ended in state {state}",
        where=None if messages and has_gristmill_error(messages[0]) else job_name,
        remedy=None
        if messages and has_gristmill_error(messages[0])
        else "finished parts are kept: run the same command again to go on",
    )


def _state(result: Any, cluster: ClusterManifest) -> str:
    import grpc

    try:
        return str(result.state)
    except grpc.RpcError as error:
        raise GristmillError(
            f"the job service went away: {error.code().name}",
            where=cluster.job_endpoint,
            remedy="start it again and run the same command again; finished parts are kept",
        ) from error


def _collect_errors(result: Any, messages: list[str]) -> None:
    from apache_beam.portability.api import beam_job_api_pb2

    with contextlib.suppress(Exception):  # the stream breaks when the job service goes away: the state says so
        for message in result._message_stream:
            answer = message.message_response
            if (
                message.HasField("message_response")
                and answer.importance == beam_job_api_pb2.JobMessage.JOB_MESSAGE_ERROR
            ):
                messages.insert(0, answer.message_text)


def _look_at_failures(rest: str, job_name: str, known: set[str], say: Callable[[str], object]) -> None:
    """Raise errors that would come again after a restart; report processes that were lost."""
    try:
        traces = [text for job in flink.jobs(rest, prefix=job_name) for text in flink.failures(rest, job.id)]
    except GristmillError:
        return  # the job service's state decides; Flink may be starting its REST service again
    for text in traces:
        if text in known:
            continue
        known.add(text)
        if has_gristmill_error(text):
            raise GristmillError(worker_message(text))
        lost = lost_process(text)
        say(f"{lost or 'a task'} was lost; Flink starts the pipeline again ({worker_message(text)[:200]})")


def _cancel(result: Any, *, cluster: ClusterManifest, job_name: str, say: Callable[[str], object]) -> None:
    """End the job, whatever its state.

    A job service that is still translating the pipeline submits it to Flink a moment later.
    """
    ended = False
    with contextlib.suppress(Exception):  # if the job service has gone away, Flink is asked below
        from apache_beam.portability.api import beam_job_api_pb2

        ended = result is not None and str(result.state) in _ENDED
        if result is not None and not ended:
            result._job_service.Cancel(beam_job_api_pb2.CancelJobRequest(job_id=result._job_id), timeout=5)
    if cluster.runner != "flink":
        if result is not None and not ended:
            say(f"cancelled: {job_name}")
        return
    try:
        message = cancel_jobs(cluster.rest, prefix=job_name, appear_s=0.0 if ended else _APPEAR_S)
        if message:
            say(message)
    except GristmillError as error:
        say(f"the job {job_name} may still run: {error}")


def cancel_jobs(rest: str, *, prefix: str, appear_s: float = 0.0) -> str:
    """Cancel all jobs whose name begins with `prefix`. Returns a message that says what was done; empty if no job runs.

    Args:
        appear_s: how many seconds to wait for a job that has been submitted but is not on the cluster yet.
    """
    deadline = time.monotonic() + appear_s
    while not (jobs := flink.jobs(rest, prefix=prefix)) and time.monotonic() < deadline:
        time.sleep(0.2)
    running = [job for job in jobs if not job.ended]
    stuck = [job for job in running if not flink.cancel(rest, job.id, patience_s=_CANCEL_S)]
    if stuck:
        names = ", ".join(job.id for job in stuck)
        return f"cancelling takes long: {names} still runs; `gristmill jobs cancel {names}` asks again"
    ended = ", ".join(f"{job.name} ({job.id})" for job in running)
    return f"cancelled on the cluster: {ended}" if running else ""


@contextlib.contextmanager
def _ignoring_signals() -> Iterator[None]:
    """Ignore signals during the block: a second Ctrl-C must not leave the job running.

    Cancelling takes a bounded time.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    except ValueError:  # not in the main thread: the caller owns the signals
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class RunningCluster:
    """A cluster that is available while a pipeline runs.

    Attributes:
        watch: raises if one of its processes that this command started has ended.
    """

    manifest: ClusterManifest
    watch: Callable[[], None] = _nothing


@contextlib.contextmanager
def local_cluster() -> Iterator[RunningCluster]:
    """Beam's own job service and our worker pool on this machine, for as long as the block runs."""
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(_child("the worker pool", "pipeline.engines.worker_pool"))
        service = stack.enter_context(_child("Beam's job service", "pipeline.engines.job_service"))
        ports = [_port(helper) for helper in (pool, service)]

        def watch() -> None:
            pool.watch()
            service.watch()

        worker, job = (f"{HOST}:{port}" for port in ports)
        yield RunningCluster(ClusterManifest(runner="portable", job_endpoint=job, worker_endpoint=worker), watch)


@dataclass(frozen=True)
class _Helper:
    """A helper process: `watch` raises if it has ended; `ports` receives its port once it serves."""

    who: str
    watch: Callable[[], None]
    ports: queue.SimpleQueue[int]


@contextlib.contextmanager
def _child(who: str, module: str) -> Iterator[_Helper]:
    """Start a helper process that reports its port. It and its children end with the block, or with this process."""
    with tempfile.TemporaryFile() as log:
        process = start_watched(
            python_command(module),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=child_environment(**parent_told()),
            # Its workers are in its process group and end with it.
            start_new_session=True,
        )
        ports: queue.SimpleQueue[int] = queue.SimpleQueue()

        def listen() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(PORT.encode()):
                    ports.put(int(line.removeprefix(PORT.encode())))

        threading.Thread(target=listen, name=f"listen-to-{module}", daemon=True).start()

        def watch() -> None:
            status = process.poll()
            if status is None:
                return
            log.seek(0)
            lines = log.read().decode(errors="replace").splitlines()
            raise GristmillError(
                _why_ended(who, status, lines), remedy="run the same command again to go on; finished parts are kept"
            )

        try:
            yield _Helper(who, watch, ports)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _port(helper: _Helper) -> int:
    """Wait until the helper serves; returns its port."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        helper.watch()
        with contextlib.suppress(queue.Empty):
            return helper.ports.get(timeout=0.1)
    raise GristmillError(f"{helper.who} did not start within {_START_S:g} s")


def _why_ended(who: str, status: int, lines: Sequence[str]) -> str:
    """Why a helper process ended.

    A pool that ended with its worker has logged which one and why; its timestamp is left out.
    """
    if status == LOST:
        first = max((place for place, line in enumerate(lines) if WHO in line), default=None)
        if first is not None:
            return "\n".join(
                [
                    lines[first][lines[first].index(WHO) :],
                    *(line for line in lines[first + 1 :] if line.startswith("    ")),
                ]
            )
    return obituary(who, status, telling_lines(lines))
