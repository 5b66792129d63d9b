"""Arguments and options that several commands share, each defined once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

CORES = os.cpu_count() or 1

Corpus = Annotated[Path, typer.Argument(metavar="CORPUS.yaml", help="corpus manifest")]
Out = Annotated[str, typer.Option("--out", metavar="DIR", help="where the prepared corpus goes")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="worker processes of the embedded runner")]
RunnerName = Annotated[
    str | None,
    typer.Option(
        "--runner", help="embedded (default), portable (Beam's own job service), flink; `--cluster` implies it"
    ),
]
Cluster = Annotated[
    Path | None, typer.Option("--cluster", metavar="CLUSTER.yaml", help="cluster manifest: run there (docs/cluster.md)")
]
Detach = Annotated[
    bool, typer.Option("--detach", help="go on without this terminal; `gristmill jobs` follows and cancels")
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object instead of tables")]
Folder = Annotated[str, typer.Argument(metavar="DIR", help="a folder that `prep` or `train` wrote")]
RunFolder = Annotated[str, typer.Argument(metavar="RUN_DIR", help="a folder that `train` wrote")]
