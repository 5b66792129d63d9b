"""Ownership of jobs: a job that was submitted but is not on the cluster yet is awaited and cancelled."""

from __future__ import annotations

import threading

from manifests.cluster import ClusterManifest
from pipeline.engines import portable
from tests.pipeline.engines.rest import serve

NAME = "gristmill-1234567890-extract-1"
JOB = {"jid": "x", "name": NAME, "state": "RUNNING", "start-time": 1, "duration": 1}


def test_a_signal_during_submission_cancels_the_job_that_appears_a_moment_later() -> None:
    content = {"/jobs/overview": {"jobs": []}, "/jobs/x?mode=cancel": {}, "/jobs/x": {"state": "CANCELED"}}
    asked: list[str] = []
    said: list[str] = []
    with serve(content, asked) as rest:
        threading.Timer(0.7, lambda: content.update({"/jobs/overview": {"jobs": [JOB]}})).start()
        cluster = ClusterManifest(job_endpoint="localhost:1", flink_rest=rest)
        portable._cancel(None, cluster=cluster, job_name=NAME, say=said.append)
    assert "PATCH /jobs/x?mode=cancel" in asked
    assert said == [f"cancelled on the cluster: {NAME} (x)"]
