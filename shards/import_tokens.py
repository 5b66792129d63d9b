"""Token files of other systems to token shards: what all formats share.

In: files that give documents (tokens, and what is known of each), the SentencePiece model that wrote the tokens, and
what bounds a document. Out, in a folder of its own:

    shards/       token shards with side tables, in the format of `shards.format`
    tokenizer/    the model, as `gristmill prep` leaves it
    import/       the manifest of the import: inputs with hashes, ledger

Consecutive files of a bucket, by name, are one task until they hold `shard_tokens` tokens. A shard is closed by the
document that fills it; its name is made of the task's rank in the bucket. Without text, the id of a document is the
128-bit xxh3 of its tokens without BOS and EOS, as little-endian uint32: the same for every dtype, file and bucket.
Memory holds about four times a shard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from manifests.base import sha256_of
from manifests.errors import GristmillError
from manifests.step import Ledger, StepManifest, TaskManifest, merge_ledgers
from shards.contents import IMPORT
from shards.format import SIDE_TABLE, ShardEntry, ShardManifest, TokenizerInfo, token_dtype
from shards.import_bounds import Special, check_bounded, check_undeclared, content_of, count_bounded
from shards.import_settings import ImportSettings
from shards.import_tokenizer import publish_tokenizer, tokenizer_of
from shards.writer import finish_shards, shard_outputs, write_shard
from storage.destination import begin_destination, check_destination
from storage.files import file_stat, join, read_bytes, sha256_file
from storage.lock import only_writer
from storage.steps import begin_step, finished_task, write_step, write_task

VERSION = 1
DAMAGE = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What Arrow raises for files that are damaged."""

Int64s = npt.NDArray[np.int64]


class Documents(NamedTuple):
    """Some documents of a file, in order.

    Attributes:
        tokens: [t] of any integer dtype, all documents one after the other.
        lengths: int64[n].
        known: n rows; columns of `SIDE_TABLE` that the file knows, other than offset and length.
    """

    tokens: npt.NDArray[Any]
    lengths: Int64s
    known: pa.Table | None = None


@dataclass(frozen=True)
class TokenFile:
    """One input.

    Attributes:
        bucket: `source/band`.
        name: of the file in side tables and errors; different for each input of a bucket.
        paths: of all that it is read from, by their names in the manifest; the first is the file itself.
        tokens: how many it has, or about.
        read: gives its documents.
    """

    bucket: str
    name: str
    paths: dict[str, str]
    tokens: int
    read: Callable[[], Iterator[Documents]]

    @property
    def path(self) -> str:
        """Of the file itself."""
        return next(iter(self.paths.values()))


@dataclass(frozen=True)
class _Task:
    name: str
    bucket: str
    rank: int
    key: str
    files: tuple[TokenFile, ...]


def import_tokens(
    files: Sequence[TokenFile],
    settings: ImportSettings,
    *,
    out: str,
    expect: Callable[[int], object] = lambda tokens: None,
    advance: Callable[[int], object] = lambda tokens: None,
    say: Callable[[str], object] = lambda text: None,
) -> ShardManifest:
    """Write token shards of the documents of files. Finished tasks are not repeated.

    Args:
        out: an empty folder, or the one in which this import was interrupted.
        expect: called once with the number of tokens, or about.
        advance: called with tokens that were read.
        say: called with sentences about the lock of an object store.

    Raises:
        GristmillError: two files of one name, ids outside the vocabulary, documents that are bounded otherwise than
            declared, a damaged file, a folder that holds something else; file and document are named.
    """
    ordered = sorted(files, key=lambda file: (file.bucket, file.name))
    for one, other in zip(ordered, ordered[1:], strict=False):
        if (one.bucket, one.name) == (other.bucket, other.name):
            raise GristmillError(
                f"two files of bucket {one.bucket} are called {one.name}: {one.path} and {other.path}",
                remedy="rename one, or import it into another bucket",
            )
    model = read_bytes(settings.model)
    info, special = tokenizer_of(model, settings.boundaries, where=settings.model)
    described = {
        "version": VERSION,
        "corpus": settings.corpus,
        "boundaries": settings.boundaries,
        "shard_tokens": settings.shard_tokens,
        "files": [f"{file.bucket}: {file.name}" for file in ordered],
    }
    purpose = {"command": settings.command, "settings": described, "inputs": {"tokenizer": info.sha256}}
    check_destination(out, purpose=purpose)
    with only_writer(out, say=say):
        begin_destination(out, purpose=purpose)
        tokenizer = publish_tokenizer(model, info, out=out)
        folder = join(out, "shards")
        tasks = _tasks(ordered, sha256_of([purpose, info.model_dump()]), settings.shard_tokens)
        expect(sum(file.tokens for file in ordered))
        finished = {task.name: finished_task(folder, task.name, task.key) for task in tasks}
        if not all(finished.values()):
            begin_step(folder)
        done: list[TaskManifest] = []
        for task in tasks:
            manifest = finished[task.name]
            if manifest is None:
                manifest = _run(task, info, special, settings, folder, advance)
                write_task(folder, manifest)
            else:
                advance(sum(file.tokens for file in task.files))
            done.append(manifest)
        imported = _publish_step(out, settings.command, described, done)
        return _publish_shards(folder, settings.corpus, info, done, {IMPORT: imported, "tokenizer": tokenizer})


