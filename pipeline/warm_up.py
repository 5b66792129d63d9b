"""Compiles the kernels before they are needed: `python -P -m pipeline.warm_up`.

In: nothing. Out: compiled kernels in the cache folder that `kernels.disk` chooses, a mark that all are there, and one
line that says how long it took. Compiling takes one core a minute or two; a second run takes a few seconds. If there is
no mark, commands run this in a child process before their workers start (`pipeline.engines.compiled`). On a cluster,
run it on each machine; else each process of a first run compiles the kernels itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from dedup.signature_settings import signature_settings
from dedup.signing import make_signing, sign_texts
from kernels import compiled, disk
from manifests.corpus import load_corpus
from manifests.minhash import MinHash
from pipeline.engines.compiled import WARMING_UP, mark
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from pipeline.text.factual.model import make_model, model_bytes
from pipeline.text.normalise import text_buffers
from storage.files import publish
from storage.processes import end_with_starter

# Passes every filter, and exercises special cases of the text pass: an address, a telephone number, a citation,
# non-ASCII letters, UTF-8 read as Latin-1.
_SENTENCE = (
    "The miller of the old mill {number} has wrïtten to miller{number}@example.org, Tel: 030 123{number}456, that the"
    " wheat is â€œripeâ€\x9d and dry.[1]\n"
)


def warm_up() -> None:
    """Prepare a corpus of a few documents that uses the kernels: pages, line cleaning, masking, signatures,
    repeated runs.

    The kernels for perplexity are left out, because they need a model.
    """
    with TemporaryDirectory(prefix="gristmill-warm-up-") as name:
        folder = Path(name)
        texts = ["".join(_SENTENCE.format(number=part * 100 + line) for line in range(12)) for part in range(3)]
        (folder / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        (folder / "page.html").write_text(
            f"<html><body><p>{texts[0].upper()}</p><ul><li>rye</li></ul></body></html>", encoding="utf-8"
        )
        model = make_model(np.zeros(1 << 10), 0.0, name="warm-up", pairs=True, training={}, report={})
        publish(str(folder / "model.arrow"), model_bytes(model))
        source = {"format": "jsonl", "files": ["texts.jsonl"], "licence": "made up"}
        manifest = {
            "kind": "corpus",
            "name": "warm-up",
            "sources": [
                {"name": "lines", "filters": ["c4-tfds"], **source},
                {"name": "corrections", "filters": ["refinedweb-lines"], **source},
                {"name": "pages", "filters": "none", **source, "format": "html", "files": ["page.html"]},
            ],
            "personal_information": {"mask": ["email"]},
            "dedup": {"exact": False, "lines": {"rule": "c4", "unit": "paragraph"}, "substrings": {"min_tokens": 10}},
            "factual": {"model": str(folder / "model.arrow"), "bands": None},
            "tokenizer": {"train": {"vocab_size": 320}},
        }
        (folder / "corpus.yaml").write_text(json.dumps(manifest))
        prepare(load_corpus(folder / "corpus.yaml"), out=str(folder / "out"), runner=Runner())
    _sign(texts)


def _sign(texts: list[str]) -> None:
    """Signatures that the corpus above does not ask for: it has one kind, as every corpus."""
    buffers = text_buffers(pa.array(texts, pa.large_string()))
    for section in (
        MinHash(unit="characters"),
        MinHash(permutations="datasketch"),
        MinHash(permutations="datasketch-legacy"),
    ):
        sign_texts(*buffers, make_signing(signature_settings(section, seed=0)))


def main() -> None:
    began = time.monotonic()
    end_with_starter()
    # The preparation below must not start a warm-up itself.
    os.environ[WARMING_UP] = "1"
    warm_up()
    kept = not compiled.not_kept and disk.keep(mark(), b"") is not None
    warning = (
        ""
        if kept
        else (
            "; they could not be kept, and each process will compile them again: set NUMBA_CACHE_DIR to a folder of"
            " your own"
        )
    )
    sys.stdout.write(f"kernels are compiled ({time.monotonic() - began:.0f} s){warning}\n")


if __name__ == "__main__":
    main()
