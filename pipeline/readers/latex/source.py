"""The source files of a paper to one LaTeX text: comments removed, files included, verbatim passages set aside.

In: the files of a submission by name. Out: `Source`, in which each verbatim passage is a placeholder that no later step can mistake for
LaTeX. It is two NUL characters around a number: TeX ignores NUL ("invalid" or "ignored" characters, TeXbook, chapter 7), so none is lost.

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
from pipeline.readers.web.charset import Decoded, Undecodable, decode_utf8, decoded_as
from pipeline.readers.web.charset_labels import encoding_of

# The largest text sources of arXiv have some MB, most of it tables of numbers.
MOST_CHARACTERS = 16 << 20
_MOST_INCLUDED_DEPTH = 16
# Larger packages are no author's macros.
_MOST_PACKAGE = 1 << 18

# Environments whose content is no LaTeX: LaTeX itself, alltt, fancyvrb, listings, minted, moreverb, Sweave, beamer, tcolorbox.
VERBATIM = frozenset(
    (
        *("verbatim", "verbatim*", "Verbatim", "Verbatim*", "BVerbatim", "LVerbatim", "SaveVerbatim", "VerbatimOut", "verbatimtab"),
        *("lstlisting", "lstlisting*", "minted", "minted*", "filecontents", "filecontents*", "Sinput", "Soutput", "Scode", "semiverbatim"),
        *("alltt", "tcblisting", "verbatimwrite", "pycode", "pyverbatim", "sagesilent", "asy"),
    )
)
_COMMENT = "comment"
# Commands that mean nothing here are no marks; two characters that hide a percent sign are.
_MARKS = re.compile(
    r"[\\%](?:(?<=%)|[\\%]"
    r"|begin[ \t]{0,4}\{(?P<environment>[a-zA-Z@]{1,40}\*?)\}"
    r"|(?:(?:verb|Verb|spverb)\*?|lstinline[ \t]{0,4}(?:\[[^\[\]\n]{0,200}\]|(?!\[))|(?:url|path)(?![()\[\]&,;.]))"
    r"(?P<delimiter>[^a-zA-Z0-9\s*{}\\])"
    r"|(?P<braced>(?:lstinline[ \t]{0,4}(?:\[[^\[\]\n]{0,200}\])?|Verb\*?)(?=\{)"
    r"|mint(?:inline)?[ \t]{0,4}(?:\[[^\[\]\n]{0,200}\])?\{[a-zA-Z0-9+#_.-]{1,30}\})"
    r"|(?P<url>url|path|href|nolinkurl|doi)\s{0,10}(?:\[[^\[\]\n]{0,200}\])?\{"
    r"|catcode[ \t]{0,4}`\\?%[ \t]{0,4}=?[ \t]{0,4}(?P<percent>\d{1,2})"
    r"|(?P<zero>if[ \t]{0,4}0(?=\s))"
    r"|(?P<conditional>if[a-zA-Z@]*|else|fi)(?![a-zA-Z@])"
    r"|newif\s{0,10}\\if[a-zA-Z@]+)"
)
# Those that authors make: `\lstnewenvironment{code}`, `\newminted{python}{}` (pythoncode), `\excludecomment{hidden}`.
_MADE = re.compile(
    r"\\(?:(?P<excluded>excludecomment)|lstnewenvironment|DefineVerbatimEnvironment|newtcblisting|newverbatim"
    r"|(?P<minted>newminted)(?:\[(?P<given>[a-zA-Z]{1,40})\])?)[ \t]{0,8}\{(?P<name>[a-zA-Z]{1,40})\}"
)
_PERCENT = re.compile(r"(?<!\\)%")
_BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
# An address has no more groups within each other.
_MOST_GROUPS = 4
_END = re.compile(r"\\end[ \t]{0,4}\{[ \t]{0,4}document[ \t]{0,4}\}")
_LINE_END = re.compile(r"\n?[ \t]*")
_CONTROL_WORD_LAST = re.compile(r"\\[a-zA-Z@]+\Z")
# Commands with arguments in braces, not conditionals that `\\fi` ends (ifthen, etoolbox).
_NO_CONDITIONALS = ("iff", "ifthenelse", "iftoggle", "ifbool", "ifblank", "ifdef", "ifundef", "ifcsdef", "ifstrequal", "ifstrempty")
_INCLUSIONS = re.compile(
    r"\\(?:input|include|subfile|subfileinclude)[ \t]{0,10}\{(?P<braced>[^{}\n]{1,300})\}"
    r"|\\input[ \t]{1,10}(?P<plain>[^\s{}\\]{1,300})"
    r"|\\(?:import|subimport|inputfrom|includefrom)\*?[ \t]{0,10}\{(?P<folder>[^{}\n]{0,300})\}[ \t]{0,10}\{(?P<name>[^{}\n]{1,300})\}"
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
# Names that inputenc and its Cyrillic fellows have for character sets (LaTeX's inputenc.dtx, cyinpenc.dtx) and the web has not; some are
# Python's for what is no encoding of the web.
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


@dataclass(frozen=True)
class Environments:
    """Names of environments that are not read as LaTeX.

    Attributes:
        verbatim: kept as they are.
        excluded: left out.
    """

    verbatim: frozenset[str] = VERBATIM
    excluded: frozenset[str] = frozenset((_COMMENT,))


@dataclass
class Source:
    """One text.

    Attributes:
        preamble: what stands before `\\begin{document}`; empty when there is none.
        body: what follows, up to `\\end{document}`.
        verbatim: the passages whose place `\\0number\\0` holds.
        lost: what was dropped, by kind and name.
        environments: names of those whose content is no LaTeX, and of those that are left out.
    """

    preamble: str = ""
    body: str = ""
    verbatim: list[str] = field(default_factory=list)
    lost: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    environments: Environments = field(default_factory=lambda: Environments())


def decode(files: Mapping[str, bytes]) -> tuple[dict[str, str], Lost]:
    """The files of one paper as text, no NUL in it, line ends as line feeds, and the characters that could not be read.

    A file is in UTF-8, else in the character set that it declares, else in the one that another file of the paper declares, else in
    windows-1252.
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
    """The last encoding that a file gives to inputenc; UTF-8, which the bytes are not in where it is asked for, is none."""
    given = _CODE_PAGE.search(data)
    name = (given[1] or given[2]).decode().rsplit(",", 1)[-1].strip().lower() if given else ""
    encoding = _CODE_PAGES.get(name) or encoding_of(name)
    return None if encoding == "utf-8" else encoding


