"""Runs in datatrove's own environment: texts in memory to the documents that go, by its four MinHash steps.

    python -m bench.dedup_speed_datatrove DOCUMENTS.jsonl RESULT.json

The steps are called directly, one after the other, on documents in memory; what they hand each other they write to
local files, which is their only way. The result has the CPU seconds from the texts to the decision; reading, the import
and the loading of its word splitter are apart.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from bench.dedup_peer_files import BANDS, NGRAM, ROWS, read_documents


def main(path: str, out: str) -> None:
    from datatrove.data import Document
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig

    documents = [Document(text=document.text, id=document.id) for document in read_documents(path)]
    config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
    with tempfile.TemporaryDirectory(dir=Path(out).parent) as folder:
        signatures, buckets, removals = (f"{folder}/{name}" for name in ("signatures", "buckets", "removals"))
        MinhashDedupSignature(f"{folder}/warm", config=config).run(documents[:1])
        began = time.process_time()
        MinhashDedupSignature(signatures, config=config).run(documents)
        for bucket in range(BANDS):
            MinhashDedupBuckets(signatures, buckets, config=config).run(rank=bucket, world_size=BANDS)
        MinhashDedupCluster(buckets, removals, config=config).run()
        kept = sum(1 for _ in MinhashDedupFilter(removals).run(documents))
        cpu_s = time.process_time() - began
    written = {"cpu_s": cpu_s, "documents": len(documents), "removed": len(documents) - kept}
    Path(out).write_text(json.dumps(written))


if __name__ == "__main__":
    main(*sys.argv[1:])
