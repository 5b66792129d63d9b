"""What counts as personal information: one table of texts per kind, and the development corpora."""

from __future__ import annotations

import csv
import gzip
import json
import re
from re import _parser  # type: ignore[attr-defined]

import numpy as np
import phonenumbers
import pytest

from bench.personal_held_out import HALVES, HERE, Sentence, carriers, false_alarms, outcomes
from bench.personal_held_out import scores as held_out_scores
from bench.personal_information import rates, read_labelled, read_texts, scores
from pipeline.text.personal import KINDS, count_spans, find_spans, search
from pipeline.text.personal.phone_rules import is_national
from pipeline.text.personal.spans import PATTERNS, exact_patterns
from tests.paths import SHARED
from tests.property.texts import buffers


def counts_of(documents: list[str]) -> dict[str, list[int]]:
    return {name: counts.tolist() for name, counts in count_spans(*buffers(documents)).items()}


@pytest.mark.parametrize(
    ("kind", "text", "count"),
    [
        ("email", "write to jane.doe+news@mail.example.co.uk.", 1),
        ("email", "a@b.co, <d_e%f@g-h.ij>; (k@l.mn)", 3),
        ("email", "icon@2x.png a@b.c user@10.0.0.1 x@example.xn--p1ai", 1),
        ("email", "no domain: jane@localhost", 0),
        ("email", "two signs: a@b@c.de", 0),
        ("email", "ü@example.org", 1),
        ("email", "中jane@example.org文", 1),
        ("email", "x" * 64 + "@example.org", 1),
        ("email", "x" * 65 + "@example.org", 0),
        ("phone", "(212) 555-0100", 1),
        ("phone", "+1 212 555 0100, 1-212-555-0100, 212.555.0100", 3),
        ("phone", "(212)555-0100", 1),
        ("phone", "2125550100", 0),
        ("phone", "112 555 0100 and 212 155 0100", 0),
        ("phone", "212 555 01000", 0),
        ("phone", "id-212-555-0100", 0),
        ("ip", "to 8.8.8.8", 1),
        ("ip", "at 93.184.216.34.", 1),
        ("ip", "1.2.3.4.5", 0),
        ("ip", "version v1.2.3.4", 0),
        ("ip", "256.1.1.1", 0),
        ("ip", "08.8.8.8", 0),
        ("ip", "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 127.0.0.1 169.254.1.1 100.64.0.1", 0),
        (
            "ip",
            (
                "0.0.0.0 255.255.255.255 224.0.0.1 240.0.0.1 192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 192.88.99.1"
                " 192.0.0.8"
            ),
            0,
        ),
        (
            "ip",
            "9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.169.0.0 223.255.255.255",
            8,
        ),
        ("national_id", "078-05-1120", 1),
        ("national_id", "000-12-3456 666-12-3456 900-12-3456 999-12-3456", 0),
        ("national_id", "123-00-4567 123-45-0000", 0),
        ("national_id", "899-99-9999 001-01-0001", 2),
        ("national_id", "1123-45-6789 123-45-67890 123-45-6789-0", 0),
        ("phone", "(555) 555-0100 and 911-555-0100: area codes that nobody has", 0),
        ("phone", "+49 30 901820, +44 (0)20 7946 0958, +33 1 23 45 67 89, +1-212-555-0100 ext. 12", 4),
        ("phone", "0049 30 901820 and 001-212-555-0100x77", 2),
        ("phone", "0049301234567 and +999 30 901820 and 3+49 30 901820", 0),
        ("phone", "+49 30 901820 10 Uhr", 1),
        ("phone", "+49\u00a030\u2013901820", 1),
        ("phone", "Tel.: 030 1234567, Fax 030/123 45 67, Telefonnummer: 030-1234567", 3),
        ("phone", "call me at 555 1234 or on channel 555 1234", 1),
        ("phone", "Mobile: 041-412-293\n69 987 88 37 office\nphone [30] (210) 721-2951", 3),
        ("phone", "hotel 1234567, tel. 2010-2011, phone 01.02.2010, fax 12 34", 0),
        ("phone", "(07) 5331 0577", 1),
        ("phone", "030 1234567", 0),
        ("ip", "2a00:1450:4001:81b::200e, 2606:4700:4700:0:0:0:0:1111, [2620:0:860:2::]", 3),
        ("ip", "fe80::1 ::1 fd00::1 2001:db8::1 2001::1 2002:c000:204::1 3fff::1 ff02::1 12:30:45", 0),
        ("ip", "2a00:1450:4001:81b::200e::1 2a00:1450:4001:81b 2a00:1:2:3:4:5:6:7:8", 0),
        ("iban", "DE89 3704 0044 0532 0130 00 and GB82WEST12345698765432 and FR14-2004-1010-0505-0001-3M02-606", 3),
        ("iban", "DE88 3704 0044 0532 0130 00, GB82WEST123456987654321, XX89370400440532013000", 0),
        ("payment_card", "4111 1111 1111 1111, 5500-0000-0000-0004, 378282246310005, 3782 822463 10005", 4),
        ("payment_card", "4111 1111 1111 1112, 4111 1111-1111 1111, 0.4111111111111111, 4444444444444444", 0),
        ("payment_card", "1234567890123452 and 41111111111111111", 0),
        ("street_address", "1600 Pennsylvania Avenue NW, Washington, DC 20500", 1),
        ("street_address", "10 Downing Street, London SW1A 2AA; 12 W. 42nd St., 5 Oak Ln", 3),
        (
            "street_address",
            "Berliner Straße 12, 10115 Berlin; Goethestr. 3a; Paula-Fuchs-Allee 3; Hauptplatz 1, 1010 Wien",
            4,
        ),
        ("street_address", "Kerkstraat 12, 1017 GA Amsterdam", 1),
        ("street_address", "12, rue de la Paix", 1),
        (
            "street_address",
            (
                "Via Roma 12; Via Giuseppe Verdi, 12 - 20121 Milano; Viale dell'Industria 5/B; P.zza del Duomo 1;"
                " Corso Vittorio Emanuele II, 45; Via XX Settembre 12; Via d'Azeglio 4"
            ),
            7,
        ),
        ("street_address", "Via Roma; Via FTP 12.5; Corso 1990; Largo al factotum 3; Corso Italia 12345", 0),
        (
            "street_address",
            "Calle Mayor, 5; C/ de Alcalá, nº 45, 28014 Madrid; Avda. de la Constitución 3; Calle 2 de Mayo, 5",
            4,
        ),
        ("street_address", "Rua das Flores, 12; Rua 25 de Abril, n.º 3; Travessa do Carmo 7", 3),
        ("street_address", "Calle Mayor; Rua Augusta 12.50", 0),
        (
            "street_address",
            (
                "ul. Marszałkowska 10/12; ul. Żeromskiego 5 m. 7, 30-001 Kraków; al. Jana Pawła II 23;"
                " os. Tysiąclecia 4; pl. Wolności 1, 61-739 Poznań; ulica Długa 5"
            ),
            6,
        ),
        ("street_address", "ul. 5; ul. mała 3; ul. Długa 12:30; al. Jana", 0),
        ("street_address", "9 Trinity Court, Durham, NC 27701", 1),
        ("street_address", "9 Trinity Court", 0),
        (
            "street_address",
            (
                "88 Wall Street Journal stories, 1 Pck. Dr. Oetker, Tabellenplatz 3, Bundesstraße 73, Kaufer 2000, 50"
                " Jahre Ständig"
            ),
            0,
        ),
        (
            "date_of_birth",
            (
                "born on March 3, 1970; DOB: 1970-03-03; geboren am 3. März 1970; né le 3 mars 1970; Date of birth"
                " 03/03/70"
            ),
            5,
        ),
        (
            "date_of_birth",
            "born 12 March 1732, born 31/31/1970, dob 2001-02-29, stubborn on 3 May 1970, Gebäude vom 1. April 1924",
            0,
        ),
        ("date_of_birth", "3 March 1970", 0),
        (
            "date_of_birth",
            "* 3. Mai 1970, (* 3. Mai 1970 in Celle), am 3. Mai 1970 in Kassel geboren, op 03-03-1970 geboren",
            3,
        ),
        (
            "date_of_birth",
            (
                "née à Brest le 1er mars 1970, nació en Cádiz el 3 de mayo de 1970, Nata a Bari il 3 marzo 1970, ur. 3"
                " maja 1970"
            ),
            4,
        ),
        (
            "date_of_birth",
            "My birthday is 3 May 1970, but the birthday party on 3 May 2019 and NATO in April 4, 1949 are none",
            1,
        ),
        (
            "email",
            (
                "<199710221740.KAA24455@wall.org> 1991Jul31.174523.9447@netlabs.com git@github.com:rack"
                " 71150.2731@compuserve.com"
            ),
            1,
        ),
        ("ip", "Version 1.2.3.99, git 1.7.4.4, § 5.3.1.1, Chrome/16.0.45.96 Safari, 15.0.0.0/24", 0),
        ("ip", "5.3.1.1 Scope\n  * 5.3.1.2\n66.35.2.1 - - GET\nhost 8.8.8.8/x", 2),
        ("phone", "DFARS 252.227-7013, 0.8009 0.6520 Work, Telefon 1999\u20132005, Nummer 123 456 789", 0),
        (
            "phone",
            (
                "Call Ann on 0131 496 0724; unter 030 901820; au 01 23 45 67 89; Llámame al 912 345 678; dzwonić pod"
                " 601 123 456"
            ),
            5,
        ),
        ("phone", "unter 0999, au 99 23 45 67 89, numero 1234567890, call 0131 of 496", 0),
        ("payment_card", "PL53 2217 6202 9011 5303 9452 5642 4111 1111 1111 1111", 0),
        ("national_id", "[213] (0) 770-08-2000", 0),
        (
            "street_address",
            (
                "10135 E. Via Linda #D124, Scottsdale, AZ 85258; 4 Oak Rise, Leeds LS1 4AP; (c) 2003 Wizards, Renton,"
                " WA 98055"
            ),
            2,
        ),
        (
            "street_address",
            "8 wressle road suite 771; 106 Kate Edger Place, BINSTED, Hants; She lives at 12 Oak Glen",
            3,
        ),
        ("street_address", "9 Place Names; 20 Route Planning; 12 Oak Glen; 7 Pine Rest Stops", 0),
        ("street_address", "Ostring 28, 44787 Bochum; Ostring 28; Tolstraat 8, 3861BJ Nijkerk; Dorpsdreef 3", 3),
    ],
)
def test_what_counts(kind: str, text: str, count: int) -> None:
    assert counts_of([text])[kind] == [count]


