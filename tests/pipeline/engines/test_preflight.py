"""Pre-flight checks of settings that the tests' own cluster lacks, with recorded answers of Flink's REST service."""

from __future__ import annotations

import json

import pytest

from manifests.cluster import ClusterManifest
from manifests.errors import GristmillError
from pipeline.engines import flink
from pipeline.engines.preflight import Hello, check_flink, check_greetings, say_hello
from pipeline.engines.versions import differences, process_facts
from tests.pipeline.engines.rest import answers, serve


def check(cluster_answers, **changes) -> list[str]:
    notes: list[str] = []
    settings = {"job_endpoint": "localhost:1", "parallelism": 4, "workers_per_task_manager": 2, **changes}
    with serve(cluster_answers) as rest:
        check_flink(ClusterManifest(flink_rest=rest, **settings), say=notes.append)
    return notes


def test_a_cluster_as_described_passes() -> None:
    assert check(answers()) == []


@pytest.mark.parametrize(
    ("cluster", "told", "remedy"),
    [
        (answers(managers=0), "no TaskManager", "start TaskManagers"),
        (answers(slots=1, free=1), "parallelism 4 wants as many slots, and 2 TaskManagers have 2", "parallelism: 2"),
        (answers(free=1), "2 of 4 are free; busy: gristmill-1234567890-extract-1", "gristmill jobs cancel"),
        (answers(network_mb=64), "64 MiB of network memory for 2 slots", "256m"),
        (answers(strategy=None), "no restart strategy", "fixed-delay"),
        (answers(strategy="none"), "no restart strategy", "fixed-delay"),
    ],
)
def test_each_failure_has_its_remedy(cluster, told, remedy) -> None:
    with pytest.raises(GristmillError) as caught:
        check(cluster)
    assert told in caught.value.message
    assert remedy in (caught.value.remedy or "")


def test_idle_slots_are_said() -> None:
    assert "workers_per_task_manager: 2" in check(answers(), workers_per_task_manager=1)[0]


def test_a_service_that_is_not_flink() -> None:
    with pytest.raises(GristmillError, match="answers 404"):
        check({})


def test_jobs_by_prefix_oldest_first() -> None:
    with serve(answers()) as rest:
        assert [job.name for job in flink.jobs(rest)] == ["other", "gristmill-1234567890-extract-1"]
        assert [job.ended for job in flink.jobs(rest, prefix="gristmill")] == [False]


def test_cancelling_asks_and_waits() -> None:
    asked: list[str] = []
    with serve(
        {
            "/jobs/x?mode=cancel": {},
            "/jobs/x": {"state": "CANCELED"},
            "/jobs/y?mode=cancel": {},
            "/jobs/y": {"state": "CANCELLING"},
        },
        asked,
    ) as rest:
        assert flink.cancel(rest, "x")
        assert not flink.cancel(rest, "y", patience_s=0.3)
    assert asked[0] == "PATCH /jobs/x?mode=cancel"


def greet(tmp_path, inputs=()):
    (tmp_path / "token").write_bytes(b"client")
    (name,) = say_hello(
        "0", Hello(folder=str(tmp_path), inputs=tuple(str(path) for path in inputs), store_endpoint=None)
    )
    return json.loads((tmp_path / name).read_text())


def test_a_worker_like_the_client_passes(tmp_path) -> None:
    (tmp_path / "a.jsonl").write_text("{}")
    greeting = greet(tmp_path, [tmp_path / "a.jsonl"])
    assert greeting["problems"] == []
    check_greetings(ClusterManifest(runner="portable", job_endpoint="a:1"), "out", [greeting])


def test_an_input_that_the_worker_cannot_read(tmp_path) -> None:
    greeting = greet(tmp_path, [tmp_path / "missing.jsonl"])
    with pytest.raises(GristmillError, match=r"cannot read an input: .*missing\.jsonl"):
        check_greetings(ClusterManifest(runner="portable", job_endpoint="a:1"), "out", [greeting])


def test_workers_that_write_on_another_disk() -> None:
    with pytest.raises(GristmillError, match="another disk"):
        check_greetings(ClusterManifest(runner="portable", job_endpoint="a:1"), "out", [])


def test_a_worker_with_another_version(tmp_path) -> None:
    greeting = greet(tmp_path)
    greeting["facts"]["numpy"] = "1.0"
    with pytest.raises(GristmillError, match=r"numpy 1\.0, here "):
        check_greetings(ClusterManifest(runner="portable", job_endpoint="a:1"), "out", [greeting])


def test_facts_name_what_differs() -> None:
    here = process_facts()
    assert {"python", "gristmill", "apache-beam", "pyarrow", "numpy"} <= set(here)
    assert "not installed" not in here.values()
    assert differences(here, here) == []
    assert differences(here, {**here, "gristmill": "0"}) == [f"gristmill 0, here {here['gristmill']}"]
