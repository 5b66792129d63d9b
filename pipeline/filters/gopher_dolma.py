"""Filter variant `gopher-dolma`: Gopher's rules on the attributes of dolma 1.2.1's tagger `gopher_v2`.

Source: dolma/taggers/gopher.py for what is measured; thresholds (`manifests.filters.GopherDolma`) are those of the
Gopher rules in dolma's configurations of its own mixes. A document fails if one of dolma's attributes crosses its
threshold; dolma has no order of rules and no reasons. dolma's measures differ from the wording of the paper: all copies
of a repeat count, word length is judged by the median, and words with `…` and words with # are counted in one ratio.
"""

from __future__ import annotations

from manifests.filters import GopherDolma
from pipeline.filters.rules import Bound, Rule, rule


def rules(thresholds: GopherDolma) -> tuple[Rule, ...]:
    """The rules in the order of the paper: a document gets the reason of the first one that it fails."""
    return (
        rule(
            "gopher_words", "50 to 100,000 words", Bound("words", least=thresholds.min_words, most=thresholds.max_words)
        ),
        rule(
            "gopher_median_word_length",
            "half of the words have at least 3, half at most 10 characters",
            Bound(
                "twice_median_word_length",
                least=2 * thresholds.min_median_word_length,
                most=2 * thresholds.max_median_word_length,
            ),
        ),
        rule(
            "gopher_symbol_words",
            "at most one word in ten holds # or …",
            Bound("symbol_words", "words", most=thresholds.max_symbol_words),
        ),
        rule(
            "gopher_bullet_lines",
            "at most 90 % of lines begin with * or -",
            Bound("raw_bullet_lines", "raw_lines", most=thresholds.max_bullet_lines),
        ),
        rule(
            "gopher_ellipsis_lines",
            "at most 30 % of lines end with …",
            Bound("raw_ellipsis_lines", "raw_lines", most=thresholds.max_ellipsis_lines),
        ),
        rule(
            "gopher_letter_words",
            "at least 80 % of words have a letter",
            Bound("letter_words", "words", least=thresholds.min_letter_words),
        ),
        rule(
            "gopher_stop_words",
            "at least two of the stop words, or one twice",
            Bound("stop_words", least=thresholds.min_stop_words),
        ),
        rule(
            "gopher_repeated_lines",
            "at most 30 % of lines have a copy",
            Bound("raw_copied_lines", "raw_lines", most=thresholds.max_copied_lines),
        ),
        rule(
            "gopher_repeated_line_characters",
            "lines that have a copy hold at most 30 % as many characters as all words",
            Bound("raw_copied_line_characters", "word_characters", most=thresholds.max_copied_line_characters),
        ),
        rule(
            "gopher_top_ngrams",
            "at most 20, 18, 16 % of characters are in the most frequent 2-, 3-, 4-gram of words",
            Bound("frequent_2gram_characters", "word_characters", most=thresholds.max_top_2gram),
            Bound("frequent_3gram_characters", "word_characters", most=thresholds.max_top_3gram),
            Bound("frequent_4gram_characters", "word_characters", most=thresholds.max_top_4gram),
        ),
        rule(
            "gopher_repeated_ngrams",
            "5- to 10-grams that have a copy hold at most 15, 14, 13, 12, 11, 10 % of the characters of all",
            Bound("copied_5gram_characters", "all_5gram_characters", most=thresholds.max_copied_5gram),
            Bound("copied_6gram_characters", "all_6gram_characters", most=thresholds.max_copied_6gram),
            Bound("copied_7gram_characters", "all_7gram_characters", most=thresholds.max_copied_7gram),
            Bound("copied_8gram_characters", "all_8gram_characters", most=thresholds.max_copied_8gram),
            Bound("copied_9gram_characters", "all_9gram_characters", most=thresholds.max_copied_9gram),
            Bound("copied_10gram_characters", "all_10gram_characters", most=thresholds.max_copied_10gram),
        ),
    )
