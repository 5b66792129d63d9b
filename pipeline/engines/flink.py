"""Flink's REST service: what a cluster has, what runs on it, how a job ended.

In: the service's address. Out: small frozen records. Paths are those of Flink 1.19's REST API
(https://nightlies.apache.org/flink/flink-docs-release-1.19/docs/ops/rest_api/).
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from manifests.errors import GristmillError

TERMINAL = frozenset({"FINISHED", "FAILED", "CANCELED", "SUSPENDED"})
_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class TaskManager:
    """One TaskManager.

    Attributes:
        network_bytes: memory for shuffle buffers.
    """

    id: str
    slots: int
    free_slots: int
    network_bytes: int


@dataclass(frozen=True)
class FlinkJob:
    """One job of the cluster. `state` is Flink's name of it; times are in milliseconds since the epoch."""

    id: str
    name: str
    state: str
    start_ms: int
    duration_ms: int

    @property
    def ended(self) -> bool:
        return self.state in TERMINAL


def task_managers(rest: str) -> list[TaskManager]:
    """All TaskManagers, sorted by id, including lost ones that Flink has not given up on yet."""
    managers = []
    for entry in _get(rest, "/taskmanagers")["taskmanagers"]:
        memory = entry.get("memoryConfiguration") or _get(rest, f"/taskmanagers/{entry['id']}").get(
            "memoryConfiguration", {}
        )
        managers.append(
            TaskManager(
                id=entry["id"],
                slots=int(entry["slotsNumber"]),
                free_slots=int(entry["freeSlots"]),
                network_bytes=int(memory.get("networkMemory") or 0),
            )
        )
    return sorted(managers, key=lambda manager: manager.id)


def cluster_settings(rest: str) -> dict[str, str]:
    """The JobManager's configuration, as set."""
    return {entry["key"]: entry["value"] for entry in _get(rest, "/jobmanager/config")}


def jobs(rest: str, *, prefix: str = "") -> list[FlinkJob]:
    """Jobs whose name begins with `prefix`, including those that have ended, oldest first."""
    matching = [
        FlinkJob(
            id=job["jid"],
            name=job["name"],
            state=job["state"],
            start_ms=int(job["start-time"]),
            duration_ms=int(job["duration"]),
        )
        for job in _get(rest, "/jobs/overview")["jobs"]
        if job["name"].startswith(prefix)
    ]
    return sorted(matching, key=lambda job: (job.start_ms, job.id))


def any_task_runs(rest: str, job: str) -> bool:
    """True once a task of the job is running or done."""
    return any(vertex["status"] in ("RUNNING", "FINISHED") for vertex in _get(rest, f"/jobs/{job}")["vertices"])


def failures(rest: str, job: str) -> list[str]:
    """The job's failures as Java stack traces, newest first. A job that was restarted has one for each restart."""
    answer = _get(rest, f"/jobs/{job}/exceptions")
    entries = answer.get("exceptionHistory", {}).get("entries", [])
    traces = [
        str(entry.get("stacktrace", "")) for entry in sorted(entries, key=lambda entry: -int(entry.get("timestamp", 0)))
    ]
    return [text for text in traces if text] or [text for text in [answer.get("root-exception")] if text]


def cancel(rest: str, job: str, *, patience_s: float = 10.0) -> bool:
    """Cancel a job and wait until it has ended; False if it has not ended after `patience_s` seconds."""
    try:
        _call(rest, f"/jobs/{job}?mode=cancel", method="PATCH")
    except GristmillError:
        if _state(rest, job) not in TERMINAL:
            raise
    deadline = time.monotonic() + patience_s
    while (state := _state(rest, job)) not in TERMINAL:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return state in TERMINAL


def cancel_named(rest: str, name: str) -> str:
    """Cancel jobs by Flink's id or by the beginning of their name; says what was done.

    Raises:
        GristmillError: there is none that still runs.
    """
    meant = [
        job for job in jobs(rest) if not job.ended and (job.id == name or (len(name) > 9 and job.name.startswith(name)))
    ]
    if not meant:
        raise GristmillError(
            "no such job runs on the cluster", where=name, remedy="`gristmill jobs --cluster …` lists them"
        )
    stuck = [job.id for job in meant if not cancel(rest, job.id)]
    if stuck:
        raise GristmillError(
            "did not end yet", where=", ".join(stuck), remedy="look at it again with `gristmill jobs --cluster …`"
        )
    return f"cancelled {', '.join(f'{job.name} ({job.id})' for job in meant)}"


def _state(rest: str, job: str) -> str:
    return str(_get(rest, f"/jobs/{job}")["state"])


def _get(rest: str, path: str) -> Any:
    return json.loads(_call(rest, path) or b"null")


def _call(rest: str, path: str, *, method: str = "GET") -> bytes:
    request = urllib.request.Request(rest + path, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise GristmillError(f"Flink's REST service answers {error.code} to {method} {path}", where=rest) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise GristmillError(
            f"Flink's REST service does not answer: {reason}",
            where=rest,
            remedy="check `flink_rest` and that the JobManager runs",
        ) from error
