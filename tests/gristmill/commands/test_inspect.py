"""What a folder holds, and whether it is whole."""

from __future__ import annotations

import pytest

from manifests.errors import GristmillError
from tests.gristmill.commands.invoke import printed, run


def test_inspect_and_verify(prepared) -> None:
    assert sorted(printed("inspect", prepared)["steps"]) == ["decide", "extract", "tokenizer"]
    assert "articles/general" in run("inspect", prepared)[1]
    assert printed("verify", prepared)["problems"] == []
    victim = sorted((prepared / "extract" / "signals").rglob("*.arrow"))[0]
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x00")
    sorted((prepared / "shards").rglob("*.documents.arrow"))[0].unlink()
    status, text = run("verify", prepared)
    assert status == 1
    assert f"{victim}: its sha256 is not the manifest's" in text
    assert ".documents.arrow" in text


def test_inspect_of_an_empty_folder(tmp_path) -> None:
    with pytest.raises(GristmillError, match="holds nothing that Gristmill wrote"):
        run("inspect", tmp_path)
