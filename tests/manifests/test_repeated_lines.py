"""`dedup.lines` of a corpus manifest: names, sections, published options, and what errors say."""

from __future__ import annotations

import pytest

from manifests.base import validate
from manifests.corpus import Dedup
from manifests.errors import GristmillError
from manifests.repeated_lines import C4Lines, CCNetLines


def test_lines_are_not_compared_by_default() -> None:
    assert Dedup().lines is None
    assert Dedup.model_validate({"lines": None}).lines is None


def test_a_name_is_its_section_with_the_published_options() -> None:
    ccnet, c4 = (Dedup.model_validate({"lines": name}).lines for name in ("ccnet", "c4"))
    assert ccnet == CCNetLines() == Dedup.model_validate({"lines": {"rule": "ccnet"}}).lines
    assert c4 == C4Lines()
    # cc_net/mine.py: 50 of 1,600 shards, all copies go; TFDS c4_utils.py: one page keeps a line, three sentences.
    assert (CCNetLines().groups, CCNetLines().keep, CCNetLines().min_sentences) == (1_600 // 50, "none", 0)
    assert (C4Lines().groups, C4Lines().keep, C4Lines().min_sentences) == (1, "hash", 3)


def test_normalisations() -> None:
    assert [rule.normalisation for rule in (CCNetLines(), CCNetLines(normalise="paper"), C4Lines())] == [
        "ccnet",
        "ccnet-paper",
        "c4",
    ]


def test_written_and_read_again() -> None:
    dedup = Dedup.model_validate({"minhash": None, "lines": {"rule": "c4", "unit": "paragraph", "keep": "best"}})
    assert Dedup.model_validate_json(dedup.model_dump_json()) == dedup


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("cnet", "'ccnet', 'c4'"),
        ({"rule": "c4", "group": 2}, "did you mean `groups`?"),
        ({"rule": "c4", "normalise": "paper"}, "unknown key"),
        ({"rule": "ccnet", "keep": "first"}, "'none', 'hash' or 'best'"),
        ({"rule": "ccnet", "groups": 0}, "greater than or equal to 1"),
        ({"rule": "ccnet", "min_words": 5_000}, "less than or equal to 1000"),
    ],
)
def test_errors_name_the_key_and_what_is_valid(given: object, said: str) -> None:
    with pytest.raises(GristmillError) as raised:
        validate({"lines": given}, Dedup, where="corpus.yaml")
    assert said in str(raised.value)
