"""The peers whose removals are compared with Gristmill's, each run in an environment of its own.

In: a peer's name and the JSONL file that all tools read. Out: an `Outcome`, or `Unavailable` with the reason.

- `datasketch`, `rensa`: signatures of 112 places, an LSH index of 14 bands of 8, candidates joined by union-find, the
  first of the file is kept; word 5-grams of `\\w+` as in their examples.
- `rensa-verified`: rensa's own deduplicator, which compares with kept documents only, by an estimate of at least 0.7.
- `text-dedup`, `datatrove`: their own commands and stages with their own words, 14 bands of 8.
"""

from __future__ import annotations

import json
from pathlib import Path

from bench.dedup_ours import Failed, Outcome, cpu_seconds
from bench.peers import Unavailable, peer_environment, peer_python

# By the peer's name: its environment, its script, and what is added to its command line.
_SCRIPTS = {
    "datasketch": ("datasketch", "bench.dedup_peer_datasketch", ()),
    "rensa": ("rensa", "bench.dedup_peer_rensa", ("pairs",)),
    "rensa-verified": ("rensa", "bench.dedup_peer_rensa", ("verified",)),
    "text-dedup": ("text-dedup", "bench.dedup_peer_text_dedup", ()),
    "datatrove": ("datatrove", "bench.dedup_peer_datatrove", ()),
}
PEERS = tuple(_SCRIPTS)


def chosen_peers(choice: str) -> list[str]:
    """Peers by `all`, `none`, or names joined by commas.

    Raises:
        SystemExit: a name is no peer's.
    """
    if choice in ("all", "none"):
        return list(PEERS) if choice == "all" else []
    names = choice.split(",")
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise SystemExit(f"no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    return names


def run_peer(name: str, documents: Path, folder: Path) -> Outcome:
    """Run a peer on a file of documents in an empty folder.

    Raises:
        Unavailable: it cannot be installed here, or failed on this file; the message says why.
    """
    environment, script, options = _SCRIPTS[name]
    python = peer_python(environment)
    folder.mkdir(parents=True)
    result = folder / "removals.json"
    command = [str(python), "-m", script, str(documents), str(result), *options]
    variables = {**peer_environment(), "HF_HOME": str(folder / "cache"), "HF_DATASETS_OFFLINE": "1"}
    try:
        cpu_s = cpu_seconds(command, log=folder / "log", environment=variables)
    except Failed as error:
        raise Unavailable(f"{name}: {error}") from error
    written = json.loads(result.read_text())
    return Outcome(written["kept"], cpu_s, written["note"])
