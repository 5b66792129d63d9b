"""Each piece of work of bench/single.py runs as the project is today: their results go into docs/scale.md."""

from __future__ import annotations

from pathlib import Path

from bench.single import choose_among, hold_manifest, look_at_tasks, open_folder, size_graph


def test_tasks_are_seen_as_finished(tmp_path: Path) -> None:
    assert look_at_tasks("5", str(tmp_path))["collected"] == 5


def test_a_manifest_is_written_and_read(tmp_path: Path) -> None:
    assert hold_manifest("7", str(tmp_path))["bytes"] > 7 * 100


def test_a_pipeline_grows_with_its_runs() -> None:
    assert size_graph("50")["bytes"] > size_graph("5")["bytes"]


def test_all_documents_of_a_choice_are_decided(tmp_path: Path) -> None:
    assert choose_among("500", str(tmp_path))["decided"] == 501


def test_shards_are_opened_and_planned(tmp_path: Path) -> None:
    assert open_folder("5", str(tmp_path))["bytes"] > 0
