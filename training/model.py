"""Builds this rank's part of Megatron's GPTModel from a model manifest.

The settings are Llama 2's (arXiv 2307.09288, section 2.2). Pre-norm RMSNorm, SwiGLU, rotary positions (halves rotated,
as in transformers' Llama), grouped-query attention, untied embeddings, no biases, no dropout. Embedding and output
layer have `padded_vocab` rows, the same number for every layout, so that checkpoints fit all layouts. The rows beyond
the vocabulary are zero and their logits are minus infinity, so they do not affect loss or gradient.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from megatron.core import parallel_state
from megatron.core.models.gpt import GPTModel
from megatron.core.transformer.transformer_config import TransformerConfig

from manifests.model import ModelManifest
from manifests.run import Layout
from training.device import has_transformer_engine, on_gpu
from training.initialise import initialise
from training.layers import local_block
from training.layout import VOCAB_MULTIPLE

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def padded_vocab(vocab_size: int) -> int:
    """Rows of embedding and output layer: the next multiple of `VOCAB_MULTIPLE`."""
    return -(-vocab_size // VOCAB_MULTIPLE) * VOCAB_MULTIPLE


def megatron_config(model: ModelManifest, layout: Layout, *, precision: Literal["fp32", "bf16"]) -> TransformerConfig:
    """Megatron's settings for a model and a layout.

    Features that need a package that is not installed are off. Fusions by torch.compile are on only for GPUs, since on
    a CPU they cost 20 s of C++ compiler per process.
    """
    dtype, gpu, engine = DTYPES[precision], on_gpu(), has_transformer_engine()
    return TransformerConfig(
        num_layers=model.layers,
        hidden_size=model.hidden,
        num_attention_heads=model.heads,
        num_query_groups=model.kv_heads,
        ffn_hidden_size=model.ffn,
        normalization="RMSNorm",
        layernorm_epsilon=model.norm_eps,
        gated_linear_unit=True,
        activation_func=F.silu,
        add_bias_linear=False,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        # `initialise` draws every weight, but Megatron's initialisation must run too: it marks weights as split over
        # tensor ranks. Without these marks the gradient norm counts only one rank's part of them.
        perform_initialization=True,
        use_cpu_initialization=not gpu,
        init_method=_leave,
        output_layer_init_method=_leave,
        embedding_init_method=_leave,
        tensor_model_parallel_size=layout.tensor,
        pipeline_model_parallel_size=layout.pipeline,
        context_parallel_size=layout.context,
        sequence_parallel=layout.sequence_parallel,
        params_dtype=dtype,
        pipeline_dtype=dtype,
        bf16=precision == "bf16",
        calculate_per_token_loss=True,
        deallocate_pipeline_outputs=True,
        bias_activation_fusion=gpu,
        bias_dropout_fusion=gpu,
        apply_rope_fusion=engine,
        # 'native' fusion rounds the gradient to bf16 even in fp32 runs.
        cross_entropy_loss_fusion=engine,
        cross_entropy_fusion_impl="te",
        # These need Apex.
        gradient_accumulation_fusion=False,
        masked_softmax_fusion=False,
        persist_layer_norm=False,
        cuda_graph_scope=[],
    )


def build_model(
    model: ModelManifest, config: TransformerConfig, *, vocab_size: int, seed: int | None, device: torch.device
) -> GPTModel:
    """This rank's pipeline stage and tensor shard, on its device.

    Args:
        vocab_size: number of token ids, without padding.
        seed: seed of the initial weights; None leaves the weights undefined, for loading a checkpoint.
    """
    built = GPTModel(
        config,
        _block(config),
        vocab_size=padded_vocab(vocab_size),
        max_sequence_length=model.max_sequence,
        position_embedding_type="rope",
        rotary_percent=1.0,
        rotary_base=model.rope_theta,
        share_embeddings_and_output_weights=False,
        parallel_output=True,
        pre_process=parallel_state.is_pipeline_first_stage(),
        post_process=parallel_state.is_pipeline_last_stage(),
    )
    built.to(device)
    if seed is not None:
        initialise(built, seed=seed, std=model.init_std, layers=model.layers, vocab_size=vocab_size)
    if built.post_process:
        _mask_padding(built.output_layer, vocab_size)
    return built


def _leave(weight: torch.Tensor) -> torch.Tensor:
    return weight


def _block(config: TransformerConfig) -> Any:
    if has_transformer_engine():
        from megatron.core.models.gpt.gpt_layer_specs import get_gpt_decoder_block_spec

        return get_gpt_decoder_block_spec(config, use_transformer_engine=True, normalization="RMSNorm")
    return local_block(config)


def _mask_padding(output_layer: torch.nn.Module, vocab_size: int) -> None:
    """Make the logits of padding rows minus infinity. Ranks without padding rows get no hook."""
    rows = int(output_layer.weight.shape[0])  # type: ignore[index]
    real = max(0, min(rows, vocab_size - rows * parallel_state.get_tensor_model_parallel_rank()))
    if real == rows:
        return

    def mask(_: torch.nn.Module, __: object, output: tuple[torch.Tensor, object]) -> tuple[torch.Tensor, object]:
        logits, bias = output
        padding = torch.arange(rows, device=logits.device) >= real
        return logits.masked_fill(padding, float("-inf")), bias

    output_layer.register_forward_hook(mask)
