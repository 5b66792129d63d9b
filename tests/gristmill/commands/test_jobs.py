"""`--detach` and `gristmill jobs`: a command that outlives its terminal is listed and followed."""

from __future__ import annotations

import pytest

from gristmill.output import print_piece
from manifests.errors import GristmillError
from storage.detached import cancel, find_job, follow, list_jobs
from tests.gristmill.commands.invoke import printed


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_detached_to_its_end(corpus, tmp_path, capfdbinary) -> None:
    name = printed("extract", corpus.path, "--out", tmp_path / "out", "--workers", 1, "--detach")["job"]
    assert follow(find_job(name), write=print_piece) == 0
    assert b"balanced" in capfdbinary.readouterr().out
    assert (tmp_path / "out" / "extract" / "_MANIFEST.json").is_file()
    assert [(job.name, job.state) for job in list_jobs()] == [(name, "done")]
    listed = printed("jobs", "list")
    assert [(job["name"], job["status"]) for job in listed["jobs"]] == [(name, 0)]
    with pytest.raises(GristmillError, match="is not running: done"):
        cancel(find_job(name))
