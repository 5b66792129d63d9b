"""The cost of hostile texts grows no faster than their size."""

from __future__ import annotations

import time

import numpy as np
import pytest

from pipeline.text.personal import find_spans, search

pytestmark = pytest.mark.hostile

PIECES = {
    "signs": "a@",
    "addresses": "a@b.co ",
    "addresses that touch": "a@b.co/",
    "dots": "a.",
    "labels": "a@b.",
    "dots behind one sign": "a@" + "b." * 40,
    "braces": "{a,",
    "closing braces": "a}@b.co",
    "brackets": "(<[{",
    "open quotes": '"a',
    "quoted": '"a\\"@b.co',
    "encoded": "a%40",
    "keys": "a=b@c.de=",
    "letters": "字ä@字.de",
    "identifiers": "References: <a@b.co>\n <",
    "fields": "Message-ID: ",
    "numbers": "1.2.3.4 ",
    "digits": "12",
    "digits and dots": "1.",
    "names before numbers": "Aa 1.2.3.4",
    "atoms": "a'b=c&d/",
    "Italian streets": "Via A ",
    "Italian names": "Via Roma Aa Bb Cc Dd ",
    "Spanish particles": "Calle de la ",
    "dashes before a town": "Via A 1 - - ",
    "Polish streets": "ul. A ",
    "Polish names": "ul. Aa Bb Cc 1m. ",
}
# Bytes of the shortest text: a run of it takes some milliseconds.
_SIZE = 8_000
# A busy machine is given a few more tries before it is growth; time that is no growth.
_ROUNDS = 3
_NOISE_S = 0.005


def _work(text: bytes) -> float:
    data, offsets = np.frombuffer(text, np.uint8), np.array([0, len(text)], np.int64)
    began = time.process_time()
    find_spans(data, offsets)
    for kind in ("email", "ip", "street_address"):
        search(text, kind)
    return time.process_time() - began


@pytest.mark.parametrize("name", PIECES)
def test_growth(name: str) -> None:
    """Sizes take turns, so that the machine's mood is the same for all; the least of three is that of each."""
    piece = PIECES[name].encode()
    texts = {times: piece * (times * _SIZE // len(piece)) for times in (1, 2, 4, 8)}
    _work(texts[1])
    least = dict.fromkeys(texts, float("inf"))
    for attempt in range(3 * _ROUNDS):
        least = {times: min(least[times], _work(text)) for times, text in texts.items()}
        # A clock of the machine's ticks, and noise, are no growth.
        grown = {times: least[times] - _NOISE_S <= most * least[1] for times, most in ((2, 3.5), (4, 8), (8, 20))}
        if attempt >= 2 and all(grown.values()):
            return
    raise AssertionError(least)
