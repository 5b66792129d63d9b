"""Gradients and updates: Megatron's DDP and optimizer with Llama 2's settings, and the learning rate as a function of
the step.
"""

from __future__ import annotations

import math
from typing import Any

from megatron.core.distributed import DistributedDataParallel, DistributedDataParallelConfig, finalize_model_grads
from megatron.core.models.gpt import GPTModel
from megatron.core.optimizer import MegatronOptimizer, OptimizerConfig, get_megatron_optimizer
from megatron.core.transformer.transformer_config import TransformerConfig

from manifests.run import Optimizer, Schedule
from training.adam import use_adamw


def learning_rate(step: int, *, steps: int, peak_lr: float, schedule: Schedule) -> float:
    """Learning rate of step 0 <= step < steps.

    Llama 2's schedule (arXiv 2307.09288, section 2.2): linear warm-up, then a cosine from the peak down to
    `final_lr_ratio` of it. The first step has peak / warm-up steps, not 0; the step after the warm-up has the peak, and
    the last step has exactly the final rate.
    """
    if step < schedule.warmup_steps:
        return peak_lr * (step + 1) / schedule.warmup_steps
    progress = (step - schedule.warmup_steps) / max(1, steps - 1 - schedule.warmup_steps)
    return peak_lr * (
        schedule.final_lr_ratio + (1.0 - schedule.final_lr_ratio) * 0.5 * (1.0 + math.cos(math.pi * progress))
    )


def build_optimizer(model: GPTModel, config: TransformerConfig, settings: Optimizer) -> tuple[Any, MegatronOptimizer]:
    """The model wrapped for data parallelism, and its optimizer.

    Gradients are summed in fp32; with bf16 the optimizer keeps fp32 weights. Weight decay is not applied to vectors
    (norm weights), as in Megatron-LM. Functions of both are set in `config`, from which Megatron's schedules read them.
    """
    use_adamw()
    wrapped = DistributedDataParallel(
        config,
        DistributedDataParallelConfig(
            grad_reduce_in_fp32=True,
            use_distributed_optimizer=settings.distributed,
            overlap_grad_reduce=settings.overlap,
            overlap_param_gather=settings.overlap and settings.distributed,
            bucket_size=settings.bucket_parameters,
            # `train_step` checks loss and gradient norm, the same on all ranks.
            check_for_nan_in_grad=False,
        ),
        model,
    )
    optimizer = get_megatron_optimizer(
        OptimizerConfig(
            optimizer="adam",
            lr=settings.peak_lr,
            weight_decay=settings.weight_decay,
            adam_beta1=settings.beta1,
            adam_beta2=settings.beta2,
            adam_eps=settings.eps,
            clip_grad=settings.clip_grad,
            bf16=config.bf16,
            params_dtype=config.params_dtype,
            use_distributed_optimizer=settings.distributed,
            overlap_param_gather=settings.overlap and settings.distributed,
        ),
        [wrapped],
        use_gloo_process_groups=False,
    )
    config.finalize_model_grads_func = finalize_model_grads
    config.grad_scale_func = optimizer.scale_loss
    config.no_sync_func = wrapped.no_sync if settings.overlap else None
    return wrapped, optimizer


def set_rates(optimizer: MegatronOptimizer, *, lr: float, weight_decay: float) -> None:
    """Set learning rate and weight decay of the next update; groups without decay have `wd_mult` 0."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("lr_mult", 1.0)
        group["weight_decay"] = weight_decay * group.get("wd_mult", 1.0)
