import bz2
import gzip

import pytest
from hypothesis import given

from manifests.errors import GristmillError
from pipeline.readers import plain_text
from pipeline.readers.plain_text import Undecodable, decode, read_plain_text, without_licence
from tests.pipeline.readers.collected import collect
from tests.pipeline.readers.samples import write
from tests.property.texts import any_text, thorough

BOOK = "CHAPTER I.\n\nIt was the best of times, it was the worst of times.\n\n" * 20


def read(path):
    return collect(read_plain_text(str(path), name=f"books/{path.name}"))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_one_file_is_one_document(tmp_path, pack):
    result = read(write(tmp_path / "book.txt", pack(BOOK.encode())))
    (record,) = result.documents
    assert (record.offset, record.name, record.url, record.text) == (0, "books/book.txt", None, BOOK)
    assert result.total == 1


@given(any_text)
@thorough
def test_utf_8_comes_back_as_it_was(text):
    text = text.replace("\x00", "").replace("\r", "")
    text = "".join(character for character in text if ord(character) >= 32 or character in "\t\n\v\f\b\x1a\x1b").lstrip(
        "\ufeff"
    )
    assert decode(text.encode()).text == text
    assert decode(text.encode("utf-8-sig")).text == text


@pytest.mark.parametrize(
    "charset", ["utf-16", "utf-32", "cp1252", "iso8859-2", "koi8-r", "cp1251", "shift_jis", "gb18030", "euc_kr"]
)
def test_other_charsets_are_found(charset):
    text = {
        "iso8859-2": "Był sobie młynarz, który mieszkał nad rzeką, i miał trzech synów; każdy z nich był leniwy.\n",
        "koi8-r": "Жил-был старый мельник, и было у него три сына, и все они были ленивы.\n",
        "cp1251": (
            "В начале июля, в чрезвычайно жаркое время, под вечер, один молодой человек вышел из своей каморки на"
            " улицу.\n"
        ),
        "shift_jis": "昔々、あるところにおじいさんとおばあさんが住んでいました。おじいさんは山へ行きました。\n",
        "euc_kr": "옛날 옛적에 한 방앗간 주인이 살았는데 아들이 셋 있었고 모두 게을렀습니다.\n",
        "gb18030": "从前有一个磨坊主，他有三个儿子。他们都很懒，什么事情也不愿意做。\n",
    }.get(
        charset, "Es war einmal ein Müller, der hatte drei Söhne; jeder von ihnen träumte vom Glück – “für später”.\n"
    )
    assert decode((text * 20).encode(charset)).text == text * 20


def test_a_short_text_in_another_script_is_found():
    text = "Жил-был старый мельник, и было у него три сына, и все они были ленивы.\n"
    for charset in ("cp1251", "koi8-r"):
        assert decode(text.encode(charset)).text == text


def test_a_declared_charset_goes_before_detection():
    text = "The Project Gutenberg EBook\n\nCharacter set encoding: ISO-8859-15\n\nThe price was 5 € in all.\n"
    assert decode(text.encode("iso-8859-15")).text == text
    assert "5 € in all" in decode(text.replace("ISO-8859-15", "hex").encode("cp1252")).text  # no charset of text


def test_one_stray_byte_does_not_make_utf_8_another_charset():
    text = "naïve café – résumé; " * 2_000
    decoded = decode(text.encode() + b"\xff end")
    assert decoded.text == text + "\ufffd end"
    assert decoded.lost == {("replaced_characters", "utf-8"): 1}
    assert decode("café au lait\n".encode("latin-1") * 3).text == "café au lait\n" * 3


@pytest.mark.parametrize(
    "text",
    [
        "Wir trinken Tee im Café",
        "Einen lieben Gruß",
        "Er sagte: é»",
        "Voilà",
        "é",
        "Price: 10²",
        "PERCHÉ",
        "Käse und noch ein Café",
        "À très bientôt à",
    ],
)
def test_the_last_accent_of_a_text_in_latin_1_is_no_cut_character(text):
    decoded = decode(text.encode("cp1252"))
    assert (decoded.text, decoded.encoding, decoded.replaced) == (text, "windows-1252", 0)


@pytest.mark.parametrize("cut", [1, 2])
def test_a_character_that_the_end_of_a_text_in_utf_8_cuts_is_no_loss(cut):
    for text in ("Tea at the café is “good", "She said: ", "日本"):
        decoded = decode((text + "’").encode()[:-cut] if cut == 1 or not text.isascii() else text.encode())
        assert (decoded.text, decoded.encoding, decoded.replaced) == (text, "utf-8", 0)


def test_line_ends_become_line_feeds():
    assert decode(b"one\r\ntwo\rthree\n").text == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\x00\x00",
        b"text \x00 with NUL",
        b"\xff\xfe" + b"\x00\xd8" * 500,
        bytes(range(1, 256)) * 20,
    ],
)
def test_what_is_no_text_is_broken(tmp_path, data):
    with pytest.raises(Undecodable):
        decode(data)
    result = read(write(tmp_path / "x", data))
    assert (result.total, result.kinds) == (1, ["undecodable"])


def test_other_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(plain_text, "MOST_TEXT_BYTES", 100_000)
    packed = gzip.compress("".join(map(str, range(9_000))).encode())
    cases = [(b"x" * 100_001, "text too large"), (packed[:-100], "damaged gzip"), (b"", "empty file")]
    for data, kind in cases:
        result = read(write(tmp_path / "x", data))
        assert (result.total, result.kinds, result.broken[0].name) == (1, [kind], "books/x")
    assert "split it" in read(write(tmp_path / "x", b"x" * 100_001)).broken[0].error
    assert read(write(tmp_path / "x", b" \n\n")).skipped == {"empty_text": 1}
    with pytest.raises(GristmillError, match="no such file"):
        read(tmp_path / "gone")


NEW = "*** START OF THE PROJECT GUTENBERG EBOOK A TALE ***", "*** END OF THE PROJECT GUTENBERG EBOOK A TALE ***"
OLD = (
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*",
    "End of Project Gutenberg's A Tale, by Charles Dickens",
)
THIS = (
    "***START OF THIS PROJECT GUTENBERG EBOOK A TALE,\nOR THE OTHER***",
    "***END OF THIS PROJECT GUTENBERG EBOOK A TALE***",
)


@pytest.mark.parametrize(("beginning", "end"), [NEW, OLD, THIS])
def test_the_licence_goes_when_both_its_marks_are_there(beginning, end):
    whole = (
        f"Title: A Tale\nThis eBook is free.\n\n{beginning}\n\n\n{BOOK}\n\n{end}\n\nSTART: FULL LICENSE\nlong terms\n"
    )
    assert without_licence(whole) == BOOK.strip("\n") + "\n"


@pytest.mark.parametrize(
    "text",
    [
        BOOK,
        f"{NEW[0]}\n{BOOK}",
        f"{BOOK}\n{NEW[1]}",
        f"{NEW[1]}\n{BOOK}\n{NEW[0]}",
        f"He read: {NEW[0]} and then {NEW[1]} in one line.",
    ],
)
def test_a_text_without_both_marks_in_order_stays_whole(text):
    assert without_licence(text) == text
