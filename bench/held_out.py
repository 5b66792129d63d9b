"""Scores `adaptive` on pages that were not used to choose its parameters: `python bench/extraction.py --held-out`.

In: the gold pages with a full text. Out: F1 if each page is scored with the parameters that are best on the other half
of the sites.

Sites (registered domains) are halved by a hash; each half is scored with the parameters of the other. This is repeated
with other hashes, since choosing and measuring on 50 pages is noisy. All parameters are chosen together from a grid
that includes, for each parameter, the value that switches its rule off. Ties go to the choice with more rules switched
off, then to the first in the grid. The lists of element names were written by looking at these pages; they are not
chosen again, only kept or left out.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from publicsuffixlist import PublicSuffixList
from resiliparse.parse.html import HTMLTree

from pipeline.readers.web.html import (
    ENOUGH_IN_CONTAINER,
    LEAST_SHARE,
    LEAST_TEXT,
    MOST_TAGS_TO_ASK,
    TooComplex,
    html_to_text,
)
from pipeline.readers.web.html_container import LEAST_INSIDE, SHARE, paragraph_container
from pipeline.text.sites import site_of

REPEATS = 10
Shares = tuple[float, float, float]


class Rule(NamedTuple):
    """All that `adaptive` is made of: how the element is found, and when its text is enough.

    The defaults are those in use.
    """

    share: float = SHARE
    least_inside: float = LEAST_INSIDE
    named: bool = True
    least_share: float = LEAST_SHARE
    enough_text: float = ENOUGH_IN_CONTAINER
    most_tags: float = MOST_TAGS_TO_ASK


GRID: dict[str, tuple[Any, ...]] = {
    "share": (SHARE, 0.6, 0.65, 0.7, 0.75, 0.85, 0.9, 0.95),
    "least_inside": (LEAST_INSIDE, 0.0, 0.1, 0.3),
    "named": (True, False),
    "least_share": (LEAST_SHARE, 0.0, 0.3, 0.4, 0.6, 0.7),
    "enough_text": (ENOUGH_IN_CONTAINER, math.inf),
    "most_tags": (MOST_TAGS_TO_ASK, math.inf),
}
# What leaves a rule out; `share` cannot be left out.
OUT = Rule(math.nan, 0.0, False, 0.0, math.inf, math.inf)


def grid() -> list[Rule]:
    """All rules to choose from; the one in use is the first."""
    return [Rule(*values) for values in itertools.product(*GRID.values())]


def left_out(rule: Rule) -> int:
    """How many of its parts a rule does without."""
    return sum(value == out for value, out in zip(rule, OUT, strict=True))


def outcomes(
    pages: Sequence[tuple[str, str]], rules: Sequence[Rule], shares: Callable[[str, str], Shares]
) -> npt.NDArray[np.float64]:
    """float64[rules, pages, 3]: right, too many and too few on each page under each rule.

    Args:
        pages: HTML and gold text.
        shares: of gold text and found text.
    """
    found = np.empty((len(rules), len(pages), 3))
    for number, (html, gold) in enumerate(pages):
        plain, precise, tags = html_to_text(html), text_of(html, "trafilatura"), html.count("<")
        contained = _contained(html, rules)
        scored: dict[str, Shares] = {}
        for row, rule in enumerate(rules):
            text = _decide(rule, contained[rule[:3]], plain, precise, tags)
            if text not in scored:
                scored[text] = shares(gold, text)
            found[row, number] = scored[text]
    return found


def text_of(html: str, choice: str) -> str:
    """The page's text; empty where the page is refused."""
    try:
        return html_to_text(html, extraction=choice)  # type: ignore[arg-type]
    except TooComplex:
        return ""


def _contained(html: str, rules: Sequence[Rule]) -> dict[tuple[Any, ...], str]:
    """By the first three parameters, text of the element that they find; empty where they find none."""
    body = HTMLTree.parse(html).body
    texts: dict[tuple[Any, ...], str] = {}
    seen: dict[Any, str] = {}
    for key in {rule[:3]: None for rule in rules}:
        share, least_inside, named = key
        element = None
        if body is not None:
            element = paragraph_container(body, share=share, least_inside=least_inside, named=named)
        if element is not None and element not in seen:
            # As deep as `adaptive` puts it.
            seen[element] = html_to_text("<body>" + "<section>" * 4 + element.outer_html)
        texts[key] = "" if element is None else seen[element]
    return texts


