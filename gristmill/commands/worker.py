"""`gristmill worker`."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    port: Annotated[int, typer.Option("--port", help="where TaskManagers ask for workers")] = 50000,
    host: Annotated[str, typer.Option("--host", help="address to listen on")] = "127.0.0.1",
) -> None:
    """Serve Python workers to the TaskManager beside this process, until stopped: one of these per TaskManager."""
    from pipeline.engines.worker_pool import serve

    serve(port=port, host=host)
