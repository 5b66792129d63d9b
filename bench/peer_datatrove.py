"""Runs in datatrove's own environment: what its filters, or its whole pipeline, cost on a file of documents.

    python peer_datatrove.py stats DOCUMENTS.jsonl.gz        its Gopher and C4 filters, called directly on documents in memory
    python peer_datatrove.py extract DOCUMENTS.jsonl.gz OUT  reading, filters, personal information, MinHash signatures,
    writing

Prints one JSON object: CPU seconds of the work alone for `stats`; for `extract` the caller measures the whole process.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from typing import Any


def _documents(path: str) -> list[Any]:
    from datatrove.data import Document

    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Document(text=row["text"], id=row["id"]) for row in rows]


def _filters() -> list[Any]:
    from datatrove.pipeline.filters import C4QualityFilter, GopherQualityFilter, GopherRepetitionFilter

    return [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter()]


def _drops_nothing(one: Any) -> Any:
    """The same filter, whose verdict is left aside: every document goes through every step, as it does in the step
    compared with.
    """
    judge = one.filter

    def judged(document: Any) -> bool:
        judge(document)
        return True

    one.filter = judged
    return one


def stats(path: str) -> dict[str, Any]:
    documents, filters = _documents(path), _filters()
    for document in _documents(path)[:20]:  # spaCy is loaded at the first document
        for one in filters:
            one.filter(document)
    began = time.process_time()
    # Each filter sees every document, as statistics for all of them are wanted. C4's rewrites the text, and therefore
    # comes last.
    verdicts = [[one.filter(document) is True for one in filters] for document in documents]
    return {"cpu_s": time.process_time() - began, "documents": len(documents), "kept": sum(map(all, verdicts))}


def extract(path: str, out: str) -> dict[str, Any]:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.filters import FineWebQualityFilter
    from datatrove.pipeline.formatters import PIIFormatter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    folder, name = path.rsplit("/", 1)
    LocalPipelineExecutor(
        pipeline=[
            JsonlReader(folder, glob_pattern=name),
            *map(_drops_nothing, [*_filters(), FineWebQualityFilter()]),
            PIIFormatter(),
            JsonlWriter(f"{out}/documents"),
            MinhashDedupSignature(
                f"{out}/signatures", config=MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
            ),
        ],
        tasks=1,
        logging_dir=f"{out}/logs",
    ).run()
    return {}


if __name__ == "__main__":
    print(json.dumps({"stats": stats, "extract": extract}[sys.argv[1]](*sys.argv[2:])))
