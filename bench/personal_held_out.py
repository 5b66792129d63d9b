"""Precision and recall per kind and locale on made-up sentences, of which half is never looked at.

    python -m bench.personal_held_out [--json] [--misses]

Values come from Faker (`bench/personal_values.py`, in its own environment) and, where Faker has none, from here; sentences from
`bench/personal_sentences.txt`. Carrier sentences are divided by their hash, kind by kind and language by language: one half is for
development (`--misses` shows what goes wrong there), the other is only counted. The halves draw their values apart. Hard negatives stand in
both as well: numbers and names that look like personal information.

A label counts as recalled if a found span of its kind overlaps it, a found span as right if it overlaps a label of its kind; every other
span in any sentence is wrong, for its own kind. `--json` prints one line of JSON last.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import phonenumbers
from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from bench.peers import Unavailable, peer_environment, peer_python
from bench.personal_values import LOCALES
from pipeline.text.personal import KINDS, find_spans
from pipeline.text.personal.check_digits import germany_tax

HERE = Path(__file__).resolve().parent
HALVES = ("development", "held out")
SEED = 20_240
# Values per carrier sentence and locale.
REPEATS = 6
# Rows of the table that are parts of one kind.
KIND_OF = {"phone": "phone", "phone abroad": "phone", "tax_id": "national_id", "ipv6": "ip"}


class Sentence(NamedTuple):
    """A sentence with its value: `row` names the label's row of the table, or the negative; `kind` is None for
    negatives.
    """

    half: str
    locale: str
    row: str
    kind: str | None
    text: bytes
    start: int
    stop: int


class Score(NamedTuple):
    """Labelled spans, those recalled, found spans of the kind in the sentences of the row's locale, those right."""

    labelled: int
    recalled: int
    found: int
    right: int


def carriers(text: str) -> Iterator[tuple[list[str], str, list[tuple[str, str]]]]:
    """Locales, what is labelled, and the carrier sentences, each with its half."""
    for block in text.split("\n== ")[1:]:
        heading, *lines = block.splitlines()
        words = heading.split()
        locales = [word for word in words if word in LOCALES]
        what = heading[heading.index("not: ") :] if "not: " in heading else words[-1]
        sentences = sorted(
            (line for line in lines if line and not line.startswith("#")),
            key=lambda line: hashlib.sha256(line.encode()).digest(),
        )
        yield locales, what, [(line.replace(" | ", "\n"), HALVES[index % 2]) for index, line in enumerate(sentences)]


@cache
def _values(half: str) -> dict[str, dict[str, list[str]]]:
    """Values of a half by locale and row."""
    command = [str(peer_python("faker")), str(HERE / "personal_values.py"), str(SEED + HALVES.index(half)), "160"]
    output = subprocess.run(command, env=peer_environment(), capture_output=True, text=True, check=True).stdout
    by_locale: dict[str, dict[str, list[str]]] = json.loads(output)
    for locale, kinds in by_locale.items():
        dice = random.Random(f"{half} {locale}")
        numbers = [number for number in kinds["phone"] if _exists(number, locale)]
        abroad = [number for number in numbers if number.startswith(("+", "00"))]
        # Faker's Spanish numbers all have their calling code, which is left out in Spain.
        home = [number.removeprefix("+34").strip() for number in abroad[::2]] if locale == "es_ES" else numbers
        kinds["phone"] = [number for number in home if number not in abroad]
        kinds["phone abroad"] = abroad
        kinds["ipv6"] = [_ipv6(dice) for _ in range(160)]
        if locale == "de_DE":
            kinds["tax_id"] = [_tax_id(dice) for _ in range(80)]
        kinds["iban"] = [iban for iban in kinds.get("iban", []) if _closes(iban)]
    return by_locale


