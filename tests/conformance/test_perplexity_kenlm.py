"""KenLM's Python module: the same scores, bit for bit, and the same perplexities of documents."""

from __future__ import annotations

import io
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece

from pipeline.text.perplexity.binary import read_model, score
from pipeline.text.perplexity.score import load_scorer, normalised, perplexities
from tests.conformance.c4_documents import documents, run_peer
from tests.property.arpas import NGrams, arpa
from tests.property.kenlm_files import FORMS, Form, binary, quantised, rounded
from tests.property.texts import buffers

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(7200)]

WORDS = ("a", "b", "c", "▁a", "é", "中文", "<unk>")
ORDER = 5


def model_of(sentences: list[list[str]], *, order: int, numbers: random.Random, more_than: int = 0) -> NGrams:
    """The n-grams that stand more than so often in some sentences, with made-up backoffs; shorter ones all."""
    counts: Counter[tuple[str, ...]] = Counter()
    for words in sentences:
        sentence = ["<s>", *words, "</s>"]
        counts.update(
            tuple(sentence[at : at + length])
            for length in range(1, order + 1)
            for at in range(len(sentence) - length + 1)
        )
    found: NGrams = {(word,): (-numbers.random() * 4, 0.0) for word in ("<s>", "</s>", "<unk>")}
    for words, count in counts.items():
        if words != ("<unk>",) and (len(words) < 3 or count > more_than):
            found[words] = (-numbers.random() * 4, numbers.choice([0.0, -numbers.random()]))
    return found


def test_scores_of_small_models(tmp_path: Path) -> None:
    """KenLM reads the ARPA file and the binary file of each model, we read the binary file."""
    rows: list[dict[str, Any]] = []
    for index in range(600):
        numbers = random.Random(index)
        order = numbers.randint(2, ORDER)
        words = WORDS[: len(WORDS) - index % 2]
        sentences = [numbers.choices(words, k=numbers.randint(0, 9)) for _ in range(numbers.randint(1, 12))]
        asked = [
            " ".join(numbers.choices([*WORDS, "zz", "<s>", "</s>", "<UNK>"], k=numbers.randint(0, 12)))
            for _ in range(20)
        ]
        ngrams = rounded(model_of(sentences, order=order, numbers=numbers))
        form = FORMS[index % len(FORMS)]
        (tmp_path / f"{index}.arpa").write_text(arpa(quantised(ngrams, order=order, form=form), order=order))
        (tmp_path / f"{index}.bin").write_bytes(binary(ngrams, order=order, form=form))
        rows += [{"model": f"{tmp_path}/{index}.{ending}", "sentences": asked} for ending in ("arpa", "bin")]
    results = run_peer("kenlm", "kenlm_scores.py", rows, tmp_path)
    for row, of_arpa, of_binary in zip(rows[1::2], results[::2], results[1::2], strict=True):
        scores, _ = score(read_model(row["model"]), *buffers(row["sentences"]))
        assert scores.tolist() == np.array(of_arpa["scores"], np.float32).tolist()
        assert scores.tolist() == np.array(of_binary["scores"], np.float32).tolist()


@pytest.mark.corpora
def test_perplexities_of_documents(tmp_path: Path) -> None:
    texts = documents(sample_mb=8)
    clean = [normalised(text) for text in texts]
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=(text[:4000] for text in clean[::8]),
        model_writer=written,
        vocab_size=8000,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (tmp_path / "sp.model").write_bytes(written.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    pieces = processor.encode([text[:20_000] for text in clean[::4]], out_type=str)
    ngrams = rounded(model_of(pieces, order=ORDER, numbers=random.Random(1), more_than=1))
    (tmp_path / "model.arpa").write_text(arpa(ngrams, order=ORDER))
    (tmp_path / "model.bin").write_bytes(binary(ngrams, order=ORDER, form=Form()))
    sentences = [" ".join(some) for some in processor.encode(clean, out_type=str)]
    row = {"model": str(tmp_path / "model.arpa"), "sentences": sentences}
    (wanted,) = run_peer("kenlm", "kenlm_scores.py", [row], tmp_path)
    scorer = load_scorer(str(tmp_path / "model.bin"), str(tmp_path / "sp.model"), ("", ""))
    found = perplexities(*buffers(texts), ["en"] * len(texts), {"en": scorer}, sentences="document")
    different = [
        index
        for index, (one, other) in enumerate(zip(found.to_pylist(), wanted["perplexities"], strict=True))
        if one != other
    ]
    print(f"{len(texts)} documents, {sum(map(len, texts))} characters, {len(ngrams)} n-grams: {len(different)} differ")
    assert not different
