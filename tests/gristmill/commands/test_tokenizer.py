"""The tokenizer, checked."""

from __future__ import annotations

from tests.gristmill.commands.invoke import printed


def test_tokenizer_check(prepared) -> None:
    result = printed("tokenizer", "check", prepared / "tokenizer" / "tokenizer.model")
    assert (result["vocab_size"], result["differing"]) == (420, 0)
    assert result["probes"] > 50
