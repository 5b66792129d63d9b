"""The plan of a mixture: rules and bucket sizes in; samples per block, the order, and what each bucket really obtains
out, stage by stage.

Wishes become integers in four steps, in exact arithmetic: what the rules of a stage ask for; caps on epochs, of which
earlier stages have used a part, and whose overflow goes to the buckets that still have room (`mixing.wishes`); samples
per block by largest remainder; and a count of the order itself, over exactly this stage, that lowers a bucket until it
keeps its cap. Every "obtained" figure is that count, never the wish. Each bucket goes on from what it has given: a
change of stage repeats nothing and loses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from manifests.errors import GristmillError
from manifests.mixture import BucketRule, MixtureManifest, MixtureStage
from manifests.run import Run
from mixing.apportion import apportion
from mixing.stage_rows import MixtureRow, StagePlan, counted, sum_of
from mixing.wishes import Group, Stretch, exact, serve, wishes_of, within_caps
from shards.order import (
    VERSION,
    Order,
    Version,
    given_before,
    new_order,
    next_stage,
    windows_in,
    with_new_buckets,
    without_stages_from,
)
from shards.reader import Shards


@dataclass(frozen=True)
class MixturePlan:
    """The mixture that a run really gets.

    Attributes:
        samples: of the run.
        stages: those that were planned: all of them, or those from a change on.
        rows: over all of these stages, sorted by bucket.
        notes: sentences on whatever differs from the rules.
    """

    order: Order
    samples: int
    stages: tuple[StagePlan, ...]

    @property
    def rows(self) -> tuple[MixtureRow, ...]:
        return sum_of(self.stages)

    @property
    def notes(self) -> tuple[str, ...]:
        if len(self.stages) == 1:
            return self.stages[0].notes
        return tuple(f"stage {number}: {note}" for number, stage in enumerate(self.stages, 1) for note in stage.notes)


def plan_run(run: Run, shards: Shards) -> MixturePlan:
    """Plan a run over the shards that it names, as if it had not begun.

    Raises:
        GristmillError: as `plan_mixture`.
    """
    manifest = run.manifest
    return plan_mixture(
        run.mixture,
        {name: bucket.tokens for name, bucket in shards.buckets.items()},
        samples=manifest.steps * manifest.global_batch,
        sequence=manifest.sequence,
        seed=manifest.seed,
        step_samples=manifest.global_batch,
    )


def plan_mixture(
    mixture: MixtureManifest,
    tokens: Mapping[str, int],
    *,
    samples: int,
    sequence: int,
    seed: int,
    step_samples: int = 1,
) -> MixturePlan:
    """Plan a run of `samples` samples.

    Args:
        tokens: of each bucket.
        samples: of the whole run.
        sequence: tokens per sample.
        step_samples: samples per training step, for stages that begin at a step.

    Raises:
        GristmillError: a rule that matches nothing, rules that ask for more than the run has, caps that allow less than
            the run asks for, or no bucket with a window.
    """
    return _plan(
        mixture,
        tokens,
        None,
        0,
        samples=samples,
        sequence=sequence,
        seed=seed,
        step_samples=step_samples,
        version=VERSION,
    )


def change_mixture(
    order: Order, mixture: MixtureManifest, tokens: Mapping[str, int], *, step: int, samples: int, step_samples: int
) -> MixturePlan:
    """Plan the rest of a run from `step` on by another mixture, or over shards to which buckets were added.

    Samples before `step` stay what they are. From it on, the stage of `mixture` that is then due counts, and those that
    begin later.

    Args:
        order: of the run so far; its stages at `step` and after it are replaced.
        tokens: of each bucket.
        samples: of the whole run.
        step_samples: samples per training step.

    Returns:
        The stages from `step` on, and the whole order.

    Raises:
        GristmillError: as `plan_mixture`, or the run has read from a bucket that is no longer what it was.
    """
    start = step * step_samples
    if start >= samples:
        raise GristmillError(
            f"the mixture cannot change at step {step}: the run ends there",
            where=f"mixture {mixture.name}",
            remedy="restore the mixture; for a longer run choose another `out`",
        )
    before = with_new_buckets(order, tokens)
    return _plan(
        mixture,
        tokens,
        without_stages_from(before, start) if start else None,
        start,
        samples=samples,
        sequence=order.sequence,
        seed=order.seed,
        step_samples=step_samples,
        version=order.version,
    )


def _plan(
    mixture: MixtureManifest,
    tokens: Mapping[str, int],
    order: Order | None,
    start: int,
    *,
    samples: int,
    sequence: int,
    seed: int,
    step_samples: int,
    version: Version,
) -> MixturePlan:
    """Stages from sample `start` on; `order` is what is before it, None for nothing."""
    where = f"mixture {mixture.name}"
    listed = mixture.all_stages()
    starts = [stage.from_step * step_samples for stage in listed]
    append = _appender(tokens, sequence=sequence, seed=seed, version=version)
    stages: list[StagePlan] = []
    notes = []
    for stage, begins, ends in zip(listed, starts, [*starts[1:], samples], strict=True):
        low, high = max(begins, start), min(ends, samples)
        if begins >= samples:
            notes.append(
                f"the rules from step {stage.from_step} never count: the run has {samples // step_samples} steps"
            )
        if low < high:
            alone = len(listed) == 1
            stretch = Stretch(
                name="run" if alone and not start else "stage",
                where=where if alone else f"{where}, stage from step {stage.from_step}",
                samples=high - low,
                sequence=sequence,
            )
            order, planned = _plan_stage(mixture, stage, tokens, order, low, stretch, append)
            stages.append(planned)
    if order is None:
        raise GristmillError("a run needs at least one sample", where=where)
    stages[-1] = replace(stages[-1], notes=(*stages[-1].notes, *notes))
    return MixturePlan(order=order, samples=samples, stages=tuple(stages))


def _appender(
    tokens: Mapping[str, int], *, sequence: int, seed: int, version: Version
) -> Callable[[Order | None, int, Mapping[str, int]], Order]:
    """A function that puts a stage behind an order, or begins one."""

    def append(order: Order | None, start: int, counts: Mapping[str, int]) -> Order:
        if order is None:
            return new_order(tokens, sequence=sequence, seed=seed, counts=counts, version=version)
        return next_stage(order, start, counts)

    return append


def _plan_stage(
    mixture: MixtureManifest,
    stage: MixtureStage,
    tokens: Mapping[str, int],
    before: Order | None,
    start: int,
    stretch: Stretch,
    append: Callable[[Order | None, int, Mapping[str, int]], Order],
) -> tuple[Order, StagePlan]:
    """One stage from sample `start` on, and the order with it."""
    sequence = stretch.sequence
    windows = {name: windows_in(tokens[name], sequence) for name in sorted(tokens)}
    given = dict(zip(windows, given_before(before, start) if before else [0] * len(windows), strict=True))
    notes: list[str] = []
    served = serve(stage, list(windows), where=stretch.where, notes=notes)
    rule_of = {name: rule for rule, names, _ in served for name in names}
    notes += [f"{name}: no rule matches it; it is left out" for name in windows if name not in rule_of]
    notes += [
        f"{name}: {tokens[name]:,} tokens are too few for one window of {sequence} + 1; it gets nothing"
        for name in sorted(rule_of)
        if not windows[name]
    ]
    caps = {name: _cap(mixture, stage, rule_of.get(name)) for name in windows}
    allowed = {name: max(math.floor(exact(caps[name]) * windows[name]), given[name]) for name in windows}
    groups = _groups(served, windows, given, caps, stretch)
    _check_room(groups, stretch)
    wishes = wishes_of(groups, stage.preset, stage.temperature, stretch, notes=notes)
    wished = {
        name: wish * size / group.size
        for group, wish in zip(groups, wishes, strict=True)
        for name, size in group.windows.items()
    }
    amounts = within_caps(groups, wishes, stretch, notes=notes)
    order = _fit(mixture.block_samples, amounts, allowed, before, start, stretch, append, notes)
    rows = [
        counted(
            MixtureRow(
                bucket=bucket.name,
                rule=rule_of[bucket.name].match if bucket.name in rule_of else None,
                corpus_tokens=bucket.tokens,
                wanted=float(wished.get(bucket.name, Fraction(0)) / stretch.samples),
                granted=float(amounts.get(bucket.name, Fraction(0)) / stretch.samples),
                obtained=0.0,
                samples=0,
                tokens=0,
                epochs=0.0,
                epochs_so_far=0.0,
                max_epochs=caps[bucket.name],
            ),
            given[bucket.name],
            after,
            order,
            stretch.samples,
        )
        for bucket, after in zip(order.buckets, given_before(order, start + stretch.samples), strict=True)
    ]
    notes += _starved(order, rows, {name for name, wish in wished.items() if wish}, stretch)
    return order, StagePlan(start=start, end=start + stretch.samples, rows=tuple(rows), notes=tuple(notes))


def _groups(
    served: Sequence[tuple[BucketRule, list[str], Fraction | None]],
    windows: Mapping[str, int],
    given: Mapping[str, int],
    caps: Mapping[str, float],
    stretch: Stretch,
) -> list[Group]:
    """The rules that have a bucket with a window, with those buckets.

    Raises:
        GristmillError: there is none, or a rule asks for more epochs than its cap.
    """
    groups = []
    for rule, names, weight in served:
        sized = {name: windows[name] for name in names if windows[name]}
        if sized:
            room = {name: max(exact(caps[name]) * size - given[name], Fraction(0)) for name, size in sized.items()}
            groups.append(Group(rule=rule, windows=sized, room=room, weight=weight))
            cap = caps[next(iter(sized))]
            if rule.epochs is not None and exact(rule.epochs) > exact(cap):
                raise GristmillError(
                    f"rule `{rule.match}` asks for {rule.epochs:g} epochs, its cap is {cap:g}",
                    where=stretch.where,
                    remedy="give the rule a `max_epochs` of its own, or lower `epochs`",
                )
    if not groups:
        raise GristmillError(
            "no bucket holds as much as one window",
            where=stretch.where,
            remedy="shorten `sequence` or add data",
        )
    return groups


def _check_room(groups: Sequence[Group], stretch: Stretch) -> None:
    available = sum(math.floor(room) for group in groups for room in group.room.values())
    if stretch.samples > available:
        raise GristmillError(
            f"the caps on epochs allow {available * stretch.sequence:,} tokens, the {stretch.name} asks for"
            f" {stretch.samples * stretch.sequence:,}",
            where=stretch.where,
            remedy="raise `max_epochs`, lower the run's `tokens`, or add data",
        )


def _fit(
    block: int,
    amounts: Mapping[str, Fraction],
    allowed: Mapping[str, int],
    before: Order | None,
    start: int,
    stretch: Stretch,
    append: Callable[[Order | None, int, Mapping[str, int]], Order],
    notes: list[str],
) -> Order:
    """Samples per block such that no bucket gives more than it may until the end of exactly this stage."""
    limits = dict.fromkeys(amounts, block)
    weights = {name: amount for name, amount in amounts.items() if amount}
    while True:
        try:
            counts = apportion(block, weights, limits)
        except ValueError:
            raise GristmillError(
                f"{stretch.samples * stretch.sequence:,} tokens are so near to all that the caps on epochs allow that"
                f" no division of blocks of {block} samples keeps every cap",
                where=stretch.where,
                remedy="lower the run's `tokens` a little, or raise `max_epochs`",
            ) from None
        order = append(before, start, counts)
        given = dict(
            zip((bucket.name for bucket in order.buckets), given_before(order, start + stretch.samples), strict=True)
        )
        excess = {name: over for name in weights if (over := given[name] - allowed[name]) > 0}
        if not excess:
            quotas = {name: weight * block / stretch.samples for name, weight in weights.items()}
            notes += [
                f"{name}: {counts[name]} samples in a block of {block} instead of {float(quota):.6g}, to keep every cap"
                for name, quota in quotas.items()
                if abs(counts[name] - quota) > 1
            ]
            return order
        for name, over in excess.items():
            limits[name] = max(0, counts[name] - max(1, over * block // stretch.samples))


def _starved(order: Order, rows: Sequence[MixtureRow], wished: set[str], stretch: Stretch) -> list[str]:
    """A sentence on each bucket that was to get something and gets nothing."""
    stage = order.stages[-1]
    notes = []
    for row, count in zip(rows, stage.counts, strict=True):
        if row.bucket in wished and not count:
            notes.append(
                f"{row.bucket}: its share, {row.wanted:.3g}, comes to no sample in a block of {stage.block}; it gets"
                " nothing"
            )
        elif row.bucket in wished and not row.samples:
            notes.append(
                f"{row.bucket}: the {stretch.name} is too short for its share, {row.wanted:.3g}; it gets nothing"
            )
    return notes


def _cap(mixture: MixtureManifest, stage: MixtureStage, rule: BucketRule | None) -> float:
    if rule is not None and rule.max_epochs is not None:
        return rule.max_epochs
    return mixture.max_epochs if stage.max_epochs is None else stage.max_epochs
