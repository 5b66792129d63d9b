"""The schedule against its formula; AdamW against torch's and against the paper's algorithm."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from manifests.run import Layout, Optimizer, Schedule
from tests.training.data import MODEL
from training.adam import AdamW
from training.model import build_model, megatron_config
from training.optimizer import build_optimizer, learning_rate, set_rates
from training.parallel import one_rank


def formula(steps: int, warmup: int, peak: float, ratio: float) -> list[float]:
    """All learning rates of a run, one after the other."""
    rates = [peak * (1 + step) / warmup for step in range(min(steps, warmup))]
    falling = steps - warmup
    for step in range(max(0, falling)):
        share = 0.0 if falling == 1 else step / (falling - 1)
        rates.append(peak * (ratio + (1 - ratio) * (1 + math.cos(math.pi * share)) / 2))
    return rates


@given(steps=st.integers(1, 300), warmup=st.integers(0, 320), peak=st.floats(1e-6, 1.0), ratio=st.floats(0, 1))
def test_learning_rate(steps: int, warmup: int, peak: float, ratio: float) -> None:
    schedule = Schedule(warmup_steps=warmup, final_lr_ratio=ratio)
    rates = [learning_rate(step, steps=steps, peak_lr=peak, schedule=schedule) for step in range(steps)]
    assert rates == pytest.approx(formula(steps, warmup, peak, ratio), rel=1e-9)
    assert max(rates) <= peak * (1 + 1e-12)
    assert rates[0] > 0


def test_llama_2s_schedule() -> None:
    """2T tokens in batches of 4M, 2,000 steps of warm-up, 3e-4 down to a tenth."""
    steps = (0, 999, 1_999, 2_000, 251_000, 499_999)
    rate = {step: learning_rate(step, steps=500_000, peak_lr=3e-4, schedule=Schedule()) for step in steps}
    assert rate[0] == pytest.approx(3e-4 / 2_000)
    assert rate[999] == pytest.approx(1.5e-4)
    assert rate[1_999] == rate[2_000] == pytest.approx(3e-4)
    assert rate[251_000] == pytest.approx(1.65e-4, rel=1e-4)
    assert rate[499_999] == pytest.approx(3e-5, rel=1e-12)


def test_adamw_is_torchs() -> None:
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(shape, generator=generator) for shape in ((7, 5), (5,))]
    ours, theirs = ([torch.nn.Parameter(tensor.clone()) for tensor in start] for _ in range(2))
    mine = AdamW(ours, lr=1e-2, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1)
    torchs = torch.optim.AdamW(theirs, lr=1e-2, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1, fused=True)
    by_hand = [tensor.double() for tensor in start]
    first, second = ([torch.zeros_like(tensor) for tensor in by_hand] for _ in range(2))
    for step in range(1, 6):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
            gradient = one.grad.double()
            first[number] = 0.9 * first[number] + 0.1 * gradient
            second[number] = 0.95 * second[number] + 0.05 * gradient**2
            by_hand[number] *= 1 - 1e-2 * 0.1
            by_hand[number] -= (
                1e-2 * (first[number] / (1 - 0.9**step)) / ((second[number] / (1 - 0.95**step)).sqrt() + 1e-5)
            )
        mine.step()
        torchs.step()
    for one, other, exact in zip(ours, theirs, by_hand, strict=True):
        assert torch.equal(one, other)
        assert (one.detach().double() - exact).abs().max() < 1e-6
    assert mine.param_groups[0]["step"] == 5
    assert set(mine.state[ours[0]]) == {"exp_avg", "exp_avg_sq"}


@pytest.mark.parametrize(("precision", "distributed"), [("fp32", False), ("bf16", False), ("bf16", True)])
def test_weight_decay_spares_vectors(precision: str, distributed: bool) -> None:
    from manifests.model import ModelManifest

    manifest = ModelManifest.model_validate(MODEL)
    settings = Optimizer(distributed=distributed)
    with one_rank() as ranks:
        config = megatron_config(manifest, Layout(), precision=precision)  # type: ignore[arg-type]
        bare = build_model(manifest, config, vocab_size=100, seed=0, device=ranks.device)
        model, optimizer = build_optimizer(bare, config, settings)
        set_rates(optimizer, lr=0.5, weight_decay=0.1)
        decays: dict[float, int] = {}
        for group in optimizer.param_groups:
            assert group["lr"] == 0.5
            decays[group["weight_decay"]] = decays.get(group["weight_decay"], 0) + sum(
                weight.numel() for weight in group["params"]
            )
            assert all(weight.dtype == torch.float32 for weight in group["params"])
        vectors = sum(weight.numel() for weight in bare.parameters() if weight.dim() == 1)
        matrices = sum(weight.numel() for weight in bare.parameters() if weight.dim() > 1)
    assert decays == {0.0: vectors, 0.1: matrices}
    assert model.module is bare
