"""Runs in datatrove's own environment: its four MinHash stages, one after the other on this machine.

    python -m bench.dedup_peer_datatrove DOCUMENTS.jsonl REMOVALS.json

Words are its own (spaCy's for English, its default), after its own simplification of texts. The fourth stage writes the
documents that it removes; the copy that it keeps is the one of the cluster that is in no list of removals.
"""

from __future__ import annotations

import struct
import sys
from importlib.metadata import version
from pathlib import Path

from bench.dedup_peer_files import BANDS, NGRAM, ROWS, read_documents, write_removals


def main(path: str, out: str) -> None:
    folder = Path(out).parent / "datatrove"
    _run_stages(Path(path), folder)
    documents = read_documents(path)
    removed = {row for (row,) in _tuples(folder / "removals" / "000000.remove", 1)}
    members = _tuples(folder / "removals" / "000000.clusters", 2)
    kept = {cluster: row for row, cluster in members if row not in removed}
    removals = {documents[row].id: documents[kept[cluster]].id for row, cluster in members if row in removed}
    write_removals(out, removals, note=f"datatrove {version('datatrove')}")


def _run_stages(path: Path, folder: Path) -> None:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
    reader = JsonlReader(str(path.parent), glob_pattern=path.name)
    signatures, buckets, removals = (str(folder / name) for name in ("signatures", "buckets", "removals"))
    stages = [
        (1, [reader, MinhashDedupSignature(signatures, config=config)]),
        (BANDS, [MinhashDedupBuckets(signatures, buckets, config=config)]),
        (1, [MinhashDedupCluster(buckets, removals, config=config, save_cluster_id=True)]),
        (
            1,
            [
                reader,
                MinhashDedupFilter(removals, exclusion_writer=JsonlWriter(str(folder / "removed"))),
                JsonlWriter(str(folder / "kept")),
            ],
        ),
    ]
    for number, (tasks, steps) in enumerate(stages):
        LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=1, logging_dir=str(folder / f"logs{number}")).run()


def _tuples(path: Path, size: int) -> list[tuple[int, ...]]:
    # Without duplicates there is no file.
    return list(struct.iter_unpack(f"<{size}I", path.read_bytes())) if path.exists() else []


if __name__ == "__main__":
    main(*sys.argv[1:])
