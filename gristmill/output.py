"""How results and errors are printed: rich tables for people, one JSON object for scripts.

Everything that is printed goes through here.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from gristmill.printable import printable, printable_json, printable_line
from manifests.step import Inside, Ledger
from shards.format import ShardManifest


class _Console(Console):
    """Prints data as data: no markup, no emoji codes, and nothing that a terminal would obey.

    Strings are made printable before they are laid out, so that columns line up; and every piece of text again before
    it is written, so that no table is missed, wherever it was made.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(Text(printable(value)) if isinstance(value, str) else value for value in objects), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def _console(**options: Any) -> Console:
    return _Console(highlight=False, markup=False, emoji=False, soft_wrap=True, **options)


# Without a terminal no window limits a table: cells that are cut would be missing from the log.
_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200
console = _console(width=_WIDTH)
_errors = _console(stderr=True)


def say_error(message: str) -> None:
    """Print an error to stderr."""
    _errors.print(f"error: {message}", style="bold red" if sys.stderr.isatty() else None)


def say_note(message: str) -> None:
    """Print a note to stderr, at once."""
    _errors.print(f"note: {message}")


def say_line(message: str) -> None:
    """Print a line of progress to stderr, at once."""
    _errors.print(message)


def print_line(message: str) -> None:
    """Print a line to stdout, at once."""
    print_piece(message + "\n")


def print_piece(text: str) -> None:
    """Print a piece of text to stdout, at once; lines may go on in the next."""
    sys.stdout.write(printable(text))
    sys.stdout.flush()


def rewrite_line(message: str, *, last: bool) -> None:
    """Print a line to stdout over the one before; without a terminal below it."""
    text = printable(message)
    sys.stdout.write(("\r" + text + "\x1b[K" + ("\n" if last else "")) if sys.stdout.isatty() else text + "\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    sys.stdout.write(printable_json(json.dumps(value, ensure_ascii=False, default=str)) + "\n")


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: Sequence[str] = ()
) -> Table:
    """A table whose numeric columns line up on the right."""
    made = Table(
        title=Text(printable_line(title), style="table.title"),
        title_justify="left",
        header_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in columns:
        made.add_column(
            Text(printable_line(column)), justify="right" if column in numeric else "left", no_wrap=column in numeric
        )
    for row in rows:
        made.add_row(*(Text(printable_line(_cell(value))) for value in row))
    return made


def ledger_table(ledgers: Mapping[str, Ledger]) -> Table:
    """One row per step and fate; each step's rows add up to its records in."""
    rows: list[tuple[object, ...]] = []
    for step, ledger in ledgers.items():
        rows.append((step, "in", ledger.records_in, ""))
        rows.append(("", "kept", ledger.kept, _share(ledger.kept, ledger.records_in)))
        rows += [
            ("", f"dropped: {reason}", count, _share(count, ledger.records_in))
            for reason, count in ledger.dropped.items()
        ]
        rows += [
            ("", f"quarantined: {reason}", count, _share(count, ledger.records_in))
            for reason, count in ledger.quarantined.items()
        ]
        rows.append(
            ("", "not accounted for", ledger.balance(), "balanced" if ledger.balance() == 0 else "NOT BALANCED")
        )
    return table("Ledger", ("step", "records", "count", "share"), rows, numeric=("count", "share"))


def inside_table(step: str, inside: Mapping[str, Inside], *, most: int) -> Table:
    """One row per source, kind of loss and name: the `most` commonest names, after a row for the kind as a whole."""
    rows: list[tuple[object, ...]] = []
    for source, kinds in inside.items():
        for number, (kind, loss) in enumerate(kinds.items()):
            rows.append((source if not number else "", kind, "", loss.documents, loss.count))
            commonest = sorted(loss.names.items(), key=lambda item: (-item[1].count, item[0]))
            rows += [("", "", name, of.documents, of.count) for name, of in commonest[:most]]
            if len(commonest) > most:
                left = sum(of.count for _, of in commonest[most:])
                rows.append(("", "", f"and {len(commonest) - most:,} more", "", left))
    columns = ("source", "what", "name", "documents", "count")
    return table(f"Lost within documents: {step}", columns, rows, numeric=("documents", "count"))


def duplicates_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What the search for duplicates did with each source: the fields of `SourceDuplicates`."""
    columns = {
        "source": "source",
        "documents": "documents",
        "searched": "searched",
        "exact": "exact",
        "near": "near",
        "share": "share",
        "compared": "compared",
        "candidates": "candidates",
        "checked_by_shingles": "by shingles",
        "confirmed": "confirmed",
        "rejected": "rejected",
    }
    shown = [
        [_share(row["exact"] + row["near"], row["searched"]) if n == "share" else row[n] for n in columns]
        for row in rows
    ]
    return table("Duplicates", list(columns.values()), shown, numeric=list(columns.values())[1:])


def bucket_table(manifest: ShardManifest) -> Table:
    """Shards, documents and tokens per bucket."""
    rows = [(name, size.shards, size.documents, size.tokens) for name, size in sorted(manifest.bucket_sizes().items())]
    return table(
        "Buckets", ("bucket", "shards", "documents", "tokens"), rows, numeric=("shards", "documents", "tokens")
    )


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.2f} %" if total else ""


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return "" if value is None else str(value)
