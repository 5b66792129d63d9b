"""An undamaged folder has no problems; every kind of damage is found and named, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from manifests.errors import GristmillError
from manifests.step import Ledger
from shards.format import ShardEntry, ShardManifest
from shards.verify import Problem, verify_shards
from shards.writer import load_manifest, publish_manifest
from tests.shards.corpora import Lengths, write_corpus

LENGTHS: Lengths = {"wiki/factual": [[3, 2, 4], [5, 2, 9]], "crawl/general": [[6, 2], [5]]}
TOKENS = "wiki/factual/00000-0000.arrow"
SIDE = "wiki/factual/00000-0000.documents.arrow"
INDEX = 2  # of that shard in the manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_corpus(str(tmp_path), LENGTHS, bounded=True)
    return tmp_path


def problems(folder: Path) -> list[str]:
    return [str(problem) for problem in verify_shards(str(folder))]


def change_entry(folder: Path, change: Callable[[ShardEntry], dict[str, object]]) -> None:
    """Publish the manifest again with one row changed, digest and all."""
    manifest = load_manifest(str(folder))
    rows = list(manifest.shards)
    rows[INDEX] = rows[INDEX].model_copy(update=change(rows[INDEX]))
    publish_manifest(str(folder), manifest.model_copy(update={"shards": rows}))


def replace_file(folder: Path, name: str, batch: pa.RecordBatch) -> None:
    """Put another Arrow file in a shard's place and let the manifest row agree with its bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    replace_bytes(folder, name, sink.getvalue().to_pybytes())


def replace_bytes(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)
    prefix = "documents_" if name == SIDE else ""
    change_entry(folder, lambda _: {f"{prefix}bytes": len(data), f"{prefix}sha256": hashlib.sha256(data).hexdigest()})


def write_inline(folder: Path, manifest: ShardManifest) -> None:
    """As the first format had it: the list of shards in the manifest's own JSON."""
    old = manifest.model_copy(update={"format": "gristmill-shard/1"})
    (folder / "_MANIFEST.json").write_text(json.dumps(old.stored()))
    (folder / "_SHARDS.arrow").unlink(missing_ok=True)


def batch_of(folder: Path, name: str) -> pa.RecordBatch:
    return pa.ipc.open_file(pa.py_buffer((folder / name).read_bytes())).get_batch(0)


def with_tokens(folder: Path, tokens: list[int], offsets: list[int]) -> pa.RecordBatch:
    batch = batch_of(folder, TOKENS)
    values = pa.array(np.array(tokens, np.uint16))
    column = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values, type=batch.schema.field(0).type)
    return pa.RecordBatch.from_arrays([column], schema=batch.schema)


def test_sound_folders_have_no_problems(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert problems(folder) == []
    large = tmp_path_factory.mktemp("large")
    write_corpus(str(large), LENGTHS, vocab_size=100_000)
    assert problems(large) == []


@pytest.mark.parametrize("name", [TOKENS, SIDE])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.999])
def test_a_flipped_byte(folder: Path, name: str, part: float) -> None:
    data = bytearray((folder / name).read_bytes())
    data[int(len(data) * part)] ^= 1
    (folder / name).write_bytes(data)
    assert problems(folder) == [f"{name}: its sha256 is not the manifest's"]


@pytest.mark.parametrize("name", [TOKENS, SIDE])
def test_a_truncated_and_a_missing_file(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1])
    assert problems(folder) == [f"{name}: has {len(data) - 1} bytes, the manifest says {len(data)}"]
    (folder / name).unlink()
    assert problems(folder) == [f"{name}: is missing"]


