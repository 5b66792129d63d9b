"""Layers that Megatron lacks without Transformer Engine: RMSNorm, and attention that supports context parallelism."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from megatron.core import parallel_state
from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
from megatron.core.tensor_parallel.mappings import gather_from_sequence_parallel_region
from megatron.core.transformer.module import MegatronModule
from megatron.core.transformer.transformer_block import TransformerBlockSubmodules, get_num_layers_to_build
from torch.nn.attention.bias import causal_lower_right


class RMSNorm(torch.nn.RMSNorm):
    """torch's RMSNorm (arXiv 1910.07467).

    Its attribute `sequence_parallel` makes Megatron sum the weight's gradient over sequence-parallel ranks.
    """

    def __init__(self, config: Any, hidden_size: int, eps: float = 1e-5, **_: Any) -> None:
        super().__init__(
            hidden_size, eps=eps, dtype=config.params_dtype, device=None if config.use_cpu_initialization else "cuda"
        )
        setattr(self.weight, "sequence_parallel", config.sequence_parallel)  # noqa: B010  (read by finalize_model_grads)


class CausalAttention(MegatronModule):  # type: ignore[misc]
    """Attention of each position to itself and earlier positions, by torch's scaled_dot_product_attention; no dropout.

    With context parallelism, keys and values of all ranks are gathered (backward: reduce-scattered), and this rank's
    two chunks of queries attend to the keys before them. Chunks are placed as by Transformer Engine and
    `get_batch_on_this_cp_rank`: of 2n chunks, rank r holds chunks r and 2n-1-r.
    """

    def __init__(
        self,
        config: Any,
        layer_number: int,
        attn_mask_type: Any,
        attention_type: str,
        softmax_scale: float | None = None,
        pg_collection: Any = None,
        **_: Any,
    ) -> None:
        super().__init__(config=config)
        self.scale = softmax_scale
        self.context = pg_collection.cp if pg_collection is not None else parallel_state.get_context_parallel_group()

    def forward(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: object, **_: Any
    ) -> torch.Tensor:
        """Map query [s, b, heads, d], key and value [s, b, kv_heads, d] of this rank to [s, b, heads * d]."""
        length, batch, heads, head = query.shape
        queries = query.permute(1, 2, 0, 3)
        if self.context.size() == 1:
            out = F.scaled_dot_product_attention(
                queries,
                key.permute(1, 2, 0, 3),
                value.permute(1, 2, 0, 3),
                is_causal=True,
                enable_gqa=heads != key.shape[2],
                scale=self.scale,
            )
        else:
            out = self._over_ranks(queries, key, value)
        return out.permute(2, 0, 1, 3).reshape(length, batch, heads * head)

    def _over_ranks(self, queries: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        ranks, rank, chunk = self.context.size(), self.context.rank(), key.shape[0] // 2
        gathered = gather_from_sequence_parallel_region(torch.cat([key, value], -1), group=self.context)
        natural = [2 * j if j < ranks else 2 * (2 * ranks - 1 - j) + 1 for j in range(2 * ranks)]
        ordered = gathered.view(2 * ranks, chunk, *gathered.shape[1:])[natural].flatten(0, 1).permute(1, 2, 0, 3)
        # causal_lower_right does not support grouped keys on every device, so each group's keys are repeated for its
        # heads.
        keys, values = ordered.repeat_interleave(queries.shape[1] // ordered.shape[1], dim=1).split(key.shape[-1], -1)
        halves = []
        for half, number in enumerate((rank, 2 * ranks - 1 - rank)):
            seen = (number + 1) * chunk
            asking = queries[:, :, half * chunk : (half + 1) * chunk]
            halves.append(
                F.scaled_dot_product_attention(
                    asking,
                    keys[:, :, :seen],
                    values[:, :, :seen],
                    attn_mask=causal_lower_right(chunk, seen),
                    scale=self.scale,
                )
            )
        return torch.cat(halves, 2)


def local_block(config: Any) -> TransformerBlockSubmodules:
    """Megatron's transformer block without Transformer Engine: its parallel linear layers, with the
    two modules above.
    """
    layer = get_gpt_layer_local_spec(normalization="RMSNorm")
    layer.submodules.input_layernorm = layer.submodules.pre_mlp_layernorm = RMSNorm
    layer.submodules.self_attention.submodules.core_attention = CausalAttention
    return TransformerBlockSubmodules(layer_specs=[layer] * get_num_layers_to_build(config), layer_norm=RMSNorm)
