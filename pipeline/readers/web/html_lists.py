"""Bulleted lists that belong to the text of a page.

In: a parsed page. Out: the same tree, in which resiliparse keeps the lists of running text.

Resiliparse takes an `ul` for a menu when it is within four levels of the body, or when more than a fifth of its
characters are in links. Manuals and hand-written pages have their text right there. Here a list counts as text when at
most `MOST_LINKED` of its characters are in links and nothing around it says that it is for finding one's way; such a
list is put deeper, without the links that count against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kernels.arrays import Int64s
from pipeline.readers.web.html_attributes import TITLE_SEPARATORS
from pipeline.readers.web.html_blocks import Blocks
from pipeline.readers.web.html_list_marks import (
    DEEP,
    HARDLY_LINKED,
    INNER,
    IS_FRAMED,
    IS_TEXT,
    MAY_BE_FRAME,
    MAY_BE_TEXT,
    MOST_LINKED,
    NUMBERED,
    SEEMS_MENU,
    SETTLED,
    UNSEEN,
)
from pipeline.readers.web.html_tags import FRAMES

# Above this share of characters in links resiliparse takes a list for a menu.
_LINKED = 0.2
_MENU_TAGS = frozenset(
    {"nav", "header", "footer", "aside", "form", "menu", "dialog", "template", "noscript", "button", "select"}
)
_MENU_ROLES = frozenset(
    {
        "navigation",
        "menu",
        "menubar",
        "tablist",
        "toolbar",
        "search",
        "banner",
        "contentinfo",
        "complementary",
        "listbox",
        "tree",
    }
)
_MENU_NAMES = re.compile(
    r"(?:^|[\s_-])(?:nav|navi|navbar|navigation|menu|menus|submenu|menubar|breadcrumbs?|sidebar|footer|header|topbar|toolbar|pagination|pager|"
    r"tabs?|social|share|sharing|widget|dropdown|related|comments?|tags?|toc)(?:$|[\s_-])",
    re.IGNORECASE,
)
# What lists of teasers and frames of pages hold, and lists of running text do not.
_LAYOUT = "script,form,nav,header,article,h2,h3,iframe,input"
# What lists hold that are frames of a page's sections.
_SECTIONS = "section,table"
_TEXT_TAGS = frozenset({"p", "pre", "dl", "blockquote", "table"})
# What holds the text of a page, whatever its classes say: "tag-soup" is what a post is about, "content-sidebar" how a
# page is laid out.
_BODY_TAGS = frozenset({"body", "main", "article"})
# So does an element with more than this share of the characters of all paragraphs.
_MOST_PARAGRAPHS = 0.5
_LEAST_TEXT = 30
_NEAR = 3
_MOST_READ = 50_000_000
# Lists looked at: more are a dump of links.
_MOST_LISTS = 20_000


class Budget:
    """Characters that may still be read: lists within lists, and what is beside them, are read several times."""

    def __init__(self, blocks: Blocks) -> None:
        self._left = _MOST_READ
        self._blocks = blocks

    def spent(self) -> bool:
        return self._left < 0

    def length(self, element: Any) -> int:
        """Characters of an element's text without white space; 0 if no more may be read."""
        if self._left < 0:
            return 0
        text: str = element.text
        self._left -= len(text) + 50
        return len(text) - text.count(" ") - text.count("\n") - text.count("\t")

    def holds_most(self, element: Any) -> bool:
        """Whether most of the page's paragraphs are in an element."""
        most = _MOST_PARAGRAPHS * self._blocks.paragraphs
        length = self.length(element)
        if length <= most:
            return False
        outside = self._blocks.characters - length
        return (
            self._blocks.paragraphs - outside > most
            or sum(map(self.length, element.get_elements_by_tag_name("p")[:])) > most
        )


_IN_A_FRAME = ",".join(f"{frame} {name}" for frame in FRAMES for name in ("ul", "ol"))


def in_frame(element: Any) -> bool:
    """Whether an element is a frame of a page, or is in one."""
    return element.closest(",".join(FRAMES)) is not None


class Lists(NamedTuple):
    """Lists of a page that may be running text, in its order.

    Attributes:
        bulleted: the `ul` that `keep_lists` looks at, and their marks.
        outer: the `ul` and `ol` that `text_lists` looks at, and which list of the markup each is; -1 where that is not
            known.
        blocks: those of the page.
    """

    bulleted: list[tuple[Any, int]]
    outer: list[tuple[Any, int]]
    blocks: Blocks


def bulleted_lists(body: Any, blocks: Blocks, *, framed: bool = False) -> Lists:
    """The lists that `keep_lists` looks at; none for `text_lists`.

    Args:
        framed: also those in a `nav`, `header`, `footer`, `aside` or `form`.
    """
    marks = _unframed(blocks.lists) if framed else blocks.lists
    found = _candidates(marks[marks & NUMBERED == 0], lambda: body.get_elements_by_tag_name("ul")[:], settled=False)
    return Lists([(element, mark) for element, mark, _ in found], [], blocks)


