"""Classes of code points for the walk over a document: those of `kernels.characters` and the ones that filters and word
rules ask for.

Out: `point_classes()`, uint16[0x110000], bits; `byte_classes()`, uint8[256], what the walk needs to know about a byte.

Sources: `TERMINAL` and `SYMBOL` are the sets TERMINAL_PUNCTUATION and PUNCTUATION_SET of datatrove 0.10.1
(utils/text.py; the former is Unicode's property Sentence_Terminal and a few more). `AFFIX`, `ICON`, `QUOTE`, `HYPHEN`
and `CURRENCY` are what spaCy 3.8 splits off English words (spacy/lang/char_classes.py and punctuation.py; icons are
most of Unicode's category So).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from kernels.characters import LETTER, SPACE, WORD, classes

AFFIX = 32
UPPER = 64
QUOTE = 128
ICON = 256
HYPHEN = 512
CURRENCY = 1024
TERMINAL = 2048
SYMBOL = 4096

# For bytes: SPACE, LETTER and WORD as in `kernels.characters`; SPACE also where a character of several bytes begins, so
# that one test ends a run of plain bytes.
DIGIT = 16

_TERMINAL = (
    "21 2E 3F 589 61D-61F 6D4 700-702 7F9 837 839 83D-83E 964-965 104A-104B 1362 1367-1368 166E 1735-1736 17D4-17D6 17D9-17DA 1803 1809 "
    "1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E 1C3B-1C3C 1C7E-1C7F 203C-203D 2047-2049 2E2E 2E3C 2E53-2E54 3002 A4FF A60E-A60F "
    "A6F3 A6F7 A876-A877 A8CE-A8CF A92F A9C8-A9C9 AA5D-AA5F AAF0-AAF1 ABEB FE52 FE56-FE57 FF01 FF0E FF1F FF61 10A56-10A57 10F55-10F59 "
    "10F86-10F89 11047-11048 110BE-110C1 11141-11143 111C5-111C6 111CD 111DE-111DF 11238-11239 1123B-1123C 112A9 1144B-1144C 115C2-115C3 "
    "115C9-115D7 11641-11642 1173C-1173E 11944 11946 11A42-11A43 11A9B-11A9C 11C41-11C42 11EF7-11EF8 11F43-11F44 16A6E-16A6F 16AF5 "
    "16B37-16B38 16B44 16E98 1BC9F 1DA88"
)
_SYMBOL = (
    "0-8 B-1F 22-2D 2F 3A-3E 40 5B-60 7B-9F AB B4 BB 2013-2014 2019 201C-201E 2026 2236 2501 25BA 3001 3008-300D 3010-3011 FF05 FF08-FF09 "
    "FF0C FF11 FF1A-FF1B FF5E"
)
_PUNCTUATION = "21 23 26 28-2A 2C 3A-3C 3E-3F 5B 5D 5F 7B 7D A1 B7 BF 60C 61B 61F 66A 6D4 964 2026 3001-3002 FF01 FF0C FF1A-FF1B FF1F FF5E"
_QUOTE = "22 27 60 AB B4 BB 2018-201A 201C-201E 27E6-27E7 2329-232A 3008-3011 3014-3015 FF08-FF09"
_HYPHEN = "2D 7E 2013-2014"
_CURRENCY = "24 A3 A5 E3F 20A0-20BF FDFC"
_ICON = (
    "A6 A9 AE B0 482 58D-58E 60E-60F 6DE 6E9 6FD-6FE 7F6 9FA B70 BF3-BF8 BFA C7F D4F D79 F01-F03 F13 F15-F17 F1A-F1F F34 F36 F38 FBE-FC5 "
    "FC7-FCC FCE-FCF FD5-FD8 109E-109F 1390-1399 1940 19DE-19FF 1B61-1B6A 1B74-1B7C 2100-2101 2103-2106 2108-2109 2114 2116-2117 211E-2123 "
    "2125 2127 2129 212E 213A-213B 214A 214C-214D 214F 218A-218B 2195-2199 219C-219F 21A1-21A2 21A4-21A5 21A7-21AD 21AF-21CD 21D0-21D1 "
    "21D3 21D5-21F3 2300-2307 230C-231F 2322-2328 232B-237B 237D-239A 23B4-23DB 23E2-2426 2440-244A 249C-24E9 2500-25B6 25B8-25C0 "
    "25C2-25F7 2600-266E 2670-2767 2794-27BF 2800-28FF 2B00-2B2F 2B45-2B46 2B4D-2B73 2B76-2B95 2B98-2BC8 2BCA-2BFE 2CE5-2CEA 2E80-2E99 "
    "2E9B-2EF3 2F00-2FD5 2FF0-2FFB 3004 3012-3013 3020 3036-3037 303E-303F 3190-3191 3196-319F 31C0-31E3 3200-321E 322A-3247 3250 "
    "3260-327F 328A-32B0 32C0-32FE 3300-33FF 4DC0-4DFF A490-A4C6 A828-A82B A836-A837 A839 AA77-AA79 FDFD FFE4 FFE8 FFED-FFEE FFFC-FFFD "
    "10137-1013F 10179-10189 1018C-1018E 10190-1019B 101A0 101D0-101FC 1D000-1D0F5 1D100-1D126 1D129-1D164 1D300-1D356 1D800-1D9FF "
    "1F000-1F02B 1F030-1F093 1F0A0-1F0F5 1F110-1F16B 1F170-1F1AC 1F1E6-1F202 1F210-1F23B 1F240-1F248 1F250-1F251 1F260-1F265 "
    "1F300-1F3FA 1F400-1F6D4 1F6E0-1F6EC 1F6F0-1F6F9 1F700-1F773 1F780-1F7D8 1F800-1F80B 1F810-1F847 1F850-1F859 1F860-1F887 1F890-1F8AD "
    "1F900-1F90B 1F910-1F93E 1F940-1F970 1F973-1F976 1F97A 1F97C-1F9A2 1F9B0-1F9B9 1F9C0-1F9C2 1F9D0-1F9FF 1FA60-1FA6D"
)
# Blocks whose capitals are the same in every version of Unicode that a supported Python holds: Latin, Greek, Cyrillic.
_CASED = ((0x41, 0x530), (0x1E00, 0x2000))


@cache
def point_classes() -> npt.NDArray[np.uint16]:
    """uint16[0x110000], the bits of `kernels.characters` and those above; read-only."""
    table = classes().astype(np.uint16)
    for ranges, bit in (
        (_TERMINAL, TERMINAL),
        (_TERMINAL, SYMBOL),
        (_SYMBOL, SYMBOL),
        (_PUNCTUATION, AFFIX),
        (_QUOTE, AFFIX | QUOTE),
        (_ICON, AFFIX | ICON),
        (_HYPHEN, HYPHEN),
        (_CURRENCY, CURRENCY),
    ):
        for first, last in map(_bounds, ranges.split()):
            table[first : last + 1] |= np.uint16(bit)
    for first, last in _CASED:
        for point in range(first, last):
            if chr(point).isupper():
                table[point] |= np.uint16(UPPER)
    table.flags.writeable = False
    return table


@cache
def byte_classes() -> npt.NDArray[np.uint8]:
    """uint8[256], bits SPACE, LETTER, WORD and DIGIT; read-only."""
    table = np.full(256, SPACE, np.uint8)
    table[:128] = classes()[:128] & np.uint8(SPACE | LETTER | WORD)
    table[48:58] |= np.uint8(DIGIT)
    table.flags.writeable = False
    return table


def _bounds(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first, 16), int(last or first, 16)
