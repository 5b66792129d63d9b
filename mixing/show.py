"""A plan as rows for scripts and as a table for people, in the manner of Table 1 of the LLaMA paper
(arXiv 2302.13971).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.table import Table

from mixing.plan import MixturePlan

_COLUMNS = ("bucket", "rule", "share wanted", "share obtained", "tokens", "epochs", "cap", "corpus tokens")


def mixture_rows(plan: MixturePlan) -> list[dict[str, Any]]:
    """One dict per bucket with the attributes of `MixtureRow`."""
    return [asdict(row) for row in plan.rows]


def mixture_table(plan: MixturePlan) -> Table:
    """One row per bucket, largest share obtained first, and the total."""
    table = Table(
        title=f"Mixture of {plan.samples:,} samples of {plan.order.sequence:,} tokens",
        title_justify="left",
        header_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in _COLUMNS:
        text = column in ("bucket", "rule")
        table.add_column(column, justify="left" if text else "right", no_wrap=not text)
    for row in sorted(plan.rows, key=lambda row: (-row.obtained, row.bucket)):
        table.add_row(
            row.bucket,
            row.rule or "",
            _percent(row.wanted),
            _percent(row.obtained),
            f"{row.tokens:,}",
            f"{row.epochs:.3f}",
            f"{row.max_epochs:g}",
            f"{row.corpus_tokens:,}",
        )
    table.add_section()
    table.add_row(
        "all",
        "",
        _percent(sum(row.wanted for row in plan.rows)),
        _percent(sum(row.obtained for row in plan.rows)),
        f"{sum(row.tokens for row in plan.rows):,}",
        "",
        "",
        f"{sum(row.corpus_tokens for row in plan.rows):,}",
    )
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share >= 0.0001 or not share else f"{100 * share:.2g} %"
