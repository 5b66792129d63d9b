"""A layout that does not fit is an error with numbers, before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from manifests.errors import GristmillError
from tests.training.data import make_run
from training.layout import data_parallel


@pytest.mark.parametrize(
    ("layout", "ranks", "data"),
    [
        ({}, 1, 1),
        ({}, 4, 4),
        ({"tensor": 2}, 2, 1),
        ({"tensor": 2, "pipeline": 2}, 4, 1),
        ({"tensor": 2, "context": 2}, 8, 2),
        ({"pipeline": 4}, 4, 1),
        ({"tensor": 2, "sequence_parallel": True}, 4, 2),
    ],
)
def test_fits(tmp_path: Path, layout: dict[str, Any], ranks: int, data: int) -> None:
    assert data_parallel(make_run(tmp_path, name="a", data=tmp_path, layout=layout), ranks) == data


@pytest.mark.parametrize(
    ("settings", "ranks", "message", "remedy"),
    [
        (
            {"layout": {"tensor": 2, "pipeline": 2}},
            6,
            "6 ranks cannot be arranged as tensor 2 x pipeline 2 x context 1 = 4",
            "4 or 8",
        ),
        ({"layout": {"tensor": 2}}, 1, "1 ranks cannot be arranged", "start 2 ranks"),
        ({}, 3, "global_batch 8 cannot be split into micro-batches of 2 over 3 data-parallel ranks", "a multiple of 6"),
        ({"layout": {"tensor": 4}}, 4, "kv_heads (2) of model test cannot be split over tensor 4", "divides 2"),
        ({"layout": {"tensor": 3}}, 3, "heads (4) of model test cannot be split over tensor 3", "divides 4"),
        ({"layout": {"pipeline": 3}}, 3, "layers (4) of model test cannot be split over pipeline 3", "divides 4"),
        ({"layout": {"sequence_parallel": True}}, 1, "sequence_parallel needs tensor > 1", "raise `tensor`"),
        (
            {"layout": {"context": 2}, "sequence": 30},
            2,
            "sequence (30) cannot be split over context 2",
            "a multiple of 4",
        ),
        (
            {"layout": {"tensor": 2, "sequence_parallel": True}, "sequence": 31},
            2,
            "sequence (31) / context 1 cannot be",
            "a multiple of 2",
        ),
    ],
)
def test_does_not_fit(tmp_path: Path, settings: dict[str, Any], ranks: int, message: str, remedy: str) -> None:
    with pytest.raises(GristmillError) as caught:
        data_parallel(make_run(tmp_path, name="a", data=tmp_path, **settings), ranks)
    assert message in str(caught.value)
    assert remedy in str(caught.value.remedy)
