"""Task and step manifests: what counts as finished, and what happens if a ledger does not balance."""

import pytest

from manifests.errors import GristmillError
from manifests.step import Ledger, Output, StepManifest, TaskManifest, merge_ledgers
from storage.files import list_files, publish
from storage.steps import begin_step, finished_task, read_step, remove_stale, require_step, write_step, write_task


def output(folder: str, path: str) -> Output:
    publish(f"{folder}/{path}", b"x")
    return Output(path=path, sha256="", bytes=1, rows=1)


def step(outputs: list[Output], **ledger: object) -> StepManifest:
    return StepManifest(
        step="s",
        settings_sha256="",
        inputs_sha256="",
        settings={},
        inputs={},
        outputs=outputs,
        ledger=Ledger.model_validate(ledger),
    )


def test_a_task_is_finished_only_with_the_same_key_and_all_outputs(tmp_path):
    folder = str(tmp_path)
    made = output(folder, "d/a")
    write_task(folder, TaskManifest(task="t/1", key="k", inputs={}, outputs=[made], ledger=Ledger()))
    assert finished_task(folder, "t/1", "k") is not None
    assert finished_task(folder, "t/1", "other") is None
    assert finished_task(folder, "t/2", "k") is None
    (tmp_path / "d" / "a").unlink()
    assert finished_task(folder, "t/1", "k") is None


def test_a_torn_task_manifest_means_not_finished(tmp_path):
    publish(str(tmp_path / "tasks" / "t.json"), b'{"task": "t", "ke')
    assert finished_task(str(tmp_path), "t", "k") is None


def test_a_ledger_that_does_not_balance_fails_the_step(tmp_path):
    with pytest.raises(GristmillError, match="10 records in, 3 not accounted for"):
        write_step(str(tmp_path), step([], records_in=10, kept=5, dropped={"x": 2}))
    assert read_step(str(tmp_path)) is None


def test_ledgers_add_up():
    merged = merge_ledgers(
        [
            Ledger(records_in=3, kept=1, dropped={"b": 2}),
            Ledger(records_in=4, dropped={"a": 1, "b": 1}, quarantined={"q": 2}),
        ]
    )
    assert merged == Ledger(records_in=7, kept=1, dropped={"a": 1, "b": 3}, quarantined={"q": 2})
    assert merged.balance() == 0


def test_the_digest_depends_on_content(tmp_path):
    one = write_step(str(tmp_path / "1"), step([], records_in=1, kept=1))
    same = write_step(str(tmp_path / "2"), step([], records_in=1, kept=1))
    other = write_step(str(tmp_path / "3"), step([], records_in=2, kept=2))
    assert one.digest == same.digest != other.digest


def test_an_incomplete_step_is_refused_with_the_command_to_run(tmp_path):
    with pytest.raises(GristmillError, match="gristmill extract"):
        require_step(str(tmp_path), command="gristmill extract")


def test_beginning_a_step_takes_its_manifest_away(tmp_path):
    write_step(str(tmp_path), step([]))
    begin_step(str(tmp_path))
    assert read_step(str(tmp_path)) is None


def test_stale_outputs_are_removed(tmp_path):
    folder = str(tmp_path)
    kept = output(folder, "d/new")
    output(folder, "d/old")
    for task in ("new", "old"):
        write_task(folder, TaskManifest(task=task, key="k", inputs={}, outputs=[], ledger=Ledger()))
    assert remove_stale(folder, [kept], ["new"]) == ["d/old", "tasks/old.json"]
    assert list_files(folder) == ["d/new", "tasks/new.json"]
