"""Inputs of property tests: arbitrary Unicode, and documents of few different words, so that words repeat."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.readers.web.html_characters import squeeze

# Kernels compile at their first call, which takes seconds.
thorough = settings(deadline=None, max_examples=200)

# Control characters, spaces of many kinds, combining marks, CJK, right-to-left, U+2581, 4-byte characters, bullets and
# ellipses.
_SPECIAL = (
    "\x00\t\n\x0b\x0c\r\x1c\x1f"
    " \x7f\x85\xa0\xad\u0301\u0308\u200b\u200d\u200e\u202e\u2028\u2029\u2003\u3000\u2581\ufeff\ufffd"
    "#.…•‣◦⁃-*'\"éßıİΣς中文漢字かなカナ한글עבראערاب٠१²Ⅷ𝟘𝔸😀👩🏽\U0010ffff"
)
_WORDS = (
    "the",
    "be",
    "of",
    "and",
    "a",
    "A",
    "bc",
    "...",
    "#",
    "don't",
    "中文",
    "é",
    "12",
    "x.y",
    "•",
    "-",
    "with",
    "…",
)
_BETWEEN = (" ", " ", " ", "  ", "\n", "\n\n", " \n \n", "\t", "\u3000")

any_text = st.text(
    st.one_of(st.sampled_from(_SPECIAL), st.characters(codec="utf-8"), st.sampled_from("ab .#\n")), max_size=120
)
wordy_text = st.lists(st.tuples(st.sampled_from(_WORDS), st.sampled_from(_BETWEEN)), max_size=120).map(
    lambda pairs: "".join(word + between for word, between in pairs)
)
# The same few words over and over: n-grams that repeat, overlap and nest.
repeating_text = st.lists(st.sampled_from("ab"), max_size=60).map(" ".join)
texts = st.lists(st.one_of(any_text, wordy_text, repeating_text), max_size=6)


def buffers(documents: list[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """UTF-8 bytes and offsets of documents, as Arrow would hold them; nothing follows the last byte."""
    encoded = [document.encode() for document in documents]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    # As `pipeline.text.normalise.text_buffers` gives them: for arrays that can be written every kernel would be
    # compiled once more.
    offsets.flags.writeable = False
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def squeezed(text: str) -> bytes:
    """Text without white space and bullets, as that of a page's blocks is."""
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    out = np.empty(len(data), np.uint8)
    return out[: squeeze(data, out)].tobytes()
