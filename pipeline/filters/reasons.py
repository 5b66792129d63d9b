"""Why a document is dropped: the complete, ordered list. Its index is the code in decisions files; codes are never reused or moved.

Variants of one rule share a reason: `gopher_words` says that a document failed the words rule of whichever Gopher variant the manifest
names. New reasons go to the end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Reasons = npt.NDArray[np.uint8]
"""Codes of documents."""

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
    "blocked_site",
    "blocked_url",
    "blocked_word",
    "no_lines_left",
    "c4_page_length",
    "c4_lorem_ipsum",
    "c4_brace",
    "c4_sentences",
    "c4_long_lines",
    "refinedweb_removed_words",
    "ccnet_page_length",
    "ccnet_perplexity",
    "bad_words",
    "fineweb_punctuated_lines",
    "fineweb_short_lines",
    "fineweb_repeated_line_characters",
    "fineweb_newlines",
    "gopher_median_word_length",
    "gopher_symbol_words",
    "personal_information_document",
)


def code_of(reason: str) -> int:
    """The code of a reason."""
    return REASONS.index(reason)
