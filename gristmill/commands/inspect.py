"""The commands that look: a manifest with its defaults, what a folder holds. Whether it is whole, `gristmill.commands.verify` says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from gristmill.output import console, inside_table, ledger_table, print_json, table
from gristmill.running import bucket_table
from manifests.base import Strict, load_yaml, validate
from manifests.cluster import ClusterManifest, load_cluster
from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.mixture import MixtureManifest
from manifests.model import PRESETS, ModelManifest
from manifests.run import RunManifest
from manifests.step import StepManifest
from shards.run_record import RECORD, load_metrics
from shards.writer import load_manifest
from storage.files import exists, join, list_files
from storage.steps import MANIFEST, read_step

KINDS: dict[str, type[Strict]] = {
    "corpus": CorpusManifest,
    "mixture": MixtureManifest,
    "model": ModelManifest,
    "run": RunManifest,
    "cluster": ClusterManifest,
}
_STEPS = ("extract", "decide", "tokenizer")
_MOST_BROKEN = 20
# Names of each kind of loss; the manifest and --json have more.
_MOST_LOSSES = 10
_MOST_BROKEN_OF_FILE = 3


def show(path: Path, *, as_json: bool) -> None:
    """Print a manifest with every default, or a model preset by its name."""
    data = PRESETS[str(path)].model_dump() if str(path) in PRESETS else load_yaml(path)
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise GristmillError(f"`kind: {kind}` is not a kind of manifest", where=str(path), remedy=f"use one of {', '.join(KINDS)}")
    whole = validate(data, KINDS[kind], where=str(path)).model_dump(mode="json")
    if as_json:
        print_json(whole)
    else:
        console.print(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True).rstrip())


def inspect(folder: str, *, as_json: bool) -> None:
    """Steps with ledgers, buckets, or a run's checkpoints and last metrics."""
    steps = {name: step for name in _STEPS if (step := read_step(join(folder, name))) is not None}
    shards = load_manifest(join(folder, "shards")) if exists(join(folder, "shards", MANIFEST)) else None
    run = join(folder, RECORD)
    if not steps and shards is None and not exists(run):
        raise GristmillError(
            "holds nothing that Gristmill wrote, or nothing complete",
            where=folder,
            remedy="name the --out of `prep` or the run folder of `train`",
        )
    broken, left = broken_records(folder, steps.get("extract"))
    checkpoints = sorted({path.split("/")[1] for path in list_files(folder, "checkpoints/*/*")})
    if as_json:
        print_json(
            {
                "folder": folder,
                "steps": {name: step.model_dump(exclude={"outputs"}) for name, step in steps.items()},
                "shards": None if shards is None else {"digest": shards.digest, "buckets": _buckets(shards)},
                "broken": broken,
                "broken_left_out": left,
                "checkpoints": checkpoints,
            }
        )
        return
    if steps:
        console.print(ledger_table({name: step.ledger for name, step in steps.items() if step.ledger.records_in}))
        for name, step in steps.items():
            if step.inside:
                console.print(inside_table(name, step.inside, most=_MOST_LOSSES))
        console.print(
            table(
                "Steps", ("step", "files", "MB", "digest"), [_step_row(name, step) for name, step in steps.items()], numeric=("files", "MB")
            )
        )
    if broken:
        columns = ("source", "file", "record", "name", "error")
        console.print(table("Broken records", columns, [tuple(row.values()) for row in broken], numeric=("record",)))
        if left:
            console.print(f"and {left:,} more, in {join(folder, 'extract', 'quarantine')}")
    if shards is not None:
        console.print(bucket_table(shards))
        console.print(f"digest  {shards.digest}")
    if exists(run):
        steps_logged = load_metrics(folder)
        last = steps_logged[-1] if steps_logged else {}
        console.print(table("Run", ("key", "value"), [("checkpoints", ", ".join(checkpoints)), *last.items()]))


def broken_records(folder: str, extracted: StepManifest | None) -> tuple[list[dict[str, Any]], int]:
    """The first broken records of some files, each with its file and error, and how many more there are."""
    shown: list[dict[str, Any]] = []
    total = 0 if extracted is None else sum(extracted.ledger.quarantined.values())
    for output in [] if extracted is None else extracted.outputs:
        if output.path.startswith("quarantine/") and len(shown) < _MOST_BROKEN:
            from pipeline.schemas import ipc_metadata, read_ipc

            path = join(folder, "extract", output.path)
            of = ipc_metadata(path)
            for row in read_ipc(path).slice(0, min(_MOST_BROKEN_OF_FILE, _MOST_BROKEN - len(shown))).to_pylist():
                shown.append(
                    {"source": of["source"], "file": of["file"], "record": row["record"], "name": row["name"], "error": row["error"]}
                )
    return shown, total - len(shown)


def _buckets(shards: Any) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for entry in shards.shards:
        bucket = sums.setdefault(entry.bucket, {"shards": 0, "documents": 0, "tokens": 0})
        bucket["shards"] += 1
        bucket["documents"] += entry.documents
        bucket["tokens"] += entry.tokens
    return sums


def _step_row(name: str, step: StepManifest) -> tuple[object, ...]:
    return name, len(step.outputs), round(sum(output.bytes for output in step.outputs) / 1e6, 1), step.digest[:16]


def jobs(cluster: Path | None, *, as_json: bool) -> None:
    """Detached commands, and the jobs of a cluster."""
    from gristmill.jobs import list_jobs

    known = list_jobs()
    running = []
    if cluster is not None:
        from pipeline.engines import flink

        running = flink.jobs(load_cluster(cluster).rest, prefix="gristmill")
    if as_json:
        commands = [{"name": job.name, "state": job.state, "status": job.status, "started": job.started, "out": job.out} for job in known]
        print_json({"jobs": commands, "cluster": [asdict(job) for job in running]})
        return
    rows = [(job.name, job.state, job.started, job.out, job.last_line()[:60]) for job in known]
    console.print(table("Detached commands", ("job", "state", "started", "out", "last line"), rows))
    if cluster is not None:
        found = [(job.id, job.name, job.state, round(job.duration_ms / 1000)) for job in running]
        console.print(table("Jobs on the cluster", ("id", "name", "state", "seconds"), found, numeric=("seconds",)))


def cancel_job(name: str, cluster: Path | None) -> None:
    """Stop a detached command, or a job of a cluster."""
    from gristmill.jobs import cancel, cancel_on_cluster, find_job

    if cluster is not None:
        console.print(cancel_on_cluster(name, load_cluster(cluster)))
        return
    cancel(find_job(name))
    console.print(f"cancelled {name}")
