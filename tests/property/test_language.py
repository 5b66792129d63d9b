"""The language kernel against fastText itself."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import fasttext
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.language.capitals import in_capitals, lower_case
from pipeline.text.language.identify import identify, model_path
from tests.paths import SHARED
from tests.property.texts import any_text, buffers, texts, thorough

_CHARACTERS = 100
# Words of the model, labels and its sentence mark as words, bytes that separate words.
_odd = st.lists(
    st.sampled_from(
        [
            "</s>",
            "__label__en",
            "__label__",
            "<",
            ">",
            "the",
            "der",
            "и",
            " ",
            "\t",
            "\x0b",
            "\x00",
            "\n",
            "\r",
            "a",
            "ß",
            "漢",
        ]
    )
).map("".join)


@cache
def _fasttext() -> Any:
    return fasttext.load_model(str(model_path()))


def _expected(text: str) -> tuple[str, float]:
    """fastText reads one line; the trailing line feed ends its sentence as in training."""
    text = text[:_CHARACTERS]
    if in_capitals(*buffers([text]), characters=_CHARACTERS)[0]:
        text = "".join(chr(lower_case().get(ord(character), ord(character))) for character in text)
    found = _fasttext().f.predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")
    if not text or not found:
        return "und", 0.0
    score, label = found[0]
    return label.removeprefix("__label__"), min(score, 1.0)


def _compare(documents: list[str]) -> None:
    codes, scores = identify(*buffers(documents), characters=_CHARACTERS)
    expected = [_expected(document) for document in documents]
    np.testing.assert_allclose(scores, [score for _, score in expected], atol=1e-6)
    assert codes == [code for code, _ in expected]


@given(texts)
@thorough
def test_documents_of_a_batch(documents: list[str]) -> None:
    _compare(documents)


@given(st.lists(st.one_of(_odd, any_text.map(lambda text: text * 3)), max_size=4))
@thorough
def test_odd_words(documents: list[str]) -> None:
    _compare(documents)


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project")
def test_documents_in_many_languages() -> None:
    assert SHARED is not None
    documents = []
    for name in ("udhr", "fortunes", "gnome-help", "zh-poetry"):
        with gzip.open(SHARED / "corpora" / "multilingual" / f"{name}.jsonl.gz") as lines:
            documents += [json.loads(line)["text"] for line in lines][:400]
    assert len(documents) > 1_000
    _compare(documents)
