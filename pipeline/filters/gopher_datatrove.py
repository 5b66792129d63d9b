"""Filter variant `gopher-datatrove`: Gopher's rules as datatrove 0.10.1 reads them, repetition before quality, as
FineWeb applies them.

Source: datatrove/pipeline/filters/gopher_repetition_filter.py and gopher_quality_filter.py; thresholds
(`manifests.filters.GopherDatatrove`) are its defaults. datatrove uses spaCy's words; here they are the separated words
of `pipeline.text.signals`, which approximate them.
"""

from __future__ import annotations

from manifests.filters import GopherDatatrove
from pipeline.filters.rules import Bound, Rule, rule


def rules(thresholds: GopherDatatrove) -> tuple[Rule, ...]:
    """The rules in the order of datatrove's two filters: a document gets the reason of the first one that it fails."""
    return (
        # gopher_repetition_filter.py, GopherRepetitionFilter.filter
        rule(
            "gopher_repeated_paragraphs",
            "at most 30 % of paragraphs are repeats",
            Bound("raw_repeated_paragraphs", "raw_paragraphs", most=thresholds.max_repeated_paragraphs),
        ),
        rule(
            "gopher_repeated_paragraph_characters",
            "at most 20 % of characters are in repeated paragraphs",
            Bound("raw_repeated_paragraph_characters", "characters", most=thresholds.max_repeated_paragraph_characters),
        ),
        rule(
            "gopher_repeated_lines",
            "at most 30 % of lines are repeats",
            Bound("raw_repeated_lines", "raw_lines", most=thresholds.max_repeated_lines),
        ),
        rule(
            "gopher_repeated_line_characters",
            "at most 20 % of characters are in repeated lines",
            Bound("raw_repeated_line_characters", "characters", most=thresholds.max_repeated_line_characters),
        ),
        rule(
            "gopher_top_ngrams",
            "at most 20, 18, 16 % of characters are in the most frequent 2-, 3-, 4-gram of words",
            Bound("separated_top_2gram_characters", "characters", most=thresholds.max_top_2gram),
            Bound("separated_top_3gram_characters", "characters", most=thresholds.max_top_3gram),
            Bound("separated_top_4gram_characters", "characters", most=thresholds.max_top_4gram),
        ),
        rule(
            "gopher_repeated_ngrams",
            "at most 15, 14, 13, 12, 11, 10 % of characters are in repeated 5- to 10-grams of words",
            Bound("separated_repeated_5gram_characters", "characters", most=thresholds.max_repeated_5gram),
            Bound("separated_repeated_6gram_characters", "characters", most=thresholds.max_repeated_6gram),
            Bound("separated_repeated_7gram_characters", "characters", most=thresholds.max_repeated_7gram),
            Bound("separated_repeated_8gram_characters", "characters", most=thresholds.max_repeated_8gram),
            Bound("separated_repeated_9gram_characters", "characters", most=thresholds.max_repeated_9gram),
            Bound("separated_repeated_10gram_characters", "characters", most=thresholds.max_repeated_10gram),
        ),
        # gopher_quality_filter.py, GopherQualityFilter.filter
        rule(
            "gopher_words",
            "50 to 100,000 words that are not all punctuation",
            Bound("plain_words", least=thresholds.min_words, most=thresholds.max_words),
        ),
        rule(
            "gopher_mean_word_length",
            "these words have 3 to 10 characters on average",
            Bound(
                "plain_word_characters",
                "plain_words",
                least=thresholds.min_mean_word_length,
                most=thresholds.max_mean_word_length,
            ),
        ),
        rule(
            "gopher_hash_symbols",
            "at most one # to ten words",
            Bound("hash_symbols", "separated_words", most=thresholds.max_hash_symbols_per_word),
        ),
        rule(
            "gopher_ellipses",
            "at most one ellipsis to ten words",
            Bound("ellipses", "separated_words", most=thresholds.max_ellipses_per_word),
        ),
        rule(
            "gopher_bullet_lines",
            "at most 90 % of lines begin with • or -",
            Bound("split_bullet_lines", "split_lines", most=thresholds.max_bullet_lines),
        ),
        rule(
            "gopher_ellipsis_lines",
            "at most 30 % of lines end with an ellipsis",
            Bound("split_ellipsis_lines", "split_lines", most=thresholds.max_ellipsis_lines),
        ),
        rule(
            "gopher_letter_words",
            "at least 80 % of words have a letter",
            Bound("separated_letter_words", "separated_words", least=thresholds.min_letter_words),
        ),
        rule(
            "gopher_stop_words",
            "at least two different ones of the eight stop words",
            Bound("separated_distinct_stop_words", least=thresholds.min_stop_words),
        ),
    )
