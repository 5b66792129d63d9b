"""From a step to its documents, and back."""

from __future__ import annotations

import pytest

from manifests.errors import GristmillError
from tests.gristmill.commands.invoke import printed, run


def test_there_and_back(run_folder: str) -> None:
    rows = printed("trace", run_folder, "--step", "3")["documents"]
    for row in rows:
        samples = printed("trace", run_folder, "--document", row["document_id"])["samples"]
        assert row["sample"] in [sample["sample"] for sample in samples if sample["step"] == 3]
    text = run("trace", run_folder, "--document", rows[0]["document_id"], "--limit", "1")[1]
    assert f"Document {rows[0]['document_id']}: in " in text
    assert "… and " in text


def test_exactly_one_of_both(run_folder: str) -> None:
    for options in ((), ("--step", "1", "--document", "ab" * 16)):
        with pytest.raises(GristmillError, match="give either --step or --document"):
            run("trace", run_folder, *options)
