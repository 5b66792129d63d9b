"""One optimizer step: micro-batches through Megatron's schedule, one sum over all ranks, one update."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from megatron.core.optimizer import MegatronOptimizer
from megatron.core.pipeline_parallel import get_forward_backward_func

from manifests.errors import GristmillError
from manifests.run import RunManifest
from training.batches import Data, combined, fingerprint, micro_batches, windows_of
from training.optimizer import learning_rate, set_rates
from training.parallel import Ranks, sum_over_ranks

Batch = dict[str, torch.Tensor]
LossFunction = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor, Batch]]


@dataclass(frozen=True)
class StepResult:
    """Results of one step, equal on all ranks; see `StepMetrics` for units.

    Attributes:
        stop: True if any rank was asked to stop.
    """

    loss: float
    lr: float
    grad_norm: float
    samples_xxh3: str
    stop: bool


def train_step(
    step: int,
    *,
    manifest: RunManifest,
    data: Data,
    model: Any,
    optimizer: MegatronOptimizer,
    ranks: Ranks,
    stop: Callable[[], bool],
) -> StepResult:
    """Forward and backward over this rank's micro-batches of a step, and the update. Called by all ranks together.

    The loss is the sum over all tokens divided by their number, for any layout and micro-batch
    (`calculate_per_token_loss`).

    Raises:
        GristmillError: the loss or a gradient is not finite, or ranks used different samples than their peers.
    """
    has_samples = ranks.first_stage or ranks.last_stage
    windows = windows_of(data, step=step, global_batch=manifest.global_batch, ranks=ranks) if has_samples else None
    model.zero_grad_buffer()
    optimizer.zero_grad()
    reports: list[dict[str, torch.Tensor]] = get_forward_backward_func()(
        forward_step_func=_forward,
        model=model,
        num_microbatches=manifest.global_batch // ranks.data // manifest.micro_batch,
        data_iterator=None
        if windows is None
        else micro_batches(windows, micro_batch=manifest.micro_batch, device=ranks.device),
        seq_length=manifest.sequence,
        micro_batch_size=manifest.micro_batch,
        decoder_seq_length=manifest.sequence,
        forward_only=False,
    )

    # One sum gives every rank the loss, whether to stop, and whether all used the same samples. Each loss counts once:
    # at the last stage, on the first tensor rank, since all tensor ranks have the same losses. Samples are counted
    # twice: by the first rank of each data-parallel rank's set of ranks, and by every rank that used them.
    loss, tokens = (
        sum(float(report[name]) for report in reports) if ranks.tensor_rank == 0 else 0.0 for name in ("loss", "tokens")
    )
    fed = fingerprint(windows) if windows is not None else None
    every = [0.0, 0.0, 0.0] if fed is None else [float(fed.samples), float(fed.low), float(fed.high)]
    once = every if ranks.first_stage and ranks.tensor_rank == 0 and ranks.context_rank == 0 else [0.0, 0.0, 0.0]
    sums = sum_over_ranks([loss, tokens, float(stop()), *once, *every], ranks.device)
    mean = sums[0] / sums[1] if sums[1] else math.nan
    copies = ranks.tensor * ranks.context * (1 if ranks.pipeline == 1 else 2)
    if sums[3] != manifest.global_batch or [value * copies for value in sums[3:6]] != sums[6:9]:
        raise GristmillError(
            f"ranks fed different samples in step {step}",
            where="training",
            remedy="this is a fault of Gristmill: please report it",
        )
    _check_finite("loss", mean, step)

    lr = learning_rate(step, steps=manifest.steps, peak_lr=manifest.optimizer.peak_lr, schedule=manifest.schedule)
    set_rates(optimizer, lr=lr, weight_decay=manifest.optimizer.weight_decay)
    _, grad_norm, _ = optimizer.step()
    _check_finite("gradient norm", float(grad_norm), step)
    return StepResult(
        loss=mean, lr=lr, grad_norm=float(grad_norm), samples_xxh3=combined(sums[4], sums[5]), stop=sums[2] > 0
    )


def _forward(batches: Iterator[Batch] | None, model: Any) -> tuple[torch.Tensor, LossFunction]:
    """Megatron's `forward_step_func`.

    Middle stages of the pipeline have no batches; their input comes from the previous stage.
    """
    batch = next(batches) if batches is not None else dict.fromkeys(("tokens", "labels", "position_ids"))
    return model(batch["tokens"], batch["position_ids"], None, labels=batch["labels"]), _sum_of_losses


def _sum_of_losses(losses: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, Batch]:
    """The sum of losses [micro_batch, sequence], their number (int32) and a report of both."""
    total = losses.float().sum()
    number = torch.tensor(losses.numel(), dtype=torch.int32, device=losses.device)
    return total, number, {"loss": total.detach(), "tokens": number}


def _check_finite(name: str, value: float, step: int) -> None:
    if not math.isfinite(value):
        raise GristmillError(
            f"the {name} of step {step} is {value}",
            where="training",
            remedy="lower the learning rate or lengthen the warm-up; the last checkpoint is from before this step",
        )
