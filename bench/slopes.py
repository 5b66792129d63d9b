"""What each step of the data half costs as the corpus grows: four sizes that span a factor of 16, and the exponent fitted to them.

    python bench/slopes.py [--corpus CORPUS.yaml] [--only GROUP ...] [--out FILE]
    python bench/slopes.py --json-file FILE --plan [--into docs/scale.md]

Groups: `text` (nested shares of the development corpora, one worker), `ids` (decide over documents without text, far more of them),
`files` (tiny files: what a task costs), `client` (what one process holds or does one by one), `memory` (one large file), `tokenizer`,
`shards` (the start of training and its reading). CPU seconds are user + system of a command and its children; what the smallest possible
input costs, start-up above all, is the `zero` of a series and taken off before fitting. Sub-steps and bytes come from a second run that
counts them (bench/traced.py). The last line is one JSON object with all points and exponents.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.end_to_end import Cost  # noqa: E402  (the project's root is no installed package)
from bench.power_law import fit_power  # noqa: E402
from bench.scale import Prices, Workload  # noqa: E402
from bench.scale_tables import plan_text, write_into  # noqa: E402
from bench.slope_inputs import with_shard_tokens, with_training, write_large, write_many, write_share, write_synthetic  # noqa: E402
from bench.slope_runs import STEPS, Bench, Saved, add_series, line_of, median_of, run_step, run_steps, run_traced  # noqa: E402
from pipeline.schemas import read_ipc  # noqa: E402
from shards.writer import load_manifest  # noqa: E402

SHARES = (1 / 16, 0.16, 0.4, 1.0)
DOCUMENTS = (100_000, 252_000, 635_000, 1_600_000)
FILES = (25, 63, 159, 400)
COUNTS = (1_000, 2_520, 6_350, 16_000)
EDGES = (400_000, 1_000_000, 2_500_000, 6_400_000)
WINDOWS = (512, 1_290, 3_250, 8_192)
SHARD_TOKENS = (3_000_000, 7_500_000, 19_000_000, 48_000_000)
SAMPLE_MB = (1.0, 2.5, 6.3, 16.0)
TRAINED_VOCABULARY = 16_000
# What the tasks of decide belong to, by the beginnings of their names.
STAGES = ("sites", "duplicates", "decisions")


def measure_text(bench: Bench, saved: Saved) -> None:
    """Nested shares of the corpora: CPU of the commands, CPU of functions, bytes, duplicates."""
    for share in (0.0, *SHARES):
        folder = bench.folder(f"share-{share:.4f}")
        corpus = write_share(bench.corpus, folder, share=share)
        out = folder / "out"
        if not share:  # compiles what is compiled on first use
            run_steps(corpus, folder / "warm")
        repeats = 1 if share > 0.1 else 3
        costs = median_of([run_steps(corpus, folder / f"clean-{index}") for index in range(repeats)])
        # Only extract has parts (its formats) that are shown by themselves, and models to load.
        warm = {"extract": [bench.folder(f"share-{0.0:.4f}") / "corpus.yaml"]}
        traces = {step: run_traced("step", step, corpus, out, *warm.get(step, [])) for step in STEPS}
        manifest = json.loads((out / "extract" / "_MANIFEST.json").read_text())
        documents = manifest["ledger"]["kept"]
        text = sum(output["text_bytes"] for output in manifest["outputs"])
        _text_points(saved, costs, traces, share=share, documents=documents, text=text)
        if share == 1.0:
            _text_facts(saved, manifest, traces, out, documents=documents, text=text)
        print(f"share {share:6.4f}  {text / 1e6:7.1f} MB  {documents:7,} documents  " + line_of(costs), flush=True)
        if share not in (0.0, 1.0):
            shutil.rmtree(folder)


def _text_points(
    saved: Saved,
    costs: dict[str, Cost],
    traces: dict[str, dict[str, Any]],
    *,
    share: float,
    documents: int,
    text: int,
) -> None:
    command = "--only text"
    for step in ("extract", "decide", "tokenize"):
        x, of = (documents, "documents") if step == "decide" else (text / 1e6, "MB of text")
        if not share:
            saved.zero(f"{step}.cpu", costs[step].cpu_s, of=of, unit="CPU s", command=command, x=x)
            continue
        saved.add(f"{step}.cpu", x, costs[step].cpu_s, of=of, unit="CPU s", command=command)
        saved.add(f"{step}.peak", x, costs[step].peak_mb, of=of, unit="MB", command=command)
        for direction in ("read", "written"):
            total = sum(counts["bytes"] for counts in traces[step][direction].values())
            saved.add(f"{step}.{direction}", x, total / 1e6, of=of, unit="MB", command=command)


def _text_facts(
    saved: Saved,
    manifest: dict[str, Any],
    traces: dict[str, dict[str, Any]],
    out: Path,
    *,
    documents: int,
    text: int,
) -> None:
    """Figures of the whole corpora: speed by format, bytes by kind, duplicates, tokens."""
    facts = saved.facts
    formats = {name: source["format"] for name, source in manifest["settings"]["sources"].items()}
    cpu: dict[str, float] = {}
    texts: dict[str, float] = {}
    raw: dict[str, float] = {}
    for task, used in traces["extract"]["tasks"].items():
        cpu[formats[task.split("/")[0]]] = cpu.get(formats[task.split("/")[0]], 0.0) + used
    for output in manifest["outputs"]:
        kind, source = output["path"].split("/")[:2]
        if kind == "documents":
            texts[formats[source]] = texts.get(formats[source], 0.0) + output["text_bytes"]
    for source_folder in out.parent.iterdir():
        if source_folder.name in formats:
            size = sum(path.stat().st_size for path in source_folder.rglob("*") if path.is_file())
            raw[formats[source_folder.name]] = raw.get(formats[source_folder.name], 0.0) + size
    for name in sorted(cpu):
        facts[f"extract.{name}.text_mb_per_cpu_s"] = texts[name] / 1e6 / cpu[name]
        facts[f"extract.{name}.raw_bytes_per_text_byte"] = raw[name] / texts[name]
        facts[f"extract.{name}.text_mb"] = texts[name] / 1e6
    for step, direction in (
        ("extract", "written"),
        ("decide", "read"),
        ("decide", "written"),
        ("tokenize", "read"),
        ("tokenize", "written"),
    ):
        for kind, counts in traces[step][direction].items():
            facts[f"{step}.{direction}.{kind}.bytes"] = counts["bytes"]
            facts[f"{step}.{direction}.{kind}.files"] = counts["files"]
    shards = load_manifest(str(out / "shards")).shards
    decided = json.loads((out / "decide" / "_MANIFEST.json").read_text())
    kept = sum(shard.documents for shard in shards)
    dropped = decided["ledger"]["dropped"]
    duplicates = dropped.get("near_duplicate", 0) + dropped.get("exact_duplicate", 0)
    facts |= {
        "text_mb": text / 1e6,
        "documents": documents,
        "kept_documents": kept,
        "tokens": sum(shard.tokens for shard in shards),
        "duplicate_rows": duplicates,
        "pairs_per_duplicate": _pairs(out / "decide" / "duplicates" / "counts") / max(1, duplicates),
        **{f"decide.reading.{name}": size for name, size in traces["decide"]["reading"].items()},
    }


def _pairs(folder: Path) -> int:
    """Verified pairs, from the counts of the search for duplicates."""
    return sum(int(np.sum(read_ipc(str(path))["confirmed"].to_numpy())) for path in folder.glob("*.arrow"))


def measure_ids(bench: Bench, saved: Saved) -> None:
    """Decide over documents without text: the step itself, its stages, and what they hand on."""
    command = "--only ids"
    for documents in (1, *DOCUMENTS):
        folder = bench.folder(f"ids-{documents}")
        corpus = write_synthetic(folder, tokenizer=bench.tokenizer, documents=documents)
        out = folder / "out"
        cost = run_step("decide", corpus, out)
        decided = json.loads((out / "decide" / "_MANIFEST.json").read_text())
        shutil.rmtree(out / "decide")
        trace = run_traced("step", "decide", corpus, out)
        values = {"ids.decide.cpu": (cost.cpu_s, "CPU s"), "ids.decide.peak": (cost.peak_mb, "MB")}
        inside = 0.0
        for stage in STAGES:
            used, shuffled = stage_costs(trace["functions"], stage)
            inside += used
            handed = shuffled + trace["written"].get(f"decide/{stage}", {}).get("bytes", 0)
            values[f"ids.{stage}.cpu"] = (used, "CPU s")
            values[f"ids.{stage}.handed"] = (handed / 1e6, "MB")
        values["ids.runner.cpu"] = (max(0.0, trace["cpu_s"] - inside), "CPU s")
        for name, (value, unit) in values.items():
            if documents == 1:
                saved.zero(name, value, of="documents", unit=unit, command=command)
            else:
                saved.add(name, documents, value, of="documents", unit=unit, command=command)
        print(f"ids {documents:9,}  decide {cost.cpu_s:6.2f} CPU s {cost.peak_mb:6.0f} MB", flush=True)
        if documents == DOCUMENTS[-1]:
            saved.facts["ids.documents"] = documents
            saved.facts["ids.duplicate_rows"] = sum(decided["ledger"]["dropped"].values())
            for kind, counts in trace["read"].items():
                saved.facts[f"ids.read.{kind}.bytes"] = counts["bytes"] / documents
        shutil.rmtree(folder)


def stage_costs(functions: dict[str, dict[str, float]], stage: str) -> tuple[float, float]:
    """CPU seconds of what belongs to a stage of decide, and bytes that it put into shuffles.

    Args:
        functions: by the beginnings of names of tasks, or by functions of a shuffle, as bench/traced.py counts them.
    """
    own = [counts for name, counts in functions.items() if _stage_of(name) == stage]
    return sum(counts["cpu_s"] for counts in own), sum(counts.get("bytes", 0.0) for counts in own)


def _stage_of(name: str) -> str:
    return "sites" if "site" in name or "page" in name else name


def measure_files(bench: Bench, saved: Saved) -> None:
    """Tiny files, one document each: what a task and a part cost, whatever is in them."""
    run_steps(
        write_many(bench.folder("files") / "warm", tokenizer=bench.tokenizer, files=1), bench.folder("files") / "out"
    )
    for files in (1, *FILES):
        folder = bench.folder(f"files-{files}")
        corpus = write_many(folder / "corpus", tokenizer=bench.tokenizer, files=files)
        costs = run_steps(corpus, folder / "out")
        for step in ("extract", "decide", "tokenize"):
            if files == 1:
                saved.zero(f"files.{step}.cpu", costs[step].cpu_s, of="files", unit="CPU s", command="--only files")
            else:
                saved.add(
                    f"files.{step}.cpu", files, costs[step].cpu_s, of="files", unit="CPU s", command="--only files"
                )
        print(f"files {files:4}  " + line_of(costs), flush=True)
        shutil.rmtree(folder)


def measure_client(bench: Bench, saved: Saved) -> None:
    """What one process holds, or does one by one."""
    add_series(
        bench, saved, "tasks", COUNTS, {"cpu_s": "tasks.cpu", "memory": "tasks.memory"}, of="tasks", group="client"
    )
    names = {
        "write_cpu_s": "manifest.write.cpu",
        "read_cpu_s": "manifest.read.cpu",
        "bytes": "manifest.bytes",
        "memory": "manifest.memory",
    }
    add_series(bench, saved, "manifest", [3 * count for count in COUNTS], names, of="outputs", group="client")
    add_series(
        bench,
        saved,
        "graph",
        COUNTS,
        {"bytes": "graph.bytes", "cpu_s": "graph.cpu"},
        of="runs",
        group="client",
        folder=False,
    )
    names = {"cpu_s": "choice.cpu", "memory": "choice.memory"}
    add_series(bench, saved, "choice", EDGES, names, of="pairs", group="client")


def measure_memory(bench: Bench, saved: Saved) -> None:
    """One file larger than a part, and shards of four sizes from it."""
    folder = bench.folder("large")
    corpus = write_large(bench.corpus, folder, shard_tokens=SHARD_TOKENS[0])
    out = folder / "out"
    cost = run_step("extract", corpus, out)
    saved.facts["memory.extract.peak_mb"] = cost.peak_mb
    saved.facts["memory.extract.text_mb"] = (folder / "raw" / "all.jsonl").stat().st_size / 1e6
    for step in ("decide", "tokenizer"):
        run_step(step, corpus, out)
    for tokens in SHARD_TOKENS:
        peak = run_step("tokenize", with_shard_tokens(corpus, tokens), out).peak_mb
        saved.add("memory.tokenize.peak", tokens, peak, of="tokens of a shard", unit="MB", command="--only memory")
        print(f"shards of {tokens:11,} tokens  {peak:6.0f} MB", flush=True)
    shutil.rmtree(folder)


def measure_tokenizer(bench: Bench, saved: Saved) -> None:
    """The training of a tokenizer by the size of its sample, and the reading of all documents for it."""
    folder, corpus = _prepared(bench)
    given = run_step("tokenizer", corpus, folder / "given")
    saved.zero("tokenizer.cpu", given.cpu_s, of="MB of sample", unit="CPU s", command="--only tokenizer")
    for sample in SAMPLE_MB:
        cost = run_step(
            "tokenizer", with_training(corpus, sample_mb=sample, vocab_size=TRAINED_VOCABULARY), folder / "out"
        )
        saved.add("tokenizer.cpu", sample, cost.cpu_s, of="MB of sample", unit="CPU s", command="--only tokenizer")
        saved.add("tokenizer.peak", sample, cost.peak_mb, of="MB of sample", unit="MB", command="--only tokenizer")
        print(f"tokenizer from {sample:4} MB  {cost.cpu_s:6.2f} CPU s {cost.peak_mb:6.0f} MB", flush=True)
    scanned = run_traced("scan", corpus, folder / "out")
    saved.facts["tokenizer.scan_mb_per_cpu_s"] = scanned["text_bytes"] / 1e6 / scanned["cpu_s"]


def measure_shards(bench: Bench, saved: Saved) -> None:
    """The start of training over many shards, and reading windows."""
    names = {"cpu_s": "open.cpu", "plan_cpu_s": "open.plan.cpu", "memory": "open.memory", "bytes": "open.bytes"}
    add_series(bench, saved, "open", [count // 2 for count in COUNTS], names, of="shards", group="shards")
    folder, _ = _prepared(bench)
    for count in WINDOWS:
        result = run_traced("samples", count, folder / "out" / "shards")
        saved.add(
            "samples.cpu", count, result["cpu_s"], of="windows of 4,096 tokens", unit="CPU s", command="--only shards"
        )


GROUPS: dict[str, Callable[[Bench, Saved], None]] = {
    "text": measure_text,
    "ids": measure_ids,
    "files": measure_files,
    "client": measure_client,
    "memory": measure_memory,
    "tokenizer": measure_tokenizer,
    "shards": measure_shards,
}


def _prepared(bench: Bench) -> tuple[Path, Path]:
    """The whole corpora, prepared: what the group `text` left behind, or made now."""
    folder = bench.folder(f"share-{1.0:.4f}")
    if not (folder / "out" / "shards" / "_MANIFEST.json").exists():
        run_steps(write_share(bench.corpus, folder, share=1.0), folder / "out")
    return folder, folder / "corpus.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=HERE / "dev_corpus.yaml")
    parser.add_argument(
        "--only", nargs="+", choices=sorted(GROUPS), help="these groups alone; with --out, added to what FILE holds"
    )
    parser.add_argument("--out", type=Path, help="save the result here")
    parser.add_argument("--json-file", type=Path, help="a saved result")
    parser.add_argument("--plan", action="store_true", help="print the plan from --json-file")
    parser.add_argument(
        "--into", type=Path, metavar="PAGE", help="with --plan: put it between the markers of this page"
    )
    for given in (Workload(), Prices()):
        for item in fields(given):
            option = f"--{item.name.replace('_', '-')}"
            parser.add_argument(
                option, type=float, default=getattr(given, item.name), help=f"with --plan; default: {item.default:g}"
            )
    options = parser.parse_args()
    if options.plan:
        if options.json_file is None:
            parser.error("--plan needs --json-file")
        work = Workload(**{item.name: getattr(options, item.name) for item in fields(Workload)})
        prices = Prices(**{item.name: getattr(options, item.name) for item in fields(Prices)})
        text = plan_text(json.loads(options.json_file.read_text()), work, prices)
        print(text)
        if options.into:
            write_into(options.into, text)
        return
    out = options.out.resolve() if options.out else None
    corpus = options.corpus.resolve()
    os.chdir(HERE.parent)
    from manifests.corpus import load_corpus

    model = load_corpus(corpus).tokenizer.model
    if model is None:
        raise SystemExit(f"{corpus} trains its tokenizer: give a corpus with a model")
    before: dict[str, Any] = json.loads(out.read_text()) if out is not None and options.only and out.exists() else {}
    load = os.getloadavg()[0]
    saved = Saved()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for group in options.only or GROUPS:
            GROUPS[group](Bench(corpus, model, Path(scratch)), saved)
            result = as_json(saved, load=load)
            result |= {key: before.get(key, {}) | result[key] for key in ("series", "facts", "fits")}
            if out is not None:  # after each group: a group that fails costs only itself
                out.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    _print_fits(saved)
    print(json.dumps(result))


def as_json(saved: Saved, *, load: float) -> dict[str, Any]:
    """All points with their fits, and the machine; `load` is its load average before the run."""
    fits = {name: fit_power(series) for name, series in saved.series.items()}
    return {
        "machine": {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "python": platform.python_version(),
            "load": round(load, 1),
        },
        "series": {name: series.as_json() for name, series in saved.series.items()},
        "fits": {name: None if fit is None else fit.as_json() for name, fit in fits.items()},
        "facts": saved.facts,
    }


def _print_fits(saved: Saved) -> None:
    for name, series in sorted(saved.series.items()):
        fit = fit_power(series)
        if fit is not None:
            slope = f"{series.slope():.4g} {series.unit} per {series.of}"
            print(f"{name:<28} {slope:<50} exponent {fit.exponent:.2f} [{fit.low:.2f}, {fit.high:.2f}]")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


if __name__ == "__main__":
    main()
