"""Every layout gives the same losses, gradient norms and samples, even if a run changes its layout on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from manifests.run import Layout
from shards.order import order_from_json
from shards.reader import open_shards
from shards.samples import samples
from tests.training.data import make_run, metrics, unigram_entropy, write_run
from tests.training.ranks import run_many
from training.batches import combined, fingerprint
from training.checkpoint import folder_of, load_weights
from training.loop import train
from training.model import build_model, megatron_config
from training.parallel import one_rank
from training.record import read_record

TWO_RANKS: dict[str, dict[str, Any]] = {
    "tp2": {"layout": {"tensor": 2}},
    "tp2-sequence": {"layout": {"tensor": 2, "sequence_parallel": True}},
    "pp2": {"layout": {"pipeline": 2}},
    "dp2": {},
    "cp2": {"layout": {"context": 2}},
    "dp2-distributed": {"optimizer": {"distributed": True, "overlap": True, "bucket_parameters": 5_000}},
}
FOUR_RANKS: dict[str, dict[str, Any]] = {
    "tp2-pp2": {"layout": {"tensor": 2, "pipeline": 2}},
    "tp2-dp2-distributed": {"layout": {"tensor": 2, "sequence_parallel": True}, "optimizer": {"distributed": True}},
}
DISTRIBUTED = {"distributed": True, "overlap": True, "bucket_parameters": 5_000}


@pytest.fixture(scope="module")
def two_ranks(folder: Path, corpus: tuple[Path, np.ndarray]) -> Path:
    """All runs of two ranks, among them those that are stopped after step 10 and go on under another layout."""
    arguments = [str(write_run(folder, name=name, data=corpus[0], **settings)) for name, settings in TWO_RANKS.items()]
    moves: list[tuple[str, Any, Any, Any]] = [
        ("moved", {"tensor": 2}, {"pipeline": 2}, {}),
        ("moved-distributed", {}, {"tensor": 2}, DISTRIBUTED),
    ]
    for name, first, then, optimizer in moves:
        start = write_run(folder, name=name, data=corpus[0], layout=first, optimizer=optimizer).rename(
            folder / f"{name}-start.yaml"
        )
        arguments += [
            f"{start}@10",
            str(write_run(folder, name=name, data=corpus[0], layout=then, optimizer=optimizer)),
        ]
    run_many(*arguments, ranks=2)
    return folder


@pytest.fixture(scope="module")
def four_ranks(folder: Path, corpus: tuple[Path, np.ndarray]) -> Path:
    run_many(
        *(str(write_run(folder, name=name, data=corpus[0], **settings)) for name, settings in FOUR_RANKS.items()),
        ranks=4,
    )
    return folder


@pytest.fixture(scope="module")
def three_ranks(folder: Path, corpus: tuple[Path, np.ndarray]) -> Path:
    """Buckets that three ranks cannot divide evenly: Megatron pads them."""
    arguments = [
        str(write_run(folder, name="dp3", data=corpus[0], optimizer=DISTRIBUTED, global_batch=12, tokens=20 * 12 * 32))
    ]
    stopped = write_run(
        folder, name="dp3-resumed", data=corpus[0], optimizer=DISTRIBUTED, global_batch=12, tokens=20 * 12 * 32
    )
    run_many(*arguments, f"{stopped}@10", str(stopped), ranks=3)
    return folder


def differences(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> tuple[float, float]:
    """Largest difference of losses and of gradient norms."""
    assert [line["step"] for line in one] == [line["step"] for line in other] == list(range(20))
    return (
        max(abs(a["loss"] - b["loss"]) for a, b in zip(one, other, strict=True)),
        max(abs(a["grad_norm"] - b["grad_norm"]) for a, b in zip(one, other, strict=True)),
    )


@pytest.mark.parametrize("name", TWO_RANKS)
def test_two_ranks(name: str, alone: Path, two_ranks: Path) -> None:
    _same(metrics(alone), metrics(two_ranks / name))


@pytest.mark.parametrize("name", FOUR_RANKS)
def test_four_ranks(name: str, alone: Path, four_ranks: Path) -> None:
    _same(metrics(alone), metrics(four_ranks / name))


@pytest.mark.parametrize("name", ["moved", "moved-distributed"])
def test_another_layout_goes_on_with_the_same_losses(name: str, alone: Path, two_ranks: Path) -> None:
    _same(metrics(alone), metrics(two_ranks / name))


def _same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    loss, norm = differences(one, other)
    assert loss < 1e-5
    assert norm < 1e-4
    assert [line["samples_xxh3"] for line in one] == [line["samples_xxh3"] for line in other]
    assert len({line["samples_xxh3"] for line in one}) == 20


def test_distributed_optimizer_resumes_exactly_with_padded_buckets(three_ranks: Path) -> None:
    assert [line["loss"] for line in metrics(three_ranks / "dp3-resumed")] == [
        line["loss"] for line in metrics(three_ranks / "dp3")
    ]


def test_distributed_optimizer_goes_on_alone(three_ranks: Path, corpus: tuple[Path, np.ndarray]) -> None:
    """The checkpoint that three ranks wrote after step 10, continued by one rank."""
    for newer in (three_ranks / "dp3-resumed" / "checkpoints").glob("step-00000020"):
        (newer / "_MANIFEST.json").unlink()
    run = make_run(
        three_ranks, name="dp3-resumed", data=corpus[0], optimizer=DISTRIBUTED, global_batch=12, tokens=20 * 12 * 32
    )
    said: list[str] = []
    train(run, say=said.append)
    assert any("step-00000020" in line and "not used" in line for line in said)
    assert any("resumed after step 10" in line and "data 3" in line for line in said)
    loss, _ = differences(metrics(three_ranks / "dp3"), metrics(three_ranks / "dp3-resumed"))
    assert loss < 1e-4


def test_recorded_samples_are_those_of_the_order(alone: Path, corpus: tuple[Path, np.ndarray]) -> None:
    shards, order = open_shards(str(corpus[0] / "shards")), order_from_json((alone / "order.json").read_text())
    for line in metrics(alone):
        fed = fingerprint(samples(shards, order, line["step"] * 8, 8))
        assert combined(fed.low, fed.high) == line["samples_xxh3"]


def test_fingerprint_depends_on_the_samples_alone() -> None:
    windows = np.random.default_rng(0).integers(0, 100, (6, 33))
    whole, one, two = (fingerprint(part) for part in (windows, windows[[4, 0]], windows[[2, 5, 3, 1]]))
    assert combined(whole.low, whole.high) == combined(one.low + two.low, one.high + two.high)
    changed = windows.copy()
    changed[3, 7] += 1
    assert fingerprint(changed) != whole


def test_the_loss_falls_below_the_unigram_entropy(folder: Path, corpus: tuple[Path, np.ndarray]) -> None:
    run = make_run(folder, name="longer", data=corpus[0], tokens=150 * 8 * 32, log_every=10)
    result = train(run)
    lines = metrics(Path(run.out))
    assert [line["step"] for line in lines] == list(range(9, 150, 10))
    # The chain's own entropy is log 4 = 1.39; its tokens' is 4.4.
    assert unigram_entropy(corpus[1]) > 4
    assert result.loss < 2.0 < unigram_entropy(corpus[1]) - 2
    assert lines[-1]["loss"] == result.loss
    assert (
        json.loads((Path(run.out) / "run.json").read_text())["data_digest"]
        == open_shards(str(corpus[0] / "shards")).manifest.digest
    )


@pytest.mark.parametrize("name", [*TWO_RANKS, *FOUR_RANKS])
def test_checkpoints_hold_the_same_weights(name: str, alone: Path, two_ranks: Path, four_ranks: Path) -> None:
    """Read on one rank, whatever layout wrote them; overlapped gathering must not have left stale ones."""
    ours, theirs = (_weights(folder) for folder in (alone, two_ranks / name))
    assert ours.keys() == theirs.keys()
    for key, weight in ours.items():
        assert (weight - theirs[key]).abs().max() < 1e-5, key


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    run, info = read_record(str(folder))
    with one_rank() as ranks:
        config = megatron_config(run.model, Layout(), precision="fp32")
        model = build_model(run.model, config, vocab_size=info.vocab_size, seed=None, device=ranks.device)
        load_weights(folder_of(str(folder), 20), model)
        return {name: weight.detach().clone() for name, weight in model.named_parameters()}
