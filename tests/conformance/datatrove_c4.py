"""Runs in datatrove's own environment: what its `C4QualityFilter` does with each document.

    python datatrove_c4.py ROWS.jsonl RESULT.jsonl given|own

Rows have `text` and `sentences`, our number of sentences of each line. With `given`, these numbers are used; with
`own`, those of datatrove's own splitter. Results: the reason (`kept` if there is no reason) and the remaining text.
"""

import json
import sys

from datatrove.data import Document
from datatrove.pipeline.filters import c4_filters


def main(source, result, splitter):
    counts = {}
    if splitter == "given":
        c4_filters.split_into_sentences = lambda line, language: [line] * counts[line]
    judge = c4_filters.C4QualityFilter()
    with open(source, encoding="utf-8") as rows, open(result, "w", encoding="utf-8") as out:
        for row in map(json.loads, rows):
            counts.clear()
            counts.update(row["sentences"])
            document = Document(text=row["text"], id="")
            verdict = judge.filter(document)
            reason, text = ("kept", document.text) if verdict is True else (verdict[1], "")
            out.write(json.dumps({"reason": reason, "text": text}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
