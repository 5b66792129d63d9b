"""Runs in dolma's own environment: the results of its tagger `c4_v2` for each document.

    python dolma_c4.py ROWS.jsonl RESULT.jsonl

Rows have `text`; results the number of spans of each type, and the score of `line_count`.
"""

import json
import sys
from collections import Counter

from dolma.core.data_types import Document
from dolma.taggers.c4 import FasterC4Tagger


def main(source, result):
    tagger = FasterC4Tagger()
    with open(source, encoding="utf-8") as rows, open(result, "w", encoding="utf-8") as out:
        for row in rows:
            spans = tagger.predict(Document(id="", text=json.loads(row)["text"], source="")).spans
            counts = Counter(span.type for span in spans)
            counts["line_count"] = int(next(span.score for span in spans if span.type == "line_count"))
            out.write(json.dumps(counts) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
