"""HTTP responses in archives to text, for WARC and ARC alike.

In: the block of a record. Out: the text of the HTML page in it. What has no text raises an error that says why:
`UnusableBody` with the ledger's reason (`http_status`, `not_html`, `html_too_large`, `content_encoding`, `undecodable`,
`empty_text`), `TooComplex`, or, when the block is not a response, `HttpError`.
"""

from __future__ import annotations

from manifests.corpus import Extraction
from pipeline.losses import NOTHING, Extracted
from pipeline.readers.web.charset import Undecodable, decode_text, is_soup
from pipeline.readers.web.content_coding import Body, whole_body
from pipeline.readers.web.html import MOST_HTML_BYTES, extract_html
from pipeline.readers.web.http import Response, UnusableBody, content_type, parse_response
from pipeline.readers.web.mime import is_html


def response_text(
    block: bytes, *, length: int, identified: str = "", extraction: Extraction = "resiliparse"
) -> Extracted:
    """Text of the page in a response with status 200.

    Args:
        length: bytes of the whole block, when `block` holds its beginning only.
        identified: the media type that the archiver found, for responses that give none.
        extraction: how the main content is found.

    Raises:
        HttpError: the block is not a response.
        UnusableBody: the response holds no page.
        TooComplex: the page would cost too much.
    """
    response = parse_response(block)
    if response.status != 200:
        raise UnusableBody("http_status", str(response.status))
    return body_text(response, whole=length <= len(block), identified=identified, extraction=extraction)


def body_text(
    response: Response, *, whole: bool, identified: str = "", extraction: Extraction = "resiliparse"
) -> Extracted:
    """Text of the page in the body of a response, or of a bare body under the headers that are known of it.

    Args:
        whole: False when `response.body` is the beginning only.

    Raises:
        UnusableBody: the body is not a page, or cannot be decoded.
        TooComplex: the page would cost too much.
    """
    media, charset = content_type(response)
    if not whole:
        raise UnusableBody("html_too_large" if is_html(media, response.body) else "not_html", "longer than is held")
    if not media and not response.body:
        raise UnusableBody("empty_text", "no body")
    body = (
        whole_body(response, most=MOST_HTML_BYTES)
        if is_html(media or identified, b"") or not media
        else Body(b"", NOTHING)
    )
    if not is_html(media or identified, body.content):
        raise UnusableBody("not_html", media)
    try:
        page = decode_text(body.content, charset=charset)
    except Undecodable as error:
        raise UnusableBody("undecodable", str(error)) from error
    found = extract_html(page.text, utf8=page.utf8, extraction=extraction)
    if is_soup(found.text):
        raise UnusableBody("undecodable", "the text holds more U+FFFD than words bear")
    return Extracted(found.text, {**found.lost, **page.lost, **body.lost})
