"""An author's own LaTeX commands replaced by what they stand for.

In: a preamble and a body without comments. Out: the body, without definitions, in which `\\newcommand`,
`\\renewcommand`, `\\providecommand`, `\\DeclareRobustCommand`, `\\def` and its kin, `\\let`, `\\DeclareMathOperator`,
`\\newenvironment` and simple `\\NewDocumentCommand` are expanded where they are used (Llama 1: "inline-expanded
definitions and macros written by users to increase consistency across papers", arXiv 2302.13971, section 2.1). Rules of
expansion: TeXbook, chapter 20; of optional arguments: LaTeX2e, `\\newcommand`.

What is not TeX: groups do not end a definition; blanks after a command's name stay, for the reader of the text;
commands that carry the structure of a document, that need TeX to run, or whose parameters are delimited, stay as they
are (`pipeline.readers.latex.definitions`).

Work is bounded by counts, not by clocks: one use may not expand into more than `MOST_USE` characters or `_MOST_STEPS`
commands (a command that does, such as one that calls itself, is not expanded from there on); all uses together not into
more than four times the text plus `MOST_USE`; commands after that are not expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.readers.latex.definitions import COMMAND, DEFINERS, PREFIXES, WORD_LAST, Frame, Macro, define, definitions

MOST_USE = 1 << 20
_MOST_STEPS = 10_000
_MOST_DEPTH = 200

_PREFIXED = re.compile(
    r"\s{0,8}\\(?:long|global|outer|protected|def|gdef|edef|xdef|let|newcommand|renewcommand)(?![a-zA-Z@])"
)
_ENVIRONMENT = re.compile(r"\{([a-zA-Z@*]{1,60})\}")


@dataclass
class _Expansion:
    """A body that is being expanded."""

    macros: dict[str, Macro]
    budget: int
    out: list[str] = field(default_factory=list)
    after_word: bool = False  # the output ends with a command's name: a letter would become part of it
    left_alone: set[str] = field(default_factory=set)
    use: str = ""  # key of the macro that the body uses

    def emit(self, text: str, *, word: bool = False) -> None:
        if text:
            if self.after_word and text[0].isalpha():
                self.out.append(" ")
            self.out.append(text)
            self.after_word = word


def expand(preamble: str, body: str) -> str:
    """The body with the author's commands expanded; definitions come from both."""
    state = _Expansion(definitions(preamble), 4 * len(body) + MOST_USE)
    frames = [Frame(body)]
    base = frames[0]
    # The use in the body that is being expanded, and what was there when it began.
    after_name, length, steps, spent, after_word, found = 0, 0, 0, 0, False, ""
    while frames:
        frame = frames[-1]
        command = COMMAND.search(frame.text, frame.position)
        if command is None:
            state.emit(frame.text[frame.position :])
            frames.pop()
            continue
        state.emit(frame.text[frame.position : command.start()])
        frame.position = command.end()
        if frame is base:
            found, after_name, length, steps, spent, after_word = (
                command[0],
                command.end(),
                len(state.out),
                0,
                0,
                state.after_word,
            )
        cost = _step(state, frames, command)
        steps, spent = steps + 1, spent + cost
        state.budget -= cost
        if frames[-1] is not base and (
            spent > MOST_USE or steps > _MOST_STEPS or len(frames) > _MOST_DEPTH or state.budget < 0
        ):
            del state.out[length:]
            del frames[1:]
            base.position, state.after_word = after_name, after_word
            state.left_alone |= {state.use, state.use.replace("begin ", "end ", 1)}
            state.emit(found, word=found[1].isalpha())
        if state.budget < 0:
            state.macros.clear()
    return "".join(state.out)


def _step(state: _Expansion, frames: list[Frame], command: re.Match[str]) -> int:
    """Handle one command; its cost: the characters that were copied for it."""
    name, frame = command[1], frames[-1]
    if name in DEFINERS and define(state.macros, name, frame):
        return 0
    if name in PREFIXES and _PREFIXED.match(frame.text, frame.position):
        return 0
    key, start = name, frame.position
    if name in ("begin", "end"):
        environment = _ENVIRONMENT.match(frame.text, start)
        if environment is not None and f"{name} {environment[1]}" in state.macros:
            key, frame.position = f"{name} {environment[1]}", environment.end()
    if len(frames) == 1:
        state.use = key
    macro = None if key in state.left_alone else state.macros.get(key)
    if macro is None:
        frame.position = start
        state.emit(command[0], word=name[0].isalpha())
        return 0
    arguments, complete = _arguments(macro, frames)
    if not complete:
        frame.position = start
        state.emit(command[0], word=name[0].isalpha())
        return sum(map(len, arguments))
    text = _joined(arguments[part - 1] if isinstance(part, int) else part for part in macro.body)
    frame = frames[-1]
    ends_in_word = WORD_LAST.search(text[-60:]) is not None
    if not macro.parameters and not ends_in_word and frame.text.startswith("{}", frame.position):
        frame.position += 2  # it only kept the blank after the name
    if macro.final:
        state.emit(text, word=ends_in_word)
    elif text:
        if len(frames) > 1 and frame.position >= len(frame.text):
            frames.pop()
        frames.append(Frame(text))
    return len(text) + 16


def _arguments(macro: Macro, frames: list[Frame]) -> tuple[list[str], bool]:
    """The arguments of a macro, and whether all are there; if not, nothing is consumed.

    Where an expansion ends, arguments are taken from what follows it.
    """
    if not macro.parameters:
        return [], True
    depth = len(frames)
    before = [frame.position for frame in frames]
    popped: list[Frame] = []
    arguments: list[str] = []
    if macro.default is not None:
        given = frames[-1].bracketed()
        arguments.append(macro.default if given is None else given)
    while len(arguments) < macro.parameters:
        frame = frames[-1]
        frame.skip_blanks()
        if frame.position >= len(frame.text) and len(frames) > 1:
            popped.append(frames.pop())
            continue
        argument = frame.group()
        if argument is None:
            token = COMMAND.match(frame.text, frame.position)
            argument = token[0] if token is not None else frame.text[frame.position : frame.position + 1]
            frame.position += len(argument)
            if not argument.strip() or argument in "{}":
                frames.extend(reversed(popped))
                for kept, position in zip(frames[:depth], before, strict=True):
                    kept.position = position
                return arguments, False
        arguments.append(argument)
    return arguments, True


def _joined(parts: Iterable[str]) -> str:
    """One after the other, with a blank where a command's name would take in the letter that follows."""
    out: list[str] = []
    for part in parts:
        if part and out and part[0].isalpha() and WORD_LAST.search(out[-1][-60:]):
            out.append(" ")
        if part:
            out.append(part)
    return "".join(out)
