"""Runs in dolma's own environment: the results of its tagger `gopher_v2` for each document.

    python dolma_gopher.py ROWS.jsonl RESULT.jsonl

Rows have `text`; results the score of each type.
"""

import json
import sys

from dolma.core.data_types import Document
from dolma.taggers.gopher import GopherTaggerV2


def main(source, result):
    tagger = GopherTaggerV2()
    with open(source, encoding="utf-8") as rows, open(result, "w", encoding="utf-8") as out:
        for row in rows:
            spans = tagger.predict(Document(id="", text=json.loads(row)["text"], source="")).spans
            out.write(json.dumps({span.type: span.score for span in spans}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
