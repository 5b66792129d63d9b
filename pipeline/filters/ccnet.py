"""Filter variant `ccnet`: page length and perplexity terciles of CCNet (Wenzek et al. 2019, arXiv 1911.00359, sections
3 and 4).

CCNet removes repeated paragraphs, drops pages of fewer than 300 characters (cc_net/mine.py, `min_len`), identifies the
language (the manifest's `languages`, minimum 0.5) and sorts pages into head, middle and tail by the perplexity of a
5-gram model of Wikipedia, at the terciles of the language. Repeated paragraphs are `dedup.lines`. Perplexity is
an optional column of the signals. Pages in languages without terciles, and pages without a perplexity, are not judged
by it, as in cc_net, which puts them into one bucket `all`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from manifests.errors import GristmillError
from manifests.filters import CCNet, Reason
from pipeline.filters.reasons import code_of
from pipeline.text.signal_columns import PERPLEXITY

REASONS: tuple[Reason, ...] = ("ccnet_page_length", "ccnet_perplexity")


def judge(signals: pa.Table | pa.RecordBatch, _removed: object, thresholds: CCNet) -> npt.NDArray[np.uint8]:
    """Reason codes uint8[n].

    Raises:
        GristmillError: the manifest has terciles, but extract stored no perplexity.
    """
    codes = np.zeros(signals.num_rows, np.uint8)
    if thresholds.terciles:
        if PERPLEXITY.name not in signals.schema.names:
            raise GristmillError(
                "`ccnet` has terciles, but the signals have no perplexity",
                where="filters",
                remedy=(
                    "leave `terciles` away, or give the manifest `perplexity` with models and run `gristmill extract`"
                ),
            )
        codes[~_in_kept_bucket(signals, thresholds)] = code_of("ccnet_perplexity")
    codes[signals["characters"].to_numpy() < thresholds.min_characters] = code_of("ccnet_page_length")
    return codes


def _in_kept_bucket(signals: pa.Table | pa.RecordBatch, thresholds: CCNet) -> npt.NDArray[np.bool_]:
    perplexity = pc.fill_null(signals[PERPLEXITY.name].cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
    languages = signals["language"].cast(pa.string()).to_numpy(zero_copy_only=False)
    kept = np.ones(signals.num_rows, np.bool_)
    for language, (head, middle) in thresholds.terciles.items():
        others = np.isin(languages.astype(str), list(thresholds.terciles))
        judged = ~others if language == "any" else languages == language
        bucket = np.where(perplexity < head, "head", np.where(perplexity < middle, "middle", "tail"))
        kept &= ~judged | np.isnan(perplexity) | np.isin(bucket, thresholds.keep)
    return kept
