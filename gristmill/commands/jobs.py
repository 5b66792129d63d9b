"""`gristmill jobs`: long runs, listed, followed, cancelled."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gristmill.options import Cluster, Json
from gristmill.output import console, print_json, print_piece, table
from manifests.cluster import load_cluster
from storage import detached

app = typer.Typer(help="Long runs: list, follow, cancel.")


@app.callback(invoke_without_command=True)
def jobs(context: typer.Context, cluster: Cluster = None, json: Json = False) -> None:
    """Detached commands of this user, and with --cluster the jobs on it."""
    if context.invoked_subcommand is None:
        _list(cluster, as_json=json)


@app.command("list")
def list_(cluster: Cluster = None, json: Json = False) -> None:
    """Detached commands of this user, and with --cluster the jobs on it."""
    _list(cluster, as_json=json)


@app.command("follow")
def follow(name: Annotated[str, typer.Argument(help="of a detached command")]) -> None:
    """Print what a detached command prints, until it ends; exit with its status."""
    raise typer.Exit(detached.follow(detached.find_job(name), write=print_piece))


@app.command("cancel")
def cancel(
    name: Annotated[
        str, typer.Argument(help="of a detached command; with --cluster a job's id, or the beginning of its name")
    ],
    cluster: Cluster = None,
) -> None:
    """Stop a detached command and its job on the cluster, or any job of a cluster."""
    if cluster is None:
        detached.cancel(detached.find_job(name))
        console.print(f"cancelled {name}")
        return
    from pipeline.engines import flink

    console.print(flink.cancel_named(load_cluster(cluster).rest, name))


def _list(cluster: Path | None, *, as_json: bool) -> None:
    known = detached.list_jobs()
    running = []
    if cluster is not None:
        from pipeline.engines import flink

        running = flink.jobs(load_cluster(cluster).rest, prefix="gristmill")
    if as_json:
        commands = [
            {"name": job.name, "state": job.state, "status": job.status, "started": job.started, "out": job.out}
            for job in known
        ]
        print_json({"jobs": commands, "cluster": [asdict(job) for job in running]})
        return
    rows = [(job.name, job.state, job.started, job.out, job.last_line()[:60]) for job in known]
    console.print(table("Detached commands", ("job", "state", "started", "out", "last line"), rows))
    if cluster is not None:
        found = [(job.id, job.name, job.state, round(job.duration_ms / 1000)) for job in running]
        console.print(table("Jobs on the cluster", ("id", "name", "state", "seconds"), found, numeric=("seconds",)))
