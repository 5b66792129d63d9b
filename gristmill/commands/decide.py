"""`gristmill decide`."""

from __future__ import annotations

from gristmill.options import CORES, Cluster, Corpus, Detach, Json, Out, RunnerName, Workers
from gristmill.running import run_step


def decide(
    corpus: Corpus,
    out: Out,
    workers: Workers = CORES,
    runner: RunnerName = None,
    cluster: Cluster = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Keep or drop each document, from its signals and signatures; no text is read again."""
    run_step("decide", corpus, out, runner, workers, cluster, detach=detach, as_json=json)