def _tasks(files: Sequence[TokenFile], key: str, shard_tokens: int) -> list[_Task]:
    """Consecutive files of one bucket, until they fill a shard."""
    groups: list[list[TokenFile]] = []
    filled = 0
    for file in files:
        if not groups or groups[-1][-1].bucket != file.bucket or filled >= shard_tokens:
            groups.append([])
            filled = 0
        groups[-1].append(file)
        filled += file.tokens
    ranks: dict[str, int] = {}
    tasks = []
    for group in groups:
        bucket = group[0].bucket
        rank = ranks.get(bucket, 0)
        ranks[bucket] = rank + 1
        stamps = [[file.name, *_stamps(file)] for file in group]
        tasks.append(_Task(f"{bucket}/{rank:05d}", bucket, rank, sha256_of([key, stamps]), tuple(group)))
    return tasks


def _stamps(file: TokenFile) -> list[str]:
    return [f"{stat.size}:{stat.changed}" for stat in map(file_stat, file.paths.values())]


class _Shards:
    """Documents of one task that are gathered until they fill a shard."""

    def __init__(self, task: _Task, info: TokenizerInfo, settings: ImportSettings, folder: str) -> None:
        self.entries: list[ShardEntry] = []
        self._task, self._info, self._settings, self._folder = task, info, settings, folder
        self._dtype = token_dtype(info.vocab_size)
        self._clear()

    def _clear(self) -> None:
        self._tokens: list[npt.NDArray[np.unsignedinteger]] = []
        self._lengths: list[Int64s] = []
        self._rows: list[pa.Table] = []
        self._count = 0

    def add(self, tokens: npt.NDArray[Any], lengths: Int64s, rows: pa.Table) -> None:
        """Add documents, each of at least one token; write the shards that they fill."""
        ends = np.cumsum(lengths)
        start = 0
        while start < len(lengths):
            before = int(ends[start - 1]) if start else 0
            room = self._settings.shard_tokens - self._count
            stop = min(int(np.searchsorted(ends, before + room)) + 1, len(lengths))
            self._tokens.append(tokens[before : int(ends[stop - 1])].astype(self._dtype))
            self._lengths.append(lengths[start:stop])
            self._rows.append(rows.slice(start, stop - start))
            self._count += int(ends[stop - 1]) - before
            start = stop
            if self._count >= self._settings.shard_tokens:
                self.flush()

    def flush(self) -> None:
        """Write what there is."""
        if not self._lengths:
            return
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(self._lengths))])
        table = pa.concat_tables(self._rows)
        table = table.append_column("offset", pa.array(offsets[:-1]))
        self.entries.append(
            write_shard(
                self._folder,
                bucket=self._task.bucket,
                name=f"{self._task.rank:05d}-{len(self.entries):04d}",
                tokens=np.concatenate(self._tokens),
                offsets=offsets,
                documents=table.append_column("length", pa.array(np.diff(offsets))),
                tokenizer=self._info,
                inputs=[file.name for file in self._task.files],
            )
        )
        self._clear()


