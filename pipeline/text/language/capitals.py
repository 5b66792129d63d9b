"""Texts in capitals are lower-cased before their language is identified: the model has seen almost none in capitals.

In: UTF-8 bytes and offsets of n documents. Out: which of them are mostly in capitals, and their beginnings in small
letters.

Licences and notices in capitals are labelled at random otherwise: of texts of 300 characters in 40 languages, 46 % keep
their label when they are put in capitals, and as many as before when they are lower-cased again (`docs/pipelines.md`).
A document is in capitals if more than half of the letters that are looked at are capitals. Letters of alphabets without
case do not count as such, so that names in Latin capitals change nothing in Chinese text. Letters in other styles count
as capitals, since the model knows none of them: fullwidth ones, small capitals, and the mathematical alphabets. Titles
and texts half in capitals stay as they are, which measured just as well.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from kernels.arrays import Bools, Bytes, Int64s
from kernels.compiled import kernel

# Simple lower case of Unicode 14.0.0 (UnicodeData.txt) in the alphabets that languages of the model are written in:
# Latin, Greek, Cyrillic, Armenian, Georgian. Runs: first code point, how many, steps between them, how far away the
# small letters are.
_LOWER = (
    "41:26:1:32 C0:23:1:32 D8:7:1:32 100:24:2:1 130:1:1:-199 132:3:2:1 139:8:2:1 14A:23:2:1 178:1:1:-121 179:3:2:1 181:1:1:210 "
    "182:2:2:1 186:1:1:206 187:1:1:1 189:2:1:205 18B:1:1:1 18E:1:1:79 18F:1:1:202 190:1:1:203 191:1:1:1 193:1:1:205 194:1:1:207 "
    "196:1:1:211 197:1:1:209 198:1:1:1 19C:1:1:211 19D:1:1:213 19F:1:1:214 1A0:3:2:1 1A6:1:1:218 1A7:1:1:1 1A9:1:1:218 1AC:1:1:1 "
    "1AE:1:1:218 1AF:1:1:1 1B1:2:1:217 1B3:2:2:1 1B7:1:1:219 1B8:1:1:1 1BC:1:1:1 1C4:1:1:2 1C5:1:1:1 1C7:1:1:2 1C8:1:1:1 1CA:1:1:2 "
    "1CB:9:2:1 1DE:9:2:1 1F1:1:1:2 1F2:2:2:1 1F6:1:1:-97 1F7:1:1:-56 1F8:20:2:1 220:1:1:-130 222:9:2:1 23A:1:1:10795 23B:1:1:1 "
    "23D:1:1:-163 23E:1:1:10792 241:1:1:1 243:1:1:-195 244:1:1:69 245:1:1:71 246:5:2:1 370:2:2:1 376:1:1:1 37F:1:1:116 386:1:1:38 "
    "388:3:1:37 38C:1:1:64 38E:2:1:63 391:17:1:32 3A3:9:1:32 3CF:1:1:8 3D8:12:2:1 3F4:1:1:-60 3F7:1:1:1 3F9:1:1:-7 3FA:1:1:1 "
    "3FD:3:1:-130 400:16:1:80 410:32:1:32 460:17:2:1 48A:27:2:1 4C0:1:1:15 4C1:7:2:1 4D0:48:2:1 531:38:1:48 1C90:43:1:-3008 "
    "1CBD:3:1:-3008 1E00:75:2:1 1E9E:1:1:-7615 1EA0:48:2:1 1F08:8:1:-8 1F18:6:1:-8 1F28:8:1:-8 1F38:8:1:-8 1F48:6:1:-8 1F59:4:2:-8 "
    "1F68:8:1:-8 1F88:8:1:-8 1F98:8:1:-8 1FA8:8:1:-8 1FB8:2:1:-8 1FBA:2:1:-74 1FBC:1:1:-9 1FC8:4:1:-86 1FCC:1:1:-9 1FD8:2:1:-8 "
    "1FDA:2:1:-100 1FE8:2:1:-8 1FEA:2:1:-112 1FEC:1:1:-7 1FF8:2:1:-128 1FFA:2:1:-126 1FFC:1:1:-9 2C60:1:1:1 2C62:1:1:-10743 "
    "2C63:1:1:-3814 2C64:1:1:-10727 2C67:3:2:1 2C6D:1:1:-10780 2C6E:1:1:-10749 2C6F:1:1:-10783 2C70:1:1:-10782 2C72:1:1:1 2C75:1:1:1 "
    "2C7E:2:1:-10815 A640:23:2:1 A680:14:2:1 A722:7:2:1 A732:31:2:1 A779:2:2:1 A77D:1:1:-35332 A77E:5:2:1 A78B:1:1:1 A78D:1:1:-42280 "
    "A790:2:2:1 A796:10:2:1 A7AA:1:1:-42308 A7AB:1:1:-42319 A7AC:1:1:-42315 A7AD:1:1:-42305 A7AE:1:1:-42308 A7B0:1:1:-42258 "
    "A7B1:1:1:-42282 A7B2:1:1:-42261 A7B3:1:1:928 A7B4:8:2:1 A7C4:1:1:-48 A7C5:1:1:-42307 A7C6:1:1:-35384 A7C7:2:2:1 A7D0:1:1:1 "
    "A7D6:2:2:1 A7F5:1:1:1 "
)
# Small capitals of the block Phonetic Extensions and around, and the letters that they represent.
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
_FULLWIDTH = (0xFF21, 0xFF41)
_MATHEMATICAL = (0x1D400, 0x1D6A4)
_CAPITAL, _SMALL, _UNCASED = 1, 2, 3
_CASED_POINTS = 0x20000


@cache
def lower_case() -> dict[int, int]:
    """Code points of capitals and letters in other styles, and the plain small letters for them."""
    table: dict[int, int] = {}
    for run in _LOWER.split():
        first, count, step, distance = run.split(":")
        for index in range(int(count)):
            point = int(first, 16) + index * int(step)
            table[point] = point + int(distance)
    table |= {ord(capital): ord(small) for capital, small in _SMALL_CAPITALS.items()}
    table |= {first + index: 97 + index for first in _FULLWIDTH for index in range(26)}
    return table | {point: 97 + (point - _MATHEMATICAL[0]) % 26 for point in range(*_MATHEMATICAL)}


@cache
def _cases() -> Bytes:
    """uint8[0x20000]: `_CAPITAL` or `_SMALL` for code points with case; `_UNCASED` for all others beyond ASCII."""
    table = np.full(_CASED_POINTS, _UNCASED, np.uint8)
    # Signs of Latin-1 and General Punctuation are not letters.
    table[:0xC0] = 0
    table[0x2000:0x2070] = 0
    table[0x3000:0x3005] = 0
    for capital, small in lower_case().items():
        table[capital] = _CAPITAL
        if table[small] != _CAPITAL:
            table[small] = _SMALL
    table[ord("ß")] = _SMALL
    table.flags.writeable = False
    return table


def in_capitals(data: Bytes, offsets: Int64s, *, characters: int) -> Bools:
    """Whether most letters among the first `characters` of each document are capitals, bool[n]."""
    found = np.zeros(len(offsets) - 1, np.bool_)
    _in_capitals(data, offsets, characters, _cases(), found)
    return found


def small_letters(text: bytes, *, characters: int) -> bytes:
    """The first `characters` of a text in small letters."""
    # A character takes at most four bytes; one that is cut is beyond them.
    return text[: 4 * characters].decode("utf-8", "ignore")[:characters].translate(lower_case()).encode()


@kernel
def _in_capitals(data: Bytes, offsets: Int64s, characters: int, cases: Bytes, found: Bools) -> None:
    for document in range(len(offsets) - 1):
        capitals = others = seen = 0
        i, end = offsets[document], offsets[document + 1]
        while i < end and seen < characters:
            byte = data[i]
            seen += 1
            if byte < 0x80:
                letter = byte | 32
                if 97 <= letter <= 122:
                    if byte == letter:
                        others += 1
                    else:
                        capitals += 1
                i += 1
                continue
            if byte < 0xE0:
                point, width = ((byte & 31) << 6) | (data[i + 1] & 63), 2
            elif byte < 0xF0:
                point, width = ((byte & 15) << 12) | ((data[i + 1] & 63) << 6) | (data[i + 2] & 63), 3
            else:
                point = ((byte & 7) << 18) | ((data[i + 1] & 63) << 12) | ((data[i + 2] & 63) << 6) | (data[i + 3] & 63)
                width = 4
            i += width
            case = cases[point] if point < len(cases) else 0
            if case == 1:
                capitals += 1
            elif case:
                others += 1
        found[document] = capitals > others
