"""National numbers at the edges of their rules, and on any day."""

from __future__ import annotations

import datetime

import pytest

from pipeline.text.personal import search
from tests.pipeline.text.personal.test_personal_information import NATIONAL

# What announces the number; numbers that count; numbers of the same shape that do not. Made up.
EDGES = {
    "Austria: months to 15 where a day is exhausted": (
        "SVNR ",
        "1232011280 1234011380 1238011580 1239290200",
        "1248011680 1235300280",
    ),
    "Belgium: months plus 20 and 40, unknown months and days, both centuries": (
        "INSZ ",
        "85073003328 85073003357 85273003371 85473003317 85003003376 85070003355 00022903313 00022903381",
        "01022903305 01022903334 99022903326 99022903355",
    ),
    "Bulgaria: months plus 20 and 40": (
        "EGN ",
        "7523169263 7552169260 0042299266 0002299267 0022299261",
        "7553169265 7561169263",
    ),
    "Croatia": ("OIB ", "33392005961", "33392005962"),
    "Czechia: months plus 50 and 20": (
        "",
        "710319/2745 712319/2747 717319/2741",
        "716319/2740 714319/2749 719319/2743",
    ),
    "Denmark: any check digit, births to come": (
        "CPR ",
        "211062-5629 211062-5620 010136-4000 290200-0000",
        "290201-0000 320162-5629",
    ),
    "Estonia": ("isikukood ", "36805280109 50002290100 40002290104", "30102290101"),
    "Finland: temporary numbers, all signs": (
        "",
        "131052-308T 131052Y308T 131052-002X 131052-899V 290200A3088 290200-3088 290200+3088",
        "131052-001W 131052-900W 131052-3080",
    ),
    "France: incomplete papers, Corsica": (
        "",
        "295209912611159 295429912611123 295509912611154 295999912611162 295102A12611122 295102B12611149",
        "295139912611144 295439912611139 295102A12611123",
    ),
    "Germany, tax: three together": ("Steuer-ID ", "11213456783 12131456787", "11123456786"),
    "Greece": ("AMKA ", "01013099997 29020099999", "29020199997"),
    "Ireland: second letters": ("PPSN ", "1234567FA 1234567AC 1234567WH 1234567TW 1234567T", "1234567FB"),
    "Italy: days plus 40, letters for digits": (
        "",
        "RCCMNL83S58D969L RCCMNLUPSMUD96VN RCCMNL00B29D969D",
        "RCCMNL83S18D969L RCCMNL01B29D969E",
    ),
    "Netherlands": ("BSN ", "123456782 111222333", "000000000 123456783"),
    "Poland: centuries": ("PESEL ", "00222912349 04022912341 44051401359", "00022912345 44051401358"),
    "Portugal: people": ("NIF ", "123456789 451234561", "512345678 461234564"),
    "Romania: any county": ("CNP ", "1630615123457 1630615993454 2000229123458", "2010229123451 1630615123456"),
    "Spain: foreigners": ("", "12345678Z X1234567L Y1234567X Z1234567R", "12345678L X1234567X"),
    "Sweden: coordination numbers": (
        "personnummer ",
        "8803200016 8803800013 8803890014 8803910010 0002290013",
        "8803920019 8803800014",
    ),
    "United Kingdom: prefixes": ("", "AB123456C", "GB123456C ZZ123456C"),
    "United States: numbers that adverts made known": (
        "SSN ",
        "078-05-1120 457-55-5462 219-09-9999",
        "666-05-1120 900-05-1120",
    ),
}


def counted(word: str, numbers: str) -> list[str]:
    return [number for number in numbers.split() if search(f"x {word}{number} y".encode(), "national_id")]


@pytest.mark.parametrize("rule", EDGES)
def test_edges(rule: str) -> None:
    word, right, wrong = EDGES[rule]
    assert counted(word, right) == right.split()
    assert counted(word, wrong) == []


def test_no_number_depends_on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library may ask whether somebody is born yet; masks are the same on any day."""

    class NoDay(datetime.date):
        @classmethod
        def today(cls) -> datetime.date:
            raise AssertionError("a mask asked for the day")

    monkeypatch.setattr(datetime, "date", NoDay)
    for word, number in NATIONAL.values():
        assert search(f"x {word}{number} y".encode(), "national_id")
    for word, right, wrong in EDGES.values():
        assert counted(word, right) == right.split()
        assert counted(word, wrong) == []
