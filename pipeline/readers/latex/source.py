"""The source files of a paper to one LaTeX text: comments removed, files included, verbatim passages set aside.

In: the files of a submission by name. Out: `Source`, in which each verbatim passage is a placeholder
(`pipeline.readers.latex.comments`): two NUL characters around a number. TeX ignores NUL ("invalid" or "ignored"
characters, TeXbook, chapter 7), so the files' own can be left out without loss.

All passes are linear in what they put out, which is bounded.
"""

from __future__ import annotations

import codecs
import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.losses import Kind, Lost
from pipeline.readers.latex.comments import Environments, environments, without_comments
from pipeline.readers.web.charset import Decoded, Undecodable, decode_utf8, decoded_as
from pipeline.readers.web.charset_labels import encoding_of

# The largest text sources of arXiv have some MB, most of it tables of numbers.
MOST_CHARACTERS = 16 << 20
_MOST_INCLUDED_DEPTH = 16
# Larger packages are no author's macros.
_MOST_PACKAGE = 1 << 18

_END = re.compile(r"\\end[ \t]{0,4}\{[ \t]{0,4}document[ \t]{0,4}\}")
_INCLUSIONS = re.compile(
    r"\\(?:input|include|subfile|subfileinclude)[ \t]{0,10}\{(?P<braced>[^{}\n]{1,300})\}"
    r"|\\input[ \t]{1,10}(?P<plain>[^\s{}\\]{1,300})"
    r"|\\(?:import|subimport|inputfrom|includefrom)\*?[ \t]{0,10}\{(?P<folder>[^{}\n]{0,300})\}["
    r" \t]{0,10}\{(?P<name>[^{}\n]{1,300})\}"
    r"|\\(?:usepackage|RequirePackage)[ \t]{0,10}(?:\[[^\[\]]{0,1000}\])?[ \t]{0,10}\{(?P<packages>[^{}]{1,1000})\}"
    r"|\\(?P<stop>endinput)(?![a-zA-Z@])"
)
_CLASS = re.compile(r"^[^%\n]{0,200}\\document(?:class|style)\b", re.MULTILINE)
_BEGIN = re.compile(r"^[^%\n]{0,200}\\begin[ \t]{0,10}\{document\}", re.MULTILINE)
_TOP_LEVEL = re.compile(r"^[ \t]{0,8}(\S{1,300})[ \t]{1,8}toplevelfile", re.MULTILINE)
_CODE_PAGE = re.compile(
    rb"^[^%\n]{0,200}\\(?:(?:usepackage|RequirePackage)[ \t]{0,8}\[([A-Za-z0-9_, \t-]{1,60})\][ \t]{0,8}\{inputenc\}"
    rb"|inputencoding\{([a-z0-9-]{1,20})\})",
    re.MULTILINE,
)
# Names that inputenc has for character sets, also Cyrillic ones (LaTeX's inputenc.dtx, cyinpenc.dtx), and the web has
# not. Some are Python's names for encodings that the web does not have.
_CODE_PAGES = {
    "latin9": "iso-8859-15",
    "latin10": "iso-8859-16",
    "ansinew": "windows-1252",
    "applemac": "macintosh",
    "macce": "mac-latin2",
    "maccyr": "x-mac-cyrillic",
    "macukr": "x-mac-cyrillic",
    "utf8x": "utf-8",
    "cp437de": "cp437",
    "pt154": "ptcp154",
    **{name: name for name in ("cp437", "cp850", "cp852", "cp855", "cp858", "cp865")},
}


@dataclass
class Source:
    """One text.

    Attributes:
        preamble: what is before `\\begin{document}`; empty where that is missing.
        body: what follows, up to `\\end{document}`.
        verbatim: the passages whose place `\\0number\\0` holds.
        lost: what was dropped, by kind and name.
        environments: names of those whose content is not LaTeX, and of those that are left out.
    """

    preamble: str = ""
    body: str = ""
    verbatim: list[str] = field(default_factory=list)
    lost: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    environments: Environments = field(default_factory=lambda: Environments())


def decode(files: Mapping[str, bytes]) -> tuple[dict[str, str], Lost]:
    """The files of one paper as text, no NUL in it, line ends as line feeds, and the characters that could not be read.

    A file is in UTF-8, else in the character set that it declares, else in the one that another file of the paper
    declares, else in windows-1252.
    """
    declared = {name: found for name, data in sorted(files.items()) if (found := _declared(data)) is not None}
    others = next(iter(declared.values()), "windows-1252")
    texts: dict[str, str] = {}
    lost: Counter[tuple[Kind, str]] = Counter()
    for name, data in files.items():
        decoded = _decoded(data.removeprefix(codecs.BOM_UTF8), declared.get(name, others))
        lost.update(decoded.lost)
        texts[name] = decoded.text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    return texts, dict(lost)