def _decide(rule: Rule, text: str, plain: str, precise: str, tags: int) -> str:
    """As `pipeline.readers.web.html` decides."""
    kept = text if len(text) >= rule.enough_text or len(text) >= rule.least_share * len(plain) else ""
    if len(kept) >= LEAST_TEXT:
        return kept
    return max(precise if tags <= rule.most_tags else "", kept, key=len) or plain


def f1(found: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """F1 of the sums over pages: float64[...] of float64[..., pages, 3]."""
    right, many, few = np.moveaxis(found.sum(axis=-2), -1, 0)
    return np.asarray(right / np.maximum(right + (many + few) / 2, 1e-12))


def half(url: str, repeat: int) -> int:
    """Which half of the sites a page's belongs to, 0 or 1."""
    return hashlib.sha256(f"{repeat}\0{registered_domain(url) or url}".encode()).digest()[0] % 2


def registered_domain(url: str) -> str | None:
    """The registered domain of a URL, or None if it names no host; pages of one hoster belong together."""
    site = site_of(url)
    if site is None or site.startswith("[") or site.replace(".", "").isdigit():
        return site
    domain = _suffixes().privatesuffix(site)
    return str(domain) if domain else site


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def best(rules: Sequence[Rule], found: npt.NDArray[np.float64]) -> int:
    """The rule with the highest F1, to 1e-9; of equals the one with most parts left out, then the first."""
    scores = np.round(f1(found), 9)
    equal = np.flatnonzero(scores == scores.max()).tolist()
    return int(max(equal, key=lambda row: (left_out(rules[row]), -row)))


def nested(
    urls: Sequence[str], rules: Sequence[Rule], found: npt.NDArray[np.float64], *, repeats: int = REPEATS
) -> list[tuple[float, list[Rule]]]:
    """For each repeat, F1 over all pages, each under the rule that is best on the other half of the sites, and the two
    rules.
    """
    results = []
    for repeat in range(repeats):
        halves = np.array([half(url, repeat) for url in urls])
        held = np.empty(found.shape[1:])
        chosen = []
        for here in (0, 1):
            row = best(rules, found[:, halves != here])
            held[halves == here] = found[row, halves == here]
            chosen.append(rules[row])
        results.append((float(f1(held)), chosen))
    return results


def report(
    pages: Sequence[tuple[str, str, str]], shares: Callable[[str, str], Shares], *, repeats: int = REPEATS
) -> dict[str, Any]:
    """What `--held-out` prints, for pages of URL, HTML and gold text.

    Returns:
        `in_use`: F1 of the parameters in use; `best_in_sight`: of the best in the grid; `held_out`: F1 of each repeat;
        `mean`, `least`, `most` of them; `without`: by part of the rule, the mean when no rule may have that part, and
        F1 of the rule in use less that part; `chosen`: how often each value was chosen.
    """
    rules = grid()
    urls = [url for url, _, _ in pages]
    found = outcomes([(html, gold) for _, html, gold in pages], rules, shares)
    everything = nested(urls, rules, found, repeats=repeats)
    without = {}
    for place, name in enumerate(Rule._fields):
        if name == "share":
            continue
        rows = [row for row, rule in enumerate(rules) if rule[place] == OUT[place]]
        held = nested(urls, [rules[row] for row in rows], found[rows], repeats=repeats)
        less = f1(found[rules.index(rules[0]._replace(**{name: OUT[place]}))])
        without[name] = {
            "held_out": round(float(np.mean([score for score, _ in held])), 4),
            "in_use": round(float(less), 4),
        }
    scores = [round(score, 4) for score, _ in everything]
    picked = [rule for _, pair in everything for rule in pair]
    return {
        "in_use": round(float(f1(found[0])), 4),
        "best_in_sight": round(float(f1(found).max()), 4),
        "held_out": scores,
        "mean": round(float(np.mean(scores)), 4),
        "least": min(scores),
        "most": max(scores),
        "without": without,
        "chosen": {
            name: {str(value): sum(rule[place] == value for rule in picked) for value in GRID[name]}
            for place, name in enumerate(Rule._fields)
        },
    }
