"""Samples in training order at 2 trillion tokens: start, seek, speed, beside Megatron's `GPTDataset` and litdata.

    python bench/order.py [--scratch DIR] [--shards 31250] [--shard-tokens 64000000]

31,250 shards of 64 million tokens in 20 sources of 20 bands (bench/order_inputs.py says what of them is real: 1.5 GB on
disk, hard links for the rest, all of it in the page cache). Each measurement is a process of its own; CPU seconds are
user + system. Samples are windows of 4,096 + 1 tokens, in steps of 1,024 (4.2 million tokens, as Llama 2), in the order
of a run over the natural mixture of all 400 buckets.

- start: from the start of Python to the first sample: imports, `open_shards` with all it checks, the plan of the mixture,
  one sample. `startup_s` is CPU of the first start, which also hashes the shards that the guard draws; `startup_again_s`
  of a later one. `startup_mb` is the most resident memory of the process, all of Python and its libraries included.
- seek: one sample at a random place of the run, in a process that has opened the shards; wall time, as a resumed run
  waits for it: of 200, the 99th percentile (`seek_ms`), the median and the worst.
- samples: `mtokens_per_cpu_s` is CPU of `samples` from mapped shards, pages included: steps that this process has read
  before. `first_touch_mtokens_per_cpu_s` is that of steps whose windows it reads for the first time, from mapped shards
  and the page cache: a run reads each window once an epoch, so this is what it pays, and what ratios to peers are taken
  of. As in a training loop that is done with a step before it asks for the next but one, steps use the memory of earlier
  ones (`shards.step_memory`). `unmapped_mtokens_per_cpu_s` is that of the first 30 steps, in which shards are still being
  mapped. Not counted: reading from a disk, which is the same for all.
- peers, in the same run, over the tokens of the real shards in their own formats, warm, one process, no workers; int64
  windows, stacked into batches of 1,024 as ours are. Megatron: `GPTDataset.__getitem__`, which its trainer calls, and
  `tokens_only`, its private `_query_document_sample_shuffle_indices` alone, which leaves out masks and positions.
  litdata: `StreamingDataset` with `TokensLoader`, shuffled as its users do (whole chunks in random order, blocks within
  a chunk), as int64 batches, and items as they come, which are views of its file in uint16. Both read eight shards
  where ours reads 31,250, so that their pages are soon mapped: this is in their favour.

The last line is one JSON object; a peer that cannot be installed is skipped with a message, and its ratio is null.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

SEQUENCE = 4_096
STEP = 1_024
SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", type=Path, help="folder for 4 GB of files; deleted afterwards")
    parser.add_argument("--shards", type=int, default=31_250)
    parser.add_argument("--shard-tokens", type=int, default=64_000_000)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_CHILDREN[options.child[0]](Path(options.child[1]))))
        return
    from bench import order_inputs

    with tempfile.TemporaryDirectory(dir=options.scratch, prefix="gristmill-order-") as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        print(f"writing {options.shards:,} shards of {options.shard_tokens:,} tokens", flush=True)
        prepared = order_inputs.make(folder, shards=options.shards, shard_tokens=options.shard_tokens)
        found = {"startup": _child("startup", prepared)}
        found["again"] = _child("startup", prepared)
        order_inputs.remember(prepared)
        found |= {name: _child(name, prepared) for name in ("seek", "read")}
        found |= _peers(folder)
    _print(found)


def _child(name: str, folder: Path, *, python: str = sys.executable, env: dict[str, str] | None = None) -> Any:
    command = [python, str(HERE / "order.py"), "--child", name, str(folder)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore", **(env or {})},
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2_000:]}")
    print(f"{name}: {done.stdout.strip().splitlines()[-1]}", flush=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def startup(prepared: Path) -> dict[str, Any]:
    """The start of a run, up to its first sample."""
    began = time.perf_counter()
    shards, order = _opened(prepared)
    from shards.samples import samples

    samples(shards, order, 0, 1)
    cpu, wall = time.process_time(), time.perf_counter() - began
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) / 1e3  # getrusage gives the starter's, where that was more
    seen = shards.seen
    return {
        "cpu_s": cpu, "wall_s": wall, "mb": peak, "buckets": len(shards.buckets), "bounded": seen.bounded, "encoded": seen.encoded,
        "note": seen.note,
    }  # fmt: skip


def seek(prepared: Path) -> dict[str, Any]:
    """One sample at a random place."""
    shards, order = _opened(prepared)
    from shards.samples import samples

    samples(shards, order, 0, 1)
    waits = []
    for sample in np.random.default_rng(3).integers(0, _run_samples(shards), 200).tolist():
        began = time.perf_counter()
        samples(shards, order, sample, 1)
        waits.append(1e3 * (time.perf_counter() - began))
    return {"median_ms": float(np.median(waits)), "p99_ms": float(np.quantile(waits, 0.99)), "worst_ms": max(waits)}


def read(prepared: Path) -> dict[str, Any]:
    """Steps in order, with and without the maps being made."""
    shards, order = _opened(prepared)
    from shards.samples import samples

    def steps(first: int, count: int) -> float:
        began = time.process_time()
        for step in range(first, first + count):
            samples(shards, order, step * STEP, STEP)
        return count * STEP * SEQUENCE / 1e6 / (time.process_time() - began)

    samples(shards, order, 0, 1)
    unmapped = steps(0, 30)
    began = time.process_time()
    for bucket in shards.buckets.values():
        for shard in range(len(bucket.entries)):
            bucket.map_tokens(shard)
    mapping = time.process_time() - began
    first, again = [], []
    for at in range(30, 130, 20):
        first.append(steps(at, 20))
        again.append(steps(at, 20))
    import psutil

    info = psutil.Process().memory_info()
    return {
        "first": float(np.median(first)), "again": float(np.median(again)), "while_mapping": unmapped, "mapping_s": mapping,
        "private_mb": (info.rss - info.shared) / 1e6,
    }  # fmt: skip


def megatron(folder: Path) -> dict[str, Any]:
    """`GPTDataset` over the real shards' documents."""
    import torch
    from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig
    from megatron.core.datasets.indexed_dataset import IndexedDataset, IndexedDatasetBuilder
    from megatron.core.datasets.megatron_tokenizer import MegatronLegacyTokenizer
    from megatron.core.datasets.utils import Split

    class Ends(MegatronLegacyTokenizer):
        def __init__(self) -> None:
            super().__init__("order", vocab=0)

        def tokenize(self, text: str) -> list[int]:
            raise NotImplementedError

        vocab = inv_vocab = property(lambda self: {})
        vocab_size = property(lambda self: 8_000)
        eod = property(lambda self: 2)

    torch.set_num_threads(1)
    prefix = str(folder / "megatron" / "tokens")
    Path(prefix).parent.mkdir()
    builder = IndexedDatasetBuilder(f"{prefix}.bin", dtype=np.uint16)
    for tokens, offsets in _real(folder):
        np.asarray(tokens).tofile(builder.data_file)
        builder.sequence_lengths.extend(np.diff(offsets).astype(np.int32).tolist())
        builder.document_indices.extend(
            range(len(builder.document_indices), len(builder.document_indices) + len(offsets) - 1)
        )
    builder.finalize(f"{prefix}.idx")
    config = GPTDatasetConfig(
        random_seed=SEED, sequence_length=SEQUENCE, split="1,0,0", blend=([prefix], None), path_to_cache=str(folder / "index"),
        tokenizer=Ends(), reset_position_ids=False, reset_attention_mask=False, eod_mask_loss=False, create_attention_mask=False,
    )  # fmt: skip
    indexed = IndexedDataset(prefix, multimodal=False, mmap=True)
    began = time.process_time()
    dataset = GPTDataset(indexed, prefix, np.arange(len(indexed), dtype=np.int32), None, Split.train, config)
    built = time.process_time() - began
    count = len(dataset) // 2 // STEP
    began = time.process_time()
    for step in range(count):
        items = [dataset[step * STEP + row] for row in range(STEP)]
        [torch.stack([item[key] for item in items]) for key in ("tokens", "labels")]
    whole = count * STEP * SEQUENCE / 1e6 / (time.process_time() - began)
    began = time.process_time()
    for step in range(count, 2 * count):
        batch = np.empty((STEP, SEQUENCE + 1), np.int64)
        for row in range(STEP):
            batch[row] = dataset._query_document_sample_shuffle_indices(step * STEP + row)[0]
    only = count * STEP * SEQUENCE / 1e6 / (time.process_time() - began)
    return {"getitem": whole, "tokens_only": only, "index_cpu_s": built, "samples": 2 * count * STEP}


