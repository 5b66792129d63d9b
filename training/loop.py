"""The training loop: run manifest in, checkpoints and metrics out.

Steps run in order, starting at the newest checkpoint.

OUT/run.json, order.json    what the run is (`training.record`)
OUT/metrics.jsonl           one line per logged step (`training.metrics`)
OUT/tensorboard/            the same metrics for TensorBoard
OUT/checkpoints/            (`training.checkpoint`)
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from megatron.core.optimizer import MegatronOptimizer

from manifests.base import sha256_of
from manifests.run import Run
from shards.cache import cache_note, shard_cache
from shards.order import order_from_json
from shards.run_record import load_record
from storage.files import is_url
from storage.lock import only_writer
from training import checkpoint, record
from training.batches import Data, check_shards, open_data
from training.change import Changed, earlier_identities, planned_change, record_to_change
from training.metrics import MetricsWriter, StepMetrics
from training.model import build_model, megatron_config
from training.optimizer import build_optimizer
from training.parallel import Ranks, agree, ranks_of
from training.staging import forget
from training.step import StepResult, train_step

_SECOND_CHANCE = 2.0
"""Seconds after which another Ctrl-C stops at once. A launcher passes the first one on, so it may arrive twice."""


@dataclass(frozen=True)
class TrainResult:
    """The state of a run after `train`.

    Attributes:
        step: number of steps done.
        loss: loss of the last step.
        checkpoint: folder of the newest checkpoint.
        stopped: True if a signal ended the run before its last step.
    """

    step: int
    loss: float
    checkpoint: str
    stopped: bool = False


@dataclass
class _Clock:
    """Steps and seconds since the last logged step."""

    steps: int = 0
    seconds: float = 0.0


def train(
    run: Run,
    *,
    stop_after: int | None = None,
    change_mixture: bool = False,
    on_step: Callable[[StepMetrics], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> TrainResult:
    """Train to the end, or until `stop_after` steps are done, or until SIGINT, SIGTERM or SIGHUP; then save a
    checkpoint.

    Called by all ranks together, which were started by a launcher, or by this process alone.

    Args:
        change_mixture: where the run has begun with another mixture, or its data now have buckets more, go on from the
            newest checkpoint with the new ones, and put it on record.
        on_step: called on rank 0 after each logged step.
        say: called on rank 0 with one-line messages for the user.

    Raises:
        GristmillError: the same on every rank, except `RankError`.
    """
    report = say or _silent
    with ranks_of(run) as ranks, _until_signal() as stop, ExitStack() as stack:
        if not ranks.leads:
            report = _silent
        agree(lambda: stack.enter_context(only_writer(run.out, say=lambda text: report(f"note: {text}"))))
        data = _checked_data(run, ranks, report)
        changed = _changed(run, data, report) if change_mixture else None
        if changed is not None:
            data = Data(data.shards, order_from_json(changed.order_json), changed.order_json)
        agree(
            lambda: record.begin(
                run,
                data_digest=data.digest,
                order_json=data.order_json,
                tokenizer=data.tokenizer,
                change=changed.change if changed else None,
            )
        )
        identity = identity_of(run, data)
        newest = _newest(run, identity, report)
        start = newest.step if newest else 0
        end = min(run.manifest.steps, stop_after or run.manifest.steps)
        if newest is not None and start >= end:
            report(f"nothing to do: {start} of {run.manifest.steps} steps are done")
            forget(checkpoint.folder_of(run.out, start))
            return TrainResult(step=start, loss=newest.loss, checkpoint=checkpoint.folder_of(run.out, start))
        model, optimizer = _built(run, data, ranks, newest, report)
        writers: list[MetricsWriter] = []  # on rank 0 only
        agree(lambda: writers.append(stack.enter_context(MetricsWriter(run.out, resume_at=start))))
        writer = writers[0] if writers else None

        def log(metrics: StepMetrics) -> None:
            if writer is not None:
                writer.write(metrics)
            if on_step is not None and ranks.leads:
                on_step(metrics)

        if writer is not None and writer.local != run.out:
            report(f"note: TensorBoard's files of this run stay on this machine, in {writer.local}/tensorboard")

        def save(step: int, loss: float) -> str:
            agree(lambda: writer.store() if writer is not None else None)
            return checkpoint.save(
                run.out,
                model,
                optimizer,
                step=step,
                loss=loss,
                identity=identity,
                layout=run.manifest.layout,
                keep=run.manifest.checkpoint.keep,
            )

        return _steps(
            run, data, model, optimizer, ranks, start=start, end=end, stop=stop, log=log, save=save, report=report
        )


def _checked_data(run: Run, ranks: Ranks, report: Callable[[str], None]) -> Data:
    data = open_data(run)
    if is_url(data.shards.folder) and (note := cache_note(data.shards.manifest, shard_cache())):
        report(note)
    if data.shards.seen.note is not None:
        report(f"note: {data.shards.seen.note}")
    check_shards(data.shards, ranks, report=report)
    for note in data.notes:
        report(f"note: {note}")
    return data


def _changed(run: Run, data: Data, report: Callable[[str], None]) -> Changed | None:
    """The change of the run's mixture from its newest checkpoint on; None where there is nothing to change."""
    before = agree(lambda: record_to_change(run, data.shards, data.order))
    if before is None:
        report("note: --change-mixture changes nothing: the run has this mixture already, or has not begun")
        return None
    agree(lambda: checkpoint.sweep(run.out))
    newest = checkpoint.newest_whole(run.out, say=report)
    step = newest.step if newest else 0
    changed = agree(lambda: planned_change(run, data.shards, data.order, before, step=step))
    added = f", with the new buckets {', '.join(changed.change.added)}" if changed.change.added else ""
    report(f"from step {step} on the mixture is {run.mixture.name}{added}; before it was {before.run.mixture.name}")
    for note in changed.change.notes:
        report(f"note: {note}")
    return changed


