"""Work that only one process can do, at a given size: its cost grows with the corpus, however many workers there are.

In: a count, and a folder to write into. Out: CPU seconds, bytes, memory, for bench/slopes.py; bench/traced.py starts
each piece of work in its own process. Preparation is not counted in the CPU seconds.
"""

from __future__ import annotations

import hashlib
import resource
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa

from manifests.base import Strict

# As long as the names of a crawl's files.
_NAME = "crawl/CC-MAIN-20250101000000-{:08d}.warc.gz-0123456789abcdef"


def look_at_tasks(count: str, folder: str) -> dict[str, Any]:
    """As `run_tasks` does before and after its pipeline: `pending_tasks` and `collect` over `count` tasks of three
    outputs.
    """
    from manifests.step import Ledger, Output, TaskManifest
    from pipeline.engines.tasks import Task, collect, pending_tasks

    kinds = ("documents", "signals", "signatures")
    names = [_NAME.format(number) for number in range(int(count))]
    for name in names:
        outputs = [Output(path=f"{kind}/{name}.0000.arrow", sha256="0" * 64, bytes=1, rows=1) for kind in kinds]
        for path in [f"tasks/{name}.json", *(output.path for output in outputs)]:
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_bytes(b"1")
        manifest = TaskManifest(
            task=name, key="1", inputs={name: "0" * 32}, outputs=outputs, ledger=Ledger(records_in=1, kept=1)
        )
        Path(folder, "tasks", name + ".json").write_text(manifest.model_dump_json())
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
    """Bytes of the submitted pipeline and of one worker's bundle descriptor, which both hold all
    elements of a Create.
    """
    import apache_beam as beam

    from manifests.corpus import Dedup, Languages
    from pipeline.decide import duplicates
    from pipeline.decide.settings import DecideJob, DecideSettings
    from pipeline.engines.dofns import EmitNames, EmitPacked
    from pipeline.engines.partitions import emit_pending, reduce_grouped
    from pipeline.parts import Part

    parts = [
        Part(
            name=_NAME.format(n) + ".0000",
            number=n,
            source="crawl",
            sha256=_digests(n),
            rows=16_000 + n % 1_999,
            text_bytes=67_108_864 + n,
            priority=100,
            bucket="crawl/general",
        )
        for n in range(int(count))
    ]
    settings = DecideSettings(
        sources={}, languages=Languages(), block_lists=(), dedup=Dedup(), personal_information=None
    )
    folder = "s3://bucket/prepared"
    job = DecideJob(settings=settings, extract=f"{folder}/extract", folder=f"{folder}/decide", key="0" * 64)
    emit = partial(
        emit_pending,
        emit=partial(duplicates.emit_keys, partitions=int(count)),
        pending=frozenset(range(int(count) // 2)),
    )
    began = time.process_time()
    pipeline = beam.Pipeline()
    packed = pipeline | beam.Create([part.model_dump_json() for part in parts]) | beam.ParDo(EmitPacked(emit, job))
    _ = packed | beam.GroupByKey() | beam.ParDo(EmitNames(partial(reduce_grouped, reduce=duplicates.reduce_keys), job))
    size = pipeline.to_runner_api().ByteSize()
    return {"bytes": size, "cpu_s": time.process_time() - began}


def cluster_edges(count: str, folder: str) -> dict[str, Any]:
    """`emit_clusters` over N star edges in files of 100,000: every row copies an earlier one, all in one cluster, the
    worst case.
    """
    from manifests.corpus import Dedup, Languages
    from pipeline.decide.duplicates import emit_clusters
    from pipeline.decide.settings import DecideJob, DecideSettings
    from pipeline.schemas import EDGES, publish_ipc

    generator = np.random.default_rng(1)
    paths = []
    for start in range(0, int(count), 100_000):
        rows = np.arange(start + 1, min(start + 100_000, int(count)) + 1, dtype=np.uint64)
        hubs = np.minimum((generator.random(len(rows)) * rows).astype(np.uint64), rows - np.uint64(1))
        # 16,384 rows are a part.
        hub, row = ((value >> np.uint64(14) << np.uint64(32)) | (value & np.uint64(16_383)) for value in (hubs, rows))
        batch = pa.RecordBatch.from_arrays([pa.array(hub), pa.array(row)], schema=EDGES)
        paths.append(publish_ipc(folder, f"edges/near-{start:09d}.arrow", [batch], EDGES).path)
    before, began = _peak_memory(), time.process_time()
    settings = DecideSettings(
        sources={}, languages=Languages(), block_lists=(), dedup=Dedup(), personal_information=None
    )
    job = DecideJob(settings=settings, extract="", folder=folder, key="")
    packed = [element for _, element in emit_clusters("edges", job, edges=paths)]
    return {
        "cpu_s": time.process_time() - began,
        "memory": _peak_memory() - before,
        "bytes": sum(map(len, packed)),
        "keys": len(packed),
    }


def _digests(number: int) -> str:
    """As incompressible as real ones: a pipeline's elements are compressed."""
    return ".".join(hashlib.sha256(f"{number}-{kind}".encode()).hexdigest()[:32] for kind in range(3))


def count_edges(corpus: str, out: str) -> dict[str, Any]:
    """Edges of a prepared corpus as a large one would have them: in so many partitions that no two bands of a pair meet
    in one.

    A partition counts a pair once however many of its bands fell into it. A small corpus has few partitions, hence
    fewer edges a pair.
    """
    from dedup.pairs import band_edges, id_edges
    from manifests.corpus import load_corpus
    from pipeline.decide.block_lists import list_settings
    from pipeline.decide.duplicates import emit_keys
    from pipeline.decide.settings import DecideJob, decide_settings
    from pipeline.parts import list_parts
    from storage.steps import require_step

    manifest = load_corpus(corpus)
    ids = 1 << 30
    settings = decide_settings(manifest, block_lists=list_settings(manifest), allowed_sites=None)
    job = DecideJob(settings=settings, extract=f"{out}/extract", folder=f"{out}/decide", key="")
    grouped: dict[int, list[bytes]] = {}
    for part in list_parts(require_step(f"{out}/extract", command="gristmill extract"), manifest):
        for key, packed in emit_keys(part, job, partitions=4_096):
            grouped.setdefault(key, []).append(packed)
    near = sum(len(band_edges(elements)) for key, elements in grouped.items() if key < ids)
    exact = sum(len(id_edges(elements)) for key, elements in grouped.items() if key >= ids)
    return {"near": near, "exact": exact}


def pack_part(partitions: str) -> dict[str, Any]:
    """One part's band keys (16,384 documents, 14 bands) divided among so many partitions."""
    from dedup.pairs import pack_bands

    keys = np.random.default_rng(1).integers(0, 1 << 63, (16_384, 14), np.uint64)
    rows = np.arange(16_384, dtype=np.uint64)
    began = time.process_time()
    sizes = [len(packed) for _, packed in pack_bands(keys, rows, partitions=int(partitions))]
    return {"cpu_s": time.process_time() - began, "elements": len(sizes), "bytes": sum(sizes)}


class _Shuffled(Strict):
    partitions: int
    bytes: int


def _emit_random(element: str, job: _Shuffled) -> Iterable[tuple[int, bytes]]:
    size = job.bytes // job.partitions
    for partition in range(job.partitions):
        yield partition, bytes(size)


def _reduce_nothing(element: tuple[int, Iterable[bytes]], job: _Shuffled) -> list[str]:
    return [str(len(list(element[1])))]


def shuffle(partitions: str) -> dict[str, Any]:
    """16 parts emit 2 MiB each, divided among so many partitions: the same bytes in more and smaller elements."""
    import apache_beam as beam

    from pipeline.engines.dofns import EmitNames, EmitPacked
    from pipeline.engines.runners import Runner, run_pipeline

    job = _Shuffled(partitions=int(partitions), bytes=2 << 20)

    def build(pipeline: Any) -> object:
        packed = (
            pipeline | beam.Create([str(number) for number in range(16)]) | beam.ParDo(EmitPacked(_emit_random, job))
        )
        return packed | beam.GroupByKey() | beam.ParDo(EmitNames(_reduce_nothing, job))

    run_pipeline(lambda pipeline: pipeline | beam.Create(["warm"]) | beam.Map(str), runner=Runner())
    began = time.process_time()
    run_pipeline(build, runner=Runner())
    return {"cpu_s": time.process_time() - began, "elements": 16 * int(partitions)}


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
