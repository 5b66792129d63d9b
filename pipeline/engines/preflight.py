"""Checks made before anything is submitted to a cluster.

A failure says what to do within seconds, instead of after a long hang.

In: a cluster, the folder to write and a few raw files to read. Out: nothing, or an error. The last check is a tiny job.
Its elements publish a report each, in a temporary folder below the output folder: the worker's versions and what it can
reach.
"""

from __future__ import annotations

import json
import os
import socket
import time
import urllib.parse
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from manifests.base import Strict, canonical_json
from manifests.cluster import ClusterManifest
from manifests.errors import GristmillError
from pipeline.engines import flink
from pipeline.engines.compiled import COMPILING_S, are_compiled
from pipeline.engines.failures import worker_message
from pipeline.engines.portable import run_portable
from pipeline.engines.runners import Runner, quiet_import
from pipeline.engines.versions import differences, process_facts
from storage.faults import endpoint_url
from storage.files import join, list_files, map_file, publish, read_bytes, remove_tree

_CONNECT_S = 3.0
_DESCRIBE_S = 8.0
_WHOLE_JOB_S = 120.0
# A slot's result partition needs 512 buffers of 32 KiB. Measured on TaskManagers with two slots: 64 MiB fails with
# "Insufficient number of network buffers", 256 MiB is enough for parallelism 4.
NETWORK_BYTES_PER_SLOT = 128 << 20


class Hello(Strict):
    """What the elements of the last check share.

    Attributes:
        folder: where greetings are published; a new folder for each run of this check.
        inputs: a raw file of each source.
    """

    folder: str
    inputs: tuple[str, ...]
    store_endpoint: str | None


def check_cluster(runner: Runner, *, out: str, inputs: Sequence[str]) -> None:
    """All checks, cheapest first.

    Args:
        out: the folder that the command writes.
        inputs: a raw file of each source.

    Raises:
        GristmillError: for the first check that fails, with its remedy.
    """
    cluster = runner.cluster
    assert cluster is not None, "there is nothing to check without a cluster"
    quiet_import()
    check_job_service(cluster)
    if cluster.runner == "flink":
        check_flink(cluster, say=runner.say)
    check_store(cluster, [out, *inputs])
    check_workers(replace(runner, workers=cluster.parallelism), out=out, inputs=inputs)


def check_job_service(cluster: ClusterManifest) -> None:
    """The job service listens and speaks Beam's protocol."""
    import grpc
    from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc

    where = cluster.job_endpoint
    _connect(
        where,
        what="the job service",
        remedy="start Beam's job server, or correct `job_endpoint` in the cluster manifest",
    )
    with grpc.insecure_channel(where) as channel:
        try:
            stub = beam_job_api_pb2_grpc.JobServiceStub(channel)
            stub.DescribePipelineOptions(beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=_DESCRIBE_S)
        except grpc.RpcError as error:
            raise GristmillError(
                f"something listens, but does not answer as a Beam job service: {error.code().name}",
                where=where,
                remedy=(
                    "`job_endpoint` wants the job server's own port (8099 by default), not its artifact port and not"
                    " Flink's REST port"
                ),
            ) from error


def check_flink(cluster: ClusterManifest, *, say: Callable[[str], object]) -> None:
    """There are TaskManagers, free slots and memory for shuffles, and a lost TaskManager does not end the job."""
    managers = flink.task_managers(cluster.rest)
    slots, free = sum(manager.slots for manager in managers), sum(manager.free_slots for manager in managers)
    if not managers:
        raise GristmillError(
            "the cluster has no TaskManager",
            where=cluster.rest,
            remedy="start TaskManagers; their log says why they did not register",
        )
    if slots < cluster.parallelism:
        raise GristmillError(
            f"parallelism {cluster.parallelism} wants as many slots, and {len(managers)} TaskManagers have {slots}",
            where=cluster.rest,
            remedy=f"start more TaskManagers, or set `parallelism: {slots}` in the cluster manifest",
        )
    if free < cluster.parallelism:
        busy = [f"{job.name} ({job.id})" for job in flink.jobs(cluster.rest) if not job.ended]
        raise GristmillError(
            f"parallelism {cluster.parallelism} wants as many free slots; {free} of {slots} are free; busy:"
            f" {', '.join(busy) or '?'}",
            where=cluster.rest,
            remedy="wait, or end a job by `gristmill jobs cancel ID --cluster …`",
        )
    for manager in managers:
        needed = NETWORK_BYTES_PER_SLOT * manager.slots
        if manager.network_bytes < needed:
            raise GristmillError(
                f"TaskManager {manager.id} has {manager.network_bytes >> 20} MiB of network memory for {manager.slots}"
                " slots",
                where=cluster.rest,
                remedy=f"set taskmanager.memory.network.min and .max to {needed >> 20}m: shuffles fail with less",
            )
        if manager.slots > cluster.workers_per_task_manager:
            say(
                f"a TaskManager has {manager.slots} slots and {cluster.workers_per_task_manager} Python worker"
                f" process(es): set `workers_per_task_manager: {manager.slots}` to use them all"
            )
    settings = flink.cluster_settings(cluster.rest)
    strategy = settings.get("restart-strategy.type", settings.get("restart-strategy", "none"))
    if strategy in ("none", "off", "disable"):
        # Measured: batch pipelines of Beam's Flink runner use the cluster's strategy and ignore
        # `number_of_execution_retries`.
        raise GristmillError(
            "the cluster has no restart strategy: one lost TaskManager or worker would end a job",
            where=cluster.rest,
            remedy=(
                "set restart-strategy.type: fixed-delay, restart-strategy.fixed-delay.attempts: 10 in Flink's"
                " configuration"
            ),
        )


