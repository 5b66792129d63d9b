"""The functions that read bytes from outside, by name; hostile texts are passed to them.

In: a text. Out: nothing; an error that a caller expects is ignored, since it is a valid result.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from manifests.errors import GristmillError
from pipeline.text.normalise import text_buffers
from tests import hostile

Take = Callable[[str], object]


def _buffers(text: str) -> tuple[Any, Any]:
    return text_buffers(pa.array([text.encode("utf-8", "replace").decode() or "a"], pa.large_string()))


def normalising(text: str) -> None:
    from pipeline.text.normalise import normalise

    normalise(pa.array([text], pa.large_string()))


def signals(text: str) -> None:
    from dedup.signatures import make_permutations
    from pipeline.text.signals import compute

    compute(*_buffers(text), permutations=make_permutations(112, seed=0))


def language(text: str) -> None:
    from pipeline.text.language.identify import identify

    identify(*_buffers(text), characters=1_000)


def personal(text: str) -> None:
    from pipeline.text.personal.spans import find_spans

    find_spans(*_buffers(text))


def cleaning(text: str) -> None:
    from pipeline.tokenize.kept_text import Cleaning, clean_texts

    removed = pa.array([[1]], pa.list_(pa.uint32()))
    clean_texts(pa.array([text], pa.large_string()), removed, Cleaning(citations=True, compact=True))


def line_hashes(text: str) -> None:
    from pipeline.text.line_hashes import line_hashes as hashes

    hashes(*_buffers(text), normalisation="ccnet-paper")


def bad_words(text: str) -> None:
    from pipeline.text.bad_word_lists import count_bad_words, make_matcher

    matcher = make_matcher("a\nword\nthe word\naa\nä\n".encode(), language="en", where="words")
    count_bad_words(*_buffers(text), ["en"], {"en": matcher})


def factual(text: str) -> None:
    import numpy as np

    from pipeline.text.factual.model import make_model, scores

    model = make_model(np.arange(1 << 10) / 512 - 1, 0.0, name="m", pairs=True, training={}, report={})
    scores(*_buffers(text), model)


def perplexity(text: str) -> None:
    from pipeline.text.perplexity.score import normalised

    normalised(text)


@cache
def _tokenizer(kind: str) -> bytes:
    import io

    import sentencepiece

    model = io.BytesIO()
    words = [
        "the",
        "miller",
        "of",
        "the",
        "old",
        "mill",
        "writes",
        "that",
        "wheat",
        "is",
        "ripe",
        "aaaa",
        "bbbb",
        "1111",
        "....",
    ]
    sentences = [" ".join(words[(i * k) % len(words)] for k in range(1, 12)) for i in range(200)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=model, vocab_size=320, model_type=kind, byte_fallback=True, split_digits=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=1.0, minloglevel=2, hard_vocab_limit=False,
    )  # fmt: skip
    return model.getvalue()


@cache
def _encoder(engine: str) -> Any:
    from pipeline.tokenize.encoder import load_encoder

    return load_encoder(_tokenizer("bpe"), engine=engine)


def encoding(text: str) -> None:
    from pipeline.tokenize.encoder import encode

    encode(_encoder("gigatoken"), pa.array([text], pa.large_string()))


def encoding_reference(text: str) -> None:
    from pipeline.tokenize.encoder import encode

    encode(_encoder("sentencepiece"), pa.array([text], pa.large_string()))


def site(text: str) -> None:
    from pipeline.text.sites import site_of

    site_of(text)
    site_of("http://" + text)


def block_list(text: str) -> None:
    from pipeline.decide.block_lists import host_of, host_suffixes, url_prefix_hashes, url_words

    for url in (text, "http://" + text):
        host_suffixes(host_of(url))
        url_prefix_hashes(url)
        url_words(url)


def yaml(text: str) -> None:
    from manifests.corpus import load_corpus

    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8", errors="replace") as file:
        file.write(text)
        file.flush()
        with contextlib.suppress(GristmillError, RecursionError):
            load_corpus(Path(file.name))


def http_response(text: str) -> None:
    from pipeline.readers.web.charset import Undecodable, decode_text
    from pipeline.readers.web.content_coding import decode_body
    from pipeline.readers.web.http import HttpError, UnusableBody, content_type, parse_response
    from pipeline.readers.web.mime import is_html

    with contextlib.suppress(HttpError, UnusableBody, Undecodable):
        response = parse_response(b"HTTP/1.1 200 OK\r\n" + text.encode("utf-8", "replace"))
        body = decode_body(response, most=16 << 20)
        media, charset = content_type(response)
        is_html(media, body)
        decode_text(body, charset=charset)


def content_types(text: str) -> None:
    """What is measured is the search itself, whatever limit headers have."""
    from pipeline.readers.web import mime

    mime._TYPE.match(text)
    mime._CHARSET.search(text)
    mime.media_type([text])


def http_body(text: str) -> None:
    from pipeline.readers.web.charset import Undecodable, decode_text
    from pipeline.readers.web.mime import is_html

    body = text.encode("utf-8", "replace")
    is_html("", body)
    with contextlib.suppress(Undecodable):
        decode_text(body)


def chunked_body(text: str) -> None:
    from pipeline.readers.web.content_coding import decode_body
    from pipeline.readers.web.http import HttpError, Response, UnusableBody

    with contextlib.suppress(HttpError, UnusableBody):
        decode_body(Response(200, (("transfer-encoding", "chunked"),), text.encode("utf-8", "replace")), most=16 << 20)


def _html(text: str, extraction: Any) -> None:
    from pipeline.readers.web import html

    with contextlib.suppress(Exception):
        html.html_to_text(f"<html><body><p>The wheat is ripe and dry.</p>{text}", extraction=extraction)


def html_fast(text: str) -> None:
    _html(text, "resiliparse")


def html_adaptive(text: str) -> None:
    _html(text, "adaptive")


def html_precise(text: str) -> None:
    _html(text, "trafilatura")


def wikitext(text: str) -> None:
    from pipeline.readers.wiki.wikitext import wikitext_to_text

    wikitext_to_text(text)


def latex(text: str) -> None:
    from pipeline.readers.latex.papers import latex_to_text

    with contextlib.suppress(Exception):
        latex_to_text(
            {"a.tex": "\\documentclass{article}\\begin{document}The wheat is ripe." + text + "\\end{document}"}
        )


def latex_preamble(text: str) -> None:
    from pipeline.readers.latex.papers import latex_to_text

    with contextlib.suppress(Exception):
        latex_to_text(
            {"a.tex": "\\documentclass{article}" + text + "\\begin{document}The wheat is ripe.\\end{document}"}
        )


def post(text: str) -> None:
    from pipeline.readers.posts.post_html import post_to_text

    post_to_text(text)


def gutenberg(text: str) -> None:
    from pipeline.readers.plain_text import without_licence

    without_licence(text)


def jsonl(text: str) -> None:
    from manifests.corpus import load_corpus
    from pipeline.readers.tables.jsonl import read_jsonl

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.jsonl").write_text(text, encoding="utf-8", errors="replace")
        source = "{name: a, format: jsonl, files: [a.jsonl], licence: none}"
        (folder / "c.yaml").write_text(
            f"{{kind: corpus, name: a, sources: [{source}], tokenizer: {{train: {{vocab_size: 320}}}}}}"
        )
        with contextlib.suppress(GristmillError, RecursionError):
            for _records in read_jsonl(str(folder / "a.jsonl"), source=load_corpus(folder / "c.yaml").sources[0]):
                pass


def ready(layer: str) -> Take:
    """The layer's function, called once: tables, imports and compiled kernels are made in this process, not in each
    child of it.
    """
    take, _ = LAYERS[layer]
    take("The wheat is ripe and dry. " * 4)
    return take


LAYERS: dict[str, tuple[Take, tuple[str, ...]]] = {
    "normalising": (normalising, (*hostile.PLAIN, *hostile.MOJIBAKE)),
    "signals": (signals, hostile.PLAIN),
    "language": (language, hostile.PLAIN),
    "cleaning": (cleaning, hostile.PLAIN),
    "line hashes": (line_hashes, hostile.PLAIN),
    "bad words": (bad_words, hostile.PLAIN),
    "perplexity": (perplexity, hostile.PLAIN),
    "factual": (factual, hostile.PLAIN),
    "encoding": (encoding, hostile.PLAIN),
    "encoding, reference": (encoding_reference, hostile.PLAIN),
    "site": (site, hostile.URL),
    "block list": (block_list, hostile.URL),
    "yaml": (yaml, hostile.YAML),
    "personal": (personal, hostile.PERSONAL),
    "http response": (http_response, hostile.HTTP),
    "content types": (content_types, hostile.HTTP),
    "http body": (http_body, hostile.HTML),
    "chunked body": (chunked_body, hostile.HTTP),
    "html, fast": (html_fast, hostile.HTML),
    "html, adaptive": (html_adaptive, hostile.HTML),
    "html, precise": (html_precise, hostile.HTML),
    "wikitext": (wikitext, hostile.WIKITEXT),
    "latex": (latex, hostile.LATEX),
    "latex preamble": (latex_preamble, hostile.LATEX),
    "post": (post, hostile.HTML),
    "gutenberg": (gutenberg, hostile.GUTENBERG),
    "jsonl": (jsonl, hostile.JSON),
}
