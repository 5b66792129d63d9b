"""Filter variants: every bound at its edge, the order of rules, and the codes in decisions files."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest

from manifests.errors import GristmillError
from manifests.filters import C4, REASONS, FilterSpec, GopherPaper, Variant
from pipeline.filters import reasons_of as variant_reasons
from pipeline.filters import rules_of, verdicts
from pipeline.filters.reasons import code_of
from pipeline.text.signal_columns import LINES_PACKED
from pipeline.text.signals import SIGNALS, compute_signals
from pipeline.text.words.line import (
    APOSTROPHE,
    BRACE,
    COUNTER,
    ELLIPSIS,
    END_MARK,
    JAVASCRIPT,
    LONG_LINE,
    LONG_WORD,
    LOREM_IPSUM,
    LOST_SHIFT,
    NAVIGATION,
    NUMERIC,
    POLICY,
    SENTENCES_SHIFT,
    UPPER,
)  # fmt: skip
from pipeline.tokenize.kept_text import cleaning_of
from tests.property.texts import buffers
from tests.sections import filters_from

# A document that passes: round numbers, so that shares are easy to set.
GOOD: dict[str, Any] = dict.fromkeys(SIGNALS.names, 0) | {
    "lines_packed": [],
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


def reasons_of(*changes: dict[str, Any]) -> list[str]:
    signals = pa.Table.from_pylist([GOOD | change for change in changes], schema=SIGNALS)
    return [REASONS[code] for code in codes_of(signals, "gopher-paper")]


def descendants(kind: type[Variant]) -> set[type[Variant]]:
    return {kind}.union(*(descendants(child) for child in kind.__subclasses__())) - {Variant}


def codes_of(signals: pa.Table | pa.RecordBatch, *filters: str | dict[str, object]) -> list[int]:
    return verdicts(signals, filters=filters_from(list(filters))).codes.tolist()


def test_a_good_document_is_kept() -> None:
    assert reasons_of({}) == ["kept"]


@pytest.mark.parametrize(
    ("reason", "passes", "fails"),
    [
        (
            "gopher_words",
            {"words": 50, "word_characters": 250, "letter_words": 50},
            {"words": 49, "word_characters": 250},
        ),
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
        (
            "gopher_repeated_paragraph_characters",
            {"repeated_paragraph_characters": 1_000},
            {"repeated_paragraph_characters": 1_001},
        ),
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
        assert reasons_of(dict.fromkeys(SIGNALS.names, 0) | {"lines_packed": []}) == ["gopher_words"]


def test_rules_come_in_the_order_of_their_codes() -> None:
    rules = rules_of(GopherPaper())
    assert rules is not None
    codes = [code_of(rule.reason) for rule in rules]
    assert codes == sorted(set(codes))
    assert all(
        rule.says
        and {name for bound in rule.bounds for name in (bound.signal, bound.of)} - {None} <= set(SIGNALS.names)
        for rule in rules
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


def test_none_keeps_everything() -> None:
    signals = compute_signals(*buffers(["", "x", "# # #"]))
    assert codes_of(signals) == codes_of(signals, "none") == [0, 0, 0]


def test_thresholds_of_the_manifest_hold() -> None:
    signals = compute_signals(*buffers(["to be or to have", "to be"]))
    loose = {
        "variant": "gopher-paper",
        "min_words": 3,
        "min_mean_word_length": 1,
        "max_repeated_lines": 1,
        "max_top_2gram": 1,
    }
    assert [REASONS[code] for code in codes_of(signals, loose)] == ["kept", "gopher_words"]
    assert [REASONS[code] for code in codes_of(signals, loose | {"min_words": 6})] == ["gopher_words"] * 2


# A line that passes every test of C4 and RefinedWeb, and what is wrong with others.
FINE = 6 | 1 << SENTENCES_SHIFT | END_MARK
SHORT = 4 | 1 << SENTENCES_SHIFT | END_MARK
OPEN = 9 | 1 << SENTENCES_SHIFT


def lined(*documents: list[int], **columns: list[object]) -> pa.Table:
    table = pa.table(
        {
            "lines_packed": pa.array(documents, LINES_PACKED.type),
            "characters": pa.array([1_000] * len(documents), pa.int32()),
        }
    )
    for name, values in columns.items():
        index = table.schema.names.index(name) if name in table.schema.names else table.num_columns
        table = table.remove_column(index) if index < table.num_columns else table
        table = table.append_column(name, pa.array(values))
    return table


def judged(table: pa.Table, *filters: str | dict[str, object]) -> tuple[list[str], list[bool] | None]:
    codes, removed = verdicts(table, filters=filters_from(list(filters)))
    return [REASONS[code] for code in codes], None if removed is None else removed.tolist()


def test_c4_removes_lines_and_counts_the_sentences_of_the_others() -> None:
    table = lined(
        [FINE, OPEN, SHORT, FINE, FINE], [FINE, FINE, OPEN], [], [FINE | LONG_WORD, *[FINE | POLICY] * 2, *[FINE] * 3]
    )
    reasons, removed = judged(table, "c4-tfds")
    assert reasons == ["kept", "c4_sentences", "c4_sentences", "kept"]
    assert removed == [False, True, True, False, False, False, False, True, True, True, True, False, False, False]


def test_c4_looks_for_lorem_ipsum_and_braces_only_in_lines_that_came_so_far() -> None:
    good = [FINE] * 3
    table = lined(
        [*good, OPEN | LOREM_IPSUM], [*good, FINE | LOREM_IPSUM], [*good, SHORT | BRACE], [*good, FINE | BRACE],
        [*good, FINE | BRACE | JAVASCRIPT], [*good, FINE | LOREM_IPSUM | JAVASCRIPT], [*good, FINE | BRACE | POLICY],
        [*good, FINE | BRACE, FINE | LOREM_IPSUM],
    )  # fmt: skip
    wanted = ["kept", "c4_lorem_ipsum", "kept", "c4_brace", "kept", "c4_lorem_ipsum", "c4_brace", "c4_brace"]
    assert judged(table, "c4-tfds")[0] == wanted
    assert judged(table, {"variant": "c4-tfds", "brace": False, "lorem_ipsum": False})[0] == ["kept"] * 8


def test_the_two_variants_of_c4_differ_where_their_sources_do() -> None:
    apostrophe, three_words = 6 | 1 << SENTENCES_SHIFT | APOSTROPHE, 3 | 1 << SENTENCES_SHIFT | END_MARK
    citation = 2 | 1 << LOST_SHIFT | 1 << SENTENCES_SHIFT | END_MARK
    table = lined([apostrophe] * 5, [three_words] * 5, [citation] * 5, [FINE] * 3, [FINE] * 5)
    assert judged(table, "c4-tfds")[0] == ["c4_sentences"] * 3 + ["kept"] * 2
    assert judged(table, "c4-arxiv-v1")[0] == ["kept"] * 3 + ["c4_sentences", "kept"]
    assert judged(table, {"variant": "c4-arxiv-v1", "min_sentences": 3})[0] == ["kept"] * 5
    dots = FINE | ELLIPSIS
    assert judged(lined([dots] * 5), "c4-arxiv-v1")[0] == ["c4_sentences"]
    assert judged(lined([dots] * 5), {"variant": "c4-arxiv-v1", "end_mark": False})[0] == ["kept"]


def test_c4_page_length_long_lines_and_nothing_left() -> None:
    table = lined([FINE] * 3, [FINE] * 3, [FINE | LONG_LINE] * 3, characters=[190_000, 190_001, 700])
    assert judged(table, "c4-tfds")[0] == ["kept", "c4_page_length", "kept"]
    assert judged(table, {"variant": "c4-tfds", "min_long_lines": 3})[0] == ["c4_long_lines", "c4_page_length", "kept"]
    assert judged(lined([OPEN], []), {"variant": "c4-tfds", "min_sentences": 0})[0] == ["no_lines_left"] * 2


def test_refinedweb_drops_a_document_when_corrections_take_more_than_five_percent_of_its_words() -> None:
    hundred = [20] * 5
    table = lined(
        [*hundred, 5 | UPPER], [*hundred, 6 | UPPER], [*hundred, 2 | NUMERIC, 1, 2 | COUNTER], [*hundred, 5 | NAVIGATION, 1],
        [1], [20 | UPPER],
    )  # fmt: skip
    reasons, removed = judged(table, "refinedweb-lines")
    assert (
        reasons
        == ["kept", "refinedweb_removed_words", "kept", "refinedweb_removed_words"] + ["refinedweb_removed_words"] * 2
    )
    assert removed is not None
    assert sum(removed) == 9
    assert (
        judged(table, {"variant": "refinedweb-lines", "max_removed_words": 1.0})[0]
        == ["kept"] * 4 + ["no_lines_left"] * 2
    )
    keep_all = {"variant": "refinedweb-lines", "upper": False, "numeric": False, "counter": False, "navigation": False}
    assert judged(table, keep_all | {"min_words_per_line": 0}) == (["kept"] * 6, [False] * len(removed))


def test_in_a_list_the_first_failing_variant_gives_the_reason_and_lines_go_once() -> None:
    table = lined([FINE, FINE, OPEN, 30 | UPPER], [FINE])
    assert judged(table, "c4-tfds", "refinedweb-lines")[0] == ["c4_sentences"] * 2
    more = {"variant": "c4-tfds", "min_sentences": 1}
    # The line in capitals has no end mark: C4 takes it, and RefinedWeb, which comes later, never counts its words.
    assert judged(table, more, "refinedweb-lines") == (["kept"] * 2, [False, False, True, True, False])
    assert judged(table, "refinedweb-lines", more)[0] == ["refinedweb_removed_words", "kept"]


def test_ccnet_page_length_and_terciles() -> None:
    table = lined(*[[FINE]] * 6, characters=[300, 299, 400, 400, 400, 400]).append_column(
        "language", pa.array(["en", "en", "en", "en", "de", "xx"]).dictionary_encode()
    )
    assert judged(table, "ccnet") == (["kept", "ccnet_page_length", *["kept"] * 4], None)
    terciles = {"variant": "ccnet", "terciles": {"en": [100.0, 200.0], "any": [10.0, 20.0]}}
    with pytest.raises(GristmillError, match="no perplexity"):
        judged(table, terciles)
    table = table.append_column("perplexity", pa.array([99.5, 1.0, 200.0, None, 20.0, 19.5], pa.float32()))
    assert judged(table, terciles)[0] == [
        "kept",
        "ccnet_page_length",
        "ccnet_perplexity",
        "kept",
        "ccnet_perplexity",
        "kept",
    ]
    assert judged(table, terciles | {"keep": ["tail"]})[0] == [
        "ccnet_perplexity",
        "ccnet_page_length",
        "kept",
        "kept",
        "kept",
        "ccnet_perplexity",
    ]


def test_bad_words_drop_pages_but_for_a_share_chosen_by_id() -> None:
    ids = [number.to_bytes(8, "big") + (number * 2**64 // 1000).to_bytes(8, "big") for number in range(1000)]
    table = pa.table({"bad_words": pa.array([1] * 1000, pa.int32()), "id": pa.array(ids, pa.binary(16))})
    assert judged(table.slice(0, 1), "bad-words") == (["bad_words"], None)
    assert judged(table, {"variant": "bad-words", "max_bad_words": 1})[0] == ["kept"] * 1000
    assert judged(table, {"variant": "bad-words", "keep_share": 0.1})[0] == ["kept"] * 100 + ["bad_words"] * 900
    with pytest.raises(GristmillError, match="did not store"):
        judged(table.drop_columns("bad_words"), "bad-words")


def test_texts_end_to_end() -> None:
    prose = "It was the best of times and it was the worst of times, that is to say times like ours. "
    essay = (
        "A mill that stands by the river needs water, and water needs rain. When the wet months come late, the miller"
        " looks to his wheel and waits. He has grain in the loft, sacks that mice would like to have, and neighbours"
        " with carts at the gate. Some bring barley; others bring rye, oats or wheat from fields beyond the"
        " hill.\n\nNobody talks of machines here. Stones turn slowly, flour falls warm between them, dust lies on every"
        " beam. To be patient is half of this trade."
    )
    foreign = " ".join(["zwölf Boxkämpfer jagen Viktor quer", *(f"Wort{number}" for number in range(60))])
    texts = [essay, prose * 20, "short text", foreign]
    codes = codes_of(compute_signals(*buffers(texts)), "gopher-paper")
    assert [REASONS[code] for code in codes] == ["kept", "gopher_top_ngrams", "gopher_words", "gopher_stop_words"]


@pytest.mark.parametrize(
    "variant", sorted(kind.model_fields["variant"].default for kind in get_args(get_args(FilterSpec)[0]))
)
def test_each_variant_has_its_place_everywhere(variant: str) -> None:
    """A variant that is left out of one place would end every worker, or let removed lines into the shards."""
    (section,) = filters_from([{"variant": variant}])
    reasons = variant_reasons(section)
    assert reasons
    assert set(reasons) <= set(REASONS)
    assert section.looks_at_lines == (cleaning_of([section]) is not None)
    measured = {
        name
        for rule in rules_of(section) or ()
        for bound in rule.bounds
        for name in (bound.signal, bound.of, bound.without)
    }
    assert measured <= {None, *SIGNALS.names}


def test_each_section_can_be_named() -> None:
    """One that is in no union is not known to any manifest."""
    named = set(get_args(get_args(FilterSpec)[0]))
    assert {
        section for section in descendants(Variant) if "variant" in section.__annotations__ and section is not C4
    } == named