def check_store(cluster: ClusterManifest, paths: Sequence[str]) -> None:
    """The object store listens where the client and the manifest say."""
    if not any(path.startswith("s3://") for path in paths):
        return
    problem = _store_problem(cluster.store_endpoint)
    if problem is not None:
        raise problem


def _store_problem(expected: str | None) -> GristmillError | None:
    endpoint = (endpoint_url() or "").rstrip("/") or None
    if expected is not None and endpoint != expected:
        return GristmillError(
            f"AWS_ENDPOINT_URL is {endpoint or 'not set'}, and the cluster manifest's `store_endpoint` is {expected}",
            where=socket.gethostname(),
            remedy="set AWS_ENDPOINT_URL to it in the environment of the client and of each worker pool",
        )
    if endpoint is None:
        return None
    parts = urllib.parse.urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        _connect(
            f"{parts.hostname}:{port}",
            what="the object store",
            remedy="start it, or correct AWS_ENDPOINT_URL (and `store_endpoint`)",
        )
    except GristmillError as error:
        return error
    return None


def check_workers(runner: Runner, *, out: str, inputs: Sequence[str]) -> None:
    """A tiny job: workers start, compute with the same versions as this process, read the inputs
    and write the output.
    """
    cluster = runner.cluster
    assert cluster is not None
    folder = join(out, f".tmp-preflight-{uuid.uuid4().hex[:12]}")
    name = f"{runner.owner}-preflight-{uuid.uuid4().hex[:8]}"
    publish(join(folder, "token"), b"client")
    settings = Hello(folder=folder, inputs=tuple(inputs), store_endpoint=cluster.store_endpoint)
    elements = [str(number) for number in range(4 * cluster.parallelism)]

    def build(pipeline: Any) -> object:
        import apache_beam as beam

        from pipeline.engines.dofns import EmitNames

        return pipeline | beam.Create(elements) | "Hello" >> beam.ParDo(EmitNames(say_hello, settings))

    try:
        try:
            run_portable(
                build,
                # Restarts by the cluster would hide the first error. `watch` ends the job as soon as it sees that
                # error.
                cluster=cluster.model_copy(update={"retries": 0}),
                job_name=name,
                parallelism=runner.workers,
                say=runner.say,
                watch=_watch(cluster, folder, name),
            )
        except GristmillError as error:
            raise _worker_error(cluster, error) from error
        greetings = [json.loads(read_bytes(join(folder, path))) for path in list_files(folder, "hello-*")]
    finally:
        remove_tree(folder)
    check_greetings(cluster, out, greetings)
    cold = sorted({str(greeting["host"]) for greeting in greetings if not greeting["kernels"]})
    if cold:
        runner.say(
            f"no compiled text kernels yet on {', '.join(cold)}: each worker there compiles them in its first task,"
            f" some {COMPILING_S} s; `python -P -m pipeline.warm_up` on their machines or in their image does it before"
        )


def say_hello(_element: str, settings: Hello) -> list[str]:
    """Runs in a worker; returns the name of the published greeting."""
    return [greet(settings)]


