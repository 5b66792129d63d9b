"""What one part's signals say about its documents, before duplicates are looked for.

In: a signals part, the thresholds of the manifest, the sites to drop. Out: one reason code per row (uint8, 0 is kept), the first that
applies in the order language, filter rules, site. Recomputed wherever it is needed: it costs milliseconds and no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from manifests.corpus import Languages, PersonalInformation
from pipeline.filters import verdicts
from pipeline.filters.reasons import code_of

Reasons = npt.NDArray[np.uint8]


def filter_reasons(signals: pa.Table, *, variant: str, languages: Languages) -> Reasons:
    """Reason codes by language and by the rules of the filter variant; uint8[n]."""
    reasons: Reasons = verdicts(signals, variant=variant)
    if languages.keep != "all":
        wanted = pc.and_(
            pc.is_in(signals["language"].cast(pa.string()), value_set=pa.array(sorted(languages.keep))),
            pc.greater_equal(signals["language_score"], np.float32(languages.min_score)),
        )
        reasons = np.where(wanted.to_numpy(zero_copy_only=False), reasons, np.uint8(code_of("language"))).astype(np.uint8)
    return reasons


def site_reasons(reasons: Reasons, sites: pa.ChunkedArray, dropped: Set[str]) -> Reasons:
    """Marks what is left of the dropped sites; other reasons stay."""
    if not dropped:
        return reasons
    hit = pc.is_in(sites, value_set=pa.array(sorted(dropped), pa.string())).to_numpy(zero_copy_only=False)
    return np.where((reasons == 0) & hit, np.uint8(code_of("personal_information_site")), reasons).astype(np.uint8)


def spans_of(signals: pa.Table, rule: PersonalInformation) -> npt.NDArray[np.int64]:
    """Personal-information spans per document over the kinds of the rule; int64[n]."""
    total = np.zeros(signals.num_rows, np.int64)
    for kind in rule.kinds:
        total += signals[f"spans_{kind}"].to_numpy()
    return total


def is_heavy(documents: int, words: int, spans: int, rule: PersonalInformation) -> bool:
    """The site rule: enough documents to judge, and more spans per 1,000 words than allowed.

    Llama 2 removed "certain sites known to contain a high volume of personal information" (arXiv 2307.09288, section 2.1) without
    publishing a rule; density per registered domain is ours.
    """
    return documents >= rule.min_documents and spans * 1000 > rule.max_spans_per_1000_words * max(words, 1)


def rule_from(settings: Mapping[str, Any]) -> PersonalInformation | None:
    """The site rule of a step's settings."""
    value = settings["personal_information"]
    return None if value is None else PersonalInformation.model_validate(value)