# One number of each state that passes, and the word that announces it where one is needed. Made up; the check digits
# are right.
NATIONAL = {
    "Austria": ("SVNR: ", "1237 010180"),
    "Belgium": ("", "85.07.30-033.28"),
    "Bulgaria": ("EGN ", "7523169263"),
    "Croatia": ("OIB: ", "33392005961"),
    "Czechia": ("", "710319/2745"),
    "Denmark": ("CPR-nr. ", "211062-5629"),
    "Estonia": ("isikukood ", "36805280109"),
    "Finland": ("", "131052-308T"),
    "France": ("", "2 95 10 99 126 111 93"),
    "Germany, tax": ("Steuer-ID: ", "36 574 261 809"),
    "Germany, pension": ("", "15070649C103"),
    "Germany, pension in groups": ("RV-Nr. ", "65 170839 J 003"),
    "Germany, card": ("Personalausweis ", "T220001293"),
    "Greece": ("ΑΜΚΑ: ", "01013099997"),
    "Ireland": ("PPS No. ", "1234567FA"),
    "Italy": ("", "RCCMNL83S18D969H"),
    "Netherlands": ("BSN: ", "111222333"),
    "Poland": ("PESEL ", "44051401359"),
    "Portugal": ("NIF ", "123 456 789"),
    "Romania": ("CNP: ", "1630615123457"),
    "Spain": ("", "54362315K"),
    "Spain, foreigners": ("", "X-2482300-W"),
    "Sweden": ("personnummer ", "880320-0016"),
    "Sweden, long": ("", "19880320-0016"),
    "United Kingdom": ("", "AB 12 34 56 C"),
    "United Kingdom, short": ("National Insurance number: ", "AB123456"),
    "United States": ("SSN ", "531217351"),
}


