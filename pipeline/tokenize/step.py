"""The tokenize step: turns kept documents into token shards; documents are joined with their decisions by position.

In: documents and decisions parts, row-aligned (`pipeline.tokenize.kept_text` leaves out the lines that decide removed);
the tokenizer. Out: `OUT/shards`, or `OUT/tokens` if `pipeline.substrings` is to cut repeated runs out of them; one
folder per bucket, in the format of `shards.format`. One task reads consecutive
parts of one source that keep text for about `shard_tokens` tokens, whatever was dropped of them, and writes their
documents by id into shards of about that size (`pipeline.tokenize.hash_order`); documents are never split across
shards. Names are made of the bucket's name, the task's rank within the source, and the shard's within the task and
bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import groupby

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from manifests.base import sha256_of
from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.step import Ledger, StepManifest, TaskManifest, merge_ledgers
from pipeline.engines.runners import Runner
from pipeline.engines.tasks import pending_tasks, run_tasks
from pipeline.folders import DECIDE, EXTRACT, SHARDS, TOKENIZER, TOKENS, part_file
from pipeline.parts import Part, group_parts, kept_bytes, list_parts
from pipeline.schemas import ipc_metadata
from pipeline.tokenize.encoder import Encoder, compare, encode, load_encoder
from pipeline.tokenize.hash_order import Encoded, cut_in_hash_order
from pipeline.tokenize.kept_text import KeptDocuments, kept_documents
from pipeline.tokenize.settings import TokenizeJob, TokenizeSettings, TokenizeTask, tokenize_settings
from pipeline.tokenize.training_step import MODEL
from shards.format import ShardManifest, TokenizerInfo, token_dtype
from shards.writer import finish_shards, shard_outputs, write_shard
from storage.files import join, read_bytes
from storage.steps import begin_step, require_step

# One document in this many is encoded a second time by sentencepiece and compared; chosen by its id.
CHECK_ONE_IN = 1_000
# A usual number of bytes of text per token, to group parts into tasks before their tokens are counted.
_BYTES_PER_TOKEN = 4
# Of text, for a source that is cut into bands: a task holds its tokens, two bytes for about four of text.
_MOST_TASK_BYTES = 2 << 30


def tokenize(manifest: CorpusManifest, *, out: str, runner: Runner) -> ShardManifest:
    """Run the step; finished tasks are not repeated.

    Raises:
        GristmillError: an earlier step is not complete, an encoding check failed, or a task failed.
    """
    place = SHARDS if manifest.dedup.substrings is None else TOKENS
    folder = join(out, place)
    extracted = require_step(join(out, EXTRACT), command="gristmill extract")
    decided = require_step(join(out, DECIDE), command="gristmill decide")
    tokenizer = require_step(join(out, TOKENIZER), command="gristmill tokenizer train")
    if decided.inputs[EXTRACT] != extracted.digest:
        raise GristmillError(
            "the decisions belong to another extract", where=join(out, DECIDE), remedy="run `gristmill decide` again"
        )
    settings = tokenize_settings(manifest)
    key = sha256_of([settings.model_dump(mode="json"), decided.digest, tokenizer.digest])
    kept = kept_bytes(decided)
    groups = [
        group
        for source, parts in groupby(list_parts(extracted, manifest), key=lambda part: part.source)
        for group in group_parts(list(parts), kept=kept, text_bytes=_task_bytes(source, manifest))
    ]
    tasks = [_task(group, rank, key, kept) for rank, group in _ranked(groups)]
    if pending_tasks(tasks, folder=folder):
        begin_step(folder)
    job = TokenizeJob(
        settings=settings,
        filters=manifest.source_filters(),
        out=out,
        tokenizer=tokenizer.digest,
        shards=place,
    )
    manifests = run_tasks(tasks, tokenize_group, job, folder=folder, label="Tokenize", runner=runner)
    return _publish(manifests, job, corpus=manifest.name, decided=decided)


def _task_bytes(source: str, manifest: CorpusManifest) -> int:
    """Bytes of kept text a task: enough for a shard in each band of the source, as far as memory allows."""
    bands = manifest.factual.bands if manifest.factual is not None and source in manifest.banded_sources() else None
    one = manifest.shard_tokens * _BYTES_PER_TOKEN
    return max(one, min(one * (bands or 1), _MOST_TASK_BYTES))


def _ranked(groups: list[list[Part]]) -> list[tuple[int, list[Part]]]:
    """Each group with its rank within its source."""
    seen: dict[str, int] = {}
    ranked = []
    for group in groups:
        rank = seen.get(group[0].source, 0)
        seen[group[0].source] = rank + 1
        ranked.append((rank, group))
    return ranked


def _task(group: list[Part], rank: int, key: str, kept: Mapping[str, int]) -> TokenizeTask:
    return TokenizeTask(
        name=f"{group[0].source}/{rank:05d}",
        key=sha256_of([key, [part.model_dump(mode="json") for part in group]]),
        weight=sum(kept[part.name] for part in group),
        rank=rank,
        parts=tuple(group),
    )


def tokenize_group(task: TokenizeTask, job: TokenizeJob) -> TaskManifest:
    """Turn consecutive parts of one source into shards."""
    folder, parts = join(job.out, job.shards), task.parts
    encoder = _encoder(join(job.out, TOKENIZER, MODEL), job.settings.encoder, job.tokenizer)
    info = tokenizer_info(encoder, job.settings)
    buckets: dict[str, Encoded] = {}
    documents = removed_lines = removed_bytes = 0
    for part in parts:
        for kept in _encoded(part, encoder, job, buckets):
            documents += kept.documents.num_rows
            removed_lines += kept.removed_lines
            removed_bytes += kept.removed_bytes
    entries = []
    for bucket in sorted(buckets):
        for number, cut in enumerate(cut_in_hash_order(buckets.pop(bucket), size=job.settings.shard_tokens)):
            entry = write_shard(
                folder,
                bucket=bucket,
                name=f"{task.rank:05d}-{number:04d}",
                tokens=cut.tokens,
                offsets=cut.offsets,
                documents=cut.documents,
                tokenizer=info,
                inputs=[part.name for part in parts],
            )
            entries.append(entry)
    written = sum(entry.documents for entry in entries)
    outputs = [output for entry in entries for output in shard_outputs(entry)]
    return TaskManifest(
        task=task.name,
        key=task.key,
        inputs={part.name: part.sha256 for part in parts},
        outputs=outputs,
        ledger=Ledger(records_in=documents, kept=written),
        details={
            "shards": [e.model_dump(mode="json") for e in entries],
            "removed_lines": removed_lines,
            "removed_bytes": removed_bytes,
        },
    )


def _encoded(part: Part, encoder: Encoder, job: TokenizeJob, buckets: dict[str, Encoded]) -> Iterator[KeptDocuments]:
    """Encode the kept documents of a part and add them to their buckets; yields each batch when that is done."""
    metadata = ipc_metadata(join(job.out, EXTRACT, part_file("documents", part.name)))
    info = tokenizer_info(encoder, job.settings)
    for batch in kept_documents(part, filters=job.filters[part.source], out=job.out):
        kept = batch.documents
        tokens, offsets = encode(encoder, kept.column("text"))
        _check_sample(kept, tokens, offsets, encoder)
        bounded, lengths = add_boundaries(tokens, offsets, bos=info.bos_id, eos=info.eos_id)
        bounded = bounded.astype(token_dtype(info.vocab_size))
        rows = _side_rows(batch, part, metadata["file"])
        for bucket in pc.unique(batch.buckets).to_pylist():
            chosen = pc.equal(batch.buckets, bucket).to_numpy(zero_copy_only=False)
            encoded = buckets.setdefault(bucket, Encoded())
            encoded.tokens.append(bounded if chosen.all() else bounded[np.repeat(chosen, lengths)])
            encoded.lengths.append(lengths[chosen])
            encoded.rows.append(rows.filter(pa.array(chosen)))
        yield batch


def add_boundaries(
    tokens: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], *, bos: int | None, eos: int | None
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Put BOS before and EOS after each document; None leaves that token out.

    Returns:
        Tokens uint32[total + boundaries], lengths int64[n] including boundaries.
    """
    extra = (bos is not None) + (eos is not None)
    lengths = np.diff(offsets) + extra
    ends = np.cumsum(lengths)
    bounded = np.empty(int(ends[-1]) if len(ends) else 0, np.uint32)
    text = np.ones(len(bounded), bool)
    for token, positions in ((bos, ends - lengths), (eos, ends - 1)):
        if token is not None:
            bounded[positions] = token
            text[positions] = False
    bounded[text] = tokens
    return bounded, lengths


