"""Filter variant `bad-words`: drops pages with listed words, except a share chosen by document id.

Source: TFDS c4_utils.py, `get_badwords_filter_fn`. C4 drops every page with a word of the list; mC4 keeps one in a
thousand of them, so that models see some. Which ones are kept depends on the document's id, a hash, as everywhere in
Gristmill. Extract counts the words (`pipeline.text.bad_word_lists`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from manifests.errors import GristmillError
from manifests.filters import BadWordsFilter, Reason
from pipeline.filters.reasons import code_of
from pipeline.text.signal_columns import BAD_WORDS

REASONS: tuple[Reason, ...] = ("bad_words",)


def judge(signals: pa.Table | pa.RecordBatch, _removed: object, thresholds: BadWordsFilter) -> npt.NDArray[np.uint8]:
    """Reason codes uint8[n].

    Args:
        signals: with `bad_words`, int32, and, if a share is kept, the documents' `id`.

    Raises:
        GristmillError: extract did not count bad words.
    """
    if BAD_WORDS.name not in signals.schema.names:
        raise GristmillError(
            "`bad-words` needs counts that extract did not store",
            where="filters",
            remedy="give the manifest `bad_words` with a list of words and run `gristmill extract`",
        )
    failed = signals[BAD_WORDS.name].to_numpy() > thresholds.max_bad_words
    if thresholds.keep_share:
        failed &= ~_chosen(signals["id"], thresholds.keep_share)
    return np.where(failed, np.uint8(code_of("bad_words")), np.uint8(0)).astype(np.uint8)


def _chosen(ids: pa.Array | pa.ChunkedArray, share: float) -> npt.NDArray[np.bool_]:
    """Which documents belong to the share, bool[n].

    Ids are xxh3 hashes of the text, so their lower half, which no other choice uses, serves as a random number.
    """
    last = np.array([int.from_bytes(value[8:], "big") for value in ids.to_pylist()], np.uint64)
    return last < np.float64(share * 2.0**64)
