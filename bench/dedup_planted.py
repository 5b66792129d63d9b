"""Documents of which it is known what was done to them: pages of one template, edited copies, truncated ones, and more.

In: texts of the development corpora as sources of words. Out: corpora with families. Whatever is drawn is drawn by a
hash of a family's name; passages are taken from their sources in turn, each word once.

- `templates`: families of 2 to 1,000 pages of 300 words, of which 50 to 90 % is the template's, half of it before and
  half of it behind the page's own words; pages differ by up to a quarter in how much they have of their own.
- `edits`: passages of 50, 200 and 1,000 words and one copy each: words replaced, inserted or deleted; cut to half; 58
  words of a site put behind or before it; its paragraphs in another order.
- `unspaced`: passages of 400 characters in Chinese, Japanese and Thai and one copy each, with letters replaced. There
  is little Japanese (one declaration, a manual, a dozen web pages) and Thai (one declaration, two chapters of a
  manual): as many pairs as they give.
"""

from __future__ import annotations

import gzip
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from fastwarc.warc import ArchiveIterator, WarcRecordType

from bench.dedup_corpora import (
    Corpus,
    Document,
    Family,
    Half,
    Scale,
    chosen,
    draws,
    half_of,
    in_order_of_hash,
    read_rows,
)

PAGE_WORDS = 300
FOOTER_WORDS = 58
# Pages of one site have one footer.
PAGES_OF_A_SITE = 8
PASSAGE_CHARACTERS = 400
PARAGRAPHS = {50: 4, 200: 9, 1000: 9}
EDIT_SHARES = (1, 3, 5, 10, 20, 30)
LETTER_SHARES = (1, 2, 5)
BOILERPLATE_SHARES = (50, 60, 70, 80, 90)
# Families a half and share of boilerplate, by the number of their pages; pairs a half and case, by their words.
_TEMPLATES: dict[Scale, dict[int, int]] = {"small": {2: 10, 10: 3, 100: 1}, "full": {2: 60, 10: 12, 100: 3, 1000: 1}}
_PAIRS: dict[Scale, dict[int, int]] = {"small": {50: 6, 200: 6, 1000: 3}, "full": {50: 40, 200: 40, 1000: 15}}
_LETTER_PAIRS: dict[Scale, int] = {"small": 8, "full": 40}
_PROSE = ("books/novels.jsonl.gz", "factual/sotu.jsonl.gz")
_VOCABULARY = 5_000

# By language: files, what a row's language or folder is called in them, and the letters of its script.
_HAN = (("\u4e00", "\u9fff"),)
_KANA = (*_HAN, ("\u3041", "\u3096"), ("\u30a1", "\u30fa"))
_THAI = (("\u0e01", "\u0e30"), ("\u0e32", "\u0e33"), ("\u0e40", "\u0e44"))
_PAGES = ("web/web-dev-00.warc.wet.gz", "web/web-dev-01.warc.wet.gz")
Script = tuple[tuple[str, str], ...]
SCRIPTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Script]] = {
    "zh": (("multilingual/quran.jsonl.gz",), ("zh",), _HAN),
    "ja": (("multilingual/gnome-help.jsonl.gz", "multilingual/udhr.jsonl.gz", *_PAGES), ("ja", "jpn"), _KANA),
    "th": (("multilingual/udhr.jsonl.gz", "factual/progit.jsonl.gz"), ("tha2", "th"), _THAI),
}
# A web page with fewer is no Japanese one.
_LEAST_KANA = 100


def templates(corpora: Path, *, half: Half, scale: Scale) -> Corpus:
    """The corpus `templates` of a half."""
    vocabulary = _vocabulary(_prose(corpora, half).values())
    documents, families = [], []
    for share in BOILERPLATE_SHARES:
        for size, count in _TEMPLATES[scale].items():
            for name in names_of(f"template {share} {size}", half=half, count=count):
                pages = template_pages(name, vocabulary, share=share, size=size)
                documents += pages
                families.append(Family(f"{share} % template, {size} pages", tuple(page.id for page in pages)))
    return Corpus("templates", in_order_of_hash(documents), tuple(families))


