"""The search for duplicates where a corpus is hard: millions of verified pairs across runs, one document a million times.

    python bench/dedup_scale.py [--pairs N] [--runs N] [--copies N] [--scratch DIR]

`choice_<shape>`: who stays, of so many verified pairs whose documents lie in all runs without order, so that nearly each
pair goes from run to run: the stages from the verified pairs on, with the memory setting of
`pipeline.decide.duplicates.choice`, one task after the other in one process. Shapes: `groups`, up to 40 copies of
one document, each a neighbour of the preferred one; `trees`, each document a copy of any earlier one alone, all hang
together; `webs`, each of any two earlier ones. Given are rounds, the peak less that of a thousand pairs, CPU seconds,
the share of pairs that wait after each round, and bytes sent by pair, beside the formula: 16 and an eighth for each
different pair of a run and another run's row that it asks for (`asks`: a row, `states`: a row and a bit).
`copies_<kind>`: the commands `gristmill extract` and `decide --workers 1` over one document so many times: `exact`, or
`near`, with two other words in each. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.end_to_end import measure  # noqa: E402  (the project's root is no installed package)
from kernels.arrays import Int64s, Uint64s  # noqa: E402
from manifests.corpus import Dedup, Languages  # noqa: E402
from manifests.step import Ledger, TaskManifest  # noqa: E402
from pipeline.decide.duplicates import choice  # noqa: E402
from pipeline.decide.duplicates.search import choice_stages, pairs_stages, run_rounds  # noqa: E402
from pipeline.decide.duplicates.verification import EDGES, edges_file  # noqa: E402
from pipeline.decide.exchange import exchange_file  # noqa: E402
from pipeline.decide.runs import RunJob, run_job  # noqa: E402
from pipeline.decide.settings import DecideJob, DecideSettings  # noqa: E402
from pipeline.decide.stages import run_stages, tasks_in  # noqa: E402
from pipeline.engines.runners import Runner  # noqa: E402
from pipeline.parts import Part, first_rows  # noqa: E402
from pipeline.schemas import publish_ipc, read_ipc  # noqa: E402
from storage.steps import write_task  # noqa: E402

SHAPES = ("groups", "trees", "webs")
_LARGEST_GROUP = 40
_WORDS = 60
# Bytes of a row that is asked for, and of the answer: a row and a bit.
_FORMULA = 16 + 1 / 8


def make_pairs(shape: str, *, pairs: int, seed: int = 1) -> tuple[Int64s, Int64s]:
    """Documents in order of preference, by number: of each pair the one that may go and the preferred one, int64[n]."""
    rng = np.random.default_rng(seed)
    if shape == "groups":
        sizes = rng.integers(2, _LARGEST_GROUP + 1, pairs)
        sizes = sizes[: int(np.searchsorted(np.cumsum(sizes - 1), pairs)) + 1]
        starts = np.cumsum(sizes) - sizes
        preferred = np.repeat(starts, sizes - 1)
        others = np.delete(np.arange(int(sizes.sum())), starts)
        return others[:pairs], preferred[:pairs]
    if shape == "trees":
        others = np.arange(1, pairs + 1)
        return others, (rng.random(pairs) * others).astype(np.int64)
    others = np.repeat(np.arange(1, pairs // 2 + 1), 2)
    return others, (rng.random(len(others)) * others).astype(np.int64)


def rows_of(numbers: Int64s, *, runs: int) -> Uint64s:
    """The row of each document: runs take turns in no order."""
    spread = (numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    return first_rows((spread % np.uint64(runs)).astype(np.int64)) + numbers.astype(np.uint64)


def write_job(folder: str, others: Int64s, preferred: Int64s, *, runs: int) -> RunJob:
    """Publish the pairs as those that were verified, in so many runs of one part."""
    settings = DecideSettings(
        sources={}, languages=Languages(), block_lists=(), dedup=Dedup(), seed=0, personal_information=None
    )
    parts = [
        Part(
            name=f"s/{number:06d}", number=number, source="s", sha256="0", rows=1 << 26, text_bytes=0, priority=0,
            bucket="s/general",
        )
        for number in range(runs)
    ]  # fmt: skip
    job = run_job(parts, DecideJob(settings=settings, extract=folder, folder=folder, key="k"))
    rows, keepers = rows_of(others, runs=runs), rows_of(preferred, runs=runs)
    order = np.argsort(rows, kind="stable")
    bounds = np.searchsorted(rows[order], first_rows(np.arange(runs + 1)))
    for run, task in enumerate(tasks_in(pairs_stages(runs)[-1], job)):
        places = order[bounds[run] : bounds[run + 1]]
        zeros = pa.array(np.zeros(len(places), np.uint64))
        columns = [pa.array(rows[places]), pa.array(keepers[places]), zeros, zeros]
        columns.append(pa.array(np.full(len(places), 0.9, np.float32)))
        batch = pa.RecordBatch.from_arrays(columns, schema=EDGES)
        output = publish_ipc(folder, edges_file(run), [batch], EDGES, compress=False)
        done = TaskManifest(task=task.name, key=task.key, inputs={}, outputs=[output], ledger=Ledger())
        write_task(folder, done)
    return job


def run_choice(job: RunJob) -> None:
    """Choose, in this process."""
    rounds = run_rounds(pairs_stages(job.runs)[-1], job, runner=Runner())
    run_stages(choice_stages(job.runs, rounds=rounds), job, runner=Runner())


def describe_choice(shape: str, pairs: int, runs: int, folder: str) -> dict[str, Any]:
    """What a finished choice left in the folder; fails if it is not the one that its definition gives."""
    others, preferred = make_pairs(shape, pairs=pairs)
    chosen = [read_ipc(str(path))["row"].to_numpy() for path in sorted(Path(folder, "duplicates/chosen").iterdir())]
    goes = chosen_by_definition(others, preferred)
    expected = np.sort(rows_of(np.flatnonzero(goes), runs=runs))
    if not np.array_equal(np.concatenate(chosen), expected):
        raise SystemExit(f"{shape}: other documents go than by the definition")
    rounds = len(list(Path(folder, "duplicates").glob("states-*")))
    waiting = []
    for number in range(rounds):
        files = Path(folder, f"duplicates/waiting-{number:02d}")
        if files.is_dir():
            waiting.append(sum(read_ipc(str(path)).num_rows for path in files.iterdir()) / pairs)
    sent, asked = 0, 0
    for run in range(runs):
        for exchange in (choice.ASKS, *(choice.states_exchange(number) for number in range(rounds))):
            path = Path(folder, exchange_file(exchange, run))
            if path.is_file():
                sent += path.stat().st_size
                asked += read_ipc(str(path)).num_rows if exchange == choice.ASKS else 0
    return {
        "rounds": len(waiting),
        "waiting": [round(share, 4) for share in waiting],
        "sent_bytes_per_pair": round(sent / pairs, 2),
        "formula_bytes_per_pair": round(asked * _FORMULA / pairs, 2),
        "goes": int(goes.sum()),
    }


def chosen_by_definition(others: Int64s, preferred: Int64s) -> np.ndarray:
    """Which documents go, bool[n]: one by one in order of preference; `others` ascends."""
    goes = [False] * (int(others.max(initial=0)) + 1)
    for other, before in zip(others.tolist(), preferred.tolist(), strict=True):
        if not goes[before]:
            goes[other] = True
    return np.array(goes)


def measure_choice(shape: str, *, pairs: int, runs: int, scratch: Path) -> dict[str, Any]:
    """The choice in a process of its own, less a choice among a thousand pairs."""
    costs = []
    for size in (min(1_000, pairs), pairs):
        folder = scratch / f"{shape}-{size}"
        job = write_job(str(folder), *make_pairs(shape, pairs=size), runs=runs)
        costs.append(measure([sys.executable, "-m", "bench.dedup_scale", "--choice", job.model_dump_json()]))
    found = describe_choice(shape, pairs, runs, str(folder))
    shutil.rmtree(folder)
    return {
        **found,
        "peak_mb": round(costs[1].peak_mb - costs[0].peak_mb),
        "cpu_s": round(costs[1].cpu_s - costs[0].cpu_s, 2),
    }


def measure_copies(kind: str, *, copies: int, scratch: Path) -> dict[str, Any]:
    """One document so many times."""
    folder = scratch / f"copies-{kind}"
    corpus = write_copies(folder, kind=kind, copies=copies)
    result: dict[str, Any] = {}
    for step in ("extract", "decide"):
        command = [sys.executable, "-m", "gristmill", step, str(corpus), "--out", str(folder / "out")]
        cost = measure([*command, "--workers", "1"])
        result |= {f"{step}_cpu_s": round(cost.cpu_s, 2), f"{step}_peak_mb": round(cost.peak_mb)}
    ledger = json.loads((folder / "out" / "decide" / "_MANIFEST.json").read_text())["ledger"]
    shutil.rmtree(folder)
    return {**result, "kept": ledger["kept"], "dropped": ledger["dropped"]}


def write_copies(folder: Path, *, kind: str, copies: int) -> Path:
    """One document of JSON Lines so many times, in files of 50,000; the corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(2)
    words = [f"word{number}" for number in range(_WORDS)]
    for first in range(0, copies, 50_000):
        with open(folder / f"{first:09d}.jsonl", "w") as file:
            for number in range(first, min(copies, first + 50_000)):
                own = list(words)
                if kind == "near":
                    # Neighbours: of its 56 shingles a near copy has six of its own at most.
                    place = int(rng.integers(0, _WORDS - 1))
                    own[place : place + 2] = [f"a{number}", f"b{number}"]
                file.write(json.dumps({"id": str(number), "text": " ".join(own)}) + "\n")
    source: dict[str, Any] = {
        "name": "copies",
        "format": "jsonl",
        "root": str(folder),
        "files": ["*.jsonl"],
        "licence": "made here",
        "expected_duplicates": 1.0,  # or the alarm would stop it, as it should
    }
    manifest = {
        "kind": "corpus", "version": 1, "name": "copies", "sources": [source], "filters": "none",
        "personal_information": None, "tokenizer": {"train": {}},
    }  # fmt: skip
    path = folder / "corpus.yaml"
    path.write_text(yaml.safe_dump(manifest, sort_keys=False))
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=20_000_000)
    parser.add_argument("--runs", type=int, default=32)
    parser.add_argument("--copies", type=int, default=1_000_000)
    parser.add_argument("--choice", metavar="JOB", help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help="work here")
    options = parser.parse_args(arguments)
    if options.choice is not None:
        run_choice(RunJob.model_validate_json(options.choice))
        return
    os.chdir(HERE.parent)
    result: dict[str, Any] = {"pairs": options.pairs, "runs": options.runs, "copies": options.copies}
    result["load"] = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory(dir=options.scratch) as temporary:
        for shape in SHAPES if options.pairs else ():
            found = measure_choice(shape, pairs=options.pairs, runs=options.runs, scratch=Path(temporary))
            print(f"{shape:<8} {json.dumps(found)}", flush=True)
            result[f"choice_{shape}"] = found
        for kind in ("exact", "near") if options.copies else ():
            found = measure_copies(kind, copies=options.copies, scratch=Path(temporary))
            print(f"{kind:<8} {json.dumps(found)}", flush=True)
            result[f"copies_{kind}"] = found
    print(json.dumps(result))


if __name__ == "__main__":
    main()
