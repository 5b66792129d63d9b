"""How fast duplicates are found: signatures, the decision over millions of documents, and beside rensa and datatrove.

    python bench/dedup_speed.py [--millions N ...] [--megabytes N] [--peers all|none|NAMES] [--scratch DIR]

`signatures_mb_per_cpu_s`: text in memory to signatures by `dedup.signing.sign_texts`, of the corpus of `--megabytes`;
`walk_signatures_mb_per_cpu_s`: what signatures add to the walk that also makes signals (`pipeline.text.signals.compute`
with permutations less the same without), which is how extract makes them.
`decision_...`: the command `gristmill decide --workers 1` over documents with texts (bench/dedup_speed_inputs.py), less
its CPU seconds over one document (`start_cpu_s`); doubtful pairs are verified by their texts; the site rule is on, as by
default, and `..._without_site_rule` is the same without it. The peak leaves mapped files out (bench/end_to_end.py).
`exponent`: of these CPU seconds by documents, on logarithms.
`over_...`: CPU seconds of a peer by ours from texts in memory to who goes (bench/dedup_speed_ours.py and the peers' own),
start-up and reading apart: medians of three alternating runs. datatrove takes minutes for what we do in seconds: it
runs on a corpus of the same making, `--share` of the size, and so do we beside it. `whole_...`: whole commands, once.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.dedup_ours import cpu_seconds, run_gristmill  # noqa: E402  (the project's root is no installed package)
from bench.dedup_peers import run_peer  # noqa: E402
from bench.dedup_speed_inputs import write_inputs  # noqa: E402
from bench.dedup_speed_texts import write_texts  # noqa: E402
from bench.end_to_end import Cost, measure  # noqa: E402
from bench.peers import Unavailable, peer_environment, peer_python  # noqa: E402
from bench.power_law import Series, fit_power  # noqa: E402

CORPORA = HERE.parent.parent / "shared" / "corpora"
MILLIONS = (1.0, 2.0, 4.0, 8.0)
# The size that targets are set for.
_TARGET = 2.0
REPEATS = 3
PEERS = ("rensa", "datatrove")
# One peer works on a corpus of this share of pieces and size.
SHARE = 0.05
_WALKED_BYTES = 40_000_000


def measure_decisions(scratch: Path, millions: Sequence[float]) -> dict[str, Any]:
    """The command over growing corpora."""
    start = statistics.median(_decide(scratch / "one", 1).cpu_s for _ in range(REPEATS))
    series = Series(of="documents", unit="CPU s", command="", zero=start, origin=1)
    result: dict[str, Any] = {"start_cpu_s": round(start, 2)}
    for size in millions:
        cost = _decide(scratch / "many", round(size * 1e6))
        series.x.append(size * 1e6)
        series.y.append(cost.cpu_s)
        result[f"decision_{size:g}m_cpu_s"] = round(cost.cpu_s - start, 2)
        result[f"decision_{size:g}m_peak_mb"] = round(cost.peak_mb)
        print(f"{size:g} million documents  {cost.cpu_s:7.2f} CPU s  {cost.peak_mb:6.0f} MB", flush=True)
        if size == _TARGET:
            without = _decide(scratch / "many", round(size * 1e6), site_rule=False).cpu_s
            result[f"decision_{size:g}m_without_site_rule_cpu_s"] = round(without - start, 2)
    fit = fit_power(series)
    result["exponent"] = None if fit is None else round(fit.exponent, 3)
    result["exponent_range"] = None if fit is None else [round(fit.low, 3), round(fit.high, 3)]
    return result


def _decide(folder: Path, documents: int, *, site_rule: bool = True) -> Cost:
    corpus = write_inputs(folder, documents=documents, site_rule=site_rule)
    shutil.rmtree(folder / "out" / "decide", ignore_errors=True)
    command = [sys.executable, "-m", "gristmill", "decide", str(corpus), "--out", str(folder / "out"), "--workers", "1"]
    cost = measure(command)
    shutil.rmtree(folder / "out" / "decide")
    return cost


def measure_walk(path: Path) -> dict[str, Any]:
    """What signatures add to the walk of extract, MB of text per CPU second."""
    from bench.dedup_speed_ours import read
    from dedup.signature_settings import signature_settings
    from dedup.signing import make_signing
    from manifests.minhash import MinHash
    from pipeline.text.normalise import text_buffers
    from pipeline.text.signals import compute

    data, offsets = text_buffers(read(str(path))[0])
    offsets = offsets[: int((offsets < _WALKED_BYTES).sum())]
    permutations = make_signing(signature_settings(MinHash(), seed=0)).walk_permutations
    differences = []
    for index in range(REPEATS + 1):
        took = []
        for given in (None, permutations):
            began = time.process_time()
            compute(data, offsets, permutations=given)
            took.append(time.process_time() - began)
        # The first round compiles.
        differences += [took[1] - took[0]] if index else []
    return {"walk_signatures_mb_per_cpu_s": round(float(offsets[-1]) / 1e6 / statistics.median(differences), 1)}


def measure_peers(scratch: Path, *, megabytes: float, peers: Sequence[str], corpora: Path) -> dict[str, Any]:
    """From texts in memory to the decision, beside the peers; and whole commands."""
    whole, part = scratch / "texts" / "whole.jsonl", scratch / "texts" / "part.jsonl"
    whole.parent.mkdir(parents=True, exist_ok=True)
    write_texts(whole, corpora=corpora, megabytes=megabytes)
    write_texts(part, corpora=corpora, megabytes=megabytes * SHARE, small=True)
    runs: dict[str, list[dict[str, Any]]] = {}
    for _ in range(REPEATS):
        for peer in ("rensa", "datatrove"):
            path = part if peer == "datatrove" else whole
            for name in ("ours", peer) if peer in peers else ():
                key = f"{name} beside {peer}"
                runs.setdefault(key, []).append(_in_memory(name, path, scratch))
                print(f"{key:<24} {runs[key][-1]['cpu_s']:8.2f} CPU s", flush=True)
    if not runs:
        runs["ours beside rensa"] = [_in_memory("ours", whole, scratch) for _ in range(REPEATS)]
    result: dict[str, Any] = {}
    for key, each in runs.items():
        name, peer = key.split(" beside ")
        result[f"{name}_beside_{peer}_cpu_s"] = round(statistics.median(run["cpu_s"] for run in each), 2)
        result[f"{name}_beside_{peer}_removed"] = each[0]["removed"]
    for peer in peers:
        ratio = result[f"{peer}_beside_{peer}_cpu_s"] / result[f"ours_beside_{peer}_cpu_s"]
        result[f"over_{peer}"] = round(ratio, 2)
    own = [run for key, each in runs.items() if key == "ours beside rensa" for run in each]
    if own:
        signing = statistics.median(run["signing_s"] for run in own)
        result["signatures_mb_per_cpu_s"] = round(own[0]["text_bytes"] / 1e6 / signing, 1)
        result["text_mb"] = round(own[0]["text_bytes"] / 1e6, 1)
        result |= measure_walk(whole)
    for peer in peers:
        path = part if peer == "datatrove" else whole
        script = {"rensa": "rensa-verified", "datatrove": "datatrove"}[peer]
        for name in ("ours", peer):
            folder = scratch / "commands" / f"{name}-{peer}"
            run = run_gristmill(path, folder) if name == "ours" else run_peer(script, path, folder)
            result[f"whole_{name}_beside_{peer}_cpu_s"] = round(run.cpu_s, 2)
            shutil.rmtree(folder)
    return result


def _in_memory(name: str, path: Path, scratch: Path) -> dict[str, Any]:
    out, log = scratch / "result.json", scratch / "log"
    python = Path(sys.executable) if name == "ours" else peer_python(name)
    environment = None if name == "ours" else peer_environment()
    cpu_seconds([str(python), "-m", f"bench.dedup_speed_{name}", str(path), str(out)], log=log, environment=environment)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def available(names: str) -> list[str]:
    """The chosen peers that can be run here; a line is printed for each that cannot."""
    chosen = {"all": list(PEERS), "none": []}.get(names, names.split(","))
    found = []
    for name in chosen:
        if name not in PEERS:
            raise SystemExit(f"no such peer: {name}; there are {', '.join(PEERS)}")
        try:
            peer_python(name)
            found.append(name)
        except Unavailable as error:
            print(f"left out: {error}", flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--millions", type=float, nargs="*", default=MILLIONS, help="documents of the decisions")
    parser.add_argument("--megabytes", type=float, default=310, help="text of the corpus beside peers")
    parser.add_argument("--peers", default="all", help="all, none, or names with commas between")
    parser.add_argument("--corpora", type=Path, default=CORPORA, help="real texts; made ones if it is not there")
    parser.add_argument("--scratch", type=Path, help="work here, and keep the inputs for another run")
    options = parser.parse_args(arguments)
    corpora = options.corpora.resolve()
    os.chdir(HERE.parent)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as temporary:
        scratch = (options.scratch or Path(temporary)).resolve()
        result = measure_peers(scratch, megabytes=options.megabytes, peers=available(options.peers), corpora=corpora)
        result |= measure_decisions(scratch, options.millions) if options.millions else {}
    result |= {"cores": os.cpu_count(), "load": round(load, 1)}
    print(json.dumps(result))


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(str(error)) from error
