"""A command that outlives its terminal is listed, followed and cancelled."""

from __future__ import annotations

import os
import pwd
import signal
import time
from pathlib import Path

import pytest

from manifests.errors import GristmillError
from storage.detached import cancel, find_job, follow, list_jobs, start_detached


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_an_error_at_once_is_shown_at_once(tmp_path) -> None:
    words = ["prep", str(tmp_path / "missing.yaml"), "--out", str(tmp_path)]
    with pytest.raises(GristmillError, match="no such manifest"):
        start_detached("gristmill", words, out=str(tmp_path), first_look_s=60)


def test_a_running_command_is_cancelled(tmp_path) -> None:
    job = start_detached("gristmill", ["worker", "--port", "0"], out="")
    cancel(job)
    assert find_job(job.name).state in ("done", "failed")


def test_a_killed_command_is_lost(monkeypatch) -> None:
    job = start_detached("gristmill", ["worker", "--port", "0"], out="")
    deadline = time.monotonic() + 60
    while not (job.folder / "lock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(job.pid, signal.SIGKILL)
    monkeypatch.setattr("storage.detached._START_S", 0.0)  # a command that was just started counts as running
    deadline = time.monotonic() + 10
    while find_job(job.name).state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert find_job(job.name).state == "lost"
    assert follow(job, write=print) == 1


def test_no_such_job() -> None:
    with pytest.raises(GristmillError, match="no such job"):
        find_job("prep-1")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3", '{"pid": 3}'])
def test_a_damaged_record_of_a_job_is_named(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "state" / "gristmill" / "jobs" / "prep-1"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(text)
    for look in (list_jobs, lambda: find_job("prep-1")):
        with pytest.raises(GristmillError, match="cannot be read") as caught:
            look()
        assert caught.value.where == str(folder / "job.json")


def test_users_without_a_home_are_told_what_to_set(monkeypatch, tmp_path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert list_jobs() == []
    with pytest.raises(GristmillError, match="cannot be recorded"):
        start_detached("gristmill", ["prep"], out="out")

    def unknown(number: int) -> object:
        raise KeyError(number)

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(GristmillError, match="has no home folder"):
        list_jobs()
