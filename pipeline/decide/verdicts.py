"""What one part's signals say about its documents, before duplicates are looked for.

In: a signals part, the thresholds of the manifest, the sites to drop. Out: one reason code per row (uint8, 0 is kept), the first that
applies in the order block lists, language, filter rules, site; and the lines that filters remove from kept documents. Recomputed wherever
it is needed: it costs milliseconds and no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from manifests.corpus import Languages, PersonalInformation
from manifests.errors import GristmillError
from manifests.filters import C4, FilterSpec, RefinedWebLines
from pipeline.filters import Verdicts, verdicts
from pipeline.filters.line_rules import COLUMN
from pipeline.filters.reasons import code_of
from pipeline.schemas import ipc_names, read_ipc

Reasons = npt.NDArray[np.uint8]


def filter_reasons(signals: pa.Table, *, filters: Sequence[FilterSpec], languages: Languages) -> Verdicts:
    """Reason codes by language and by the filters, uint8[n], and the lines that filters remove."""
    reasons, removed = verdicts(signals, filters=filters)
    if languages.keep != "all":
        wanted = pc.and_(
            pc.is_in(signals["language"].cast(pa.string()), value_set=pa.array(sorted(languages.keep))),
            pc.greater_equal(signals["language_score"], np.float32(languages.min_score)),
        )
        reasons = np.where(wanted.to_numpy(zero_copy_only=False), reasons, np.uint8(code_of("language"))).astype(np.uint8)
    return Verdicts(reasons, removed)


def read_signals(path: str, *, filters: Sequence[FilterSpec]) -> pa.Table:
    """A signals part; its lines, which are most of its bytes, only where a filter looks at them.

    Raises:
        GristmillError: a filter looks at lines and the part has none.
    """
    wanted = any(isinstance(section, C4 | RefinedWebLines) for section in filters)
    names = ipc_names(path)
    if wanted and COLUMN not in names:
        raise GristmillError("the filters look at lines, which extract did not store", where=path, remedy="run `gristmill extract` again")
    return read_ipc(path, columns=[name for name in names if wanted or name != COLUMN])


def document_reasons(reasons: Reasons, signals: pa.Table, rule: PersonalInformation | None) -> Reasons:
    """Marks what is left of the documents with more personal information than the rule allows; other reasons stay."""
    if rule is None or rule.max_spans_per_document is None:
        return reasons
    hit = spans_of(signals, rule) > rule.max_spans_per_document
    return np.where((reasons == 0) & hit, np.uint8(code_of("personal_information_document")), reasons).astype(np.uint8)


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