@pytest.mark.parametrize("state", NATIONAL)
def test_national_numbers(state: str) -> None:
    word, number = NATIONAL[state]
    text = f"x {word}{number} y".encode()
    assert [text[start:stop].decode() for start, stop in search(text, "national_id")] == [number]
    if word:
        assert search(f"x {number} y".encode(), "national_id") == []


# A digit cannot be wrong where nothing checks it: Denmark gave its check digit up, the United Kingdom and the United
# States have none.
@pytest.mark.parametrize("state", [state for state in NATIONAL if not state.startswith(("Denmark", "United"))])
def test_a_wrong_last_character_is_no_number(state: str) -> None:
    word, number = NATIONAL[state]
    last = "BCDEFGHJKLMNPQRSTVWXYZ" if number[-1].isalpha() else "0123456789"
    wrong = [f"{word}{number[:-1]}{other}" for other in last if other != number[-1]]
    passed = [text for text in wrong if search(text.encode(), "national_id")]
    # The rest mod 10 of two sums mod 11 coincides, two centuries have keys of their own, and PPS has two letters after
    # its seven digits.
    assert len(passed) <= (len(wrong) if state == "Ireland" else 1)


def test_counts_belong_to_their_documents() -> None:
    documents = ["", "a@b.cd", "nothing", "x 8.8.8.8\ny 8.8.4.4 e@f.gh", "212-555-0100 078-05-1120"]
    assert {kind: counts for kind, counts in counts_of(documents).items() if any(counts)} == {
        "email": [0, 1, 0, 1, 0],
        "phone": [0, 0, 0, 0, 1],
        "ip": [0, 0, 0, 2, 0],
        "national_id": [0, 0, 0, 0, 1],
    }


