"""A change of a run's mixture while it is under way.

In: a run whose manifest has another mixture than its record, or whose shards have buckets more, and the step from which
the change counts. Out: the run's order with new stages from that step on, and the change as it goes on record. All
samples before are what they were.
"""

from __future__ import annotations

from dataclasses import dataclass

from manifests.base import sha256_of
from manifests.errors import GristmillError
from manifests.run import Run
from mixing.plan import change_mixture
from shards.order import Order, order_to_json
from shards.reader import Shards
from shards.run_record import RECORD, MixtureChange, RunRecord, load_record
from shards.shard_list import ShardList
from shards.writer import digest_of
from storage.files import exists, join
from training.checkpoint import Identity
from training.record import check_same


@dataclass(frozen=True)
class Changed:
    """The order after a change, as JSON, and what goes on record."""

    order_json: str
    change: MixtureChange


def record_to_change(run: Run, shards: Shards, order: Order) -> RunRecord | None:
    """The record of a run whose mixture or data differ from it; None where there is nothing to change: the run has not
    begun, or is what its record says.

    Raises:
        GristmillError: other settings differ as well, or buckets that the run reads are not what they were.
    """
    if not exists(join(run.out, RECORD)):
        return None
    record = load_record(run.out)
    digest = shards.manifest.digest
    check_same(run, record, data_digest=digest, but_mixture=True)
    if record.run.mixture == run.mixture and record.data_digest == digest:
        return None
    of_order = {bucket.name for bucket in order.buckets}
    old = [entry for entry in shards.manifest.shards if entry.bucket in of_order]
    if digest_of(shards.manifest.tokenizer, ShardList.of(old)) != record.data_digest:
        raise GristmillError(
            "the buckets that the run reads, or their tokenizer, are not what they were: only new buckets can be added",
            where=run.data,
            remedy="restore the prepared corpus, or begin a run of another `out` with the new one",
        )
    return record


def planned_change(run: Run, shards: Shards, order: Order, record: RunRecord, *, step: int) -> Changed:
    """Plan the run from `step` on by its manifest's mixture.

    Args:
        order: the run's so far.

    Raises:
        GristmillError: as `mixing.plan.change_mixture`.
    """
    manifest = run.manifest
    plan = change_mixture(
        order,
        run.mixture,
        {name: bucket.tokens for name, bucket in shards.buckets.items()},
        step=step,
        samples=manifest.steps * manifest.global_batch,
        step_samples=manifest.global_batch,
    )
    text = order_to_json(plan.order)
    change = MixtureChange(
        step=step,
        before=record.run.mixture,
        after=run.mixture,
        added=sorted(shards.buckets.keys() - {bucket.name for bucket in order.buckets}),
        data_before=record.data_digest,
        data_after=shards.manifest.digest,
        order_before=record.order_sha256,
        order_after=sha256_of(text),
        notes=list(plan.notes),
    )
    return Changed(text, change)


def earlier_identities(identity: Identity, changes: list[MixtureChange]) -> list[tuple[int, Identity]]:
    """What checkpoints from before changes belong to, each with the last step of which this is true: up to the first
    change after it, the samples are those of the present order.
    """
    found, last = [], None
    for change in reversed(changes):
        last = change.step if last is None else min(last, change.step)
        if change.order_before is not None:
            before = identity.model_copy(update={"data": change.data_before, "order": change.order_before})
            found.append((last, before))
    return found
