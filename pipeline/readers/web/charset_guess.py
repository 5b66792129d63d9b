"""Which legacy encoding bytes are in, by how likely each makes them.

In: bytes that are not UTF-8. Out: for each encoding the log-likelihood of the visible bytes beyond ASCII
(`pipeline.readers.web.charset_single`, `pipeline.readers.web.charset_pairs`), and for a declared one whether it reads
like text at all.

The same bytes give the same answer; the cost does not grow beyond `_MOST_BYTES` looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.readers.web import charset_pairs, charset_single
from pipeline.readers.web.charset_pairs import MULTIPLE
from pipeline.readers.web.charset_single import SINGLE

# Bytes that are looked at: text between tags that holds bytes beyond ASCII.
_MOST_BYTES: Final = 32 << 10
_LONGEST_PIECE: Final = 4 << 10
# Below this score a character, bytes are not text. On the development texts right readings had -4.3 and more (of pairs
# of bytes -9.9, lists in Chinese with lines drawn around), UTF-8 with holes that is read as a single-byte encoding, and
# noise, -5.9 and less (-13).
_LEAST_SCORE: Final = -5.2
_LEAST_SCORE_OF_PAIRS: Final = -11.0
_FEW_CHARACTERS: Final = 20
# Encodings that are not guessed, and guessed ones with the same letters.
_ALIKE: Final = {"gb18030": "gbk", **charset_single.ALIKE}
# By how much another encoding must be likelier than a declared one that does not read like text, in nats: at all, and
# for each character beyond ASCII.
_MARGIN: Final = 12.0
_MARGIN_EACH: Final = 0.12
# With fewer characters nothing contradicts what is declared.
_LEAST_CHARACTERS: Final = 3
_SHORT: Final = 4 << 10
_LIST_OF_LETTERS: Final = 8
_ALL_BEYOND: Final = re.compile(rb"[\x80-\xff]+")


@dataclass(frozen=True)
class Guess:
    """How likely bytes are in an encoding.

    Attributes:
        score: log-likelihood.
        characters: how many characters beyond ASCII it was counted on.
    """

    encoding: str
    score: float
    characters: int

    @property
    def plausible(self) -> bool:
        """False for bytes that do not read like any language; True for too few characters to say so."""
        least = _LEAST_SCORE_OF_PAIRS if self.encoding in MULTIPLE else _LEAST_SCORE
        return self.characters < _FEW_CHARACTERS or self.score > least * self.characters


def visible(body: bytes) -> bytes:
    """Text between tags that holds bytes beyond ASCII, without scripts and styles; at most `_MOST_BYTES`."""
    found: list[bytes] = []
    size = 0
    hidden = b""
    for at, piece in enumerate(body.split(b"<")):
        text = piece
        if at:
            if hidden:
                if piece[: len(hidden)].lower() != hidden:
                    continue
                hidden = b""
            name = piece[:6].lower()
            if name == b"script" or name.startswith(b"style"):
                hidden = b"/script" if name == b"script" else b"/style"
                continue
            end = piece.find(b">")
            text = piece[end + 1 :] if end >= 0 else piece
        if text.isascii():
            continue
        for line in text.splitlines() if len(text) > _LONGEST_PIECE else [text]:
            if not line.isascii():
                found.append(_around(line))
                size += len(found[-1])
                if size >= _MOST_BYTES:
                    return _joined(found)
    return _joined(found)


def _around(text: bytes) -> bytes:
    """A long text from shortly before its first byte beyond ASCII, cut."""
    if len(text) <= _LONGEST_PIECE:
        return text
    first = _BEYOND_ASCII.search(text)
    return text[max(0, first.start() - 64) if first else 0 :][:_LONGEST_PIECE]


def _joined(found: list[bytes]) -> bytes:
    return _REPEATED.sub(rb"\1", b"\n".join(found))


# Lines drawn with characters say nothing.
_REPEATED: Final = re.compile(rb"([\x80-\xff]{1,2})\1{3,}", re.DOTALL)
_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]")


def guess(sample: bytes, *, among: tuple[str, ...] | None = None) -> list[Guess]:
    """Encodings by their likelihood, the likeliest first.

    Args:
        sample: what `visible` gives.
        among: the encodings that are asked about; all that are known when not given.
    """
    data = np.frombuffer(sample, dtype=np.uint8)
    counts = np.bincount(data, minlength=256).astype(np.float32)
    beyond = int(counts[128:].sum())
    guesses = [
        Guess(name, charset_single.guessed(name, data, counts), beyond)
        for name in SINGLE
        if among is None or name in among
    ]
    guesses += [
        Guess(name, *charset_pairs.guessed(name, sample)) for name in MULTIPLE if among is None or name in among
    ]
    return sorted(guesses, key=lambda candidate: -candidate.score)


def contradicted(sample: bytes, declared: str) -> bool:
    """True for bytes that do not read like text in the encoding that is declared, and far more so in another.

    Args:
        sample: what `visible` gives.
        declared: a name that `encoding_of` gives; those that are not guessed are never contradicted.
    """
    name = _ALIKE.get(declared, declared)
    if len(sample) <= _SHORT:
        sample = _telling(sample)
    if name in MULTIPLE:
        score, characters, is_text = charset_pairs.declared(name, sample)
    elif name in SINGLE:
        data = np.frombuffer(sample, dtype=np.uint8)
        counts = np.bincount(data, minlength=256).astype(np.float32)
        score, is_text = charset_single.declared(declared, data, counts)
        characters = int(counts[128:].sum())
    else:
        return False
    if is_text or characters < _LEAST_CHARACTERS:
        return False
    best = guess(sample)[0]
    if best.encoding == name or best.score - score <= _MARGIN + _MARGIN_EACH * min(best.characters, characters):
        return False
    # Where nothing reads like text, the declaration holds unless its reading is soup too.
    return best.plausible or not Guess(name, score, characters).plausible


def _telling(sample: bytes) -> bytes:
    """Each word once, since it says nothing new when it comes again; no lists of letters (no letter comes twice)."""
    words = dict.fromkeys(sample.split())
    return b" ".join(
        word
        for word in words
        if len(word) < _LIST_OF_LETTERS or len(set(word)) < len(word) or not _ALL_BEYOND.fullmatch(word)
    )