def _built(
    run: Run, data: Data, ranks: Ranks, newest: checkpoint.CheckpointManifest | None, report: Callable[[str], None]
) -> tuple[Any, MegatronOptimizer]:
    """Model and optimizer, loaded from the newest checkpoint if there is one."""
    config = megatron_config(run.model, run.manifest.layout, precision=run.manifest.precision)
    bare = build_model(
        run.model, config, vocab_size=data.vocab_size, seed=None if newest else run.manifest.seed, device=ranks.device
    )
    model, optimizer = build_optimizer(bare, config, run.manifest.optimizer)
    if newest is not None:
        checkpoint.load(checkpoint.folder_of(run.out, newest.step), model, optimizer)
        report(f"resumed after step {newest.step} of {run.manifest.steps} (written by {_layout_words(newest)})")
    return model, optimizer


def identity_of(run: Run, data: Data) -> checkpoint.Identity:
    """What checkpoints of this run belong to: the model's shape and function, the shards' digest,
    the order of samples.
    """
    model = run.model
    shape = [
        model.layers,
        model.hidden,
        model.heads,
        model.kv_heads,
        model.ffn,
        model.rope_theta,
        model.norm_eps,
        data.vocab_size,
    ]
    return checkpoint.Identity(model=sha256_of(shape), data=data.digest, order=sha256_of(data.order_json))


def _steps(
    run: Run,
    data: Data,
    model: Any,
    optimizer: MegatronOptimizer,
    ranks: Ranks,
    *,
    start: int,
    end: int,
    stop: Callable[[], bool],
    log: Callable[[StepMetrics], None],
    save: Callable[[int, float], str],
    report: Callable[[str], None],
) -> TrainResult:
    manifest, clock = run.manifest, _Clock()
    tokens = manifest.global_batch * manifest.sequence
    for step in range(start, end):
        began = time.perf_counter()
        result = train_step(
            step, manifest=manifest, data=data, model=model, optimizer=optimizer, ranks=ranks, stop=stop
        )
        clock.steps, clock.seconds = clock.steps + 1, clock.seconds + time.perf_counter() - began
        done = step + 1
        last = done == end or result.stop
        if done % manifest.log_every == 0 or last:
            log(_metrics(step, result, clock, tokens))
            clock = _Clock()
        if done % manifest.checkpoint.every_steps == 0 or last:
            folder = save(done, result.loss)
        if result.stop and done < end:
            report(
                f"stopped by a signal after step {done} of {manifest.steps}; the checkpoint is saved, run the same"
                " command again to go on"
            )
        if last:
            break
    return TrainResult(step=done, loss=result.loss, checkpoint=folder, stopped=result.stop and done < end)


def _metrics(step: int, result: StepResult, clock: _Clock, tokens: int) -> StepMetrics:
    seconds = clock.seconds / clock.steps
    return StepMetrics(
        step=step,
        loss=result.loss,
        lr=result.lr,
        grad_norm=result.grad_norm,
        tokens=(step + 1) * tokens,
        tokens_per_second=tokens / seconds,
        seconds=seconds,
        samples_xxh3=result.samples_xxh3,
    )


def _newest(
    run: Run, identity: checkpoint.Identity, report: Callable[[str], None]
) -> checkpoint.CheckpointManifest | None:
    agree(lambda: checkpoint.sweep(run.out))
    newest = checkpoint.newest_whole(run.out, say=report)
    if newest is not None:
        changes = agree(lambda: load_record(run.out).changes)
        checkpoint.check_identity(
            newest,
            identity,
            earlier_identities(identity, changes),
            where=checkpoint.folder_of(run.out, newest.step),
        )
    return newest


def _layout_words(manifest: checkpoint.CheckpointManifest) -> str:
    layout = manifest.layout
    return (
        f"tensor {layout.tensor}, pipeline {layout.pipeline}, context {layout.context}, data {manifest.data_parallel}"
    )


def _silent(_: str) -> None:
    pass


@contextmanager
def _until_signal() -> Iterator[Callable[[], bool]]:
    """A function that returns True once a signal to end has come or the launcher has died.

    The current step is finished first.
    """
    parent, came = os.getppid(), [0.0]

    def note(number: int, _: object) -> None:
        if came[0] and number == signal.SIGINT and time.monotonic() - came[0] > _SECOND_CHANCE:
            raise KeyboardInterrupt
        came[0] = came[0] or time.monotonic()

    def must_stop() -> bool:
        return bool(came[0]) or os.getppid() != parent

    if threading.current_thread() is not threading.main_thread():
        yield must_stop
        return
    numbers = [
        signal.SIGINT,
        signal.SIGTERM,
        *([signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN else []),
    ]
    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield must_stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
