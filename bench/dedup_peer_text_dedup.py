"""Runs in text-dedup's own environment: its command `text_dedup.minhash`, with as many bands and rows as Gristmill has.

    python -m bench.dedup_peer_text_dedup DOCUMENTS.jsonl REMOVALS.json

Words, shingles, hashes and the copy that is kept are its own. It drops documents of fewer than five words whatever they
are like; here they count as kept, and the note says how many there are.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from bench.dedup_peer_files import BANDS, NGRAM, ROWS, read_documents, write_removals


def main(path: str, out: str) -> None:
    from datasets import load_from_disk

    folder = Path(out).parent
    output = folder / "text_dedup"
    command = [sys.executable, "-P", "-m", "text_dedup.minhash", "--path", "json", "--data_files", path]
    command += ["--split", "train", "--column", "text", "--idx_column", "id", "--num_proc", "1", "--debug"]
    command += ["--cache_dir", str(folder / "cache"), "--output", str(output)]
    command += ["--ngram", str(NGRAM), "--num_perm", str(BANDS * ROWS), "--b", str(BANDS), "--r", str(ROWS)]
    subprocess.run(command, check=True)
    stays = set(load_from_disk(str(output))["id"])
    # Which documents are one cluster, as the command above wrote it. The roots are made anew for that file: the one
    # that is kept is the one in the output.
    with open(output / "uf.pkl", "rb") as file:
        clusters = pickle.load(file)
    roots = {document: clusters.find(document) for document in list(clusters.parent)}
    kept = {root: document for document, root in roots.items() if document in stays}
    gone = [document.id for document in read_documents(path) if document.id not in stays]
    removed = {document: kept[roots[document]] for document in gone if document in roots}
    short = len(gone) - len(removed)
    note = f"text-dedup {version('text-dedup')}" + (f", {short} short documents dropped besides" if short else "")
    write_removals(out, removed, note=note)


if __name__ == "__main__":
    main(*sys.argv[1:])