def main_file(files: Mapping[str, str]) -> str | None:
    """Name of the file that LaTeX is run on, or None.

    What arXiv's `00README` says. Else the largest of the files that have both a document class and a beginning of the document, and that no
    other of them includes; where none has both, of those with a beginning, and where none has that, of those with a class. Ties by name. A
    single file is the main file in any case.
    """
    for name, text in sorted(files.items()):
        if posixpath.basename(name).upper().startswith("00README"):
            given = _TOP_LEVEL.search(text)
            if given is not None and given[1] in files:
                return given[1]
    texts = {name: text for name, text in files.items() if name.lower().endswith((".tex", ".ltx", ".latex")) or _CLASS.search(text)}
    classes = {name for name, text in texts.items() if _CLASS.search(text)}
    begins = {name for name, text in texts.items() if _BEGIN.search(text)}
    candidates = (classes & begins) or begins or classes or (set(texts) if len(texts) == 1 else set())
    included = {file for name in candidates for file in _included(files, name)}
    return min(candidates - included or candidates, key=lambda name: (-len(texts[name]), name), default=None)


def _included(files: Mapping[str, str], name: str) -> set[str]:
    found = {_find(files, match["braced"] or match["plain"] or "", posixpath.dirname(name)) for match in _INCLUSIONS.finditer(files[name])}
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


def environments(files: Mapping[str, str]) -> Environments:
    """What authors have made of verbatim and comment environments, anywhere in their files."""
    verbatim, excluded = set(VERBATIM), {_COMMENT}
    for text in files.values():
        for made in _MADE.finditer(text):
            line = text.rfind("\n", max(0, made.start() - 1000), made.start()) + 1
            if _PERCENT.search(text, max(line, made.start() - 1000), made.start()):
                continue
            if made["excluded"]:
                excluded.add(made["name"])
            else:
                verbatim.add((made["given"] or f"{made['name']}code") if made["minted"] else made["name"])
    return Environments(frozenset(verbatim - excluded), frozenset(excluded))


def _include(files: Mapping[str, str], name: str, within: tuple[str, ...], source: Source, budget: list[int]) -> str:
    """A file's text with the files that it includes. `budget`: characters that may still be read, all files together."""
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
    """The files that a command includes, as far as they are there."""
    if match["packages"]:
        names = [_find(files, f"{name.strip()}.sty", folder) for name in match["packages"].split(",")]
        return [name for name in names if name is not None and len(files[name]) <= _MOST_PACKAGE]
    if match["name"]:
        found = _find(files, posixpath.join(match["folder"], match["name"]), folder)
    else:
        found = _find(files, match["braced"] or match["plain"] or "", folder)
    return [] if found is None else [found]


def _find(files: Mapping[str, str], wanted: str, folder: str) -> str | None:
    """Relative to the archive's root or to the including file; with or without `.tex`."""
    wanted = wanted.strip().strip('"')
    for path in (wanted, posixpath.join(folder, wanted)):
        for name in (f"{path}.tex", path):
            name = posixpath.normpath(name)
            if name in files:
                return name
    return None


