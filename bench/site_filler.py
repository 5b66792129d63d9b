"""What pages of planted sites are made of beside their records: running text, layouts of records, headers and footers.

In: a `random.Random`, a locale, a domain. Out: texts. Running text comes from the development corpora beside the project
(text books, speeches, novels, help pages, sayings), cut at ends of sentences into paragraphs of 20 to 120 words; without
them from the sentences of `bench/site_words.txt`, so the same arguments give other texts there.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import TypeVar

from bench.site_people import CORPORA, TLDS, People, ascii_slug, words

# Corpora by language. A cap on paragraphs per file keeps reading them below a second.
CORPORA_OF = {
    "en": ("factual/openstax", "factual/sotu", "books/novels", "multilingual/gnome-help"),
    "de": ("multilingual/eltec", "multilingual/fortunes", "multilingual/gnome-help"),
    "fr": ("multilingual/eltec", "multilingual/gnome-help"),
    "es": ("multilingual/gnome-help", "multilingual/fortunes"),
    "it": ("multilingual/gnome-help", "multilingual/fortunes"),
    "nl": ("multilingual/gnome-help",),
    "pl": ("multilingual/gnome-help", "multilingual/fortunes"),
}
PARAGRAPHS_PER_FILE = 2500
PARAGRAPHS_PER_DOCUMENT = 300
Entry = TypeVar("Entry")
Layout = Callable[[list[tuple[str, str]]], str]


def _is_prose(text: str) -> bool:
    """Neither rot13 (few vowels), nor talk with times and nicknames; nor addresses, which would be somebody's."""
    vowels = len(re.findall(r"[aeiouyáéíóúàèìòùäöüąęâêîôû]", text.lower()))
    return vowels > 0.3 * sum(map(str.isalpha, text)) and not re.search(r"@|\[\d\d:\d\d|\d{3}.?\d{3,}|\]\(", text)


def _cut(text: str) -> list[str]:
    """Paragraphs of 20 to 120 words that end where sentences end; lines of markup are left out."""
    lines = (line for line in text.splitlines() if line and not re.search(r"[<>{}|]|^---|-->|^\s*[*#]", line))
    found: list[str] = []
    held: list[str] = []
    size = 0
    for sentence in re.split(r"(?<=[.!?])\s+", " ".join(lines)):
        count = len(sentence.split())
        if size + count > 120:
            held, size = [], 0
        if count > 120:
            continue
        held.append(sentence)
        size += count
        # Lengths that vary, the same on every run.
        if size >= 20 + len(found) * 37 % 70:
            if _is_prose(text := " ".join(held)):
                found.append(text)
            held, size = [], 0
        if len(found) == PARAGRAPHS_PER_DOCUMENT:
            break
    return found


@cache
def paragraphs(language: str) -> tuple[list[str], list[int]]:
    """Paragraphs of a language and their numbers of words."""
    texts: list[str] = []
    for name in CORPORA_OF[language]:
        path = CORPORA / f"{name}.jsonl.gz"
        if not path.is_file():
            continue
        before = len(texts)
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if {"C": "en"}.get(spoken := str(record.get("lang", "en")), spoken) == language:
                    texts += _cut(record["text"])
                if len(texts) - before >= PARAGRAPHS_PER_FILE:
                    break
    if not texts:
        sentences = words(language)["prose"]
        shuffled = random.Random(language)
        texts = [" ".join(shuffled.sample(sentences, shuffled.randint(2, 6))) for _ in range(200)]
    return texts, [len(text.split()) for text in texts]


