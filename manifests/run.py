"""The run manifest: one training run, from token shards to checkpoints.

Defaults are Llama 2's (arXiv 2307.09288, section 2.2): AdamW with beta 0.9 and 0.95, eps 1e-5, weight decay 0.1,
gradient clip 1.0, cosine schedule with 2,000 warm-up steps down to 10 % of the peak, a global batch of 4M tokens.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from manifests.base import Strict, load
from manifests.errors import GristmillError
from manifests.mixture import MixtureManifest, load_mixture
from manifests.model import ModelManifest, load_model


class Layout(Strict):
    """How the ranks are arranged. The data-parallel size is ranks / (tensor x pipeline x context)."""

    tensor: int = Field(1, ge=1)
    pipeline: int = Field(1, ge=1)
    context: int = Field(1, ge=1)
    sequence_parallel: bool = Field(
        False, description="shard activations along the sequence between tensor-parallel ranks"
    )


class Optimizer(Strict):
    peak_lr: float = Field(3e-4, gt=0)
    beta1: float = Field(0.9, ge=0, lt=1)
    beta2: float = Field(0.95, ge=0, lt=1)
    eps: float = Field(1e-5, gt=0)
    weight_decay: float = Field(0.1, ge=0)
    clip_grad: float = Field(1.0, ge=0, description="global gradient norm; 0 turns clipping off")
    distributed: bool = Field(False, description="shard the optimizer state over the data-parallel ranks")
    overlap: bool = Field(
        False, description="reduce gradients (and with `distributed` gather weights) during computation; for GPUs"
    )
    bucket_parameters: int | None = Field(
        None, ge=1, description="weights per gradient bucket when overlapping; null: Megatron's choice"
    )


class Schedule(Strict):
    warmup_steps: int = Field(2_000, ge=0)
    final_lr_ratio: float = Field(0.1, ge=0, le=1)


class Checkpointing(Strict):
    every_steps: int = Field(1_000, ge=1)
    keep: int = Field(2, ge=1, description="how many of the newest checkpoints stay on disk")


class RunManifest(Strict):
    """`kind: run`, version 1."""

    kind: Literal["run"] = "run"
    version: Literal[1] = 1
    name: str
    seed: int = Field(0, ge=0, lt=2**63)
    data: str = Field(description="folder that `gristmill prep` wrote, relative to the manifest")
    out: str = Field(description="folder for checkpoints and metrics, relative to the manifest")
    model: str | ModelManifest = "tiny"
    mixture: str | MixtureManifest = MixtureManifest()
    layout: Layout = Layout()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    sequence: int = Field(4096, ge=8, description="tokens per sample")
    global_batch: int = Field(1024, ge=1, description="samples per optimizer step, over all ranks")
    micro_batch: int = Field(1, ge=1, description="samples per forward pass of one rank")
    tokens: int = Field(
        2_000_000_000_000,
        ge=1,
        description="tokens to train on; steps = tokens / (global_batch x sequence), rounded up",
    )
    precision: Literal["fp32", "bf16"] = "fp32"
    checkpoint: Checkpointing = Checkpointing()
    log_every: int = Field(1, ge=1, description="steps between two lines of metrics.jsonl")

    @model_validator(mode="after")
    def _batches(self) -> RunManifest:
        if self.global_batch % self.micro_batch:
            raise ValueError(
                f"global_batch ({self.global_batch}) must be a multiple of micro_batch ({self.micro_batch})"
            )
        return self

    @property
    def steps(self) -> int:
        return -(-self.tokens // (self.global_batch * self.sequence))


class Run(Strict):
    """A run manifest with everything it refers to loaded and every path absolute."""

    manifest: RunManifest
    model: ModelManifest
    mixture: MixtureManifest
    data: str
    out: str


def load_run(path: str | Path) -> Run:
    """Load a run manifest and what it refers to.

    Raises:
        GristmillError: a manifest cannot be read, a preset is unknown, or the sequence is longer than the model allows.
    """
    manifest = load(path, RunManifest)
    folder = Path(path).resolve().parent
    model = load_model(manifest.model, folder=folder) if isinstance(manifest.model, str) else manifest.model
    mixture = load_mixture(folder / manifest.mixture) if isinstance(manifest.mixture, str) else manifest.mixture
    if manifest.sequence > model.max_sequence:
        raise GristmillError(
            f"sequence ({manifest.sequence}) is longer than model {model.name} allows ({model.max_sequence})",
            where=str(path),
            remedy="shorten `sequence` or raise the model's `max_sequence`",
        )
    return Run(
        manifest=manifest,
        model=model,
        mixture=mixture,
        data=_absolute(folder, manifest.data),
        out=_absolute(folder, manifest.out),
    )


def _absolute(folder: Path, path: str) -> str:
    return path if "://" in path else str((folder / path).resolve())
