"""The decide step: what to do with each document, from signals, ids and signatures alone; no text is read.

In: the parts of extract. Out, below `OUT/decide`:

    sites/<p>.arrow            per registered domain: documents, words, personal-information spans, dropped or not
    edges/<pass>/<p>.arrow     duplicate pairs found in one partition of one pass
    decisions/<part>.arrow     row-aligned with documents: reason, cluster, bucket
    dropped/<part>.arrow       the documents that were dropped, with reasons and where they came from

Three pipelines, each resumable: sites, duplicates (in as many passes as keep a shuffle below `SHUFFLE_BYTES`), decisions. A document
that a filter or the site rule drops takes no part in duplicate search, so that it never displaces a good copy. Of duplicates the row
with the smallest row id (priority, part, row) is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from dedup.bands import band_keys
from dedup.components import components
from dedup.pairs import band_edges, bytes_per_document, id_edges, pack_bands, pack_ids, partitions_for
from manifests.base import sha256_of
from manifests.corpus import CorpusManifest, Languages, MinHash
from manifests.steps import (
    Ledger,
    Output,
    StepManifest,
    TaskManifest,
    begin_step,
    finished_task,
    merge_ledgers,
    read_step,
    remove_stale,
    require_step,
    write_step,
    write_task,
)
from manifests.storage import join
from pipeline.extract import FOLDER as EXTRACT
from pipeline.filters.reasons import REASONS, code_of
from pipeline.parts import Part, list_parts, part_from, split_row_ids
from pipeline.runners import Runner, run_pipeline
from pipeline.schemas import DECISIONS, DROPPED, EDGES, SITES, ipc_metadata, publish_ipc, read_ipc
from pipeline.tasks import Task, collect
from pipeline.verdicts import filter_reasons, is_heavy, rule_from, site_reasons, spans_of

FOLDER = "decide"
VERSION = 1
# The embedded runner holds a shuffle in memory at 5 to 9 bytes per byte: this keeps it near 1 GB.
SHUFFLE_BYTES = 160 << 20
SITE_PARTITIONS = 8
# Partition numbers of document ids start here, those of bands at 0.
_ID_KEYS = 1 << 30


def decide(manifest: CorpusManifest, *, out: str, runner: Runner) -> StepManifest:
    """Run the step; what is finished is not repeated.

    Raises:
        GristmillError: extract is not complete, or a task failed.
    """
    folder = join(out, FOLDER)
    extracted = require_step(join(out, EXTRACT), command="gristmill extract")
    parts = list_parts(extracted, manifest)
    settings = {**decide_settings(manifest), "extract": join(out, EXTRACT), "folder": folder}
    key = sha256_of([decide_settings(manifest), extracted.digest])
    done = read_step(folder)
    if done is None or (done.settings, done.inputs) != (decide_settings(manifest), {EXTRACT: extracted.digest}):
        begin_step(folder)
    sites = _run_sites(parts, settings, key=key, folder=folder, runner=runner)
    edges = _run_duplicates(parts, {**settings, "sites": [o.path for t in sites for o in t.outputs]}, key=key, folder=folder, runner=runner)
    final = {**settings, "sites": [o.path for t in sites for o in t.outputs], "edges": [o.path for t in edges for o in t.outputs]}
    decisions = _run_decisions(parts, final, key=key, folder=folder, runner=runner)
    outputs = [output for task in (*sites, *edges, *decisions) for output in task.outputs]
    remove_stale(folder, outputs, [task.task for task in (*sites, *edges, *decisions)])
    ledger = merge_ledgers(task.ledger for task in decisions)
    return write_step(
        folder,
        StepManifest(
            step=FOLDER,
            settings_sha256=sha256_of(decide_settings(manifest)),
            inputs_sha256=extracted.digest,
            settings=decide_settings(manifest),
            inputs={EXTRACT: extracted.digest},
            outputs=outputs,
            ledger=ledger,
            notes=_notes(manifest, ledger),
        ),
    )


def decide_settings(manifest: CorpusManifest) -> dict[str, Any]:
    """What the output of this step depends on, beside the output of extract."""
    rule = manifest.personal_information
    sources = {s.name: {"filters": s.filters or manifest.filters, "factual": s.factual, "priority": s.priority} for s in manifest.sources}
    return {
        "version": VERSION,
        "sources": sources,
        "languages": manifest.languages.model_dump(mode="json"),
        "dedup": manifest.dedup.model_dump(mode="json"),
        "personal_information": None if rule is None else rule.model_dump(mode="json"),
    }


def _notes(manifest: CorpusManifest, ledger: Ledger) -> list[str]:
    """Rules that had no effect say so."""
    asked = {
        "exact_duplicate": manifest.dedup.exact,
        "near_duplicate": manifest.dedup.minhash is not None,
        "personal_information_site": manifest.personal_information is not None,
        "language": manifest.languages.keep != "all",
    }
    return [f"{reason}: no document was dropped for this" for reason, wanted in asked.items() if wanted and not ledger.dropped.get(reason)]


# --- sites ---------------------------------------------------------------------------------------------------------------------------


def _run_sites(parts: Sequence[Part], settings: dict[str, Any], *, key: str, folder: str, runner: Runner) -> list[TaskManifest]:
    """Personal information summed per registered domain. A domain's documents count whether or not a filter drops them."""
    if settings["personal_information"] is None:
        return []
    tasks = [Task(name=f"sites/{p:03d}", key=key, payload={}) for p in range(SITE_PARTITIONS)]
    if not _all_finished(tasks, folder):
        _shuffle(parts, emit_sites, reduce_sites, {**settings, "key": key}, label="Sites", runner=runner)
        _fill_gaps(tasks, lambda p: reduce_sites(p, [], {**settings, "key": key}), folder)
    return collect(tasks, folder=folder)


