"""AdamW with the interface of FusedAdam (Apex, Transformer Engine), which Megatron's distributed optimizer expects.

FusedAdam counts the step once per parameter group, and a parameter's state is only `exp_avg` and `exp_avg_sq`.
torch.optim.AdamW has one step tensor per parameter; with it, checkpoints of the distributed optimizer cannot be
resumed, or resume with wrong step counts. The arithmetic is torch's fused kernel, on CPU and GPU; results are bitwise
those of torch.optim.AdamW(fused=True).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import megatron.core.optimizer as megatron_optimizer
import megatron.core.optimizer.distrib_optimizer as distributed_optimizer
import torch
from megatron.core.optimizer import clip_grads
from torch.optim.adam import adam


class AdamW(torch.optim.Optimizer):
    """AdamW (arXiv 1711.05101), or Adam if `adam_w_mode` is False; parameter names are FusedAdam's."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        adam_w_mode: bool = True,
        bias_correction: bool = True,
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "bias_correction": bias_correction, "betas": betas, "eps": eps, "weight_decay": weight_decay},
        )
        self.decoupled = adam_w_mode

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not parameters:
                continue
            group["step"] = int(group.get("step", 0)) + 1
            states = [self._state_of(parameter) for parameter in parameters]
            before = torch.full((len(parameters),), float(group["step"] - 1), device=parameters[0].device)
            adam(
                parameters,
                [parameter.grad for parameter in parameters],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                list(before.unbind()),
                fused=True,
                foreach=False,
                amsgrad=False,
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=False,
                decoupled_weight_decay=self.decoupled,
            )

    def _state_of(self, parameter: torch.Tensor) -> dict[str, torch.Tensor]:
        state: dict[str, torch.Tensor] = self.state[parameter]
        if "exp_avg" not in state:
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        return state


def use_adamw() -> None:
    """Make Megatron use this AdamW and clip by foreach kernels, if neither Transformer Engine nor Apex is installed."""
    if distributed_optimizer.USING_TE_OPTIMIZER or (
        distributed_optimizer.USING_APEX_OPTIMIZER and distributed_optimizer.Adam is not AdamW
    ):
        return
    megatron_optimizer.Adam = distributed_optimizer.Adam = AdamW
    megatron_optimizer.USING_PYTORCH_OPTIMIZER = False
    distributed_optimizer.HAVE_APEX_OR_TE = distributed_optimizer.USING_APEX_OPTIMIZER = True
    # Megatron's own fallbacks synchronise with the GPU once per parameter.
    clip_grads.l2_norm_impl = _l2_norm
    clip_grads.multi_tensor_scale_impl = _scale


def _l2_norm(
    chunk_size: int, overflow: torch.Tensor, lists: list[list[torch.Tensor]], per_tensor: bool, *_: object
) -> tuple[torch.Tensor, None]:
    return torch.stack(torch._foreach_norm(lists[0])).norm().view(1), None


def _scale(chunk_size: int, overflow: torch.Tensor, lists: list[list[torch.Tensor]], scale: float) -> None:
    if lists[0] is not lists[1]:
        torch._foreach_copy_(lists[1], lists[0])
    torch._foreach_mul_(lists[1], scale)
