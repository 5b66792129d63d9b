"""Which tasks and steps are finished if their files are in a store."""

from __future__ import annotations

import pytest

from manifests.errors import GristmillError
from manifests.step import Ledger, Output, StepManifest, TaskManifest
from storage.files import join, list_files, publish
from storage.steps import finished_task, read_step, remove_stale, require_step, write_step, write_task

KEYS = {"a/1": "k1", "a/2": "k2", "b/3": "k3"}


@pytest.fixture(params=["local", "store"])
def step(request, tmp_path):
    """A folder with three finished tasks of one output each."""
    if request.param == "store":
        request.getfixturevalue("store")
    folder = str(tmp_path / "step") if request.param == "local" else request.getfixturevalue("folder")
    for task, key in KEYS.items():
        publish(join(folder, "x", f"{task}.arrow"), b"1234")
        output = Output(path=f"x/{task}.arrow", sha256="-", bytes=4, rows=1)
        write_task(folder, TaskManifest(task=task, key=key, inputs={}, outputs=[output], ledger=Ledger()))
    return folder


def complete(folder: str) -> StepManifest:
    outputs = [Output(path=f"x/{task}.arrow", sha256="-", bytes=4, rows=1) for task in KEYS]
    return write_step(
        folder,
        StepManifest(
            step="extract",
            settings_sha256="s",
            inputs_sha256="i",
            settings={},
            inputs={},
            outputs=outputs,
            ledger=Ledger(),
            notes=[],
        ),
    )


def finished(folder: str, keys: dict[str, str]) -> set[str]:
    return {task for task, key in keys.items() if finished_task(folder, task, key) is not None}


def test_finished_tasks(step):
    assert finished(step, {**KEYS, "c/4": "k4"}) == set(KEYS)
    assert finished(step, {**KEYS, "a/2": "other"}) == {"a/1", "b/3"}


@pytest.mark.parametrize("data", [b"123", b"12345", b""])
def test_a_task_whose_output_has_another_size_is_not_finished(step, data):
    publish(join(step, "x/a/1.arrow"), data)
    assert finished(step, KEYS) == {"a/2", "b/3"}


def test_a_torn_task_manifest_is_none(step):
    publish(join(step, "tasks/a/1.json"), b'{"task": "a/1", ')
    assert finished(step, KEYS) == {"a/2", "b/3"}


def test_a_step_with_a_missing_or_truncated_output_is_named(step):
    assert read_step(step) is None
    complete(step)
    assert require_step(step, command="gristmill extract").step == "extract"
    publish(join(step, "x/a/2.arrow"), b"12")
    with pytest.raises(GristmillError, match="has 2 bytes, the manifest says 4") as caught:
        require_step(step, command="gristmill extract")
    assert caught.value.where == join(step, "x/a/2.arrow")
    assert "gristmill extract" in str(caught.value.remedy)


def test_stale_files_go(step):
    manifest = complete(step)
    publish(join(step, "x/old.arrow"), b"1")
    assert remove_stale(step, manifest.outputs[:2], ["a/1", "a/2"]) == ["tasks/b/3.json", "x/b/3.arrow", "x/old.arrow"]
    assert read_step(step) is None
    assert "x/a/1.arrow" in list_files(step)