def test_spans_say_where() -> None:
    documents = ["ü: a@b.cd", "", "x\nmail e@f.gh now"]
    spans = find_spans(*buffers(documents))["email"]
    places = zip(*(column.tolist() for column in spans), strict=True)
    assert [(document, documents[document].encode()[start:stop]) for document, start, stop in places] == [
        (0, b"a@b.cd"),
        (2, b"e@f.gh"),
    ]


def test_offsets_need_not_begin_at_zero() -> None:
    data, offsets = buffers(["a@b.cd ", "e@f.gh", "93.184.216.34"])
    assert {name: counts.tolist() for name, counts in count_spans(data, offsets[1:]).items() if counts.any()} == {
        "email": [1, 0],
        "ip": [0, 1],
    }


def test_a_document_of_numbers_is_searched_once() -> None:
    """A megabyte of cores: the time must not grow with the number of cores in a run."""
    numbers = "123-45-6789-" * 90_000
    assert counts_of([numbers, "8.8.8.8." * 30_000, "a@" * 300_000]) == {kind: [0, 0, 0] for kind in KINDS}


def test_longest_matches_are_as_long_as_said() -> None:
    """The runs around cores are cut to these lengths."""
    for pattern, exact in zip(PATTERNS, exact_patterns(), strict=True):
        assert _parser.parse(exact.pattern).getwidth()[1] <= pattern.longest


def test_no_pattern_sees_the_border() -> None:
    for pattern in PATTERNS:
        assert re.match(pattern.seen, b"\x00") is None


def test_a_gap_ends_at_the_border() -> None:
    assert counts_of(["BSN \x00 111222333", "born\x001970-03-03"])["national_id"] == [0, 0]


def test_numbering_plans_are_those_of_phonenumbers() -> None:
    agreed = 0
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions[:2]:
            example = (
                phonenumbers.example_number_for_non_geo_entity(code)
                if region == "001"
                else phonenumbers.example_number(region)
            )
            if example is None:
                continue
            national = phonenumbers.national_significant_number(example)
            for number in (national, national[:-1], "1" + national, national[::-1]):
                zeros = len(number) - len(number.lstrip("0"))
                parsed = phonenumbers.PhoneNumber(
                    country_code=code,
                    national_number=int(number),
                    italian_leading_zero=zeros > 0 or None,
                    number_of_leading_zeros=zeros or None,
                )
                assert is_national(code, number.encode()) == phonenumbers.is_valid_number(parsed), (code, number)
                agreed += 1
    assert agreed > 800


