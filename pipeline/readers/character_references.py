"""Character references of HTML and wikitext: `&amp;`, `&#955;`, `&#x3bb;`.

In: a text with references. Out: the text with their characters, as HTML's parsers read them. A number that belongs to
no character (zero, a surrogate, or more than Unicode has) becomes U+FFFD, and is counted; U+FFFD that the author wrote
is not.

Python's own `html.unescape` reads the numbers by `int`, which refuses those of thousands of digits.
"""

from __future__ import annotations

import html
import re
from collections import Counter

from pipeline.losses import Kind

# Under which name they are counted among the replaced characters.
REFERENCES = "references"
# Zeros before a number, and more digits than a character has.
_ZEROS = re.compile(r"(&#)0++(?=[0-9])|(&#[xX])0++(?=[0-9a-fA-F])")
_NO_CHARACTER = re.compile(r"&#(?:[0-9]{9,}+|[xX][0-9a-fA-F]{9,}+);?")
_WRITTEN = re.compile(r"&#(?:0*+65533(?![0-9])|[xX]0*+[fF]{3}[dD](?![0-9a-fA-F]))")


def unescaped(text: str, *, lost: Counter[tuple[Kind, str]] | None = None) -> str:
    """The text with its references replaced by their characters.

    Args:
        lost: where to count those that became U+FFFD.
    """
    if "&#" not in text:
        return html.unescape(text)
    known = text.count("\ufffd") + sum(1 for _ in _WRITTEN.finditer(text)) if lost is not None else 0
    text = html.unescape(_NO_CHARACTER.sub("\ufffd", _ZEROS.sub(lambda zeros: zeros[1] or zeros[2], text)))
    if lost is not None and (replaced := text.count("\ufffd") - known) > 0:
        lost["replaced_characters", REFERENCES] += replaced
    return text
