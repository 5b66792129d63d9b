"""`gristmill tokenize`."""

from __future__ import annotations

from gristmill.options import CORES, Cluster, Corpus, Detach, Json, Out, RunnerName, Workers
from gristmill.running import run_step


def tokenize(
    corpus: Corpus,
    out: Out,
    workers: Workers = CORES,
    runner: RunnerName = None,
    cluster: Cluster = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Kept documents to token shards."""
    run_step("tokenize", corpus, out, runner, workers, cluster, detach=detach, as_json=json)
