"""Cost grows with size, whatever the bytes: hostile inputs that grow by factors of 2, 4 and 8 (`tests.growth`).

For the layers between readers and shards. Cases were chosen by hand from what the loops of these layers read; `python
-m bench.growth` tries more. The cost of some once grew faster than their size.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests import layers
from tests.growth import Limits, check_growth, measure
from tests.hostile import halves, late, run

pytestmark = pytest.mark.hostile

TEXTS = {
    "letters": run("a"),
    "digits": run("1"),
    "spaces": run(" "),
    "line feeds": run("\n"),
    "carriage returns": run("\r"),
    "one word a line": run("a\n"),
    "words that differ": lambda size: " ".join(map(str, range(size // 6))),
    "lines that differ": lambda size: "\n".join(map(str, range(size // 6))),
    "the same words": run("word "),
    "marks": run("a\u0301"),
    "marks without a letter": run("\u0301"),
    "marks out of order": run("\u0301\u0327"),
    "Hangul letters": run("\u1100\u1161"),
    "joined emoji": run("\U0001f468\u200d"),
    "mojibake": run("â€œ"),
    "mojibake in long words": run("Ã©a"),
    "mojibake twice": run("ÃƒÂ©"),
    "capital sigma": run("Σ'"),
    "dots": run("."),
    "ellipses": run("…"),
    "sentences of one letter": run("A. "),
    "quotes": run('"a" '),
    "brackets": halves("[", "]"),
    "citations": run("[1]"),
    "open citations": run("[1"),
    "byte order marks": run("\ufeff"),
    "spaces at the end": late("word", " " * 1000),
}
# Those that loops of every layer have to do with; normalising and signals look at characters, words and lines in more
# ways.
FEW = (
    "letters", "spaces", "line feeds", "words that differ", "marks", "mojibake", "dots", "quotes", "brackets", "open citations",
    "spaces at the end",
)  # fmt: skip
# Language identification looks at a thousand characters, whatever the size.
TEXT_LAYERS = {
    "normalising": tuple(TEXTS), "signals": tuple(TEXTS), "cleaning": FEW, "line hashes": FEW, "bad words": FEW, "perplexity": FEW, "factual": FEW, "encoding": FEW,
    "encoding, reference": FEW,
}  # fmt: skip
URLS = {
    "dots": run("a."),
    "letters": run("a"),
    "slashes": run("/"),
    "questions": run("a?"),
    "users": run("a@"),
    "schemes": run("http://"),
    "words": run("a/b-"),
    "other letters": run("ä."),
    "brackets": run("["),
}


@pytest.mark.parametrize("layer", TEXT_LAYERS)
def test_texts(layer):
    take = layers.ready(layer)
    # SentencePiece merges the pieces of a run without spaces by way of a heap.
    limits = Limits(most=1 << 18, more=1.5 if layer == "encoding, reference" else 1.0)
    wrong = {
        name: measure(make, take, start=1 << 12, limits=limits)
        for name, make in TEXTS.items()
        if name in TEXT_LAYERS[layer]
    }
    assert not {name: told for name, told in wrong.items() if told}


@pytest.mark.parametrize("layer", ["site", "block list"])
def test_urls(layer):
    take = layers.ready(layer)
    wrong = {name: measure(make, take, start=1 << 10, limits=Limits()) for name, make in URLS.items()}
    assert not {name: told for name, told in wrong.items() if told}


def path(count: int) -> np.ndarray:
    """A chain: each row beside the next."""
    return np.stack([np.arange(count - 1), np.arange(1, count)], axis=1).astype(np.uint64)


def backwards(count: int) -> np.ndarray:
    """A chain whose smallest row comes last."""
    return (count - path(count)).astype(np.uint64)


def zigzag(count: int) -> np.ndarray:
    """A chain whose rows are small and large in turn: half of them are smaller than both their neighbours."""
    rows = np.empty(count, np.uint64)
    rows[0::2], rows[1::2] = np.arange(len(rows[0::2])), count + np.arange(len(rows[1::2]))
    return np.stack([rows[:-1], rows[1:]], axis=1)


def star(count: int) -> np.ndarray:
    """One row beside all others, and larger than they."""
    return np.stack([np.full(count, count), np.arange(count)], axis=1).astype(np.uint64)


# Rows that are sorted and jumped among cost two to three times as much each where they leave the processor's caches:
# 512 to 4,096 of them fit, whatever the machine's speed.
ROWS = Limits(least_s=0, most=1 << 9)


@pytest.mark.parametrize("edges", [path, backwards, zigzag, star])
def test_the_choice(edges: Callable[[int], np.ndarray]):
    from dedup.choice import join_known, settle

    def decide(made: np.ndarray) -> object:
        """The larger row is preferred: a path is a chain of versions."""
        preferred, others = made.max(axis=1), made.min(axis=1)
        return settle(preferred, others, first=np.setdiff1d(preferred, others), known=join_known([]))

    check_growth(edges, often(decide), start=ROWS.most, limits=ROWS)


def often(take: Callable[[Any], object]) -> Callable[[Any], object]:
    """256 calls, so that few rows take long enough to be measured."""
    return lambda made: [take(made) for _ in range(256)]


def follow(edges: np.ndarray) -> None:
    """Row by row along the chain."""
    parent = np.arange(len(edges) + 1)
    left, right = edges.T.astype(np.int64)
    while (parent[left] != parent[right]).any():
        parent[right] = np.minimum(parent[left], parent[right])


@pytest.mark.parametrize(
    "take", [follow, often(lambda edges: (edges[:, :1] == edges[:, 1]).sum())], ids=["a chain followed", "all pairs"]
)
def test_a_square_over_few_rows_is_found(take):
    told = measure(path, take, start=ROWS.most, limits=replace(ROWS, cpu_s=3))
    assert told is not None
    assert "times the CPU seconds" in told or "more than 3 CPU seconds" in told


@pytest.mark.parametrize("keys", [np.zeros, np.arange], ids=["all documents in one bucket", "each in its own"])
def test_buckets(keys):
    from dedup.buckets import run_keys, shared_keys

    def make(count):
        return keys(count).astype(np.uint64).reshape(-1, 1), np.arange(count, dtype=np.uint64)[::-1]

    def find(made):
        run = run_keys(*made)
        return shared_keys([(run.keys, run.counts)])

    check_growth(make, often(find), start=ROWS.most, limits=ROWS)


def test_the_harness_finds_a_square():
    def square(text):
        return sum(1 for i in range(len(text)) for _ in range(0, len(text), 64))

    told = measure(run("a"), square, start=64, limits=Limits(least_s=0.0001, cpu_s=200))
    assert told is not None
    assert "times the input costs" in told


def test_the_harness_ends_what_would_never_end():
    import re

    began = time.process_time()
    told = measure(run("a"), lambda text: re.fullmatch(r"(?:a|a)*b", text), start=4, limits=Limits(cpu_s=1))
    assert told is not None
    assert time.process_time() - began < 1


def test_the_harness_lets_pass_what_is_linear():
    assert measure(run("a"), lambda text: [ord(letter) for letter in text], start=1 << 10, limits=Limits()) is None
