"""One pass over the markup of a page: its text, its blocks and lists, and the parts of it that are left out.

In: the markup, UTF-8. Out: the arrays that `pipeline.readers.web.html_blocks.Blocks` is made of. Tags, comments and
the content of scripts are read as the HTML standard's tokenizer does (13.2.5). A bounded amount of work for each byte,
whatever they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels.arrays import Bytes, Int64s
from kernels.compiled import bare_kernel, kernel, part_kernel
from pipeline.readers.web.html_attributes import (
    HIDES,
    LEAST_MISREAD,
    LINKS,
    MISREAD,
    SHORT,
    TITLED,
    misread,
    next_byte,
    read_attributes,
)
from pipeline.readers.web.html_characters import copy_reference, copy_text
from pipeline.readers.web.html_cuts import BEFORE, blanks_before, may_go, note_cut, note_tag, noted
from pipeline.readers.web.html_list_marks import (
    ANCHORS,
    ATTRIBUTES,
    BEYOND,
    CHARACTERS,
    COUNTERS,
    DEPTH,
    DOUBTS,
    EMPTY_ANCHORS,
    FORMATTED,
    LINKED,
    OPEN,
    RAISED,
    ROWS,
    SECTIONS,
    SHORT_CLASSES,
    TITLES,
    begin_container,
    begin_list,
    blocks_within,
    end_containers,
    marks_of,
)
from pipeline.readers.web.html_names import packed
from pipeline.readers.web.html_open_blocks import (
    AWAY,
    AWAY_DEPTH,
    AWAY_ROW,
    BEGUN,
    CUT,
    DRAWN,
    FOREIGN,
    FOUND,
    FRAMES,
    HEIGHT,
    IN_LINK,
    LISTED,
    MOST_OPEN,
    OL,
    OPEN_ROWS,
    SCOPE,
    STATE,
    TABLE,
    UL,
    UNSURE,
    USED,
    Page,
    begin_block,
    close_block,
    end_first_texts,
    imply_ends,
    note_hidden_text,
    pop_blocks,
    push_block,
)
from pipeline.readers.web.html_syntax import comment_end, has_text, raw_end, signs, tag_end, tag_name
from pipeline.readers.web.html_tags import (
    HIDDEN,
    IS_CONTAINER,
    IS_FORMATTING,
    IS_LITERAL,
    IS_RAISED,
    IS_RAW,
    IS_UNREAD,
    IS_VOID,
    NOSCRIPT,
    facts_of,
    kind_of,
)

# Blocks of a page; those beyond are only counted.
_MOST_BLOCKS = 100_000
# Parts that are left out at one tag: white space before it, the tag or its name, its content; and those within its
# attributes, the last of which may be shorter than `LEAST_MISREAD`.
_MOST_CUTS = 4
_TEMPLATE, _PARAGRAPH, _ANCHOR, _SECTION, _DIV = (packed(name) for name in ("template", "p", "a", "section", "div"))
# In the first two a script is an element like any other; after the last all is text.
_SVG, _MATH, _PLAINTEXT = (packed(name) for name in ("svg", "math", "plaintext"))


class Tag(NamedTuple):
    """A tag.

    Attributes:
        first, end: where it begins and ends.
        name, name_end: its packed name, and where that ends.
        closing: it is an end tag.
        facts: the number of its name in `pipeline.readers.web.html_tags.TAGS`.
        traits: bits of what its attributes say (`pipeline.readers.web.html_attributes`).
    """

    first: int
    name: int
    name_end: int
    end: int
    closing: bool
    facts: int
    traits: int


@kernel
def walk(data: Bytes, tags: Int64s, entities: Int64s) -> tuple[Bytes, Int64s, Int64s, Int64s, Int64s, Int64s]:
    """Reads a page.

    Returns:
        Its text, uint8[]; kinds, starts, stops, firsts and afters of m blocks, int64[5, m]; marks of n lists, int64[n];
        their first blocks and the first ones after them, int64[2, n]; k cuts, int64[2, k]; what was counted,
        int64[COUNTERS] (`pipeline.readers.web.html_list_marks`).
    """
    size = len(data)
    # Tables that grow would be assigned anew within the loop, and numba counts references by atomic instructions: that
    # was half of the time. What is not written to takes no memory.
    tag_count, list_count = signs(data)
    page = Page(
        data,
        tags,
        entities,
        np.empty(size, np.uint8),
        np.empty((FOUND, min(tag_count, _MOST_BLOCKS)), np.int64),
        np.empty((ROWS, list_count), np.int64),
        np.empty((2, _MOST_CUTS * tag_count + size // LEAST_MISREAD), np.int64),
        np.zeros(COUNTERS, np.int64),
        np.zeros(BEFORE, np.int64),
        np.empty((OPEN_ROWS, MOST_OPEN), np.int64),
        np.zeros(STATE, np.int64),
    )
    page.now[OPEN] = page.state[AWAY_ROW] = -1
    _walk_through(page)
    now, state = page.now, page.state
    now[DOUBTS] += state[UNSURE]
    marks, in_lists = marks_of(page.lists, state[LISTED]), blocks_within(page.lists, state[LISTED])
    return page.text[: state[USED]], page.found[:, : state[BEGUN]], marks, in_lists, page.cuts[:, : state[CUT]], now


@bare_kernel
def _walk_through(page: Page) -> None:
    """Reads the markup from its beginning to its end."""
    data, at, size = page.data, 0, len(page.data)
    while at < size:
        begins = size
        closing = False
        if data[at] == 60:
            closing = at + 1 < size and data[at + 1] == 47
            begins = at + 1 + closing
        if begins >= size:
            at = _take_text(page, at)
        elif 97 <= data[begins] | 32 <= 122:
            at = _take_tag(page, at, begins, closing)
        elif closing or data[begins] == 33 or data[begins] == 63:
            at = _take_comment(page, at)
        else:
            at = _take_text(page, at)
    end_first_texts(page)
    pop_blocks(page, 0)


@part_kernel
def _take_text(page: Page, at: int) -> int:
    """Takes a piece of text, or a byte of text that is not shown; where to go on."""
    now, state = page.now, page.state
    byte, used, in_link = page.data[at], state[USED], state[IN_LINK] != 0
    if state[AWAY]:
        if byte > 32:
            note_hidden_text(page)
        solid = byte > 32 and byte & 0xC0 != 0x80
        now[CHARACTERS] += solid
        now[LINKED] += in_link and solid
        return at + 1
    if byte == 38:
        at, state[USED] = copy_reference(page.data, at, page.text, used, page.entities)
        now[CHARACTERS] += state[USED] > used
        now[LINKED] += in_link and state[USED] > used
    else:
        at, state[USED] = copy_text(page.data, at, page.text, used, now, in_link)
    return at


@part_kernel
def _take_comment(page: Page, at: int) -> int:
    """Passes over a comment, or what is read as one; where it ends."""
    data, state = page.data, page.state
    end, sure = comment_end(data, at)
    # In drawings it may be a text, of tags and all.
    page.now[DOUBTS] += state[DRAWN] != 0 and at + 2 < len(data) and data[at + 2] == 91
    if sure and _is_read_as_here(state) and may_go(data, at, end):
        _leave_out(page, at, end)
    return end


@part_kernel
def _take_tag(page: Page, first: int, begins: int, closing: bool) -> int:
    """Takes a tag, and the content of scripts and others that is no text; where to go on.

    Args:
        first: where the tag begins.
        begins: where its name begins.
        closing: it is an end tag.
    """
    data, now, state = page.data, page.now, page.state
    # A tag ends the first piece of text of the blocks that have begun.
    end_first_texts(page)
    name, name_end = tag_name(data, begins)
    at, traits, attribute_count = read_attributes(data, name_end)
    facts = facts_of(page.tags, name)
    tag = Tag(first, name, name_end, at, closing, facts, traits)
    raw_text = not closing and facts & IS_RAW != 0
    end, sure = raw_end(data, at, begins, name) if raw_text else (at, True)
    # In drawings and formulas the parser reads tags there.
    if not sure or (raw_text and state[FOREIGN] != 0 and next_byte(data, at, 60) != end):
        state[UNSURE] = 1
    if state[AWAY] and has_text(data, at, end):
        note_hidden_text(page)
    unread = not closing and facts & IS_UNREAD != 0 and _is_read_as_here(state)
    # Lists are asked whether they hold scripts.
    if unread and not (raw_text and (now[OPEN] >= 0 or end == len(data))):
        after = tag_end(data, end) if raw_text else at
        if may_go(data, first, after):
            _leave_out(page, first, after)
            return after
    _cut_tag(page, tag, attribute_count)
    kind = kind_of(facts)
    if state[AWAY] == _PARAGRAPH and kind >= 0 and not closing:
        state[AWAY] = 0
    if not raw_text:
        _follow(page, tag, kind)
    elif unread:
        state[CUT] = noted(page.cuts, state[CUT], at, end)
    else:
        now[CHARACTERS] += end - at
        # Where the parser passes over the tag, as in a `select`, it reads what follows as tags.
        now[DOUBTS] += next_byte(data, at, 60) < end
    return end


@bare_kernel
def _is_read_as_here(state: Int64s) -> bool:
    """Whether the parser has surely read the same tags so far, and no drawing or formula is open."""
    return bool(state[UNSURE] == 0 and state[FOREIGN] == 0)


@bare_kernel
def _leave_out(page: Page, first: int, end: int) -> None:
    page.state[CUT] = noted(page.cuts, page.state[CUT], first, end)
    note_cut(page.data, first, end, page.before)


@part_kernel
def _cut_tag(page: Page, tag: Tag, attribute_count: int) -> None:
    """Notes what is left out before a tag and within it, and counts what is left."""
    data, cuts, now, state = page.data, page.cuts, page.now, page.state
    facts, opening = tag.facts, not tag.closing
    if _is_read_as_here(state):
        blanks = blanks_before(data, tag.first, tag.name, tag.closing, facts, page.before)
        state[CUT] = noted(cuts, state[CUT], blanks, tag.first)
    note_tag(tag.name, tag.closing, facts, tag.end, page.before)
    surely = opening and state[UNSURE] == 0
    literal = facts & IS_LITERAL != 0 and surely and tag.traits & HIDES == 0 and data[tag.end - 1] == 62
    if tag.traits & MISREAD and surely:
        state[CUT] = misread(data, tag.name_end, cuts, state[CUT])
    elif literal:
        # What is no frame for sure is not left out for its name, as DocBook's `<code class="email">` was.
        state[CUT] = noted(cuts, state[CUT], tag.name_end, tag.end - 1)
    if not literal:
        now[ATTRIBUTES] = max(now[ATTRIBUTES], attribute_count)
        named_only = tag.name_end == len(data) or data[tag.name_end] == 62
        now[FORMATTED] += facts & IS_FORMATTING != 0 and opening and not named_only
    now[RAISED] += facts & IS_RAISED != 0 and opening
    now[EMPTY_ANCHORS] += tag.name == _ANCHOR and opening and data[tag.end - 2] == 47
    now[SHORT_CLASSES] += tag.traits & SHORT != 0


@part_kernel
def _follow(page: Page, tag: Tag, kind: int) -> None:
    """Begins or ends what a tag begins or ends: a drawing, a list, a link, a section, a container, a block."""
    now, state = page.now, page.state
    if tag.name in (_SVG, _MATH):
        state[FOREIGN] = max(0, state[FOREIGN] + (-1 if tag.closing else 1))
        state[DRAWN] = 1
    elif tag.name == _PLAINTEXT and not tag.closing:
        state[UNSURE] = 1
    if not tag.closing and kind in (UL, OL):
        unseen = state[AWAY] != 0 or tag.traits & HIDES != 0
        begin_list(page.lists, state[LISTED], now, state[BEGUN], kind == OL, unseen, state[FRAMES] > 0)
        state[LISTED] += 1
        state[IN_LINK] = 0
    elif tag.name == _ANCHOR:
        state[IN_LINK] = not tag.closing and tag.traits & LINKS != 0
        now[ANCHORS] += not tag.closing and tag.traits & LINKS == 0
    elif not tag.closing and (kind == TABLE or tag.name == _SECTION):
        now[SECTIONS] += 1
    if state[AWAY]:
        if tag.name == state[AWAY]:
            state[AWAY_DEPTH] += -1 if tag.closing else 1
            if state[AWAY_DEPTH] == 0:
                state[AWAY] = 0
    elif not tag.closing:
        _begin(page, tag, kind)
    elif tag.facts & IS_CONTAINER:
        end_containers(now, now[DEPTH] - 1)
    elif kind >= 0:
        close_block(page, kind)


@part_kernel
def _begin(page: Page, tag: Tag, kind: int) -> None:
    """Begins what a tag begins where all is shown: a hidden element, a container, a block."""
    now, state = page.now, page.state
    hidden, titled = tag.traits & HIDES != 0, tag.traits & TITLED != 0
    if (hidden or kind == NOSCRIPT or tag.name == _TEMPLATE) and tag.facts & IS_VOID == 0:
        state[AWAY], state[AWAY_DEPTH], state[AWAY_ROW] = tag.name, 1, -1
        kind = HIDDEN if hidden else kind
    elif kind >= 0 or tag.name == _DIV:
        imply_ends(page, kind)
    shown = state[AWAY] == 0
    if shown and tag.facts & IS_CONTAINER:
        begin_container(now, titled)
    else:
        now[TITLES] |= titled
    row = state[LISTED] - 1 if kind in (UL, OL) else -1
    if 0 <= kind < SCOPE and state[FRAMES] == 0:
        if state[BEGUN] == _MOST_BLOCKS or (state[HEIGHT] == MOST_OPEN and shown):
            now[BEYOND] += 1
            return
        row = begin_block(page, kind)
        state[AWAY_ROW] = -1 if shown else row
    if kind >= 0 and shown and state[HEIGHT] < MOST_OPEN:
        push_block(page, kind, row)
