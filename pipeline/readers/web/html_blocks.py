"""Where the blocks of a page begin and end in its text, read from the markup in one pass.

In: the markup of a page, UTF-8. Out: `Blocks`, in the order of the page.

A parser's tree would say the same, but to ask it for each block costs as much as extracting the text. Tags, comments and the content of
scripts are read as the HTML standard's tokenizer does (13.2.5); of its tree builder only that `p`, `li`, `dt`, `dd` and `tr` end where the
next one begins. A bounded amount of work for each byte, whatever they are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kernels.compiled import bare_kernel, kernel
from pipeline.readers.web.html_attributes import HIDES, LEAST_MISREAD, LINKS, MISREAD, SHORT, TITLED, misread, next_byte, read_attributes
from pipeline.readers.web.html_census import Census
from pipeline.readers.web.html_characters import ENTITIES, copy_reference, copy_text
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
    FIGURES,
    FORMATTED,
    FRAMED,
    LEAST,
    LINKED,
    NUMBERED,
    OPEN,
    PARAGRAPHS,
    RAISED,
    ROWS,
    SECTIONS,
    SHORT_CLASSES,
    TITLES,
    begin_container,
    begin_list,
    blocks_within,
    end_containers,
    end_list,
    frame_lists,
    marks_of,
)
from pipeline.readers.web.html_names import packed
from pipeline.readers.web.html_syntax import comment_end, has_text, raw_end, signs, tag_end, tag_name
from pipeline.readers.web.html_tags import (
    BLOCKS,
    HIDDEN,
    IS_CONTAINER,
    IS_FORMATTING,
    IS_LITERAL,
    IS_RAISED,
    IS_RAW,
    IS_UNREAD,
    IS_VOID,
    NAMES,
    NOSCRIPT,
    SCOPES,
    TAGS,
    kind_of,
    told_of,
)

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

_FRAME, _FORM, _SCOPE = len(BLOCKS), NAMES.index("form"), len(NAMES)
_P, _LI, _TR, _DD, _DT, _PRE, _BLOCKQUOTE, _FIGURE = (
    NAMES.index(name) for name in ("p", "li", "tr", "dd", "dt", "pre", "blockquote", "figure")
)
_UL, _OL, _DL, _TABLE = range(_SCOPE, _SCOPE + len(SCOPES))

# Blocks that are open at the same time, and blocks of a page; what is beyond is only counted.
_MOST_OPEN = 512
_MOST_BLOCKS = 100_000
# How far up the open blocks an end tag or an implied end is looked for.
_NEAR = 24
# Parts that are left out at one tag: white space before it, the tag or what it is called, what it holds; and those within its attributes,
# of which the last may be shorter than `LEAST_MISREAD`.
_MOST_CUTS = 4
_TEMPLATE, _PARAGRAPH, _ANCHOR, _SECTION, _DIV = (packed(name) for name in ("template", "p", "a", "section", "div"))
# In the first two a script is an element like any other; after the last all is text.
_SVG, _MATH, _PLAINTEXT = (packed(name) for name in ("svg", "math", "plaintext"))
# Rows of what the pass finds.
_KIND, _STARTS, _STOPS, _FIRSTS, _AFTERS = range(5)


class Blocks(NamedTuple):
    """m blocks of a page.

    Attributes:
        text: the page's text without white space and bullets, uint8[].
        kinds: places in `NAMES`, int64[m].
        starts, stops: where the block begins and ends in `text`, int64[m]; of what is not shown, where it would stand and whether it has
            text (one more), which is not in `text`.
        firsts: where the first piece of its text ends, as a tag ends it; int64[m].
        afters: how many blocks had begun when it ended, int64[m]: those behind it up to there lie in it.
        beyond: blocks that were passed over.
        lists: marks of the page's n lists (`pipeline.readers.web.html_list_marks`), int64[n].
        in_lists: the first block in each list and the first one behind it, int64[2, n]; blocks in frames are not among them.
        characters, paragraphs: how many the page has without white space, hidden ones too, and those of all `p` that are shown.
        cuts: parts of the markup, where they begin and end, int64[2, k]: what makes resiliparse take an element for shown that is not, or
            the other way round (`pipeline.readers.web.html_attributes.misread`); attributes of `code` and other literals, which it may
            leave out for their names; the content of scripts and styles, which it takes for text when it asks how much of an element is
            links; and what nobody reads (`pipeline.readers.web.html_cuts`). None behind a script whose end is not sure, where the parser
            may read other tags; of the last two none in drawings and formulas.
        figures: some figure holds a table, a list, code or a quotation.
        short_classes: some element may have one of the classes of two letters that `pipeline.readers.web.html_tree.remove_short_classes`
            looks for.
        census: what the page is made of without `cuts`; None where the parser may read other tags than this pass did.
    """

    text: Bytes
    kinds: Integers
    starts: Integers
    stops: Integers
    firsts: Integers
    afters: Integers
    beyond: int
    lists: Integers
    in_lists: Integers
    characters: int
    paragraphs: int
    cuts: Integers
    figures: bool
    short_classes: bool
    census: Census | None


def blocks_of(markup: bytes) -> Blocks:
    """Blocks of a page that are in no frame, and its frames."""
    data = np.frombuffer(markup, np.uint8)
    text, found, marks, in_lists, cuts, counts = _read(data, TAGS, ENTITIES)
    kinds, starts, stops, firsts, afters = found
    bulleted = int((marks & NUMBERED == 0).sum())
    attributes, formatting, raised, empty_anchors = counts[[ATTRIBUTES, FORMATTED, RAISED, EMPTY_ANCHORS]].tolist()
    return Blocks(
        text=text,
        kinds=kinds,
        starts=starts,
        stops=stops,
        firsts=np.minimum(firsts, stops),
        afters=afters,
        beyond=int(counts[BEYOND]),
        lists=marks,
        in_lists=in_lists,
        characters=int(counts[CHARACTERS]),
        paragraphs=int(counts[PARAGRAPHS]),
        cuts=cuts,
        figures=bool(counts[FIGURES]),
        short_classes=bool(counts[SHORT_CLASSES]),
        census=None if counts[DOUBTS] else Census(attributes, formatting, raised, empty_anchors, bulleted),
    )


@kernel
def _read(data: Bytes, tags: Integers, entities: Integers) -> tuple[Bytes, Integers, Integers, Integers, Integers, Integers]:
    size = len(data)
    # Tables that grow would be counted at each turn of the loop, by atomic instructions: that was half of its time. What is not written to
    # takes no memory.
    tag_count, list_count = signs(data)
    text = np.empty(size, np.uint8)
    found = np.empty((5, min(tag_count, _MOST_BLOCKS)), np.int64)
    lists = np.empty((ROWS, list_count), np.int64)
    cuts = np.empty((2, _MOST_CUTS * tag_count + size // LEAST_MISREAD), np.int64)
    now = np.zeros(COUNTERS, np.int64)
    now[OPEN] = -1
    before = np.zeros(BEFORE, np.int64)
    stack = np.empty((6, _MOST_OPEN), np.int64)
    count = used = height = frames = named = listed = foreign = cut = 0
    in_link = drawn = False
    # Whether the parser reads the same tags so far.
    surely = True
    # The element that is not shown, how many of its name are open in it, and its row.
    away, depth, unseen = 0, 0, -1
    at = 0
    while at < size:
        byte = data[at]
        closing = byte == 60 and at + 1 < size and data[at + 1] == 47
        begins = at + 1 + closing
        if byte != 60 or begins >= size or not 97 <= data[begins] | 32 <= 122:
            if byte == 60 and begins < size and (closing or data[begins] == 33 or data[begins] == 63):
                end, sure = comment_end(data, at)
                # In drawings it may be a text, of tags and all.
                now[DOUBTS] += drawn and at + 2 < size and data[at + 2] == 91
                if sure and surely and foreign == 0 and may_go(data, at, end):
                    cut = noted(cuts, cut, at, end)
                    note_cut(data, at, end, before)
                at = end
            elif away:
                if byte > 32 and unseen >= 0:
                    found[_STOPS, unseen] = found[_STARTS, unseen] + 1
                solid = byte > 32 and byte & 0xC0 != 0x80
                now[CHARACTERS] += solid
                now[LINKED] += in_link and solid
                at += 1
            elif byte == 38:
                length = used
                at, used = copy_reference(data, at, text, used, entities)
                now[CHARACTERS] += used > length
                now[LINKED] += in_link and used > length
            else:
                at, used = copy_text(data, at, text, used, now, in_link)
            continue
        # A tag ends the first piece of text of the blocks that have begun.
        named = _end_first_texts(found, named, count, used)
        first = at
        name, name_end = tag_name(data, begins)
        at, telling, attributes = read_attributes(data, name_end)
        told = told_of(tags, name)
        raw_text = not closing and told & IS_RAW != 0
        end, sure = raw_end(data, at, begins, name) if raw_text else (at, True)
        # In drawings and formulas the parser reads tags there.
        surely &= sure and (not raw_text or foreign == 0 or next_byte(data, at, 60) == end)
        if away and unseen >= 0 and has_text(data, at, end):
            found[_STOPS, unseen] = found[_STARTS, unseen] + 1
        unread = not closing and surely and foreign == 0 and told & IS_UNREAD != 0
        # Lists are asked whether they hold scripts.
        if unread and not (raw_text and (now[OPEN] >= 0 or end == size)):
            after = tag_end(data, end) if raw_text else at
            if may_go(data, first, after):
                cut = noted(cuts, cut, first, after)
                note_cut(data, first, after, before)
                at = after
                continue
        if surely and foreign == 0:
            cut = noted(cuts, cut, blanks_before(data, first, name, closing, told, before), first)
        note_tag(name, closing, told, at, before)
        literal = told & IS_LITERAL != 0 and surely and not closing and telling & HIDES == 0 and data[at - 1] == 62
        if telling & MISREAD and not closing and surely:
            cut = misread(data, name_end, cuts, cut)
        elif literal:
            # What is no frame for sure is not left out for its name, as DocBook's `<code class="email">` was.
            cut = noted(cuts, cut, name_end, at - 1)
        if not literal:
            now[ATTRIBUTES] = max(now[ATTRIBUTES], attributes)
            now[FORMATTED] += told & IS_FORMATTING != 0 and not closing and name_end < size and data[name_end] != 62
        now[RAISED] += told & IS_RAISED != 0 and not closing
        now[EMPTY_ANCHORS] += name == _ANCHOR and not closing and data[at - 2] == 47
        hidden = telling & HIDES != 0
        now[SHORT_CLASSES] += telling & SHORT != 0
        kind = kind_of(told)
        if away and away == _PARAGRAPH and kind >= 0 and not closing:
            away = 0
        if raw_text:
            if unread:
                cut = noted(cuts, cut, at, end)
            else:
                now[CHARACTERS] += end - at
                # Where the parser passes over the tag, as in a `select`, it reads what follows as tags.
                now[DOUBTS] += next_byte(data, at, 60) < end
            at = end
            continue
        if name in (_SVG, _MATH):
            foreign = max(0, foreign - 1) if closing else foreign + 1
            drawn = True
        elif name == _PLAINTEXT and not closing:
            surely = False
        a_list = not closing and kind in (_UL, _OL)
        if a_list:
            begin_list(lists, listed, now, count, kind == _OL, away != 0 or hidden, frames > 0)
            listed += 1
            in_link = False
        elif name == _ANCHOR:
            in_link = not closing and telling & LINKS != 0
            now[ANCHORS] += not closing and telling & LINKS == 0
        elif not closing and (kind == _TABLE or name == _SECTION):
            now[SECTIONS] += 1
        container, titled = told & IS_CONTAINER != 0, telling & TITLED != 0
        if away:
            if name == away:
                depth += -1 if closing else 1
                away = away if depth else 0
            continue
        if closing:
            if container:
                end_containers(now, now[DEPTH] - 1)
            elif kind >= 0:
                height, frames = _close(found, lists, now, stack, height, frames, kind, used, count, listed)
            continue
        row = -1
        if (hidden or kind == NOSCRIPT or name == _TEMPLATE) and told & IS_VOID == 0:
            away, depth, unseen = name, 1, -1
            kind = HIDDEN if hidden else kind
        elif kind >= 0 or name == _DIV:
            height, frames = _imply_ends(found, lists, now, stack, height, frames, kind, used, count)
        if container and not away:
            begin_container(now, titled)
        else:
            now[TITLES] |= titled
        if 0 <= kind < _SCOPE and frames == 0:
            if count == _MOST_BLOCKS or (height == _MOST_OPEN and not away):
                now[BEYOND] += 1
                continue
            row = count
            count += 1
            _begin_block(found, row, kind, used)
            unseen = row if away else -1
        if kind >= 0 and not away and height < _MOST_OPEN:
            stack[0, height], stack[1, height] = kind, listed - 1 if a_list else row
            stack[2, height], stack[3, height], stack[4, height], stack[5, height] = now[DEPTH], now[CHARACTERS], now[FRAMED], listed
            if frames == 0:
                now[LEAST] = now[DEPTH]
            now[FRAMED] += kind in (_UL, _OL, _DL, _TABLE, _PRE, _BLOCKQUOTE)
            height += 1
            frames += _FRAME <= kind < NOSCRIPT
    _end_first_texts(found, named, count, used)
    _pop(found, lists, now, stack, height, 0, frames, used, count)
    marks, in_lists = marks_of(lists, listed), blocks_within(lists, listed)
    now[DOUBTS] += not surely
    return text[:used], found[:, :count], marks, in_lists, cuts[:, :cut], now


@bare_kernel
def _begin_block(found: Integers, row: int, kind: int, used: int) -> None:
    found[_KIND, row], found[_AFTERS, row] = kind, row + 1
    found[_STARTS, row] = found[_STOPS, row] = found[_FIRSTS, row] = used


@bare_kernel
def _end_first_texts(found: Integers, named: int, count: int, used: int) -> int:
    """Of the blocks from `named` on that have text by now, its first piece ends here; the first that is still without."""
    while named < count and used > found[_STARTS, named]:
        found[_FIRSTS, named] = used
        named += 1
    return named


@bare_kernel
def _pop(
    found: Integers, lists: Integers, now: Integers, stack: Integers, height: int, down_to: int, frames: int, used: int, count: int
) -> tuple[int, int]:
    """Ends the open blocks from the top of the stack on; (height, frames) that are left."""
    while height > down_to:
        height -= 1
        kind, row = stack[0, height], stack[1, height]
        frames -= _FRAME <= kind < NOSCRIPT
        end_containers(now, stack[2, height])
        if kind == _P:
            now[PARAGRAPHS] += now[CHARACTERS] - stack[3, height]
        now[FIGURES] += kind == _FIGURE and now[FRAMED] > stack[4, height]
        if kind in (_UL, _OL):
            end_list(lists, row, now, count)
        elif row >= 0:
            found[_STOPS, row], found[_AFTERS, row] = used, count
    return height, frames


@bare_kernel
def _close(
    found: Integers,
    lists: Integers,
    now: Integers,
    stack: Integers,
    height: int,
    frames: int,
    kind: int,
    used: int,
    count: int,
    listed: int,
) -> tuple[int, int]:
    """Ends the open block of a kind, and those within it; (height, frames) that are left."""
    for place in range(height - 1, max(-1, height - 1 - _NEAR), -1):
        if stack[0, place] == kind:
            # A form may end with the element around it, and in a table holds nothing.
            if frames == 1 and _FRAME <= kind < _FORM and now[LEAST] >= stack[2, place]:
                frame_lists(lists, stack[5, place], listed)
            return _pop(found, lists, now, stack, height, place, frames, used, count)
    return height, frames


@bare_kernel
def _imply_ends(
    found: Integers, lists: Integers, now: Integers, stack: Integers, height: int, frames: int, kind: int, used: int, count: int
) -> tuple[int, int]:
    """Ends what the beginning of a block ends; (height, frames) that are left."""
    if height and stack[0, height - 1] == _P:
        height, frames = _pop(found, lists, now, stack, height, height - 1, frames, used, count)
    if kind not in (_LI, _TR, _DD, _DT):
        return height, frames
    for place in range(height - 1, max(-1, height - 1 - _NEAR), -1):
        other = stack[0, place]
        if other == kind or (kind in (_DD, _DT) and other in (_DD, _DT)):
            return _pop(found, lists, now, stack, height, place, frames, used, count)
        if (kind == _LI and other in (_UL, _OL)) or (kind == _TR and other == _TABLE) or (kind in (_DD, _DT) and other == _DL):
            break
    return height, frames
