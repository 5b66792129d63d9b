"""The tokenizer of imported tokens: a SentencePiece model in, what shards say of it and its step in the folder out."""

from __future__ import annotations

import hashlib

from manifests.base import sha256_of
from manifests.errors import GristmillError
from manifests.step import Output
from shards.format import TokenizerInfo
from shards.import_bounds import Boundaries, Special
from storage.files import join, publish
from storage.steps import done_step, finish_step, is_whole

MODEL = "tokenizer.model"
STEP = "tokenizer"


def tokenizer_of(model: bytes, boundaries: Boundaries, *, where: str) -> tuple[TokenizerInfo, Special]:
    """What shards say of a model whose documents are bounded so, and the bounds that it has.

    Args:
        model: contents of the file at `where`.

    Raises:
        GristmillError: this is not a SentencePiece model, or it has no such bound.
    """
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor()
    try:
        pieces.LoadFromSerializedProto(model)
    except RuntimeError as error:
        raise GristmillError(
            f"is not a SentencePiece model: {error}",
            where=where,
            remedy="give the .model file that wrote the tokens; no other kind of tokenizer can be imported",
        ) from None
    special = Special(*(None if identity < 0 else identity for identity in (pieces.bos_id(), pieces.eos_id())))
    for name, identity in special._asdict().items():
        if name in boundaries and identity is None:
            raise GristmillError(
                f"the tokenizer has no {name} token", where=where, remedy=f"declare --boundaries without {name}"
            )
    info = TokenizerInfo(
        sha256=hashlib.sha256(model).hexdigest(),
        vocab_size=pieces.GetPieceSize(),
        bos_id=special.bos if "bos" in boundaries else None,
        eos_id=special.eos if "eos" in boundaries else None,
    )
    return info, special


def publish_tokenizer(model: bytes, info: TokenizerInfo, *, out: str) -> str:
    """Publish the model where `gristmill prep` would; the digest of its step."""
    folder = join(out, STEP)
    done = done_step(folder)
    inputs = {"model": sha256_of(model.hex())}
    if done is not None and done.inputs == inputs and is_whole(folder, done):
        return done.digest
    publish(join(folder, MODEL), model)
    output = Output(path=MODEL, sha256=info.sha256, bytes=len(model), rows=info.vocab_size)
    return finish_step(
        folder, step=STEP, settings={"imported": True}, inputs=inputs, tasks=(), published=[output]
    ).digest