def litdata(folder: Path) -> dict[str, Any]:
    """`StreamingDataset` with `TokensLoader` over the same tokens."""
    import torch
    from litdata import StreamingDataset, TokensLoader, optimize

    torch.set_num_threads(1)
    written = str(folder / "litdata")
    optimize(
        fn=_litdata_documents, inputs=[str(path) for path in sorted((folder / "real").rglob("0*-0000.arrow"))],
        output_dir=written, chunk_size=(SEQUENCE + 1) * 8_000, item_loader=TokensLoader(block_size=SEQUENCE + 1), num_workers=1,
    )  # fmt: skip

    def dataset() -> Any:
        return StreamingDataset(
            written, item_loader=TokensLoader(block_size=SEQUENCE + 1), shuffle=True, drop_last=True, seed=SEED
        )

    found = {}
    for name in ("warm", "items", "batches"):
        blocks = 0
        began = time.process_time()
        rows = []
        for item in dataset():
            blocks += 1
            if name == "batches":
                rows.append(item)
                if len(rows) == STEP:
                    torch.stack(rows).long()
                    rows = []
        found[name] = blocks * SEQUENCE / 1e6 / (time.process_time() - began)
    return {**found, "samples": blocks}


def _litdata_documents(path: str) -> Any:
    import pyarrow as pa
    import torch

    with pa.memory_map(path) as file:
        column = pa.ipc.open_file(file).get_batch(0).column(0)
    tokens = column.values.to_numpy(zero_copy_only=True)
    for start in range(0, len(tokens), 1 << 20):
        yield torch.from_numpy(tokens[start : start + (1 << 20)].copy())


