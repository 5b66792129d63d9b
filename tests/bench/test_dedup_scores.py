"""Counts, tables and the last line, on a corpus whose similarities are known."""

from __future__ import annotations

import json

import pytest

from bench.dedup_corpora import Corpus, Document, Family
from bench.dedup_ours import Outcome
from bench.dedup_quality import last_line
from bench.dedup_scores import (
    Score,
    case_shares,
    case_similarities,
    case_table,
    figures,
    lined_up,
    pooled,
    score,
    score_table,
)
from bench.dedup_truth import compare


def _words(*parts: range) -> str:
    """Distinct words: n of them have n - 4 shingles."""
    return " ".join(f"w{number}" for part in parts for number in part)


# 100 shingles; of the others the first 90, 80, 50 and none are the same, and they have no more.
WHOLE = Document("whole", _words(range(104)))
COPY = Document("copy", _words(range(104)))
J90 = Document("j90", _words(range(94)))
J80 = Document("j80", _words(range(84)))
J50 = Document("j50", _words(range(54)))
OTHER = Document("other", _words(range(500, 600)))
CORPUS = Corpus(
    "known",
    (WHOLE, COPY, J90, J80, J50, OTHER),
    (Family("case", ("whole", "copy", "j90")), Family("case", ("j80", "other")), Family("last", ("j50", "other"))),
)
TRUTH = compare([document.text for document in CORPUS.documents])


def _score(kept, **settings):
    return score(CORPUS, TRUTH, Outcome(kept, 1.5, **settings))


def test_what_is_known_of_the_corpus():
    found = dict(zip(map(tuple, TRUTH.pairs.tolist()), TRUTH.similarities.tolist(), strict=True))
    assert found == pytest.approx({
        (0, 1): 1, (0, 2): 0.9, (1, 2): 0.9, (0, 3): 0.8, (1, 3): 0.8, (2, 3): 80 / 90, (0, 4): 0.5, (1, 4): 0.5,
        (2, 4): 50 / 90, (3, 4): 50 / 80,
    })  # fmt: skip


def test_removals_by_similarity_to_the_copy_that_is_kept():
    one = _score({"copy": "whole", "j90": "whole", "j80": "whole", "j50": "whole", "other": "whole"})
    assert one.removals == (1, 0, 1, 0, 3)
    assert one.unanswered == 0
    assert (one.pairs, one.left) == ((0, 3, 2, 1), (0, 0, 0, 0))
    assert figures(one) == {
        "precision": 0.6, "wrong_below_half": 1, "pairs_left_above_0.8": 0.0, "documents": 6, "removed": 5, "cpu_s": 1.5,
    }  # fmt: skip


def test_a_removal_whose_kept_copy_goes_as_well_is_worth_nothing():
    one = _score({"copy": "whole", "j90": "copy"})
    assert one.unanswered == 1
    assert one.removals == (1, 0, 0, 0, 1)
    assert figures(one)["wrong_below_half"] == 1


def test_pairs_are_left_in_when_both_stay():
    one = _score({"copy": "whole"})
    # Of whole, j90 and j80 each pair is left.
    assert one.left == (0, 2, 1, 0)
    assert figures(one)["pairs_left_above_0.8"] == 0.5


def test_nothing_removed_and_nothing_to_remove():
    nothing = _score({})
    assert (figures(nothing)["precision"], figures(nothing)["pairs_left_above_0.8"]) == (None, 1.0)
    alone = Corpus("alone", (WHOLE, OTHER))
    found = score(alone, compare([WHOLE.text, OTHER.text]), Outcome({}, 0.0))
    assert figures(found)["pairs_left_above_0.8"] is None
    assert "-" in score_table({"tool": found})


def test_an_id_of_no_document_is_refused():
    with pytest.raises(SystemExit, match="'nobody'"):
        _score({"copy": "nobody"})


def test_scores_add_up():
    both = pooled([_score({"copy": "whole"}), _score({"other": "whole"})])
    assert both == Score(12, (1, 0, 0, 0, 1), 0, (0, 6, 4, 2), (0, 5, 3, 1), 3.0)


def test_planted_cases():
    assert case_shares(CORPUS, Outcome({"copy": "whole", "j90": "whole", "whole": "j80"}, 0.0)) == {
        "case": 2 / 3,
        "last": 0.0,
    }
    cases = case_similarities(CORPUS, TRUTH)
    assert cases["case"] == (2, pytest.approx((1 + 0.9 + 0) / 3))
    assert cases["last"] == (1, 0.0)
    assert case_table(cases, {"a tool": {"case": 0.5, "last": 1.0}}).splitlines() == [
        "share removed  families  mean J  a tool",
        "case                  2    0.63    0.50",
        "last                  1    0.00    1.00",
    ]


def test_tables_are_lined_up():
    assert lined_up([["a", "bc"], ["def", "g"]]) == "a    bc\ndef   g"
    lines = score_table({"one": _score({"copy": "whole"}), "another": _score({})}).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split()[:8] == ["one", "1", "1", "0", "0", "0", "0", "1.0000"]


def test_the_last_line():
    by_corpus = {
        "known": {"gristmill": _score({"copy": "whole"}), "peer": _score({"other": "whole"}), "lost": _score({})},
        "more": {"gristmill": _score({"other": "whole"}), "peer": _score({"other": "whole"})},
    }
    line = json.loads(json.dumps(last_line(by_corpus, {"lost": "no wheel"})))
    assert (line["precision"], line["wrong_below_half"], line["pairs_left_above_0.8"]) == (0.5, 1, 0.75)
    assert line["by_corpus"]["known"] == figures(_score({"copy": "whole"}))
    assert line["peers"]["peer"]["wrong_below_half"] == 2
    assert line["peers"]["peer"]["by_corpus"]["more"]["precision"] == 0.0
    assert line["peers"]["lost"] == {"unavailable": "no wheel"}