def _check_sample(
    batch: pa.RecordBatch, tokens: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], encoder: Encoder
) -> None:
    if encoder.fast is None:
        return
    ids = batch.column("id").to_pylist()
    for index, identity in enumerate(ids):
        if int.from_bytes(identity[:8], "big") % CHECK_ONE_IN == 0:
            compare(
                encoder,
                batch.column("text")[index].as_py(),
                tokens[offsets[index] : offsets[index + 1]],
                where=f"document {identity.hex()}",
            )


def _side_rows(batch: KeptDocuments, part: Part, file: str) -> pa.Table:
    documents, count = batch.documents, batch.documents.num_rows
    return pa.table(
        {
            "document_id": documents.column("id"),
            "source": pa.array([part.source] * count),
            "site": documents.column("site"),
            "url": documents.column("url"),
            "file": pa.array([file] * count),
            "record": documents.column("record"),
            "record_name": documents.column("name"),
            "band": pc.replace_substring_regex(batch.buckets, "^.*/", ""),
        }
    )


def tokenizer_info(encoder: Encoder, settings: TokenizeSettings) -> TokenizerInfo:
    """The description of the tokenizer in the shards."""
    return TokenizerInfo(
        sha256=encoder.sha256,
        vocab_size=encoder.vocab_size,
        bos_id=encoder.bos_id if settings.bos else None,
        eos_id=encoder.eos_id if settings.eos else None,
    )


@lru_cache(maxsize=1)
def _encoder(path: str, engine: str, _digest: str) -> Encoder:
    """Load the encoder once per process. The tokenizer step's digest distinguishes models that had the same path."""
    return load_encoder(read_bytes(path), engine=engine)


def _publish(tasks: list[TaskManifest], job: TokenizeJob, *, corpus: str, decided: StepManifest) -> ShardManifest:
    """Check that every kept document is in a shard, then publish the shard manifest."""
    folder = join(job.out, job.shards)
    ledger = merge_ledgers(task.ledger for task in tasks)
    if ledger.balance() or ledger.records_in != decided.ledger.kept:
        raise GristmillError(
            f"{decided.ledger.kept} documents were kept, {ledger.kept} are in shards",
            where=folder,
            remedy="this is a fault of Gristmill: please report it with the folder's task manifests",
        )
    return finish_shards(
        folder,
        tasks,
        corpus=corpus,
        tokenizer=tokenizer_info(
            _encoder(join(job.out, TOKENIZER, MODEL), job.settings.encoder, job.tokenizer), job.settings
        ),
        ledger=ledger,
        settings_sha256=sha256_of(job.settings.model_dump(mode="json")),
        inputs={DECIDE: decided.digest, TOKENIZER: job.tokenizer},
    )