def _opened(prepared: Path) -> Any:
    from manifests.mixture import MixtureManifest
    from mixing.plan import plan_mixture
    from shards.reader import open_shards

    shards = open_shards(str(prepared / "shards"))
    tokens = {name: bucket.tokens for name, bucket in shards.buckets.items()}
    mixture = MixtureManifest(name="natural")
    return shards, plan_mixture(mixture, tokens, samples=_run_samples(shards), sequence=SEQUENCE, seed=SEED).order


def _run_samples(shards: Any) -> int:
    return int(shards.manifest.shards.tokens.sum()) // SEQUENCE // 2


def _real(folder: Path) -> Any:
    """Tokens and offsets of each real shard."""
    import pyarrow as pa

    for path in sorted((folder / "real").rglob("0*-0000.arrow")):
        with pa.memory_map(str(path)) as file:
            column = pa.ipc.open_file(file).get_batch(0).column(0)
        yield column.values.to_numpy(zero_copy_only=True), column.offsets.to_numpy()


def _peers(folder: Path) -> dict[str, Any]:
    from bench.peers import Unavailable, peer_environment, peer_python

    found: dict[str, Any] = {"megatron": None, "litdata": None}
    try:
        import megatron.core  # noqa: F401
    except ImportError as error:
        print(f"skipped: Megatron: {error}")
    else:
        found["megatron"] = _child("megatron", folder)
    try:
        python = str(peer_python("litdata"))
        # torch is that of this environment.
        here = str(Path(np.__file__).parent.parent)
        env = {**peer_environment(), "PYTHONPATH": here, "DATA_OPTIMIZER_CACHE_FOLDER": str(folder / "litdata-cache")}
        found["litdata"] = _child("litdata", folder, python=python, env=env)
    except Unavailable as error:
        print(f"skipped: {error}")
    return found


def _print(found: dict[str, Any]) -> None:
    read, peers = found["read"], {name: found[name] for name in ("megatron", "litdata")}

    def over(peer: str, key: str) -> float | None:
        return None if peers[peer] is None else round(read["first"] / peers[peer][key], 2)

    print(
        json.dumps(
            {
                "startup_s": round(found["startup"]["cpu_s"], 2), "startup_again_s": round(found["again"]["cpu_s"], 2),
                "startup_wall_s": round(found["startup"]["wall_s"], 2), "startup_mb": round(found["startup"]["mb"]),
                "seek_ms": round(found["seek"]["p99_ms"], 2), "seek_median_ms": round(found["seek"]["median_ms"], 2),
                "seek_worst_ms": round(found["seek"]["worst_ms"], 2),
                "mtokens_per_cpu_s": round(read["again"]), "first_touch_mtokens_per_cpu_s": round(read["first"]),
                "unmapped_mtokens_per_cpu_s": round(read["while_mapping"]), "mapped_mb": round(read["private_mb"]),
                "over_megatron": over("megatron", "getitem"), "over_megatron_tokens_only": over("megatron", "tokens_only"),
                "over_litdata": over("litdata", "batches"), "over_litdata_items": over("litdata", "items"), "peers": peers,
            }
        )
    )  # fmt: skip


_CHILDREN = {"startup": startup, "seek": seek, "read": read, "megatron": megatron, "litdata": litdata}

if __name__ == "__main__":
    main()
