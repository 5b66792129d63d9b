"""Filter variant `fineweb`: the three document rules that FineWeb adds to Gopher's and C4's, and its rule on newlines.

Source: arXiv 2406.17557, section 3.6 (from "the heuristic filters": lines that end with punctuation, characters in
repeated lines, short lines), and datatrove 0.10.1, datatrove/pipeline/filters/fineweb_quality_filter.py, whose defaults
are the thresholds (`manifests.filters.FineWeb`). Blank lines do not count. Lines are compared including white space,
and white space at the end of a line hides its punctuation. The words of the last rule are the separated words, as for
`gopher-datatrove`.
"""

from __future__ import annotations

from manifests.filters import FineWeb
from pipeline.filters.rules import Bound, Rule, rule


def rules(thresholds: FineWeb) -> tuple[Rule, ...]:
    """The rules in datatrove's order: a document gets the reason of the first one that it fails.

    A document of white space alone fails the first rule.
    """
    return (
        rule(
            "fineweb_punctuated_lines",
            "at least 12 % of lines end with a mark that ends a sentence",
            Bound("terminal_lines", "lines", least=thresholds.min_punctuated_lines),
        ),
        rule(
            "fineweb_short_lines",
            "at most 67 % of lines have 30 characters or fewer",
            Bound("short_lines", "lines", most=thresholds.max_short_lines),
        ),
        rule(
            "fineweb_repeated_line_characters",
            "at most 1 % of characters are in repeated lines",
            Bound(
                "full_repeated_line_characters",
                "characters",
                without="newlines",
                most=thresholds.max_repeated_line_characters,
            ),
        ),
        rule(
            "fineweb_newlines",
            "at most three newlines to ten words",
            Bound("newlines", "separated_words", most=thresholds.max_newlines_per_word),
        ),
    )
