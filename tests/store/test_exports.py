"""Exports and imports from a store to a store: the bytes of local disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Runner
from pipeline.export.parquet import export_parquet
from pipeline.prep import prepare
from shards.export_megatron import export_megatron
from shards.format import ShardManifest
from shards.import_megatron import megatron_files
from shards.import_settings import ImportSettings
from shards.import_tokenizer import tokenizer_of
from shards.import_tokens import import_tokens
from shards.verify_corpus import verify_corpus
from storage.destination import BEGUN
from storage.files import join, list_stats, read_bytes
from storage.verify import exported_step, verify_export
from tests.endtoend.corpora import write_corpus as write_raw_corpus
from tests.models import write_model
from tests.shards.corpora import write_corpus
from tests.store.copies import copy_in

LENGTHS = {"wiki/factual": [[5, 3, 7], [4]], "crawl/general": [[100, 20], [50] * 5, [30]]}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))


def _content(folder: str) -> dict[str, bytes]:
    names = [name for name in list_stats(folder, "**") if not name.startswith("tasks/") and "/tasks/" not in name]
    return {name: read_bytes(join(folder, name)) for name in [*names, BEGUN]}


def test_megatron_from_a_store_to_a_store(store, folder, tmp_path, monkeypatch) -> None:
    local = str(tmp_path / "shards")
    write_corpus(local, LENGTHS)
    copy_in(Path(local), folder + "/shards")
    for file_tokens in (None, 200):
        out, there = str(tmp_path / f"out{file_tokens}"), f"{folder}/out{file_tokens}"
        done = export_megatron(local, out=out, file_tokens=file_tokens)
        assert export_megatron(folder + "/shards", out=there, file_tokens=file_tokens) == done
        assert _content(there) == _content(out)
        assert exported_step(there) == done
        assert verify_export(there, done)[1] == []
    with pytest.raises(GristmillError, match="something else was begun here"):
        export_megatron(folder + "/shards", out=f"{folder}/out200")
    with pytest.raises(GristmillError, match="it holds out200/"):
        export_megatron(folder + "/shards", out=folder)
    monkeypatch.setattr("shards.export_megatron.MOST_BYTES_IN_STORE", 200)
    with pytest.raises(GristmillError, match="would have to be held in memory") as error:
        export_megatron(folder + "/shards", out=folder + "/large")
    assert error.value.remedy is not None
    assert "--file-tokens of at most 50" in error.value.remedy


def test_an_import_from_a_store_to_a_store(store, folder, tmp_path) -> None:
    model = write_model(tmp_path / "small.model", vocab_size=1000)
    write_corpus(str(tmp_path / "shards"), LENGTHS, bounded=True)
    export_megatron(str(tmp_path / "shards"), out=str(tmp_path / "exported"))
    for path in (tmp_path / "exported").rglob("*.documents.arrow"):
        path.unlink()  # they name another tokenizer
    copy_in(tmp_path / "exported", folder + "/exported")
    store.upload(model, folder.rsplit("/", 1)[1] + "/small.model")

    def run(given: str, out: str, model: str) -> ShardManifest:
        info, _ = tokenizer_of(read_bytes(model), "bos+eos", where=model)
        prefixes = [join(given, bucket) for bucket in LENGTHS]
        settings = ImportSettings(command="import megatron", corpus="c", model=model, boundaries="bos+eos")
        return import_tokens(megatron_files(prefixes, list(LENGTHS), tokenizer_sha256=info.sha256), settings, out=out)

    local = run(str(tmp_path / "exported"), str(tmp_path / "out"), str(model))
    assert run(folder + "/exported", folder + "/out", folder + "/small.model") == local
    assert _content(folder + "/out") == _content(str(tmp_path / "out"))
    assert verify_corpus(folder + "/out")[1] == []
    tokens = np.frombuffer(read_bytes(folder + "/exported/crawl/general.bin"), np.uint16)
    assert local.bucket_sizes()["crawl/general"].tokens == len(tokens) == 400


def test_parquet_to_a_store(store, folder, tmp_path) -> None:
    corpus = write_raw_corpus(tmp_path / "raw")
    prepare(load_corpus(corpus.path), out=str(tmp_path / "prepared"), runner=Runner())
    done = export_parquet(str(tmp_path / "prepared"), out=str(tmp_path / "out"), runner=Runner())
    copy_in(tmp_path / "prepared", folder + "/prepared")
    assert export_parquet(folder + "/prepared", out=folder + "/out", runner=Runner()) == done
    assert _content(folder + "/out") == _content(str(tmp_path / "out"))
