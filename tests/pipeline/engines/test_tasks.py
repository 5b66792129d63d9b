"""Tasks: finished tasks are skipped; missing and stale ones run."""

import pytest

from manifests.base import Strict
from manifests.errors import GristmillError
from manifests.step import Ledger, Output, TaskManifest
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import Task, collect, pending_tasks, perform, run_tasks
from storage.files import publish


class Work(Task):
    fails: bool


class Job(Strict):
    folder: str
    log: str
    text: str


def work(task, job):
    with open(job.log, "a") as log:
        log.write(task.name + "\n")
    if task.fails:
        raise GristmillError("cannot be done", where=task.name)
    publish(f"{job.folder}/out/{task.name}", job.text.encode())
    output = Output(path=f"out/{task.name}", sha256="", bytes=1, rows=1)
    return TaskManifest(task=task.name, key=task.key, inputs={}, outputs=[output], ledger=Ledger(records_in=1, kept=1))


def tasks(*names, key="k", fails=()):
    return [Work(name=name, key=key, fails=name in fails, weight=len(name)) for name in names]


@pytest.fixture
def job(tmp_path):
    return Job(folder=str(tmp_path / "step"), log=str(tmp_path / "log"), text="x")


def ran(job):
    return open(job.log).read().split()


def run(job, some):
    return run_tasks(some, work, job, folder=job.folder, label="Work", runner=Runner())


def test_finished_tasks_do_not_run_again(job) -> None:
    assert [manifest.task for manifest in run(job, tasks("b", "a"))] == ["a", "b"]
    run(job, tasks("b", "a", "c"))
    assert ran(job) == ["a", "b", "c"]


def test_heavy_tasks_start_first(job) -> None:
    run(job, tasks("a", "ccc", "bb"))
    assert ran(job) == ["ccc", "bb", "a"]


def test_another_key_or_a_lost_output_runs_again(job, tmp_path) -> None:
    run(job, tasks("a", "b"))
    (tmp_path / "step" / "out" / "a").unlink()
    assert [task.name for task in pending_tasks(tasks("a", "b"), folder=job.folder)] == ["a"]
    assert len(pending_tasks(tasks("a", "b", key="other"), folder=job.folder)) == 2


def test_a_failure_keeps_what_is_finished(job) -> None:
    with pytest.raises(GristmillError, match="b: cannot be done"):
        run(job, tasks("aa", "b", fails=["b"]))
    assert [task.name for task in pending_tasks(tasks("aa", "b"), folder=job.folder)] == ["b"]
    run(job, tasks("aa", "b"))
    assert ran(job) == ["aa", "b", "b"]


def test_an_unreadable_manifest_counts_as_none(job, tmp_path) -> None:
    run(job, tasks("a"))
    (tmp_path / "step" / "tasks" / "a.json").write_text("{")
    assert len(pending_tasks(tasks("a"), folder=job.folder)) == 1
    with pytest.raises(GristmillError, match="task a did not finish"):
        collect(tasks("a"), folder=job.folder)


def test_out_of_memory_names_the_task(job) -> None:
    def greedy(task, job):
        raise MemoryError

    with pytest.raises(GristmillError, match="big: out of memory"):
        perform(Task(name="big", key="k").model_dump_json(), job, kind=Task, function=greedy, folder=job.folder)
