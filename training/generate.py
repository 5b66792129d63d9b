"""Sampling: a run's folder and a prompt in, text out. Runs in one process, whatever layout wrote the checkpoint.

For every token the whole context runs through the model again: there is no key-value cache yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import sentencepiece
import torch
from megatron.core.models.gpt import GPTModel

from manifests.errors import GristmillError
from manifests.run import Layout
from shards.format import TokenizerInfo
from storage.files import join, read_bytes
from training.checkpoint import complete, damaged_files, folder_of, load_weights, newest_whole
from training.model import build_model, megatron_config
from training.parallel import one_rank
from training.record import read_record


def generate(
    folder: str,
    prompt: str,
    *,
    checkpoint: int | None = None,
    tokens: int = 64,
    temperature: float = 0.8,
    top_k: int | None = 50,
    seed: int = 0,
    say: Callable[[str], None] | None = None,
) -> str:
    """Continue a prompt.

    Args:
        folder: a run's `out`.
        checkpoint: step of the checkpoint; None for the newest.
        tokens: maximum number of tokens; sampling ends earlier at the end of a document.
        temperature: 0 always takes the most likely token.
        top_k: number of most likely tokens to sample from; None for all.
        say: called with a note for each checkpoint that is not used.

    Returns:
        The prompt and its continuation.

    Raises:
        GristmillError: the folder is not a run's, there is no such checkpoint, or the tokenizer is not the run's.
    """
    run, info = read_record(folder)
    model_file = join(run.data, "tokenizer", "tokenizer.model")
    tokenizer = _tokenizer(model_file, info)
    written = tokenizer.encode(prompt)
    context = [*([info.bos_id] if info.bos_id is not None else []), *written]
    if not context:
        raise GristmillError(
            "there is nothing to start from: the run's documents have no beginning-of-text token",
            where="--prompt",
            remedy="give a prompt",
        )
    with one_rank() as ranks, torch.no_grad():
        weights = _checkpoint(folder, checkpoint, say=say or _silent)
        config = megatron_config(run.model, Layout(), precision=run.manifest.precision)
        model = build_model(run.model, config, vocab_size=info.vocab_size, seed=None, device=ranks.device)
        load_weights(weights, model)
        model.eval()
        made = continue_tokens(
            model,
            context,
            tokens=tokens,
            temperature=temperature,
            top_k=top_k,
            seed=seed,
            eos_id=info.eos_id,
            longest=run.model.max_sequence,
            device=ranks.device,
        )
    return str(tokenizer.decode([*written, *made]))


def continue_tokens(
    model: GPTModel,
    context: list[int],
    *,
    tokens: int,
    temperature: float,
    top_k: int | None,
    seed: int,
    eos_id: int | None,
    longest: int,
    device: torch.device,
) -> list[int]:
    """Token ids that follow `context`.

    The model sees at most the last `longest` tokens; draws use a separate CPU generator.
    """
    generator = torch.Generator().manual_seed(seed)
    made: list[int] = []
    while len(made) < tokens:
        seen = [*context, *made][-longest:]
        ids = torch.tensor([seen], dtype=torch.int64, device=device)
        logits = model(ids, torch.arange(len(seen), device=device)[None], None)[0, -1].float().cpu()
        chosen = choose(logits, temperature=temperature, top_k=top_k, generator=generator)
        if chosen == eos_id:
            break
        made.append(chosen)
    return made


def choose(logits: torch.Tensor, *, temperature: float, top_k: int | None, generator: torch.Generator) -> int:
    """One token id from logits float32 [vocabulary]; among equal logits, smaller ids come first."""
    if temperature == 0:
        return int(logits.argmax())
    scaled = logits / temperature
    if top_k is not None:
        order = torch.argsort(scaled, descending=True, stable=True)
        scaled[order[top_k:]] = float("-inf")
    return int(torch.multinomial(scaled.softmax(-1), 1, generator=generator))


def _tokenizer(path: str, info: TokenizerInfo) -> sentencepiece.SentencePieceProcessor:
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != info.sha256:
        raise GristmillError(
            "is not the tokenizer of the run's data", where=path, remedy="restore the prepared corpus of the run"
        )
    return sentencepiece.SentencePieceProcessor(model_proto=data)


def _checkpoint(folder: str, step: int | None, *, say: Callable[[str], None]) -> str:
    if step is None:
        newest = newest_whole(folder, say=say)
        if newest is None:
            raise GristmillError(
                "holds no complete checkpoint", where=folder, remedy="train until the first checkpoint"
            )
        return folder_of(folder, newest.step)
    good, problems = complete(folder)
    named = folder_of(folder, step)
    for manifest in good:
        if manifest.step == step and (names := damaged_files(named, manifest)):
            raise GristmillError(
                f"is damaged ({', '.join(names)})", where=named, remedy="use another checkpoint, or restore this one"
            )
        if manifest.step == step:
            return named
    others = ", ".join(str(manifest.step) for manifest in good)
    raise GristmillError(
        "\n  ".join([f"there is no checkpoint of step {step}", *map(str, problems)]),
        where=folder,
        remedy=f"use one of {others}" if others else "train until the first checkpoint",
    )


def _silent(_: str) -> None:
    pass
