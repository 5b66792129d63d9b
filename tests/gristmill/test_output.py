"""Values from data are printed without terminal control sequences; JSON output has the same values."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import unicodedata

import pytest
from rich.table import Table

from gristmill import output
from gristmill.printable import printable, printable_json, printable_line
from manifests.step import Ledger
from tests.paths import PROJECT

# Clipboard, title, clear screen, colour, hyperlink, device status; C1 forms; overprinting; direction; markup and emoji
# codes of rich.
EVIL = (
    "\x1b]52;c;aGk=\x07 \x1b]0;title\x1b\\ \x1b[2J \x1b[31m \x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\ \x1b[6n \x9b31m"
    " \x9d0;t\x9c \x90q\x9c a\rb a\bb a\x0bb \x00 \x7f \x0e \u202eevil\u202c \u2066x\u2069 \u200b \ufeff \u2028"
    " \U000e0041 \udce9 [bold]b[/bold] [link=http://x]y[/link] :smile:"
)


def unsafe(text: str) -> list[str]:
    """Characters that a terminal obeys, or that hide or turn text; by Unicode's categories, not by
    the list under test.
    """
    joiners = "\u200c\u200d\u00ad"
    return [
        f"U+{ord(c):04X}"
        for c in text
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\n\t" + joiners
    ]


@pytest.fixture
def printed(monkeypatch):
    """What a function prints to stdout and stderr together."""
    made = io.StringIO()
    for name in ("console", "_errors"):
        monkeypatch.setattr(output, name, output._console(file=made, width=4000, force_terminal=False))

    def of(show) -> str:
        with contextlib.redirect_stdout(made):
            show()
        return made.getvalue()

    return of


def test_every_unsafe_character_is_escaped() -> None:
    every = [chr(code) for code in range(0x110000)]
    wrong = {c for c in every if unsafe(c) and ord(c) not in OTHER_FORMATS}
    assert [c for c in wrong if printable(c) == c] == []
    text = "".join(
        c for c in every if c not in wrong and ord(c) not in (0xFFFE, 0xFFFF) and not 0x2065 <= ord(c) <= 0x2065
    )
    assert printable(text.translate(dict.fromkeys(range(0xE0000, 0xE0080)))) == text.translate(
        dict.fromkeys(range(0xE0000, 0xE0080))
    )
    left = set(text)
    assert {"\n", "\t", "é", "中", "\u200c", "\u200d", "\u00ad", "😀"} <= left
    assert printable_line("a\n\tb") == "a\\n\\tb"
    assert printable(printable(EVIL)) == printable(EVIL)


# Format characters that show something or belong to a script: Arabic number signs, Egyptian joiners, shorthand, musical
# beams are text.
OTHER_FORMATS = {
    *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440), *range(0x1BCA0, 0x1BCA4),
}  # fmt: skip


def test_json_stands_for_the_same_value() -> None:
    text = printable_json(json.dumps({EVIL: [EVIL, "é 中 😀"]}, ensure_ascii=False))
    assert json.loads(text) == {EVIL: [EVIL, "é 中 😀"]}
    assert unsafe(text) == []
    assert "é 中 😀" in text


@pytest.mark.parametrize(
    "show",
    [
        lambda: output.console.print(EVIL),
        lambda: output.console.print(
            output.table(EVIL, (EVIL, "b"), [(EVIL, [EVIL]), (3, {"k": EVIL})], numeric=(EVIL,))
        ),
        lambda: output.console.print(
            output.ledger_table({EVIL: Ledger(records_in=1, dropped={EVIL: 1}, quarantined={EVIL: 0})})
        ),
        lambda: output.say_error(EVIL),
        lambda: output.say_note(EVIL),
        lambda: output.say_line(EVIL),
        lambda: output.print_line(EVIL),
        lambda: output.rewrite_line(EVIL, last=True),
        lambda: output.print_json({"a": EVIL, EVIL: 1}),
        lambda: output.console.print(_foreign()),
    ],
)
def test_nothing_printed_is_obeyed(printed, show) -> None:
    text = printed(show)
    assert text
    assert unsafe(text) == []


@pytest.mark.parametrize(
    "show", [lambda: output.console.print(EVIL), lambda: output.console.print(output.table("t", ("a",), [(EVIL,)]))]
)
def test_markup_in_data_is_text(printed, show) -> None:
    assert "[bold]b[/bold] [link=http://x]y[/link] :smile:" in printed(show)


def test_columns_of_escaped_cells_line_up(printed) -> None:
    made = output.table("", ("a", "b"), [("\x1b[31m", "x"), ("12345678901", "x")])
    lines = printed(lambda: output.console.print(made)).splitlines()[-2:]
    assert lines[0].index("x", 8) == lines[1].index("x")


def test_a_table_shows_a_cell_in_one_line(printed) -> None:
    """A record's id cannot make a row of its own."""
    made = output.table("t", ("a",), [("id\nremedy: run this",)])
    assert "id\\nremedy: run this" in printed(lambda: output.console.print(made))


def test_everything_is_printed_in_one_place() -> None:
    """No other module writes to standard output or error, or makes a console of its own."""
    found = []
    for path in sorted((PROJECT / "gristmill").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name in (
                "print",
                "Console",
                "rich.print",
                "sys.stdout.buffer.write",
                "sys.stderr.write",
                "sys.stdout.write",
                "typer.echo",
            ):
                found.append((path.name, name))
    assert found == [("output.py", "sys.stdout.write")] * 3


def _foreign() -> Table:
    """A table of a module that knows nothing of this one, as `mixing.show` makes."""
    made = Table(title=EVIL)
    made.add_column(EVIL)
    made.add_row(EVIL)
    return made
