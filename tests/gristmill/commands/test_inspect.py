"""What a folder holds, and whether it is whole."""

from __future__ import annotations

import pytest

from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from tests.gristmill.commands.invoke import printed, run
from tests.pipeline.decide.test_lines import generated, write


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


def test_the_most_frequent_lines_that_went(tmp_path) -> None:
    manifest = write(tmp_path, generated(), lines={"rule": "ccnet", "groups": 1})
    prepare(manifest, out=str(tmp_path / "out"), runner=Runner())
    rows = printed("inspect", tmp_path / "out")["frequent_lines"]
    assert rows[0]["removed"] == max(row["removed"] for row in rows)
    removed = {row["text"].lower(): (row["removed"], row["documents"]) for row in rows}
    # 14 and 9 pages and two short ones have them; the near copy that is kept says "About" only, and the other one is gone.
    assert removed["contact us"] == (33, 24)
    assert removed["about"] == (25, 25)
    text = run("inspect", tmp_path / "out")[1]
    assert "Most frequent lines that went" in text
    assert "Contact us" in text
    assert printed("verify", tmp_path / "out")["problems"] == []
    (victim,) = (tmp_path / "out" / "extract" / "documents").rglob(f"{rows[0]['part'].split('/')[1]}.arrow")
    victim.unlink()
    assert printed("inspect", tmp_path / "out")["frequent_lines"][0] == rows[0] | {"text": None}