def _run(
    task: _Task,
    info: TokenizerInfo,
    special: Special,
    settings: ImportSettings,
    folder: str,
    advance: Callable[[int], object],
) -> TaskManifest:
    shards = _Shards(task, info, settings, folder)
    inputs: dict[str, str] = {}
    records = empty = 0
    for file in task.files:
        stamps, where = _stamps(file), file.path
        inputs.update({name: sha256_file(path) for name, path in file.paths.items()})
        number, counts = 0, np.zeros(3, np.int64)
        for documents in file.read():
            _check_ids(documents, info, number, where)
            check_bounded(documents.tokens, documents.lengths, info, number=number, where=where)
            counts += count_bounded(documents.tokens, documents.lengths, special)
            rows = _rows(documents, task.bucket, file.name, number, info)
            some = documents.lengths > 0
            shards.add(documents.tokens, documents.lengths[some], rows if some.all() else rows.filter(pa.array(some)))
            empty += int((~some).sum())
            number += len(documents.lengths)
            advance(len(documents.tokens))
        check_undeclared(counts, info, special, where=where)
        records += number
        if stamps != _stamps(file):
            raise GristmillError("changed while it was read", where=where, remedy="run the same command again")
    shards.flush()
    kept = sum(entry.documents for entry in shards.entries)
    return TaskManifest(
        task=task.name,
        key=task.key,
        inputs=inputs,
        outputs=[output for entry in shards.entries for output in shard_outputs(entry)],
        ledger=Ledger(records_in=records, kept=kept, dropped={"no_tokens": empty} if empty else {}),
        details={"shards": [entry.model_dump(mode="json") for entry in shards.entries]},
    )


def _check_ids(documents: Documents, info: TokenizerInfo, number: int, where: str) -> None:
    wrong = (documents.tokens < 0) | (documents.tokens >= info.vocab_size)
    if wrong.any():
        at = int(np.argmax(wrong))
        document = int(np.searchsorted(np.cumsum(documents.lengths), at, side="right"))
        raise GristmillError(
            f"token id {int(documents.tokens[at])} is outside the vocabulary of {info.vocab_size}",
            where=f"{where}, document {number + document:,}",
            remedy="give the model that wrote the tokens; if it is, the file is damaged",
        )


def _rows(documents: Documents, bucket: str, file: str, number: int, info: TokenizerInfo) -> pa.Table:
    """Side-table rows without offset and length: what the file knows, and the rest from what it is."""
    count = len(documents.lengths)
    source, band = bucket.split("/", 1)
    known = documents.known
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    for field in SIDE_TABLE:
        plain = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if field.name in ("offset", "length"):
            continue
        if known is not None and field.name in known.column_names:
            columns[field.name] = known[field.name].cast(plain)
        elif field.name == "document_id":
            columns[field.name] = pa.array(_token_ids(documents, info), plain)
        elif field.name == "record":
            columns[field.name] = pa.array(np.arange(number, number + count), plain)
        else:
            given = {"source": source, "band": band, "file": file}.get(field.name)
            columns[field.name] = pa.array([given] * count, plain)
    return pa.table(columns)


def _token_ids(documents: Documents, info: TokenizerInfo) -> list[bytes]:
    tokens = documents.tokens.astype("<u4")
    starts, stops = content_of(documents.lengths, info)
    data = tokens.data.cast("B") if len(tokens) else memoryview(b"")
    return [
        xxhash.xxh3_128_digest(data[4 * start : 4 * stop])
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]


def _publish_step(out: str, command: str, settings: dict[str, Any], tasks: Sequence[TaskManifest]) -> str:
    """Publish the manifest of the import; its digest."""
    inputs = {
        f"{task.task.rpartition('/')[0]}: {name}": sha256 for task in tasks for name, sha256 in task.inputs.items()
    }
    ledger = merge_ledgers(task.ledger for task in tasks)
    notes = [f"documents without tokens are left out: {count:,}" for count in ledger.dropped.values()]
    manifest = StepManifest(
        step=command,
        settings_sha256=sha256_of(settings),
        inputs_sha256=sha256_of(inputs),
        settings=settings,
        inputs=inputs,
        outputs=[],
        ledger=ledger,
        notes=notes,
    )
    return write_step(join(out, IMPORT), manifest).digest


def _publish_shards(
    folder: str, corpus: str, info: TokenizerInfo, tasks: Sequence[TaskManifest], inputs: dict[str, str]
) -> ShardManifest:
    if not any(task.details["shards"] for task in tasks):
        raise GristmillError("the files hold no document with tokens", where=folder)
    return finish_shards(
        folder,
        tasks,
        corpus=corpus,
        tokenizer=info,
        ledger=merge_ledgers(task.ledger for task in tasks),
        settings_sha256=sha256_of({"import": inputs[IMPORT]}),
        inputs=inputs,
    )
