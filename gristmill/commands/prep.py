"""`gristmill prep`."""

from __future__ import annotations

import time

from gristmill.options import CORES, Cluster, Corpus, Detach, Json, Out, RunnerName, Workers
from gristmill.output import bucket_table, console, print_json
from gristmill.running import choose, print_ledgers, shown, start
from manifests.corpus import load_corpus
from storage.files import absolute


def prep(
    corpus: Corpus,
    out: Out,
    workers: Workers = CORES,
    runner: RunnerName = None,
    cluster: Cluster = None,
    detach: Detach = False,
    json: Json = False,
) -> None:
    """Raw text to token shards: extract, decide, tokenizer, tokenize. Run it again to go on after an interruption."""
    if detach:
        start("prep", corpus, out, runner, workers, cluster, as_json=json)
        return
    chosen = choose(runner, workers, cluster)
    manifest, folder = load_corpus(corpus), absolute(out)
    from pipeline.prep import prepare

    began = time.monotonic()
    with shown(folder, chosen, as_json=json) as (progress, chosen):
        prepared = prepare(manifest, out=folder, runner=chosen, on_step=progress.begin)
    ledgers = {"extract": prepared.extract.ledger, "decide": prepared.decide.ledger, "tokenize": prepared.shards.ledger}
    steps = (prepared.extract, prepared.decide, prepared.tokenizer, prepared.substrings)
    notes = [note for step in steps if step is not None for note in step.notes]
    if json:
        print_json(
            {
                "out": folder,
                "digest": prepared.shards.digest,
                "tokens": sum(entry.tokens for entry in prepared.shards.shards),
                "notes": notes,
                "seconds": round(time.monotonic() - began, 2),
                "ledgers": {step: ledger.model_dump() for step, ledger in ledgers.items()},
            }
        )
        return
    print_ledgers(ledgers, notes)
    console.print(bucket_table(prepared.shards))
    console.print(f"\ndigest  {prepared.shards.digest}\nshards  {folder}/shards")