def test_a_file_that_its_disk_does_not_give_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other files are checked all the same."""
    from storage import checked

    whole = checked.sha256_file

    def failing(path: str) -> str:
        if path.endswith(TOKENS):
            raise GristmillError("cannot be read: Input/output error", where=path)
        return whole(path)

    monkeypatch.setattr("storage.checked.sha256_file", failing)
    (folder / SIDE).unlink()
    assert problems(folder) == [f"{TOKENS}: cannot be read: Input/output error", f"{SIDE}: is missing"]


def test_a_file_that_is_not_in_the_manifest(folder: Path) -> None:
    (folder / "wiki/factual/00002-0000.arrow").write_bytes(b"x")
    assert verify_shards(str(folder)) == [Problem("wiki/factual/00002-0000.arrow", "is not in the manifest")]


def test_the_side_table_of_another_shard(folder: Path) -> None:
    replace_file(folder, SIDE, batch_of(folder, "wiki/factual/00001-0000.documents.arrow"))
    assert problems(folder) == [
        f"{SIDE}: its metadata says shard 00001-0000, the manifest 00000-0000",
        f"{SIDE}: its offsets or lengths are not those of the tokens",
        f"{TOKENS}: its content_sha256 is not the manifest's",
    ]


def test_a_side_table_with_other_rows_or_columns(folder: Path) -> None:
    rows = batch_of(folder, SIDE)
    replace_file(folder, SIDE, rows.slice(0, 2))
    assert problems(folder) == [f"{SIDE}: has 2 rows for 3 documents"]
    replace_file(folder, SIDE, rows.drop_columns(["url"]))
    assert problems(folder) == [f"{SIDE}: its columns are not those of a side table"]


def test_documents_in_another_order(folder: Path) -> None:
    rows = batch_of(folder, SIDE)
    swapped = rows.set_column(0, rows.schema.field(0), rows.column(0).take(pa.array([1, 0, 2])))
    replace_file(folder, SIDE, swapped)
    assert problems(folder) == [f"{TOKENS}: its content_sha256 is not the manifest's"]


def test_tokens_that_do_not_fit(folder: Path) -> None:
    sound = batch_of(folder, TOKENS).column(0)
    tokens, offsets = sound.values.to_pylist(), sound.offsets.to_pylist()
    content = f"{TOKENS}: its content_sha256 is not the manifest's"
    replace_file(folder, TOKENS, with_tokens(folder, [*tokens[:1], 1000, *tokens[2:]], offsets))
    assert problems(folder) == [f"{TOKENS}: token id 1000 is outside the vocabulary of 1000", content]
    replace_file(folder, TOKENS, with_tokens(folder, [7, *tokens[1:]], offsets))
    assert problems(folder) == [f"{TOKENS}: 1 documents are not bounded by BOS (1)", content]
    replace_file(folder, TOKENS, with_tokens(folder, tokens, [0, 3, 6, 9]))
    assert problems(folder) == [
        f"{TOKENS}: 1 documents are not bounded by BOS (1)",
        f"{TOKENS}: 1 documents are not bounded by EOS (2)",
        f"{SIDE}: its offsets or lengths are not those of the tokens",
        content,
    ]
    replace_file(folder, TOKENS, with_tokens(folder, tokens[:-1], [0, 3, 5, 8]))
    assert problems(folder)[0] == f"{TOKENS}: has 8 tokens, the manifest says 9"
    replace_file(folder, TOKENS, with_tokens(folder, tokens, [0, 5, 9]))
    assert problems(folder)[0] == f"{TOKENS}: has 2 documents, the manifest says 3"


def test_another_layout(folder: Path) -> None:
    replace_file(folder, TOKENS, pa.RecordBatch.from_pydict({"tokens": [[1, 2]]}))
    assert problems(folder)[-1].startswith(f"{TOKENS}: its columns are not tokens: large_list")
    replace_bytes(folder, TOKENS, b"not Arrow at all")
    assert problems(folder)[0].startswith(f"{TOKENS}: is not an Arrow IPC file")


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([0, 5, 3, 9], "cannot be read: "),
        ([0, 3, 5, 9_000_000], "cannot be read: "),
        ([-9_000_000, 3, 5, 9], "cannot be read: "),
        ([0, 3, 5, 8], "its offsets run from 0 to 8, not from 0 to 9"),
        ([1, 3, 5, 9], "its offsets run from 1 to 9, not from 0 to 9"),
    ],
)
def test_offsets_that_pyarrow_would_not_write(folder: Path, offsets: list[int], message: str) -> None:
    data = (folder / TOKENS).read_bytes()
    sound = np.array([0, 3, 5, 9], "<i8").tobytes()
    assert data.count(sound) == 1
    replace_bytes(folder, TOKENS, data.replace(sound, np.array(offsets, "<i8").tobytes()))
    assert problems(folder)[0].startswith(f"{TOKENS}: {message}")


def test_swapped_manifest_rows(folder: Path) -> None:
    manifest = load_manifest(str(folder))
    one, two = manifest.shards[2:]
    swapped = [
        *manifest.shards[:2],
        two.model_copy(update={"name": one.name}),
        one.model_copy(update={"name": two.name}),
    ]
    publish_manifest(str(folder), manifest.model_copy(update={"shards": swapped}))
    found = problems(folder)
    assert f"{TOKENS}: its metadata says shard 00000-0000, the manifest 00001-0000" in found
    assert len(found) == 4  # two files each of two shards

    write_inline(folder, manifest.model_copy(update={"shards": manifest.shards[::-1]}))
    assert problems(folder) == [
        "_MANIFEST.json: its shards are not sorted by bucket and name",
        "_MANIFEST.json: its digest is not that of its rows",
    ]


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"digest": "0" * 64}, ["its digest is not that of its rows"]),
        (
            {"ledger": Ledger(records_in=9, kept=7)},
            ["its ledger does not balance by 2", "its ledger keeps 7 documents, its shards hold 9"],
        ),
    ],
)
def test_a_manifest_that_disagrees_with_itself(folder: Path, changes: dict[str, object], messages: list[str]) -> None:
    manifest: ShardManifest = load_manifest(str(folder)).model_copy(update=changes)
    write_inline(folder, manifest)
    assert problems(folder) == [f"_MANIFEST.json: {message}" for message in messages]


def test_rows_with_wrong_sums(folder: Path) -> None:
    change_entry(folder, lambda entry: {"documents": entry.documents + 1})
    assert problems(folder) == [
        f"{TOKENS}: has 3 documents, the manifest says 4",
        "_MANIFEST.json: its ledger keeps 9 documents, its shards hold 10",
    ]
    change_entry(folder, lambda entry: {"documents": entry.documents - 1, "tokens": entry.tokens + 1})
    assert problems(folder) == [f"{TOKENS}: has 9 tokens, the manifest says 10"]
    change_entry(folder, lambda entry: {"tokens": entry.tokens - 1, "content_sha256": "0" * 64})
    assert problems(folder) == [f"{TOKENS}: its content_sha256 is not the manifest's"]


def test_a_shard_listed_twice_and_a_wrong_dtype(folder: Path) -> None:
    manifest = load_manifest(str(folder))
    publish_manifest(
        str(folder), manifest.model_copy(update={"shards": [*manifest.shards, manifest.shards[0]], "ledger": Ledger()})
    )
    assert problems(folder) == ["_MANIFEST.json: lists crawl/general/00000-0000 more than once"]
    publish_manifest(str(folder), manifest.model_copy(update={"dtype": "uint32"}))
    assert "_MANIFEST.json: says uint32 for a vocabulary of 1000" in problems(folder)


def test_a_folder_without_manifest(tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="no complete token shards"):
        verify_shards(str(tmp_path))
