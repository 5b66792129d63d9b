"""HTML to text: the main content of a page, by one of three extractors.

In: the decoded page. Out: its text, blocks separated by line breaks. No clock decides: limits are on size, tags and
depth, the same everywhere.

`resiliparse` is fast. `trafilatura` is precise. `adaptive` is as precise at a third of the cost of `trafilatura`: it
takes the element that holds the page's paragraphs (`pipeline.readers.web.html_container`), lets resiliparse extract
from that alone, and asks trafilatura only where the element is of no use: there are no paragraphs, or their element
holds hardly any text, or less than half of what resiliparse finds on the page. Where resiliparse alone finds hardly
anything, it is asked again for the element of the paragraphs. `docs/pipelines.md` has what was measured.

All three read the same page: what is not shown is not in it, figures are opened, powers are written out
(`pipeline.readers.web.html_tree`), and lists of running text stay (`pipeline.readers.web.html_lists`,
`pipeline.readers.web.html_restore`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from manifests.corpus import Extraction
from pipeline.losses import Extracted
from pipeline.readers.web.html_blocks import Blocks, blocks_of
from pipeline.readers.web.html_census import Census, take_census
from pipeline.readers.web.html_container import is_aside, paragraph_container
from pipeline.readers.web.html_cuts import without
from pipeline.readers.web.html_list_marks import DEEP
from pipeline.readers.web.html_lists import (
    Lists,
    all_lists,
    bulleted_lists,
    in_frame,
    keep_lists,
    put_deeper,
    with_losses,
)
from pipeline.readers.web.html_losses import lacks_paragraphs, lists_with_losses, lost_of
from pipeline.readers.web.html_precise import deeper_than, precise_text, too_complex_for_precise
from pipeline.readers.web.html_quotations import open_quotations
from pipeline.readers.web.html_restore import restore_lists
from pipeline.readers.web.html_syntax import signs
from pipeline.readers.web.html_tags import FORMATTING, NAMES
from pipeline.readers.web.html_tree import (
    names_of,
    open_cells,
    open_figures,
    raise_powers,
    remove_hidden,
    remove_names,
    remove_short_classes,
)

_BLOCKQUOTE = NAMES.index("blockquote")
# Common Crawl cuts pages at 1 MiB (5 MiB since 2025): what is larger is a dump or a bomb.
MOST_HTML_BYTES = 16 << 20
# Blink cuts its tree at this depth (kMaximumHTMLParserDOMTreeDepth); main-content extraction costs the square of the
# depth.
MOST_DEPTH = 512
# With fewer tags the worst page found by search costs two seconds.
_FEW_TAGS = 3_000
# Each tag costs 0.2 microseconds for each level of its depth; the development pages have up to 1 million, tags times
# levels.
_MOST_TAGS_BY_DEPTH = 20_000_000
# The parser opens unclosed formatting elements again in every block that follows: tags times elements, unless their
# attributes agree. Elements without attributes are held to three of a kind by the HTML standard (13.2.4.3, "Noah's Ark
# clause").
_MOST_REOPENED = 5_000_000
_FORMATTING_ANY = re.compile(rf"<(/?)(?:{'|'.join(FORMATTING)})(?=[\s/>])", re.IGNORECASE)
# `<a id="here"/>`, an empty element in XHTML, is never closed in HTML: all that follows would lie in a link, and
# extractors leave that out.
_EMPTY_ANCHOR = re.compile(r"""<(a\s(?:(?!href)[^<>]){0,300}?["'\s])/>""", re.IGNORECASE)
# Each attribute is compared with those before it: the cost is the square of the attributes in a tag. With so many in
# each tag, 16 MB of tags take six seconds, and trafilatura half a minute; the development pages have up to 917.
_MOST_ATTRIBUTES = 2_000
# `adaptive`: what the paragraphs' element must hold, as a share of what resiliparse finds on the page.
LEAST_SHARE = 0.5
# With more text than this the share is not looked at: it was hardly ever below, and the second extraction costs as much
# as the first.
ENOUGH_IN_CONTAINER = 2_000
# With fewer characters a page's text was perhaps not found: an element that holds the whole page may have a name
# ("print-only", "nav") that makes resiliparse leave it out. So it was with 11 of the 647 development pages, all of them
# articles.
LEAST_TEXT = 200
_ARTICLE = "article,main"
# What applications show before they have run: not text of the page, however little else there is.
_NOTICE = re.compile(r"cookie|consent|gdpr|privacy|modal|popup|overlay|dialog", re.IGNORECASE)
# Bullets of lists that are put back, as resiliparse writes them.
_BULLET = "  \u2022 "
# Pages with more tags and no paragraphs are listings and feeds, on which trafilatura spends most time and finds little;
# no limit gives the same F1 on the development pages.
MOST_TAGS_TO_ASK = 10_000


class TooComplex(Exception):
    """The page would cost far more than its size: nested too deeply, too many tags, or a tag with
    too many attributes.
    """


class _Page(NamedTuple):
    """A page that is being read.

    Attributes:
        html: its markup as it was parsed.
        body: None where the page has none, such as one of frames.
        tags: signs that may begin one.
    """

    html: str
    tree: HTMLTree
    body: Any | None
    tags: int
    census: Census
    blocks: Blocks


def extract_html(html: str, *, utf8: bytes | None = None, extraction: Extraction = "resiliparse") -> Extracted:
    """Text of the page's main content, and the elements of the page that it lacks (`pipeline.readers.web.html_losses`).

    Args:
        utf8: the same page in UTF-8, where it is at hand: to encode it takes a twentieth of the time.

    Raises:
        TooComplex: as `html_to_text`.
    """
    text, blocks = _extract(html, utf8, extraction)
    return Extracted(text, dict(lost_of(blocks, text)))


def html_to_text(html: str, *, extraction: Extraction = "resiliparse") -> str:
    """Text of the page's main content.

    Raises:
        TooComplex: the page is nested deeper than `MOST_DEPTH` (less with more than 39,000 tags), or a tag has more
            than 2,000 attributes; for `trafilatura` also beyond the limits of `pipeline.readers.web.html_precise`.
            Where `adaptive` may not ask trafilatura, or gets nothing from it, it takes resiliparse's text.
    """
    return _extract(html, None, extraction)[0]


def _extract(html: str, utf8: bytes | None, extraction: Extraction) -> tuple[str, Blocks]:
    """Text of the page's main content, and the blocks of the page."""
    markup = html.encode("utf-8", "surrogatepass") if utf8 is None else utf8
    blocks = blocks_of(markup)
    # Trafilatura looks for the text of articles in scripts, too.
    whole = partial(_whole_page, markup, html, blocks)
    if extraction == "trafilatura":
        return _precise(whole()), blocks
    shown = without(markup, blocks.cuts)
    page = _parse(shown, shown.decode("utf-8", "surrogatepass"), blocks.census or take_census(shown), blocks)
    if page.body is None:
        return "", blocks
    if extraction == "resiliparse":
        return _resiliparse(page), blocks
    return _adaptive(page, whole), blocks


def _resiliparse(page: _Page) -> str:
    _open(page)
    return _fast(page, bulleted_lists(page.body, page.blocks))


def _adaptive(page: _Page, whole: Callable[[], _Page]) -> str:
    """Resiliparse's text of the element that holds the paragraphs, else trafilatura's of the whole page, else
    resiliparse's.
    """
    body: Any = page.body
    # Before the paragraphs are counted.
    remove_hidden(body)
    _open(page)
    container = paragraph_container(body)
    lists = all_lists(body, page.blocks, framed=container is not None and in_frame(container))
    text = _contained(page, lists, container)
    if len(text) < LEAST_TEXT and page.tags <= MOST_TAGS_TO_ASK:
        with suppress(TooComplex):
            text = max(_precise(whole()), text, key=len)
    elif text and page.census.lists:
        text = _with_lists(page, text, lists, bullet=_BULLET)
    return text or _fast(page, lists)


def _fast(page: _Page, lists: Lists) -> str:
    """Resiliparse's text of the page; where that is hardly any, what the element of the paragraphs holds, if it is
    more.

    Where it lacks most of the paragraphs, and they are in the page's article, it is extracted again without the names
    of the elements around them.
    """
    text = _whole(page, lists)
    enough = len(text) >= LEAST_TEXT
    if enough and not lacks_paragraphs(page.blocks, text):
        return text
    body: Any = page.body
    if enough and body.query_selector(_ARTICLE) is None:
        return text
    remove_hidden(body)
    container: Any = paragraph_container(body)
    if container is None:
        return text
    around = _within(body, container)
    if any(_NOTICE.search(names_of(element)) is not None for element in around):
        return text
    if enough:
        if container.closest(_ARTICLE) is None or any(map(is_aside, around)):
            return text
        for element in around:
            remove_names(element)
        return max(text, _whole(page, lists), key=len)
    # Its names may make resiliparse leave it out.
    remove_names(container)
    # The element may itself be in what seems to be a menu.
    lists = bulleted_lists(body, page.blocks, framed=True)
    return max(text, _contained(page, lists, container), key=len)


def _within(body: Any, element: Any) -> list[Any]:
    """An element and those around it, up to the body."""
    around = []
    while element != body:
        around.append(element)
        element = element.parent
    return around


def _whole_page(markup: bytes, html: str, blocks: Blocks) -> _Page:
    return _parse(markup, html, take_census(markup), blocks)


def _parse(markup: bytes, html: str, census: Census, blocks: Blocks) -> _Page:
    """The page with what would take the parser too long made harmless, and its tree.

    Args:
        markup: what `html` is in UTF-8.
    """
    if census.attributes > _MOST_ATTRIBUTES:
        raise TooComplex("a tag with too many attributes")
    tags, _ = signs(np.frombuffer(markup, np.uint8))
    if tags > _FEW_TAGS and tags * census.formatting > _MOST_REOPENED:
        html = _FORMATTING_ANY.sub(r"<\1span", html)
    if census.empty_anchors:
        html = _EMPTY_ANCHOR.sub(r"<\1></a>", html)
    tree = HTMLTree.parse(html)
    depth = min(MOST_DEPTH, _MOST_TAGS_BY_DEPTH // max(tags, 1))
    if tags > _FEW_TAGS and deeper_than(depth, tree):
        raise TooComplex(f"{tags:,} tags nested deeper than {depth} elements")
    # Of a page of frames the parser's body is an element without a name.
    body = tree.body if tree.body is not None and tree.body.tag == "body" else None
    return _Page(html, tree, body, tags, census, blocks)


def _open(page: _Page) -> None:
    """Quotations of posts, figures, raised characters and what has the name of a button as running text, where the page
    has any.
    """
    if (page.blocks.kinds == _BLOCKQUOTE).any():
        open_quotations(page.body)
    if page.blocks.short_classes:
        remove_short_classes(page.body)
    if page.blocks.figures:
        open_figures(page.tree, page.body)
    if page.census.raised:
        raise_powers(page.tree, page.body)


def _whole(page: _Page, lists: Lists) -> str:
    """Resiliparse's text of the page, with its lists."""
    keep_lists(page.tree, page.body, lists)
    return _plain(page.tree)


def _precise(page: _Page) -> str:
    """Trafilatura's text of the page, with its lists.

    Raises:
        TooComplex: it would take more than a few seconds.
    """
    tree: Any = page.tree
    if page.body is None:
        return ""
    reason = too_complex_for_precise(page.html, tree)
    if reason is not None:
        raise TooComplex(reason)
    remove_hidden(page.body)
    _open(page)
    lists = all_lists(page.body, page.blocks)
    open_cells(tree, page.body)
    text = precise_text(tree.document.html)
    return _with_lists(page, text, lists) if text else text


def _with_lists(page: _Page, text: str, lists: Lists, *, bullet: str = "- ") -> str:
    """The text with those of the page's lists that it lacks."""
    if not lists.outer:
        return text
    return restore_lists(text, page.body, with_losses(lists, lists_with_losses(page.blocks, text)), bullet=bullet)


def _plain(tree: HTMLTree) -> str:
    """Resiliparse's main content, with the settings for prose.

    Alternative texts, link targets and form fields are not running text. List bullets stay, since filters count them
    (Gopher's bullet rule). Comment sections are left out: on 645 hand-marked pages this removed another 3.6 % of the
    unwanted passages and lost 0.4 % of the wanted ones; post metadata stays, since without it 2.3 % of the wanted
    passages were lost.
    """
    return str(
        extract_plain_text(
            tree,
            main_content=True,
            list_bullets=True,
            alt_texts=False,
            links=False,
            form_fields=False,
            noscript=False,
            comments=False,
            post_meta=True,
        )
    )


def _contained(page: _Page, lists: Lists, container: Any | None) -> str:
    """Text of the element that holds the paragraphs; empty when there is none, or it seems not to
    be the page's text.
    """
    if container is None:
        return ""
    tree = page.tree
    body: Any = page.body
    # Resiliparse extracts from whole trees only: the element takes the page's place for that long. It is put deeper
    # than menus are.
    place: Any = tree.create_element("section")
    container.replace_with(place)
    beside = body.child_nodes[:]
    body.replace_children(container)
    # From there on resiliparse looks at the links of lists only.
    put_deeper(tree, container, DEEP)
    keep_lists(tree, container, lists)
    text = _plain(tree)
    body.replace_children(*beside)
    place.replace_with(container)
    if text and len(text) < ENOUGH_IN_CONTAINER and len(text) < LEAST_SHARE * len(_whole(page, lists)):
        return ""
    return text