def all_lists(body: Any, blocks: Blocks, *, framed: bool = False) -> Lists:
    """The lists that `keep_lists` and `text_lists` look at.

    Args:
        framed: as for `bulleted_lists`.
    """
    found = _candidates(
        _unframed(blocks.lists) if framed else blocks.lists, lambda: body.query_selector_all("ul,ol")[:], settled=True
    )
    # A list within another one becomes a list of its own when the outer one is opened.
    outer = [
        (element, place)
        for element, mark, place in found
        if mark & MAY_BE_FRAME or mark & (MAY_BE_TEXT | INNER) == MAY_BE_TEXT
    ]
    bulleted = [(element, mark) for element, mark, _ in found if not mark & NUMBERED and not _is_settled(mark)]
    return Lists(bulleted, outer, blocks)


def _unframed(marks: Int64s) -> Int64s:
    return marks & ~(SEEMS_MENU | IS_FRAMED)


def _is_settled(mark: int) -> bool:
    return mark & SETTLED == SETTLED


def with_losses(lists: Lists, lossy: npt.NDArray[np.bool_]) -> Lists:
    """Only those for `text_lists` that may have items which a text lacks.

    Args:
        lossy: bool[n], of all lists of the page (`pipeline.readers.web.html_losses.lists_with_losses`).
    """
    return lists._replace(outer=[(element, place) for element, place in lists.outer if place < 0 or lossy[place]])


def _candidates(marks: Int64s, find: Callable[[], list[Any]], *, settled: bool) -> list[tuple[Any, int, int]]:
    """The lists of a tree that may be running text or frames of it, with their marks and the places of those marks.

    Args:
        find: gives the lists that have these marks; called if any of them may be.
        settled: also lists that stay as they are.
    """
    candidates = (marks & (MAY_BE_TEXT | MAY_BE_FRAME) != 0) & (marks & IS_FRAMED == 0)
    if not settled:
        candidates &= marks & SETTLED != SETTLED
    if not candidates.any():
        return []
    elements = find()
    known = _marks_of(elements, marks)
    if known is None:
        return [(element, MAY_BE_FRAME | NUMBERED * (element.tag == "ol"), -1) for element in elements]
    return [
        (element, mark, place)
        for element, (mark, place) in zip(elements, known, strict=True)
        if candidates[place] and not _is_framed(element, mark)
    ]


def _is_framed(element: Any, mark: int) -> bool:
    return bool(mark & SEEMS_MENU) and element.matches(_IN_A_FRAME)


def _marks_of(elements: list[Any], marks: Int64s) -> list[tuple[int, int]] | None:
    """The marks of a tree's lists and their places, with or without those that are not shown; None where the markup
    seems to hold other lists."""
    places = np.arange(len(marks)) if len(elements) == len(marks) else np.flatnonzero(marks & UNSEEN == 0)
    return list(zip(marks[places].tolist(), places.tolist(), strict=True)) if len(elements) == len(places) else None


def keep_lists(tree: Any, root: Any, lists: Lists) -> None:
    """Make the lists of running text survive below an element, which is the body or is in it.

    Args:
        lists: those of the page.
    """
    if len(lists.bulleted) > _MOST_LISTS:
        return
    menus: dict[Any, bool] = {root: False}
    budget = Budget(lists.blocks)
    whole = root == tree.body
    for element, mark in lists.bulleted:
        if element == root or not (whole or root.contains(element)):
            continue
        _keep(tree, element, mark, menus, budget)
        if budget.spent():
            return


def text_lists(root: Any, lists: Lists) -> Iterator[Any]:
    """The lists of running text below an element, numbered ones too, without those within others."""
    menus: dict[Any, bool] = {root: False}
    last = None
    budget = Budget(lists.blocks)
    for element, _ in lists.outer[:_MOST_LISTS]:
        if (last is not None and last.contains(element)) or element == root or not root.contains(element):
            continue
        last = element
        if budget.spent():
            return
        if not _in_menu(element, menus, budget) and _is_text(element, budget, deep=True)[0]:
            yield element


def _in_menu(element: Any, known: dict[Any, bool], budget: Budget) -> bool:
    """Whether something around the element or itself is for finding one's way."""
    unseen = []
    while element is not None and element not in known:
        unseen.append(element)
        element = element.parent
    menu = known.get(element, False)
    for child in reversed(unseen):
        menu = menu or _is_menu(child, budget)
        known[child] = menu
    return menu


def _is_menu(element: Any, budget: Budget) -> bool:
    tag = element.tag
    if tag in _MENU_TAGS:
        return True
    role = element.getattr("role")
    if role is not None and role in _MENU_ROLES:
        return True
    if tag in _BODY_TAGS:
        return False
    name, identity = element.class_name, element.id
    if identity and _is_title(identity):
        identity = ""
    if not (name or identity) or _MENU_NAMES.search(f"{name or ''} {identity or ''}") is None:
        return False
    return not budget.holds_most(element)


