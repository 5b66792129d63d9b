"""`gristmill generate`."""

from __future__ import annotations

from typing import Annotated

import typer

from gristmill.options import Json, RunFolder
from gristmill.output import console, print_json, say_line
from storage.files import absolute
from storage.processes import check_working_folder


def generate(
    folder: RunFolder,
    prompt: Annotated[str, typer.Option("--prompt", help="text to continue")] = "",
    tokens: Annotated[int, typer.Option("--tokens", min=1)] = 64,
    temperature: Annotated[float, typer.Option("--temperature", min=0.0, help="0 takes the most likely token")] = 0.8,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1)] = 50,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    checkpoint: Annotated[int | None, typer.Option("--checkpoint", metavar="STEP", help="default: the newest")] = None,
    json: Json = False,
) -> None:
    """Sample text from a checkpoint."""
    check_working_folder()  # MKL, which torch loads, ends the process without one
    from training import generate as sampling

    text = sampling.generate(
        absolute(folder),
        prompt,
        checkpoint=checkpoint,
        tokens=tokens,
        temperature=temperature,
        top_k=top_k,
        seed=seed,
        say=say_line,
    )
    if json:
        print_json({"prompt": prompt, "text": text})
    else:
        console.print(text)
