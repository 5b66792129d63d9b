"""Runs in datatrove's own environment: the verdicts of its Gopher and FineWeb filters on each document.

    python datatrove_gopher.py ROWS.jsonl RESULT.jsonl (spacy|whitespace)

Rows have `text`; results `gopher` (the reason, repetition first, or "kept"), `fineweb` (likewise) and `words`. With
`whitespace` the words are those of `str.split`.
"""

import json
import sys

import datatrove.pipeline.filters.fineweb_quality_filter as fineweb
import datatrove.pipeline.filters.gopher_quality_filter as quality
import datatrove.pipeline.filters.gopher_repetition_filter as repetition
from datatrove.data import Document
from datatrove.utils.text import split_into_words


def main(source, result, words):
    def once(text, language, last=None):
        # The three filters ask for the same words one after the other.
        if last is None:
            last = [None, None]
        if last[0] != text:
            last[:] = text, text.split() if words == "whitespace" else split_into_words(text, language)
        return last[1]

    for module in (fineweb, quality, repetition):
        module.split_into_words = once
    gopher = [repetition.GopherRepetitionFilter(), quality.GopherQualityFilter()]
    with open(source, encoding="utf-8") as rows, open(result, "w", encoding="utf-8") as out:
        for row in rows:
            document = Document(text=json.loads(row)["text"], id="")
            verdicts = {
                "gopher": next(
                    (found[1] for found in (one.filter(document) for one in gopher) if found is not True), "kept"
                ),
                "fineweb": reason(fineweb.FineWebQualityFilter().filter(document)),
                "words": len(once(document.text, "eng")),
            }
            out.write(json.dumps(verdicts) + "\n")


def reason(found):
    return "kept" if found is True else found[1]


if __name__ == "__main__":
    main(*sys.argv[1:])
