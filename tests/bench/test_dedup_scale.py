"""What bench/dedup_scale.py makes is what it says, and it checks what it measures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench import dedup_scale
from bench.dedup_scale import (
    SHAPES,
    chosen_by_definition,
    describe_choice,
    make_pairs,
    run_choice,
    write_copies,
    write_job,
)
from dedup.choice import join_known, settle


@pytest.mark.parametrize("shape", SHAPES)
def test_pairs_are_directed_and_as_many_as_asked(shape) -> None:
    others, preferred = make_pairs(shape, pairs=5_000)
    assert len(others) == len(preferred) == 5_000
    assert (preferred < others).all()
    assert (np.diff(others) >= 0).all()
    assert preferred.min() >= 0


@pytest.mark.parametrize("shape", SHAPES)
def test_the_definition_is_that_of_one_task(shape) -> None:
    others, preferred = (column.astype(np.uint64) for column in make_pairs(shape, pairs=3_000))
    known = settle(preferred, others, first=np.setdiff1d(preferred, others), known=join_known([]))
    goes = chosen_by_definition(others.astype(np.int64), preferred.astype(np.int64))
    assert known.rows[known.goes].tolist() == np.flatnonzero(goes).tolist()


@pytest.mark.parametrize("shape", SHAPES)
def test_rounds_are_described(tmp_path, monkeypatch, shape) -> None:
    monkeypatch.setattr("pipeline.decide.duplicates.choice.EDGES_AT_ONCE", 200)
    run_choice(write_job(str(tmp_path), *make_pairs(shape, pairs=2_000), runs=5))
    found = describe_choice(shape, 2_000, 5, str(tmp_path))
    assert found["rounds"] == len(found["waiting"]) >= 1
    assert found["waiting"] == sorted(found["waiting"], reverse=True)
    assert found["waiting"][-1] <= 0.1
    # Each row is told of once, so that framing and padding of small files are all that lies above the formula.
    assert 0 < found["formula_bytes_per_pair"] <= 17
    assert found["goes"] == chosen_by_definition(*make_pairs(shape, pairs=2_000)).sum()


def test_another_choice_is_found_out(tmp_path, monkeypatch) -> None:
    run_choice(write_job(str(tmp_path), *make_pairs("trees", pairs=500), runs=3))
    monkeypatch.setattr(dedup_scale, "make_pairs", lambda shape, pairs: make_pairs(shape, pairs=pairs, seed=5))
    with pytest.raises(SystemExit, match="other documents go"):
        describe_choice("trees", 500, 3, str(tmp_path))


@pytest.mark.parametrize("kind", ["exact", "near"])
def test_copies_of_one_document(tmp_path: Path, kind: str) -> None:
    write_copies(tmp_path, kind=kind, copies=30)
    [path] = tmp_path.glob("*.jsonl")
    texts = [json.loads(line)["text"].split() for line in path.read_text().splitlines()]
    assert len(texts) == 30
    changed = [sum(word != f"word{number}" for number, word in enumerate(text)) for text in texts]
    assert changed == [0 if kind == "exact" else 2] * 30
