"""Work that only one process can do, at a given size: its cost grows with the corpus, however many workers there are.

In: a count, and a folder to write into. Out: CPU seconds, bytes, memory, for bench/slopes.py; bench/traced.py starts
each piece of work in its own process. Preparation is not counted in the CPU seconds.
"""

from __future__ import annotations

import resource
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

# As long as the names of a crawl's files.
_NAME = "crawl/CC-MAIN-20250101000000-{:08d}.warc.gz-0123456789abcdef"


def look_at_tasks(count: str, folder: str) -> dict[str, Any]:
    """As `run_tasks` does before and after its pipeline: `pending_tasks` and `collect` over `count` tasks of three
    outputs.
    """
    from manifests.step import Ledger, Output, TaskManifest
    from pipeline.engines.tasks import Task, collect, pending_tasks
    from storage.steps import write_task

    kinds = ("documents", "signals", "signatures")
    names = [_NAME.format(number) for number in range(int(count))]
    for name in names:
        outputs = [Output(path=f"{kind}/{name}.0000.arrow", sha256="0" * 64, bytes=1, rows=1) for kind in kinds]
        for output in outputs:
            Path(folder, output.path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, output.path).write_bytes(b"1")
        manifest = TaskManifest(
            task=name, key="1", inputs={name: "0" * 32}, outputs=outputs, ledger=Ledger(records_in=1, kept=1)
        )
        write_task(folder, manifest)
    tasks = [Task(name=name, key="1") for name in names]
    before, began = _own_memory(), time.process_time()
    if pending_tasks(tasks, folder=folder):
        raise SystemExit("tasks are not seen as finished")
    collected = collect(tasks, folder=folder)
    return {"cpu_s": time.process_time() - began, "memory": _own_memory() - before, "collected": len(collected)}


def hold_manifest(count: str, folder: str) -> dict[str, Any]:
    """A step manifest: seconds to write and to read it, bytes of the file, memory of the manifest read."""
    from manifests.step import Ledger, Output, StepManifest
    from storage.steps import read_step, write_step

    outputs = [
        Output(
            path=f"documents/{_NAME.format(number)}.0000.arrow",
            sha256=f"{number:064d}",
            bytes=12_345_678,
            rows=16_800,
            text_bytes=67_108_864,
        )
        for number in range(int(count))
    ]
    manifest = StepManifest(
        step="extract",
        settings_sha256="0" * 64,
        inputs_sha256="0" * 64,
        settings={},
        inputs={},
        outputs=outputs,
        ledger=Ledger(),
    )
    began = time.process_time()
    write_step(folder, manifest)
    written = time.process_time()
    del manifest, outputs
    pa.default_memory_pool().release_unused()
    before, reading = _own_memory(), time.process_time()
    manifest_read = read_step(folder)
    read = time.process_time() - reading
    assert manifest_read is not None
    size = Path(folder, "_MANIFEST.json").stat().st_size
    return {"write_cpu_s": written - began, "read_cpu_s": read, "bytes": size, "memory": _own_memory() - before}


def size_graph(count: str) -> dict[str, Any]:
    """Bytes of a submitted pipeline over N runs, all of which its Create holds."""
    import apache_beam as beam

    from manifests.corpus import Dedup, Languages
    from pipeline.decide.duplicates.search import pairs_stages
    from pipeline.decide.runs import RunJob, RunTask
    from pipeline.decide.settings import DecideSettings
    from pipeline.decide.stages import perform, tasks_in
    from pipeline.engines import tasks
    from pipeline.engines.dofns import EmitNames

    settings = DecideSettings(
        sources={}, languages=Languages(), block_lists=(), dedup=Dedup(), seed=0, personal_information=None
    )
    folder = "s3://bucket/prepared"
    runs = int(count)
    job = RunJob(
        settings=settings, extract=f"{folder}/extract", folder=f"{folder}/decide", key="0" * 64, runs=runs, fan=256,
        parts=20 * runs,
    )  # fmt: skip
    began = time.process_time()
    pipeline = beam.Pipeline()
    stage = pairs_stages(runs)[0]
    elements = [task.model_dump_json() for task in tasks_in(stage, job)]
    function = partial(perform, work=stage.work)
    work = partial(tasks.perform, kind=RunTask, function=function, folder=job.folder)
    _ = pipeline | beam.Create(elements) | beam.ParDo(EmitNames(work, job))
    return {"bytes": pipeline.to_runner_api().ByteSize(), "cpu_s": time.process_time() - began}


