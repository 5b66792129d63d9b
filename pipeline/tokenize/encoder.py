"""Encodes text to tokens exactly as sentencepiece does, several times faster.

In: an Arrow array of texts. Out: flat token ids with offsets, documents in the same order. `gigatoken` encodes;
sentencepiece is the reference. The two are compared on a probe set when the encoder is loaded, and by the caller on
sampled documents. Texts that contain a control piece such as `<s>` literally are encoded by sentencepiece, which
encodes the letters; gigatoken would give the control token.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from manifests.errors import GristmillError

if TYPE_CHECKING:
    from gigatoken import Tokenizer
    from sentencepiece import SentencePieceProcessor

# Cases in which byte-pair encoders have disagreed: spaces, the escape of spaces, control characters, literal special
# pieces, digits, byte fallback.
PROBES = (
    "",
    " ",
    "  ",
    "a",
    " a",
    "a ",
    "  a  b  ",
    "\n",
    "\n\n\n",
    "\t\tx",
    "a\r\nb",
    "\u2581",
    " \u2581 ",
    "a\u2581b",
    "\u2581\u2581 x",
    "<s>",
    "</s>",
    "<unk>",
    "text <s> in </s> text",
    "<0x0A>",
    "1234567890",
    "3.14159 and 1,000,000",
    "v2.0-rc1",
    "don't",
    "x" * 300,
    " " * 300,
    "-" * 80,
    "=" * 81,
    "The quick brown fox jumps over the lazy dog.",
    "def f(x):\n    return x ** 2\n\n\nclass A:\n\tpass\n",
    '{"key": [1, 2, {"a": null}]}',
    "http://www.example.org/a/b?c=d&e=%20f#g",
    "e-mail: someone@example.org",
    "naïve café Ærøskøbing Straße",
    "Ελληνικά",
    "Русский текст",
    "العربية",
    "עברית",
    "हिन्दी",
    "ไทย",
    "日本語のテキスト",
    "中文文本没有空格",
    "한국어 텍스트",
    "\U0001f642\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "e\u0301 o\u0308",
    "\x00",
    "\x01\x02\x7f",
    "\ufeff",
    "\u00a0\u3000\u2028",
    "\ufffd",
    "\U0010ffff",
    "a\x00b",
    "$E = mc^2$ \\frac{1}{2}",
    "\u0f3c \u0f3d",
)


@dataclass(frozen=True)
class Encoder:
    """A loaded tokenizer.

    Attributes:
        sha256: hash of the model file.
        fast: gigatoken's tokenizer, or None if sentencepiece encodes.
        note: why sentencepiece encodes although the manifest says gigatoken, or None.
        controls: pieces that must not become control tokens when they occur in text.
    """

    sha256: str
    vocab_size: int
    bos_id: int | None
    eos_id: int | None
    reference: SentencePieceProcessor
    fast: Tokenizer | None
    note: str | None
    controls: tuple[str, ...]


def load_encoder(model: bytes, *, engine: str) -> Encoder:
    """Load a SentencePiece model and compare the two engines on the probe set.

    Args:
        model: contents of the `.model` file.
        engine: `gigatoken` or `sentencepiece`.

    Raises:
        GristmillError: this is not a SentencePiece model, or the engines disagree on a probe.
    """
    import sentencepiece

    reference = sentencepiece.SentencePieceProcessor()
    try:
        reference.LoadFromSerializedProto(model)
    except RuntimeError as error:
        raise GristmillError(f"is not a SentencePiece model: {error}", where="tokenizer.model") from None
    fast, note = _load_fast(model) if engine == "gigatoken" else (None, None)
    controls = tuple(
        reference.IdToPiece(i)
        for i in range(reference.GetPieceSize())
        if reference.IsControl(i) or reference.IsUnknown(i)
    )
    encoder = Encoder(
        sha256=hashlib.sha256(model).hexdigest(),
        vocab_size=reference.GetPieceSize(),
        bos_id=_id(reference.bos_id()),
        eos_id=_id(reference.eos_id()),
        reference=reference,
        fast=fast,
        note=note,
        controls=controls,
    )
    check_probes(encoder)
    return encoder


def check_probes(encoder: Encoder) -> None:
    """Compare with sentencepiece on `PROBES`.

    Raises:
        GristmillError: the token ids of a probe differ.
    """
    tokens, offsets = encode(encoder, pa.array(PROBES, pa.large_string()))
    for index, probe in enumerate(PROBES):
        compare(encoder, probe, tokens[offsets[index] : offsets[index + 1]], where=f"probe {index} {probe[:40]!r}")


def compare(encoder: Encoder, text: str, tokens: npt.NDArray[np.integer[Any]], *, where: str) -> None:
    """Compare the tokens of one text with sentencepiece's.

    Raises:
        GristmillError: the token ids differ; the error names `where`.
    """
    if encoder.reference.EncodeAsIds(text) != tokens.tolist():
        raise GristmillError(
            "gigatoken and sentencepiece encode this differently",
            where=where,
            remedy="set `tokenizer.encoder: sentencepiece` in the corpus manifest, and report the document to us",
        )


def encode(encoder: Encoder, texts: pa.Array) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Encode documents, without BOS or EOS.

    Args:
        texts: large_string[n], no nulls.

    Returns:
        Token ids uint32[total], offsets int64[n + 1].
    """
    if encoder.fast is None:
        return _by_reference(encoder, texts.to_pylist())
    literal = np.zeros(len(texts), bool)
    for piece in encoder.controls:
        literal |= pc.match_substring(texts, piece).to_numpy(zero_copy_only=False)
    tokens, offsets = _by_gigatoken(encoder.fast, texts)
    if not literal.any():
        return tokens, offsets
    lists = [tokens[offsets[i] : offsets[i + 1]] for i in range(len(texts))]
    for index in np.flatnonzero(literal):
        lists[index] = np.asarray(encoder.reference.EncodeAsIds(texts[int(index)].as_py()), np.uint32)
    return np.concatenate(lists), _offsets([len(ids) for ids in lists])


def _by_gigatoken(fast: Tokenizer, texts: pa.Array) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    import awkward

    if not len(texts):
        return np.empty(0, np.uint32), np.zeros(1, np.int64)
    # One thread: workers are processes, one per core.
    layout = fast.encode_batch(awkward.from_arrow(texts), parallel=False).layout
    offsets = np.asarray(layout.offsets).astype(np.int64)
    return np.asarray(layout.content.data, np.uint32)[offsets[0] : offsets[-1]], offsets - offsets[0]


def _by_reference(encoder: Encoder, texts: list[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    lists = [np.asarray(encoder.reference.EncodeAsIds(text), np.uint32) for text in texts]
    return np.concatenate([*lists, np.empty(0, np.uint32)]), _offsets([len(ids) for ids in lists])


def _offsets(lengths: list[int]) -> npt.NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _load_fast(model: bytes) -> tuple[Tokenizer | None, str | None]:
    try:
        import gigatoken

        return gigatoken.Tokenizer.from_sentencepiece(model), None
    except (ImportError, ValueError) as error:
        return None, f"gigatoken cannot load this tokenizer ({error}): sentencepiece encodes, several times slower"


def _id(value: int) -> int | None:
    return None if value < 0 else value
