import bz2

import pytest

from manifests.errors import GristmillError
from pipeline.readers import xml_stream
from pipeline.readers.wiki import mediawiki
from tests.pipeline.readers.samples import SITE, read, wiki_dump, wiki_page, write


def dump_of(count):
    return wiki_dump(*(wiki_page(i, f"'''Page {i}''' has [[words]]. " * 50) for i in range(1, count + 1)))


def ids(result):
    return [int(record.name) for record in result.documents]


@pytest.mark.parametrize("pack", [bytes, bz2.compress])
def test_articles_with_title_id_url_and_offset(tmp_path, pack):
    data = wiki_dump(
        wiki_page(1, "'''Ähre''' is &lt;!-- no --&gt; a [[word]].", title="Ähre (Pflanze)"), wiki_page(2, "More.")
    )
    result = read(write(tmp_path / "d.xml", pack(data)), "mediawiki")
    assert [(r.name, r.url, r.text) for r in result.documents] == [
        ("1", "https://de.wikipedia.org/wiki/%C3%84hre_(Pflanze)", "Ähre (Pflanze)\n\nÄhre is a word."),
        ("2", "https://de.wikipedia.org/wiki/Page_2", "Page 2\n\nMore."),
    ]
    assert all(data[r.offset :].startswith(b"<page>") for r in result.documents)
    assert f"<id>{result.documents[1].name}</id>".encode() in data[result.documents[1].offset :]


def test_other_pages_are_skipped_under_their_reasons(tmp_path, monkeypatch):
    monkeypatch.setattr(mediawiki, "MOST_PAGE_CHARACTERS", 1_000)
    data = wiki_dump(
        wiki_page(1, "Talk.", namespace=1),
        wiki_page(2, "#REDIRECT [[x]]"),
        wiki_page(3, "x", extra='<redirect title="x"/>'),
        wiki_page(4, "{}", model="json"),
        wiki_page(5, "{{only|a template}}"),
        wiki_page(6, "x " * 1_000),
        wiki_page(7, ""),
        wiki_page(8, "Kept."),
    )
    result = read(write(tmp_path / "d.xml", data), "mediawiki")
    assert ids(result) == [8]
    assert result.skipped == {"not_article": 1, "redirect": 2, "not_wikitext": 1, "empty_text": 2, "page_too_large": 1}
    assert result.broken == []


def test_namespaces_named_by_the_site_are_dropped_from_the_text(tmp_path):
    (record,) = read(
        write(tmp_path / "d.xml", wiki_dump(wiki_page(1, "[[Datei:a.jpg|mini]]Text[[Kategorie:X]]"))), "mediawiki"
    ).documents
    assert record.text == "Page 1\n\nText"


def test_of_several_revisions_the_last_counts(tmp_path):
    page = wiki_page(1, "old").replace(
        "</revision>", "</revision><revision><id>9</id><model>wikitext</model><text>new</text></revision>"
    )
    assert read(write(tmp_path / "d.xml", wiki_dump(page)), "mediawiki").texts == ["Page 1\n\nnew"]


def test_fields_longer_than_mediawiki_has_them_are_left_out(tmp_path):
    long = wiki_page(1, "{{PAGENAME}} is here.", title="x" * 256)
    (record,) = read(write(tmp_path / "d.xml", wiki_dump(long)), "mediawiki").documents
    assert (record.text, record.url) == ("is here.", None)
    (record,) = read(write(tmp_path / "d.xml", wiki_dump(long).replace(b"x" * 256, b"x" * 255)), "mediawiki").documents
    assert record.text == "x" * 255 + "\n\n" + "x" * 255 + " is here."
    number = wiki_dump(wiki_page(1, "Text.")).replace(b"<id>1</id>", b"<id>" + b"1" * 300 + b"</id>")
    (record,) = read(write(tmp_path / "d.xml", number), "mediawiki").documents
    assert (record.name, record.text) == (None, "Page 1\n\nText.")
    base = wiki_dump(wiki_page(1, "Text.")).replace(b"https://de", b"https://de" + b"e" * 10_000)
    (record,) = read(write(tmp_path / "d.xml", base), "mediawiki").documents
    assert (record.url, record.text) == (None, "Page 1\n\nText.")


