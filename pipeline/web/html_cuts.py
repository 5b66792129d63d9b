"""Parts of a page's markup that nobody reads, or that resiliparse misreads: the page is parsed without them.

In: what a pass over the markup (`pipeline.web.html_blocks`) meets. Out: where those parts begin and end, in their order. They are scripts,
styles, comments, `meta` and `link`, and white space between blocks: a third of the nodes of a page, and resiliparse walks all of them.

The text of a page is the same without them. Where they stand decides: between tags, so that no two pieces of text become one, nor a piece
and what follows it a tag or a reference; and never all that an element holds, since resiliparse does not leave what is empty (lists after
an empty one are written a level deeper).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.kernel import bare_kernel, kernel
from pipeline.web.html_list_marks import larger
from pipeline.web.html_names import numbered, packed

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

# White space that is looked at around a part of the markup.
_MOST_BLANKS = 128
# Of elements that stand in lines of their own: they begin wherever their tag stands, as those do not that a parser may pass over, nor
# tables, which words may be put before that stand in them; and the next block may begin in them, and does not end them.
_BLOCK, _BEGINS, _HOLDS = 1, 2, 4
BREAKS = numbered(
    dict.fromkeys("p h1 h2 h3 h4 h5 h6 dt dd".split(), _BLOCK | _BEGINS)  # noqa: SIM905
    | dict.fromkeys("body form table tbody tr td th".split(), _BLOCK | _HOLDS)  # noqa: SIM905
    | dict.fromkeys(
        "article aside blockquote div dl figure footer header li main nav ol section ul".split(),  # noqa: SIM905
        _BLOCK | _BEGINS | _HOLDS,
    )
)
_LI, _PRE = packed("li"), packed("pre")
# Of the tag before: where it ends, its name, whether it closes, and what `BREAKS` says of it. And how many `pre` are open.
_END, _NAME, _CLOSES, _KIND, _PREFORMATTED, BEFORE = range(6)


def without(markup: bytes, cuts: Integers) -> bytes:
    """Markup without some parts of it."""
    return _left(np.frombuffer(markup, np.uint8), cuts).tobytes()


@kernel
def _left(data: Bytes, cuts: Integers) -> Bytes:
    count = cuts.shape[1]
    size = len(data)
    for row in range(count):
        size -= cuts[1, row] - cuts[0, row]
    left = np.empty(size, np.uint8)
    used = at = 0
    for row in range(count + 1):
        end = cuts[0, row] if row < count else len(data)
        left[used : used + end - at] = data[at:end]
        used += end - at
        at = cuts[1, row] if row < count else end
    return left


@kernel
def noted(cuts: Integers, count: int, first: int, end: int) -> tuple[Integers, int]:
    """Notes a part of the markup, if it holds anything; how many are noted then."""
    if first == end:
        return cuts, count
    if count == cuts.shape[1]:
        cuts = larger(cuts, 1)
    cuts[0, count], cuts[1, count] = first, end
    return cuts, count + 1


@bare_kernel
def may_go(data: Bytes, at: int, end: int) -> bool:
    """Whether a comment or an element without text, from one place to before another, can be left out."""
    first, last = at, end
    least, most = max(0, at - _MOST_BLANKS), min(len(data), end + _MOST_BLANKS)
    while first > least and data[first - 1] <= 32:
        first -= 1
    while last < most and data[last] <= 32:
        last += 1
    if first == 0 or last == len(data):
        return True
    follows = data[last + 1] if data[last] == 60 and last + 1 < len(data) else 0
    tag = follows == 33 or follows == 47 or follows == 63 or 97 <= follows | 32 <= 122
    only = first == at and last == end and follows == 47
    return bool(data[first - 1] == 62 and tag and not only)


@bare_kernel
def blanks_before(data: Bytes, at: int, name: int, closing: bool, kind: int, before: Integers) -> int:
    """Where white space begins that reaches up to a tag and can be left out; where the tag begins if there is none.

    One of the two tags around it must begin an element for sure: were both passed over, the words around them would become one.

    Args:
        kind: what `BREAKS` says of the tag's name.
    """
    last = before[_KIND]
    if closing or kind < 0 or last <= 0 or before[_PREFORMATTED] or data[at - 1] > 32:
        return at
    if before[_CLOSES]:
        goes = kind & _BEGINS != 0
    else:
        goes = (kind | last) & _BEGINS != 0 and last & _HOLDS != 0 and not name == before[_NAME] == _LI
    return before[_END] if goes and _is_blank(data, before[_END], at) else at


@bare_kernel
def note_tag(name: int, closing: bool, kind: int, end: int, before: Integers) -> None:
    """Notes a tag, for what follows it; `kind` is what `BREAKS` says of its name."""
    before[_END], before[_NAME], before[_CLOSES], before[_KIND] = end, name, closing, kind
    if name == _PRE:
        before[_PREFORMATTED] = max(0, before[_PREFORMATTED] + (-1 if closing else 1))


@bare_kernel
def note_cut(data: Bytes, first: int, end: int, before: Integers) -> None:
    """Notes a part that is left out: what follows it follows the tag before."""
    if not _is_blank(data, before[_END], first):
        before[_KIND] = -1
    before[_END] = end


@bare_kernel
def _is_blank(data: Bytes, first: int, end: int) -> bool:
    while end > first and data[end - 1] <= 32:
        end -= 1
    return bool(end == first)
