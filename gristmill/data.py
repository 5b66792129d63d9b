"""The commands of the data half: run the steps, show their ledgers."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from gristmill.output import console, ledger_table, print_json, table
from gristmill.progress import step_progress
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from manifests.steps import Ledger, StepManifest
from manifests.storage import is_url
from pipeline.inputs import list_raw_files
from pipeline.runners import Runner, RunnerKind
from shards.format import ShardManifest


def runner_from(kind: str, workers: int, job_endpoint: str | None, worker_endpoint: str | None) -> Runner:
    """The runner that the options ask for."""
    if kind not in get_args(RunnerKind):
        raise GristmillError(f"unknown runner `{kind}`", where="--runner", remedy=f"use one of {', '.join(get_args(RunnerKind))}")
    if kind == "embedded" and (job_endpoint or worker_endpoint):
        raise GristmillError("endpoints belong to the portable runner", where="--runner", remedy="add `--runner portable`")
    return Runner(
        kind="portable" if kind == "portable" else "embedded", workers=workers, job_endpoint=job_endpoint, worker_endpoint=worker_endpoint
    )


def prep(corpus: Path, out: str, runner: Runner, *, as_json: bool) -> None:
    """All steps."""
    from pipeline.prep import prepare

    manifest = load_corpus(corpus)
    folder = _folder(out)
    began = time.monotonic()
    files = len(list_raw_files(manifest.sources))
    with stops_on_sigterm(), step_progress(folder, expected={"extract": files}, enabled=not as_json and sys.stdout.isatty()) as progress:
        prepared = prepare(manifest, out=folder, runner=runner, on_step=progress.begin)
    ledgers = {"extract": prepared.extract.ledger, "decide": prepared.decide.ledger, "tokenize": prepared.shards.ledger}
    notes = [*prepared.extract.notes, *prepared.decide.notes, *prepared.tokenizer.notes]
    if as_json:
        print_json(
            {
                "out": folder,
                "digest": prepared.shards.digest,
                "tokens": _tokens(prepared.shards),
                "notes": notes,
                "seconds": round(time.monotonic() - began, 2),
                "ledgers": {step: ledger.model_dump() for step, ledger in ledgers.items()},
            }
        )
        return
    _print(ledgers, notes)
    console.print(bucket_table(prepared.shards))
    console.print(f"\ndigest  {prepared.shards.digest}\nshards  {folder}/shards", markup=False)


def one_step(step: str, corpus: Path, out: str, runner: Runner, *, as_json: bool) -> None:
    """One step by its name."""
    manifest = load_corpus(corpus)
    folder = _folder(out)
    from pipeline.prep import exclusive

    with stops_on_sigterm(), exclusive(folder), step_progress(folder, expected={}, enabled=not as_json and sys.stdout.isatty()) as progress:
        progress.begin(step)
        done = _run_step(step, manifest, folder, runner)
    notes = done.notes if isinstance(done, StepManifest) else []
    if as_json:
        print_json({"out": folder, "step": step, "digest": done.digest, "ledger": done.ledger.model_dump(), "notes": notes})
        return
    _print({step: done.ledger}, notes)
    if isinstance(done, ShardManifest):
        console.print(bucket_table(done))


def _run_step(step: str, manifest: CorpusManifest, out: str, runner: Runner) -> StepManifest | ShardManifest:
    if step == "extract":
        from pipeline.extract import extract

        return extract(manifest, out=out, runner=runner)
    if step == "decide":
        from pipeline.decide import decide

        return decide(manifest, out=out, runner=runner)
    if step == "tokenizer":
        from pipeline.tokenizer import make_tokenizer

        return make_tokenizer(manifest, out=out)
    from pipeline.tokenize import tokenize

    return tokenize(manifest, out=out, runner=runner)


def check_tokenizer(model: Path, *, as_json: bool) -> None:
    """The probe set against sentencepiece."""
    from manifests.storage import read_bytes
    from pipeline.encoder import PROBES, load_encoder

    encoder = load_encoder(read_bytes(str(model)), engine="gigatoken")
    result: dict[str, Any] = {
        "model": str(model),
        "sha256": encoder.sha256,
        "vocab_size": encoder.vocab_size,
        "probes": len(PROBES),
        "differing": 0,
        "encoder": "sentencepiece" if encoder.fast is None else "gigatoken",
        "note": encoder.note,
    }
    if as_json:
        print_json(result)
    else:
        console.print(table("Tokenizer", ("key", "value"), result.items()))


def bucket_table(manifest: ShardManifest) -> Any:
    """Shards, documents and tokens per bucket."""
    buckets: dict[str, list[int]] = {}
    for entry in manifest.shards:
        sums = buckets.setdefault(entry.bucket, [0, 0, 0])
        for index, value in enumerate((1, entry.documents, entry.tokens)):
            sums[index] += value
    return table(
        "Buckets",
        ("bucket", "shards", "documents", "tokens"),
        [(name, *sums) for name, sums in sorted(buckets.items())],
        numeric=("shards", "documents", "tokens"),
    )


def _tokens(manifest: ShardManifest) -> int:
    return sum(entry.tokens for entry in manifest.shards)


def _print(ledgers: dict[str, Ledger], notes: list[str]) -> None:
    console.print(ledger_table(ledgers))
    for note in notes:
        console.print(f"note: {note}", markup=False)


def _folder(out: str) -> str:
    return out if is_url(out) else os.path.abspath(out)


@contextlib.contextmanager
def stops_on_sigterm() -> Iterator[None]:
    """Inside the block SIGTERM ends the command as Ctrl-C does, so that worker processes end with it."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