def choose_among(count: str, folder: str) -> dict[str, Any]:
    """`dedup.choice.settle` over N verified pairs: every row copies an earlier one, all hang together, the worst case."""
    from dedup.choice import join_known, settle

    generator = np.random.default_rng(1)
    others = np.arange(1, int(count) + 1, dtype=np.uint64)
    preferred = np.minimum((generator.random(len(others)) * others).astype(np.uint64), others - np.uint64(1))
    settle(preferred[:1], others[:1], first=preferred[:1], known=join_known([]))
    before, began = _peak_memory(), time.process_time()
    found = settle(preferred, others, first=np.setdiff1d(preferred, others), known=join_known([]))
    return {"cpu_s": time.process_time() - began, "memory": _peak_memory() - before, "decided": len(found.rows)}


def open_folder(count: str, folder: str) -> dict[str, Any]:
    """Training's start: the shards opened, the order planned.

    Files are empty: they are only listed until a token is asked for.
    """
    from manifests.mixture import MixtureManifest
    from mixing.plan import plan_mixture
    from shards.format import ShardEntry, ShardManifest, TokenizerInfo
    from shards.reader import open_shards
    from shards.writer import publish_manifest

    entries = []
    for number in range(int(count)):
        stem = f"crawl/general/{number:05d}-0000"
        for file in (f"{stem}.arrow", f"{stem}.documents.arrow"):
            Path(folder, file).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, file).touch()
        entries.append(
            ShardEntry(
                bucket="crawl/general", name=f"{number:05d}-0000", file=f"{stem}.arrow", documents_file=f"{stem}.documents.arrow",
                sha256=f"{number:064d}", documents_sha256="0" * 64, content_sha256="0" * 64, bytes=128_000_000, documents_bytes=1_000_000,
                documents=60_000, tokens=64_000_000, inputs=[_NAME.format(number) + ".0000"] * 4,
            )
        )  # fmt: skip
    tokenizer = TokenizerInfo(sha256="0" * 64, vocab_size=32_000, bos_id=1, eos_id=2)
    publish_manifest(folder, ShardManifest(corpus="synthetic", dtype="uint16", tokenizer=tokenizer, shards=entries))
    del entries
    before, began = _own_memory(), time.process_time()
    shards = open_shards(folder)
    opened = time.process_time()
    tokens = {name: bucket.tokens for name, bucket in shards.buckets.items()}
    plan_mixture(
        MixtureManifest(name="natural"), tokens, samples=sum(tokens.values()) // 4_096 // 2, sequence=4_096, seed=1
    )
    size = Path(folder, "_MANIFEST.json").stat().st_size
    return {
        "cpu_s": opened - began,
        "plan_cpu_s": time.process_time() - opened,
        "memory": _own_memory() - before,
        "bytes": size,
    }


def read_samples(count: str, folder: str) -> dict[str, Any]:
    """Windows of 4,096 + 1 tokens of the natural mixture, in steps of 256: each shard mapped when first met."""
    from manifests.mixture import MixtureManifest
    from mixing.plan import plan_mixture
    from shards.reader import open_shards
    from shards.samples import samples

    shards = open_shards(folder)
    tokens = {name: bucket.tokens for name, bucket in shards.buckets.items()}
    plan = plan_mixture(MixtureManifest(name="natural"), tokens, samples=int(count), sequence=4_096, seed=1)
    samples(shards, plan.order, 0, 1)
    began = time.process_time()
    seen = sum(
        len(samples(shards, plan.order, start, min(256, int(count) - start))) for start in range(0, int(count), 256)
    )
    return {"cpu_s": time.process_time() - began, "samples": seen}


def scan_documents(corpus: str, out: str) -> dict[str, Any]:
    """`sample_texts` with a share so small that no text is taken: what is left is reading every document."""
    from manifests.corpus import load_corpus
    from pipeline.parts import list_parts
    from pipeline.tokenize.training_step import sample_texts
    from storage.steps import require_step

    manifest = load_corpus(corpus).model_copy(update={"seed": 1})
    parts = list_parts(require_step(f"{out}/extract", command="gristmill extract"), manifest)
    began = time.process_time()
    taken = sum(1 for _ in sample_texts(parts, manifest, out=out, share=1e-15))
    return {"cpu_s": time.process_time() - began, "taken": taken, "text_bytes": sum(part.text_bytes for part in parts)}


def _own_memory() -> int:
    """Resident bytes of this process without mapped files."""
    info = psutil.Process().memory_info()
    return int(info.rss - info.shared)


def _peak_memory() -> int:
    """The most resident bytes that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