def emit_sites(element: str, settings: dict[str, Any]) -> Iterable[tuple[int, bytes]]:
    """One part's sums per site, as JSON rows [site, documents, words, spans], one element per partition."""
    rule = rule_from(settings)
    assert rule is not None
    part = part_from(json.loads(element))
    site = read_ipc(join(settings["extract"], "documents", part.name + ".arrow"), columns=["site"])["site"]
    signals = read_ipc(join(settings["extract"], "signals", part.name + ".arrow"), columns=["words", *(f"spans_{k}" for k in rule.kinds)])
    table = pa.table({"site": site, "words": signals["words"].cast(pa.int64()), "spans": pa.array(spans_of(signals, rule))})
    sums = (
        table.filter(pa.compute.is_valid(table["site"]))
        .group_by("site")
        .aggregate([("words", "count"), ("words", "sum"), ("spans", "sum")])
    )
    rows: dict[int, list[list[Any]]] = {}
    for row in zip(*(sums[name].to_pylist() for name in ("site", "words_count", "words_sum", "spans_sum")), strict=True):
        rows.setdefault(xxhash.xxh3_64_intdigest(row[0].encode()) % SITE_PARTITIONS, []).append(list(row))
    for partition, group in sorted(rows.items()):
        yield partition, json.dumps(sorted(group)).encode()


def reduce_sites(partition: int, elements: list[bytes], settings: dict[str, Any]) -> str:
    """The partition's sites, sorted by name, published with the verdict of the site rule."""
    rule = rule_from(settings)
    assert rule is not None
    sums: dict[str, list[int]] = {}
    for element in elements:
        for site, *counts in json.loads(element):
            sums[site] = [a + b for a, b in zip(sums.get(site, [0, 0, 0]), counts, strict=True)]
    rows = [
        {"site": site, "documents": documents, "words": words, "spans": spans, "dropped": is_heavy(documents, words, spans, rule)}
        for site, (documents, words, spans) in sorted(sums.items())
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=SITES)
    output = publish_ipc(settings["folder"], f"sites/{partition:03d}.arrow", [batch], SITES)
    return _finish(f"sites/{partition:03d}", settings, [output])


def dropped_sites(settings: Mapping[str, Any]) -> set[str]:
    """Names of the sites that the site rule drops."""
    dropped: set[str] = set()
    for path in settings["sites"]:
        table = read_ipc(join(settings["folder"], path))
        dropped.update(table.filter(table["dropped"])["site"].to_pylist())
    return dropped


# --- duplicates ----------------------------------------------------------------------------------------------------------------------


