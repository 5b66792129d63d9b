"""Metrics: what TensorBoard is given when a run is resumed at once."""

from __future__ import annotations

from pathlib import Path

from training.metrics import MetricsWriter


def test_files_of_tensorboard_are_begun_in_different_seconds(tmp_path: Path) -> None:
    """Their names are sorted, and hold seconds: the tenth file of one second would come before the ninth."""
    for step in (0, 3):
        with MetricsWriter(str(tmp_path), resume_at=step):
            pass
    names = sorted(path.name for path in (tmp_path / "tensorboard").iterdir())
    seconds = [int(name.split(".")[3]) for name in names]
    assert len(seconds) == len(set(seconds)) == 2
