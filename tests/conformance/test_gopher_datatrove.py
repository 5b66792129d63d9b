"""datatrove 0.10.1's Gopher and FineWeb filters: no difference with the same words.

With spaCy's words, how often they agree.

Remaining differences are listed in docs/filters.md.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.filters import REASONS, FilterSpec, FineWeb, GopherDatatrove
from pipeline.filters import verdicts
from pipeline.text.normalise import text_buffers
from pipeline.text.signals import compute
from tests.conformance.c4_documents import documents, run_peer
from tests.conformance.odd_documents import ODD

# On all documents the peer takes minutes.
pytestmark = [pytest.mark.corpora, pytest.mark.conformance, pytest.mark.timeout(7200)]

# datatrove's reasons in our words.
GOPHER = {
    "kept": "kept",
    "dup_para_frac": "gopher_repeated_paragraphs",
    "dup_para_char_frac": "gopher_repeated_paragraph_characters",
    "dup_line_frac": "gopher_repeated_lines",
    "dup_line_char_frac": "gopher_repeated_line_characters",
    **{f"top_{n}_gram": "gopher_top_ngrams" for n in range(2, 5)},
    **{f"duplicated_{n}_n_grams": "gopher_repeated_ngrams" for n in range(5, 11)},
    "gopher_short_doc": "gopher_words",
    "gopher_long_doc": "gopher_words",
    "gopher_below_avg_threshold": "gopher_mean_word_length",
    "gopher_above_avg_threshold": "gopher_mean_word_length",
    "gopher_too_many_hashes": "gopher_hash_symbols",
    "gopher_too_many_ellipsis": "gopher_ellipses",
    "gopher_too_many_bullets": "gopher_bullet_lines",
    "gopher_too_many_end_ellipsis": "gopher_ellipsis_lines",
    "gopher_below_alpha_threshold": "gopher_letter_words",
    "gopher_enough_stop_words": "gopher_stop_words",
}
FINEWEB = {
    "kept": "kept",
    "empty": "fineweb_punctuated_lines",
    "line_punct_ratio": "fineweb_punctuated_lines",
    "short_line_ratio": "fineweb_short_lines",
    "char_dup_ratio": "fineweb_repeated_line_characters",
    "list_ratio": "fineweb_newlines",
}
VARIANTS: dict[str, tuple[FilterSpec, dict[str, str]]] = {
    "gopher": (GopherDatatrove(), GOPHER),
    "fineweb": (FineWeb(), FINEWEB),
}


def reasons(signals: pa.RecordBatch, section: FilterSpec) -> list[str]:
    return [REASONS[code] for code in verdicts(signals, filters=[section]).codes]


def test_with_the_same_words_every_decision_and_reason_is_datatroves(tmp_path: Path) -> None:
    texts = [*documents(sample_mb=1), *ODD]
    theirs = run_peer("datatrove", "datatrove_gopher.py", [{"text": text} for text in texts], tmp_path, "whitespace")
    signals = compute(*text_buffers(pa.array(texts, pa.large_string())), separate=False).signals
    assert signals["separated_words"].to_pylist() == [row["words"] for row in theirs]
    for name, (section, names) in VARIANTS.items():
        wanted, found = [names[row[name]] for row in theirs], reasons(signals, section)
        different = Counter((ours, other) for ours, other in zip(found, wanted, strict=True) if ours != other)
        print(
            f"{name}: {len(texts)} documents, {sum(map(len, texts)) / 1e6:.1f} million characters, different"
            f" {dict(different)}"
        )
        assert not different
        assert len(set(wanted)) > 2


def test_with_spacys_words_nearly_every_decision_is_datatroves(tmp_path: Path) -> None:
    texts = documents(sample_mb=0.6)
    theirs = run_peer("datatrove", "datatrove_gopher.py", [{"text": text} for text in texts], tmp_path, "spacy")
    signals = compute(*text_buffers(pa.array(texts, pa.large_string()))).signals
    words, spacys = signals["separated_words"].to_numpy(), np.array([row["words"] for row in theirs])
    print(f"words: ours {words.sum()}, spaCy's {spacys.sum()}, documents with as many {(words == spacys).mean():.4f}")
    assert abs(words.sum() / spacys.sum() - 1) < 0.005
    for name, (section, names) in VARIANTS.items():
        wanted, found = [names[row[name]] for row in theirs], reasons(signals, section)
        decisions = sum((ours == "kept") != (other == "kept") for ours, other in zip(found, wanted, strict=True))
        different = Counter((ours, other) for ours, other in zip(found, wanted, strict=True) if ours != other)
        print(f"{name}: {len(texts)} documents, {decisions} other decisions, other reasons {different.most_common()}")
        # docs/filters.md names what differs.
        assert decisions <= 1 + 0.001 * len(texts)
