"""English words that are cut, or kept whole, against the rules: contractions, abbreviations, times, units; and Gopher's
stop words.

In: nothing. Out: a hash table for `pipeline.text.words.separate`. Which words these are follows spaCy 3.8
(`spacy/lang/en/ tokenizer_exceptions.py`, `spacy/lang/tokenizer_exceptions.py`, units of `spacy/lang/char_classes.py`);
emoticons are left out.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from pipeline.text.words.separate import CUT, LONGEST_SPECIAL, STOP, UNIT
from pipeline.text.words.word_hash import hash_text

# Gopher's list (arXiv 2112.11446, section A.1.1); matched as whole words, in lower case only, as printed there.
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

_PRONOUNS = ("i", "you", "he", "she", "it", "we", "they")
_QUESTIONS = ("who", "what", "when", "where", "why", "how", "there", "that", "this", "these", "those")
_MODALS = ("could", "might", "must", "should", "would")
_NEGATED = ("ca", "do", "does", "did", "had", "may", "need", "ought", "sha", "wo", *_MODALS)
_NEGATED_ONLY = ("ai", "are", "is", "was", "were", "have", "has", "dare")
# These are words of their own more often than contractions without an apostrophe.
_NOT_CUT = {"ill", "its", "hell", "shell", "shed", "were", "well", "whore"}
_OTHERS = "y'|all y|all how|'d|'y not|'ve not|ve can|not gon|na got|ta let|'s c'm|on i|'m i|m i|'m|a i|m|a"  # fmt: skip
_WHOLE = (
    "doin doin' goin goin' nothin nothin' nuthin nuthin' ol ol' somethin somethin' lovin lovin' havin havin' ma'am"
    " o'clock Mt. Ak. Ala. Apr. Ariz. Ark. Aug. Calif. Colo. Conn. Dec. Del. Feb. Fla. Ga. Ia. Id. Ill. Ind. Jan. Jul."
    " Jun. Kan. Kans. Ky. La. Mar. Mass. Mich. Minn. Miss. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Nov. Oct."
    " Okla. Ore. Pa. S.C. Sep. Sept. Tenn. Va. Wash. Wis. Adm. Bros. Co. Corp. D.C. Dr. Gen. Gov. Inc. Jr. Ltd. Md."
    " Messrs. Mo. Mont. Mr. Mrs. Ms. Ph.D. Prof. Rep. Rev. Sen. St. E.G. I.E. 'S \u2018S \u2018s"
)
_WHOLE_SMALL = "'em 'll 'nuff 's 're 'd 'bout a.m. p.m. co. vs. v.s. and/or w/o C++ '' ' \u2014 \\n \\t"
_WHOLE_BOTH = "e.g. i.e. 'cause 'cos 'coz 'cuz"
_UNITS = (
    "km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa"
    " mbar mb MB kb KB gb GB tb TB T G M K % км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг м/с км/ч"
)


@cache
def special_words() -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
    """Hashes and values, uint64[s] and uint32[s], an open table at most half full; s is a power of two, a free slot has
    the value 0.
    """
    entries = {word: STOP | index for index, word in enumerate(STOP_WORDS)}
    for unit in sorted(units()):
        entries[unit] = UNIT
    for pieces in word_cuts():
        sizes = [len(piece.encode()) for piece in pieces] + [0, 0]
        # A unit that is also kept whole has both meanings.
        entries["".join(pieces)] = entries.get("".join(pieces), 0) | CUT | sizes[0] | sizes[1] << 8 | sizes[2] << 16
    size = 1 << (2 * len(entries) - 1).bit_length()
    hashes, values = np.zeros(size, np.uint64), np.zeros(size, np.uint32)
    for word, value in entries.items():
        slot = hash_text(word) % size
        while values[slot]:
            slot = (slot + 1) % size
        hashes[slot], values[slot] = hash_text(word), value
    return hashes, values


def units() -> frozenset[str]:
    """Units that are cut off after a digit."""
    return frozenset(_UNITS.split())


def word_cuts() -> list[tuple[str, ...]]:
    """Words that are cut as given here, of one piece where they stay whole; none is longer than `LONGEST_SPECIAL`
    bytes.
    """
    straight = _cuts()
    curly = [tuple(piece.replace("'", "\u2019") for piece in pieces) for pieces in straight if len(pieces) > 1]
    words = {"".join(pieces): pieces for pieces in (*straight, *curly)}
    return [
        pieces
        for word, pieces in words.items()
        if word not in _NOT_CUT and word.lower() not in _NOT_CUT and len(word.encode()) <= LONGEST_SPECIAL
    ]


def _cuts() -> list[tuple[str, ...]]:
    small: list[tuple[str, ...]] = [tuple(text.split("|")) for text in _OTHERS.split()]
    for apostrophe in ("'", ""):
        for word in (*_PRONOUNS, *_QUESTIONS):
            small += [(word, f"{apostrophe}ll"), (word, f"{apostrophe}ll", f"{apostrophe}ve")]
            small += [(word, f"{apostrophe}d"), (word, f"{apostrophe}d", f"{apostrophe}ve")]
        for word in ("he", "she", "it", *(word for word in _QUESTIONS if word not in ("these", "those"))):
            small.append((word, f"{apostrophe}s"))
        plural = [word for word in _QUESTIONS if word not in ("that", "this")]
        for word in ("i", "you", "we", "they", *plural, *_MODALS):
            small.append((word, f"{apostrophe}ve"))
        for word in ("you", "we", "they", *plural):
            small.append((word, f"{apostrophe}re"))
        for word in (*_NEGATED, *_NEGATED_ONLY):
            small.append((word, f"n{apostrophe}t"))
        for word in _NEGATED:
            small.append((word, f"n{apostrophe}t", f"{apostrophe}ve"))
    cuts = [*small, *((pieces[0][0].upper() + pieces[0][1:], *pieces[1:]) for pieces in small)]
    cuts += [(word,) for word in (*_WHOLE.split(), *_WHOLE_SMALL.split(), *_WHOLE_BOTH.split())]
    cuts += [(word[0].upper() + word[1:],) for word in _WHOLE.split() if word[0].islower()]
    cuts += [(word.title() if word[0] == "'" else word[0].upper() + word[1:],) for word in _WHOLE_BOTH.split()]
    cuts += [(f"{letter}.",) for letter in "abcdefghijklmnopqrstuvwxyzäöü"]
    cuts += [(f"{hour}", period) for hour in range(1, 13) for period in ("am", "pm", "a.m.", "p.m.")]
    return cuts
