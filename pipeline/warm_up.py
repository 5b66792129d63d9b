"""Kernels compiled before they are needed: `python -m pipeline.warm_up`.

In: nothing. Out: numba's cache on disk beside the sources, or in the user's cache folder where those cannot be written; one line that says
how long it took. A second time it takes a few seconds. Compiling takes half a minute of one core; without this each process of a first
run does it for itself, since none waits for another.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from manifests.corpus import load_corpus
from pipeline.engines.runners import Runner
from pipeline.prep import prepare

# Passes every filter; holds what makes the text pass look twice: an address, a citation, letters beyond ASCII and UTF-8 read as Latin-1.
_SENTENCE = "The miller of the old mill {number} has wrïtten to miller{number}@example.org that the wheat is â€œripeâ€\x9d and dry.[1]\n"


def warm_up() -> None:
    """Prepare a corpus of a few documents with all that has kernels of its own: cleaning by lines, masking, signatures and bad words.

    Not the perplexity model's, which need a model.
    """
    with TemporaryDirectory(prefix="gristmill-warm-up-") as name:
        folder = Path(name)
        texts = ["".join(_SENTENCE.format(number=part * 100 + line) for line in range(12)) for part in range(3)]
        (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        (folder / "words.txt").write_text("rye\n")
        source = {"format": "jsonl", "files": ["texts.jsonl"], "licence": "made up"}
        manifest = {
            "kind": "corpus",
            "name": "warm-up",
            "sources": [
                {"name": "lines", "filters": ["c4-tfds"], **source},
                {"name": "corrections", "filters": ["refinedweb-lines"], **source},
            ],
            "personal_information": {"mask": ["email"]},
            "bad_words": {"lists": {"any": "words.txt"}},
            "dedup": {"exact": False},
            "tokenizer": {"train": {"vocab_size": 320}},
        }
        (folder / "corpus.yaml").write_text(json.dumps(manifest))
        prepare(load_corpus(folder / "corpus.yaml"), out=str(folder / "out"), runner=Runner())


def main() -> None:
    began = time.monotonic()
    warm_up()
    sys.stdout.write(f"kernels are compiled ({time.monotonic() - began:.0f} s)\n")


if __name__ == "__main__":
    main()
