"""Where the blocks of a page begin and end in its text, read from the markup in one pass.

In: the markup of a page, UTF-8. Out: `Blocks`, in the order of the page.

A parser's tree would say the same, but to ask it for each block costs as much as extracting the text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels.arrays import Bytes, Int64s
from pipeline.readers.web.html_census import Census
from pipeline.readers.web.html_characters import ENTITIES
from pipeline.readers.web.html_list_marks import (
    ATTRIBUTES,
    BEYOND,
    CHARACTERS,
    DOUBTS,
    EMPTY_ANCHORS,
    FIGURES,
    FORMATTED,
    NUMBERED,
    PARAGRAPHS,
    RAISED,
    SHORT_CLASSES,
)
from pipeline.readers.web.html_tags import TAGS
from pipeline.readers.web.html_walk import walk


class Blocks(NamedTuple):
    """m blocks of a page.

    Attributes:
        text: the page's text without white space and bullets, uint8[].
        kinds: places in `NAMES`, int64[m].
        starts, stops: where the block begins and ends in `text`, int64[m]; for what is not shown, where it would be,
            and one more if it has text, which is not in `text`.
        firsts: where the first piece of its text ends, as a tag ends it; int64[m].
        afters: how many blocks had begun when it ended, int64[m]: those after it up to there lie in it.
        beyond: blocks that were passed over.
        lists: marks of the page's n lists (`pipeline.readers.web.html_list_marks`), int64[n].
        in_lists: the first block in each list and the first one after it, int64[2, n]; blocks in frames are not among
            them.
        characters, paragraphs: how many the page has without white space, hidden ones too, and those of all `p` that
            are shown.
        cuts: parts of the markup, where they begin and end, int64[2, k]: what makes resiliparse take an element for
            shown that is not, or the other way round (`pipeline.readers.web.html_attributes.misread`); attributes of
            `code` and other literals, which it may leave out for their names; the content of scripts and styles, which
            it takes for text when it asks how much of an element is links; and what nobody reads
            (`pipeline.readers.web.html_cuts`). There are no cuts after a script whose end is not sure, where the parser
            may read other tags; and none of the last two kinds in drawings and formulas.
        figures: some figure holds a table, a list, code or a quotation.
        short_classes: some element may have one of the classes of two letters that
            `pipeline.readers.web.html_tree.remove_short_classes` looks for.
        census: what the page is made of without `cuts`; None where the parser may read other tags than this pass did.
    """

    text: Bytes
    kinds: Int64s
    starts: Int64s
    stops: Int64s
    firsts: Int64s
    afters: Int64s
    beyond: int
    lists: Int64s
    in_lists: Int64s
    characters: int
    paragraphs: int
    cuts: Int64s
    figures: bool
    short_classes: bool
    census: Census | None


def blocks_of(markup: bytes) -> Blocks:
    """Blocks of a page that are in no frame, and its frames."""
    data = np.frombuffer(markup, np.uint8)
    text, found, marks, in_lists, cuts, counts = walk(data, TAGS, ENTITIES)
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
