"""n-gram models for tests, as dictionaries and as ARPA files, and a slow reference for their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

# n-gram to logarithm (base 10) of its probability, and its backoff.
NGrams = dict[tuple[str, ...], tuple[float, float]]


def arpa(ngrams: NGrams, *, order: int) -> str:
    """The ARPA file of a model; backoffs of 0 are left out, as they may be."""
    lines = ["\\data\\"]
    sections = [
        [(words, *of) for words, of in ngrams.items() if len(words) == length] for length in range(1, order + 1)
    ]
    lines += [f"ngram {length}={len(section)}" for length, section in enumerate(sections, start=1)]
    for length, section in enumerate(sections, start=1):
        lines += ["", f"\\{length}-grams:"]
        for words, probability, backoff in section:
            lines.append(f"{probability}\t{' '.join(words)}" + (f"\t{backoff}" if backoff and length < order else ""))
    return "\n".join([*lines, "", "\\end\\", ""])


def slow_score(ngrams: Mapping[tuple[str, ...], tuple[float, float]], words: Sequence[str], *, order: int) -> float:
    """The logarithm of a sentence's probability, by the definition of backoff (Katz 1987), in KenLM's float32."""
    known = [word if (word,) in ngrams else "<unk>" for word in words]
    sentence = ["<s>", *known, "</s>"]
    total = np.float32(0)
    for at in range(1, len(sentence)):
        total += _slow(ngrams, tuple(sentence[max(0, at + 1 - order) : at]), sentence[at])
    return float(total)


def _slow(ngrams: Mapping[tuple[str, ...], tuple[float, float]], context: tuple[str, ...], word: str) -> np.float32:
    found = ngrams.get((*context, word))
    if found is not None:
        return np.float32(found[0])
    if not context:
        return np.float32(-100)
    return np.float32(ngrams.get(context, (0.0, 0.0))[1]) + _slow(ngrams, context[1:], word)