def _run_duplicates(parts: Sequence[Part], settings: dict[str, Any], *, key: str, folder: str, runner: Runner) -> list[TaskManifest]:
    """Pairs of duplicate rows, found partition by partition; passes bound the size of one shuffle."""
    dedup = settings["dedup"]
    minhash = dedup["minhash"]
    if not dedup["exact"] and minhash is None:
        return []
    total = sum(part.rows for part in parts) * bytes_per_document(minhash["bands"] if minhash else 0, exact=dedup["exact"])
    passes = max(1, -(-total // SHUFFLE_BYTES)) if runner.kind == "embedded" else 1
    partitions = partitions_for(total)
    passes = min(passes, partitions)
    tasks: list[Task] = []
    for number in range(passes):
        mine = [p for p in range(partitions) if p % passes == number]
        keys = [k for p in mine for k in ([p] if minhash else []) + ([_ID_KEYS + p] if dedup["exact"] else [])]
        of_pass = [Task(name=_edges_name(k), key=key, payload={}) for k in keys]
        if not _all_finished(of_pass, folder):
            own = {**settings, "key": key, "partitions": partitions, "mine": mine}
            _shuffle(parts, emit_keys, reduce_keys, own, label="Duplicates", runner=runner)
            _fill_gaps(of_pass, lambda index, keys=keys, own=own: reduce_keys(keys[index], [], own), folder)
        tasks += of_pass
    return collect(tasks, folder=folder)


def _edges_name(key: int) -> str:
    return f"edges/exact-{key - _ID_KEYS:06d}" if key >= _ID_KEYS else f"edges/near-{key:06d}"


def surviving_rows(part: Part, settings: Mapping[str, Any]) -> tuple[np.ndarray, pa.Table]:
    """Reason codes before duplicates (uint8[n]) and the id and site columns of one part."""
    documents = read_ipc(join(settings["extract"], "documents", part.name + ".arrow"), columns=["id", "site"])
    signals = read_ipc(join(settings["extract"], "signals", part.name + ".arrow"))
    reasons = filter_reasons(signals, variant=part.filters, languages=Languages.model_validate(settings["languages"]))
    return site_reasons(reasons, documents["site"], dropped_sites(settings)), documents


def emit_keys(element: str, settings: dict[str, Any]) -> Iterable[tuple[int, bytes]]:
    """Packed ids and band keys of one part's surviving rows, for the partitions of this pass."""
    part = part_from(json.loads(element))
    reasons, documents = surviving_rows(part, settings)
    kept = np.flatnonzero(reasons == 0)
    rows = np.uint64(part.base) + kept.astype(np.uint64)
    mine = set(settings["mine"])
    if settings["dedup"]["exact"]:
        ids = np.frombuffer(documents["id"].combine_chunks().buffers()[1], ">u8").reshape(-1, 2)[kept].astype(np.uint64)
        for partition, packed in pack_ids(ids, rows, partitions=settings["partitions"]):
            if partition in mine:
                yield _ID_KEYS + partition, packed
    if settings["dedup"]["minhash"] is not None:
        minhash = MinHash.model_validate(settings["dedup"]["minhash"])
        table = read_ipc(join(settings["extract"], "signatures", part.name + ".arrow"))
        shingles = table["shingles"].to_numpy()[kept]
        values = table["signature"].combine_chunks().flatten().to_numpy().reshape(part.rows, -1)
        keys = band_keys(np.ascontiguousarray(values[kept[shingles > 0]]), bands=minhash.bands, rows=minhash.rows)
        for partition, packed in pack_bands(keys, rows[shingles > 0], partitions=settings["partitions"]):
            if partition in mine:
                yield partition, packed


def reduce_keys(key: int, elements: list[bytes], settings: dict[str, Any]) -> str:
    """The edges of one partition, published."""
    edges = id_edges(elements) if key >= _ID_KEYS else band_edges(elements)
    batch = pa.RecordBatch.from_arrays([pa.array(edges[:, 0]), pa.array(edges[:, 1])], schema=EDGES)
    name = _edges_name(key)
    return _finish(name, settings, [publish_ipc(settings["folder"], name + ".arrow", [batch], EDGES)])


# --- decisions -----------------------------------------------------------------------------------------------------------------------


def _run_decisions(parts: Sequence[Part], settings: dict[str, Any], *, key: str, folder: str, runner: Runner) -> list[TaskManifest]:
    """Clusters from the edges (one worker, edges only), joined to the parts by number."""
    tasks = [Task(name=f"decisions/{part.name}", key=key, payload=part.payload()) for part in parts]
    pending = [part for part, task in zip(parts, tasks, strict=True) if finished_task(folder, task.name, key) is None]
    if pending:
        own = {**settings, "key": key}

        def build(pipeline: Any) -> object:
            import apache_beam as beam

            from pipeline.dofns import EmitPacked, JoinPacked

            clusters = pipeline | "All edges" >> beam.Create(["edges"]) | "Clusters" >> beam.ParDo(EmitPacked(emit_clusters, own))
            numbered = [(part.number, json.dumps(part.payload()).encode()) for part in pending]
            joined = {"task": pipeline | "Parts" >> beam.Create(numbered), "rows": clusters} | "Join" >> beam.CoGroupByKey()
            return joined | "Decisions" >> beam.ParDo(JoinPacked(decide_part, own))

        run_pipeline(build, runner=runner)
    return collect(tasks, folder=folder)


def emit_clusters(_element: str, settings: dict[str, Any]) -> Iterable[tuple[int, bytes]]:
    """All rows that have duplicates, packed per part: row, kept row, and 1 where the row repeats an id."""
    near, exact = _load_edges(settings, "edges/near-"), _load_edges(settings, "edges/exact-")
    nodes, roots = components(np.concatenate([near, exact]))
    repeated = np.isin(nodes, exact[:, 1]).astype(np.uint64)
    numbers, _ = split_row_ids(nodes)
    order = np.argsort(numbers, kind="stable")
    bounds = np.flatnonzero(np.diff(numbers[order], prepend=-1, append=-1))
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        chosen = order[start:stop]
        yield int(numbers[chosen[0]]), np.stack([nodes[chosen], roots[chosen], repeated[chosen]]).tobytes()


def _load_edges(settings: Mapping[str, Any], prefix: str) -> np.ndarray:
    tables = [read_ipc(join(settings["folder"], path)) for path in settings["edges"] if path.startswith(prefix)]
    if not tables:
        return np.empty((0, 2), np.uint64)
    table = pa.concat_tables(tables)
    return np.stack([table["hub"].to_numpy(), table["row"].to_numpy()], axis=1)


def decide_part(element: str, rows: list[bytes], settings: dict[str, Any]) -> str:
    """Publish decisions and dropped documents of one part."""
    part = part_from(json.loads(element))
    reasons, _ = surviving_rows(part, settings)
    clusters = np.zeros(part.rows, np.uint64)
    clustered = np.zeros(part.rows, bool)
    for packed in rows:
        nodes, roots, repeated = np.frombuffer(packed, np.uint64).reshape(3, -1)
        _, index = split_row_ids(nodes)
        clusters[index], clustered[index] = roots, True
        reasons[index[nodes != roots]] = code_of("near_duplicate")
        reasons[index[repeated == 1]] = code_of("exact_duplicate")
    cluster = pa.array(clusters, mask=~clustered)
    bucket = pa.DictionaryArray.from_arrays(pa.array(np.zeros(part.rows, np.int32)), pa.array([part.bucket]))
    batch = pa.RecordBatch.from_arrays([pa.array(reasons), cluster, bucket], schema=DECISIONS)
    outputs = [publish_ipc(settings["folder"], f"decisions/{part.name}.arrow", [batch], DECISIONS)]
    outputs.append(_publish_dropped(part, reasons, cluster, settings))
    counts = np.bincount(reasons, minlength=len(REASONS))
    dropped = {REASONS[code]: int(counts[code]) for code in range(1, len(REASONS)) if counts[code]}
    ledger = Ledger(records_in=part.rows, kept=int(counts[0]), dropped=dropped)
    task = f"decisions/{part.name}"
    write_task(
        settings["folder"], TaskManifest(task=task, key=settings["key"], inputs={part.name: part.sha256}, outputs=outputs, ledger=ledger)
    )
    return task


def _publish_dropped(part: Part, reasons: np.ndarray, cluster: pa.Array, settings: Mapping[str, Any]) -> Output:
    path = join(settings["extract"], "documents", part.name + ".arrow")
    table = read_ipc(path, columns=["id", "url", "site", "name", "record"])
    names = pa.DictionaryArray.from_arrays(pa.array(reasons.astype(np.int32)), pa.array(REASONS))
    table = table.add_column(1, "reason", names).add_column(2, "cluster", cluster).filter(pa.array(reasons != 0))
    schema = DROPPED.with_metadata(ipc_metadata(path))
    return publish_ipc(settings["folder"], f"dropped/{part.name}.arrow", table.cast(DROPPED).combine_chunks().to_batches(), schema)


# --- shared --------------------------------------------------------------------------------------------------------------------------


def _shuffle(parts: Sequence[Part], emit: Any, reduce: Any, settings: dict[str, Any], *, label: str, runner: Runner) -> None:
    """Parts to packed elements, grouped by partition, reduced to published files."""
    elements = [json.dumps(part.payload()) for part in sorted(parts, key=lambda part: (-part.rows, part.name))]

    def build(pipeline: Any) -> object:
        import apache_beam as beam

        from pipeline.dofns import EmitPacked, ReducePacked

        packed = pipeline | "Parts" >> beam.Create(elements) | f"{label}: emit" >> beam.ParDo(EmitPacked(emit, settings))
        return packed | beam.GroupByKey() | f"{label}: reduce" >> beam.ParDo(ReducePacked(reduce, settings))

    run_pipeline(build, runner=runner)


def _all_finished(tasks: Sequence[Task], folder: str) -> bool:
    return all(finished_task(folder, task.name, task.key) is not None for task in tasks)


def _fill_gaps(tasks: Sequence[Task], publish_empty: Any, folder: str) -> None:
    """Partitions that nothing fell into were not visited by the shuffle: publish them empty."""
    for index, task in enumerate(tasks):
        if finished_task(folder, task.name, task.key) is None:
            publish_empty(index)


def _finish(name: str, settings: Mapping[str, Any], outputs: list[Output]) -> str:
    write_task(settings["folder"], TaskManifest(task=name, key=settings["key"], inputs={}, outputs=outputs, ledger=Ledger()))
    return name