def _exists(number: str, locale: str) -> bool:
    """Faker makes numbers that no plan gives out: no reader would call them telephone numbers."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, locale[3:]))
    except phonenumbers.NumberParseException:
        return False


def _closes(iban: str) -> bool:
    """ISO 13616: remainder 1."""
    characters = iban.replace(" ", "")
    return mod_97_10.is_valid(characters[4:] + characters[:4])


def _ipv6(dice: random.Random) -> str:
    prefix = dice.choice(("2a02:{:x}", "2001:4{:02x}", "2600:{:x}", "2a01:{:x}", "2400:{:x}", "2804:{:x}")).format(
        dice.randrange(16, 256)
    )
    groups = [f"{dice.randrange(1, 65536):x}" for _ in range(6)]
    return f"{prefix}:{groups[0]}::{groups[1]}" if dice.random() < 0.5 else ":".join((prefix, *groups))


def _tax_id(dice: random.Random) -> str:
    while True:
        first = dice.randrange(10**9, 10**10)
        for last in range(10):
            digits = f"{first}{last}"
            if germany_tax(digits):
                return digits if dice.random() < 0.5 else f"{digits[:2]} {digits[2:5]} {digits[5:8]} {digits[8:]}"


def _digits(dice: random.Random, form: str) -> str:
    """`#` a digit, `%` a digit but 0, `^` a capital letter, `~` a hexadecimal digit."""
    makers = {"#": "0123456789", "%": "123456789", "^": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "~": "0123456789abcdef"}
    return "".join(dice.choice(makers[character]) if character in makers else character for character in form)


def _ean(dice: random.Random, form: str) -> str:
    """The last digit closes the number (GS1: weights 1 and 3)."""
    text = _digits(dice, form)
    digits = [int(character) for character in text if character.isdigit()]
    return text + str(-sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10)


def _failing(dice: random.Random, forms: tuple[str, ...], passes: Callable[[str], bool]) -> str:
    while passes(text := _digits(dice, dice.choice(forms))):
        pass
    return text


def _date(dice: random.Random) -> str:
    day, month, year = dice.randrange(1, 29), dice.randrange(1, 13), dice.randrange(1950, 2024)
    name = ("March", "May", "August", "October", "November")[month % 5]
    return dice.choice(
        (
            f"{day}.{month}.{year}",
            f"{year}-{month:02}-{day:02}",
            f"{name} {day}, {year}",
            f"{day:02}/{month:02}/{year}",
            f"{day} {name} {year}",
        )
    )


_HEADINGS = (
    "Park Management",
    "Road Safety",
    "The Way Forward",
    "Street Food in Lima",
    "Drive Train",
    "Court Decisions",
    "Results",
    "Hill Climbing",
    "Place Names",
    "St. Augustine",
    "Dr. Watson",
    "Lane Detection",
    "Avenue Q",
)
_COUNTED = (
    "Roman roads",
    "Place settings",
    "Park rangers",
    "drive shafts",
    "New Way Cars",
    "Wall Street bankers",
    "Square Enix games",
    "High Court judges",
    "Hill people",
    "Straßenbahnen",
)
_NEGATIVES: dict[str, Callable[[random.Random], str]] = {
    "isbn": lambda dice: _ean(
        dice, dice.choice(("978-#-####-####-", "978#########", "979-1#-###-####-", "#-####-####-"))
    ),
    "ean": lambda dice: _ean(dice, dice.choice(("4###########", "5###########", "3 ###### #####", "76##########"))),
    "order": lambda dice: _digits(
        dice,
        dice.choice(
            ("####-######", "%%%-#######-#######", "PO-########", "########", "%###########", "1Z###^##########")
        ),
    ),
    "version": lambda dice: f"{dice.randrange(1, 30)}.{dice.randrange(10)}.{dice.randrange(60)}.{dice.randrange(255)}",
    "section": lambda dice: (
        f"{dice.randrange(1, 30)}.{dice.randrange(1, 20)}.{dice.randrange(1, 9)}.{dice.randrange(1, 9)}"
    ),
    "coordinates": lambda dice: dice.choice(
        (
            _digits(dice, "%#.####, -%%.####"),
            _digits(dice, "%#.######,%%.######"),
            _digits(dice, "%#° 2#' 3#\" N, 1#° 0#' 2#\" E"),
        )
    ),
    "date": _date,
    "price": lambda dice: _digits(
        dice, dice.choice(("$%,###,###.##", "€ %.###,##", "%## ### ### kr", "£%#,###", "USD %###########"))
    ),
    "heading": lambda dice: f"{dice.randrange(1, 40)} {dice.choice(_HEADINGS)}",
    "counting": lambda dice: f"{dice.randrange(2, 900)} {dice.choice(_COUNTED)}",
    "doi": lambda dice: _digits(
        dice, dice.choice(("10.1###/s#####-0##-####-#", "10.1###/j.^^^.20##.##.##%", "10.%###/########.20##.######"))
    ),
    "hash": lambda dice: _digits(dice, dice.choice(("~" * 40, "~" * 7, "~" * 32, "~" * 64, "#" * 16 + "~" * 16))),
    "routing": lambda dice: _digits(dice, dice.choice(("#########", "### ### ##", "##-##-##", "########"))),
    "years": lambda dice: (
        f"{(year := dice.randrange(1850, 2000))}{dice.choice(('-', '–', ' - ', '/'))}{year + dice.randrange(1, 20)}"
    ),
    "private ip": lambda dice: dice.choice(
        (
            f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}",
            f"192.168.{dice.randrange(256)}.{dice.randrange(1, 255)}",
            f"127.0.0.{dice.randrange(1, 9)}",
            f"fe80::{dice.randrange(1, 65536):x}",
            f"fd{dice.randrange(256):02x}:{dice.randrange(65536):x}::1",
            f"2001:db8::{dice.randrange(1, 65536):x}",
            f"172.{dice.randrange(16, 32)}.0.{dice.randrange(1, 255)}",
        )
    ),
    "code": lambda dice: dice.choice(
        (
            "vector<int>::iterator",
            "a2b::c3d",
            "fs::path",
            "chrono::2000ms",
            "x[2001::2]",
            "abcd::dead::beef",
            "Foo::2::bar",
        )
    ),
    "clock": lambda dice: _digits(
        dice, dice.choice(("1#:2#:3#", "20##:1#:2#", "2000:%#:%#:%#", "0#:5#:0#.%##", "2###:0#:1#"))
    ),
    "mac": lambda dice: _digits(dice, "~~:~~:~~:~~:~~:~~"),
    "almost card": lambda dice: _failing(
        dice,
        ("4### #### #### ####", "5%##############", "37## ###### #####", "6011############"),
        lambda text: luhn.is_valid(text.replace(" ", "")),
    ),
    "almost iban": lambda dice: _failing(
        dice, ("DE## #### #### #### #### ##", "GB##^^^^##############", "NL##^^^^##########"), _closes
    ),
    "part": lambda dice: _digits(
        dice,
        dice.choice(("^^-####-##", "###-##-###", "##-###-####", "######-##", "^^######^", "########^", "^#### ####")),
    ),
    "table": lambda dice: _digits(
        dice,
        dice.choice(
            (
                "%## %## %## %###",
                "%#.# %#.# %#.# %#.#",
                "%,###,###",
                "19%# 20## 20##",
                "%-# %-# 1#-1#",
                "%### %### %###",
                "+%#.# -%.## +%.##",
            )
        ),
    ),
    "handle": lambda dice: dice.choice(
        ("@jane_doe", "@2x.png", "@font-face", "react@18.2.0", "@types/node@20.1", "user@host", "x@y", "lodash@4.17.21")
    ),
    "citation": lambda dice: _digits(
        dice,
        dice.choice(
            (
                "4%# U.S. %## (19%#)",
                "arXiv:21##.#####",
                "RFC %###",
                "ISSN %###-####",
                "BGH NJW 20##, ###",
                "Phys. Rev. Lett. 1##, ######",
                "PMID: ########",
                "%## F.2d ###",
            )
        ),
    ),
}


def sentences() -> list[Sentence]:
    """All sentences of both halves, in the order of the carriers."""
    taken: Counter[tuple[str, str, str]] = Counter()
    made = []
    for locales, what, lines in carriers((HERE / "personal_sentences.txt").read_text()):
        for line, half in lines:
            if what.startswith("not: "):
                dice = random.Random(f"{half} {what} {line}")
                made += [
                    _sentence(half, "any", what, None, line, _NEGATIVES[what[5:]](dice)) for _ in range(REPEATS * 2)
                ]
                continue
            rows = {"phone": ("phone", "phone abroad"), "ip": ("ip", "ipv6")}.get(what, (what,))
            for locale in locales:
                for row in rows:
                    values = _values(half)[locale].get(row, [])
                    # Sentences in all languages are many already.
                    for _ in range(REPEATS if len(locales) < 3 else 2):
                        if not values:
                            continue
                        value = values[taken[half, locale, row] % len(values)]
                        taken[half, locale, row] += 1
                        made.append(_sentence(half, locale, row, KIND_OF.get(row, row), line, value))
    return made


def _sentence(half: str, locale: str, row: str, kind: str | None, line: str, value: str) -> Sentence:
    before, _, after = line.partition("{}")
    text = (before + value + after).encode()
    start = len(before.encode())
    return Sentence(half, locale, row, kind, text, start, start + len(value.encode()))


class Outcome(NamedTuple):
    """What was found in one sentence: whether its label was recalled, right spans of its kind, wrong spans by kind."""

    recalled: bool
    right: int
    wrong: dict[str, list[bytes]]


def outcomes(made: list[Sentence]) -> list[Outcome]:
    """Row-aligned with `made`."""
    data = np.frombuffer(b"".join(sentence.text for sentence in made), np.uint8)
    offsets = np.cumsum([0, *(len(sentence.text) for sentence in made)]).astype(np.int64)
    right = [0] * len(made)
    wrong: list[dict[str, list[bytes]]] = [{} for _ in made]
    for kind, spans in find_spans(data, offsets).items():
        for document, start, stop in zip(*(column.tolist() for column in spans), strict=True):
            sentence = made[document]
            if sentence.kind == kind and start < sentence.stop and sentence.start < stop:
                right[document] += 1
            else:
                wrong[document].setdefault(kind, []).append(sentence.text[start:stop])
    return [Outcome(count > 0, count, bad) for count, bad in zip(right, wrong, strict=True)]


def scores(made: list[Sentence], results: list[Outcome], half: str) -> dict[str, dict[str, Score]]:
    """By row and locale, and for each kind in the row `all KIND` under `all`, which counts its wrong spans in all
    sentences of the half.
    """
    table: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
    for sentence, outcome in zip(made, results, strict=True):
        if sentence.half != half:
            continue
        if sentence.kind is not None:
            for cell in (table[sentence.row][sentence.locale], table[f"all {sentence.kind}"]["all"]):
                cell[0] += 1
                cell[1] += outcome.recalled
                cell[2] += outcome.right + (cell is table[sentence.row][sentence.locale]) * len(
                    outcome.wrong.get(sentence.kind, ())
                )
                cell[3] += outcome.right
        for kind, spans in outcome.wrong.items():
            table[f"all {kind}"]["all"][2] += len(spans)
    return {row: {locale: Score(*cell) for locale, cell in columns.items()} for row, columns in table.items()}


def false_alarms(made: list[Sentence], results: list[Outcome], half: str) -> dict[str, dict[str, int]]:
    """Wrong spans by kind in each sort of negative (and in sentences of other kinds), with the number of sentences
    under `sentences`.
    """
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence, outcome in zip(made, results, strict=True):
        if sentence.half != half:
            continue
        name = sentence.row if sentence.kind is None else f"in: {sentence.row}"
        table[name]["sentences"] += 1
        for kind, spans in outcome.wrong.items():
            table[name][kind] += len(spans)
    return {name: dict(row) for name, row in table.items()}


def _print(table: dict[str, dict[str, Score]]) -> None:
    columns = ("all", *LOCALES)
    print(f"{'recall':14}" + "".join(f"{column:>12}" for column in columns) + "   (of labels)")
    rows = [row for row in table if not row.startswith("all ")]
    for row in rows:
        cells = dict(table[row])
        cells["all"] = Score(*map(sum, zip(*cells.values(), strict=True)))
        shown = [
            (
                f"{cells[column].recalled / cells[column].labelled:.2f} of {cells[column].labelled}"
                if column in cells
                else "-"
            )
            for column in columns
        ]
        print(f"{row:14}" + "".join(f"{text:>12}" for text in shown))
    print(f"\n{'precision, all sentences':26}{'found':>7}{'right':>7}{'precision':>11}")
    for kind in KINDS:
        score = table[f"all {kind}"].get("all", Score(0, 0, 0, 0))
        print(
            f"{kind:26}{score.found:7}{score.right:7}"
            + (f"{score.right / score.found:11.3f}" if score.found else f"{'-':>11}")
        )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--json", action="store_true", help="one line of JSON last")
    arguments.add_argument("--misses", action="store_true", help="what goes wrong in the development half")
    given = arguments.parse_args()
    try:
        made = sentences()
    except Unavailable as error:
        raise SystemExit(f"no Faker, nothing measured: {error}") from error
    results = outcomes(made)
    summary = {}
    for half in HALVES:
        table = scores(made, results, half)
        count = sum(sentence.half == half for sentence in made)
        print(f"\n{half} half: {count} sentences")
        _print(table)
        alarms = {name: row for name, row in false_alarms(made, results, half).items() if len(row) > 1}
        for name, row in alarms.items():
            print(
                f"  false alarms in {name} ({row['sentences']} sentences): "
                + ", ".join(f"{kind} {n}" for kind, n in row.items() if kind in KINDS)
            )
        summary[half] = {
            "sentences": count,
            "scores": {
                row: {locale: score._asdict() for locale, score in columns.items()} for row, columns in table.items()
            },
            "false_alarms": alarms,
        }
    if given.misses:
        for sentence, outcome in zip(made, results, strict=True):
            if sentence.half == HALVES[0] and (outcome.wrong or (sentence.kind and not outcome.recalled)):
                shown = {
                    kind: [span.decode("utf-8", "replace") for span in spans] for kind, spans in outcome.wrong.items()
                }
                missed = "missed" if sentence.kind and not outcome.recalled else ""
                print(f"  {sentence.locale} {sentence.row}: {sentence.text.decode()!r} {missed} {shown or ''}")
    if given.json:
        print(json.dumps(summary))


if __name__ == "__main__":
    main()
