"""Every sequence of each encoding, against digests of the standard's index tables.

The digests were computed by an implementation (the package @exodus/bytes 1.16.0) that was compared with the tables
themselves.
"""

import hashlib
import time

import pytest

from pipeline.readers.web.charset_decoders import decode_as, single_byte_table
from pipeline.readers.web.charset_labels import ALSO, ENCODING_OF, encoding_of

# Characters of two bytes, and the digest of them in the order of their bytes.
PAIRS = {
    "gbk": (23940, "85373408efe24c65"),
    "gb18030": (23940, "85373408efe24c65"),
    "big5": (18592, "db256a867ceca99c"),
    "euc-jp": (7399, "05cc975946f31864"),
    "shift_jis": (17668, "c474826fcf334efc"),
    "euc-kr": (17048, "f49bf642f090c1ce"),
}
SINGLE = {
    "ibm866": "3c8cc5cb485f93d2",
    "iso-8859-2": "a5871b0f978b840b",
    "iso-8859-3": "e83895f2b7d7b82b",
    "iso-8859-4": "449076e20ebf45eb",
    "iso-8859-5": "9f31ddc0f7444afa",
    "iso-8859-6": "beba4e6cf97dce83",
    "iso-8859-7": "71069977a6798ab7",
    "iso-8859-8": "b43535e7aaeb7bcf",
    "iso-8859-8-i": "b43535e7aaeb7bcf",
    "iso-8859-10": "282514fbd01219c4",
    "iso-8859-13": "4426f6d2f1b025cd",
    "iso-8859-14": "f03afb7e01e66cac",
    "iso-8859-15": "9b58b26dbd8fbff2",
    "iso-8859-16": "2de1faef4dc524c9",
    "koi8-r": "fb0243455e64ef70",
    "koi8-u": "896c218aaf12ca1b",
    "macintosh": "54112bce885d7b1a",
    "windows-874": "6a2c7940c3d68216",
    "windows-1250": "03772ed2e875bd12",
    "windows-1251": "b16600cf4e6d1a2d",
    "windows-1252": "cc916e51644a12e8",
    "windows-1253": "e4570135cbc6e3d5",
    "windows-1254": "4a8e99647c3e28e6",
    "windows-1255": "870c5c5e687fabcd",
    "windows-1256": "6f6e8626197b1b6b",
    "windows-1257": "d19a4e888879e36a",
    "windows-1258": "e79b48db126bc71d",
    "x-mac-cyrillic": "784db55e1c90195e",
    "x-user-defined": "fb4341fe90799717",
}
TEXT = b"x" * 40  # so that one error is few


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize("encoding", PAIRS)
def test_characters_of_two_bytes(encoding):
    found = []
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            text = decode_as(TEXT + bytes([lead, trail]), encoding).removeprefix(TEXT.decode())
            if "\ufffd" not in text and not (encoding == "big5" and (lead, trail) in ((0xA2, 0x41), (0xA2, 0x42))):
                found.append(text)
    assert (len(found), digest("".join(found))) == PAIRS[encoding]


def test_characters_of_three_bytes_in_japanese():
    pairs = [bytes([0x8F, row, cell]) for row in range(0x80, 0x100) for cell in range(0x80, 0x100)]
    found = "".join(text for pair in pairs if "\ufffd" not in (text := decode_as(TEXT + pair, "euc-jp")[len(TEXT) :]))
    assert (len(found), digest(found)) == (6067, "6ad3bfa0c33c357e")


@pytest.mark.parametrize("encoding", SINGLE)
def test_characters_of_one_byte(encoding):
    every = bytes(range(256))
    assert decode_as(every, encoding) == single_byte_table(encoding)
    assert digest(single_byte_table(encoding)) == SINGLE[encoding]


def test_labels():
    standard = sorted(
        f"{label}={name}" for label, name in ENCODING_OF.items() if label not in " ".join(ALSO.values()).split()
    )
    assert (len(standard), len(set(ENCODING_OF.values()))) == (228, 40)
    assert digest(" ".join(standard)) == "d67ec9686d78df48"
    assert encoding_of(" Windows-31J\n") == "shift_jis"
    assert encoding_of("CP949") == "euc-kr"
    assert encoding_of("ISO_8859-1:1987") == "windows-1252"
    assert encoding_of("utf-7") is None
    for name in set(ENCODING_OF.values()):
        assert decode_as(b"plain!", name) == (
            "plain!" if "16" not in name or name == "iso-8859-16" else b"plain!".decode(name)
        )


@pytest.mark.parametrize(
    ("body", "encoding", "text"),
    [
        (b"\x87\x73", "shift_jis", "㎏"),
        (b"\x81\x60\x5c\x7e\xb1", "shift_jis", "～\\~ｱ"),
        (b"\x8a\xbf\x81", "shift_jis", "漢\ufffd"),
        (b"\xad\xd4\xfc\xf1\x8e\xb1", "euc-jp", "㎏ⅰｱ"),
        (b"\x80 \xa2\xe3 \x81\x30\x84\x36", "gbk", "€ € ¥"),
        (b"\xa8\xbc \xfe\x59 \x84\x31\xa4\x37", "gb18030", "ḿ 龴 \ufffd"),
        (b"\x81\x41\xc8\xfe\xa1\xad", "euc-kr", "갂힝∼"),
        (b"\x88\x62\x87\x7a\xf9\xd6\xa3\xe1", "big5", "Ê̄㡵碁€"),
        (b"\xb0<b>", "euc-kr", "\ufffd<b>"),
        (b"\xb0\xff<b>", "gbk", "\ufffd<b>"),
        (b"\xa1\xff<b>", "big5", "\ufffd<b>"),
        (b'\x1b$B%"-!\x1b(J\\~\x1b(I1\x1b(B\\', "iso-2022-jp", "ア①¥‾ｱ\\"),
        (b"\x1b$(D\x30\x21\x1b(B.", "iso-2022-jp", "丂."),
        (b"~{<:Ky2;S{~}.", "replacement", "己所不欲."),
        (b"\x1b$)C\x0e0!\x0f.", "replacement", "가."),
        (b"\x1b$)A\x0e0!\x0f.", "replacement", "\ufffd$)A\ufffd0!\ufffd."),
        (b"\xe4\x81", "windows-1252", "ä\x81"),
        (b"\xca\xae", "koi8-u", "йў"),
    ],
)
def test_what_pages_hold(body, encoding, text):
    assert decode_as(body + b" " * 40, encoding) == text + " " * 40


@pytest.mark.parametrize("encoding", [*PAIRS, "iso-2022-jp", "replacement", "windows-1252"])
@pytest.mark.parametrize(
    "unit",
    [
        b"\x81\xff",
        b"\xff",
        b"\xa1\xa1\xa1\xa1\xa1\xa1\xa1\xa1\xa1\xff",
        b"\x1b$B\x1b(B",
        b"\x1b$)C\x0e0!",
        b"~{",
        b"\x80",
    ],
)
def test_the_cost_grows_with_the_size(encoding, unit):
    def seconds(repeats):
        least = 1e9
        for _ in range(3):
            began = time.process_time()
            decode_as(unit * repeats + b" " * 10 * repeats, encoding)
            least = min(least, time.process_time() - began)
        return least

    small = 20_000 // len(unit)
    assert seconds(8 * small) < 20 * max(seconds(small), 0.05)
