import codecs
import gzip
import random
import subprocess
import sys
import zlib

import brotli
import pytest
import zstandard

from pipeline.readers.archives.responses import body_text
from pipeline.readers.web.content_coding import decode_body, whole_body
from pipeline.readers.web.http import Response, UnusableBody

HTML = "<html><body><p>Grüße, Wörter und Sätze.</p></body></html>"


def response(body=b"", **headers):
    return Response(200, tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


def chunked(body, size=7):
    return (
        b"".join(b"%x\r\n%s\r\n" % (len(body[i : i + size]), body[i : i + size]) for i in range(0, len(body), size))
        + b"0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("br", brotli.compress),
        ("zstd", zstandard.compress),
        ("gzip, br", lambda body: brotli.compress(gzip.compress(body))),
        ("", gzip.compress),  # said by nobody
        ("gzip", lambda body: gzip.compress(gzip.compress(body))),  # said once, done twice
        ("identity", bytes),
        # Lies: the archiver has decoded the body and kept the header.
        ("gzip", bytes),
        ("deflate", bytes),
        ("br", bytes),
        ("zstd", bytes),
        ("utf-8", bytes),
    ],
)
@pytest.mark.parametrize("transfer", ["", "chunked", "gzip, Chunked"])
def test_encodings_and_their_lies(encoding, encode, transfer):
    body = HTML.encode()
    stored = encode(body)
    given = response(
        chunked(stored) if transfer == "chunked" else stored, content_encoding=encoding, transfer_encoding=transfer
    )
    assert decode_body(given, most=1_000) == body


@pytest.mark.parametrize(
    "encoding", ["gzip", "deflate", "br", "zstd", "utf-8", "none, br", "iso-8859-1", "gzip, deflate"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + HTML.encode(),
        b"\xef\xbb\xbf\r\n \t" + HTML.encode(),
        b"\n\n<!-- a --><p>short",
        b"Warning: a notice of the server comes before the page. " + HTML.encode(),
        "Überraschung: the text begins with a letter beyond ASCII.".encode(),
        b"Gr\xfc\xdfe, W\xf6rter und S\xe4tze: " + HTML.encode("latin-1"),
        b"<p>Gr\xfc\xdfe",
        HTML.encode("utf-16"),
        codecs.BOM_UTF16_BE + HTML.encode("utf-16-be"),
        "本文は日本語です。ニュースと天気予報をお届けします。".encode("shift_jis"),
        b"\xef\xbb\xbfText <br> more",
        ("ä" * 5_000).encode(),
    ],
)
def test_text_is_taken_as_it_is_whatever_encoding_is_said(encoding, body):
    found = whole_body(response(body, content_encoding=encoding), most=100_000)
    assert (found.content, found.lost) == (body, {})


def test_chunks_that_break_off_or_lie_lose_nothing():
    body = HTML.encode()
    broken = chunked(body[:21]).removesuffix(b"0\r\n\r\n") + body[21:]
    assert decode_body(response(broken, transfer_encoding="chunked"), most=1_000) == body
    three_chunks_and_two_bytes = chunked(body)[: 3 * len(b"7\r\n-------\r\n") + len(b"7\r\n--")]
    assert decode_body(response(three_chunks_and_two_bytes, transfer_encoding="chunked"), most=1_000) == body[:23]
    assert decode_body(response(b"5;name=value\nhello\n0\n\n", transfer_encoding="chunked"), most=1_000) == b"hello"


def raw_deflate(body):
    return zlib.compress(body, 0)[2:-4]


def zstd_of_many_blocks(body):
    return zstandard.ZstdCompressor(write_checksum=True, level=1).compress(body)


NOISE = random.Random(1).randbytes(400_000)


