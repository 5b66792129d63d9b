"""The search for duplicates: what it decides, against plain Python; and that it decides the same however it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipeline.schemas
import storage.steps
from dedup.preference import Strings, origins
from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from manifests.filters import REASONS
from manifests.minhash import MinHash
from pipeline.decide.step import decide
from pipeline.engines.runners import Helpers, Runner
from pipeline.extract.step import extract
from pipeline.schemas import iterate_ipc
from tests.endtoend.corpora import tree_hashes
from tests.pipeline.decide.duplicates.corpora import SOURCES, Decision, decisions, records, rows_of, run, write
from tests.pipeline.decide.duplicates.reference import search
from tests.property.texts import buffers
from tests.stopping import Stopped, limit_publishing

NEAR, EXACT = REASONS.index("near_duplicate"), REASONS.index("exact_duplicate")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decision]:
    folder = tmp_path_factory.mktemp("expected")
    run(write(folder, records()), folder / "out")
    return decisions(folder / "out")


def many_runs(monkeypatch: pytest.MonkeyPatch, *, run_bytes: int = 1, fan: int = 256, at_once: int = 1 << 20) -> None:
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", run_bytes)
    monkeypatch.setattr("pipeline.decide.runs.FAN", fan)
    monkeypatch.setattr("pipeline.decide.duplicates.choice.EDGES_AT_ONCE", at_once)


@pytest.mark.parametrize("largest", [3, 1 << 16], ids=["large buckets", "small buckets"])
@pytest.mark.parametrize("minhash", [{}, {"bands": 20, "rows": 3, "similarity": 0.5}, {"bands": 8, "rows": 2}])
def test_decisions_equal_the_definition(tmp_path, monkeypatch, largest, minhash) -> None:
    monkeypatch.setattr("pipeline.decide.duplicates.candidates.LARGEST", largest)
    many_runs(monkeypatch, run_bytes=5_000)
    run(write(tmp_path, records(seed=3), files=3, minhash=minhash), tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    for row in rows:
        [row["origin"]] = origins(*(Strings(*buffers([row[name]])) for name in ("url", "name"))).tolist()
    found = search(rows, minhash=MinHash.model_validate(minhash), priorities=SOURCES, largest=largest)
    assert [(REASONS[row["reason"]], row["duplicate_of"], row["similarity"]) for row in rows] == [
        tuple(fate) for fate in found
    ]
    assert len({fate.reason for fate in found}) == 3


def test_what_goes_has_a_copy_that_stays_and_is_preferred(expected) -> None:
    kinds = {reason: [name for name, each in expected.items() if each.reason == reason] for reason in (0, NEAR, EXACT)}
    assert min(map(len, kinds.values())) > 5
    texts = {row["id"]: row["text"] for row in records()}
    sources = {row["id"]: row["source"] for row in records()}
    for name, decision in expected.items():
        if decision.reason == 0:
            assert decision == (0, None, None)
            continue
        assert decision.of is not None
        staying = [other for other in texts if texts[other] == texts[decision.of] and expected[other].reason == 0]
        assert len(staying) == 1
        assert (texts[name] == texts[staying[0]]) == (decision.reason == EXACT)
        if decision.reason == NEAR:
            assert SOURCES[sources[staying[0]]] <= SOURCES[sources[name]]
        else:
            assert decision.similarity == 1


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("files", [1, 5])
def test_names_and_order_of_files_decide_nothing(tmp_path, monkeypatch, expected, files, seed) -> None:
    many_runs(monkeypatch, run_bytes=3_000 * seed)
    run(write(tmp_path, records(), files=files, shuffled=seed), tmp_path / "out")
    assert decisions(tmp_path / "out") == expected


@pytest.mark.parametrize("at_once", [0, 3, 1 << 20], ids=["rounds", "rounds and a rest", "no rounds"])
@pytest.mark.parametrize("fan", [2, 256], ids=["two levels", "one level"])
def test_any_runs_decide_the_same(tmp_path, monkeypatch, expected, fan, at_once) -> None:
    many_runs(monkeypatch, fan=fan, at_once=at_once)
    run(write(tmp_path, records(), files=4), tmp_path / "out")
    assert len(list((tmp_path / "out" / "decide" / "duplicates" / "fates").iterdir())) == 8
    assert decisions(tmp_path / "out") == expected


@pytest.mark.parametrize("size", [300, 2_000])
def test_any_batches_decide_the_same(tmp_path, monkeypatch, expected, size) -> None:
    """Of the record batches of a part some have no document that is looked at by its shingles."""
    monkeypatch.setattr("pipeline.readers.records.BATCH_TEXT_BYTES", size)
    run(write(tmp_path, records()), tmp_path / "out")
    documents, *_ = (tmp_path / "out" / "extract" / "documents").rglob("*.arrow")
    assert len(list(iterate_ipc(str(documents)))) > 5
    assert decisions(tmp_path / "out") == expected


@pytest.mark.parametrize("workers", [2, 7])
def test_any_number_of_workers(tmp_path, monkeypatch, workers, helpers: Helpers) -> None:
    many_runs(monkeypatch)
    monkeypatch.setattr("pipeline.engines.partitions.DOCUMENTS_PER_WORKER", 10)
    corpus = write(tmp_path, records(families=4), files=2)
    extract(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    decide(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    alone = tree_hashes(tmp_path / "out" / "decide")
    decide(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    assert tree_hashes(tmp_path / "out" / "decide") == alone
    (tmp_path / "out" / "decide").rename(tmp_path / "before")
    decide(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner(workers=workers, helpers=helpers))
    assert tree_hashes(tmp_path / "out" / "decide") == alone


def test_stopped_between_any_two_files(tmp_path, monkeypatch, expected) -> None:
    many_runs(monkeypatch, fan=2, at_once=3)
    corpus = write(tmp_path, records(), files=2)
    extract(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    allowance = limit_publishing(monkeypatch, storage.steps, pipeline.schemas)
    for attempts in range(1, 60):
        allowance.left = 6 + attempts // 4
        try:
            decide(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
            break
        except (GristmillError, Stopped) as error:
            stopped = error
        assert "Stopped" in repr((stopped, stopped.__cause__))
    assert attempts > 20
    assert decisions(tmp_path / "out") == expected


@pytest.mark.parametrize("run_bytes", [1, 1 << 26], ids=["many runs", "one run"])
@pytest.mark.parametrize("kind", ["fates", "edges"])
def test_a_file_that_was_damaged_after_a_stop_is_made_again(tmp_path, monkeypatch, expected, kind, run_bytes) -> None:
    many_runs(monkeypatch, run_bytes=run_bytes)
    corpus = write(tmp_path, records(), files=2)
    extract(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.decide.step.run_bands", stop)
        with pytest.raises(Stopped):
            decide(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    damaged = tmp_path / "out" / "decide" / "duplicates" / kind / "000000.arrow"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    decide(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    assert decisions(tmp_path / "out") == expected


def stop(*_: object, **__: object) -> None:
    raise Stopped


def test_nothing_that_stages_hand_on_is_left(tmp_path) -> None:
    run(write(tmp_path, records(families=2)), tmp_path / "out")
    folder = tmp_path / "out" / "decide" / "duplicates"
    assert sorted(path.name for path in folder.iterdir()) == ["counts", "fates"]
    counts = pipeline.schemas.read_ipc(str(folder / "counts" / "000000.arrow")).to_pylist()
    assert [row["source"] for row in counts] == list(SOURCES)
    assert all(row["candidates"] == row["confirmed"] + row["rejected"] for row in counts)
    assert sum(row["confirmed"] for row in counts) > 0


@pytest.mark.parametrize(
    ("dedup", "reasons"),
    [
        ({"exact": False, "minhash": None}, {0}),
        ({"exact": True, "minhash": None}, {0, EXACT}),
        ({"exact": False, "minhash": {}}, {0, NEAR}),
    ],
)
def test_one_kind_alone(tmp_path, dedup, reasons) -> None:
    run(write(tmp_path, records(families=2), **dedup), tmp_path / "out")
    found = decisions(tmp_path / "out")
    assert {each.reason for each in found.values()} == reasons
    # Texts without words are no near duplicates of each other.
    assert (found["empty-two"].reason or found["empty-one"].reason) == (EXACT if dedup["exact"] else 0)


def test_rounds_that_do_not_end_are_an_error(tmp_path, monkeypatch) -> None:
    """Here no round is allowed."""
    many_runs(monkeypatch, at_once=0)
    monkeypatch.setattr("pipeline.decide.duplicates.choice.MOST_ROUNDS", 0)
    with pytest.raises(GristmillError, match="verified pairs still hang on each other"):
        run(write(tmp_path, records(families=2), files=2), tmp_path / "out")
    assert not (tmp_path / "out" / "decide" / "_MANIFEST.json").exists()


def test_a_container_stays_for_what_it_holds(tmp_path) -> None:
    """By containment a text that was cut goes; by Jaccard similarity it stays."""
    from tests.endtoend.corpora import prose

    whole = prose("whole", words=200)
    rows = [
        {"id": "whole", "url": "https://a.example/", "text": whole, "source": "other"},
        {"id": "cut", "url": "https://b.example/", "text": " ".join(whole.split(" ")[:110]), "source": "other"},
    ]
    bands = {"bands": 28, "rows": 2}
    for measure, reason in (("jaccard", 0), ("containment", NEAR)):
        folder: Path = tmp_path / measure
        run(write(folder, rows, minhash={**bands, "measure": measure, "similarity": 0.8}), folder / "out")
        found = decisions(folder / "out")
        assert (found["whole"].reason, found["cut"].reason) == (0, reason)
