"""The first passage that differs: words as signatures have them, and both texts put together again from the passage."""

from __future__ import annotations

from itertools import takewhile

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.decide.duplicates.report.passages import SAME_WORDS, WORD, first_difference
from tests.property.test_signatures import in_these_scripts, reference_words
from tests.property.texts import texts, thorough

few_words = st.lists(st.sampled_from("a b C c d e, f. the".split()), max_size=30).map(" ".join)


def words(text: str) -> list[str]:
    return ["".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in match[0]) for match in WORD.finditer(text)]


@thorough
@given(st.one_of(texts.map("\n".join), in_these_scripts))
@example("小明在iPhone手机上，读了3本书。 กินข้าว का हि É")
def test_words_are_those_of_signatures(text: str) -> None:
    assert words(text) == reference_words(text)


@thorough
@given(few_words, few_words)
def test_a_passage_is_where_two_texts_part_and_meet(kept: str, gone: str) -> None:
    one, other = words(kept), words(gone)
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
    found = first_difference(kept, gone)
    if one == other:
        assert found is None
        return
    assert found is not None
    assert found.word == same + 1
    assert found.ends
    rests = []
    for text, excerpt in ((one, found.kept), (other, found.gone)):
        before, differs, after = words(excerpt.before), words(excerpt.differs), words(excerpt.after)
        assert before == text[max(0, same - 12) : same]
        assert differs == text[same : same + len(differs)]
        assert excerpt.left_out == 0
        rest = text[same + len(differs) :]
        assert after == rest[:12]
        rests.append(rest)
    mine, theirs = rests
    assert words(found.kept.differs) or words(found.gone.differs)
    assert mine[:SAME_WORDS] == theirs[:SAME_WORDS]
    assert mine == theirs or min(len(mine), len(theirs)) >= SAME_WORDS


@thorough
@given(few_words, few_words)
def test_the_other_way_round(kept: str, gone: str) -> None:
    """Where they part does not depend on which of them stays."""
    found, turned = first_difference(kept, gone), first_difference(gone, kept)
    assert (found is None) == (turned is None)
    if found is not None and turned is not None:
        assert (found.word, found.kept.before) == (turned.word, turned.gone.before)