def test_carrier_sentences_are_divided_evenly() -> None:
    """Twenty and more of each kind, all with one place for the value; neither half has more than one more of a language
    and kind.
    """
    totals: dict[str, int] = {}
    for locales, what, lines in carriers((HERE / "personal_sentences.txt").read_text()):
        assert locales or what.startswith("not: ")
        halves = [sum(half == name for _, half in lines) for name in HALVES]
        assert abs(halves[0] - halves[1]) <= 1
        assert all(line.count("{}") == 1 for line, _ in lines)
        totals[what] = totals.get(what, 0) + len(lines)
    of_kinds = {
        what: count
        for what, count in totals.items()
        if not what.startswith("not: ") and what not in ("email", "tax_id")
    }
    assert min(of_kinds.values()) >= 20
    assert len(totals) - len(of_kinds) >= 20


def test_scores_of_made_up_sentences() -> None:
    texts = [("email", "x a@b.co", 2, 8), ("email", "x localhost 8.8.8.8", 2, 11), (None, "a@b.co and a@b.cd", 0, 0)]
    made = [
        Sentence(HALVES[1], "en_US", kind or "not: mail", kind, text.encode(), start, stop)
        for kind, text, start, stop in texts
    ]
    results = outcomes(made)
    table = held_out_scores(made, results, HALVES[1])
    assert table["email"]["en_US"] == (2, 1, 1, 1)
    assert table["all email"]["all"] == (2, 1, 3, 1)
    assert table["all ip"]["all"] == (0, 0, 1, 0)
    assert false_alarms(made, results, HALVES[1])["not: mail"] == {"sentences": 1, "email": 2}
    assert held_out_scores(made, results, HALVES[0]) == {}


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="../shared is not here")
def test_precision_and_recall_on_labelled_sentences() -> None:
    """What is reached; `docs/personal-information.md` says what is missed and why."""
    assert SHARED is not None
    reached = {
        kind: (score.precision, score.recall) for kind, score in scores(read_labelled(SHARED)).items() if score.labelled
    }
    assert {kind: precision for kind, (precision, _) in reached.items()} == dict.fromkeys(reached, 1.0)
    floors = {
        "email": 1.0,
        "phone": 1.0,
        "ip": 1.0,
        "national_id": 1.0,
        "payment_card": 1.0,
        "street_address": 0.58,
        "date_of_birth": 0.5,
    }
    for kind, (_, recall) in reached.items():
        assert recall is not None
        assert recall >= floors[kind]


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="../shared is not here")
def test_made_up_people() -> None:
    assert SHARED is not None
    with open(SHARED / "corpora" / "pii" / "FakeNameGenerator.com_100.csv", encoding="utf-8-sig") as lines:
        people = list(csv.DictReader(lines))
    for column, kind, floor in [("EmailAddress", "email", 100), ("CCNumber", "payment_card", 100)]:
        assert sum(len(search(person[column].encode(), kind)) for person in people) == floor
    assert sum(len(search(f"born {person['Birthday']}".encode(), "date_of_birth")) for person in people) == 100
    assert sum(bool(search(f"Tel: {person['TelephoneNumber']}".encode(), "phone")) for person in people) >= 96
    abroad = [f"+{person['TelephoneCountryCode']} {person['TelephoneNumber']}" for person in people]
    assert sum(bool(search(number.encode(), "phone")) for number in abroad) >= 93
    # Parcel numbers, coordinates, money transfers and versions of browsers are none of these.
    others = "\n".join(
        value for person in people for column, value in person.items() if column not in ("CCNumber", "NationalID")
    )
    assert {kind: search(others.encode(), kind) for kind in ("ip", "iban", "national_id")} == {
        "ip": [],
        "iban": [],
        "national_id": [],
    }


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="../shared is not here")
def test_books_hold_next_to_nothing() -> None:
    assert SHARED is not None
    texts = read_texts(SHARED / "corpora" / "books" / "novels.jsonl.gz")
    rate = rates(texts)
    assert sum(rate[kind] for kind in KINDS) < 2


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="../shared is not here")
def test_mail_is_counted_as_by_the_patterns_alone() -> None:
    assert SHARED is not None
    with gzip.open(SHARED / "corpora" / "pii" / "spamassassin.jsonl.gz", "rt") as lines:
        documents = [
            json.loads(line)["text"].encode("utf-8", "replace").decode()
            for _, line in zip(range(200), lines, strict=False)
        ]
    counts = counts_of(documents)
    for kind in KINDS:
        assert counts[kind] == [len(search(document.encode(), kind)) for document in documents]
    assert np.sum(counts["email"]) > 500
