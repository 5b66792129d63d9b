"""MediaWiki XML dumps (`pages-articles`), compressed or not.

A record is a `<page>`; its offset is that of its tag in the decompressed stream.

Documents are the articles: namespace 0, wikitext, no redirect; the title is their first line, the page id their name.
Other pages are skipped as `not_article`, `redirect`, `not_wikitext`, `page_too_large`, `empty_text`. Of several
revisions the last one counts. A place that is not XML costs the page it is in: reading continues at the next `<page>`.
Document types, and with them entities, are refused. Titles, ids and addresses of a site that are longer than MediaWiki
has them are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from manifests.step import Problem
from pipeline.readers.records import EXCERPT_BYTES, Batcher, Record, Records, unforeseen
from pipeline.readers.wiki.functions import as_title
from pipeline.readers.wiki.wikitext import extract_wikitext
from pipeline.readers.xml_stream import Handler, parse

# MediaWiki refuses pages above 2 MiB ($wgMaxArticleSize).
MOST_PAGE_CHARACTERS = 8 << 20
_MOST_ID_DIGITS = 64
_MOST_BASE = 2_000
_FILE_NAMESPACES = ("-2", "6", "14")  # Media, File, Category: links into them are not running text
_PAGE_FIELDS = {
    "page/title": "title",
    "page/ns": "ns",
    "page/id": "id",
    "page/revision/text": "text",
    "page/revision/model": "model",
}
_SITE_FIELDS = {"siteinfo/base": "base", "siteinfo/namespaces/namespace": "namespace"}
# Which letters there are beyond the first plane depends on the Python.
_REDIRECT = re.compile(r"\s*#redirect(?![^\W\U00010000-\U0010ffff])", re.IGNORECASE)


def read_mediawiki(path: str) -> Iterator[Records]:
    """Batches of one file, in its order.

    Raises:
        GristmillError: the file is missing.
    """
    pages = _Pages()
    for _ in parse(path, pages, root="mediawiki", record=b"<page>", holds="page"):
        yield from pages.batcher.full()
    yield pages.batcher.take()


@dataclass
class _Pages(Handler):
    """What the parser has seen of the site and of the current page."""

    batcher: Batcher = field(default_factory=Batcher)
    page: dict[str, str] | None = None
    page_offset: int = 0
    parts: list[str] | None = None
    size: int = 0
    base_url: str | None = None
    namespace: str = ""
    dropped: set[str] = field(default_factory=lambda: {"media", "file", "image", "category"})

    def restarted(self) -> None:
        self.page, self.parts = None, None

    def lost(self, offset: int, problem: Problem, excerpt: bytes) -> None:
        """Quarantine the page that the damage lies in, or the place of the damage."""
        page, self.page = self.page, None
        self.batcher.quarantine(
            offset if page is None else self.page_offset,
            None if page is None else page.get("id"),
            problem if page is None else problem._replace(detail=f"{problem.detail}; at byte {offset}"),
            excerpt,
        )

    def opened(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self.path) == 2 and tag == "page":
            self.page, self.page_offset = {}, self.offset()
        elif self.page is not None and len(self.path) == 3 and tag == "redirect":
            self.page["redirect"] = attributes.get("title", "")
        elif tag == "namespace":
            self.namespace = attributes.get("key", "")
        if self.wanted() is not None:
            self.parts, self.size = [], 0

    def wanted(self) -> str | None:
        """The name under which the text of the current element is kept. Contributors have an id of their own."""
        return (_SITE_FIELDS if self.page is None else _PAGE_FIELDS).get("/".join(self.path[1:]))

    def characters(self, data: str) -> None:
        if self.parts is not None:
            self.size += len(data)
            if self.size <= MOST_PAGE_CHARACTERS:
                self.parts.append(data)

    def closed(self, tag: str) -> None:
        name = self.wanted()
        if name is not None and self.parts is not None:
            text, self.parts = "".join(self.parts), None
            if name == "base":
                self.base_url = text.rsplit("/", 1)[0] + "/" if "/" in text and len(text) <= _MOST_BASE else None
            elif name == "namespace":
                if self.namespace in _FILE_NAMESPACES and text:
                    self.dropped.add(text.lower())
            elif self.page is not None:
                self.page[name] = text
                if self.size > MOST_PAGE_CHARACTERS:
                    self.page["too_large"] = name
        if tag == "page" and len(self.path) == 2 and self.page is not None:
            page, self.page = self.page, None
            self.finish(page)

    def finish(self, page: dict[str, str]) -> None:
        """Count one page."""
        source, title = page.get("text", ""), as_title(page.get("title", "").strip())
        number = page.get("id", "")
        name = number if 0 < len(number) <= _MOST_ID_DIGITS else None
        if page.get("ns", "0").strip() != "0":
            self.batcher.skip("not_article")
        elif "redirect" in page or _REDIRECT.match(source):
            self.batcher.skip("redirect")
        elif page.get("model", "wikitext") != "wikitext":
            self.batcher.skip("not_wikitext")
        elif "too_large" in page:
            self.batcher.skip("page_too_large")
        else:
            try:
                extracted = extract_wikitext(source, title=title, dropped_namespaces=self.dropped)
            except Exception as error:
                self.batcher.quarantine(self.page_offset, name, unforeseen(error), source[:EXCERPT_BYTES].encode())
                return
            text = extracted.text
            # A title alone is not a document.
            url = (
                None
                if self.base_url is None or not title
                else self.base_url + quote(title.replace(" ", "_"), safe="/:(),;@!$*'~")
            )
            self.batcher.add(
                Record(self.page_offset, name, url, f"{title}\n\n{text}" if text and title else text, extracted.lost)
            )
