"""Counts of bad words against plain Python, and the reading of lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.characters import WORD, classes
from manifests.corpus import BadWords, CorpusManifest
from manifests.errors import GristmillError
from pipeline.text.bad_word_lists import bad_words_settings, count_bad_words, load_matcher, make_matcher
from tests.property.texts import any_text, buffers, thorough


def slow_count(text: str, phrases: set[str], *, spaced: bool) -> int:
    """Every end of every phrase, looked at one by one."""
    word = classes() & WORD
    # A list of ASCII phrases is looked for without putting other letters into small ones.
    ascii_only = all(phrase.isascii() for phrase in phrases)
    small = "".join(letter.lower() if letter.isascii() or not ascii_only else letter for letter in text)
    count = 0
    for end in range(1, len(small) + 1):
        for phrase in phrases:
            start = end - len(phrase)
            if start < 0 or small[start:end] != phrase:
                continue
            touched = (start > 0 and word[ord(small[start - 1])]) or (end < len(small) and word[ord(small[end])])
            if not spaced or not touched:
                count += 1
                break
    return count


def counted(texts: list[str], words: list[str], language: str = "en") -> list[int]:
    matcher = make_matcher("\n".join(words).encode(), language=language, where="list")
    data, offsets = buffers(["xx", *texts])
    return count_bad_words(data, offsets[1:], [language] * len(texts), {language: matcher}).tolist()


phrase = st.lists(
    st.sampled_from(["a", "b", "ab", " ", "-", "$", ".", "*", "[", "\\", "\0", "é", "ж", "中"]), min_size=1, max_size=4
).map("".join)
pieces = [
    "a",
    "A",
    "b",
    "ab",
    "AB",
    " ",
    "\n",
    "-",
    "$",
    ".",
    "*",
    "[",
    "\\",
    "\0",
    "é",
    "É",
    "ж",
    "Ж",
    "中",
    "_",
    "٣",
    "𝔸",
    "\u0301",
]
text = st.lists(st.one_of(st.sampled_from(pieces), any_text), max_size=12)


@given(st.lists(phrase, min_size=1, max_size=5), st.lists(text.map("".join), max_size=4), st.sampled_from(["en", "ja"]))
@thorough
def test_counts_against_plain_python(words: list[str], texts: list[str], language: str) -> None:
    phrases = {word.strip() for word in words} - {""}
    if phrases:
        wanted = [slow_count(given_text, phrases, spaced=language == "en") for given_text in texts]
        assert counted(texts, words, language) == wanted


def test_phrases_stand_between_characters_that_are_no_word_characters() -> None:
    words = ["Darn", "big darn deal", "da$n", "ärger"]
    texts = [
        "Darn!",
        "DARN darn, (darn)",
        "darning undarn darn_",
        "a big darn deal",
        "da$n da$na",
        "ÄRGER und Ärgernis",
        "",
    ]
    assert counted(texts, words) == [1, 3, 0, 2, 1, 1, 0]


def test_phrases_too_long_for_one_expression() -> None:
    start = "word " * 4_000
    texts = [f"{start}one, {start}two", f"{start}once", start, f"x{start}one", f"word {start}one", "WORD one"]
    assert counted(texts, [f"{start}one", f"{start}two", "one"]) == [2, 0, 0, 1, 1, 1]
    assert counted([f"É{start}one"], [f"é{start}one", "ж"]) == [1]
    assert counted([f"x{start}one{start}two"], [f"{start}one", f"{start}two"], "ja") == [2]


def test_a_list_of_many_words() -> None:
    words = [f"w{number:x}" for number in range(20_000)]
    assert counted([" ".join(words[::7]), "w w4e20 w4e1f"], words) == [len(words[::7]), 1]


def test_languages_without_spaces_and_what_lists_may_not_hold() -> None:
    assert counted(["これは悪い言葉です"], ["悪い"], "ja") == [1]
    assert counted(["これは悪い言葉です"], ["悪い"], "en") == [0]
    assert counted(["グロ悪い"], ["グロ", "悪い"], "ja") == [1]


def test_each_document_is_looked_through_with_the_list_of_its_language() -> None:
    matchers = {
        language: make_matcher(word.encode(), language=language, where="w")
        for language, word in (("en", "darn"), ("de", "mist"))
    }
    data, offsets = buffers(["darn mist mist"] * 3)
    assert count_bad_words(data, offsets, ["en", "de", "fr"], matchers).tolist() == [1, 2, 0]
    both = matchers | {"any": make_matcher(b"darn\nmist\n", language="any", where="w")}
    assert count_bad_words(data, offsets, ["en", "de", "fr"], both).tolist() == [1, 2, 3]


def test_lists_are_read_once_and_change_settings_with_their_contents(tmp_path) -> None:
    path = tmp_path / "en"
    path.write_text("\ufeffDarn\n\n darn \nheck\r\n", encoding="utf-8")
    bad_words = BadWords(lists={"en": str(path)})
    before = bad_words_settings(bad_words)
    assert before is not None
    matcher = load_matcher(str(path), "en", before["en"])
    assert load_matcher(str(path), "en", before["en"]) is matcher
    assert len(matcher.phrases) == 2
    path.write_text("heck\n", encoding="utf-8")
    assert bad_words_settings(bad_words) != before
    assert bad_words_settings(None) is None


@pytest.mark.parametrize(("data", "message"), [(b"", "no word"), (b"\n \n", "no word"), (b"\xff\xfe", "not UTF-8")])
def test_broken_lists(data: bytes, message: str) -> None:
    with pytest.raises(GristmillError, match=message):
        make_matcher(data, language="en", where="list")


def test_the_filter_needs_a_list() -> None:
    given_manifest = {
        "name": "c",
        "sources": [{"name": "a", "format": "jsonl", "files": ["x"], "licence": "none"}],
        "tokenizer": {"model": "m"},
        "filters": ["bad-words"],
    }
    with pytest.raises(ValueError, match="needs `bad_words`"):
        CorpusManifest.model_validate(given_manifest)
    assert (
        CorpusManifest.model_validate(given_manifest | {"bad_words": {"lists": {"en": "x"}}}).filters[0].variant
        == "bad-words"
    )


def test_rows_of_a_slice() -> None:
    data, offsets = buffers(["darn", "fine", "darn darn"])
    matcher = make_matcher(b"darn", language="en", where="w")
    assert count_bad_words(data, offsets[1:], ["en", "en"], {"en": matcher}).tolist() == [0, 2]
    assert count_bad_words(data, offsets[:1], [], {"en": matcher}).dtype == np.int32
