"""The command `gristmill`: options in, tables or JSON out, exit status 0 only when the work is done and accounted for."""

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
from pathlib import Path
from typing import Annotated

import typer

from gristmill import running as data
from gristmill.commands import extract as sampling
from gristmill.commands import inspect as looking
from gristmill.commands import train as models
from gristmill.commands import verify as checking
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
tokenizer_app = typer.Typer(no_args_is_help=True, help="Train or check a tokenizer.")
jobs_app = typer.Typer(help="Long runs: list, follow, cancel.")
mix_app = typer.Typer(no_args_is_help=True, help="Mixtures of buckets.")
app.add_typer(tokenizer_app, name="tokenizer")
app.add_typer(mix_app, name="mix")
app.add_typer(jobs_app, name="jobs")

Corpus = Annotated[Path, typer.Argument(metavar="CORPUS.yaml", help="corpus manifest")]
Out = Annotated[str, typer.Option("--out", metavar="DIR", help="where the prepared corpus goes")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="worker processes of the embedded runner")]
RunnerName = Annotated[
    str | None, typer.Option("--runner", help="embedded (default), portable (Beam's own job service), flink; `--cluster` implies it")
]
Cluster = Annotated[Path | None, typer.Option("--cluster", metavar="CLUSTER.yaml", help="cluster manifest: run there (docs/cluster.md)")]
Detach = Annotated[bool, typer.Option("--detach", help="go on without this terminal; `gristmill jobs` follows and cancels")]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")]

_CORES = os.cpu_count() or 1


@app.callback()
def _common(debug: Annotated[bool, typer.Option("--debug", help="show tracebacks")] = False) -> None:
    os.environ["GRISTMILL_DEBUG"] = "1" if debug else ""


@app.command()
def prep(
    corpus: Corpus,
    out: Out,
    workers: Workers = _CORES,
    runner: RunnerName = None,
    cluster: Cluster = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Raw text to token shards: extract, decide, tokenizer, tokenize. Run it again to go on after an interruption."""
    data.start("prep", corpus, out, runner, workers, cluster, detached=detach, as_json=json)


@app.command()
def extract(
    corpus: Corpus,
    out: Out,
    workers: Workers = _CORES,
    runner: RunnerName = None,
    cluster: Cluster = None,
    sample: Annotated[
        float | None, typer.Option("--sample", metavar="SHARE", help="only this share of the records, as 0.01; predicts the full run")
    ] = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Read raw files once: documents, signals, signatures."""
    if sample is not None:
        sampling.sample(corpus, out, sample, runner, workers, cluster, detached=detach, as_json=json)
        return
    data.start("extract", corpus, out, runner, workers, cluster, detached=detach, as_json=json)


@app.command()
def decide(
    corpus: Corpus,
    out: Out,
    workers: Workers = _CORES,
    runner: RunnerName = None,
    cluster: Cluster = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Keep or drop each document, from its signals and signatures; no text is read again."""
    data.start("decide", corpus, out, runner, workers, cluster, detached=detach, as_json=json)


@app.command()
def tokenize(
    corpus: Corpus,
    out: Out,
    workers: Workers = _CORES,
    runner: RunnerName = None,
    cluster: Cluster = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Kept documents to token shards."""
    data.start("tokenize", corpus, out, runner, workers, cluster, detached=detach, as_json=json)


@app.command()
def worker(
    port: Annotated[int, typer.Option("--port", help="where TaskManagers ask for workers")] = 50000,
    host: Annotated[str, typer.Option("--host", help="address to listen on")] = "127.0.0.1",
) -> None:
    """Serve Python workers to the TaskManager beside this process, until stopped: one of these per TaskManager."""
    from pipeline.engines.worker_pool import serve

    serve(port=port, host=host)


@jobs_app.callback(invoke_without_command=True)
def jobs(context: typer.Context, cluster: Cluster = None, json: Json = False) -> None:
    """Detached commands of this user, and with --cluster the jobs on it."""
    if context.invoked_subcommand is None:
        looking.jobs(cluster, as_json=json)


@jobs_app.command("list")
def jobs_list(cluster: Cluster = None, json: Json = False) -> None:
    """Detached commands of this user, and with --cluster the jobs on it."""
    looking.jobs(cluster, as_json=json)


@jobs_app.command("follow")
def jobs_follow(name: Annotated[str, typer.Argument(help="of a detached command")]) -> None:
    """Print what a detached command prints, until it ends; exit with its status."""
    from gristmill.jobs import find_job, follow

    raise typer.Exit(follow(find_job(name)))


@jobs_app.command("cancel")
def jobs_cancel(
    name: Annotated[str, typer.Argument(help="of a detached command; with --cluster a job's id, or the beginning of its name")],
    cluster: Cluster = None,
) -> None:
    """Stop a detached command and its job on the cluster, or any job of a cluster."""
    looking.cancel_job(name, cluster)


@tokenizer_app.command("train")
def tokenizer_train(corpus: Corpus, out: Out, json: Json = False) -> None:
    """Make the corpus' tokenizer: train it on kept documents, or take the given model."""
    data.one_step("tokenizer", corpus, out, data.runner_from(None, 1, None), as_json=json)


@tokenizer_app.command("check")
def tokenizer_check(model: Annotated[Path, typer.Argument(metavar="TOKENIZER.model")], json: Json = False) -> None:
    """Compare fast encoding with sentencepiece on the probe set."""
    data.check_tokenizer(model, as_json=json)


@app.command()
def show(manifest: Annotated[Path, typer.Argument(metavar="MANIFEST.yaml")], json: Json = False) -> None:
    """Print a manifest (corpus, mixture, model or run) with all its defaults, or a model preset by its name."""
    looking.show(manifest, as_json=json)


@app.command()
def inspect(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="a folder that `prep` or `train` wrote")], json: Json = False
) -> None:
    """What a folder holds: steps, ledgers, buckets, checkpoints."""
    looking.inspect(folder, as_json=json)


