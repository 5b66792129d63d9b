"""Filter variant `gopher-paper`: the document rules of Gopher (Rae et al. 2021, arXiv 2112.11446, section A.1.1 and
table A1).

Thresholds are the paper's (`manifests.filters.GopherPaper`). What the paper leaves open (what counts as a word, a
bullet, a repeat) is defined in `pipeline.text.signals`. Other implementations of these rules define it differently, so
their decisions differ. The rules on stop words, word length and letters are made for English: give sources in other
languages `filters: none`.
"""

from __future__ import annotations

from manifests.filters import GopherPaper
from pipeline.filters.rules import Bound, Rule, rule


def rules(thresholds: GopherPaper) -> tuple[Rule, ...]:
    """The rules in the order of the paper: a document gets the reason of the first one that it fails."""
    return (
        rule(
            "gopher_words", "50 to 100,000 words", Bound("words", least=thresholds.min_words, most=thresholds.max_words)
        ),
        rule(
            "gopher_mean_word_length",
            "words of 3 to 10 characters on average",
            Bound(
                "word_characters", "words", least=thresholds.min_mean_word_length, most=thresholds.max_mean_word_length
            ),
        ),
        rule(
            "gopher_hash_symbols",
            "at most one # to ten words",
            Bound("hash_symbols", "words", most=thresholds.max_hash_symbols_per_word),
        ),
        rule(
            "gopher_ellipses",
            "at most one ellipsis to ten words",
            Bound("ellipses", "words", most=thresholds.max_ellipses_per_word),
        ),
        rule(
            "gopher_bullet_lines",
            "at most 90 % of lines begin with a bullet",
            Bound("bullet_lines", "lines", most=thresholds.max_bullet_lines),
        ),
        rule(
            "gopher_ellipsis_lines",
            "at most 30 % of lines end with an ellipsis",
            Bound("ellipsis_lines", "lines", most=thresholds.max_ellipsis_lines),
        ),
        rule(
            "gopher_letter_words",
            "at least 80 % of words have a letter",
            Bound("letter_words", "words", least=thresholds.min_letter_words),
        ),
        rule(
            "gopher_stop_words",
            "at least two different ones of the eight stop words",
            Bound("distinct_stop_words", least=thresholds.min_stop_words),
        ),
        rule(
            "gopher_repeated_lines",
            "at most 30 % of lines are repeats",
            Bound("repeated_lines", "lines", most=thresholds.max_repeated_lines),
        ),
        rule(
            "gopher_repeated_paragraphs",
            "at most 30 % of paragraphs are repeats",
            Bound("repeated_paragraphs", "paragraphs", most=thresholds.max_repeated_paragraphs),
        ),
        rule(
            "gopher_repeated_line_characters",
            "at most 20 % of characters are in repeated lines",
            Bound("repeated_line_characters", "word_characters", most=thresholds.max_repeated_line_characters),
        ),
        rule(
            "gopher_repeated_paragraph_characters",
            "at most 20 % of characters are in repeated paragraphs",
            Bound(
                "repeated_paragraph_characters", "word_characters", most=thresholds.max_repeated_paragraph_characters
            ),
        ),
        rule(
            "gopher_top_ngrams",
            "at most 20, 18, 16 % of characters are in the most frequent 2-, 3-, 4-gram of words",
            Bound("top_2gram_characters", "word_characters", most=thresholds.max_top_2gram),
            Bound("top_3gram_characters", "word_characters", most=thresholds.max_top_3gram),
            Bound("top_4gram_characters", "word_characters", most=thresholds.max_top_4gram),
        ),
        rule(
            "gopher_repeated_ngrams",
            "at most 15, 14, 13, 12, 11, 10 % of characters are in repeated 5- to 10-grams of words",
            Bound("repeated_5gram_characters", "word_characters", most=thresholds.max_repeated_5gram),
            Bound("repeated_6gram_characters", "word_characters", most=thresholds.max_repeated_6gram),
            Bound("repeated_7gram_characters", "word_characters", most=thresholds.max_repeated_7gram),
            Bound("repeated_8gram_characters", "word_characters", most=thresholds.max_repeated_8gram),
            Bound("repeated_9gram_characters", "word_characters", most=thresholds.max_repeated_9gram),
            Bound("repeated_10gram_characters", "word_characters", most=thresholds.max_repeated_10gram),
        ),
    )
