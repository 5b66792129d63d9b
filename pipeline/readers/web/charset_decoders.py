"""Bytes to text as the WHATWG Encoding Standard decodes them, for all its encodings.

In: bytes and the standard's name of an encoding (`pipeline.readers.web.charset_labels`). Out: text; what the encoding
does not have is U+FFFD, and an ASCII character after a broken lead byte stays.

Python's codecs are close to the standard, and what they lack or read differently is corrected here: the euro sign of
GBK, row 13 and the IBM characters of EUC-JP, later characters of Big5, marks of GB 18030-2022, the C1 controls of
windows-125x. Two things differ on purpose: the encodings that the standard forbids and replaces by one U+FFFD as a
whole (`replacement`) are decoded where Python can, since nothing here is run; and `x-user-defined`, whose letters only
a font of the page knows, becomes the private characters that the standard gives.

Known differences: `0xA241` and `0xA242` of Big5 give the wide solidus for the narrow ones.

Source: https://encoding.spec.whatwg.org/, its index tables, and tests of each sequence against an implementation of
them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from functools import cache
from typing import Final

# Single-byte encodings that Python has under another name.
_PYTHON_NAMES: Final = {
    "ibm866": "cp866",
    "iso-8859-8-i": "iso-8859-8",
    "macintosh": "mac-roman",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
}
# Letters that Python's tables do not have, by encoding and byte: Belarusian ones, and a Hebrew point.
_LATER_LETTERS: Final = {"koi8-u": {0xAE: "ў", 0xBE: "Ў"}, "windows-1255": {0xCA: "\u05ba"}}

# Two-byte characters that Python reads differently, and what the standard has.
_EUC_JP: Final = tuple(zip("〜‖−¢£¬", "～∥－￠￡￢", strict=True))
_BIG5: Final = tuple(zip("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡", strict=True))
# Characters that had no code point of their own before Unicode 5.1 and GB 18030-2022, and a second ideographic space.
_GB18030: Final = str.maketrans(
    "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
    "\u3000︐︒︑︓︔︕︖︗︘︙ḿ龴龵龶龷龸龹龺龻",
)
_GB18030_PRIVATE: Final = re.compile("[\ue5e5\ue78d-\ue796\ue7c7\ue81e-\ue864]")
_SHIFT_JIS_PRIVATE: Final = re.compile("[\uf8f0-\uf8f3]")

# Big5: what Python's Hong Kong table lacks, from a first code on, in the order of the codes.
_BIG5_RUNS: Final = (
    (0x877A, "㡵𡵓𣚞𦀡㻬"),
    (0x87A1, "𥣞㫵竼龗𤅡𨤍𣇪𠪊𣉞䌊蒄龖鐯䤰蘓墖靊鈘秐稲晠権袝瑌篅枂稬剏遆㓦珄"),
    (0x87C0, "𥶹瓆鿇垳䤯呌䄱𣚎堘穲𧭥讏䚮𦺈䆁𥶙箮𢒼鿈𢓁𢓉𢓌鿉蔄𣖻䂴鿊䓡𪷿拁灮鿋"),
    (0xA3C0, "".join(map(chr, range(0x2400, 0x2420))) + "␡€"),
)
_BIG5_CODES: Final = (
    "9244蔃9447浧9644靝8e69箸8e6f簆8e7e糎8eab緒8eb4縝8ecd者8ed0耨8f57菁8f69蒨8f6e萏8fcb覦8fcc覩8ffe起906d都907a銹90dc靜90f1響91bf鼖"
    "92af兙92b0兛92b1兝92b2兞92c8鍮92d1瑹94ca禛95d9邗96ed瀞96fc嬨9b76爁9b78矗9b7b纇9bc6駖9bde釔9bec惞9bf6澶9c42輶9c53侻9c62營9c68鄄"
    "9c6b鷰9c77菏9cbc尐9cbd秣9cd0婧9d57輋9d5a筑9dc4拐9ea9恢9eef痹9efd汊9f60鬮9f66鼗9fcb僭9fd8弌a063蠏a077拎a0d5瑨a0df煢a0e4牐"
    "c6cf廴c6d3无c6d5癶c6d7隶c6de〃c6df仝fa5f倩fa66偽fabd包fac5卄fad5卿fb48嘅fbb8婷fbf3幵fbf9廐fc4f彘fc6c悤fcb9撐fce2晴fcf1杞fdb7沜"
    "fdb8渝fdbb港fdf1煮fe52猪fe6f瑜feaa瓩fedd砉"
)
_CODE: Final = re.compile("([0-9a-f]{4})(.)")

# With more than this part of the bytes in error, the bytes are not in this encoding: a call for each error would cost
# much and gain nothing.
_MOST_ERRORS: Final = 0.03
_FEW_ERRORS: Final = 64
_ESCAPE: Final = re.compile(rb"\x1b(\([BJI]|\$[@B]|\$\(D)")
_SEVEN_TO_EIGHT: Final = bytes(byte | 0x80 if 0x21 <= byte <= 0x7E else byte for byte in range(256))
_ROMAN: Final = str.maketrans("\\~", "¥‾")

Handler = Callable[[UnicodeError], tuple[str, int]]


def decode_as(body: bytes, encoding: str) -> str:
    """The text of bytes in an encoding.

    Args:
        encoding: a name that `encoding_of` gives.

    Raises:
        LookupError: there is no such encoding.
    """
    if encoding in ("utf-8", "utf-16le", "utf-16be"):
        return body.decode(encoding, "replace")
    if encoding in _MULTIPLE:
        return _MULTIPLE[encoding](body)
    if encoding == "replacement":
        return _forbidden(body)
    return codecs.charmap_decode(body, "replace", single_byte_table(encoding))[0]


@cache
def single_byte_table(encoding: str) -> str:
    """The 256 characters of a single-byte encoding; U+FFFD (and for Python's decoder U+FFFE) stands for no character.

    Raises:
        LookupError: it is not known, or not a single-byte encoding.
    """
    if encoding == "x-user-defined":
        return "".join(chr(byte if byte < 0x80 else 0xF700 + byte) for byte in range(256))
    name = _PYTHON_NAMES.get(encoding, encoding)
    table = [bytes([byte]).decode(name, "replace") for byte in range(256)]
    if encoding.startswith("windows-"):  # the C1 controls stay where there is no other character
        table = [
            chr(byte) if 0x80 <= byte < 0xA0 and character == "\ufffd" else character
            for byte, character in enumerate(table)
        ]
    for byte, character in _LATER_LETTERS.get(encoding, {}).items():
        table[byte] = character
    return "".join(table)


def _careful(body: bytes, codec: str, errors: str) -> str:
    """As the standard decodes where there are few errors; else quickly."""
    text = body.decode(codec, "replace")
    return body.decode(codec, errors) if 0 < text.count("\ufffd") <= _FEW_ERRORS + _MOST_ERRORS * len(body) else text


def _shift_jis(body: bytes) -> str:
    text = _careful(body, "cp932", _SHIFT_JIS_ERRORS)
    return _SHIFT_JIS_PRIVATE.sub("\ufffd", text)


def _euc_kr(body: bytes) -> str:
    return _careful(body, "cp949", _EUC_KR_ERRORS)


def _gb18030(body: bytes) -> str:
    text = _careful(body, "gb18030", _GB18030_ERRORS)
    return text.translate(_GB18030) if _GB18030_PRIVATE.search(text) else text


def _big5(body: bytes) -> str:
    return _read_otherwise(_careful(body, "big5hkscs", _BIG5_ERRORS), _BIG5)


def _euc_jp(body: bytes) -> str:
    # Python reads this character, a wide tilde, as ASCII's; 0x8F only ever begins characters.
    text = _careful(body.replace(b"\x8f\xa2\xb7", b"\xa1\xc1"), "euc_jp", _EUC_JP_ERRORS)
    return _read_otherwise(text, _EUC_JP)


def _read_otherwise(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    # `str.translate` takes twenty times as long.
    for python, standard in pairs:
        text = text.replace(python, standard)
    return text


def _iso_2022_jp(body: bytes) -> str:
    out: list[str] = []
    parts = _ESCAPE.split(body)
    for escape, part in zip([b"(B", *parts[1::2]], parts[::2], strict=True):
        if escape == b"(B":
            out.append(part.decode("ascii", "replace"))
        elif escape == b"(J":
            out.append(part.decode("ascii", "replace").translate(_ROMAN))
        elif escape == b"(I":
            out.append(part.translate(_SEVEN_TO_EIGHT).decode("cp932", "replace"))
        elif escape == b"$(D":
            pairs = part.translate(_SEVEN_TO_EIGHT)
            out.append(_euc_jp(b"".join(b"\x8f" + pairs[at : at + 2] for at in range(0, len(pairs), 2))))
        else:
            out.append(_euc_jp(part.translate(_SEVEN_TO_EIGHT)))
    return "".join(out)


def _forbidden(body: bytes) -> str:
    """The text of ISO-2022-KR and HZ; of ISO-2022-CN, which Python does not know, ASCII, and U+FFFD for the rest."""
    if b"\x1b$)C" in body:
        return body.decode("iso2022_kr", "replace")
    if b"~{" in body:
        return body.decode("hz", "replace")
    return re.sub("[\x0e\x0f\x1b]", "\ufffd", body.decode("ascii", "replace"))


_MULTIPLE: Final[dict[str, Callable[[bytes], str]]] = {
    "big5": _big5,
    "euc-jp": _euc_jp,
    "euc-kr": _euc_kr,
    "gb18030": _gb18030,
    "gbk": _gb18030,
    "iso-2022-jp": _iso_2022_jp,
    "shift_jis": _shift_jis,
}


def _handler(name: str, character: Callable[[bytes], str | None], *, leads: bytes) -> str:
    """Registers what Python's decoder calls where it fails; returns its name.

    Args:
        character: the character of two bytes, or of one, that Python does not have.
        leads: the bytes that begin a longer character; what follows one is lost with it, unless it is ASCII.
    """

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        start = error.start
        pair = error.object[start : start + 2]
        known = character(pair[:1])
        if known is not None:
            return known, start + 1
        known = character(pair) if len(pair) == 2 else None
        if known is not None:
            return known, start + 2
        return "\ufffd", start + (2 if pair[0] in leads and len(pair) == 2 and pair[1] >= 0x80 else 1)

    codecs.register_error(name, handle)
    return name


def _none(_: bytes) -> str | None:
    return None


def _euc_jp_character(pair: bytes) -> str | None:
    """NEC's and IBM's characters, which Windows-31J has in the same rows."""
    if len(pair) < 2 or not (pair[0] == 0xAD or 0xF9 <= pair[0] <= 0xFC) or not 0xA1 <= pair[1] <= 0xFE:
        return None
    row, cell = pair[0] - 0xA1, pair[1] - 0xA1
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + (0x9F if row % 2 else 0x40 if cell < 63 else 0x41)
    text = bytes([lead, trail]).decode("cp932", "replace")
    return None if "\ufffd" in text else text


@cache
def _big5_characters() -> dict[bytes, str]:
    found = {bytes.fromhex(code): character for code, character in _CODE.findall(_BIG5_CODES)}
    for first, characters in _BIG5_RUNS:
        found.update({(first + at).to_bytes(2, "big"): character for at, character in enumerate(characters)})
    return found


def _big5_character(pair: bytes) -> str | None:
    return _big5_characters().get(pair)


def _gb18030_character(pair: bytes) -> str | None:
    return "€" if pair == b"\x80" else None


_ALL_LEADS: Final = bytes(range(0x81, 0xFF))
_SHIFT_JIS_ERRORS = _handler("gristmill-shift_jis", _none, leads=bytes([*range(0x81, 0xA0), *range(0xE0, 0xFD)]))
_EUC_KR_ERRORS = _handler("gristmill-euc-kr", _none, leads=_ALL_LEADS)
_GB18030_ERRORS = _handler("gristmill-gb18030", _gb18030_character, leads=_ALL_LEADS)
_BIG5_ERRORS = _handler("gristmill-big5", _big5_character, leads=_ALL_LEADS)
_EUC_JP_ERRORS = _handler("gristmill-euc-jp", _euc_jp_character, leads=bytes([0x8E, 0x8F, *range(0xA1, 0xFF)]))
