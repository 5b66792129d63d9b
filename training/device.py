"""The only module that decides whether this run uses GPUs (NCCL) or the CPU (gloo)."""

from __future__ import annotations

import importlib.util
import logging
import os
import warnings

import torch

from training import megatron_on_cpu

# Warnings at every start without Transformer Engine, or by torch about Megatron; users can do nothing about them.
_NOISE = (
    "Transformer Engine and Apex are not installed",
    "Apex is not installed",
    "full scope is deprecated",
    "The .grad attribute of a Tensor that is not a leaf",
    r".*all_gather_into_tensor` is deprecated",
    r".*reduce_scatter_tensor` is deprecated",
    "`load_state_dict` is deprecated",
    "Please use DTensor instead",
    "If you are using transformer_engine as the transformer implementation",
    "torch.distributed.reduce_op is deprecated",
)


def on_gpu() -> bool:
    """True if torch sees a GPU."""
    return torch.cuda.is_available()


def has_transformer_engine() -> bool:
    """True if Transformer Engine is available for layers, attention and AdamW."""
    return on_gpu() and importlib.util.find_spec("transformer_engine") is not None


def backend() -> str:
    """The backend of torch.distributed."""
    return "nccl" if on_gpu() else "gloo"


def local_device() -> torch.device:
    """This rank's device; on GPUs it also becomes torch's current one."""
    if not on_gpu():
        return torch.device("cpu")
    index = int(os.environ.get("LOCAL_RANK", "0"))
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


def prepare_megatron() -> None:
    """Silence useless warnings and, without a GPU, install the import hook. Call this before Megatron is imported."""
    # Megatron's tensor and sequence parallelism needs this on GPUs before Blackwell; it has no effect elsewhere.
    os.environ.setdefault("CUDA_DEVICE_MAX_CONNECTIONS", "1")
    for message in _NOISE:
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("megatron.core.rerun_state_machine").setLevel(logging.ERROR)
    # "No CUDA runtime is found": from PyTorch's CUDA build on a machine with nvcc and without a GPU, once per rank.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    if not on_gpu():
        megatron_on_cpu.install()
