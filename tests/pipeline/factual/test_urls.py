"""Lists of URLs, and Wikipedia's dump of its external links."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from manifests.errors import GristmillError
from pipeline.factual.urls import bare_url, external_links, listed, read_url_hashes, write_links

NEW = """-- MySQL dump
CREATE TABLE `externallinks` (
  `el_id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `el_from` int(8) unsigned NOT NULL DEFAULT 0,
  `el_to_domain_index` varbinary(255) NOT NULL DEFAULT '',
  `el_to_path` blob DEFAULT NULL,
  PRIMARY KEY (`el_id`),
  KEY `el_from` (`el_from`)
) ENGINE=InnoDB;
INSERT INTO `externallinks` VALUES (1,12,'https://org.example.www.','/a,(b)?c=\\'d\\''),(2,12,'http://com.example.:8080','/'),(3,7,'http://V4.192.0.2.1.',NULL);
INSERT INTO `externallinks` VALUES (4,9,'mailto:org.example.@me',''),(5,9,'https://uk.co.mühle.','/x\\\\y');
"""
OLD = """CREATE TABLE `externallinks` (
  `el_id` int(8) unsigned NOT NULL,
  `el_from` int(8) unsigned NOT NULL,
  `el_to` blob NOT NULL,
  `el_index` blob NOT NULL,
  `el_index_60` varbinary(60) NOT NULL
);
INSERT INTO `externallinks` VALUES (1,12,'http://www.example.org/a;b','http://org.example.www./a;b','http://org.example.www./a;b');
"""


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://www.Example.org/Path/", "example.org/Path"),
        ("http://example.org:80/Path#part", "example.org/Path"),
        ("//user@example.org/Path", "example.org/Path"),
        ("example.org", "example.org"),
        ("https://Mühle.example/ä", "xn--mhle-0ra.example/ä"),
        ("https://example.org/@user", "example.org/@user"),
        ("https://example.org:8080/?q=http://a.b/", "example.org:8080/?q=http://a.b"),
    ],
)
def test_what_is_compared_of_a_url(url: str, bare: str) -> None:
    assert bare_url(url) == bare


@pytest.mark.parametrize("packed", [False, True])
def test_a_list(tmp_path: Path, packed: bool) -> None:
    data = b"http://www.example.org/a/\n\n  https://example.org/b\nhttps://example.org/b#c\n"
    (tmp_path / "urls").write_bytes(gzip.compress(data) if packed else data)
    hashes = read_url_hashes(str(tmp_path / "urls"))
    assert len(hashes) == 2
    urls = ["https://example.org/a", None, "https://example.org/c", "http://example.org/b?", "http://example.org/b"]
    assert listed(urls, hashes).tolist() == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no URL"),
        (b"\n \n", "holds no URL"),
        (b"\xff\n", "is no list of URLs"),
        (gzip.compress(b"a" * 99, mtime=0)[:-4], "is no list"),
    ],
)
def test_files_that_are_no_lists(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "urls").write_bytes(data)
    with pytest.raises(GristmillError, match=message):
        read_url_hashes(str(tmp_path / "urls"))


def test_a_missing_list(tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="no such file"):
        read_url_hashes(str(tmp_path / "urls"))


def test_a_dump(tmp_path: Path) -> None:
    (tmp_path / "new.sql.gz").write_bytes(gzip.compress(NEW.encode()))
    (tmp_path / "old.sql").write_text(OLD)
    assert list(external_links(str(tmp_path / "new.sql.gz"))) == [
        "https://www.example.org/a,(b)?c='d'",
        "http://example.com:8080/",
        "http://192.0.2.1",
        "https://mühle.co.uk/x\\y",
    ]
    assert list(external_links(str(tmp_path / "old.sql"))) == ["http://www.example.org/a;b"]


def test_the_list_of_a_dump(tmp_path: Path) -> None:
    (tmp_path / "new.sql").write_text(NEW)
    out = tmp_path / "urls.gz"
    assert write_links(str(tmp_path / "new.sql"), str(out)) == 4
    first = out.read_bytes()
    assert gzip.decompress(first).decode().splitlines()[0] == "https://www.example.org/a,(b)?c='d'"
    write_links(str(tmp_path / "new.sql"), str(out))
    assert out.read_bytes() == first
    assert listed(["http://example.org/a,(b)?c='d'"], read_url_hashes(str(out))).tolist() == [True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("INSERT INTO `page` VALUES (1,2);\n", "is no dump of the table `externallinks`"),
        ("nothing\n", "holds no external link"),
    ],
)
def test_files_that_are_no_dumps(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "dump.sql").write_text(text)
    with pytest.raises(GristmillError, match=message):
        write_links(str(tmp_path / "dump.sql"), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
