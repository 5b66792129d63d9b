"""Tokens equal sentencepiece's for any text; a difference is an error that names the document."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import GristmillError
from pipeline.tokenize.encoder import PROBES, check_probes, encode, load_encoder
from pipeline.tokenize.tokenizer_training import train_model
from tests.paths import PROJECT, SHARED


@pytest.fixture(scope="module")
def model() -> bytes:
    """A small tokenizer trained on this project's own prose."""
    texts = [path.read_text() for path in sorted(PROJECT.glob("*/*.py"))]
    return train_model(iter(texts), vocab_size=1200)


@pytest.fixture(scope="module")
def encoder(model):
    return load_encoder(model, engine="gigatoken")


def encoded(encoder, texts):
    tokens, offsets = encode(encoder, pa.array(texts, pa.large_string()))
    return [tokens[a:b].tolist() for a, b in zip(offsets[:-1], offsets[1:], strict=True)]


def test_gigatoken_loads_what_we_train(encoder):
    assert encoder.fast is not None
    assert encoder.note is None
    assert (encoder.bos_id, encoder.eos_id) == (1, 2)


def test_training_is_deterministic(model):
    texts = [path.read_text() for path in sorted(PROJECT.glob("*/*.py"))]
    assert train_model(iter(texts), vocab_size=1200) == model


def test_llama_options_are_in_the_model(encoder):
    digits = [encoder.reference.EncodeAsPieces(text) for text in ("2024", "v1.25")]
    assert all(
        len(piece.replace("\u2581", "")) <= 1
        for pieces in digits
        for piece in pieces
        if any(c.isdigit() for c in piece)
    )
    assert encoder.reference.DecodeIds(encoder.reference.EncodeAsIds("\U0001f9a4 ꙮ")) == "\U0001f9a4 ꙮ"
    assert (
        encoder.reference.DecodeIds(encoder.reference.EncodeAsIds("  two  spaces\n\n\tand a tab "))
        == "  two  spaces\n\n\tand a tab "
    )


PIECES = st.sampled_from(
    [
        " ",
        "  ",
        "\u2581",
        "\n",
        "\t",
        "<s>",
        "</s>",
        "<unk>",
        "<0x0A>",
        "def",
        " the",
        "é",
        "東",
        "\U0001f642",
        "\u0301",
        "\x00",
        "\ufeff",
        "12",
        ".",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=20).map("".join)), max_size=6))
def test_tokens_equal_sentencepiece(encoder, texts):
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    assert encoded(encoder, texts) == [encoder.reference.EncodeAsIds(text) for text in texts]


def test_without_gigatoken_the_tokens_are_the_same(model, encoder):
    slow = load_encoder(model, engine="sentencepiece")
    assert slow.fast is None
    assert encoded(slow, PROBES) == encoded(encoder, PROBES)


def test_a_model_that_gigatoken_cannot_load_is_encoded_by_sentencepiece_and_says_so():
    import io

    import sentencepiece

    unigram = io.BytesIO()
    words = [f"word{i % 97} and line{i % 31} of some text" for i in range(2000)]
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(words), model_writer=unigram, model_type="unigram", vocab_size=31, minloglevel=2
    )
    encoder = load_encoder(unigram.getvalue(), engine="gigatoken")
    assert encoder.fast is None
    assert "sentencepiece encodes" in encoder.note
    assert encoded(encoder, ["word5 and"]) == [encoder.reference.EncodeAsIds("word5 and")]


class _Wrong:
    """Stands for an encoder with a fault: shifts every token of texts that hold a certain word."""

    def __init__(self, inner):
        self._inner = inner

    def encode_batch(self, texts, *, parallel):
        import awkward

        result = self._inner.encode_batch(texts, parallel=parallel)
        return awkward.Array([[token + 1 for token in row] for row in awkward.to_list(result)])


def test_a_wrong_encoder_is_found_by_the_probes(encoder):
    with pytest.raises(GristmillError, match="encode this differently") as caught:
        check_probes(dataclasses.replace(encoder, fast=_Wrong(encoder.fast)))
    assert "probe" in str(caught.value)
    assert "tokenizer.encoder: sentencepiece" in str(caught.value)


def test_not_a_model():
    with pytest.raises(GristmillError, match="not a SentencePiece model"):
        load_encoder(b"nothing of the kind", engine="gigatoken")


def test_too_little_text_for_the_vocabulary():
    with pytest.raises(GristmillError, match="could not be trained") as few:
        train_model(iter(["a b c"]), vocab_size=5000)
    assert "lower `vocab_size`" in few.value.remedy
    with pytest.raises(GristmillError, match="could not be trained") as many:
        train_model(iter(["".join(map(chr, range(0x4E00, 0x4E80)))]), vocab_size=300)
    assert "set `vocab_size` to at least " in many.value.remedy


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="../shared is not here")
@pytest.mark.parametrize("name", ["llama2-tokenizer.model", "mistral-tokenizer.model.v1"])
def test_published_models_are_exact_on_real_text(name):
    import gzip
    import json

    encoder = load_encoder((SHARED / "corpora" / "models" / name).read_bytes(), engine="gigatoken")
    assert encoder.fast is not None
    texts = []
    for file in (
        "multilingual/zh-poetry",
        "multilingual/udhr",
        "factual/django-docs",
        "pii/spamassassin",
        "multilingual/quran",
    ):
        with gzip.open(SHARED / "corpora" / f"{file}.jsonl.gz") as lines:
            texts += [json.loads(line).get("text", "") for _, line in zip(range(60), lines, strict=False)]
    assert encoded(encoder, texts) == [encoder.reference.EncodeAsIds(text) for text in texts]
    assert np.all([len(text) > 0 for text in encoded(encoder, ["x"])])