@app.command()
def verify(folder: Annotated[str, typer.Argument(metavar="DIR", help="a folder that `prep` or `train` wrote")], json: Json = False) -> None:
    """Read every file against its manifests: hashes, ledgers, rows, shards, checkpoints; says how to mend what it finds."""
    checking.verify(folder, as_json=json)


@mix_app.command("show")
def mix_show(run: Annotated[Path, typer.Argument(metavar="RUN.yaml")], json: Json = False) -> None:
    """Shares wanted and obtained, tokens and epochs of every bucket in a run."""
    models.mix_show(run, as_json=json)


@app.command()
def train(
    run: Annotated[Path, typer.Argument(metavar="RUN.yaml", help="run manifest")],
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, help="ranks to start here; default: what the layout needs at least; ignored under torchrun"),
    ] = None,
    stop_after: Annotated[int | None, typer.Option("--stop-after", min=1, help="save a checkpoint and stop after this step")] = None,
    json: Json = False,
) -> None:
    """Train a model; resumes from the newest checkpoint. Under torchrun, or by itself on one machine."""
    models.train(run, processes=processes, stop_after=stop_after, as_json=json)


@app.command()
def generate(
    folder: Annotated[str, typer.Argument(metavar="RUN_DIR", help="a folder that `train` wrote")],
    prompt: Annotated[str, typer.Option("--prompt", help="text to continue")] = "",
    tokens: Annotated[int, typer.Option("--tokens", min=1)] = 64,
    temperature: Annotated[float, typer.Option("--temperature", min=0.0, help="0 takes the most likely token")] = 0.8,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1)] = 50,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    checkpoint: Annotated[int | None, typer.Option("--checkpoint", metavar="STEP", help="default: the newest")] = None,
    json: Json = False,
) -> None:
    """Sample text from a checkpoint."""
    models.generate(
        folder, prompt=prompt, tokens=tokens, temperature=temperature, top_k=top_k, seed=seed, checkpoint=checkpoint, as_json=json
    )


@app.command()
def trace(
    folder: Annotated[str, typer.Argument(metavar="RUN_DIR", help="a folder that `train` wrote")],
    step: Annotated[int, typer.Option("--step", min=0, help="training step, from 0")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="rows of the table; --json prints all")] = 50,
    json: Json = False,
) -> None:
    """The documents (id, source, URL) that a training step saw."""
    models.trace(folder, step=step, limit=limit, as_json=json)


def main() -> None:
    """Run the command line; errors that a user can act on are printed without a traceback."""
    # Whatever this process starts, by way of libraries too, imports nothing from the working folder.
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
    """Arguments stand in the list of processes, and places that they name in manifests and logs; a prompt names no place."""
    for before, word in zip(["", *words], words, strict=False):
        if before != "--prompt" and not word.startswith("--prompt=") and (found := credential_in(word)):
            option = before if before.startswith("--") else word.partition("=")[0] if word.startswith("--") else "arguments"
            raise GristmillError(f"a URL holds {found}", where=option, remedy=CREDENTIAL_REMEDY)


_DEBUG = "run again with `gristmill --debug …` for the traceback"
_TRAINING_MODULES = ("torch", "megatron", "psutil", "tensorboard")


def _missing_module(error: ModuleNotFoundError) -> str:
    group = "train" if (error.name or "").split(".")[0] in _TRAINING_MODULES else "data"
    return f"the module {error.name} is not installed\n  remedy: install Gristmill's group `{group}`, see docs/installing.md"


def _working_folder_gone(error: Exception) -> str | None:
    """Such an error names no file."""
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
