"""Arrays of steps: memory that is held is never given again, memory that is not is."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from shards import step_memory
from shards.reader import open_shards
from shards.samples import samples
from shards.step_memory import step_array
from tests.paths import PROJECT
from tests.shards.test_samples import opened

SHAPE = (6, 9)


@pytest.fixture(autouse=True)
def _all_are_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(step_memory, "_LARGE", 0)
    step_memory._Lent._spare.clear()
    yield
    step_memory._Lent._spare.clear()


def address(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def test_memory_that_was_let_go_is_given_again() -> None:
    first = step_array(SHAPE)
    assert (first.shape, first.dtype, first.flags.writeable, first.flags.c_contiguous) == (SHAPE, np.int64, True, True)
    where = address(first)
    del first
    again = step_array(SHAPE)
    assert address(again) == where


@pytest.mark.parametrize(
    "hold",
    [
        lambda array: array[2:, 1:],
        lambda array: array.reshape(-1)[3:].view(np.uint64),
        lambda array: memoryview(array)[1:],
        lambda array: pytest.importorskip("torch").from_numpy(array[:, 1:]),
        lambda array: iter(array),
    ],
)
def test_whatever_is_left_of_an_array_keeps_its_memory(hold) -> None:
    array = step_array(SHAPE)
    where = address(array)
    held = hold(array)
    del array
    other = step_array(SHAPE)
    assert address(other) != where
    del held, other
    gc.collect()
    # What was let go last is given first, and no more than one lies idle.
    assert len(step_memory._Lent._spare) == 1


def test_another_shape_gets_memory_of_its_own() -> None:
    del_me = step_array(SHAPE)
    del del_me
    other = step_array((2, 3))
    assert other.shape == (2, 3)
    other[:] = 7
    assert step_array((0, 3)).shape == (0, 3)


def test_samples_that_are_held_do_not_change(tmp_path: Path) -> None:
    """Steps that are held, let go and read again, by several threads, against all samples read at once."""
    _, order = opened(tmp_path)
    shards = open_shards(str(tmp_path))
    whole = samples(shards, order, 0, 90).copy()

    def run(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        held: dict[int, tuple[int, np.ndarray]] = {}
        for start in rng.integers(0, 84, 200).tolist():
            skipped = int(rng.integers(0, 3))
            held[start % 5] = start + skipped, samples(shards, order, start, 6)[skipped:]
            if not all((rows == whole[begin:][: len(rows)]).all() for begin, rows in held.values()):
                return False
            if rng.random() < 0.3:
                held.pop(int(rng.integers(0, 5)), None)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(run, range(8)))


def test_an_array_that_outlives_the_modules_ends_in_silence() -> None:
    code = (
        "import builtins\nfrom shards import step_memory\nstep_memory._LARGE = 0\n"
        "builtins.kept = step_memory.step_array((4, 4))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
