"""Runs in dolma's own environment: what its Gopher and C4 taggers cost on a file of documents, called directly on
documents in memory.

    python peer_dolma.py DOCUMENTS.jsonl.gz

Prints one JSON object with the CPU seconds of the taggers alone.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from typing import Any


def main(path: str) -> dict[str, Any]:
    from dolma.core.data_types import Document
    from dolma.taggers.c4 import FasterC4Tagger
    from dolma.taggers.gopher import GopherTaggerV2

    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    documents = [Document(id=row["id"], text=row["text"], source="bench") for row in rows]
    taggers = [GopherTaggerV2(), FasterC4Tagger()]
    began = time.process_time()
    spans = sum(len(tagger.predict(document).spans) for document in documents for tagger in taggers)
    return {"cpu_s": time.process_time() - began, "documents": len(documents), "spans": spans}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
