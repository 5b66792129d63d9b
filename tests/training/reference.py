"""A slow, plain Llama (arXiv 2307.09288, section 2.2) with Megatron's weights: the reference for the parallel model."""

from __future__ import annotations

import torch

from manifests.model import ModelManifest

Weights = dict[str, torch.Tensor]


def logits_of(weights: Weights, tokens: torch.Tensor, model: ModelManifest) -> torch.Tensor:
    """Tokens int64[b, s] to logits float32[b, s, rows of the output layer]."""
    hidden = weights["embedding.word_embeddings.weight"][tokens]
    for layer in range(model.layers):
        name = f"decoder.layers.{layer}."
        hidden = hidden + _attention(
            rms_norm(hidden, weights[name + "input_layernorm.weight"], model.norm_eps), weights, name, model
        )
        hidden = hidden + _swiglu(
            rms_norm(hidden, weights[name + "pre_mlp_layernorm.weight"], model.norm_eps), weights, name
        )
    return (
        rms_norm(hidden, weights["decoder.final_layernorm.weight"], model.norm_eps) @ weights["output_layer.weight"].T
    )


def rms_norm(hidden: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return hidden / (hidden.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight


def _attention(hidden: torch.Tensor, weights: Weights, name: str, model: ModelManifest) -> torch.Tensor:
    batch, length, _ = hidden.shape
    head = model.hidden // model.heads
    per_group = model.heads // model.kv_heads
    # Megatron keeps the rows by group: the queries of a group, its key, its value.
    grouped = (hidden @ weights[name + "self_attention.linear_qkv.weight"].T).view(
        batch, length, model.kv_heads, per_group + 2, head
    )
    mixed = torch.zeros(batch, length, model.heads, head)
    for number in range(model.heads):
        group, place = divmod(number, per_group)
        query, key = (rotate(grouped[:, :, group, at], model.rope_theta) for at in (place, per_group))
        scores = query @ key.transpose(1, 2) / head**0.5
        scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), float("-inf"))
        mixed[:, :, number] = scores.softmax(-1) @ grouped[:, :, group, per_group + 1]
    return mixed.flatten(2) @ weights[name + "self_attention.linear_proj.weight"].T


def rotate(vectors: torch.Tensor, theta: float) -> torch.Tensor:
    """Rotary positions (arXiv 2104.09864): element i of each half turns with that of the other, by position *
    theta^(-2i/d).
    """
    _, length, size = vectors.shape
    angles = torch.arange(length)[:, None] * theta ** (-torch.arange(0, size, 2) / size)
    first, second = vectors.chunk(2, -1)
    return torch.cat([first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], -1)


def _swiglu(hidden: torch.Tensor, weights: Weights, name: str) -> torch.Tensor:
    gate, up = (hidden @ weights[name + "mlp.linear_fc1.weight"].T).chunk(2, -1)
    return (gate * gate.sigmoid() * up) @ weights[name + "mlp.linear_fc2.weight"].T
