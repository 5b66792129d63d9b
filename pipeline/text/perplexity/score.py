"""Perplexity of each document under an n-gram model of its language, as CCNet sorts pages by it (Wenzek et al. 2019,
arXiv 1911.00359).

In: UTF-8 bytes and offsets of n documents, their languages. Out: float64[n], row-aligned, null where the language has
no model.

What cc_net does, step for step (cc_net, main branch: mine.py, steps `sp` and `lm`; perplexity.py, `MultiSentencePiece`
and `DocLM`; text_normalizer.py, `normalize`). The text is normalised: see `normalised`. SentencePiece cuts it into
pieces. KenLM scores the pieces as one sentence, with `<s>` and `</s>`. Perplexity is 10 ** (-score / (pieces + 1)),
rounded to one decimal.

Normalising removes line breaks, as it does all control characters, so that a document is one sentence, and words on
both sides of a break without a space are joined. cc_net's thresholds (data/cutoff.csv) are of such perplexities.
`sentences: lines` scores each line as a sentence of its own instead: 10 ** (-sum of scores / sum of (pieces + 1)),
which `DocLM` does when it is given lines.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from kernels.newer_characters import newer_characters
from manifests.corpus import Perplexity, PerplexityModel
from manifests.errors import GristmillError
from pipeline.text.perplexity.binary import Model, check_begin, read_model, score
from storage.files import open_stream, read_bytes

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

# text_normalizer.py, UNICODE_PUNCT. Its entry for the digit U+FF11 never applies: digits are zeros by then.
_PUNCTUATION = dict(
    zip("，。、„”“«»」「《》´∶：？！（）；–～’━〈〉【】％►", ',.,"""""""""\'::?!();-~\'-<>[]%-', strict=True)
)
_PUNCTUATION |= {"—": " - ", "．": ". ", "…": "..."}
_CONTROLS = frozenset([*range(32), *range(127, 160)])
_ASCII = {**dict.fromkeys(_CONTROLS), **dict.fromkeys(range(ord("0"), ord("9") + 1), "0")}
_CODE_POINTS = 0x110000
# Characters of normalised text that SentencePiece gets at once: its pieces take twenty times the memory.
_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Scorer:
    """What gives one language's perplexity."""

    model: Model
    processor: SentencePieceProcessor


def perplexity_settings(perplexity: Perplexity | None) -> Perplexity | None:
    """What perplexities depend on: the section of the manifest, with hashes of the models' contents in place of their
    paths.

    Raises:
        GristmillError: a model is missing, or its n-grams are not a binary file of KenLM's.
    """
    if perplexity is None:
        return None
    for model in perplexity.models.values():
        with _opened(model.ngrams) as file:
            check_begin(model.ngrams, file.read(64))
    models = {
        language: PerplexityModel(ngrams=_digest(model.ngrams), sentencepiece=_digest(model.sentencepiece))
        for language, model in sorted(perplexity.models.items())
    }
    return perplexity.model_copy(update={"models": models})


