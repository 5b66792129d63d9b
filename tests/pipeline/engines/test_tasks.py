"""Tasks: what is finished is skipped, what is missing or stale runs."""

import json

import pytest

from manifests.errors import GristmillError
from manifests.step import Ledger, Output, TaskManifest
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import Task, collect, pending_tasks, perform, run_tasks
from storage.files import publish


def work(payload, settings):
    name = payload["name"]
    with open(f"{settings['log']}", "a") as log:
        log.write(name + "\n")
    if payload["fails"]:
        raise GristmillError("cannot be done", where=name)
    publish(f"{settings['folder']}/out/{name}", settings["text"].encode())
    output = Output(path=f"out/{name}", sha256="", bytes=1, rows=1)
    return TaskManifest(task=name, key=payload["key"], inputs={}, outputs=[output], ledger=Ledger(records_in=1, kept=1))


def tasks(*names, key="k", fails=()):
    return [Task(name=name, key=key, payload={"fails": name in fails}, weight=len(name)) for name in names]


@pytest.fixture
def settings(tmp_path):
    return {"folder": str(tmp_path / "step"), "log": str(tmp_path / "log"), "text": "x"}


def ran(settings):
    return open(settings["log"]).read().split()


def run(settings, some):
    return run_tasks(some, work, settings, folder=settings["folder"], label="Work", runner=Runner())


def test_finished_tasks_do_not_run_again(settings) -> None:
    assert [manifest.task for manifest in run(settings, tasks("b", "a"))] == ["a", "b"]
    run(settings, tasks("b", "a", "c"))
    assert ran(settings) == ["a", "b", "c"]


def test_heavy_tasks_start_first(settings) -> None:
    run(settings, tasks("a", "ccc", "bb"))
    assert ran(settings) == ["ccc", "bb", "a"]


def test_another_key_or_a_lost_output_runs_again(settings, tmp_path) -> None:
    run(settings, tasks("a", "b"))
    (tmp_path / "step" / "out" / "a").unlink()
    assert [task.name for task in pending_tasks(tasks("a", "b"), folder=settings["folder"])] == ["a"]
    assert len(pending_tasks(tasks("a", "b", key="other"), folder=settings["folder"])) == 2


def test_a_failure_keeps_what_is_finished(settings) -> None:
    with pytest.raises(GristmillError, match="b: cannot be done"):
        run(settings, tasks("aa", "b", fails=["b"]))
    assert [task.name for task in pending_tasks(tasks("aa", "b"), folder=settings["folder"])] == ["b"]
    run(settings, tasks("aa", "b"))
    assert ran(settings) == ["aa", "b", "b"]


def test_an_unreadable_manifest_counts_as_none(settings, tmp_path) -> None:
    run(settings, tasks("a"))
    (tmp_path / "step" / "tasks" / "a.json").write_text("{")
    assert len(pending_tasks(tasks("a"), folder=settings["folder"])) == 1
    with pytest.raises(GristmillError, match="task a did not finish"):
        collect(tasks("a"), folder=settings["folder"])


def test_out_of_memory_names_the_task(settings) -> None:
    def greedy(payload, settings):
        raise MemoryError

    with pytest.raises(GristmillError, match="big: out of memory"):
        perform(json.dumps({"name": "big"}), greedy, settings, settings["folder"])
