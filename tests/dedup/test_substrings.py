"""Repeated runs of real text: what goes is what a suffix array says, token by token."""

from __future__ import annotations

import gzip
import hashlib
import json
import random

import numpy as np
import pytest

from tests.paths import SHARED
from tests.property.repeated_tokens import Corpus, Places, Text, find, order_of

TOKENS = 50
pydivsufsort = pytest.importorskip("pydivsufsort", reason="pydivsufsort is not installed: it is in the extra `dev`")


def suffix_array(corpus: Corpus) -> Places:
    """The definition of `dedup.substrings` by the longest common prefixes of neighbours in a suffix array.

    Between texts stand tokens that stand nowhere else, so that no common prefix goes over the end of a text.
    """
    order = order_of(corpus)
    ranked = sorted(order, key=order.__getitem__)
    texts = [corpus[shard][row].tokens for shard, row in ranked]
    stream = np.array([token for number, text in enumerate(texts) for token in (*text, 100_000 + number)], np.uint32)
    lengths = np.array([len(text) + 1 for text in texts])
    array = pydivsufsort.divsufsort(stream)
    common = pydivsufsort.kasai(stream, array)[:-1]  # with the next
    group = np.concatenate([[0], np.cumsum(common < TOKENS)])
    # Texts stand in their order, so that the smallest place in the stream is the first occurrence.
    first = np.full(group[-1] + 1, len(stream))
    np.minimum.at(first, group, array)
    first = first[group]
    document = np.repeat(np.arange(len(texts)), lengths)
    repeated = (array != first) & ((document[array] != document[first]) | (array >= first + TOKENS))
    gone = np.zeros(len(stream) + TOKENS, np.int64)
    np.add.at(gone, array[repeated], 1)
    np.add.at(gone, array[repeated] + TOKENS, -1)
    mask = np.cumsum(gone)[: len(stream)] > 0
    ends = np.cumsum(lengths)
    return {
        place: set(np.flatnonzero(mask[end - length : end]).tolist())
        for place, end, length in zip(ranked, ends.tolist(), lengths.tolist(), strict=True)
    }


def real_texts(name: str, *, one_in: int) -> Corpus:
    """Documents of a development corpus in Llama 2's tokens, dealt out to shards of two priorities."""
    assert SHARED is not None
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor()
    model.LoadFromFile(str(SHARED / "corpora" / "models" / "llama2-tokenizer.model"))
    with gzip.open(SHARED / "corpora" / "neardup" / name, "rt") as file:
        rows = [json.loads(line)["text"] for line in file][::one_in]
    draw = random.Random(11)
    corpus: Corpus = [[] for _ in range(5)]
    for text, tokens in zip(rows, model.EncodeAsIds(rows), strict=True):
        shard = draw.randrange(5)
        identity = int.from_bytes(hashlib.md5(text.encode()).digest(), "big")
        corpus[shard].append(Text(tuple(tokens), identity, shard % 2))
    return corpus


@pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project")
@pytest.mark.parametrize(
    ("name", "one_in"),
    [
        ("license-texts.jsonl.gz", 20),
        ("bible-versions.jsonl.gz", 20),
        pytest.param("license-texts.jsonl.gz", 1, marks=[pytest.mark.corpora, pytest.mark.slow]),
        pytest.param("bible-versions.jsonl.gz", 1, marks=[pytest.mark.corpora, pytest.mark.slow]),
    ],
)
def test_what_goes_is_what_a_suffix_array_says(name, one_in) -> None:
    corpus = real_texts(name, one_in=one_in)
    expected = suffix_array(corpus)
    found = find(corpus, n=TOKENS, share=0.2, partitions=7)
    assert sum(map(len, expected.values())) > 500
    assert found.tokens == expected
    assert find(corpus, n=TOKENS, share=0.2, partitions=2, hot=True).tokens == expected


def test_the_reference_itself() -> None:
    """On a text whose repeats one can see."""
    notice = tuple(range(3, 63))
    corpus = [[Text((1, 1, *notice), 5), Text((*notice, 2), 6)], [Text((*notice, 9, 9, 9, *notice), 7, 1)]]
    assert suffix_array(corpus) == {
        (0, 0): set(),
        (0, 1): set(range(60)),
        (1, 0): {*range(60), *range(63, 123)},
    }