def _digest(path: str) -> str:
    """Hex 128-bit xxh3 of a file that may not fit into memory."""
    digest = xxhash.xxh3_128()
    with _opened(path) as file:
        while chunk := file.read(4 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _opened(path: str) -> BinaryIO:
    try:
        return open_stream(path)
    except FileNotFoundError:
        raise GristmillError(
            "no such file", where=path, remedy="check the paths of `perplexity.models` in the manifest"
        ) from None


@lru_cache(maxsize=256)
def load_scorer(ngrams: str, sentencepiece_model: str, _digests: tuple[str, str]) -> Scorer:
    """The scorer of one language, made once per process; `_digests` distinguish models that have had the same paths.

    Raises:
        GristmillError: a file is missing, or not what it should be.
    """
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor()
    try:
        processor.LoadFromSerializedProto(read_bytes(sentencepiece_model))
    except RuntimeError:
        raise GristmillError(
            "is no SentencePiece model",
            where=sentencepiece_model,
            remedy="give the model whose pieces the n-grams are of",
        ) from None
    return Scorer(read_model(ngrams), processor)


def perplexities(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    languages: Sequence[str],
    scorers: Mapping[str, Scorer],
    *,
    sentences: Literal["document", "lines"],
) -> pa.Array:
    """float64[n]; null where the document's language has no scorer, and where nothing is left of it to score.

    Args:
        data: valid UTF-8.
        offsets: int64[n + 1] into `data`.
        languages: n codes.
        scorers: by language.
        sentences: whether a document is one sentence, or each of its lines is one.
    """
    out = np.full(len(offsets) - 1, np.nan)
    codes = np.array(languages, dtype=object)
    for language, scorer in sorted(scorers.items()):
        rows = np.flatnonzero(codes == language)
        texts = [data[offsets[row] : offsets[row + 1]].tobytes().decode() for row in rows.tolist()]
        groups = [text.split("\n") if sentences == "lines" else [text] for text in texts]
        scores, tokens = _scores([normalised(line) for group in groups for line in group], scorer)
        bounds = np.cumsum([0, *map(len, groups)])
        for row, start, stop in zip(rows.tolist(), bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            if tokens[start:stop].any():
                out[row] = perplexity(scores[start:stop].tolist(), int(tokens[start:stop].sum()) + stop - start)
    return pa.array(out, pa.float64(), mask=np.isnan(out))


def perplexity(scores: Sequence[float], length: int) -> float:
    """10 ** (-sum of scores / length), one decimal (cc_net/perplexity.py, `pp`); infinite where a float64 cannot hold
    it.
    """
    try:
        return float(round(10.0 ** (-math.fsum(scores) / length), 1))
    except OverflowError:
        return float("inf")


def normalised(text: str) -> str:
    """The text as cc_net's models know it (text_normalizer.py, `normalize` with its defaults).

    In this order: no white space around it, small letters, no combining marks (category Mn) once it is decomposed
    (NFD), every decimal digit 0, punctuation of other scripts as ASCII has it, no control characters, line breaks
    included.

    Characters are decomposed one by one: time is linear, where NFD's is quadratic in the length of a run of marks. So
    the few marks that are kept (category Mc, 25 of which NFD sorts) keep their order.
    """
    text = text.strip().lower()
    if text.isascii():
        return text.translate(_ASCII)
    points = np.frombuffer(text.encode("utf-32-le"), "<u4")
    replacements = _replacements()
    lengths = replacements.lengths[points]
    starts = replacements.starts[points]
    if lengths.max() > 1:
        ends = np.cumsum(lengths, dtype=np.int64)
        # For each code point the places of its replacement, from its start on.
        index = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
    else:
        index = starts[lengths > 0]
    left: bytes = replacements.points[index].tobytes()
    return left.decode("utf-32-le")


class _Replacements(NamedTuple):
    """What replaces each code point: `lengths` (uint8[0x110000]) of `points` ("<u4"[]) from `starts` (int32[0x110000])
    on.
    """

    lengths: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int32]
    points: npt.NDArray[np.uint32]


@cache
def _replacements() -> _Replacements:
    lengths, starts = np.ones(_CODE_POINTS, np.uint8), np.arange(_CODE_POINTS, dtype=np.int32)
    more: list[int] = []
    for point in range(_CODE_POINTS):
        if point in newer_characters():
            continue
        letter = chr(point)
        kind = unicodedata.category(letter)
        whole = unicodedata.normalize("NFD", letter) if kind != "Mn" and kind != "Cs" else letter
        if kind == "Mn" or kind == "Nd" or whole != letter or point in _CONTROLS or letter in _PUNCTUATION:
            instead = "".join(map(_instead, whole))
            lengths[point], starts[point] = len(instead), _CODE_POINTS + len(more)
            more += map(ord, instead)
    return _Replacements(lengths, starts, np.concatenate([np.arange(_CODE_POINTS, dtype="<u4"), np.array(more, "<u4")]))


def _instead(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind == "Nd":
        return "0"
    return "" if kind == "Mn" or ord(letter) in _CONTROLS else _PUNCTUATION.get(letter, letter)


def _scores(lines: Sequence[str], scorer: Scorer) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Score and number of pieces of each line."""
    encoded: list[bytes] = []
    waiting: list[str] = []
    size = 0
    for at, line in enumerate(lines, start=1):
        waiting.append(line)
        size += len(line)
        if size >= _AT_ONCE or at == len(lines):
            pieces = scorer.processor.encode(waiting, out_type=str, num_threads=1)
            encoded += [" ".join(some).encode() for some in pieces]
            waiting, size = [], 0
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    scores, tokens = score(scorer.model, np.frombuffer(b"".join(encoded), np.uint8), offsets)
    return scores.astype(np.float64), tokens
