"""Initial weights that depend only on the seed: not on TP or PP, not on CPU or GPU.

Megatron's own initialisation gives different weights with PP and, on GPUs, also with TP. Here each tensor is drawn as a
whole by a CPU generator seeded with (seed, name in the checkpoint, layer), and each rank keeps its slice. Every rank
draws all tensors of which it holds a part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import xxhash
from megatron.core import parallel_state
from megatron.core.dist_checkpointing.dict_utils import nested_values
from megatron.core.dist_checkpointing.mapping import ShardedTensor, apply_factories

_INTO_RESIDUAL = ("self_attention.linear_proj.weight", "mlp.linear_fc2.weight")
_VOCABULARY = ("embedding.word_embeddings.weight", "output_layer.weight")


@torch.no_grad()
def initialise(model: torch.nn.Module, *, seed: int, std: float, layers: int, vocab_size: int) -> None:
    """Draw all weights of this rank in place.

    Matrices are normal with `std`; those that write into the residual stream with std / sqrt(2 layers) (Megatron-LM,
    arXiv 1909.08053, section 5.1, after GPT-2). Norm weights are ones; padding rows of the vocabulary are zeros.
    """
    for tensor in sharded_tensors(model):
        if tensor.data is None or not tensor.data.is_floating_point():
            continue
        stacked = tensor.prepend_axis_num
        if len(tensor.global_shape) - stacked < 2:
            tensor.data.fill_(1.0)
            continue
        layer = tensor.global_offset[:stacked]
        generator = torch.Generator().manual_seed(
            xxhash.xxh3_64_intdigest(f"{seed}/{tensor.key}/{layer}".encode()) >> 1
        )
        scale = std / math.sqrt(2.0 * layers) if tensor.key.endswith(_INTO_RESIDUAL) else std
        whole = torch.empty(tensor.global_shape[stacked:], dtype=torch.float32).normal_(0.0, scale, generator=generator)
        if tensor.key in _VOCABULARY:
            whole[vocab_size:] = 0.0
        tensor.data.copy_(slice_of(whole, tensor))


def sharded_tensors(model: torch.nn.Module) -> Iterator[ShardedTensor]:
    """This rank's weights with their place in the whole model; the gate and up projections of SwiGLU are separate."""
    state = model.sharded_state_dict(
        metadata={"dp_cp_group": parallel_state.get_data_parallel_group(with_context_parallel=True)}
    )  # type: ignore[operator]
    apply_factories(state)
    return (value for value in nested_values(state) if isinstance(value, ShardedTensor))


def slice_of(whole: torch.Tensor, tensor: ShardedTensor) -> torch.Tensor:
    """The part of one layer's whole tensor that this rank holds."""
    stacked = tensor.prepend_axis_num
    for dimension, (start, length) in enumerate(zip(tensor.global_offset[stacked:], tensor.local_shape, strict=True)):
        whole = whole.narrow(dimension, start, length)
    return whole
