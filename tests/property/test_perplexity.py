"""Scores of n-gram models and the text normaliser of perplexity, against plain Python."""

from __future__ import annotations

import contextlib
import random
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import GristmillError
from pipeline.text.perplexity.binary import Model, read_model, score
from pipeline.text.perplexity.score import normalised
from pipeline.text.perplexity.words import word_hash
from tests.property.arpas import NGrams, slow_score
from tests.property.kenlm_files import FORMS, Form, binary, murmur, quantised, rounded
from tests.property.texts import any_text, buffers, thorough

WORDS = ("a", "b", "c", "▁a", "é", "中文", "<unk>")
some_sentences = st.lists(st.lists(st.sampled_from(WORDS), max_size=8), min_size=1, max_size=6)
asked_sentences = st.lists(st.lists(st.sampled_from([*WORDS, "zz", "<s>", "</s>", "0"]), max_size=10), max_size=6)


def read(data: bytes) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.bin"
        path.write_bytes(data)
        return read_model(str(path))


def some_model(sentences: list[list[str]], order: int, numbers: random.Random) -> NGrams:
    """All n-grams of some sentences, so that each has its context and its suffix."""
    found: NGrams = {(word,): (-numbers.random() * 3, 0.0) for word in (*WORDS, "<s>", "</s>")}
    for words in sentences:
        sentence = ["<s>", *words, "</s>"]
        for length in range(1, order + 1):
            for at in range(len(sentence) - length + 1):
                backoff = numbers.choice([0.0, -numbers.random(), numbers.random()])
                found[tuple(sentence[at : at + length])] = (-numbers.random() * 3, backoff)
    return found


@given(
    some_sentences,
    asked_sentences,
    st.integers(2, 6),
    st.randoms(use_true_random=False),
    st.sampled_from(FORMS),
    st.booleans(),
)
@settings(thorough, max_examples=200)
def test_scores_against_dictionaries(
    sentences: list[list[str]], asked: list[list[str]], order: int, numbers: random.Random, form: Form, unknown: bool
) -> None:
    ngrams = rounded(some_model(sentences, order, numbers))
    if not unknown:
        ngrams = {words: of for words, of in ngrams.items() if "<unk>" not in words}
    data, offsets = buffers([" ".join(words) for words in [*asked, *sentences]])
    scores, tokens = score(read(binary(ngrams, order=order, form=form)), data, offsets)
    kept = quantised(ngrams, order=order, form=form)
    assert scores.tolist() == [slow_score(kept, words, order=order) for words in [*asked, *sentences]]
    assert tokens.tolist() == [len(words) for words in [*asked, *sentences]]


@given(st.sampled_from(FORMS), st.randoms(use_true_random=False))
@settings(thorough, max_examples=60)
def test_damaged_binary_files_are_refused_or_give_numbers(form: Form, numbers: random.Random) -> None:
    sentences = [[f"w{numbers.randrange(9)}" for _ in range(8)] for _ in range(3)]
    whole = binary(some_model(sentences, 4, numbers), order=4, form=form)
    for _ in range(4):
        data = bytearray(whole)
        # Beyond the text and the test numbers, where every change is seen.
        for _ in range(numbers.choice([1, 3, 40])):
            data[numbers.randrange(88, len(data))] = numbers.choice([0, 1, 255, numbers.randrange(256)])
        with contextlib.suppress(GristmillError):
            scores, _ = score(read(bytes(data)), *buffers([" ".join(words) for words in sentences]))
            assert not np.isnan(scores).any()
    with pytest.raises(GristmillError):
        read(whole[: numbers.randrange(len(whole))])


@given(st.binary(max_size=40))
@thorough
def test_hashes_of_words(word: bytes) -> None:
    assert word_hash(np.frombuffer(b"." + word, np.uint8), 1, 1 + len(word)) == murmur(word)


@given(any_text, st.sampled_from(["", "\x0b one\x07two ", "「１２」—İΣΑΣ…", "é\u0301", "\u2009a\u2028", "한글 க்ௌ"]))
@thorough
def test_normalised_against_one_character_at_a_time(text: str, more: str) -> None:
    wanted = ""
    marks = dict(
        zip("，。、„”“«»」「《》´∶：？！（）；–～’━〈〉【】％►", ',.,"""""""""\'::?!();-~\'-<>[]%-', strict=True)
    )
    small = (text + more).strip().lower()
    # Marks that NFD sorts and that stay are left where they are.
    sorts = any(unicodedata.combining(letter) and unicodedata.category(letter) != "Mn" for letter in small)
    whole = (
        "".join(unicodedata.normalize("NFD", letter) for letter in small)
        if sorts
        else unicodedata.normalize("NFD", small)
    )
    for letter in whole:
        if unicodedata.category(letter) == "Mn" or ord(letter) < 32 or 127 <= ord(letter) < 160:
            continue
        longer = {"—": " - ", "．": ". ", "…": "..."}
        wanted += "0" if letter.isdecimal() else longer.get(letter, marks.get(letter, letter))
    assert normalised(text + more) == wanted


def test_long_runs_of_marks_take_linear_time() -> None:
    # Canonical ordering of this would take minutes.
    assert normalised("a" + "\u0301\u0323" * 500_000 + "b") == "ab"
