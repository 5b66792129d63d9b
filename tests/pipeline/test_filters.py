"""Filter variants: every bound at its edge, the order of rules, and the codes that decisions files hold."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from manifests.corpus import FilterVariant
from manifests.errors import GristmillError
from pipeline.filters import rules_of, verdicts
from pipeline.filters.gopher_paper import RULES
from pipeline.filters.reasons import REASONS, code_of
from pipeline.signals import SIGNALS, compute_signals
from tests.property.texts import buffers

# A document that passes: round numbers, so that shares are easy to set.
GOOD = dict.fromkeys(SIGNALS.names, 0) | {
    "characters": 6_000,
    "word_characters": 5_000,
    "letter_characters": 4_900,
    "words": 1_000,
    "letter_words": 950,
    "stop_words": 300,
    "distinct_stop_words": 7,
    "lines": 100,
    "paragraphs": 20,
}


def reasons_of(*changes: dict[str, int]) -> list[str]:
    signals = pa.Table.from_pylist([GOOD | change for change in changes], schema=SIGNALS)
    return [REASONS[code] for code in verdicts(signals, variant="gopher-paper")]


def test_a_good_document_is_kept() -> None:
    assert reasons_of({}) == ["kept"]


@pytest.mark.parametrize(
    ("reason", "passes", "fails"),
    [
        ("gopher_words", {"words": 50, "word_characters": 250, "letter_words": 50}, {"words": 49, "word_characters": 250}),
        ("gopher_words", {"words": 100_000, "word_characters": 500_000, "letter_words": 100_000}, {"words": 100_001}),
        ("gopher_mean_word_length", {"word_characters": 3_000}, {"word_characters": 2_999}),
        ("gopher_mean_word_length", {"word_characters": 10_000}, {"word_characters": 10_001}),
        ("gopher_hash_symbols", {"hash_symbols": 100}, {"hash_symbols": 101}),
        ("gopher_ellipses", {"ellipses": 100}, {"ellipses": 101}),
        ("gopher_bullet_lines", {"bullet_lines": 90}, {"bullet_lines": 91}),
        ("gopher_ellipsis_lines", {"ellipsis_lines": 30}, {"ellipsis_lines": 31}),
        ("gopher_letter_words", {"letter_words": 800}, {"letter_words": 799}),
        ("gopher_stop_words", {"distinct_stop_words": 2}, {"distinct_stop_words": 1}),
        ("gopher_repeated_lines", {"repeated_lines": 30}, {"repeated_lines": 31}),
        ("gopher_repeated_paragraphs", {"repeated_paragraphs": 6}, {"repeated_paragraphs": 7}),
        ("gopher_repeated_line_characters", {"repeated_line_characters": 1_000}, {"repeated_line_characters": 1_001}),
        ("gopher_repeated_paragraph_characters", {"repeated_paragraph_characters": 1_000}, {"repeated_paragraph_characters": 1_001}),
        ("gopher_top_ngrams", {"top_2gram_characters": 1_000}, {"top_2gram_characters": 1_001}),
        ("gopher_top_ngrams", {"top_3gram_characters": 900}, {"top_3gram_characters": 901}),
        ("gopher_top_ngrams", {"top_4gram_characters": 800}, {"top_4gram_characters": 801}),
        ("gopher_repeated_ngrams", {"repeated_5gram_characters": 750}, {"repeated_5gram_characters": 751}),
        ("gopher_repeated_ngrams", {"repeated_6gram_characters": 700}, {"repeated_6gram_characters": 701}),
        ("gopher_repeated_ngrams", {"repeated_7gram_characters": 650}, {"repeated_7gram_characters": 651}),
        ("gopher_repeated_ngrams", {"repeated_8gram_characters": 600}, {"repeated_8gram_characters": 601}),
        ("gopher_repeated_ngrams", {"repeated_9gram_characters": 550}, {"repeated_9gram_characters": 551}),
        ("gopher_repeated_ngrams", {"repeated_10gram_characters": 500}, {"repeated_10gram_characters": 501}),
    ],
)
def test_each_bound_at_its_edge(reason: str, passes: dict[str, int], fails: dict[str, int]) -> None:
    assert reasons_of(passes, fails) == ["kept", reason]


def test_the_first_failing_rule_gives_the_reason() -> None:
    worst = {"words": 10, "word_characters": 10, "hash_symbols": 10, "repeated_lines": 100}
    assert reasons_of(worst, worst | {"words": 60}) == ["gopher_words", "gopher_mean_word_length"]


def test_a_document_without_words_fails_and_divides_by_nothing() -> None:
    with np.errstate(all="raise"):
        assert reasons_of(dict.fromkeys(SIGNALS.names, 0)) == ["gopher_words"]


def test_rules_come_in_the_order_of_their_codes() -> None:
    codes = [code_of(rule.reason) for rule in RULES]
    assert codes == sorted(set(codes))
    assert all(
        rule.says and {name for bound in rule.bounds for name in (bound.signal, bound.of)} - {None} <= set(SIGNALS.names) for rule in RULES
    )


def test_codes_in_old_files_keep_their_meaning() -> None:
    """Append reasons; never move or rename one."""
    assert REASONS[:19] == (
        "kept",
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
    assert len(set(REASONS)) == len(REASONS) <= 256


def test_none_keeps_everything_and_every_variant_of_manifests_exists() -> None:
    signals = compute_signals(*buffers(["", "x", "# # #"]))
    assert verdicts(signals, variant="none").tolist() == [0, 0, 0]
    for variant in get_args(FilterVariant):
        assert len(verdicts(signals, variant=variant)) == 3
    with pytest.raises(GristmillError, match="unknown filter variant"):
        rules_of("gopher")


def test_texts_end_to_end() -> None:
    prose = "It was the best of times and it was the worst of times, that is to say times like ours. "
    essay = (
        "A mill that stands by the river needs water, and water needs rain. When the wet months come late, the miller looks to his wheel "
        "and waits. He has grain in the loft, sacks that mice would like to have, and neighbours with carts at the gate. Some bring "
        "barley; others bring rye, oats or wheat from fields beyond the hill.\n\nNobody talks of machines here. Stones turn slowly, flour "
        "falls warm between them, dust lies on every beam. To be patient is half of this trade."
    )
    foreign = " ".join(["zwölf Boxkämpfer jagen Viktor quer", *(f"Wort{number}" for number in range(60))])
    texts = [essay, prose * 20, "short text", foreign]
    codes = verdicts(compute_signals(*buffers(texts)), variant="gopher-paper")
    assert [REASONS[code] for code in codes] == ["kept", "gopher_top_ngrams", "gopher_words", "gopher_stop_words"]
