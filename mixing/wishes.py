"""What the rules of a stage ask for: rules, presets and windows in; samples per bucket out, in exact arithmetic.

Buckets fall into groups: one per rule, and with a preset one per source that no rule matches (for `llama1` one per row
of its table). First the wish: what the rules ask for, minimum shares included. Then the amount: the wish under the caps
on epochs, where what a group cannot take goes to the groups that still have room. Every wish that is not met leaves a
sentence in the notes: which, and what it gets instead.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from manifests.errors import GristmillError
from manifests.mixture import BucketRule, LlamaSources, MixtureStage, Preset, matches
from mixing.apportion import fill_between, fill_in_proportion

# Table 1 of the LLaMA paper (arXiv 2302.13971): percent of the tokens.
LLAMA_1 = {
    "commoncrawl": "67",
    "c4": "15",
    "github": "4.5",
    "wikipedia": "4.5",
    "books": "4.5",
    "arxiv": "2.5",
    "stackexchange": "2",
}
_DIGITS = Context(prec=40)


@dataclass(frozen=True)
class Stretch:
    """What is planned: the whole run, or one stage of it.

    Attributes:
        name: how messages call it: `run` or `stage`.
        where: of errors.
    """

    name: str
    where: str
    samples: int
    sequence: int


@dataclass(frozen=True)
class Group:
    """Buckets that one rule serves, or one source under a preset.

    Attributes:
        windows: of each bucket, none of them 0.
        room: samples that each bucket may still give under its cap.
        weight: under a preset with numbers of its own; None where the preset weighs windows.
    """

    rule: BucketRule
    windows: dict[str, int]
    room: dict[str, Fraction]
    weight: Fraction | None = None

    @property
    def size(self) -> int:
        return sum(self.windows.values())

    @property
    def limit(self) -> Fraction:
        return sum(self.room.values(), Fraction(0))

    @property
    def takes_rest(self) -> bool:
        return self.rule.share is None and self.rule.epochs is None


def exact(number: float) -> Fraction:
    """The decimal that a person wrote: 0.1 is one tenth."""
    return Fraction(repr(number))


def serve(
    stage: MixtureStage, names: Sequence[str], *, where: str, notes: list[str]
) -> list[tuple[BucketRule, list[str], Fraction | None]]:
    """Each rule with the buckets that it is the first to match, and its weight in a table.

    Raises:
        GristmillError: a rule matches nothing, or only what rules before it match.
    """
    taken: set[str] = set()
    served: list[tuple[BucketRule, list[str], Fraction | None]] = []
    for rule in stage.buckets or ([] if stage.preset else [BucketRule(match="*")]):
        fitting = [name for name in names if matches(rule.match, name)]
        new = [name for name in fitting if name not in taken]
        if not fitting:
            near = difflib.get_close_matches(rule.match, names, n=3, cutoff=0.3) or list(names[:10])
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
        served.append((rule, new, None))
    left = [name for name in names if name not in taken]
    if stage.preset == "llama1":
        served += _llama_rows(stage.sources or LlamaSources(), left, where=where, notes=notes)
    elif stage.preset is not None:
        sources = sorted({name.rsplit("/", 1)[0] for name in left})
        served += [
            (BucketRule(match=f"{source}/*"), [name for name in left if name.rsplit("/", 1)[0] == source], None)
            for source in sources
        ]
    return served


def wishes_of(
    groups: Sequence[Group], preset: Preset | None, temperature: float | None, stretch: Stretch, *, notes: list[str]
) -> list[Fraction]:
    """Samples that each group is to get by the rules alone, before caps; they sum to the stretch's samples.

    Raises:
        GristmillError: rules that ask for more than the stretch has, or leave nothing for others.
    """
    samples, sequence, where = stretch.samples, stretch.sequence, stretch.where
    wishes = [Fraction(0)] * len(groups)
    for index, group in enumerate(groups):
        if group.rule.epochs is not None:
            wishes[index] = exact(group.rule.epochs) * group.size
        elif group.rule.share is not None:
            wishes[index] = exact(group.rule.share) * samples
    repeated = [index for index, group in enumerate(groups) if group.rule.epochs is not None]
    shared = [index for index, group in enumerate(groups) if group.rule.share is not None]
    rest = [index for index, group in enumerate(groups) if group.takes_rest]
    asked = sum((wishes[index] for index in repeated), Fraction(0))
    if asked > samples:
        raise GristmillError(
            f"the `epochs` rules ask for {math.ceil(asked * sequence):,} tokens, the {stretch.name} has"
            f" {samples * sequence:,}",
            where=where,
            remedy="lower `epochs` or raise the run's `tokens`",
        )
    shares = sum((wishes[index] for index in shared), Fraction(0))
    left = samples - asked - (shares if rest else 0)
    if left <= 0 and (rest or shared):
        raise GristmillError(
            "the other rules leave nothing for"
            f" {', '.join(f'`{groups[index].rule.match}`' for index in rest or shared)}",
            where=where,
            remedy="lower `share` or `epochs` of the others, or delete these rules",
        )
    floors = {index: exact(group.rule.min_share or 0) * samples for index, group in enumerate(groups)}
    if rest:
        least = sum(floors[index] for index in rest)
        if least > left:
            taken = min(least, samples - asked - sum(floors[index] for index in shared)) - left
            if taken > 0:
                notes.append(
                    f"`min_share` takes {_percent(taken, samples)} of the {stretch.name} from the rules with `share`"
                )
                _spread(shares - taken, wishes, shared, floors, samples)
                left += taken
        for index, weight in zip(rest, _weights(groups, rest, preset, temperature, left), strict=True):
            wishes[index] = weight
        _spread(left, wishes, rest, floors, samples)
        notes += [
            f"`{groups[index].rule.match}`: the minimum shares of the others leave nothing for it"
            for index in (*shared, *rest)
            if not wishes[index]
        ]
    elif shared:
        if left != shares:
            notes.append(f"shares are scaled by {float(left / shares):.6g} to fill the {stretch.name}")
        _spread(left, wishes, shared, floors, samples)
    elif samples != asked:
        notes.append(
            f"epochs are scaled by {float(samples / asked):.6g}: no other rule fills what they leave of the"
            f" {stretch.name}"
        )
        for index in repeated:
            wishes[index] *= samples / asked
    return wishes


def within_caps(
    groups: Sequence[Group], wishes: Sequence[Fraction], stretch: Stretch, *, notes: list[str]
) -> dict[str, Fraction]:
    """Samples of each bucket under the caps; they sum to the stretch's samples, which the caps must allow.

    What a group cannot take goes to the groups without `epochs` first: `epochs` rules say exactly what they want.
    """
    samples = Fraction(stretch.samples)
    limits = {index: group.limit for index, group in enumerate(groups)}
    floors = {
        index: min(exact(group.rule.min_share or 0) * samples, limits[index]) for index, group in enumerate(groups)
    }
    fixed = {
        index: min(wishes[index], limits[index]) for index, group in enumerate(groups) if group.rule.epochs is not None
    }
    flexible = [index for index in range(len(groups)) if index not in fixed]
    amounts = _between(samples - sum(fixed.values()), wishes, flexible, floors, limits)
    rest = samples - sum(amounts.values())
    if fixed and flexible and rest > sum(fixed.values()):
        notes.append("the other buckets have reached their caps: those under `epochs` rules get more than they ask for")
    amounts |= _between(rest, wishes, list(fixed), dict.fromkeys(fixed, Fraction(0)), limits)
    found = {}
    for index, group in enumerate(groups):
        weights = {name: Fraction(windows) for name, windows in group.windows.items()}
        divided = fill_in_proportion(amounts[index], weights, group.room)
        found.update(divided)
        wished = {name: wishes[index] * windows / group.size for name, windows in group.windows.items()}
        held = [name for name in divided if divided[name] < wished[name]]
        if len(held) == len(divided) > 1:
            notes.append(_held(f"`{group.rule.match}`", amounts[index], wishes[index], stretch))
        else:
            notes += [_held(name, divided[name], wished[name], stretch) for name in held]
        least = group.rule.min_share
        if least is not None and amounts[index] < exact(least) * samples:
            notes.append(
                f"`{group.rule.match}`: its `min_share` of {100 * least:.3g} % is more than it can get; it gets"
                f" {_percent(amounts[index], samples)}"
            )
    return dict(sorted(found.items()))


def _between(
    total: Fraction,
    wishes: Sequence[Fraction],
    indices: Sequence[int],
    floors: Mapping[int, Fraction],
    limits: Mapping[int, Fraction],
) -> dict[int, Fraction]:
    """`fill_between` over some groups, in proportion to their wishes."""
    weights = {index: wishes[index] for index in indices if wishes[index]}
    return dict.fromkeys(indices, Fraction(0)) | fill_between(total, weights, floors, limits)


def _spread(
    total: Fraction, wishes: list[Fraction], indices: Sequence[int], floors: Mapping[int, Fraction], samples: int
) -> None:
    """Bring the wishes of some groups to `total`, in proportion and with their floors."""
    limits = dict.fromkeys(indices, Fraction(samples))
    for index, amount in _between(total, wishes, indices, floors, limits).items():
        wishes[index] = amount


def _weights(
    groups: Sequence[Group], rest: Sequence[int], preset: Preset | None, temperature: float | None, left: Fraction
) -> list[Fraction]:
    """By what the groups that take the rest divide it."""
    if preset == "uniform":
        return [Fraction(1)] * len(rest)
    if preset == "temperature" and temperature is not None:
        return [_root(groups[index].size, temperature) for index in rest]
    if preset == "unimax":
        limits = {index: groups[index].limit for index in rest}
        filled = fill_in_proportion(left, dict.fromkeys(rest, Fraction(1)), limits)
        return [filled[index] for index in rest]
    weights = {index: groups[index].weight for index in rest}
    return [Fraction(groups[index].size) if weight is None else weight for index, weight in weights.items()]


def _root(size: int, temperature: float) -> Fraction:
    """size^(1 / temperature), in decimal arithmetic: the same on every machine."""
    power = _DIGITS.divide(_DIGITS.ln(Decimal(size)), Decimal(repr(temperature)))
    return Fraction(_DIGITS.exp(power))


def _llama_rows(
    sources: LlamaSources, names: Sequence[str], *, where: str, notes: list[str]
) -> list[tuple[BucketRule, list[str], Fraction | None]]:
    taken: set[str] = set()
    rows: list[tuple[BucketRule, list[str], Fraction | None]] = []
    for row, percent in LLAMA_1.items():
        pattern = getattr(sources, row)
        found = [name for name in names if matches(pattern, name) and name not in taken]
        taken.update(found)
        if found:
            rows.append((BucketRule(match=pattern), found, Fraction(percent)))
        else:
            notes.append(f"llama1: no bucket for {row}, {percent} % (`{pattern}`); the other rows get it in proportion")
    if not rows:
        raise GristmillError(
            "no bucket stands for any row of Llama 1's table",
            where=where,
            remedy='say which do in `sources`, as `sources: {commoncrawl: "crawl/*", wikipedia: "enwiki/*"}`',
        )
    return rows


def _held(name: str, amount: Fraction, wish: Fraction, stretch: Stretch) -> str:
    return (
        f"{name}: held at its cap on epochs, {_percent(amount, stretch.samples)} of the {stretch.name} instead of"
        f" {_percent(wish, stretch.samples)}"
    )


def _percent(part: Fraction, whole: Fraction | int) -> str:
    return f"{100 * float(part / whole):.3g} %"
