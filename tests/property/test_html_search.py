"""The blocks missing from a text are those that a plain search does not find."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.readers.web.html_blocks import blocks_of
from pipeline.readers.web.html_search import lost_blocks
from pipeline.readers.web.html_tags import FRAMES, NAMES
from tests.property.texts import squeezed, thorough

MOST = 1_000_000
words = st.sampled_from(
    ["rye", "oats and barley", "a", "Grüße", "日本", "12. ", "3.", "1234567. rye", "• ", "- ", " • - x", "\u00a0", "aaaaaaaaaa",
     "aaaaaaaaab", "the quick brown fox jumps over it", "a|b", "x\ty", "\n", "\u2028", " ", "3.\u3000z", "𝄞"]
)  # fmt: skip
texts = st.lists(words, max_size=12).map("".join)
blocks = st.tuples(st.sampled_from(["p", "li", "tr", "nav", "h2", "p hidden"]), texts).map(
    lambda pair: f"<{pair[0]}>{pair[1]}<b>{pair[1][:3]}"
)
pages = st.lists(blocks, max_size=6).map("".join)


def short_lines(text: str) -> set[bytes]:
    cells = text.replace("\t", "\n").replace("|", "\n").split("\n")
    parts = [cell.strip().removeprefix("\u2022").removeprefix("- ").lstrip() for cell in cells]
    return {"".join(re.sub(r"\d{1,6}\.\s", "", part, count=1).split()).encode() for part in parts if len(part) < 32}


def in_pieces(first: bytes, beginning: bytes, held: bytes) -> bool:
    """Whether the first piece stands there, and the next eight bytes behind a number, a hyphen or
    lines between cells.
    """
    after = beginning[len(first) :][:8]
    behind = [held[place.start() + len(first) :] for place in re.finditer(b"(?=" + re.escape(first) + b")", held)]
    ends = [text for rest in behind for text in (rest, re.sub(rb"^[0-9]{0,6}(?:[.-])?", b"", rest))]
    return bool(after) and any(
        re.match(b"".join(b"[|]*?" + re.escape(bytes([byte])) for byte in after), end) for end in ends
    )


def reference(page: str, text: str) -> list[int]:
    found = blocks_of(page.encode())
    whole, held, lines = found.text.tobytes(), squeezed(text), short_lines(text)
    lost = []
    within, within_kind = 0, ""
    for number, kind in enumerate(NAMES[kind] for kind in found.kinds):
        start, stop = int(found.starts[number]), int(found.stops[number])
        if start == stop or (number < within and not kind == within_kind == "li"):
            continue
        if kind not in ("hidden", "noscript"):
            beginning = whole[start : min(stop, start + 32)]
            if beginning in held if len(beginning) >= 8 else beginning in lines:
                continue
            first = whole[start : min(int(found.firsts[number]), start + 32)]
            if (
                kind not in FRAMES
                and first
                and (in_pieces(first, beginning, held) if len(first) >= 8 else first in lines)
            ):
                continue
        within, within_kind = int(found.afters[number]), kind
        lost.append(number)
    return lost


@thorough
@given(pages, texts)
@example("<p>- <b>- ", "- ")
def test_blocks_that_are_lost_are_those_that_a_plain_search_does_not_find(page: str, text: str) -> None:
    assert lost_blocks(blocks_of(page.encode()), text, most_searched=MOST).rows.tolist() == reference(page, text)


@thorough
@given(st.lists(blocks, max_size=8))
def test_a_text_that_holds_half_of_the_page(parts: list[str]) -> None:
    text = "\n".join(re.sub("<[^>]*>", "", part) for part in parts[::2])
    page = "".join(parts)
    assert lost_blocks(blocks_of(page.encode()), text, most_searched=MOST).rows.tolist() == reference(page, text)
