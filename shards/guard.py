"""The guard on every load: are the tokens what the manifest says they are?

Hashes show that a shard is the file that was written. They do not show that it means what the manifest says: shards
whose tokenizer was changed on the way have sound hashes, and train a model on something else (marin, issue 5034: a
silent change of the tokenizer cost 26 TB of shards). So a few documents are looked at:

- their first and last token, against `bos_id` and `eos_id`: of `SHARDS_OPENED` shards when a local folder is opened,
  of each shard when it is mapped, of all documents by `gristmill verify`;
- the tokenizer's sha256, against that of `tokenizer/tokenizer.model` beside the shards, at each opening;
- their text, encoded again by sentencepiece with that model: of `SHARDS_OPENED` shards when a local folder is opened,
  of every shard by `gristmill verify`. The text is the one that extract wrote, so this needs the folder that `prep`
  made, with its texts, and with `substrings/removed` if repeated runs were cut out of them. Text that was deleted
  cannot be made again from tokens (what normalisation took is gone); then, and for shards of a store, opening says that
  this was not done.

In: a shard folder and its manifest. Out: what was looked at, or an error. Which documents: by hash of the manifest's
digest. The shards looked at are checked against their hashes first, as any shard is before it is used, and those that
are not whole are passed over: whoever uses them is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from manifests.errors import GristmillError
from manifests.step import TaskManifest
from shards.format import ShardEntry, ShardManifest, TokenizerInfo
from shards.shard_files import Tokens, arrays_of, read_side_table
from storage.files import absolute, exists, is_url, join, map_file, read_if_there, sha256_file
from storage.steps import done_step

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

# Shards looked at when a folder is opened, and documents of each.
SHARDS_OPENED = 4
DOCUMENTS_OPENED = 4
# Documents of each shard that `gristmill verify` encodes again.
DOCUMENTS_VERIFIED = 8
# Longer documents are not encoded again: sentencepiece takes about a second for a million tokens.
_MOST_TOKENS = 8_192
# Record batches of a part that are searched for documents of a shard.
_BATCHES = 3
_REMEDY = (
    "the shards were not encoded by this tokenizer, or not as it is: restore its tokenizer.model, or delete the folder"
    " `shards` and run `gristmill prep` again"
)


@dataclass(frozen=True)
class Seen:
    """What was looked at.

    Attributes:
        bounded: documents whose first and last token were looked at.
        encoded: documents that were encoded again.
        note: why none were encoded again; None when some were.
    """

    bounded: int = 0
    encoded: int = 0
    note: str | None = None


@dataclass(frozen=True)
class Beside:
    """What lies beside a shard folder: the folder of all steps, and its tokenizer, which is the manifest's.

    Attributes:
        removed: files that say what was cut out of shards, below the folder of all steps, with their sha256; None if
            nothing was, empty if they are not those of these shards.
    """

    prepared: str
    model: SentencePieceProcessor
    removed: dict[str, str] | None = None


def guard(folder: str, manifest: ShardManifest, checked: Callable[[str, int, str], None]) -> Seen:
    """Look at a few documents of a shard folder.

    Args:
        checked: raises a GristmillError unless a file of the folder has a size and a hash.

    Raises:
        GristmillError: a document is not bounded as the manifest says, the tokenizer beside the shards is another, or
            it encodes a document to other tokens.
    """
    found = beside(folder, manifest)
    if is_url(folder):
        return Seen(note="shards of a store: no document was encoded again")
    bounded = encoded = 0
    notes: list[str] = []
    for entry in _chosen(manifest):
        try:
            checked(entry.file, entry.bytes, entry.sha256)
            checked(entry.documents_file, entry.documents_bytes, entry.documents_sha256)
        except GristmillError:
            continue  # whoever uses it is told
        path = join(folder, entry.file)
        tokens, offsets = arrays_of(path, entry, manifest.dtype)
        bounded += check_boundaries(tokens, offsets, manifest.tokenizer, where=path, entry=entry)
        if found is not None:
            again, note = encode_again(folder, entry, manifest, found, (tokens, offsets), documents=DOCUMENTS_OPENED)
            encoded += again
            notes += [note] if note is not None else []
    if encoded:
        return Seen(bounded, encoded)
    why = notes[0] if notes else "there is no tokenizer.model beside the shards" if found is None else "no document"
    return Seen(bounded, 0, f"no document was encoded again: {why}")


def check_boundaries(
    tokens: Tokens, offsets: npt.NDArray[np.int64], tokenizer: TokenizerInfo, *, where: str, entry: ShardEntry
) -> int:
    """Compare the first and last tokens of a shard's first and last document, and of some between, with the manifest's.

    Returns:
        How many documents were looked at: none when the manifest says nothing about their bounds.

    Raises:
        GristmillError: a document is bounded by other tokens.
    """
    if (tokenizer.bos_id is None and tokenizer.eos_id is None) or len(offsets) < 2:
        return 0
    documents = len(offsets) - 1
    drawn = int(entry.content_sha256[:16], 16)
    rows = sorted({0, documents - 1, drawn % documents, (drawn >> 32) % documents})
    for row in rows:
        start, stop = int(offsets[row]), int(offsets[row + 1])
        sound = 0 <= start < stop <= len(tokens)
        for name, wanted, at in (("BOS", tokenizer.bos_id, start), ("EOS", tokenizer.eos_id, stop - 1)):
            if wanted is not None and (not sound or int(tokens[at]) != wanted):
                raise GristmillError(
                    f"document {row} is not bounded by {name} ({wanted}), as the manifest says"
                    + (f", but by token {int(tokens[at])}" if sound else ""),
                    where=where,
                    remedy=_REMEDY,
                )
    return len(rows)


def beside(folder: str, manifest: ShardManifest) -> Beside | None:
    """The tokenizer beside a shard folder, `shards` or what it was cut from, `tokens`; None for shards that lie alone.

    Raises:
        GristmillError: it is not the manifest's.
    """
    prepared, _, name = absolute(folder).rstrip("/").rpartition("/")
    path = join(prepared, "tokenizer", "tokenizer.model")
    data = read_if_there(path) if name in ("shards", "tokens") else None
    if data is None:
        return None
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != manifest.tokenizer.sha256:
        raise GristmillError(
            f"is not the tokenizer of the shards beside it: its sha256 is {sha256[:16]}…, theirs"
            f" {manifest.tokenizer.sha256[:16]}…",
            where=path,
            remedy=_REMEDY,
        )
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor()
    model.LoadFromSerializedProto(data)
    return Beside(prepared, model, _removed_files(prepared, manifest))


def _removed_files(prepared: str, manifest: ShardManifest) -> dict[str, str] | None:
    if "substrings" not in manifest.inputs:
        return None
    step = done_step(join(prepared, "substrings"))
    if step is None or step.digest != manifest.inputs["substrings"]:
        return {}
    return {f"substrings/{output.path}": output.sha256 for output in step.outputs}


def encode_again(
    folder: str,
    entry: ShardEntry,
    manifest: ShardManifest,
    found: Beside,
    arrays: tuple[Tokens, npt.NDArray[np.int64]],
    *,
    documents: int,
) -> tuple[int, str | None]:
    """Encode documents of a shard again, from the text that extract wrote.

    Returns:
        How many there were, and why there was none.

    Raises:
        GristmillError: a document has other tokens in the shard.
    """
    part = _drawn(entry.inputs, entry.content_sha256)
    path = join(found.prepared, "extract", "documents", f"{part}.arrow")
    if part is None or not exists(path):
        return 0, "the texts that extract wrote are gone"
    task = _task_of(folder, entry)
    if task is None or part not in task.inputs:
        return 0, "the manifests of the shards' tasks are gone"
    cleaned = bool(task.details.get("removed_bytes"))
    removed: dict[bytes, list[tuple[int, int, int]]] = {}
    if found.removed is not None:
        name = f"substrings/removed/{entry.bucket}/{entry.name}.arrow"
        table = read_if_there(join(found.prepared, name))
        if table is None or hashlib.sha256(table).hexdigest() != found.removed.get(name):
            return 0, "what was cut out of them is not known: substrings/removed is not theirs"
        removed = _removed_runs(table)
    try:
        side = read_side_table(folder, entry, ["document_id", "offset", "length", "file", "record"])
        rows = _documents_of(path, side, drawn=int(entry.content_sha256[:8], 16), most=documents, cleaned=cleaned)
    except (pa.ArrowException, OSError, ValueError, GristmillError) as error:
        return 0, f"{path} cannot be read: {error}"
    tokens, _ = arrays
    for identity, start, length, text in rows:
        runs = removed.get(identity, [])
        if len({document for document, _, _ in runs}) > 1:
            continue  # texts that are the same, of which one may be whole
        stop = start + length
        start += manifest.tokenizer.bos_id is not None
        stop -= manifest.tokenizer.eos_id is not None
        if _without(found.model.EncodeAsIds(text), runs) != tokens[start:stop].tolist():
            if not task.inputs[part].startswith(sha256_file(path)[:32]):
                return 0, f"{path} is not the one that the shards were made from"
            raise GristmillError(
                f"document {identity.hex()} has other tokens than its text has with the tokenizer beside the shards",
                where=join(folder, entry.file),
                remedy=_REMEDY,
            )
    return len(rows), None if rows else "no document could be compared with its text"


def _removed_runs(table: bytes) -> dict[bytes, list[tuple[int, int, int]]]:
    """Row, first token and tokens of each run that was cut out of a shard, by the id of its document."""
    rows = pa.ipc.open_file(pa.py_buffer(table)).read_all()
    runs: dict[bytes, list[tuple[int, int, int]]] = {}
    columns = (rows[name].to_pylist() for name in ("document_id", "document", "offset", "length"))
    for identity, document, offset, length in zip(*columns, strict=True):
        runs.setdefault(identity, []).append((document, offset, length))
    return runs


def _without(tokens: list[int], runs: list[tuple[int, int, int]]) -> list[int]:
    gone = {place for _, offset, length in runs for place in range(offset, offset + length)}
    return [token for place, token in enumerate(tokens) if place not in gone]


def _chosen(manifest: ShardManifest) -> list[ShardEntry]:
    count = len(manifest.shards)
    draws = (hashlib.sha256(f"{manifest.digest} {draw}".encode()).digest()[:8] for draw in range(SHARDS_OPENED))
    return [manifest.shards[at] for at in sorted({int.from_bytes(draw, "big") % count for draw in draws if count})]


def _drawn(names: list[str], sha256: str) -> str | None:
    return names[int(sha256[:8], 16) % len(names)] if names else None


def _task_of(folder: str, entry: ShardEntry) -> TaskManifest | None:
    """The manifest of the task that wrote a shard: named by source and number, its inputs by the hashes of their files,
    that of the documents first.
    """
    task = f"{entry.bucket.split('/')[0]}/{entry.name.rpartition('-')[0]}"
    data = read_if_there(join(folder, "tasks", f"{task}.json"))
    try:
        return None if data is None else TaskManifest.model_validate_json(data)
    except ValidationError:
        return None


def _documents_of(
    path: str, side: pa.Table, *, drawn: int, most: int, cleaned: bool
) -> list[tuple[bytes, int, int, str]]:
    """Documents of a shard that lie in one record batch of a part: id, first token, tokens, text."""
    found: list[tuple[bytes, int, int, str]] = []
    with map_file(path) as file:
        schema = pa.ipc.open_file(file).schema
        origin = (schema.metadata or {}).get(b"file", b"").decode()
        wanted = [schema.get_field_index(name) for name in ("id", "text", "record")]
        file.seek(0)
        reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=wanted))
        side = side.filter(
            pc.and_(pc.equal(side["file"].cast(pa.string()), origin), pc.less_equal(side["length"], _MOST_TOKENS))
        )
        for step in range(min(_BATCHES, reader.num_record_batches)):
            batch = reader.get_batch((drawn + step) % reader.num_record_batches)
            batch.validate(full=True)  # its file is not compared with its hash
            places = pc.index_in(side["record"], value_set=batch.column("record"))
            rows = np.flatnonzero(places.is_valid().to_numpy(zero_copy_only=False))
            for row in rows[drawn % max(1, len(rows) // most) :: max(1, len(rows) // most)][:most].tolist():
                place = places[row].as_py()
                text = batch.column("text")[place].as_py()
                identity = side["document_id"][row].as_py()
                if batch.column("id")[place].as_py() == identity and not (cleaned and _may_be_cleaned(text)):
                    found.append((identity, side["offset"][row].as_py(), side["length"][row].as_py(), text))
            if found:
                break
    return found


def _may_be_cleaned(text: str) -> bool:
    """Whether filters that remove lines or citations may have changed a text that was kept."""
    return "\n" in text or "[" in text or text != text.strip()
