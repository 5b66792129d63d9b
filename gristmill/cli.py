"""The command `gristmill`: options in, tables or JSON out, exit status 0 only when the work is done
and accounted for.
"""

from __future__ import annotations

import os
import sys

from gristmill import rooms

# Before anything else is imported: a data folder may hold a `typer.py`, a notebook a folder `training/` beside it.
rooms.leave_working_folder()
try:
    rooms.check_rooms()
except ImportError as foreign:
    sys.exit(f"error: {foreign}")

# ruff: noqa: E402
import traceback
from typing import Annotated

import typer

from gristmill.commands import (
    decide,
    dedup,
    export,
    extract,
    factual,
    generate,
    imports,
    inspect,
    jobs,
    merge_sites,
    mix,
    prep,
    show,
    sites,
    tokenize,
    tokenizer,
    trace,
    train,
    verify,
    worker,
)
from gristmill.output import console, say_error, say_line
from manifests.credentials import CREDENTIAL_REMEDY, credential_in
from manifests.errors import GristmillError
from storage.processes import check_working_folder, protect_children

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="From raw text to a pretrained Llama-2-style language model.",
)


@app.callback()
def _common(debug: Annotated[bool, typer.Option("--debug", help="show tracebacks")] = False) -> None:
    os.environ["GRISTMILL_DEBUG"] = "1" if debug else ""


# In the order of `gristmill --help`.
for command in (
    *(
        prep.prep,
        extract.extract,
        decide.decide,
        tokenize.tokenize,
        worker.worker,
        show.show,
        inspect.inspect,
        sites.sites,
        merge_sites.merge_sites,
        verify.verify,
    ),
    *(train.train, generate.generate, trace.trace),
):
    app.command()(command)
app.add_typer(dedup.app, name="dedup")
app.add_typer(tokenizer.app, name="tokenizer")
app.add_typer(factual.app, name="factual")
app.add_typer(mix.app, name="mix")
app.add_typer(imports.app, name="import")
app.add_typer(export.app, name="export")
app.add_typer(jobs.app, name="jobs")


def main() -> None:
    """Run the command line; errors that a user can act on are printed without a traceback."""
    # Nothing that this process starts, directly or through libraries, imports from the working folder.
    protect_children()
    try:
        _refuse_credentials(sys.argv[1:])
        app()
    except GristmillError as error:
        _fail(error, str(error))
    except BrokenPipeError:
        sys.exit(1)
    except ModuleNotFoundError as error:
        _fail(error, _missing_module(error))
    except Exception as error:
        _fail(error, _working_folder_gone(error) or f"{type(error).__name__}: {error}\n  remedy: {_DEBUG}")


def _refuse_credentials(words: list[str]) -> None:
    """Arguments are visible in the list of processes, and places that they name are written to manifests and logs. A
    prompt names no place.
    """
    for before, word in zip(["", *words], words, strict=False):
        if before != "--prompt" and not word.startswith("--prompt=") and (found := credential_in(word)):
            option = (
                before if before.startswith("--") else word.partition("=")[0] if word.startswith("--") else "arguments"
            )
            raise GristmillError(f"a URL holds {found}", where=option, remedy=CREDENTIAL_REMEDY)


_DEBUG = "run again with `gristmill --debug …` for the traceback"
_TRAINING_MODULES = ("torch", "megatron", "psutil", "tensorboard")


def _missing_module(error: ModuleNotFoundError) -> str:
    group = "train" if (error.name or "").split(".")[0] in _TRAINING_MODULES else "data"
    return (
        f"the module {error.name} is not installed\n  remedy: install Gristmill's group `{group}`, see"
        " docs/installing.md"
    )


def _working_folder_gone(error: Exception) -> str | None:
    """What is wrong with the working folder, if that caused the error: such an error names no file."""
    if isinstance(error, OSError) and error.filename is None:
        try:
            check_working_folder()
        except GristmillError as gone:
            return str(gone)
    return None


def _fail(error: Exception, message: str) -> None:
    console.file.flush()
    if os.environ.get("GRISTMILL_DEBUG"):
        say_line("".join(traceback.format_exception(error)).rstrip())
        sys.exit(1)
    say_error(message)
    sys.exit(1)
