"""Trains a SentencePiece model with Llama's options.

In: texts, in an order that depends only on the corpus. Out: the bytes of the model file; the same texts give the same
bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from manifests.errors import GristmillError

# SentencePiece skips long sentences (by default more than 4,192 bytes), so documents are cut into pieces of at most
# this many characters.
_SENTENCE_CHARACTERS = 4_000


def train_model(texts: Iterator[str], *, vocab_size: int) -> bytes:
    """Train with Llama's options; returns the model file.

    Raises:
        GristmillError: SentencePiece cannot reach the vocabulary size with this text.
    """
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=(piece for text in texts for piece in _sentences(text)),
            model_writer=model,
            model_type="bpe",
            vocab_size=vocab_size,
            character_coverage=0.99995,
            byte_fallback=True,
            split_digits=True,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            allow_whitespace_only_pieces=True,
            max_sentence_length=4 * _SENTENCE_CHARACTERS + 16,
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        message = " ".join(str(error).split())
        raise GristmillError(
            f"the tokenizer could not be trained: {message}", where="tokenizer.train", remedy=_remedy(message)
        ) from None
    return model.getvalue()


def _remedy(message: str) -> str:
    # The vocabulary must have room for byte pieces, special pieces and the text's most common characters.
    needed = re.search(r"smaller than required_chars\. \d+ vs (\d+)", message)
    if needed:
        return f"set `vocab_size` to at least {needed[1]}: so many pieces stand for single bytes and characters"
    return "lower `vocab_size`, raise `sample_mb`, or check how many documents `decide` kept"


def _sentences(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        for start in range(0, len(line), _SENTENCE_CHARACTERS):
            yield line[start : start + _SENTENCE_CHARACTERS]