def _decoded(data: bytes, otherwise: str) -> Decoded:
    try:
        return decode_utf8(data, sure=False)
    except Undecodable:
        return decoded_as(data, otherwise)


def _declared(data: bytes) -> str | None:
    """The last encoding that a file gives to inputenc; None for UTF-8, which is tried in any case."""
    declaration = _CODE_PAGE.search(data)
    name = (declaration[1] or declaration[2]).decode().rsplit(",", 1)[-1].strip().lower() if declaration else ""
    encoding = _CODE_PAGES.get(name) or encoding_of(name)
    return None if encoding == "utf-8" else encoding


def main_file(files: Mapping[str, str]) -> str | None:
    """Name of the file that LaTeX is run on, or None.

    What arXiv's `00README` says. Else the largest of the files that have both a document class and a beginning of the
    document, and that no other of them includes; where no file has both, of those with a beginning, and where no file
    has that, of those with a class. Ties by name. A single file is the main file in any case.
    """
    for name, text in sorted(files.items()):
        if posixpath.basename(name).upper().startswith("00README"):
            line = _TOP_LEVEL.search(text)
            if line is not None and line[1] in files:
                return line[1]
    texts = {
        name: text
        for name, text in files.items()
        if name.lower().endswith((".tex", ".ltx", ".latex")) or _CLASS.search(text)
    }
    classes = {name for name, text in texts.items() if _CLASS.search(text)}
    begins = {name for name, text in texts.items() if _BEGIN.search(text)}
    candidates = (classes & begins) or begins or classes or (set(texts) if len(texts) == 1 else set())
    included = {file for name in candidates for file in _included(files, name)}
    return min(candidates - included or candidates, key=lambda name: (-len(texts[name]), name), default=None)


def _included(files: Mapping[str, str], name: str) -> set[str]:
    found = {
        _find(files, match["braced"] or match["plain"] or "", posixpath.dirname(name))
        for match in _INCLUSIONS.finditer(files[name])
    }
    return {file for file in found if file is not None and file != name}


def assemble(files: Mapping[str, str], main: str) -> Source:
    """The main file with what it includes."""
    source = Source(environments=environments(files))
    text = _include(files, main, (), source, [MOST_CHARACTERS])
    begin = text.find("\\begin{document}")
    if begin >= 0:
        source.preamble, text = text[:begin], text[begin + len("\\begin{document}") :]
    source.body = _END.split(text, maxsplit=1)[0]
    return source


def _include(files: Mapping[str, str], name: str, within: tuple[str, ...], source: Source, budget: list[int]) -> str:
    """A file's text with the files that it includes.

    `budget`: characters that may still be read, all files together.
    """
    budget[0] -= len(files[name])
    text = without_comments(files[name], source.verbatim, known=source.environments, lost=source.lost)
    if within and not name.endswith(".sty"):
        # Chapters that can be set alone have a preamble of their own.
        begin = text.find("\\begin{document}")
        text = text if begin < 0 else _END.split(text[begin + len("\\begin{document}") :], maxsplit=1)[0]
    within = (*within, name)
    out: list[str] = []
    position = 0
    for match in _INCLUSIONS.finditer(text):
        out.append(text[position : match.start()])
        position = match.end()
        if match["stop"]:
            return "".join(out)
        parts = [match[0]]
        for file in _wanted(files, match, posixpath.dirname(name)):
            if file not in within and len(within) < _MOST_INCLUDED_DEPTH and len(files[file]) <= budget[0]:
                included = _include(files, file, within, source, budget)
                parts = [*parts, included, "\n"] if match["packages"] else [included]
        out += parts
    out.append(text[position:])
    return "".join(out)


def _wanted(files: Mapping[str, str], match: re.Match[str], folder: str) -> list[str]:
    """The files that a command includes, if they are there."""
    if match["packages"]:
        names = [_find(files, f"{name.strip()}.sty", folder) for name in match["packages"].split(",")]
        return [name for name in names if name is not None and len(files[name]) <= _MOST_PACKAGE]
    if match["name"]:
        found = _find(files, posixpath.join(match["folder"], match["name"]), folder)
    else:
        found = _find(files, match["braced"] or match["plain"] or "", folder)
    return [] if found is None else [found]


def _find(files: Mapping[str, str], file: str, folder: str) -> str | None:
    """Relative to the archive's root or to the including file; with or without `.tex`."""
    file = file.strip().strip('"')
    for path in (file, posixpath.join(folder, file)):
        for name in (f"{path}.tex", path):
            name = posixpath.normpath(name)
            if name in files:
                return name
    return None