def test_truncated_xml_and_truncated_bzip2_deliver_the_pages_before(tmp_path):
    data = dump_of(20)
    for cut in (len(data) // 2, len(data) - 20):
        result = read(write(tmp_path / "d.xml", data[:cut]), "mediawiki")
        whole = data[:cut].count(b"</page>")
        assert ids(result) == list(range(1, whole + 1))
        assert result.kinds == ["damaged XML"]
    # Blocks of bzip2 hold 100 kB here.
    packed = bz2.compress(dump_of(300), 1)
    result = read(write(tmp_path / "d.xml.bz2", packed[: len(packed) * 3 // 4]), "mediawiki")
    assert ids(result) == list(range(1, len(result.documents) + 1))
    assert 100 < len(result.documents) < 300
    assert result.kinds == ["damaged bzip2"]


@pytest.mark.parametrize("damage", [b"<b", b"\xff\xfe", b"</wrong>", b"&undefined;", b"<x><x>", b"\x01", b"<![CDATA["])
def test_a_place_that_is_no_xml_costs_its_page_only(tmp_path, damage):
    data = dump_of(5).replace(b"Page 3'''", b"Page" + damage, 1)
    result = read(write(tmp_path / "d.xml", data), "mediawiki")
    # What only shows at the end of the file costs what lies between.
    assert ids(result) in ([1, 2, 4, 5], [1, 2])
    (broken,) = result.broken
    assert broken.error.startswith("damaged XML: ")
    assert (broken.offset, broken.name) == (data.index(b"<page>", data.index(b"<id>2</id>")), "3")


def test_damage_between_pages_costs_no_page(tmp_path):
    data = dump_of(3).replace(b"</page>", b"</page> <<< ", 1)
    result = read(write(tmp_path / "d.xml", data), "mediawiki")
    assert ids(result) == [1, 2, 3]
    assert result.kinds == ["damaged XML"]


def test_an_entity_bomb_is_refused(tmp_path):
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "x"}">' for i in range(30))
    data = f"<!DOCTYPE mediawiki [{entities}]>".encode() + wiki_dump(wiki_page(1, "&e29;"))
    result = read(write(tmp_path / "d.xml", data), "mediawiki")
    assert (result.total, result.kinds, result.broken[0].offset) == (1, ["refused"], 0)


def test_nesting_and_endless_tags_do_not_fill_memory(tmp_path, monkeypatch):
    nested = SITE.encode() + b"<a>" * 1_000_000
    assert read(write(tmp_path / "nested.xml", nested), "mediawiki").kinds == ["damaged XML"]
    monkeypatch.setattr(xml_stream, "MOST_UNPARSED", 1 << 20)
    endless = (
        SITE.encode()
        + b'<page a="'
        + b"x" * 4_000_000
        + b'"></page>'
        + wiki_page(1, "Text.").encode()
        + b"</mediawiki>"
    )
    result = read(write(tmp_path / "endless.xml", endless), "mediawiki")
    assert (ids(result), result.kinds) == ([1], ["damaged XML"])


@pytest.mark.parametrize("data", [b"no XML at all", b"{}\n", b"<html><body>x</body>", b"\x00" * 1_000])
def test_what_is_no_dump_is_one_broken_entry(tmp_path, data):
    result = read(write(tmp_path / "d.xml", data), "mediawiki")
    assert (result.total, result.kinds) == (1, ["damaged XML"])


def test_an_empty_file_is_one_broken_entry(tmp_path):
    for name, data in (("plain", b""), ("packed", bz2.compress(b""))):
        result = read(write(tmp_path / name, data), "mediawiki")
        assert (result.total, result.kinds, result.broken[0].offset) == (1, ["empty file"], 0)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GristmillError, match=r"gone\.xml: no such file"):
        read(tmp_path / "gone.xml", "mediawiki")
