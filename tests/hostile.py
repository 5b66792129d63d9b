"""Texts made to be expensive: a layer's syntax, repeated in ways that make loops read the same text again.

In: nothing. Out: by layer, the pieces of syntax that it knows; patterns of those pieces as functions from a size, in
characters, to a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Make = Callable[[int], str]

SPACES = (
    " ", "\n", "\t", "\r", "\x0b", "\xa0", "\u2028", "\ufeff",
)  # fmt: skip
MARKS = (
    "\u0301", "\u0327", "\u200b", "\u200d", "\ufe0f", "\ufffd", "\U0001f468\u200d", "\u1100", "\u1161", "\xe4", "\u0130", "\u03a3",
    "\x00",
)  # fmt: skip
WORDS = (
    "a", "A", "1", "word ", "The. ", "I.I.",
)  # fmt: skip
SIGNS = (
    ".", ",", "-", "'", '"', "?", "!", "\u2026", "...", "_", "*", "#", "\u2022", "(", ")", "[", "]", "{", "}", "/", "\\", ":", ";", "|",
    "=", "~",
)  # fmt: skip
MOJIBAKE = (
    "\xc3", "\xc3\xa9", "\xe2\u20ac", "\xe2\u20ac\u0153", "\xc2", "\xf0", "\xef\xbf\xbd", "\xc3\u0192", "\u0192\u201a", "\x80", "\x9d",
    "\xc3\u0192\xc2", "\u0420", "\u0421\u0402",
)  # fmt: skip
PERSONAL = (
    "@", ".", "-", "+", "a", "1", "0", " ", "(", ")", "/", ":", "[", "a@", "a.", "a@a.", "1.", "1-", "1 ", "+1", "::", "ab:", "2001:",
    "born ", "DE", "DE00", "SSN ", "tel", "tel. ", "Str.", " Street", "12 ", "street ", "%", "_", "\n", "\xe4", "\u2013", "\xa0", ",",
    "19.", "192.168.", "{at}", "mailto:", "www.", "P.O. Box ",
)  # fmt: skip
HTML = (
    "<", ">", "<!--", "-->", "<!---->", "<!", "<?", "</", "/>", "<a ", "<a", "a=", 'a="', '"', "'", "=", "<p>", "</p>", "<div>", "<b>",
    "</b>", "<table>", "<tr>", "<td>", "<li>", "<ul>", "<dd>", "<br>", "<script>", "</script>", "<style>", "<svg>", "<math>",
    "<![CDATA[", "]]>", "&", "&#", "&#x", "&amp;", "&#1", ";", "<pre>", "\n", " ", "<title>", "<textarea>", "<select>", "<option>",
    "<template>", "<form>", "<a>", "<noscript>", "<plaintext", "<meta ", 'charset="', "<base ", "word ", "<figure>", "<frameset>",
    "<body a=b>", "<html a=b>", "\x00",
)  # fmt: skip
WIKITEXT = (
    "{{", "}}", "{{a|", "{{{", "}}}", "[[", "]]", "[[a|", "[[File:", "[http://a ", "[", "]", "|", "=", "==", "== a ==\n", "''", "'''",
    "'''''", "{|", "|}", "|-", "\n|", "\n!", "||", "!!", "<ref>", "</ref>", "<ref name=a", "/>", "<nowiki>", "</nowiki>", "<!--", "-->",
    "<math>", "</math>", "<", ">", "&", "&#", ";", ":", "*", "#", "\n", "\n*", "\n:", " ", "a", "#REDIRECT", "__", "----", "<div ",
    "<table>", "~~~~", "{{convert|", "<gallery>", "<syntaxhighlight>", "<code>", "-{", "}-",
)  # fmt: skip
LATEX = (
    "\\begin{", "\\begin{a}", "\\end{", "\\end{a}", "\\begin{document}", "\\begin{equation}", "\\begin{verbatim}", "\\begin{tabular}",
    "{", "}", "$", "$$", "%", "\\", "\\\\", "\\a", "\\a{", "\\def", "\\def\\a{", "\\newcommand{\\a}", "\\newcommand{\\a}[9]{", "#1",
    "\\item", "\\input{a}", "\\section{", "\\footnote{", "\\cite{", "\\ref{", "\\(", "\\)", "\\[", "\\]", "\\left", "\\verb", "\\verb|",
    "[", "]", "&", "~", "^", "_", "\n", "\n\n", " ", "a", "\\let\\a", "\\if", "\\fi", "\\else", "\\iffalse", "\\csname", "\\endcsname",
    "\\catcode", "\\'", '\\"',
)  # fmt: skip
URL = (
    "http://", ".", "a.", "/", "?", "#", "&", "=", "@", ":", "[", "]", "%", "%41", "\xe4", "\xe4.", "xn--", "-", "a", "1.", " ", "\\",
    "..", "www.", "//", "\xdf",
)  # fmt: skip
HTTP = (
    "\r\n", "\n", "\r", " ", "\t", ":", "a:", "a: b\r\n", " a\r\n", ",", "a", "\n a", "HTTP/1.1 200\r\n", "\n\n", "content-type: a\n",
    "1\r\n", "0\r\n", "transfer-encoding: chunked\n", "\x00", "content-encoding: gzip,", "1;", "1\r\na\r\n",
)  # fmt: skip
JSON = (
    "{", "}", "[", "]", '"', '{"a":', "[[", "\\", "\\u", "\\ud800", ",", ":", "1", "e", "-", "\n", "true", "null,", " ",
    '{"text":"a"}\n', "0.", "9",
)  # fmt: skip
GUTENBERG = (
    "*", "***", "*** START", "*** END", "***START OF THE PROJECT GUTENBERG EBOOK", "*** END OF", "\n", "\r\n", " ", "Project Gutenberg",
    "End of ", "a", "\n\n",
)  # fmt: skip
YAML = (
    "- ", "[", "]", "{", "}", ": ", "a: ", "? ", "&a ", "*a", "!", "!!", "|\n", ">\n", '"', "'", "\n", " ", "#", ",", "\t", "<<: ",
    "\n  ", "---\n", "%",
)  # fmt: skip
PLAIN = (*SPACES, *MARKS, *WORDS, *SIGNS)


def patterns(pieces: tuple[str, ...], *, pairs: bool = True) -> Iterator[tuple[str, Make]]:
    """Names and makers: runs of one piece; with `pairs` two in turn, a run of one and then of the other, and an end
    that comes late.
    """
    for piece in pieces:
        yield f"{piece!r} run", run(piece)
        yield f"{piece!r} run, words between", run(piece + "word and word ")
    if pairs:
        for first in pieces:
            for second in pieces:
                if first != second:
                    yield f"{first!r} {second!r} in turn", run(first + second)
                    yield f"{first!r} then {second!r}", halves(first, second)
                    yield f"{first!r} run, one {second!r}", late(first, second)


def run(piece: str) -> Make:
    return lambda size: piece * (size // len(piece) + 1)


def halves(first: str, second: str) -> Make:
    return lambda size: first * (size // 2 // len(first) + 1) + second * (size // 2 // len(second) + 1)


def late(first: str, second: str) -> Make:
    return lambda size: first * (size // len(first) + 1) + second
