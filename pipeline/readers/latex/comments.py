"""Comments and branches that TeX skips are left out of a LaTeX text, and verbatim passages set aside.

In: the text of a file without NUL. Out: what is left, in which each verbatim passage is a placeholder that no later
step can mistake for LaTeX: two NUL characters around a number. All passes are linear.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.losses import Kind
from pipeline.readers.latex.definitions import BRACES, WORD_LAST

# Environments whose content is not LaTeX: of LaTeX itself, alltt, fancyvrb, listings, minted, moreverb, Sweave, beamer,
# tcolorbox.
VERBATIM = frozenset(
    tuple(
        "verbatim, verbatim*, Verbatim, Verbatim*, BVerbatim, LVerbatim, SaveVerbatim, VerbatimOut, "
        "verbatimtab, lstlisting, lstlisting*, minted, minted*, filecontents, filecontents*, Sinput, "
        "Soutput, Scode, semiverbatim, alltt, tcblisting, verbatimwrite, pycode, pyverbatim, sagesilent, "
        "asy".split(", ")
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
# Environments that authors make: `\lstnewenvironment{code}`, `\newminted{python}{}` (pythoncode),
# `\excludecomment{hidden}`.
_MADE = re.compile(
    r"\\(?:(?P<excluded>excludecomment)|lstnewenvironment|DefineVerbatimEnvironment|newtcblisting|newverbatim"
    r"|(?P<minted>newminted)(?:\[(?P<given>[a-zA-Z]{1,40})\])?)[ \t]{0,8}\{(?P<name>[a-zA-Z]{1,40})\}"
)
_PERCENT = re.compile(r"(?<!\\)%")
# An address has no groups that are nested more deeply.
_MOST_GROUPS = 4
_LINE_END = re.compile(r"\n?[ \t]*")
# Commands with arguments in braces, not conditionals that `\\fi` ends (ifthen, etoolbox).
_NO_CONDITIONALS = tuple(
    "iff, ifthenelse, iftoggle, ifbool, ifblank, ifdef, ifundef, ifcsdef, ifstrequal, ifstrempty".split(", ")
)


@dataclass(frozen=True)
class Environments:
    """Names of environments that are not read as LaTeX.

    Attributes:
        verbatim: kept as they are.
        excluded: left out.
    """

    verbatim: frozenset[str] = VERBATIM
    excluded: frozenset[str] = frozenset((_COMMENT,))


def environments(files: Mapping[str, str]) -> Environments:
    """Verbatim and comment environments, with those that authors define anywhere in their files."""
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


@dataclass(slots=True)
class _Reading:
    """One text, as far as it is read.

    Attributes:
        text: the whole text.
        known: environments that are not read as LaTeX.
        verbatim: passages that were set aside.
        lost: counts of what was left out.
        out: pieces of what stays.
        missing: ends of environments that do not occur any more.
        closed: no conditional without an end has been met.
        kept_branches: for each open `\\else` branch of an `\\iffalse`, the conditionals that are open in it.
    """

    text: str
    known: Environments
    verbatim: list[str]
    lost: Counter[tuple[Kind, str]]
    out: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    closed: bool = True
    kept_branches: list[int] = field(default_factory=list)


def without_comments(
    text: str,
    verbatim: list[str],
    *,
    known: Environments | None = None,
    lost: Counter[tuple[Kind, str]] | None = None,
) -> str:
    """A text as TeX would read it, with verbatim passages set aside.

    Comments, comment environments and branches under `\\iffalse` are left out. With a comment goes its line end and the
    blanks that begin the next line (TeXbook, chapter 8); a line that holds nothing else is left out whole. An empty
    line still ends the paragraph. Passages are appended to `verbatim`.

    Args:
        known: environments that are not read as LaTeX.
        lost: counts what is left out.
    """
    reading = _Reading(text, known or Environments(), verbatim, Counter() if lost is None else lost)
    position = 0
    while (mark := _MARKS.search(text, position)) is not None:
        if mark.start() > position:
            reading.out.append(text[position : mark.start()])
        position = _take(reading, mark)
    reading.out.append(text[position:])
    return "".join(reading.out)


def _take(reading: _Reading, mark: re.Match[str]) -> int:
    """Takes what a mark begins; where to go on."""
    kind = mark.lastgroup
    if kind is None:
        return _after_comment(reading.text, mark.end(), reading.out) if mark[0] == "%" else _keep(reading, mark)
    if kind == "environment":
        return _take_environment(reading, mark)
    if kind in ("delimiter", "braced"):
        return _take_code(reading, mark)
    if kind in ("url", "percent"):
        return _take_group(reading, mark)
    if (kind == "zero" or mark["conditional"] == "iffalse") and reading.closed:
        return _leave_branch_out(reading, mark)
    if kind == "conditional" and reading.kept_branches and mark["conditional"] not in _NO_CONDITIONALS:
        return _take_conditional(reading, mark)
    return _keep(reading, mark)


def _keep(reading: _Reading, mark: re.Match[str]) -> int:
    reading.out.append(mark[0])
    return mark.end()


def _take_environment(reading: _Reading, mark: re.Match[str]) -> int:
    """Sets a verbatim environment aside, or leaves an excluded one out; others stay."""
    name = mark["environment"]
    kept = name in reading.known.verbatim
    if not kept and name not in reading.known.excluded:
        return _keep(reading, mark)
    ending = f"\\end{{{name}}}"
    end = -1 if ending in reading.missing else reading.text.find(ending, mark.end())
    if end < 0:
        reading.missing.add(ending)
        return _keep(reading, mark)
    end += len(ending)
    if kept:
        reading.out.append(_aside(reading.text[mark.start() : end], reading.verbatim))
    else:
        reading.lost["dropped_elements", name] += 1
    return end


def _take_code(reading: _Reading, mark: re.Match[str]) -> int:
    """Sets code on one line aside; a command without its end stays."""
    end = _code_end(reading.text, mark.end(), mark["delimiter"])
    if end < 0:
        return _keep(reading, mark)
    reading.out.append(_aside(reading.text[mark.start() : end], reading.verbatim))
    return end


def _take_group(reading: _Reading, mark: re.Match[str]) -> int:
    """Keeps a group in which a percent sign is a character like any other: an address, or one that says so."""
    text, begin, end = reading.text, mark.end(), -1
    if mark["url"]:
        end = _group_end(text, begin, 4000)
        end = -1 if "\n" in text[begin : max(begin, end)] else end
    elif mark["percent"] != "14":
        end = _group_end(text, begin, 2000)
    end = max(begin, end)
    reading.out.append(text[mark.start() : end])
    return end


def _leave_branch_out(reading: _Reading, mark: re.Match[str]) -> int:
    """Leaves out what is under a condition that never holds, up to its `\\else` or `\\fi`."""
    branch = _false_branch(reading.text, mark.end())
    if branch is None:
        reading.closed = False
        return _keep(reading, mark)
    position, ends = branch
    reading.lost["dropped_elements", "iffalse"] += 1
    if not ends:
        reading.kept_branches.append(0)
    return position


def _take_conditional(reading: _Reading, mark: re.Match[str]) -> int:
    """Counts conditionals within an `\\else` branch that is kept, and leaves out the `\\fi` that ends the branch."""
    if mark["conditional"] == "fi" and reading.kept_branches[-1] == 0:
        reading.kept_branches.pop()
        return mark.end()
    reading.kept_branches[-1] += {"fi": -1, "else": 0}.get(mark["conditional"], 1)
    return _keep(reading, mark)


def _group_end(text: str, position: int, most: int) -> int:
    """Where the brace is that closes the group around a place; -1 when it is not within `most` characters."""
    depth = 0
    for brace in BRACES.finditer(text, position, position + most):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth < 0:
            return brace.start()
        if depth > _MOST_GROUPS:
            break
    return -1


def _code_end(text: str, position: int, delimiter: str | None) -> int:
    """Where code on one line ends: after its delimiter, in braces, or between two equal signs; -1 where it does not."""
    if delimiter is not None:
        end = text.find(delimiter, position, position + 2000)
    elif text.startswith("{", position):
        end = _group_end(text, position + 1, 2000)
    elif text[position : position + 1].strip() and not text[position].isalnum():
        end = text.find(text[position], position + 1, position + 2000)
    else:
        return -1
    return -1 if end < 0 or "\n" in text[position:end] else end + 1


def _after_comment(text: str, position: int, out: list[str]) -> int:
    """Where TeX reads on after a comment."""
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
    if WORD_LAST.search(before[-60:]) and text[stop].isalpha():
        out.append(" ")
    return stop


def _aside(passage: str, verbatim: list[str]) -> str:
    verbatim.append(passage)
    return f"\x00{len(verbatim) - 1}\x00"


def _false_branch(text: str, position: int) -> tuple[int, bool] | None:
    """(where it ends, whether the conditional ends there or continues with `\\else`); None when it does not end."""
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
