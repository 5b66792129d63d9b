"""The same bytes for any number of workers, any runner, any partitioning, and after any kill."""

from __future__ import annotations

import pytest

import pipeline.schemas
import shards.writer
import storage.steps
from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Helpers, Runner
from pipeline.prep import prepare
from storage.lock import only_writer
from storage.steps import read_step
from tests.endtoend.commands import count_tasks, prep_with_kills, start_prep
from tests.endtoend.corpora import tree_hashes, write_corpus
from tests.stopping import Stopped, limit_publishing


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"), scale=3)


@pytest.fixture(scope="module")
def expected(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected")
    prepare(load_corpus(corpus.path), out=str(out), runner=Runner())
    return tree_hashes(out)


def test_any_number_of_workers(corpus, expected, tmp_path, monkeypatch, helpers: Helpers) -> None:
    """One in `expected`, two in the runs that are killed, and here seven, in every step."""
    monkeypatch.setattr(
        "pipeline.engines.partitions.DOCUMENTS_PER_WORKER", 10
    )  # or a small corpus would be decided in one process
    prepare(load_corpus(corpus.path), out=str(tmp_path / "out"), runner=Runner(workers=7, helpers=helpers))
    assert tree_hashes(tmp_path / "out") == expected


@pytest.mark.slow
def test_portable_job_service(corpus, expected, tmp_path, helpers: Helpers) -> None:
    prepare(load_corpus(corpus.path), out=str(tmp_path / "out"), runner=Runner(kind="portable", helpers=helpers))
    assert tree_hashes(tmp_path / "out") == expected


def test_any_batch_size(corpus, expected, tmp_path, monkeypatch) -> None:
    """Batches bound memory only: what is decided and tokenized does not see them (documents files hold as many record
    batches).
    """
    monkeypatch.setattr("pipeline.readers.records.BATCH_TEXT_BYTES", 3_000)
    prepare(load_corpus(corpus.path), out=str(tmp_path / "out"), runner=Runner())
    hashes = tree_hashes(tmp_path / "out")
    ends = [name for name in expected if name.endswith(".arrow") and name.startswith(("shards/", "decide/"))]
    assert len(ends) > 20
    assert {name: hashes[name] for name in ends} == {name: expected[name] for name in ends}
    assert any(hashes[name] != expected[name] for name in expected if name.startswith("extract/documents/"))


@pytest.mark.parametrize("fan", [2, 256], ids=["two levels", "one level"])
def test_any_partitioning(corpus, expected, tmp_path, monkeypatch, fan) -> None:
    """Many runs, and rounds between them, decide what one does."""
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 2_000)
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", 1)
    monkeypatch.setattr("pipeline.decide.runs.FAN", fan)
    monkeypatch.setattr("pipeline.decide.duplicates.choice.EDGES_AT_ONCE", 0)
    prepare(load_corpus(corpus.path), out=str(tmp_path / "out"), runner=Runner())
    assert len(list((tmp_path / "out" / "decide" / "duplicates" / "fates").iterdir())) > 8
    hashes = tree_hashes(tmp_path / "out")
    decisions = [name for name in expected if name.startswith(("decide/decisions/", "decide/dropped/"))]
    assert decisions
    assert {name: hashes[name] for name in decisions} == {name: expected[name] for name in decisions}


def test_stopped_again_and_again_between_any_two_files(corpus, expected, tmp_path, monkeypatch) -> None:
    """Each attempt may publish a few files and then dies; attempts go on from each other, and no folder looks complete
    too early.
    """
    out = tmp_path / "out"
    allowance = limit_publishing(monkeypatch, storage.steps, pipeline.schemas, shards.writer)
    for attempts in range(1, 60):
        # More each time: a task that writes many files must be able to finish.
        allowance.left = 6 + attempts
        try:
            prepare(load_corpus(corpus.path), out=str(out), runner=Runner())
            break
        except GristmillError as error:
            stopped = error
        except Stopped as error:
            stopped = error
        assert "Stopped" in repr((stopped, stopped.__cause__))
        for step in ("extract", "decide", "tokenizer"):
            done = read_step(str(out / step))
            assert done is None or all((out / step / output.path).is_file() for output in done.outputs)
    assert attempts > 5
    assert tree_hashes(out) == expected


@pytest.mark.hostile
@pytest.mark.slow
def test_killed_at_random_moments(corpus, expected, tmp_path) -> None:
    """SIGKILL of the command and its workers, as a power cut: five times, then to the end."""
    assert start_prep(corpus.path, tmp_path / "whole").wait() == 0
    killed, printed = prep_with_kills(corpus.path, tmp_path / "out", tasks=count_tasks(tmp_path / "whole"), seed=17)
    assert killed >= 4
    assert printed["ledgers"]["decide"]["records_in"] == len(corpus.fates)
    assert tree_hashes(tmp_path / "out") == expected
    assert not list((tmp_path / "out").rglob(".tmp-*"))


def test_two_commands_cannot_write_into_one_folder(corpus, tmp_path) -> None:
    with only_writer(str(tmp_path / "out")), pytest.raises(GristmillError, match="another command is writing"):
        prepare(load_corpus(corpus.path), out=str(tmp_path / "out"), runner=Runner())
