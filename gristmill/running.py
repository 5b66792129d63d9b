"""The commands of the data half: run the steps, show their ledgers."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from gristmill.output import console, ledger_table, print_json, say_error, say_note, table
from gristmill.progress import Shown, step_progress
from manifests.cluster import load_cluster
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from manifests.step import Ledger, StepManifest
from pipeline.engines.runners import Runner, RunnerKind, on_cluster
from shards.format import ShardManifest
from storage.files import exists, is_url

# A corpus of many files may have a note for each.
_MOST_NOTES = 30


def runner_from(kind: str | None, workers: int, cluster: Path | None) -> Runner:
    """The runner that the options ask for."""
    if kind is not None and kind not in get_args(RunnerKind):
        raise GristmillError(f"unknown runner `{kind}`", where="--runner", remedy=f"use one of {', '.join(get_args(RunnerKind))}")
    if cluster is None:
        if kind == "flink":
            raise GristmillError(
                "a Flink cluster has to be described", where="--runner", remedy="add `--cluster CLUSTER.yaml` (docs/cluster.md)"
            )
        return Runner(kind="portable" if kind == "portable" else "embedded", workers=workers, say=say_note)
    manifest = load_cluster(cluster)
    if kind is not None and kind != manifest.runner:
        raise GristmillError(
            f"--runner {kind}, but the manifest's runner is {manifest.runner}", where=str(cluster), remedy="leave --runner out"
        )
    if manifest.store_endpoint is not None:
        # The manifest stands in where the environment says nothing; where both speak, the pre-flight check compares them.
        os.environ.setdefault("AWS_ENDPOINT_URL", manifest.store_endpoint)
    return on_cluster(manifest, say=say_note)


def start(
    step: str, corpus: Path, out: str, kind: str | None, workers: int, cluster: Path | None, *, detached: bool, as_json: bool
) -> None:
    """`prep` or one of its steps, here or as a process that outlives this one."""
    if detached:
        detach(step, corpus, out, kind, workers, cluster, as_json=as_json)
        return
    runner = runner_from(kind, workers, cluster)
    if step == "prep":
        prep(corpus, out, runner, as_json=as_json)
    else:
        one_step(step, corpus, out, runner, as_json=as_json)


def detach(step: str, corpus: Path, out: str, kind: str | None, workers: int, cluster: Path | None, *, as_json: bool) -> None:
    """Start the command as a process that outlives this one, and say how to follow it."""
    from gristmill.jobs import start_detached

    words = [step, str(corpus.absolute()), "--out", folder_of(out), "--workers", str(workers)]
    words += ["--runner", kind] if kind is not None else []
    words += ["--cluster", str(cluster.absolute())] if cluster is not None else []
    job = start_detached(words, out=folder_of(out))
    if as_json:
        print_json({"job": job.name, "pid": job.pid, "log": str(job.log), "out": job.out})
        return
    console.print(
        f"job     {job.name}\nlog     {job.log}\nfollow  gristmill jobs follow {job.name}\ncancel  gristmill jobs cancel {job.name}",
    )


def prep(corpus: Path, out: str, runner: Runner, *, as_json: bool) -> None:
    """All steps."""
    from pipeline.prep import prepare

    manifest = load_corpus(corpus)
    _check_places(manifest)
    folder = folder_of(out)
    began = time.monotonic()
    with stops_on_sigterm(), step_progress(folder, shown=shown(as_json)) as progress:
        prepared = prepare(manifest, out=folder, runner=replace(runner, expect=progress.expect), on_step=progress.begin)
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
    console.print(f"\ndigest  {prepared.shards.digest}\nshards  {folder}/shards")


def _check_places(manifest: CorpusManifest) -> None:
    """What the later steps of `prep` read is looked for before the first one begins, which may take days.

    Raises:
        GristmillError: a block list or the tokenizer's model is not there.
    """
    from pipeline.decide.block_lists import check_lists

    check_lists(manifest)
    if manifest.tokenizer.model is not None and not exists(manifest.tokenizer.model):
        raise GristmillError("no such file", where=manifest.tokenizer.model, remedy="check `tokenizer.model`")


def one_step(step: str, corpus: Path, out: str, runner: Runner, *, as_json: bool) -> None:
    """One step by its name."""
    manifest = load_corpus(corpus)
    folder = folder_of(out)
    from pipeline.prep import claimed

    with (
        stops_on_sigterm(),
        step_progress(folder, shown=shown(as_json)) as progress,
        claimed(manifest, out=folder, runner=replace(runner, expect=progress.expect)) as mine,
    ):
        progress.begin(step)
        done = _run_step(step, manifest, folder, mine)
    notes = done.notes if isinstance(done, StepManifest) else []
    if as_json:
        print_json({"out": folder, "step": step, "digest": done.digest, "ledger": done.ledger.model_dump(), "notes": notes})
        return
    _print({step: done.ledger}, notes)
    if isinstance(done, ShardManifest):
        console.print(bucket_table(done))


def _run_step(step: str, manifest: CorpusManifest, out: str, runner: Runner) -> StepManifest | ShardManifest:
    if step == "extract":
        from pipeline.extract.step import extract

        return extract(manifest, out=out, runner=runner)
    if step == "decide":
        from pipeline.decide.step import decide

        return decide(manifest, out=out, runner=runner)
    if step == "tokenizer":
        from pipeline.tokenize.training_step import make_tokenizer

        return make_tokenizer(manifest, out=out)
    from pipeline.tokenize.step import tokenize

    return tokenize(manifest, out=out, runner=runner)


def check_tokenizer(model: Path, *, as_json: bool) -> None:
    """The probe set against sentencepiece."""
    from pipeline.tokenize.encoder import PROBES, load_encoder
    from storage.files import read_bytes

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


def shown(as_json: bool) -> Shown:
    if as_json:
        return "nothing"
    return "bar" if sys.stdout.isatty() else "lines"


def _tokens(manifest: ShardManifest) -> int:
    return sum(entry.tokens for entry in manifest.shards)


def _print(ledgers: dict[str, Ledger], notes: list[str]) -> None:
    console.print(ledger_table(ledgers))
    for note in notes[:_MOST_NOTES]:
        console.print(f"note: {note}")
    if len(notes) > _MOST_NOTES:
        console.print(f"note: and {len(notes) - _MOST_NOTES:,} more; --json prints all")


def folder_of(out: str) -> str:
    return out if is_url(out) else os.path.abspath(out)


@contextlib.contextmanager
def stops_on_sigterm() -> Iterator[None]:
    """Inside the block SIGTERM, and SIGHUP unless it is ignored, end the command as Ctrl-C does: workers and jobs end with it.

    Raises:
        SystemExit: 130 after any of them, with a word on what to do next.
    """

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        say_error("stopped; run the same command again to go on")
        raise SystemExit(130) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
