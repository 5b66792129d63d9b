"""Definitions of LaTeX commands: read from the text, kept as what they stand for.

In: `Frame`, a text being read. Out: `Macro` by the command's name, of an environment under `begin NAME` and `end NAME`.
Definitions that are understood but not to be expanded leave no macro: those of commands that carry the structure of a
document (`_STRUCTURE`), those that need TeX to run (`_PROGRAMS`), and those with delimited parameters.

Sources: TeXbook, chapter 20 (`\\def` and its kin, `\\let`); LaTeX2e, `\\newcommand`, `\\newenvironment`; amsopn;
xparse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

# Longer definitions are left as they are.
_MOST_DEFINITION = 1 << 15

COMMAND = re.compile(r"\\([a-zA-Z]+|[^a-zA-Z])", re.DOTALL)
_NAME = re.compile(r"\s{0,8}(?:\{\s{0,8}\\([a-zA-Z@]+|[^a-zA-Z@])\s{0,8}\}|\\([a-zA-Z@]+|[^a-zA-Z@]))", re.DOTALL)
DEFINERS = tuple(
    "newcommand, renewcommand, providecommand, DeclareRobustCommand, newenvironment, renewenvironment, "
    "DeclareMathOperator, NewDocumentCommand, RenewDocumentCommand, ProvideDocumentCommand, "
    "DeclareDocumentCommand, def, gdef, edef, xdef, let".split(", ")
)
_DEFINITION = re.compile(rf"\\({'|'.join(DEFINERS)})(?![a-zA-Z@])")
PREFIXES = frozenset(("long", "global", "outer", "protected"))
BRACES = re.compile(r"\\.|[{}]", re.DOTALL)
WORD_LAST = re.compile(r"\\[a-zA-Z@]+\Z")
_IN_BRACKETS = re.compile(r"[^\\{\]]*(?:\\.[^\\{\]]*)*([{\]])", re.DOTALL)
# One line end is a blank; an empty line ends the paragraph and with it the search for an argument.
_BLANKS = re.compile(r"[ \t]*\n?[ \t]*(?!\n)")
_PARAMETER = re.compile(r"#(#|[1-9])")
_XSPACE = re.compile(r"\\xspace\s{0,8}(?:\{\s{0,8}\})?\s{0,8}\Z")
_ARGUMENTS = re.compile(r"\s{0,8}(?:O\{([^{}]{0,1000})\}|(o))?\s{0,8}((?:m\s{0,8}){0,9})")
# Expanding these would show TeX's machinery instead of what it makes.
_PROGRAMS = re.compile(
    r"\\(?:if(?!f(?![a-zA-Z]))[a-zA-Z@]*|else|fi|or|expandafter|noexpand|csname|endcsname|futurelet|afterassignment|aftergroup|catcode|lowercase"
    r"|uppercase|loop|repeat|string|meaning|the|number|romannumeral|[a-zA-Z]*@[a-zA-Z@]*)(?![a-zA-Z@])"
)
_STRUCTURE = (
    frozenset(DEFINERS)
    | PREFIXES
    | frozenset(
        "begin, end, document, documentclass, usepackage, input, include, part, chapter, section, subsection, "
        "subsubsection, paragraph, subparagraph, appendix, item, label, ref, cite, caption, footnote, bibliography, "
        "bibitem, left, right, middle, title, author, maketitle, par, endinput, csname, endcsname, relax".split(", ")
    )
)


class Macro(NamedTuple):
    """What a command stands for.

    Attributes:
        parameters: how many arguments it takes.
        default: of the first argument, which is then optional.
        body: text, and numbers of parameters.
        final: the text is not expanded again.
    """

    parameters: int
    default: str | None
    body: tuple[str | int, ...]
    final: bool = False


@dataclass
class Frame:
    """A text being read."""

    text: str
    position: int = 0
    closings: dict[int, int] | None = None  # place of each opening brace's partner; found when first asked for

    def closing(self) -> int:
        """Where the group that begins here is closed; -1 when no group begins here, or it has no end."""
        if not self.text.startswith("{", self.position):
            return -1
        if self.closings is None:
            self.closings = _closings(self.text)
        return self.closings.get(self.position, -1)

    def group(self, *, most: int | None = None) -> str | None:
        """The content of the group that begins here, which is passed; None when it has more than `most` characters."""
        closing = self.closing()
        if closing < 0 or (most is not None and closing - self.position - 1 > most):
            return None
        content = self.text[self.position + 1 : closing]
        self.position = closing + 1
        return content

    def bracketed(self) -> str | None:
        """The content of `[...]` here, braces balanced; None, and the position stays, where there are no brackets."""
        start = self.position
        self.skip_blanks()
        if not self.text.startswith("[", self.position):
            self.position = start
            return None
        begin = self.position + 1
        # Optional arguments are short: a stray bracket must not cost the rest of the text.
        stop = begin + 1000
        position = begin
        while (found := _IN_BRACKETS.match(self.text, position, stop)) is not None:
            if found[1] == "]":
                self.position = found.end()
                return self.text[begin : found.start(1)]
            self.position = found.start(1)
            position = self.closing() + 1
            if not 0 < position <= stop:
                break
        self.position = start
        return None

    def skip_blanks(self) -> None:
        blanks = _BLANKS.match(self.text, self.position)
        if blanks is not None:
            self.position = blanks.end()


def definitions(preamble: str) -> dict[str, Macro]:
    """What a preamble defines; the definitions within definitions are not made."""
    macros: dict[str, Macro] = {}
    frame = Frame(preamble)
    while (definition := _DEFINITION.search(preamble, frame.position)) is not None:
        frame.position = definition.end()
        define(macros, definition[1], frame)
    return macros


def define(macros: dict[str, Macro], definer: str, frame: Frame) -> bool:
    """Read one definition; False, and nothing is consumed, when the text is not a definition."""
    start = frame.position
    if definer in ("newenvironment", "renewenvironment"):
        done = _define_environment(macros, frame)
    else:
        if frame.text.startswith("*", frame.position):
            frame.position += 1
        starred = frame.position > start
        found = _NAME.match(frame.text, frame.position)
        if found is None:
            frame.position = start
            return False
        frame.position = found.end()
        name = found[1] or found[2]
        macro: Macro | None
        if definer == "let":
            done, macro = _let(macros, frame)
        elif definer in ("def", "gdef", "edef", "xdef"):
            done, macro = _def(frame)
        elif definer == "DeclareMathOperator":
            frame.skip_blanks()
            words = frame.group(most=_MOST_DEFINITION)
            done = words is not None
            macro = Macro(0, None, (f"\\operatorname{'*' if starred else ''}{{{words}}}",))
        elif definer.endswith("DocumentCommand"):
            done, macro = _document_command(frame)
        else:
            done, macro = _newcommand(frame)
        if done and not (definer.startswith(("provide", "Provide")) and name in macros):
            _set(macros, name, macro)
    if not done:
        frame.position = start
    return done


def _set(macros: dict[str, Macro], name: str, macro: Macro | None) -> None:
    """Keeps a macro; None stands for a definition that is not expanded."""
    macros.pop(name, None)
    if macro is not None and name not in _STRUCTURE and "@" not in name:
        macros[name] = macro


def _newcommand(frame: Frame) -> tuple[bool, Macro | None]:
    count = frame.bracketed()
    default = None if count is None else frame.bracketed()
    frame.skip_blanks()
    body = frame.group(most=_MOST_DEFINITION)
    if body is None:
        token = COMMAND.match(frame.text, frame.position)
        if token is None or count is not None:
            return False, None
        body, frame.position = token[0], token.end()
    return True, _macro(count, default, body)


def _document_command(frame: Frame) -> tuple[bool, Macro | None]:
    """Mandatory arguments, and an optional one before them (xparse's `m`, `O{...}`)."""
    frame.skip_blanks()
    specification = frame.group(most=200)
    frame.skip_blanks()
    body = frame.group(most=_MOST_DEFINITION)
    if specification is None or body is None:
        return False, None
    kinds = _ARGUMENTS.fullmatch(specification)
    if kinds is None or kinds[2]:
        return True, None
    return True, _macro(str(kinds[3].count("m") + (kinds[1] is not None)), kinds[1], body)


def _def(frame: Frame) -> tuple[bool, Macro | None]:
    """Parameters without delimiters only."""
    opening = frame.text.find("{", frame.position, frame.position + 200)
    if opening < 0:
        return False, None
    parameters, frame.position = frame.text[frame.position : opening], opening
    body = frame.group(most=_MOST_DEFINITION)
    if body is None:
        return False, None
    count = len(parameters.strip()) // 2
    plain = parameters.strip() == "".join(f"#{number}" for number in range(1, count + 1))
    return True, _macro(str(count), None, body) if plain else None


def _let(macros: dict[str, Macro], frame: Frame) -> tuple[bool, Macro | None]:
    """A copy of what the other command stands for now; for one of LaTeX's own, its name, not expanded again."""
    frame.skip_blanks()
    if frame.text.startswith("=", frame.position):
        frame.position += 1
        frame.skip_blanks()
    token = COMMAND.match(frame.text, frame.position)
    if token is None:
        return False, None
    frame.position = token.end()
    if frame.text.startswith("@", frame.position):
        return True, None
    return True, macros.get(token[1]) or Macro(0, None, (token[0],), final=True)


def _define_environment(macros: dict[str, Macro], frame: Frame) -> bool:
    if frame.text.startswith("*", frame.position):
        frame.position += 1
    frame.skip_blanks()
    name = frame.group(most=60)
    count = frame.bracketed()
    default = None if count is None else frame.bracketed()
    frame.skip_blanks()
    beginning = frame.group(most=_MOST_DEFINITION)
    frame.skip_blanks()
    ending = frame.group(most=_MOST_DEFINITION)
    if name is None or beginning is None or ending is None:
        return False
    pair = _macro(count, default, beginning), _macro("0", None, ending)
    for key, macro in zip((f"begin {name}", f"end {name}"), pair, strict=True):
        macros.pop(key, None)
        # Both or neither: what is opened is closed.
        if (
            pair[0] is not None
            and pair[1] is not None
            and macro is not None
            and name not in ("document", "thebibliography")
        ):
            macros[key] = macro
    return True


def _macro(count: str | None, default: str | None, body: str) -> Macro | None:
    """None when it is not to be expanded."""
    number = (count or "0").strip()
    if number not in tuple("0123456789") or _PROGRAMS.search(body):
        return None
    body = _XSPACE.sub("", body)
    parts: list[str | int] = []
    position = 0
    for parameter in _PARAMETER.finditer(body):
        parts.append(body[position : parameter.start()])
        position = parameter.end()
        if parameter[1] == "#":
            parts.append("#")
        elif int(parameter[1]) <= int(number):
            parts.append(int(parameter[1]))
        else:
            return None
    parts.append(body[position:])
    return Macro(int(number), default, tuple(part for part in parts if part != ""))


def _closings(text: str) -> dict[int, int]:
    """The place of the closing brace for each opening one that has one."""
    opened: list[int] = []
    closings: dict[int, int] = {}
    for brace in BRACES.finditer(text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif brace[0] == "}" and opened:
            closings[opened.pop()] = brace.start()
    return closings
