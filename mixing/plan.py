"""The plan of a mixture: rules and bucket sizes in; samples per block, the order, and what each bucket really obtains
out.

Wishes become integers in four steps, in exact arithmetic: what the rules ask for; caps on epochs, whose overflow goes
to the buckets that still have room; samples per block by largest remainder; and a count of the order itself, over
exactly this run, that lowers a bucket until it keeps its cap. Every "obtained" figure is that count, never the wish.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction

from manifests.errors import GristmillError
from manifests.mixture import BucketRule, MixtureManifest
from manifests.run import Run
from mixing.apportion import apportion, fill_in_proportion
from shards.order import Order, given_before, new_order, windows_in
from shards.reader import Shards


@dataclass(frozen=True)
class MixtureRow:
    """One bucket of a plan.

    Attributes:
        rule: the pattern that matched it; None when none did.
        corpus_tokens: what the shards hold.
        wanted: share of the run's tokens that the rules ask for, before caps.
        obtained: share of the run's tokens that it gets.
        samples: of the run.
        tokens: samples times sequence.
        epochs: samples over windows.
        max_epochs: its cap.
    """

    bucket: str
    rule: str | None
    corpus_tokens: int
    wanted: float
    obtained: float
    samples: int
    tokens: int
    epochs: float
    max_epochs: float


@dataclass(frozen=True)
class MixturePlan:
    """The mixture that a run really gets.

    `rows` are sorted by bucket; `notes` are sentences on whatever differs from the rules.
    """

    order: Order
    samples: int
    rows: tuple[MixtureRow, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Group:
    """A rule with the buckets that it serves; windows per bucket, none of them 0."""

    rule: BucketRule
    windows: dict[str, int]
    cap: Fraction

    @property
    def size(self) -> int:
        return sum(self.windows.values())

    def divide(self, amount: Fraction) -> dict[str, Fraction]:
        return {name: amount * windows / self.size for name, windows in self.windows.items()}


def plan_run(run: Run, shards: Shards) -> MixturePlan:
    """Plan a run over the shards that it names.

    Raises:
        GristmillError: as `plan_mixture`.
    """
    manifest = run.manifest
    tokens = {name: bucket.tokens for name, bucket in shards.buckets.items()}
    return plan_mixture(
        run.mixture,
        tokens,
        samples=manifest.steps * manifest.global_batch,
        sequence=manifest.sequence,
        seed=manifest.seed,
    )


def plan_mixture(
    mixture: MixtureManifest, tokens: Mapping[str, int], *, samples: int, sequence: int, seed: int
) -> MixturePlan:
    """Plan a run of `samples` samples.

    Args:
        tokens: of each bucket.
        samples: of the whole run.
        sequence: tokens per sample.

    Raises:
        GristmillError: a rule that matches nothing, rules that ask for more than the run has, caps that allow less than
            the run asks for, or no bucket with a window.
    """
    if samples < 1:
        raise GristmillError("a run needs at least one sample", where=f"mixture {mixture.name}")
    windows = {name: windows_in(tokens[name], sequence) for name in sorted(tokens)}
    served = _match(mixture, list(windows))
    rule_of = {name: rule for rule, names in served for name in names}
    notes = [f"{name}: no rule matches it; it is left out" for name in windows if name not in rule_of]
    notes += [
        f"{name}: {tokens[name]:,} tokens are too few for one window of {sequence} + 1; it gets nothing"
        for name in sorted(rule_of)
        if not windows[name]
    ]
    groups = _groups(mixture, served, windows)
    wishes = _wishes(mixture, groups, samples=samples, sequence=sequence, notes=notes)
    caps = {name: group.cap * size for group in groups for name, size in group.windows.items()}
    _check_caps(mixture, caps, samples=samples, sequence=sequence)
    amounts = _within_caps(groups, wishes, caps, samples=samples, notes=notes)
    order = _fit(mixture, tokens, amounts, caps, samples=samples, sequence=sequence, seed=seed)
    rows = _rows(mixture, order, rule_of, wishes, samples=samples)
    notes += _starved(order, rows, wishes)
    return MixturePlan(order=order, samples=samples, rows=rows, notes=tuple(notes))


def _match(mixture: MixtureManifest, names: list[str]) -> list[tuple[BucketRule, list[str]]]:
    """Each rule with the buckets that it is the first to match."""
    where = f"mixture {mixture.name}"
    taken: set[str] = set()
    served = []
    for rule in mixture.buckets or [BucketRule(match="*")]:
        fitting = [name for name in names if fnmatchcase(name, rule.match)]
        new = [name for name in fitting if name not in taken]
        if not fitting:
            near = difflib.get_close_matches(rule.match, names, n=3, cutoff=0.3) or names[:10]
            raise GristmillError(
                f"rule `{rule.match}` matches no bucket",
                where=where,
                remedy=f"the nearest buckets are {', '.join(near)}" if near else "the shards hold no bucket at all",
            )
        if not new:
            raise GristmillError(
                f"rule `{rule.match}` gets nothing: the rules before it match all its buckets",
                where=where,
                remedy="move it up, or delete it",
            )
        taken.update(new)
        served.append((rule, new))
    return served


def _groups(
    mixture: MixtureManifest, served: Sequence[tuple[BucketRule, list[str]]], windows: Mapping[str, int]
) -> list[_Group]:
    """The rules that have a bucket with a window, with those buckets."""
    groups = [
        _Group(
            rule=rule, windows={name: windows[name] for name in names if windows[name]}, cap=_exact(_cap(mixture, rule))
        )
        for rule, names in served
        if any(windows[name] for name in names)
    ]
    if not groups:
        raise GristmillError(
            "no bucket holds as much as one window",
            where=f"mixture {mixture.name}",
            remedy="shorten `sequence` or add data",
        )
    return groups


def _wishes(
    mixture: MixtureManifest, groups: Sequence[_Group], *, samples: int, sequence: int, notes: list[str]
) -> dict[str, Fraction]:
    """Samples of each bucket by the rules alone; they sum to `samples`."""
    where = f"mixture {mixture.name}"
    repeated = [(group, _exact(group.rule.epochs) * group.size) for group in groups if group.rule.epochs is not None]
    shared = [(group, _exact(group.rule.share) * samples) for group in groups if group.rule.share is not None]
    natural = [group for group in groups if group.rule.share is None and group.rule.epochs is None]
    for group, amount in repeated:
        if amount > group.cap * group.size:
            raise GristmillError(
                f"rule `{group.rule.match}` asks for {group.rule.epochs:g} epochs, its cap is {float(group.cap):g}",
                where=where,
                remedy="give the rule a `max_epochs` of its own, or lower `epochs`",
            )
    asked = sum((amount for _, amount in repeated), Fraction(0))
    if asked > samples:
        raise GristmillError(
            f"the `epochs` rules ask for {math.ceil(asked * sequence):,} tokens, the run has {samples * sequence:,}",
            where=where,
            remedy="lower `epochs` or raise the run's `tokens`",
        )
    shares = sum((amount for _, amount in shared), Fraction(0))
    left = samples - asked - (shares if natural else 0)
    if left <= 0 and (natural or shared):
        starved = natural or [group for group, _ in shared]
        raise GristmillError(
            f"the other rules leave nothing for {', '.join(f'`{group.rule.match}`' for group in starved)}",
            where=where,
            remedy="lower `share` or `epochs` of the others, or delete these rules",
        )
    amounts: list[tuple[_Group, Fraction]]
    if natural:
        total = sum(group.size for group in natural)
        amounts = [*repeated, *shared, *((group, left * group.size / total) for group in natural)]
    elif shared:
        scale = left / shares
        if scale != 1:
            notes.append(f"shares are scaled by {float(scale):.6g} to fill the run")
        amounts = [*repeated, *((group, amount * scale) for group, amount in shared)]
    else:
        scale = samples / asked
        if scale != 1:
            notes.append(f"epochs are scaled by {float(scale):.6g}: no other rule fills what they leave of the run")
        amounts = [(group, amount * scale) for group, amount in repeated]
    return {name: wish for group, amount in amounts for name, wish in group.divide(amount).items()}


def _check_caps(mixture: MixtureManifest, caps: Mapping[str, Fraction], *, samples: int, sequence: int) -> None:
    available = sum(math.floor(cap) for cap in caps.values())
    if samples > available:
        raise GristmillError(
            f"the caps on epochs allow {available * sequence:,} tokens, the run asks for {samples * sequence:,}",
            where=f"mixture {mixture.name}",
            remedy="raise `max_epochs`, lower the run's `tokens`, or add data",
        )


def _within_caps(
    groups: Sequence[_Group],
    wishes: Mapping[str, Fraction],
    caps: Mapping[str, Fraction],
    *,
    samples: int,
    notes: list[str],
) -> dict[str, Fraction]:
    """Clip at the caps.

    The overflow goes to `share` and natural rules first: `epochs` rules say exactly what they want.
    """
    exact = {name for group in groups if group.rule.epochs is not None for name in group.windows}
    flexible = set(wishes) - exact
    total = samples - sum((wishes[name] for name in exact), Fraction(0)) if flexible else Fraction(0)
    amounts = fill_in_proportion(total, {name: wishes[name] for name in flexible}, caps)
    rest = samples - sum(amounts.values(), Fraction(0))
    if exact and flexible and rest > sum(wishes[name] for name in exact):
        notes.append("the other buckets have reached their caps: those under `epochs` rules get more than they ask for")
    amounts |= fill_in_proportion(rest, {name: wishes[name] for name in exact}, caps)
    notes += [
        f"{name}: held at its cap on epochs, {100 * float(amounts[name] / samples):.3g} % of the run instead of "
        f"{100 * float(wishes[name] / samples):.3g} %"
        for name in sorted(amounts)
        if amounts[name] < wishes[name]
    ]
    return dict(sorted(amounts.items()))


def _fit(
    mixture: MixtureManifest,
    tokens: Mapping[str, int],
    amounts: Mapping[str, Fraction],
    caps: Mapping[str, Fraction],
    *,
    samples: int,
    sequence: int,
    seed: int,
) -> Order:
    """Samples per block such that no bucket gives more than its cap over exactly this run."""
    block = mixture.block_samples
    limits = dict.fromkeys(amounts, block)
    while True:
        try:
            counts = apportion(block, amounts, limits)
        except ValueError:
            raise GristmillError(
                f"{samples * sequence:,} tokens are so near to all that the caps on epochs allow that no division of "
                f"blocks of {block} samples keeps every cap",
                where=f"mixture {mixture.name}",
                remedy="lower the run's `tokens` a little, or raise `max_epochs`",
            ) from None
        order = new_order(tokens, sequence=sequence, seed=seed, counts=counts)
        given = {bucket.name: count for bucket, count in zip(order.buckets, given_before(order, samples), strict=True)}
        excess = {name: over for name in amounts if (over := given[name] - math.floor(caps[name])) > 0}
        if not excess:
            return order
        for name, over in excess.items():
            limits[name] = max(0, counts[name] - max(1, over * block // samples))


def _rows(
    mixture: MixtureManifest,
    order: Order,
    rule_of: Mapping[str, BucketRule],
    wishes: Mapping[str, Fraction],
    *,
    samples: int,
) -> tuple[MixtureRow, ...]:
    rows = []
    for bucket, given in zip(order.buckets, given_before(order, samples), strict=True):
        rule = rule_of.get(bucket.name)
        rows.append(
            MixtureRow(
                bucket=bucket.name,
                rule=None if rule is None else rule.match,
                corpus_tokens=bucket.tokens,
                wanted=float(wishes.get(bucket.name, Fraction(0)) / samples),
                obtained=given / samples,
                samples=given,
                tokens=given * order.sequence,
                epochs=given / bucket.windows if bucket.windows else 0.0,
                max_epochs=_cap(mixture, rule),
            )
        )
    return tuple(rows)


def _starved(order: Order, rows: Sequence[MixtureRow], wishes: Mapping[str, Fraction]) -> list[str]:
    """A sentence on each bucket that was to get something and gets nothing."""
    stage = order.stages[0]
    notes = []
    for row, count in zip(rows, stage.counts, strict=True):
        if row.bucket in wishes and not count:
            notes.append(
                f"{row.bucket}: its share, {row.wanted:.3g}, comes to no sample in a block of {stage.block}; it gets"
                " nothing"
            )
        elif row.bucket in wishes and not row.samples:
            notes.append(f"{row.bucket}: the run is too short for its share, {row.wanted:.3g}; it gets nothing")
    return notes


def _cap(mixture: MixtureManifest, rule: BucketRule | None) -> float:
    return mixture.max_epochs if rule is None or rule.max_epochs is None else rule.max_epochs


def _exact(number: float) -> Fraction:
    """The decimal that a person wrote: 0.1 is one tenth."""
    return Fraction(repr(number))
