"""The tables of docs/scale.md, from the numbers of `bench.scale`. In: a saved result. Out: Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from bench.scale import CORES, TB, Counts, Line, Points, Prices, Workload, count, lines, points_from
from bench.scale_limits import Limit, limits

BEGIN, END = "<!-- bench/slopes.py --plan: begin -->", "<!-- bench/slopes.py --plan: end -->"
# Series of the first table, in its order; the others are levels or are given in the text.
SHOWN = (
    "extract.cpu", "tokenize.cpu", "ids.decide.cpu", "ids.sites.cpu", "ids.duplicates.cpu", "ids.decisions.cpu", "ids.runner.cpu",
    "ids.sites.handed", "ids.duplicates.handed", "choice.cpu", "choice.memory",
    "files.extract.cpu", "files.decide.cpu", "files.tokenize.cpu", "tasks.cpu", "tasks.memory",
    "manifest.write.cpu", "manifest.read.cpu", "manifest.bytes", "manifest.memory", "graph.bytes", "tokenizer.cpu", "open.cpu",
    "open.memory", "samples.cpu",
)  # fmt: skip
LEVELS = ("extract.peak", "tokenize.peak", "ids.decide.peak", "memory.tokenize.peak", "tokenizer.peak")


def plan_text(saved: dict[str, Any], work: Workload, prices: Prices) -> str:
    """All tables, each under a heading that says whether it is measured, derived or assumed."""
    points = points_from(saved)
    counts = count(work, points)
    machine = saved["machine"]
    return "\n".join(
        [
            f"### Measured ({machine['processor']}, {machine['cores']} cores, Python {machine['python']})",
            "",
            (
                f"Load average of the machine before the run: {machine['load']:g}. On a busy machine CPU seconds come"
                " out too high."
            ),
            "",
            *_measured(points),
            "",
            *_facts(points),
            "",
            "### Assumed",
            "",
            *_table(
                ("input", "value"),
                [
                    (f"`{item.name}`", _number(getattr(given, item.name)))
                    for given in (work, prices)
                    for item in fields(given)
                ],
            ),
            "",
            "### Derived: how many of everything",
            "",
            *_table(("quantity", "number"), [(name, _number(value)) for name, value in _quantities(counts)]),
            "",
            "### Derived: cost per step",
            "",
            *_steps(lines(work, points, counts, prices), prices),
            "",
            "### Derived: what no longer fits, and from how many documents on",
            "",
            *_limits(limits(work, points, counts, prices), work),
        ]
    )


def write_into(page: Path, text: str) -> None:
    """Replace what stands between the markers of a page.

    Raises:
        ValueError: the page has no markers.
    """
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no line `{BEGIN}` followed by `{END}`")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def _measured(points: Points) -> list[str]:
    rows = []
    for name in SHOWN:
        series = points.series[name]
        fit = points.fits.get(name)
        exponent = (
            "not fitted: within noise" if fit is None else f"{fit.exponent:.2f} ({fit.low:.2f} to {fit.high:.2f})"
        )
        sizes = f"{_number(series.x[0])} to {_number(series.x[-1])} {series.of}"
        rows.append((f"`{name}`", sizes, f"{_number(series.slope())} {series.unit}", exponent, f"`{series.command}`"))
    for name in LEVELS:
        series = points.series[name]
        sizes = f"{_number(series.x[0])} to {_number(series.x[-1])} {series.of}"
        rows.append(
            (
                f"`{name}`",
                sizes,
                f"{series.y[0]:.0f} to {series.y[-1]:.0f} {series.unit}",
                "a level",
                f"`{series.command}`",
            )
        )
    return _table(
        ("series", "sizes", "per unit of size, at the largest", "exponent (95 %)", "`python bench/slopes.py`"), rows
    )


def _facts(points: Points) -> list[str]:
    wanted = [name for name in points.facts if not any(part in name for part in (".written.", ".read."))]
    return _table(
        ("figure of the whole corpora", "value"),
        [(f"`{name}`", _number(points.facts[name])) for name in sorted(wanted)],
    )


def _quantities(counts: Counts) -> list[tuple[str, float]]:
    return [
        ("parts of 64 MiB of text (files hold whole parts only)", counts.parts),
        ("documents per part", counts.rows),
        ("runs of parts, and as many partitions of band keys and of ids", counts.runs),
        ("blocks of runs", counts.blocks),
        ("bytes of a batch from runs to runs", counts.batch_bytes),
        ("partitions of sites", counts.site_partitions),
        ("verified pairs", counts.pairs),
        ("documents kept", counts.kept_documents),
        ("tasks of tokenize, and at least as many shards", counts.shard_tasks),
    ]


def _steps(steps: Sequence[Line], prices: Prices) -> list[str]:
    counted = [step for step in steps if not step.step.startswith("(")]
    total = Line(
        step="**all**",
        parallel=sum(step.parallel for step in counted),
        serial=sum(step.serial for step in counted),
        high=sum(step.high if step.high is not None else step.parallel + step.serial for step in counted),
        read=sum(step.read or 0.0 for step in counted),
        shuffled=sum(step.shuffled for step in counted),
        written=sum(step.written for step in counted),
        tasks=sum(step.tasks for step in counted),
        keys=sum(step.keys for step in counted),
    )
    walls = [f"wall h, {cores:,} core{'s' if cores > 1 else ''}" for cores in CORES]
    stored = total.written / TB * prices.tb_month * prices.months
    return [
        *_table(
            ("step", "CPU h", "of them one by one", "CPU h by the exponent", *walls, "USD", "from"),
            [_hours(step, prices) for step in (*steps, total)],
        ),
        "",
        *_table(
            ("step", "read TB", "shuffled TB", "written TB", "MB a worker", "tasks", "keys"),
            [_sizes(step) for step in (*steps, total)],
        ),
        "",
        (
            f"Everything written, kept for {prices.months:g} month: {_number(total.written / TB)} TB, {_number(stored)}"
            " USD. Lines in brackets are not in the sum."
        ),
    ]


def _hours(step: Line, prices: Prices) -> tuple[str, ...]:
    return (
        step.step,
        _number(step.parallel + step.serial),
        _number(step.serial),
        "" if step.high is None else _number(step.high),
        *(_number(step.wall(cores, prices)) for cores in CORES),
        _number(step.cost(prices)),
        step.source,
    )


def _sizes(step: Line) -> tuple[str, ...]:
    return (
        step.step,
        "" if step.read is None else _number(step.read / TB),
        _number(step.shuffled / TB),
        _number(step.written / TB),
        "" if step.memory is None else _number(step.memory),
        _number(step.tasks),
        _number(step.keys),
    )


def _limits(found: Iterable[Limit], work: Workload) -> list[str]:
    rows = [
        (
            limit.what,
            f"{_number(limit.value)} {limit.unit}",
            f"{_number(limit.bound)} {limit.unit}",
            _number(limit.documents),
            _when(limit, work),
            limit.source,
        )
        for limit in sorted(found, key=lambda limit: limit.documents)
    ]
    return _table(
        ("quantity", f"at {_number(work.documents)} documents", "bound", "breaks at documents", "when", "from"), rows
    )


def _when(limit: Limit, work: Workload) -> str:
    if limit.documents <= work.documents:
        return "**before**"
    return "**within 10 times more**" if limit.documents <= 10 * work.documents else "beyond"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}", *(f"| {' | '.join(row)} |" for row in rows)]


def _number(value: float) -> str:
    """Three digits, without exponents where they can be read."""
    if value in (0, math.inf):
        return "never" if value else "0"
    if abs(value) >= 1e7:
        exponent = int(f"{value:.2e}".split("e")[1])
        return f"{value / 10**exponent:.3g}e{exponent}"
    if abs(value) >= 1_000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"
