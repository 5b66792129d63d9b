"""What passes over a page's markup ask of a tag's name, in one table.

In: names of the HTML standard. Out: for each a number: its kind among `NAMES` and `SCOPES`, and one bit for each thing
that holds of it. A kernel looks a name up once a tag.
"""

from __future__ import annotations

from typing import Final

from kernels.arrays import Int64s
from kernels.compiled import bare_kernel, inlined_kernel
from pipeline.readers.web.html_names import number_of, numbered

# Blocks that hold text; frames, which count as one with all that they hold; what is not shown.
BLOCKS: Final = ("li", "tr", "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "dd", "dt", "figure")
FRAMES: Final = ("nav", "header", "footer", "aside", "form")
NAMES: Final = (*BLOCKS, *FRAMES, "noscript", "hidden")
NOSCRIPT: Final = NAMES.index("noscript")
HIDDEN: Final = NAMES.index("hidden")
# Where the search for an open item, row or paragraph ends.
SCOPES: Final = ("ul", "ol", "dl", "table")
# Elements that the parser opens again when they were left open (the HTML standard's formatting elements, without `a`
# and `nobr`'s scoping).
FORMATTING: Final = ("b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")

# Elements whose content is not text; those without content; those that nobody reads; those that resiliparse may leave
# out for the names that their attributes give them; those that end where the markup says so; those that are formatting;
# raised characters.
IS_RAW, IS_VOID, IS_UNREAD, IS_LITERAL, IS_CONTAINER, IS_FORMATTING, IS_RAISED = (1 << bit for bit in range(6, 13))
# Elements that are on lines of their own; of these, those that begin wherever their tag is (a parser may pass over
# others, and moves words that are in a table to before it); and those in which the next block may begin, and does not
# end them.
IS_BLOCK, BEGINS, HOLDS = (1 << bit for bit in range(13, 16))
_KINDS: Final = (1 << 6) - 1

_SAID: Final = {
    "script style title textarea iframe noembed noframes xmp": IS_RAW,
    "area base br col embed hr img input link meta source track wbr": IS_VOID,
    "script style meta link": IS_UNREAD,
    "code kbd samp var tt": IS_LITERAL,
    "div section article main": IS_CONTAINER,
    " ".join(FORMATTING): IS_FORMATTING,
    "sup sub": IS_RAISED,
    "p h1 h2 h3 h4 h5 h6 dt dd": IS_BLOCK | BEGINS,
    "body form table tbody tr td th": IS_BLOCK | HOLDS,
    "article aside blockquote div dl figure footer header li main nav ol section ul": IS_BLOCK | BEGINS | HOLDS,
}


def _table() -> dict[str, int]:
    facts = {name: number + 1 for number, name in enumerate((*NAMES, *SCOPES)) if number != HIDDEN}
    for names, bits in _SAID.items():
        for name in names.split():
            facts[name] = facts.get(name, 0) | bits
    return facts


TAGS: Final = numbered(_table())


@bare_kernel
def facts_of(tags: Int64s, name: int) -> int:
    """The number of a packed name in the table `TAGS`; 0 for one that is not in it."""
    facts = number_of(tags, name)
    return facts if facts > 0 else 0


@inlined_kernel
def kind_of(facts: int) -> int:
    """The place in `(*NAMES, *SCOPES)` of the name that has this number; -1 if it has none there."""
    return (facts & _KINDS) - 1
