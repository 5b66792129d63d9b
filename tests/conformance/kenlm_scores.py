"""Runs in KenLM's own environment: scores of sentences by its Python module, and cc_net's perplexities from them.

    python kenlm_scores.py ROWS.jsonl RESULT.jsonl

Rows have `model`, the path of an ARPA file or a binary one, and `sentences`, tokens with spaces between them; results
`scores`, and `perplexities`, null without a token.
"""

import json
import sys

import kenlm


def main(source, result):
    with open(source, encoding="utf-8") as rows, open(result, "w", encoding="utf-8") as out:
        for line in rows:
            row = json.loads(line)
            model, scores, perplexities = kenlm.Model(row["model"]), [], []
            for sentence in row["sentences"]:
                scores.append(model.score(sentence))
                length = len(sentence.split()) + 1
                perplexities.append(round(10.0 ** (-scores[-1] / length), 1) if length > 1 else None)
            out.write(json.dumps({"scores": scores, "perplexities": perplexities}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
