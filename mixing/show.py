"""Rows of a mixture for scripts, and tables for people in the manner of Table 1 of the LLaMA paper (arXiv 2302.13971):
share, epochs, size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from mixing.history import MixtureHistory
from mixing.plan import MixturePlan
from mixing.stage_rows import MixtureRow, StagePlan, by_source
from shards.reader import Shards

_COLUMNS = ("bucket", "rule", "share wanted", "share obtained", "epochs", "cap", "tokens", "corpus tokens", "disk size")
_TEXT = ("bucket", "rule")


def disk_sizes(shards: Shards) -> dict[str, int]:
    """Bytes of each bucket's shards, side tables left out."""
    return {name: sum(entry.bytes for entry in bucket.entries) for name, bucket in shards.buckets.items()}


def mixture_rows(rows: Sequence[MixtureRow], sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    """One dict per bucket with the attributes of `MixtureRow`, and `corpus_bytes`."""
    return [{**asdict(row), "corpus_bytes": sizes.get(row.bucket, 0)} for row in rows]


def mixture_json(history: MixtureHistory, sizes: Mapping[str, int], *, step_samples: int) -> dict[str, Any]:
    """`buckets` over the whole run, `stages` with their steps and buckets, `notes` over all."""
    plan = history.plan
    return {
        "buckets": mixture_rows(plan.rows, sizes),
        "notes": [*plan.notes, *history.notes],
        "stages": [
            {
                "from_step": stage.start // step_samples,
                "to_step": stage.end // step_samples - 1,
                "samples": stage.end - stage.start,
                "changed_in_mid_run": stage.start // step_samples in history.changes,
                "buckets": mixture_rows(stage.rows, sizes),
                "notes": list(stage.notes),
            }
            for stage in plan.stages
        ],
    }


def mixture_tables(
    history: MixtureHistory, sizes: Mapping[str, int], *, step_samples: int, sources: bool = False
) -> list[Table]:
    """A table per stage and, where there are several, one over the whole run.

    Args:
        sources: one row per source instead of one per bucket.
    """
    plan, sequence = history.plan, history.plan.order.sequence
    if sources:
        of_sources: dict[str, int] = {}
        for name, size in sizes.items():
            source = name.rsplit("/", 1)[0]
            of_sources[source] = of_sources.get(source, 0) + size
        sizes = of_sources

    def shown(rows: Sequence[MixtureRow]) -> Sequence[MixtureRow]:
        return by_source(rows, sequence) if sources else rows

    tables = []
    if len(plan.stages) > 1:
        for number, stage in enumerate(plan.stages, 1):
            first = stage.start // step_samples
            how = ", changed in mid-run" if first in history.changes else ""
            title = (
                f"Stage {number} of {len(plan.stages)}: steps {first:,} to {stage.end // step_samples - 1:,}{how},"
                f" {_tokens(stage, sequence)}"
            )
            tables.append(_table(title, shown(stage.rows), sizes, so_far=number > 1))
    tables.append(_table(_whole(plan), shown(plan.rows), sizes, so_far=False))
    return tables


def _whole(plan: MixturePlan) -> str:
    return f"Mixture of {plan.samples:,} samples of {plan.order.sequence:,} tokens"


def _tokens(stage: StagePlan, sequence: int) -> str:
    return f"{(stage.end - stage.start) * sequence:,} tokens"


def _table(title: str, rows: Sequence[MixtureRow], sizes: Mapping[str, int], *, so_far: bool) -> Table:
    """One row per bucket, largest share obtained first, and the total.

    Args:
        so_far: show the epochs of all stages up to this one as well: caps are over them.
    """
    table = Table(
        title=title, title_justify="left", header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in _TEXT else "right", no_wrap=column not in _TEXT)
        if so_far and column == "epochs":
            table.add_column("epochs so far", justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda row: (-row.obtained, row.bucket)):
        table.add_row(
            row.bucket,
            row.rule or "",
            _percent(row.wanted),
            _percent(row.obtained),
            f"{row.epochs:.3f}",
            *([f"{row.epochs_so_far:.3f}"] if so_far else []),
            f"{row.max_epochs:g}",
            f"{row.tokens:,}",
            f"{row.corpus_tokens:,}",
            _bytes(sizes.get(row.bucket, 0)),
        )
    table.add_section()
    table.add_row(
        "all",
        "",
        _percent(sum(row.wanted for row in rows)),
        _percent(sum(row.obtained for row in rows)),
        "",
        *([""] if so_far else []),
        "",
        f"{sum(row.tokens for row in rows):,}",
        f"{sum(row.corpus_tokens for row in rows):,}",
        _bytes(sum(sizes.get(row.bucket, 0) for row in rows)),
    )
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share >= 0.0001 or not share else f"{100 * share:.2g} %"


def _bytes(size: int) -> str:
    """In decimal units with three digits, as the paper has them."""
    for unit, scale in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}" if size < 999.5 * scale else f"{size / scale:.0f} {unit}"
    return f"{size} B"
