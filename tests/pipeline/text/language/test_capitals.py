"""Texts in capitals get the same language as in lower case."""

from __future__ import annotations

import unicodedata

import pytest

from kernels.character_ranges import UNICODE
from pipeline.text.language.capitals import in_capitals, lower_case, small_letters
from pipeline.text.language.identify import identify
from tests.property.texts import buffers

# Notices made up in capitals, Greek without its accents, Turkish with its dotted and dotless letters.
NOTICES = {
    "en": [
        "MY FRIEND IS A BIRD AND HE LIKES TO SING IN THE MORNING WHEN THE SUN COMES UP OVER THE HILLS.",
        "PROJECT TAGGING CRITERIA AND RULES FOR THE NEW WAREHOUSE WERE SENT TO ALL MEMBERS LAST WEEK.",
        "ＤＡＮＣＩＮＧ ＦＯＲ ＦＵＮ ＩＳ ＴＨＥ ＢＥＳＴ ＷＡＹ ＴＯ ＳＰＥＮＤ ＡＮ ＥＶＥＮＩＮＧ ＷＩＴＨ ＦＲＩＥＮＤＳ",
        "ᴅᴀɴᴄɪɴɢ ꜰᴏʀ ꜰᴜɴ ɪs ᴛʜᴇ ʙᴇsᴛ ᴡᴀʏ ᴛᴏ sᴘᴇɴᴅ ᴀɴ ᴇᴠᴇɴɪɴɢ ᴡɪᴛʜ ꜰʀɪᴇɴᴅs ᴀɴᴅ ꜰᴀᴍɪʟʏ",
        "𝐃𝐚𝐧𝐜𝐢𝐧𝐠 𝐟𝐨𝐫 𝐟𝐮𝐧 𝐢𝐬 𝐭𝐡𝐞 𝐛𝐞𝐬𝐭 𝐰𝐚𝐲 𝐭𝐨 𝐬𝐩𝐞𝐧𝐝 𝐚𝐧 𝐞𝐯𝐞𝐧𝐢𝐧𝐠 𝐰𝐢𝐭𝐡 𝐟𝐫𝐢𝐞𝐧𝐝𝐬",
        "dancing for fun is the best way to spend an evening with friends",
        "Dancing For Fun Is The Best Way To Spend An Evening With Friends",
        "THE HALL IS CLOSED ON SUNDAYS. Please ask the porter for the key when you want to use it in the evening.",
    ],
    "de": ["DIE HALLE BLEIBT AM SONNTAG GESCHLOSSEN, BITTE FRAGEN SIE IN DER STRASSE GEGENÜBER NACH DEM SCHLÜSSEL."],
    "fr": ["LA SALLE EST FERMÉE LE DIMANCHE, VEUILLEZ DEMANDER LA CLÉ À LA GARDIENNE DE L'IMMEUBLE VOISIN."],
    "es": ["LA SALA ESTÁ CERRADA LOS DOMINGOS, PIDA LA LLAVE A LA SEÑORA DE LA CASA DE ENFRENTE POR FAVOR."],
    "ru": ["ЗАЛ ЗАКРЫТ ПО ВОСКРЕСЕНЬЯМ, ПОЖАЛУЙСТА СПРОСИТЕ КЛЮЧ У СОСЕДКИ ИЗ ДОМА НАПРОТИВ."],
    "el": ["Η ΑΙΘΟΥΣΑ ΕΙΝΑΙ ΚΛΕΙΣΤΗ ΤΗΝ ΚΥΡΙΑΚΗ, ΠΑΡΑΚΑΛΩ ΖΗΤΗΣΤΕ ΤΟ ΚΛΕΙΔΙ ΑΠΟ ΤΗ ΓΕΙΤΟΝΙΣΣΑ."],
    "tr": ["SALON PAZAR GÜNLERİ KAPALIDIR, LÜTFEN ANAHTARI KARŞI EVDEKİ KOMŞUDAN İSTEYİNİZ."],
    "pl": ["SALA JEST ZAMKNIĘTA W NIEDZIELE, PROSZĘ ZAPYTAĆ O KLUCZ SĄSIADKĘ Z DOMU NAPRZECIWKO."],
    "hy": ["ԴԱՀԼԻՃԸ ՓԱԿ Է ԿԻՐԱԿԻ ՕՐԵՐԻՆ, ԽՆԴՐՈՒՄ ԵՆՔ ԲԱՆԱԼԻՆ ՀԱՐՑՆԵԼ ՀԱՐԵՎԱՆԻՆ:"],
}


@pytest.mark.parametrize("language", NOTICES)
def test_languages_of_notices(language: str) -> None:
    codes, scores = identify(*buffers(NOTICES[language]), characters=1_000)
    assert codes == [language] * len(codes)
    assert scores.min() > 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("12 34 !?", False),
        ("ABC", True),
        ("ABc", True),
        ("Ab", False),
        ("Ab Cd Ef", False),
        ("NASA launched a rocket", False),
        ("中国的 USA", False),
        ("中国 IBM公司", False),
        ("ÄÖÜ", True),
        ("äöü", False),
        ("ПРИВЕТ мир", True),
        ("привет МИР", False),
        ("“A” — B…", True),
        ("ＡＢＣａｂｃ", True),
        ("ß", False),
    ],
)
def test_what_is_in_capitals(text: str, expected: bool) -> None:
    assert in_capitals(*buffers(["x", text, "X"]), characters=100).tolist() == [False, expected, True]


def test_only_the_first_characters_are_looked_at() -> None:
    data, offsets = buffers(["ÄÄÄäääää", "äää" + "Ä" * 9])
    assert in_capitals(data, offsets, characters=3).tolist() == [True, False]
    assert in_capitals(data, offsets, characters=50).tolist() == [False, True]
    assert small_letters("ÄÖÜX".encode(), characters=3) == "äöü".encode()


def test_a_document_does_not_depend_on_its_batch() -> None:
    texts = [*NOTICES["en"], "", *NOTICES["de"], "a"]
    codes, scores = identify(*buffers(texts), characters=200)
    alone = [identify(*buffers([text]), characters=200) for text in texts]
    assert codes == [one[0][0] for one in alone]
    assert scores.tolist() == [float(one[1][0]) for one in alone]


@pytest.mark.skipif(unicodedata.unidata_version != UNICODE, reason=f"this Python knows another Unicode than {UNICODE}")
def test_the_table_is_that_of_unicode() -> None:
    table = lower_case()
    for first, end in (
        (0x41, 0x530),
        (0x531, 0x557),
        (0x1C90, 0x1CC0),
        (0x1E00, 0x2000),
        (0x2C60, 0x2C80),
        (0xA640, 0xA6A0),
        (0xA720, 0xA800),
    ):
        for point in range(first, end):
            small = chr(point).lower()
            # İ becomes two characters in full lower case, i in simple; small capitals stand for the plain letters.
            expected = "i" if point == 0x130 else small
            if chr(table.get(point, point)) != expected:
                assert "SMALL CAPITAL" in unicodedata.name(chr(point)), hex(point)
    for point in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), *range(0x1D400, 0x1D6A4)):
        plain = unicodedata.normalize("NFKC", chr(point)).lower()
        assert not plain.isascii() or len(plain) != 1 or chr(table[point]) == plain, hex(point)
