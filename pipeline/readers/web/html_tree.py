"""A parsed page made ready for extraction, the same for all three choices.

In: a parsed page. Out: the same tree, without what is not shown, with the text that figures and raised characters hold
in a form that every extractor reads. Each step is one pass over elements of one kind.

- Elements that are not shown are removed (`hidden`, `display: none`, `template`, `noscript`);
  `hidden="until-found"` and closed `details` are text.
- Classes of two letters that mean something else to resiliparse are removed.
- A `figure` around a table, code, a list or a quotation is only a frame: its content takes its place, its caption
  becomes a paragraph.
- Powers and indices become running text (`pipeline.readers.superscripts`); marks of notes are removed.
"""

from __future__ import annotations

import re
from typing import Any

from resiliparse.parse.html import NodeType

from pipeline.readers.superscripts import BEFORE, subscript, superscript
from pipeline.readers.web.html_attributes import SHORT_CLASSES

_FRAMED = "table,pre,blockquote,ul,ol,dl"
# In CSS any character beyond ASCII is a letter.
_NOT_SHOWN = re.compile(
    r"(?:^|;)\s{0,20}(?:display\s{0,20}:\s{0,20}none|visibility\s{0,20}:\s{0,20}(?:hidden|collapse))(?![\w-]|[^\x00-\x7f])",
    re.IGNORECASE,
)
_SHORT_CLASSES = ",".join(f"[class~={name} i]" for name in SHORT_CLASSES)
_BUTTONS = "a,button"
_MAYBE_HIDDEN = "[hidden],[aria-hidden],[style*=none i],[style*=hidden i],[style*=collapse i],template,noscript"
# A page with more elements of one kind is not text.
_MOST = 50_000
# Characters read in elements that may lie within each other.
_MOST_READ = 50_000_000
# Longer cells are columns of a page, not of a table.
_LONGEST_CELL = 2_000
# Longer raised text is not a number, and is not looked at: elements within each other would be read again and again.
_LONGEST_RAISED = 64
# Elements without text before a superscript that are passed over.
_NEAR = 8
# Text before a superscript is looked for among so many elements around it.
_AROUND = 4
_BLOCKS = frozenset(
    {
        "p",
        "div",
        "td",
        "th",
        "li",
        "dd",
        "dt",
        "section",
        "article",
        "body",
        "blockquote",
        "pre",
        "tr",
        "main",
        "h1",
        "h2",
        "h3",
        "h4",
    }
)


def open_figures(tree: Any, body: Any) -> None:
    """Put the content of figures that hold text in their place."""
    for figure in body.get_elements_by_tag_name("figure")[:_MOST]:
        if figure.query_selector(_FRAMED) is None:
            continue
        for caption in figure.get_elements_by_tag_name("figcaption")[:]:
            paragraph = tree.create_element("p")
            paragraph.append(*caption.child_nodes[:])
            caption.replace_with(paragraph)
        figure.replace_with(*figure.child_nodes[:])


def names_of(element: Any) -> str:
    """The classes and the id of an element."""
    return f"{element.class_name or ''} {element.id or ''}".strip()


def remove_names(element: Any) -> None:
    """Remove the classes and the id of an element, by which extractors judge it."""
    for name in ("class", "id"):
        if element.hasattr(name):
            element.delattr(name)


def remove_short_classes(body: Any) -> None:
    """Take away classes by which resiliparse knows Jetpack's frames and WhatsApp's buttons, where they mean something
    else.
    """
    for element in body.query_selector_all(_SHORT_CLASSES)[:_MOST]:
        names = (element.class_name or "").split()
        button = element.closest(_BUTTONS) is not None or element.query_selector(_BUTTONS) is not None
        element.class_name = " ".join(
            name for name in names if name.lower() not in SHORT_CLASSES or (button and name.lower() == "wa")
        )


def open_cells(tree: Any, body: Any) -> None:
    """Put the items of lists in cells of tables on lines of their own: trafilatura leaves such lists out."""
    columns: dict[Any, bool] = {}
    for element in body.query_selector_all("td ul,td ol,th ul,th ol")[:_MOST]:
        cell = element.closest("td,th")
        if cell not in columns:
            columns[cell] = len(cell.text) > _LONGEST_CELL or cell.query_selector("table") is not None
        if columns[cell]:
            continue
        items = []
        for item in element.child_nodes[:]:
            if item.type == NodeType.ELEMENT:
                items.extend([tree.create_element("br"), *item.child_nodes[:]])
        if items:
            element.replace_with(*items, tree.create_element("br"))


def remove_hidden(body: Any) -> None:
    """Remove elements that a browser does not show."""
    for element in body.query_selector_all(_MAYBE_HIDDEN)[:_MOST]:
        if element.tag in ("template", "noscript") or is_hidden(element):
            element.remove()
        elif element.hasattr("hidden"):
            element.delattr("hidden")


def is_hidden(element: Any) -> bool:
    """Whether the element's own attributes keep it from being shown."""
    if element.hasattr("hidden") and (element.getattr("hidden") or "").strip().lower() != "until-found":
        return True
    if (element.getattr("aria-hidden") or "").strip() == "true":
        return True
    style = element.getattr("style")
    return bool(style) and _NOT_SHOWN.search(style) is not None


def raise_powers(tree: Any, body: Any) -> None:
    """Write superscripts and subscripts as running text."""
    budget = _MOST_READ
    for tag, written in (("sup", superscript), ("sub", subscript)):
        for element in body.get_elements_by_tag_name(tag)[:_MOST]:
            text = element.text
            budget -= len(text)
            if budget < 0:
                return
            if len(text) > _LONGEST_RAISED:
                continue
            if tag == "sup" and _is_note(element):
                element.remove()
                continue
            shown = written(_before(element), text, after=_after(element))
            if shown != text:
                element.replace_with(tree.create_text_node(shown))


def _is_note(element: Any) -> bool:
    """Whether the superscript is only a link to a note on the same page."""
    child = element.first_element_child
    return (
        child is not None
        and child.tag == "a"
        and (child.getattr("href") or "").startswith("#")
        and child.text.strip() == element.text.strip()
        and child.next_element_sibling is None
    )


def _before(element: Any) -> str:
    steps = 0
    for _ in range(_AROUND):
        beside = element.previous_sibling
        while beside is not None and steps < _NEAR:
            steps += 1
            if beside.type == NodeType.ELEMENT and (beside.tag == "br" or beside.tag in _BLOCKS):
                return ""
            text = (
                beside.value if beside.type == NodeType.TEXT else beside.text if beside.type == NodeType.ELEMENT else ""
            ) or ""
            if text:
                return text[-BEFORE:]
            beside = beside.previous_sibling
        element = element.parent
        if element is None or element.tag in _BLOCKS:
            return ""
    return ""


def _after(element: Any) -> str:
    beside = element.next_sibling
    if beside is None:
        return ""
    text = beside.value if beside.type == NodeType.TEXT else beside.text if beside.type == NodeType.ELEMENT else ""
    return (text or "")[:1]