def _is_title(identity: str) -> bool:
    """Whether an id is made of a heading, as manuals make them: its words are about the text, not about the page."""
    return identity.count("-") + identity.count("_") >= TITLE_SEPARATORS


def _keep(tree: Any, element: Any, mark: int, menus: dict[Any, bool], budget: Budget) -> None:
    """Make a list survive if it is running text, or open it if it frames sections.

    Most lists of running text survive as they are: what is around them is then not looked at, which would cost most.
    """
    text, links = (True, []) if mark & IS_TEXT else _is_text(element, budget)
    if text:
        depth, titled = _near(element)
        if (links or titled or depth < DEEP) and not _in_menu(element, menus, budget):
            _free(tree, element, depth, links, titled)
    elif mark & MAY_BE_FRAME and element.query_selector(_SECTIONS) is not None and not _in_menu(element, menus, budget):
        open_list(tree, element)


def _near(element: Any) -> tuple[int, list[Any]]:
    """How deep an element is below the body, at most `DEEP`; and those right around it whose id is a heading's."""
    titled: list[Any] = []
    parent = element.parent
    for depth in range(1, DEEP + 1):
        if parent is None or parent.tag == "body":
            return depth, titled
        if parent.id and _is_title(parent.id):
            titled.append(parent)
        parent = parent.parent
    return DEEP, titled


def _free(tree: Any, element: Any, depth: int, links: list[Any], titled: list[Any]) -> None:
    """Remove, in a list and around it, what would make resiliparse leave the list out."""
    for link in links:
        link.replace_with(*link.child_nodes[:])
    for parent in titled:
        parent.delattr("id")
    if depth < DEEP:
        put_deeper(tree, element, DEEP - depth)


def open_list(tree: Any, element: Any) -> None:
    """Put what a list's items hold in its place: the list is a frame of sections, as in Javadoc's pages."""
    inside = tree.create_element("div")
    for item in element.child_nodes[:]:
        if item.tag == "li":
            inside.append(*item.child_nodes[:])
        else:
            inside.append(item)
    element.replace_with(inside)


def _is_text(element: Any, budget: Budget, *, deep: bool = False) -> tuple[bool, list[Any]]:
    """Whether a list is running text, and its links if they count against it.

    Args:
        deep: its depth does not matter.
    """
    # `<a id="here"/>`, as XHTML is written, is never closed: all that follows lies in it, and is not a link.
    anchors = element.get_elements_by_tag_name("a")[:]
    links = [anchor for anchor in anchors if anchor.hasattr("href")]
    whole = budget.length(element)
    lengths = [budget.length(link) for link in links]
    # Links to e-mail addresses lead to no page.
    linked = sum(length for link, length in zip(links, lengths, strict=True) if not _is_address(link))
    if whole == 0 or linked > MOST_LINKED * whole:
        return False, []
    many = linked > _LINKED * whole
    if many and not _among_text(element, budget) and not _begins_with_text(element):
        return False, []
    if (
        linked > HARDLY_LINKED * whole
        and (many or not (deep or _near(element)[0] == DEEP))
        and element.query_selector(_LAYOUT) is not None
    ):
        return False, []
    if sum(lengths) > _LINKED * whole * 0.8:
        return True, anchors
    return True, [] if len(links) == len(anchors) else [anchor for anchor in anchors if not anchor.hasattr("href")]


def _is_address(link: Any) -> bool:
    return bool(link.getattr("href").strip().lower().startswith("mailto:"))


def _among_text(element: Any, budget: Budget) -> bool:
    """Whether the list is beside running text: in one element with it, or in a wrapper of its own beside it."""
    for _ in range(3):
        parent = element.parent
        if parent is None:
            return False
        if parent.tag in ("li", "dd", "td", "blockquote"):
            return True
        for step in ("previous_element_sibling", "next_element_sibling"):
            beside = element
            for _ in range(_NEAR):
                beside = getattr(beside, step)
                if beside is None:
                    break
                if beside.tag in _TEXT_TAGS and budget.length(beside) >= _LEAST_TEXT:
                    return True
        if parent.child_element_count != 1:
            return False
        element = parent
    return False


def _begins_with_text(element: Any) -> bool:
    """Whether most items begin with words that are not a link, as those of release notes do and teasers do not."""
    items = [child for child in element.child_nodes[:] if child.tag == "li"]
    begin = 0
    for item in items:
        link = item.query_selector("a")
        begin += link is None or not item.text.lstrip().startswith(link.text.strip())
    return 2 * begin > len(items)


def put_deeper(tree: Any, element: Any, levels: int) -> None:
    """Put an element into so many others, which have no meaning."""
    holder = lowest = tree.create_element("section")
    for _ in range(levels - 1):
        below = tree.create_element("section")
        lowest.append_child(below)
        lowest = below
    element.replace_with(holder)
    lowest.append_child(element)