def without_comments(
    text: str, verbatim: list[str], *, known: Environments | None = None, lost: Counter[tuple[Kind, str]] | None = None
) -> str:
    """Comments, comment environments and branches under `\\iffalse` removed, as TeX would not see them; verbatim passages set aside.

    A comment goes with its line end and the blanks that begin the next line (TeXbook, chapter 8), a line of comment alone goes whole; an
    empty line still ends the paragraph. Passages are appended to `verbatim`.

    Args:
        known: environments that are not read as LaTeX.
        lost: counts what is left out.
    """
    known = known or Environments()
    lost = Counter() if lost is None else lost
    out: list[str] = []
    position = 0
    kept_branches: list[int] = []  # conditionals open within each `\else` branch of an `\iffalse`
    missing: set[str] = set()  # endings that do not come any more
    closed = True  # as far as is known, conditionals have an end
    while (mark := _MARKS.search(text, position)) is not None:
        if mark.start() > position:
            out.append(text[position : mark.start()])
        position = mark.end()
        if mark[0] == "%":
            position = _after_comment(text, position, out)
        elif mark["environment"]:
            name = mark["environment"]
            ending = f"\\end{{{name}}}"
            kept = name in known.verbatim
            end = -1 if ending in missing or not (kept or name in known.excluded) else text.find(ending, position)
            if end < 0:
                if kept or name in known.excluded:
                    missing.add(ending)
                out.append(mark[0])
            else:
                position = end + len(ending)
                if kept:
                    out.append(_aside(text[mark.start() : position], verbatim))
                else:
                    lost["dropped_elements", name] += 1
        elif mark["delimiter"]:
            end = text.find(mark["delimiter"], position, position + 2000)
            position = position if end < 0 or "\n" in text[position:end] else end + 1
            out.append(mark[0] if position == mark.end() else _aside(text[mark.start() : position], verbatim))
        elif mark["braced"]:
            end = _code_end(text, position)
            position = position if end < 0 else end
            out.append(mark[0] if position == mark.end() else _aside(text[mark.start() : position], verbatim))
        elif mark["url"]:
            end = _group_end(text, position, 4000)
            position = position if end < 0 or "\n" in text[position:end] else end
            out.append(text[mark.start() : position])
        elif mark["percent"]:
            # Within its group a percent sign is a character like others.
            end = _group_end(text, position, 2000) if mark["percent"] != "14" else -1
            position = max(position, end)
            out.append(text[mark.start() : position])
        elif (mark["conditional"] == "iffalse" or mark["zero"]) and closed:
            branch = _false_branch(text, position)
            if branch is None:
                closed = False
                out.append(mark[0])
            else:
                position, ends = branch
                lost["dropped_elements", "iffalse"] += 1
                if not ends:
                    kept_branches.append(0)
        elif mark["conditional"] and kept_branches and mark["conditional"] not in _NO_CONDITIONALS:
            if mark["conditional"] == "fi" and kept_branches[-1] == 0:
                kept_branches.pop()
            else:
                kept_branches[-1] += {"fi": -1, "else": 0}.get(mark["conditional"], 1)
                out.append(mark[0])
        else:
            out.append(mark[0])
    out.append(text[position:])
    return "".join(out)


def _group_end(text: str, position: int, most: int) -> int:
    """The place of the brace that closes the group which a place lies in; -1 when it is not within `most` characters."""
    depth = 0
    for brace in _BRACES.finditer(text, position, position + most):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth < 0:
            return brace.start()
        if depth > _MOST_GROUPS:
            break
    return -1


def _code_end(text: str, position: int) -> int:
    """Where code on one line ends that stands in braces, or between two equal signs; -1 when it does not."""
    if text.startswith("{", position):
        end = _group_end(text, position + 1, 2000)
    elif text[position : position + 1].strip() and not text[position].isalnum():
        end = text.find(text[position], position + 1, position + 2000)
    else:
        return -1
    return -1 if end < 0 or "\n" in text[position:end] else end + 1


def _after_comment(text: str, position: int, out: list[str]) -> int:
    """Where TeX reads on behind a comment."""
    end = text.find("\n", position)
    if end < 0:
        return len(text)
    before = out[-1] if out else "\n"
    if "\n" in before and not before.rsplit("\n", 1)[1].strip(" \t"):
        return end + 1
    following = _LINE_END.match(text, end + 1)
    stop = end + 1 if following is None else following.end()
    blanks = text[end + 1 : stop]
    if "\n" in blanks or stop == len(text):
        return end
    if _CONTROL_WORD_LAST.search(before[-60:]) and text[stop].isalpha():
        out.append(" ")
    return stop


def _aside(passage: str, verbatim: list[str]) -> str:
    verbatim.append(passage)
    return f"\x00{len(verbatim) - 1}\x00"


def _false_branch(text: str, position: int) -> tuple[int, bool] | None:
    """(where it ends, whether the conditional ends there or goes on with `\\else`); None when it does not end."""
    depth = 0
    while (mark := _MARKS.search(text, position)) is not None:
        position = mark.end()
        if mark[0] == "%":
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif mark["conditional"] == "fi":
            if depth == 0:
                return position, True
            depth -= 1
        elif mark["conditional"] == "else" and depth == 0:
            return position, False
        elif mark["zero"] or (mark["conditional"] and mark["conditional"] not in ("else", *_NO_CONDITIONALS)):
            depth += 1
    return None
