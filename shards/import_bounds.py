"""What bounds the documents of imported tokens: BOS, EOS, both or neither, as declared, and checked.

In: tokens and lengths of documents. Out: an error for the first document that is bounded otherwise than declared, or
for a file that has a bound which was not declared.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from manifests.errors import GristmillError
from shards.format import TokenizerInfo

Boundaries = Literal["bos+eos", "bos", "eos", "none"]
BOUNDARIES: tuple[Boundaries, ...] = get_args(Boundaries)

Int64s = npt.NDArray[np.int64]


class Special(NamedTuple):
    """The ids that a model has for bounds, whether they were declared or not; None: it has no such piece."""

    bos: int | None
    eos: int | None


def content_of(lengths: Int64s, info: TokenizerInfo) -> tuple[Int64s, Int64s]:
    """Where the content of each document begins and ends, without the tokens that bound it."""
    ends = np.cumsum(lengths)
    some = lengths > 0
    starts = ends - lengths + (some if info.bos_id is not None else 0)
    return starts, np.maximum(ends - (some if info.eos_id is not None else 0), starts)


def check_bounded(tokens: npt.NDArray[Any], lengths: Int64s, info: TokenizerInfo, *, number: int, where: str) -> None:
    """Check that every document with tokens is bounded as `info` says.

    Args:
        number: of the first document in its file.
        where: the file.

    Raises:
        GristmillError: the first document that is not.
    """
    some, first, last = _ends_of(tokens, lengths)
    for name, verb, wanted, found in (("BOS", "begin", info.bos_id, first), ("EOS", "end", info.eos_id, last)):
        wrong = np.zeros(len(some), bool) if wanted is None else found != wanted
        if wrong.any():
            at = int(np.argmax(wrong))
            raise GristmillError(
                f"does not {verb} with {name} ({wanted}) but with {int(found[at])}; of {len(some):,} documents looked"
                f" at here, {int(wrong.sum()):,} do not",
                where=f"{where}, document {number + int(some[at]):,}",
                remedy="declare by --boundaries what bounds the documents, and give the model that wrote the tokens",
            )


def count_bounded(tokens: npt.NDArray[Any], lengths: Int64s, special: Special) -> npt.NDArray[np.int64]:
    """Documents with tokens, those that begin with BOS, those that end with EOS: int64[3]."""
    some, first, last = _ends_of(tokens, lengths)
    begin = 0 if special.bos is None else int((first == special.bos).sum())
    end = 0 if special.eos is None else int((last == special.eos).sum())
    return np.array([len(some), begin, end], np.int64)


def check_undeclared(counts: npt.NDArray[np.int64], info: TokenizerInfo, special: Special, *, where: str) -> None:
    """Refuse a file all of whose documents have a bound that was not declared: it would be taken for content.

    Args:
        counts: the sum of what `count_bounded` says of the file's documents.

    Raises:
        GristmillError: all documents begin with BOS, or end with EOS, and it was not declared.
    """
    documents, begin, end = counts.tolist()
    for name, verb, declared, identity, found in (
        ("BOS", "begin", info.bos_id, special.bos, begin),
        ("EOS", "end", info.eos_id, special.eos, end),
    ):
        if declared is None and documents and found == documents:
            raise GristmillError(
                f"all {documents:,} documents {verb} with {name} ({identity}), which was not declared",
                where=where,
                remedy="declare it by --boundaries",
            )


def _ends_of(tokens: npt.NDArray[Any], lengths: Int64s) -> tuple[Int64s, npt.NDArray[Any], npt.NDArray[Any]]:
    """Numbers of the documents with tokens, and the first and last token of each."""
    some = np.flatnonzero(lengths > 0)
    ends = np.cumsum(lengths)[some]
    return some, tokens[ends - lengths[some]], tokens[ends - 1]
