"""Opening and mapping shards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from manifests.errors import GristmillError
from shards import reader
from shards.reader import open_shards
from shards.shard_files import arrays_of
from tests.shards.corpora import streams, write_corpus

LENGTHS = {"wiki/factual": [[3, 1, 4], [1, 5, 9]], "crawl/general": [[2, 6], [5], [3, 5]], "crawl/factual": [[7]]}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    write_corpus(str(tmp_path), LENGTHS)
    return str(tmp_path)


def test_buckets_hold_their_shards_in_order(folder: str) -> None:
    shards = open_shards(folder)
    assert list(shards.buckets) == ["crawl/factual", "crawl/general", "wiki/factual"]
    for name, stream in streams(LENGTHS).items():
        bucket = shards.buckets[name]
        assert bucket.tokens == len(stream)
        assert bucket.starts.dtype == np.int64
        assert bucket.starts.tolist() == np.cumsum([0, *(sum(shard) for shard in LENGTHS[name])]).tolist()
        assert np.concatenate([bucket.map_tokens(shard) for shard in range(len(bucket.entries))]).tolist() == stream
        assert bucket.read_documents(0)["length"].to_pylist() == list(LENGTHS[name][0])
        assert bucket.read_documents(0, ["record", "document_id"]).column_names == ["record", "document_id"]


def test_tokens_are_mapped_once_and_cannot_be_written(folder: str) -> None:
    bucket = open_shards(folder).buckets["wiki/factual"]
    tokens = bucket.map_tokens(0)
    assert bucket.map_tokens(0) is tokens
    assert (tokens.dtype, tokens.flags.writeable, tokens.flags.owndata) == (np.uint16, False, False)


def test_maps_are_bounded_and_hold_no_descriptors(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "most_maps", lambda: 1)
    bucket = open_shards(folder).buckets["crawl/general"]
    first = bucket.map_tokens(0)
    descriptors = count_descriptors()
    assert bucket.map_tokens(1).tolist() == streams(LENGTHS)["crawl/general"][8:13]
    assert bucket.map_tokens(0) is not first  # it was let go
    assert first.tolist() == bucket.map_tokens(0).tolist()  # what was handed out stays valid
    assert count_descriptors() == descriptors


def count_descriptors() -> int:
    """Open files of this process, where the system says."""
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0


def test_a_folder_without_manifest_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="no complete token shards"):
        open_shards(str(tmp_path))


@pytest.mark.parametrize("name", ["crawl/general/00001-0000.arrow", "crawl/general/00001-0000.documents.arrow"])
def test_a_missing_file_is_named(folder: str, name: str) -> None:
    (Path(folder) / name).unlink()
    with pytest.raises(GristmillError, match=f"1 of 12 files are missing, the first is {name}"):
        open_shards(folder)


def test_a_truncated_file_is_not_mapped(folder: str) -> None:
    path = Path(folder) / "crawl/factual/00000-0000.arrow"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(GristmillError, match="bytes, the manifest says"):
        open_shards(folder).buckets["crawl/factual"].map_tokens(0)


def test_a_file_of_the_right_size_with_other_content_is_not_mapped(folder: str) -> None:
    path = Path(folder) / "crawl/factual/00000-0000.arrow"
    path.write_bytes(bytes(len(path.read_bytes())))
    with pytest.raises(GristmillError, match="its sha256 is not the manifest's"):
        open_shards(folder).buckets["crawl/factual"].map_tokens(0)
    side = Path(folder) / "crawl/factual/00000-0000.documents.arrow"
    path.write_bytes(side.read_bytes())
    shards = open_shards(folder)
    entry = shards.manifest.shards[0].model_copy(update={"bytes": side.stat().st_size})
    with pytest.raises(GristmillError, match="is not a token shard"):
        arrays_of(str(path), entry, "uint16")


def test_a_side_table_of_another_shard_is_refused(folder: str) -> None:
    side = Path(folder) / "crawl/factual/00000-0000.documents.arrow"
    side.write_bytes((Path(folder) / "wiki/factual/00000-0000.documents.arrow").read_bytes())
    with pytest.raises(GristmillError, match=r"has \d+ bytes, the manifest says \d+"):
        open_shards(folder).buckets["crawl/factual"].read_documents(0)