@pytest.mark.parametrize(
    ("name", "encoding", "encode"),
    [
        ("gzip", "gzip", lambda body: gzip.compress(body, 0)),
        ("gzip", "", gzip.compress),
        ("deflate", "deflate", lambda body: zlib.compress(body, 0)),
        ("deflate", "deflate", raw_deflate),
        ("br", "br", lambda body: brotli.compress(body, quality=1)),
        ("zstd", "zstd", zstd_of_many_blocks),
        ("zstd", "zstd", lambda body: zstandard.compress(body[:200_000]) + zstandard.compress(body[200_000:])),
    ],
)
def test_a_truncated_encoding_gives_what_came_before_and_is_counted(name, encoding, encode):
    body = HTML.encode() + NOISE
    stored = encode(body)
    whole = whole_body(response(stored, content_encoding=encoding), most=1 << 20)
    assert (whole.content, whole.lost) == (body, {})
    for kept in (len(stored) * 3 // 4, len(stored) - 1):
        cut = whole_body(response(stored[:kept], content_encoding=encoding), most=1 << 20)
        assert body.startswith(cut.content)
        assert len(cut.content) > len(body) // 3
        assert cut.lost == {("cut_bodies", name): 1}


def test_a_corrupt_encoding_and_a_cut_chunk_are_counted():
    stored = bytearray(gzip.compress(HTML.encode() + NOISE, 0))
    stored[200_000] ^= 255  # the checksum tells
    assert whole_body(response(bytes(stored), content_encoding="gzip"), most=1 << 20).lost == {
        ("cut_bodies", "gzip"): 1
    }
    cut = whole_body(response(chunked(HTML.encode())[:40], transfer_encoding="chunked"), most=1_000)
    assert HTML.encode().startswith(cut.content)
    assert cut.lost == {("cut_bodies", "chunked"): 1}
    assert whole_body(response(gzip.compress(b"<p>a") + b"rest", content_encoding="gzip"), most=1_000).lost == {}


def test_unknown_or_corrupt_encodings_are_named():
    for encoding, body in (
        ("zap", b"\x01\x02"),
        ("deflate", b"\xff\xfe\x00\x01"),
        ("br", b"\xff\xff\xff\xff"),
        ("gzip", b"\x1f\x8b\xff\xff"),
        ("", b"\x1f\x8b\x08\x00\xff"),
        ("zstd", b"\x28\xb5\x2f\xfd\xff\xff"),
    ):
        with pytest.raises(UnusableBody) as caught:
            decode_body(response(body, content_encoding=encoding), most=1_000)
        assert caught.value.reason == "content_encoding"


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress, brotli.compress, zstandard.compress, bytes])
def test_a_body_over_the_budget_is_too_large_also_when_it_is_a_bomb(encode):
    name = {
        gzip.compress: "gzip",
        zlib.compress: "deflate",
        brotli.compress: "br",
        zstandard.compress: "zstd",
        bytes: "identity",
    }[encode]
    with pytest.raises(UnusableBody) as caught:
        decode_body(response(encode(b" " * 20_000_000), content_encoding=name), most=1_000_000)
    assert caught.value.reason == "html_too_large"


def test_members_of_gzip_that_follow_one_another_are_all_read():
    stored = gzip.compress(b"<p>one") + gzip.compress(b" two") + b"\x00\x00"
    assert decode_body(response(stored, content_encoding="gzip"), most=1_000) == b"<p>one two"


def test_more_encodings_than_anyone_uses_are_refused():
    with pytest.raises(UnusableBody) as caught:
        decode_body(response(HTML.encode(), content_encoding=", ".join(["gzip"] * 1_000)), most=1_000)
    assert caught.value.reason == "content_encoding"
    assert decode_body(response(HTML.encode(), content_encoding=",identity, ,"), most=1_000) == HTML.encode()


_BOMB = """
import gzip, resource, sys, zlib, brotli, zstandard
from pipeline.readers.web.content_coding import decode_body, whole_body
from pipeline.readers.web.http import Response, UnusableBody
coding = sys.argv[1]
def blocks(compressor, finish):
    for _ in range(128):
        yield compressor(bytes(1 << 20))
    yield finish()
if coding == "br":
    packer = brotli.Compressor(quality=5)
    body = b"".join(blocks(packer.process, packer.finish))
elif coding == "zstd":
    packer = zstandard.ZstdCompressor().compressobj()
    body = b"".join(blocks(packer.compress, packer.flush))
else:
    packer = zlib.compressobj(6, wbits={"gzip": 31, "deflate": 15, "gzip, gzip": 31}[coding])
    body = b"".join(blocks(packer.compress, packer.flush))
    body = gzip.compress(body) if coding == "gzip, gzip" else body
headers = (("content-encoding", coding),)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode_body(Response(200, headers, body), most=4 << 20)
except UnusableBody as error:
    print(error.reason, len(body), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip", "deflate", "gzip, gzip"])
def test_a_bomb_costs_no_more_memory_than_the_limit(coding):
    run = subprocess.run([sys.executable, "-c", _BOMB, coding], capture_output=True, text=True, check=True)
    reason, size, megabytes = run.stdout.split()
    assert reason == "html_too_large"
    assert int(size) < 1 << 20
    assert int(megabytes) < 40


def test_the_ledger_tells_of_a_page_whose_end_is_missing():
    page = "<html><body><p>" + " ".join(f"Mill {at} ground flour, rye and oats." for at in range(2_000))
    stored = gzip.compress(page.encode())
    found = body_text(
        response(stored[: len(stored) // 2], content_type="text/html", content_encoding="gzip"), whole=True
    )
    assert "Mill 1 ground flour" in found.text
    assert found.lost["cut_bodies", "gzip"] == 1
    assert ("cut_bodies", "gzip") not in body_text(
        response(stored, content_type="text/html", content_encoding="gzip"), whole=True
    ).lost
