"""The module that Megatron's sources see in place of `torch.cuda` on a machine without GPUs (see `megatron_on_cpu`).

It has only what training, checkpoints and sampling of a dense GPT use. Anything else raises an AttributeError with its
name. The CPU has one random generator, so "the CUDA generator" is torch's default generator.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

# Used only in annotations, in isinstance checks and in `from torch.cuda import …`.
from torch.cuda import BFloat16Tensor, Event, FloatTensor, HalfTensor, Stream, device, nvtx  # type: ignore[attr-defined]

__all__ = [
    "BFloat16Tensor",
    "Event",
    "FloatTensor",
    "HalfTensor",
    "Stream",
    "current_device",
    "default_generators",
    "device",
    "empty_cache",
    "get_rng_state",
    "is_available",
    "manual_seed",
    "nvtx",
    "random",
    "set_rng_state",
    "synchronize",
]


def current_device() -> torch.device:
    return torch.device("cpu")


def is_available() -> bool:
    return False


def synchronize(device: object = None) -> None:
    """Nothing runs asynchronously."""


def empty_cache() -> None:
    """There is no allocator cache."""


def manual_seed(seed: int) -> None:
    torch.default_generator.manual_seed(seed)


def get_rng_state(device: object = None) -> torch.Tensor:
    return torch.get_rng_state()


def set_rng_state(state: torch.Tensor, device: object = None) -> None:
    torch.set_rng_state(state)


class random:
    """Replaces the module `torch.cuda.random`."""

    get_rng_state = staticmethod(get_rng_state)


class _Generators:
    """Replaces the tuple of one generator per GPU."""

    def __getitem__(self, index: int) -> torch.Generator:
        return torch.default_generator


default_generators = _Generators()


def _lazy_call(callback: Callable[[], None]) -> None:
    callback()


def _lazy_init() -> None:
    """There is nothing to initialise."""