class Setting:
    """One site while its pages are made: its random numbers, people, labels and running text."""

    def __init__(self, rng: random.Random, locale: str, domain: str, *, pages: int) -> None:
        self.rng, self.locale, self.language, self.domain, self.pages = rng, locale, locale[:2], domain, pages
        self.people = People(rng, locale)
        self.words = words(self.language)
        self._labels: dict[str, str] = {}
        self._texts, self._counts = paragraphs(self.language)

    def label(self, key: str) -> str:
        """What the site calls `key`: one variant, kept."""
        if key not in self._labels:
            self._labels[key] = self.rng.choice(self.words[key])
        return self._labels[key]

    def some(self, key: str) -> str:
        """An entry of a list, such as a profession."""
        return self.rng.choice(self.words[key])

    def prose(self, wanted: int) -> list[str]:
        """Paragraphs of `wanted` words together; the last one is cut, and one of fewer than five words left out."""
        out: list[str] = []
        while wanted > 4:
            at = int(self.rng.random() * len(self._texts))
            text, count = self._texts[at], self._counts[at]
            out.append(text if count <= wanted else " ".join(text.split()[:wanted]))
            wanted -= count
        return out

    def title(self, *, most: int = 8) -> str:
        """A heading: the first words of a paragraph."""
        found = self.rng.choice(self._texts).split()[: self.rng.randint(3, most)]
        return " ".join(found).rstrip(".,;:!?")

    def fill(self, wanted: int, make: Callable[[], str]) -> list[str]:
        """At least one block, and blocks until there are `wanted` words."""
        out: list[str] = []
        while True:
            out.append(make())
            wanted -= len(out[-1].split())
            if wanted <= 0:
                return out

    def sentence(self, key: str) -> str:
        """A sentence of the list `key` about a private person."""
        people = self.people
        form = self.rng.choice(self.words[key])
        person = people.person()
        return form.format(
            name=person.name,
            age=person.age,
            address=person.address,
            town=person.town,
            born=people.written_date(person.birth) if self.rng.random() < 0.6 else people.numeric_date(person.birth),
            job=self.some("jobs"),
            phone=people.phone(),
            email=people.private_email(person.name),
            other=people.name(),
        )

    def staff(self, most: int) -> list[tuple[str, str]]:
        """Names and own-domain addresses of people at work here: more on larger sites, up to `most`."""
        count = max(2, min(most, self.rng.randint(3, 8) + self.pages // 4))
        names = [self.people.name() for _ in range(count)]
        return [(name, self.people.work_email(name, self.domain.removeprefix("www."))) for name in names]


def zipf(rng: random.Random, pool: list[Entry]) -> Entry:
    """An entry; early ones far more often than late ones."""
    return pool[int(len(pool) * rng.random() ** 3)]


def layout(rng: random.Random) -> Layout:
    """A way to write labelled values, for a whole site: tables, rows, stacked or run together."""

    def table(pairs: list[tuple[str, str]]) -> str:
        return "\n".join(f"{label}{colon} {value}" for label, value in pairs)

    def stacked(pairs: list[tuple[str, str]]) -> str:
        return "\n".join(f"{label}\n{value}" for label, value in pairs)

    def run_on(pairs: list[tuple[str, str]]) -> str:
        return separator.join(f"{label}{colon} {value}" for label, value in pairs)

    def row(pairs: list[tuple[str, str]]) -> str:
        return separator.join(value for _, value in pairs)

    def lines(pairs: list[tuple[str, str]]) -> str:
        return "\n".join(value for _, value in pairs)

    colon = rng.choice((":", ":", " :", ""))
    separator = rng.choice((" | ", "\t", ", ", "; ", " - "))
    return rng.choice((table, table, stacked, run_on, row, row, lines))


def sheet(setting: Setting, columns: list[str]) -> tuple[list[str], Callable[[list[str]], str]]:
    """Heading, if there is one, and how records are written: rows of a table, or labelled values."""
    rng = setting.rng
    labels = [setting.label(column) for column in columns]
    if rng.random() < 0.45:
        separator, blank = rng.choice((" | ", "\t", ", ", ";", "  ", " – ")), rng.choice(("-", "", "?"))
        heading = [separator.join(labels)] if rng.random() < 0.6 else []
        return heading, lambda values: separator.join(value or blank for value in values)
    lay = layout(rng)
    return [], lambda values: lay([pair for pair in zip(labels, values, strict=True) if pair[1]])


def site_name(rng: random.Random, locale: str, people: People) -> str:
    """A registered domain: two names of the locale and six signs that make it the only one."""
    unique = "".join(rng.choice("abcdefghijkmnopqrstuvwxyz23456789") for _ in range(6))
    first, second = ascii_slug(rng.choice(people.pools.streets))[:10], ascii_slug(people.town().name)[:10]
    return f"{first}{rng.choice(('', '-'))}{second}-{unique}.{rng.choice(TLDS[locale].split())}"


def furniture(setting: Setting) -> tuple[list[str], list[str]]:
    """Header and footer of every page: navigation, an imprint or contact line, copyright. One site in eight has none."""
    rng, people, label = setting.rng, setting.people, setting.label
    if rng.random() < 0.12:
        return [], []
    site = setting.domain.split(".")[0].replace("-", " ").title()
    bar = rng.choice((" | ", " · ", "\n", " » ", "  "))
    keys = rng.sample(["about", "contact", "search", "news", "login", "privacy"], rng.randint(2, 5))
    header = [bar.join([site, label("home"), *map(label, keys)])] if rng.random() < 0.85 else []
    footer: list[str] = []
    if rng.random() < 0.7:
        mail = f"{rng.choice(('info', 'contact', 'office', 'mail', 'webmaster'))}@{setting.domain}"
        if rng.random() < 0.12:
            mail = people.private_email(people.name())
        parts = [site, f"{people.street()}, {people.place(people.town())}", f"{label('phone')} {people.phone()}", mail]
        if rng.random() < 0.4:
            parts.insert(1, f"{label('director')}: {people.name()}")
        if rng.random() < 0.3:
            parts.insert(-1, f"{label('fax')} {people.phone()}")
        footer.append(rng.choice((", ", " | ", "\n", " · ")).join(rng.sample(parts, rng.randint(2, len(parts)))))
    if rng.random() < 0.75:
        footer.append(f"© {rng.randint(2003, 2024)} {site}. {label('rights')}.")
    if rng.random() < 0.4:
        footer.append(bar.join(map(label, islice(("privacy", "contact", "about"), rng.randint(1, 3)))))
    return header, footer
