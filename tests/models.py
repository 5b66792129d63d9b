"""SentencePiece models for tests, made in moments, with BOS 1 and EOS 2."""

from __future__ import annotations

import io
from pathlib import Path

import sentencepiece


def write_model(path: Path, *, vocab_size: int, bos: bool = True) -> Path:
    """A model of whole words with so many pieces.

    Args:
        bos: whether it has BOS; without, EOS is 1.
    """
    model = io.BytesIO()
    words = [f"w{number}" for number in range(vocab_size)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(" ".join(words[at : at + 100]) for at in range(0, len(words), 100)),
        model_writer=model,
        model_type="word",
        vocab_size=vocab_size,
        bos_id=1 if bos else -1,
        eos_id=2 if bos else 1,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())
    return path
