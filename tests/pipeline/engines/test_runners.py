"""The runners: results, and the error of a failing element on each of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable

import psutil
import pytest

from manifests.base import Strict
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner, run_pipeline, with_helpers

RUNNERS = [Runner(), Runner(workers=2), Runner(kind="portable")]
IDS = ["in this process", "two processes", "portable"]


class Job(Strict):
    folder: str


def double(element: str, job: Job) -> list[tuple[int, bytes]]:
    return [(len(element) % 2, element.encode() * 2)]


def write(element: tuple[int, Iterable[bytes]], job: Job) -> list[str]:
    partition, elements = element
    path = f"{job.folder}/{partition}"
    with open(path, "wb") as file:
        file.write(b" ".join(sorted(elements)))
    return [path]


def tell_process(element: str, job: Job) -> list[tuple[int, bytes]]:
    return [(0, str(os.getpid()).encode())]


def refuse(element: str, job: Job) -> list[tuple[int, bytes]]:
    if element == "bad":
        raise GristmillError("is too bad", where="a.warc, record 7", remedy="mend it")
    return [(0, b"")]


def fail(element: str, job: Job) -> list[tuple[int, bytes]]:
    raise ValueError(f"no luck with {element}")


def die(element: str, job: Job) -> list[tuple[int, bytes]]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def run(runner: Runner, emit, folder, elements=("a", "bb", "ccc", "bad")) -> None:
    def build(pipeline):
        import apache_beam as beam

        from pipeline.engines.dofns import EmitNames, EmitPacked

        job = Job(folder=str(folder))
        packed = pipeline | beam.Create(list(elements)) | beam.ParDo(EmitPacked(emit, job))
        return packed | beam.GroupByKey() | beam.ParDo(EmitNames(write, job))

    run_pipeline(build, runner=runner)


@pytest.mark.parametrize("runner", RUNNERS, ids=IDS)
def test_all_elements_arrive(runner, tmp_path) -> None:
    run(runner, double, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"0": b"bbbb", "1": b"aa badbad cccccc"}


def processes(runner, folder) -> set[int]:
    """Those that worked for one pipeline."""
    folder.mkdir(exist_ok=True)
    run(runner, tell_process, folder)
    return {int(word) for word in (folder / "0").read_bytes().split()}


@pytest.mark.parametrize("runner", RUNNERS[1:], ids=IDS[1:])
def test_processes_serve_one_pipeline_after_another(runner, tmp_path) -> None:
    with with_helpers(runner) as helped:
        seen = [processes(helped, tmp_path) for _ in range(3)]
        for pid in seen[0] if runner.kind == "embedded" else ():
            os.kill(pid, signal.SIGKILL)  # between two pipelines: nothing is lost
        after = processes(helped, tmp_path)
    assert seen[0] == seen[1] == seen[2]
    assert os.getpid() not in seen[0]
    assert (after == seen[0]) == (runner.kind == "portable")
    assert not [pid for pid in after | seen[0] if psutil.pid_exists(pid)]


def test_a_pipeline_that_failed_leaves_no_worker_at_its_work(tmp_path) -> None:
    with with_helpers(Runner(workers=2)) as helped:
        before = processes(helped, tmp_path)
        with pytest.raises(GristmillError, match="is too bad"):
            run(helped, refuse, tmp_path)
        assert processes(helped, tmp_path)
    assert not [pid for pid in before if psutil.pid_exists(pid)]


@pytest.mark.parametrize("runner", RUNNERS, ids=IDS)
def test_our_errors_come_through_whole(runner, tmp_path) -> None:
    with pytest.raises(GristmillError) as caught:
        run(runner, refuse, tmp_path)
    assert str(caught.value) == "a.warc, record 7: is too bad\n  remedy: mend it"


@pytest.mark.parametrize("runner", RUNNERS[:2], ids=IDS[:2])
def test_other_errors_are_one_line(runner, tmp_path) -> None:
    with pytest.raises(GristmillError) as caught:
        run(runner, fail, tmp_path, ["it"])
    assert str(caught.value).endswith("no luck with it")
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # pytest replaces our hook
def test_a_lost_worker_is_named(tmp_path) -> None:
    with pytest.raises(GristmillError, match=r"worker [12] of 2, process \d+, was killed by SIGKILL \(Killed\)"):
        run(Runner(workers=2), die, tmp_path)


def test_no_more_workers_than_work() -> None:
    assert Runner(workers=8).at_most(3).workers == 3
    assert Runner(workers=2).at_most(0).workers == 1
    assert Runner(kind="portable", workers=2).at_most(1).kind == "portable"
