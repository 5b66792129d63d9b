"""The parallel model against a plain Llama on the same weights; initialisation; the padding of the vocabulary."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from manifests.model import PRESETS, ModelManifest
from manifests.run import Layout
from tests.training.data import MODEL, VOCAB
from tests.training.reference import logits_of
from training.model import build_model, megatron_config, padded_vocab
from training.parallel import one_rank

MANIFEST = ModelManifest.model_validate({**MODEL, "rope_theta": 5e5, "init_std": 0.2})


@pytest.fixture
def model() -> Iterator[Any]:
    """One rank's whole model, with norm weights that are not all one."""
    with one_rank() as ranks:
        built = build_model(
            MANIFEST,
            megatron_config(MANIFEST, Layout(), precision="fp32"),
            vocab_size=VOCAB,
            seed=3,
            device=ranks.device,
        )
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for name, weight in built.named_parameters():
                if "norm" in name:
                    weight.normal_(1.0, 0.2, generator=generator)
        yield built


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens, positions and labels [3, 24]."""
    windows = torch.randint(0, VOCAB, (3, 25), generator=torch.Generator().manual_seed(2))
    return windows[:, :-1].contiguous(), torch.arange(24).expand(3, -1).contiguous(), windows[:, 1:].contiguous()


def test_logits_loss_and_gradients_are_a_plain_llamas(model: Any) -> None:
    tokens, positions, labels = batch()
    weights = dict(model.named_parameters())
    wanted = logits_of(weights, tokens, MANIFEST)[..., :VOCAB]
    got = model(tokens, positions, None)
    assert got.shape == (3, 24, padded_vocab(VOCAB))
    assert wanted.abs().max() > 1
    assert (got[..., :VOCAB] - wanted).abs().max() < 1e-4

    loss = model(tokens, positions, None, labels=labels).sum()
    plain = F.cross_entropy(wanted.flatten(0, 1), labels.flatten(), reduction="sum")
    assert abs(float(loss) - float(plain)) < 1e-4 * float(plain)
    gradients, plain_gradients = (torch.autograd.grad(value, list(weights.values())) for value in (loss, plain))
    for name, one, other in zip(weights, gradients, plain_gradients, strict=True):
        assert (one - other).abs().max() < 1e-4 * max(1.0, float(other.abs().max())), name


def test_rows_of_padding_take_no_part(model: Any) -> None:
    tokens, positions, labels = batch()
    before = model(tokens, positions, None, labels=labels).detach()
    with torch.no_grad():
        model.output_layer.weight[VOCAB:] = 50.0
        model.embedding.word_embeddings.weight[VOCAB:] = 50.0
    after = model(tokens, positions, None, labels=labels)
    assert torch.equal(after, before)
    for gradient in torch.autograd.grad(
        after.sum(), [model.output_layer.weight, model.embedding.word_embeddings.weight]
    ):
        assert gradient[VOCAB:].abs().max() == 0 < gradient[:VOCAB].abs().max()
    assert (model(tokens, positions, None)[..., VOCAB:] == float("-inf")).all()


def test_number_of_parameters(model: Any) -> None:
    padding = 2 * (padded_vocab(VOCAB) - VOCAB) * MANIFEST.hidden
    assert sum(weight.numel() for weight in model.parameters()) - padding == MANIFEST.parameters(VOCAB)


def test_initial_weights() -> None:
    manifest = PRESETS["tiny"]
    with one_rank() as ranks:
        config = megatron_config(manifest, Layout(), precision="fp32")
        one, again, other = (
            dict(build_model(manifest, config, vocab_size=1000, seed=seed, device=ranks.device).named_parameters())
            for seed in (0, 0, 1)
        )
    matrices = [name for name, weight in one.items() if weight.dim() > 1]
    for name in matrices:
        weight = one[name][:1000] if "embedding" in name or "output" in name else one[name]
        residual = name.endswith(("linear_proj.weight", "linear_fc2.weight"))
        scale = manifest.init_std / (math.sqrt(2 * manifest.layers) if residual else 1)
        assert float(weight.detach().std()) == pytest.approx(scale, rel=0.03), name
        assert abs(float(weight.detach().mean())) < scale / 20, name
        assert torch.equal(one[name], again[name])
        assert not torch.equal(one[name], other[name])
    assert one["output_layer.weight"][1000:].abs().max() == 0
    assert all(torch.equal(weight, torch.ones_like(weight)) for weight in one.values() if weight.dim() == 1)
    # No two tensors are drawn alike.
    assert len({tuple(one[name].flatten()[:4].tolist()) for name in matrices}) == len(matrices)


@pytest.mark.parametrize(("vocab", "rows"), [(1, 128), (128, 128), (129, 256), (32_000, 32_000), (100_277, 100_352)])
def test_padded_vocab(vocab: int, rows: int) -> None:
    assert padded_vocab(vocab) == rows
