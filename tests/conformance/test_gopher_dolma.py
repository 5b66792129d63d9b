"""dolma 1.2.1's `gopher_v2` attributes from our stored signals: no difference on any document."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from manifests.filters import GopherDolma
from pipeline.filters import verdicts
from pipeline.text.normalise import text_buffers
from pipeline.text.signals import compute_signals
from tests.conformance.c4_documents import documents, run_peer
from tests.conformance.odd_documents import ODD

# On all documents the peer takes minutes.
pytestmark = [pytest.mark.corpora, pytest.mark.conformance, pytest.mark.timeout(7200)]

# Each attribute, and the signal or share of signals that it is.
ATTRIBUTES: dict[str, tuple[str, str | None]] = {
    "character_count": ("characters", None),
    "word_count": ("words", None),
    "median_word_length": ("twice_median_word_length", None),
    "symbol_to_word_ratio": ("symbol_words", "words"),
    "fraction_of_words_with_alpha_character": ("letter_words", "words"),
    "required_word_count": ("stop_words", None),
    "fraction_of_lines_starting_with_bullet_point": ("raw_bullet_lines", "raw_lines"),
    "fraction_of_lines_ending_with_ellipsis": ("raw_ellipsis_lines", "raw_lines"),
    "fraction_of_duplicate_lines": ("raw_copied_lines", "raw_lines"),
    "fraction_of_characters_in_duplicate_lines": ("raw_copied_line_characters", "word_characters"),
    **{
        f"fraction_of_characters_in_most_common_{n}grams": (f"frequent_{n}gram_characters", "word_characters")
        for n in range(2, 5)
    },
    **{
        f"fraction_of_characters_in_duplicate_{n}grams": (f"copied_{n}gram_characters", f"all_{n}gram_characters")
        for n in range(5, 11)
    },
}
# dolma's own names for what our thresholds bound: (least, most) of each, from the thresholds.
BOUNDS: dict[str, tuple[str | None, str | None]] = {
    "word_count": ("min_words", "max_words"),
    "median_word_length": ("min_median_word_length", "max_median_word_length"),
    "symbol_to_word_ratio": (None, "max_symbol_words"),
    "fraction_of_words_with_alpha_character": ("min_letter_words", None),
    "required_word_count": ("min_stop_words", None),
    "fraction_of_lines_starting_with_bullet_point": (None, "max_bullet_lines"),
    "fraction_of_lines_ending_with_ellipsis": (None, "max_ellipsis_lines"),
    "fraction_of_duplicate_lines": (None, "max_copied_lines"),
    "fraction_of_characters_in_duplicate_lines": (None, "max_copied_line_characters"),
    **{f"fraction_of_characters_in_most_common_{n}grams": (None, f"max_top_{n}gram") for n in range(2, 5)},
    **{f"fraction_of_characters_in_duplicate_{n}grams": (None, f"max_copied_{n}gram") for n in range(5, 11)},
}


def share(signals: pa.RecordBatch, attribute: str) -> npt.NDArray[np.float64]:
    signal, of = ATTRIBUTES[attribute]
    value: npt.NDArray[np.float64] = signals[signal].to_numpy().astype(np.float64)
    if attribute == "median_word_length":
        return value / 2
    return value if of is None else value / np.maximum(signals[of].to_numpy(), 1)


def test_every_attribute_and_decision_is_dolmas(tmp_path: Path) -> None:
    texts = [*documents(sample_mb=2), *ODD]
    theirs = run_peer("dolma", "dolma_gopher.py", [{"text": text} for text in texts], tmp_path)
    signals = compute_signals(*text_buffers(pa.array(texts, pa.large_string())))
    thresholds = GopherDolma()
    kept = np.ones(len(texts), np.bool_)
    differences = {}
    for attribute, (least, most) in BOUNDS.items():
        # An attribute without n-grams to count is left out.
        wanted = np.array([row.get(attribute, 0.0) for row in theirs])
        found = share(signals, attribute)
        differences[attribute] = int((np.abs(found - wanted) > 1e-6 * np.maximum(np.abs(wanted), 1e-6)).sum())
        kept &= wanted >= (getattr(thresholds, least) if least else -np.inf)
        kept &= wanted <= (getattr(thresholds, most) if most else np.inf)
        assert len(np.unique(wanted)) > 1, f"{attribute} is the same everywhere and proves nothing"
    differences["character_count"] = int(
        (share(signals, "character_count") != [row["character_count"] for row in theirs]).sum()
    )
    ours = verdicts(signals, filters=[thresholds]).codes == 0
    print(
        f"{len(texts)} documents, {sum(map(len, texts)) / 1e6:.1f} million characters, kept {kept.sum()}, differences"
        f" {differences}"
    )
    assert not any(differences.values()), differences
    assert (ours == kept).all()
    assert 0 < kept.sum() < len(kept)