def template_pages(name: str, vocabulary: Sequence[str], *, share: int, size: int) -> list[Document]:
    """`size` pages of some `PAGE_WORDS` words, of which `share` % of those are the same on all."""
    frame = _drawn(name, PAGE_WORDS * share // 100, vocabulary)
    middle = len(frame) // 2
    pages = []
    for page in range(size):
        most = 1.25 * (PAGE_WORDS - len(frame))
        count = round(most * (0.6 + 0.4 * int(draws(f"{name} page {page} length", 1)[0]) / 2**64))
        own = _drawn(f"{name} page {page}", count, vocabulary)
        text = "\n\n".join(" ".join(part) for part in (frame[:middle], own, frame[middle:]))
        pages.append(Document(f"{name} page {page}", text))
    return pages


def edits(corpora: Path, *, half: Half, scale: Scale) -> Corpus:
    """The corpus `edits` of a half."""
    prose = _prose(corpora, half)
    vocabulary = _vocabulary(prose.values())
    pool = deque((name, 0) for name in prose)
    documents, families = [], []
    cases = [f"{kind} {share} %" for kind in ("replace", "insert", "delete") for share in EDIT_SHARES]
    for case in [*cases, "cut to half", "footer behind", "footer before", "paragraphs shuffled"]:
        for length, count in _PAIRS[scale].items():
            for number in range(count):
                passage = _next_passage(pool, prose, length)
                name = f"{case}, {length} words, {half} {number}"
                texts = edited(case, passage, name=name, vocabulary=vocabulary)
                pair = [Document(f"{name} {side}", text) for side, text in zip("ab", texts, strict=True)]
                documents += pair
                families.append(Family(f"{case}, {length} words", (pair[0].id, pair[1].id)))
    return Corpus("edits", in_order_of_hash(documents), tuple(families))


def edited(case: str, passage: Sequence[str], *, name: str, vocabulary: Sequence[str]) -> tuple[str, str]:
    """A passage and its copy, to which the case was done.

    Args:
        case: as the rows of the table are called, `replace 5 %` and so on.
        passage: its words, with what stands at them.
        name: what is drawn depends on it.
        vocabulary: words to put in.
    """
    kind, *rest = case.split()
    if kind in ("replace", "insert", "delete"):
        return " ".join(passage), " ".join(_with_words(kind, passage, int(rest[0]), name=name, vocabulary=vocabulary))
    if case == "cut to half":
        return " ".join(passage), " ".join(passage[: len(passage) // 2])
    if kind == "footer":
        site = f"{' '.join(name.split()[:-1])} site {int(name.split()[-1]) // PAGES_OF_A_SITE}"
        footer = _drawn(site, FOOTER_WORDS, vocabulary)
        copy = (passage, footer) if rest == ["behind"] else (footer, passage)
        return " ".join(passage), "\n\n".join(" ".join(part) for part in copy)
    cuts = np.linspace(0, len(passage), PARAGRAPHS[len(passage)] + 1).astype(int).tolist()
    paragraphs = [" ".join(passage[start:end]) for start, end in zip(cuts[:-1], cuts[1:], strict=True)]
    order = np.argsort(draws(name, len(paragraphs)), kind="stable").tolist()
    if order == sorted(order):
        order = [*order[1:], order[0]]
    return "\n\n".join(paragraphs), "\n\n".join(paragraphs[place] for place in order)


def unspaced(corpora: Path, *, half: Half, scale: Scale) -> Corpus:
    """The corpus `unspaced` of a half."""
    documents, families = [], []
    for language, (files, languages, script) in SCRIPTS.items():
        texts = {name: text for file in files for name, text in _texts(corpora, file, languages)}
        passages = {name: text for name, text in letter_passages(texts, script).items() if half_of(name) == half}
        letters = sorted({letter for text in passages.values() for letter in text if _in(script, letter)})
        for case, names in _dealt(list(passages), LETTER_SHARES, most=_LETTER_PAIRS[scale]):
            for name in names:
                copy = replaced_letters(passages[name], case, name=name, script=script, letters=letters)
                pair = [
                    Document(f"{name} {case} % {side}", text)
                    for side, text in zip("ab", (passages[name], copy), strict=True)
                ]
                documents += pair
                families.append(Family(f"{language}, {case} % of letters", (pair[0].id, pair[1].id)))
    return Corpus("unspaced", in_order_of_hash(documents), tuple(families))


def letter_passages(texts: Mapping[str, str], script: Script) -> dict[str, str]:
    """Pieces of `PASSAGE_CHARACTERS` characters of the clauses of a script, by their names.

    A clause is what stands between white space; at least two in three of its characters are letters of the script.
    """
    passages = {}
    for name, text in texts.items():
        clauses = (clause for clause in text.split() if 3 * sum(_in(script, one) for one in clause) >= 2 * len(clause))
        whole = " ".join(clauses)
        for start in range(0, len(whole) - PASSAGE_CHARACTERS + 1, PASSAGE_CHARACTERS):
            passages[f"{name} at {start}"] = whole[start : start + PASSAGE_CHARACTERS].strip()
    return passages


def replaced_letters(text: str, share: int, *, name: str, script: Script, letters: Sequence[str]) -> str:
    """A text in which `share` % of the letters of a script, at least one, are others of `letters`."""
    places = [place for place, letter in enumerate(text) if _in(script, letter)]
    count = max(1, round(len(places) * share / 100))
    copy = list(text)
    new = draws(f"{name} {share} letters", count).tolist()
    for draw, index in zip(new, chosen(f"{name} {share}", count, of=len(places)).tolist(), strict=True):
        letter = letters[draw % len(letters)]
        copy[places[index]] = letters[(draw + 1) % len(letters)] if letter == text[places[index]] else letter
    return "".join(copy)


def names_of(kind: str, *, half: Half, count: int) -> Iterator[str]:
    """`count` names of a kind that belong to a half."""
    number = 0
    while count:
        name = f"{kind} {number}"
        if half_of(name) == half:
            count -= 1
            yield name
        number += 1


def _with_words(kind: str, passage: Sequence[str], share: int, *, name: str, vocabulary: Sequence[str]) -> list[str]:
    count = max(1, round(len(passage) * share / 100))
    places = set(chosen(name, count, of=len(passage)).tolist())
    new = iter(_drawn(f"{name} words", count, vocabulary))
    words = []
    for place, word in enumerate(passage):
        if place in places and kind != "delete":
            words.append(next(new))
        if place not in places or kind == "insert":
            words.append(word)
    return words


def _dealt(names: Sequence[str], cases: Sequence[int], *, most: int) -> Iterator[tuple[int, list[str]]]:
    """Names dealt among cases, each in one of them, at most so many each."""
    order = [names[place] for place in np.argsort(draws(" ".join(names), len(names)), kind="stable").tolist()]
    for number, case in enumerate(cases):
        yield case, order[number :: len(cases)][:most]


def _prose(corpora: Path, half: Half) -> dict[str, list[str]]:
    """Words of English prose by the name of their source, for the sources of a half."""
    rows = (row for file in _PROSE for row in read_rows(corpora, file))
    return {row["id"]: row["text"].lstrip("\ufeff").split() for row in rows if half_of(row["id"]) == half}


def _vocabulary(texts: Iterable[Sequence[str]]) -> list[str]:
    """The most frequent words of letters alone; ties by the alphabet."""
    counts = Counter(word for words in texts for word in words if word.isalpha())
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_VOCABULARY]]


def _drawn(name: str, count: int, vocabulary: Sequence[str]) -> list[str]:
    return [vocabulary[draw % len(vocabulary)] for draw in draws(name, count).tolist()]


def _next_passage(pool: deque[tuple[str, int]], texts: Mapping[str, Sequence[str]], length: int) -> Sequence[str]:
    """The next words of the source whose turn it is; no word is given twice."""
    for _ in range(len(pool)):
        name, start = pool.popleft()
        if start + length <= len(texts[name]):
            pool.append((name, start + length))
            return texts[name][start : start + length]
    raise SystemExit(f"no source has {length} words left to plant")


def _texts(corpora: Path, file: str, languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names and texts of a file in one of some languages; of a file of pages, those with Kana."""
    if not file.endswith(".wet.gz"):
        for row in read_rows(corpora, file):
            if row.get("lang") in languages:
                yield row["id"], row["text"]
        return
    with gzip.open(corpora / file) as pages:
        for page in ArchiveIterator(pages, record_types=WarcRecordType.conversion):
            text = page.reader.read().decode("utf-8", "replace")
            if sum("\u3041" <= letter <= "\u30fa" for letter in text) >= _LEAST_KANA:
                yield page.headers["WARC-Target-URI"], text


def _in(script: Script, letter: str) -> bool:
    return any(first <= letter <= last for first, last in script)
