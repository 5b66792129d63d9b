"""The tokenizer step: copies or trains the SentencePiece model of the corpus.

In: the decisions and documents parts (only if it trains). Out: `OUT/tokenizer/tokenizer.model` and its manifest.
Training reads a hash sample of the kept documents, parts and rows in order. It uses Llama's options (arXiv 2302.13971,
section 2.1: byte-pair encoding, numbers split into digits, bytes for unknown characters) and one thread, so the same
corpus gives the same model.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from manifests.base import sha256_of
from manifests.corpus import CorpusManifest, TokenizerTraining
from manifests.errors import GristmillError
from manifests.step import StepManifest
from pipeline.folders import DECIDE, EXTRACT, TOKENIZER
from pipeline.parts import Part, list_parts
from pipeline.schemas import publish_buffer
from pipeline.tokenize.encoder import load_encoder
from pipeline.tokenize.kept_text import kept_documents
from pipeline.tokenize.tokenizer_training import train_model
from storage.files import join, read_bytes
from storage.steps import begin_step, done_step, finish_step, is_whole, require_step

MODEL = "tokenizer.model"
VERSION = 1


def make_tokenizer(manifest: CorpusManifest, *, out: str) -> StepManifest:
    """Publish the corpus' tokenizer.

    Raises:
        GristmillError: the model of the manifest is missing or unusable, decide is not complete, or there is too little
            text for the vocabulary.
    """
    folder = join(out, TOKENIZER)
    settings = {
        "version": VERSION,
        **manifest.tokenizer.model_dump(mode="json", exclude={"model"}),
        "seed": manifest.seed,
    }
    if manifest.tokenizer.model is not None:
        model = read_bytes(manifest.tokenizer.model)
        inputs = {"model": sha256_of(model.hex())}
    else:
        decided = require_step(join(out, DECIDE), command="gristmill decide")
        inputs = {DECIDE: decided.digest}
    done = done_step(folder)
    same = done is not None and (done.settings, done.inputs, [output.path for output in done.outputs]) == (
        settings,
        inputs,
        [MODEL],
    )
    if done is not None and same and is_whole(folder, done):
        return done
    begin_step(folder)
    if manifest.tokenizer.train is not None:
        if decided.ledger.kept == 0:
            raise GristmillError(
                "there is no text to train a tokenizer with: no document is kept",
                where=join(out, DECIDE),
                remedy=(
                    "`gristmill inspect` says why documents were dropped; mend the corpus manifest and run decide again"
                ),
            )
        model = _train(manifest, manifest.tokenizer.train, out=out)
    encoder = load_encoder(model, engine=manifest.tokenizer.encoder)
    for required, value, name in (
        (manifest.tokenizer.bos, encoder.bos_id, "bos"),
        (manifest.tokenizer.eos, encoder.eos_id, "eos"),
    ):
        if required and value is None:
            raise GristmillError(
                f"the tokenizer has no {name} token",
                where=manifest.tokenizer.model,
                remedy=f"set `tokenizer.{name}: false`",
            )
    output = publish_buffer(folder, MODEL, pa.py_buffer(model), rows=encoder.vocab_size)
    notes = [encoder.note] if encoder.note else []
    return finish_step(
        folder, step=TOKENIZER, settings=settings, inputs=inputs, tasks=(), published=[output], notes=notes
    )


def _train(manifest: CorpusManifest, training: TokenizerTraining, *, out: str) -> bytes:
    parts = list_parts(require_step(join(out, EXTRACT), command="gristmill extract"), manifest)
    share = training.sample_mb * 1e6 / max(1, sum(part.text_bytes for part in parts))
    return train_model(sample_texts(parts, manifest, out=out, share=share), vocab_size=training.vocab_size)


def sample_texts(parts: list[Part], manifest: CorpusManifest, *, out: str, share: float) -> Iterator[str]:
    """Texts of a `share` of the kept documents, chosen by id and seed; independent of workers and of part sizes."""
    threshold = min(1.0, share) * 2.0**64
    key = np.uint64((manifest.seed * 0x9E3779B97F4A7C15 + 0x243F6A8885A308D3) % 2**64)
    filters = manifest.source_filters()
    for part in parts:
        for kept in kept_documents(part, filters=filters[part.source], out=out):
            batch = kept.documents
            ids = np.frombuffer(batch.column("id").buffers()[1], np.uint64)[2 * batch.column("id").offset :].reshape(
                -1, 2
            )[: batch.num_rows, 0]
            chosen = (ids ^ key).astype(np.float64) < threshold
            yield from batch.column("text").filter(pa.array(chosen)).to_pylist()
