"""What each bucket obtains in a stage: a row per bucket, counted from the order.

In: an order, and the rows of a planned stage. Out: rows, sorted by bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shards.order import Order, given_before, windows_in


@dataclass(frozen=True)
class MixtureRow:
    """One bucket of a stage, or of a whole run.

    Attributes:
        rule: the pattern that matched it; None when none did. Of a run whose stages differ: all of them.
        corpus_tokens: what the shards hold.
        wanted: share of the tokens that the rules ask for, before caps.
        granted: share of the tokens that the caps leave of it, or add to it from other buckets.
        obtained: share of the tokens that it gets.
        samples: of the stage, or of the run.
        tokens: samples times sequence.
        epochs: samples over windows.
        epochs_so_far: with those of all stages before.
        max_epochs: its cap; `epochs_so_far` is not above it.
    """

    bucket: str
    rule: str | None
    corpus_tokens: int
    wanted: float
    granted: float
    obtained: float
    samples: int
    tokens: int
    epochs: float
    epochs_so_far: float
    max_epochs: float


@dataclass(frozen=True)
class StagePlan:
    """Samples `start` to `end`, which have the same rules; `rows` are sorted by bucket."""

    start: int
    end: int
    rows: tuple[MixtureRow, ...]
    notes: tuple[str, ...]


def recounted(stages: Sequence[StagePlan], order: Order, *, end: int) -> tuple[StagePlan, ...]:
    """The stages before sample `end`, with what an order gives in them; it may have more buckets, or later stages that
    cut these short.
    """
    names = {bucket.name: index for index, bucket in enumerate(order.buckets)}
    found = []
    for stage in stages:
        if stage.start < end:
            last = min(stage.end, end)
            before, after = given_before(order, stage.start), given_before(order, last)
            rows = [
                counted(row, before[names[row.bucket]], after[names[row.bucket]], order, last - stage.start)
                for row in stage.rows
            ]
            found.append(replace(stage, end=last, rows=tuple(rows)))
    return tuple(found)


def sum_of(stages: Sequence[StagePlan]) -> tuple[MixtureRow, ...]:
    """One row per bucket over several stages, sorted by bucket."""
    if len(stages) == 1:
        return stages[0].rows
    total = sum(stage.end - stage.start for stage in stages)
    rows = []
    for name in sorted({row.bucket for stage in stages for row in stage.rows}):
        of_bucket = [(row, stage.end - stage.start) for stage in stages for row in stage.rows if row.bucket == name]
        last = of_bucket[-1][0]
        samples = sum(row.samples for row, _ in of_bucket)
        patterns = list(dict.fromkeys(row.rule for row, _ in of_bucket if row.rule is not None))
        rows.append(
            replace(
                last,
                rule=", ".join(patterns) or None,
                wanted=sum(row.wanted * length for row, length in of_bucket) / total,
                granted=sum(row.granted * length for row, length in of_bucket) / total,
                obtained=samples / total,
                samples=samples,
                tokens=sum(row.tokens for row, _ in of_bucket),
                epochs=sum(row.epochs for row, _ in of_bucket),
            )
        )
    return tuple(rows)


def by_source(rows: Sequence[MixtureRow], sequence: int) -> tuple[MixtureRow, ...]:
    """One row per source over its bands, sorted by source; its cap is the highest of them."""
    sources: dict[str, list[tuple[MixtureRow, int]]] = {}
    for row in rows:
        source = row.bucket.rsplit("/", 1)[0]
        sources.setdefault(source, []).append((row, windows_in(row.corpus_tokens, sequence)))
    return tuple(
        MixtureRow(
            bucket=source,
            rule=", ".join(dict.fromkeys(row.rule for row, _ in bands if row.rule is not None)) or None,
            corpus_tokens=sum(row.corpus_tokens for row, _ in bands),
            wanted=sum(row.wanted for row, _ in bands),
            granted=sum(row.granted for row, _ in bands),
            obtained=sum(row.obtained for row, _ in bands),
            samples=sum(row.samples for row, _ in bands),
            tokens=sum(row.tokens for row, _ in bands),
            epochs=sum(row.samples for row, _ in bands) / max(1, sum(size for _, size in bands)),
            epochs_so_far=sum(row.epochs_so_far * size for row, size in bands) / max(1, sum(size for _, size in bands)),
            max_epochs=max(row.max_epochs for row, _ in bands),
        )
        for source, bands in sorted(sources.items())
    )


def counted(row: MixtureRow, before: int, after: int, order: Order, samples: int) -> MixtureRow:
    """The row of a stage of `samples` samples, before which its bucket had given `before` and after it `after`."""
    windows = windows_in(row.corpus_tokens, order.sequence)
    return replace(
        row,
        obtained=(after - before) / samples,
        samples=after - before,
        tokens=(after - before) * order.sequence,
        epochs=(after - before) / windows if windows else 0.0,
        epochs_so_far=after / windows if windows else 0.0,
    )
