"""n-gram models of either format, told apart by their first bytes.

In: an ARPA file, plain or compressed, or one of KenLM's binary files. Out: a model, and the same scores from both formats of one model, but
for what quantising rounds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from manifests.errors import GristmillError
from pipeline.text.perplexity import arpa
from pipeline.text.perplexity.arpa import LanguageModel, read_arpa
from pipeline.text.perplexity.binary import MAGIC, ProbingModel, TrieModel, read_binary, score_binary
from storage.files import open_stream

Model = LanguageModel | ProbingModel | TrieModel


def read_model(path: str) -> Model:
    """Read a model.

    Raises:
        GristmillError: the file is missing, damaged, or no model that is read.
    """
    try:
        with open_stream(path) as file:
            binary = file.read(len(MAGIC)) == MAGIC
    except FileNotFoundError:
        raise GristmillError("no such file", where=path, remedy="check the paths of `perplexity.models` in the manifest") from None
    return read_binary(path) if binary else read_arpa(path)


def score(
    model: Model, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Scores of n sentences, as of KenLM's `model.score(sentence)`, and how many tokens each has: float32[n], int64[n].

    Args:
        data: tokens with ASCII white space between them.
        offsets: int64[n + 1] into `data`.

    Raises:
        GristmillError: the model's file is damaged.
    """
    if isinstance(model, LanguageModel):
        return arpa.score(model, data, offsets)
    return score_binary(model, data, offsets)
