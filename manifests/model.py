"""The model manifest: the shape of a Llama-2-style decoder, and the presets.

The four Llama 2 sizes are those of arXiv 2307.09288, table 1, and of Meta's released `params.json` (for 34B, Code
Llama's); `parameters` reproduces their published parameter counts exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from manifests.base import Strict, load
from manifests.errors import GristmillError


class ModelManifest(Strict):
    """`kind: model`, version 1: pre-norm RMSNorm, SwiGLU, rotary positions, grouped-query
    attention, untied, no biases.
    """

    kind: Literal["model"] = "model"
    version: Literal[1] = 1
    name: str
    layers: int = Field(ge=1)
    hidden: int = Field(ge=8)
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    ffn: int = Field(ge=8)
    max_sequence: int = Field(4096, ge=8)
    rope_theta: float = Field(10_000.0, gt=0)
    norm_eps: float = Field(1e-5, gt=0)
    init_std: float = Field(
        0.02, gt=0, description="our choice, as in Megatron-LM: the Llama papers do not state theirs"
    )

    @model_validator(mode="after")
    def _divides(self) -> ModelManifest:
        if self.hidden % self.heads:
            raise ValueError(f"hidden ({self.hidden}) must be a multiple of heads ({self.heads})")
        if self.heads % self.kv_heads:
            raise ValueError(f"heads ({self.heads}) must be a multiple of kv_heads ({self.kv_heads})")
        if (self.hidden // self.heads) % 2:
            raise ValueError("hidden / heads must be even: rotary positions turn pairs")
        return self

    def parameters(self, vocab_size: int) -> int:
        """Number of weights with an untied vocabulary of `vocab_size`."""
        head = self.hidden // self.heads
        attention = self.hidden * head * (2 * self.heads + 2 * self.kv_heads)
        layer = attention + 3 * self.hidden * self.ffn + 2 * self.hidden
        return self.layers * layer + 2 * vocab_size * self.hidden + self.hidden


def _preset(
    name: str, layers: int, hidden: int, heads: int, kv_heads: int, ffn: int, max_sequence: int = 4096
) -> ModelManifest:
    return ModelManifest(
        name=name, layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads, ffn=ffn, max_sequence=max_sequence
    )


PRESETS = {
    preset.name: preset
    for preset in (
        _preset("tiny", 4, 128, 8, 4, 352, 512),
        _preset("60M", 8, 512, 8, 8, 1_408, 2048),
        _preset("150M", 12, 768, 12, 12, 2_048, 2048),
        _preset("1B", 22, 2_048, 32, 4, 5_632),
        _preset("llama2-7b", 32, 4_096, 32, 32, 11_008),
        _preset("llama2-13b", 40, 5_120, 40, 40, 13_824),
        _preset("llama2-34b", 48, 8_192, 64, 8, 22_016),
        _preset("llama2-70b", 80, 8_192, 64, 8, 28_672),
    )
}


def load_model(value: str, *, folder: Path) -> ModelManifest:
    """A preset by its name, or a model manifest by its path relative to `folder`."""
    if value in PRESETS:
        return PRESETS[value]
    if not value.endswith((".yaml", ".yml")):
        raise GristmillError(
            f"no model preset `{value}`",
            where="model",
            remedy=f"use one of {', '.join(PRESETS)}, or the path of a model manifest (.yaml)",
        )
    return load(folder / value, ModelManifest)
