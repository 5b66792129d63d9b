"""Why a document is dropped: the complete, ordered list. Its index is the code in decisions files; codes are never reused or moved."""

from __future__ import annotations

KEPT = "kept"

REASONS = (
    KEPT,
    "language",
    "gopher_words",
    "gopher_mean_word_length",
    "gopher_hash_symbols",
    "gopher_ellipses",
    "gopher_bullet_lines",
    "gopher_ellipsis_lines",
    "gopher_letter_words",
    "gopher_stop_words",
    "gopher_repeated_lines",
    "gopher_repeated_paragraphs",
    "gopher_repeated_line_characters",
    "gopher_repeated_paragraph_characters",
    "gopher_top_ngrams",
    "gopher_repeated_ngrams",
    "personal_information_site",
    "exact_duplicate",
    "near_duplicate",
)


def code_of(reason: str) -> int:
    """The code of a reason."""
    return REASONS.index(reason)
