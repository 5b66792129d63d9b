"""The mixture of a run that may have begun: its stages so far from its folder, those to come from its mixture.

In: a run manifest, its shards, and the run's folder where there is one. Out: a plan over all stages of the run, whose
"obtained" figures are counted in the order that the run has.
"""

from __future__ import annotations

from dataclasses import dataclass

from manifests.run import Run
from mixing.plan import MixturePlan, change_mixture, plan_mixture, plan_run
from mixing.stage_rows import StagePlan, recounted
from shards.contents import checkpoint_steps
from shards.order import Order, order_from_json
from shards.reader import Shards
from shards.run_record import RECORD, RunRecord, load_order, load_record
from storage.files import exists, join


@dataclass(frozen=True)
class MixtureHistory:
    """All stages of a run.

    Attributes:
        changes: steps at which the mixture was changed in mid-run.
        notes: on what is shown.
    """

    plan: MixturePlan
    changes: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def mixture_of(run: Run, shards: Shards) -> MixtureHistory:
    """The stages that a run has had and will have.

    A run that has not begun is planned. One that has begun is as its folder says; where the manifest has another
    mixture, or the shards have buckets more, its rest is planned as `gristmill train --change-mixture` would from the
    newest checkpoint on.

    Raises:
        GristmillError: as `mixing.plan.plan_run`, or the run's folder is damaged.
    """
    if not exists(join(run.out, RECORD)):
        return MixtureHistory(plan_run(run, shards))
    record = load_record(run.out)
    ours, theirs = (
        (manifest.seed, manifest.sequence, manifest.global_batch, manifest.tokens)
        for manifest in (run.manifest, record.run.manifest)
    )
    if ours != theirs:
        other = f"{run.out} holds a run of other settings: this is the mixture of a new one"
        return MixtureHistory(plan_run(run, shards), notes=(other,))
    order = order_from_json(load_order(run.out, record, named=False))
    stages, notes = _past(record, order)
    changes = tuple(change.step for change in record.changes)
    samples = run.manifest.steps * run.manifest.global_batch
    if record.run.mixture == run.mixture and record.data_digest == shards.manifest.digest:
        return MixtureHistory(MixturePlan(order, samples, stages), changes, notes)
    step = max(checkpoint_steps(run.out), default=0)
    if step >= run.manifest.steps:
        finished = f"{run.out} holds a finished run with another mixture: this is the mixture of a new one"
        return MixtureHistory(plan_run(run, shards), notes=(finished,))
    rest = change_mixture(
        order,
        run.mixture,
        {name: bucket.tokens for name, bucket in shards.buckets.items()},
        step=step,
        samples=samples,
        step_samples=run.manifest.global_batch,
    )
    before = recounted(stages, rest.order, end=step * run.manifest.global_batch)
    notes = (
        *notes,
        f"from step {step} on, this is what `gristmill train --change-mixture` would do: the run has mixture"
        f" {record.run.mixture.name} and {len(order.buckets)} buckets",
    )
    return MixtureHistory(MixturePlan(rest.order, samples, (*before, *rest.stages)), (*changes, step), notes)


def _past(record: RunRecord, order: Order) -> tuple[tuple[StagePlan, ...], tuple[str, ...]]:
    """The stages of a run on record, planned again for what was wanted, counted in its order for what it obtains."""
    manifest = record.run.manifest
    samples = manifest.steps * manifest.global_batch
    tokens = {bucket.name: bucket.tokens for bucket in order.buckets}
    added = {name for change in record.changes for name in change.added}
    plan = plan_mixture(
        record.changes[0].before if record.changes else record.run.mixture,
        {name: size for name, size in tokens.items() if name not in added},
        samples=samples,
        sequence=manifest.sequence,
        seed=manifest.seed,
        step_samples=manifest.global_batch,
    )
    stages = plan.stages
    for change in record.changes:
        added -= set(change.added)
        plan = change_mixture(
            plan.order,
            change.after,
            {name: size for name, size in tokens.items() if name not in added},
            step=change.step,
            samples=samples,
            step_samples=manifest.global_batch,
        )
        stages = (*recounted(stages, plan.order, end=change.step * manifest.global_batch), *plan.stages)
    notes: tuple[str, ...] = ()
    if plan.order.stages != order.stages:
        notes = ("the run was planned by another version of Gristmill: what is obtained is counted in its own order",)
    return recounted(stages, order, end=samples), notes
