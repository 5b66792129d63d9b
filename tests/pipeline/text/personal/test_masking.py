"""Masking: which token replaces what, slices of arrays, and what is refused."""

from __future__ import annotations

import pyarrow as pa
import pytest

from manifests.errors import GristmillError
from pipeline.text.normalise import normalise, text_buffers
from pipeline.text.personal import KINDS, TOKENS, find_spans, mask


def masked(texts: pa.LargeStringArray, kinds: list[str]) -> list[str]:
    result = mask(texts, find_spans(*text_buffers(texts)), kinds=kinds)
    result.validate(full=True)
    return result.to_pylist()


def test_only_the_kinds_asked_for() -> None:
    texts = pa.array(["ü a@b.co, 8.8.8.8!", "nothing", ""], pa.large_string())
    assert masked(texts, ["email"]) == ["ü |||EMAIL_ADDRESS|||, 8.8.8.8!", "nothing", ""]
    assert masked(texts, ["ip", "email"]) == ["ü |||EMAIL_ADDRESS|||, |||IP_ADDRESS|||!", "nothing", ""]
    assert masked(texts, []) == texts.to_pylist()


def test_texts_without_spans_are_not_copied() -> None:
    texts = pa.array(["nothing", "here"], pa.large_string())
    assert mask(texts, find_spans(*text_buffers(texts)), kinds=list(KINDS)) is texts


def test_overlapping_kinds_become_the_longest() -> None:
    texts = pa.array(["Tel: 078-05-1120", "Fax: 4111 1111 1111 1111"], pa.large_string())
    assert masked(texts, list(KINDS)) == ["Tel: |||PHONE_NUMBER|||", "Fax: |||PAYMENT_CARD|||"]
    assert masked(texts, ["national_id"]) == ["Tel: |||NATIONAL_ID|||", "Fax: 4111 1111 1111 1111"]


def test_slices() -> None:
    texts = pa.array(["x@y.zz", "a@b.co", "é 8.8.8.8", "x@y.zz"], pa.large_string())
    assert masked(texts.slice(1, 2), ["email", "ip"]) == ["|||EMAIL_ADDRESS|||", "é |||IP_ADDRESS|||"]


def test_tokens_survive_normalisation_and_hold_no_personal_information() -> None:
    tokens = pa.array(TOKENS.values(), pa.large_string())
    assert list(TOKENS) == list(KINDS)
    assert normalise(tokens).to_pylist() == tokens.to_pylist()
    assert all(len(spans.starts) == 0 for spans in find_spans(*text_buffers(tokens)).values())


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(GristmillError, match="shoe_size"):
        mask(pa.array([""], pa.large_string()), {}, kinds=["shoe_size"])