@cache
def greet(settings: Hello) -> str:
    """Publish this process's versions and what it cannot reach, once per process; returns the greeting's name."""
    folder = settings.folder
    name = f"hello-{socket.gethostname()}-{os.getpid()}.json"
    problems: list[str] = []
    if any(path.startswith("s3://") for path in [folder, *settings.inputs]):
        problem = _store_problem(settings.store_endpoint)
        if problem is not None:
            raise problem
    try:
        read_bytes(join(folder, "token"))
    except GristmillError as error:
        problems.append(f"cannot read what the client wrote: {error}")
    for path in settings.inputs:
        try:
            with map_file(path) as file:
                file.read(1)
        except (GristmillError, OSError) as error:
            problems.append(f"cannot read an input: {error}")
    facts = {"host": socket.gethostname(), "facts": process_facts(), "kernels": are_compiled(), "problems": problems}
    publish(join(folder, name), canonical_json(facts).encode())
    return name


def _watch(cluster: ClusterManifest, folder: str, name: str) -> Callable[[], None]:
    """A function that ends the tiny job at its first error, or when no worker shows up."""
    began = time.monotonic()
    running_since: float | None = None
    seen = False
    next_look = 0.0

    def watch() -> None:
        nonlocal running_since, seen, next_look
        now = time.monotonic()
        if now < next_look:
            return
        next_look = now + 1.0
        if cluster.runner == "flink":
            for job in flink.jobs(cluster.rest, prefix=name):
                for text in flink.failures(cluster.rest, job.id):
                    raise GristmillError(worker_message(text))
                if flink.any_task_runs(cluster.rest, job.id):
                    running_since = running_since or now
        else:
            running_since = running_since or began
        seen = seen or bool(list_files(folder, "hello-*"))
        if not seen and running_since is not None and now - running_since > cluster.worker_start_timeout_s:
            raise GristmillError(
                f"no Python worker showed up within {cluster.worker_start_timeout_s:g} s",
                where=cluster.worker_endpoint,
                remedy=(
                    "start `gristmill worker` beside each TaskManager and read its log; on slow machines raise"
                    " `worker_start_timeout_s`"
                ),
            )
        if now - began > _WHOLE_JOB_S:
            raise GristmillError(
                f"the pre-flight job did not end within {_WHOLE_JOB_S:g} s",
                where=cluster.job_endpoint,
                remedy="look into Flink's log",
            )

    return watch


def _worker_error(cluster: ClusterManifest, error: GristmillError) -> GristmillError:
    text = str(error)
    if "No module named" in text or "did not start" in text:
        return GristmillError(
            f"a Python worker cannot start: {error.message}",
            where=cluster.worker_endpoint,
            remedy="install the same gristmill, with its `data` dependencies, where the worker pool runs",
        )
    if "UNAVAILABLE" in text or "Connection refused" in text:
        return GristmillError(
            f"no worker pool answers beside a TaskManager: {error.message[:200]}",
            where=cluster.worker_endpoint,
            remedy=(
                "start `gristmill worker --port …` in each TaskManager's network namespace, or correct"
                " `worker_endpoint`"
            ),
        )
    return error


def check_greetings(cluster: ClusterManifest, out: str, greetings: list[dict[str, Any]]) -> None:
    """Check what the workers published: at least one greeting, the same versions as here, and no problems.

    Raises:
        GristmillError: for the first check that fails.
    """
    if not greetings:
        raise GristmillError(
            "the workers wrote into the output folder, and nothing arrived here: it is another disk on their machine",
            where=out,
            remedy="give an --out that all machines share: an object store, or a shared file system",
        )
    client = process_facts()
    for greeting in sorted(greetings, key=lambda greeting: str(greeting["host"])):
        different = differences(client, greeting["facts"])
        if different:
            raise GristmillError(
                f"the worker on {greeting['host']} computes with other versions: {'; '.join(different)}",
                where=cluster.worker_endpoint,
                remedy="install the same constraints.txt and the same gristmill on client and workers",
            )
        if greeting["problems"]:
            raise GristmillError(
                f"the worker on {greeting['host']} {'; '.join(greeting['problems'])}",
                remedy=(
                    "inputs and output must be readable and writable from the workers: on a shared file system, or an"
                    " object store whose keys are in the environment of the worker pools"
                ),
            )


def _connect(address: str, *, what: str, remedy: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_CONNECT_S):
            pass
    except OSError as error:
        raise GristmillError(f"{what} cannot be reached: {error}", where=address, remedy=remedy) from error
