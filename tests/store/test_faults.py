"""`gristmill prep` with a store that throttles, drops connections, truncates objects: the usual digest, or an error."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from shards.verify import verify_shards
from shards.writer import load_manifest
from storage import objects
from storage.files import join, list_files, publish, read_bytes
from storage.steps import read_step
from tests.endtoend.corpora import change, tree_hashes, write_corpus
from tests.paths import PROJECT
from tests.store.copies import copy_in, copy_out
from tests.store.proxy import Faults
from tests.store.server import Store
from tests.training.data import make_run

pytestmark = pytest.mark.hostile


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus")).path


@pytest.fixture(scope="module")
def expected(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("expected")
    prepare(load_corpus(corpus), out=str(out), runner=Runner())
    return tree_hashes(out)


@pytest.fixture(scope="module")
def remote(corpus: Path, server: Store) -> Path:
    """The manifest with its raw files in the store: one source names them by URLs, the others by its root."""
    for path in (corpus.parent / "raw").iterdir():
        server.upload(path, f"raw/{path.name}")
    sources = [{**source, "root": server.url("raw")} for source in yaml.safe_load(corpus.read_text())["sources"]]
    return change(corpus, sources=sources)


def objects_of(store: Store, out: str) -> dict[str, int]:
    prefix = out.removeprefix(store.url() + "/")
    return {key.removeprefix(prefix + "/"): size for key, size in store.objects(prefix).items()}


def check_nothing_torn(store: Store, out: str) -> int:
    """Every object below a folder is one that a manifest, or a task manifest of an unfinished step, lists with this
    size and hash.
    """
    present = objects_of(store, out)
    listed: dict[str, tuple[int, str]] = {}
    free = {name for name in present if "/tasks/" in name or name.endswith("_MANIFEST.json")}
    for name in free:
        data = json.loads(read_bytes(join(out, name)))  # whole, or it would not parse
        step = name.split("/", 1)[0]
        for output in data.get("outputs", []):
            listed[f"{step}/{output['path']}"] = (output["bytes"], output["sha256"])
        for entry in data.get("shards", []):
            listed[f"{step}/{entry['file']}"] = (entry["bytes"], entry["sha256"])
            listed[f"{step}/{entry['documents_file']}"] = (entry["documents_bytes"], entry["documents_sha256"])
    for name in present.keys() - free:
        data = read_bytes(join(out, name))
        if name in listed:
            assert (len(data), hashlib.sha256(data).hexdigest()) == listed[name], name
        else:  # its task was cut off before its manifest
            assert data.startswith(b"ARROW1"), name
            assert data.endswith(b"ARROW1"), name
    return len(present)


def hashes(out: str, folder: Path) -> dict[str, str]:
    return tree_hashes(copy_out(out, folder))


@pytest.mark.slow
def test_throttled_and_cut_off_all_the_way(store, proxy, folder, remote, expected, tmp_path):
    """Two worker processes, as a user starts them; no key in what they print or store."""
    proxy.faults = Faults(slow_down=0.05, cut=0.05, seed=6)
    command = [sys.executable, "-m", "gristmill", "prep", str(remote), "--out", folder, "--workers", "2", "--json"]
    environment = {**os.environ, "AWS_ENDPOINT_URL": proxy.endpoint}
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert proxy.counts["slow_down"] > 5
    assert proxy.counts["cut"] > 5
    proxy.faults = Faults()
    assert hashes(folder, tmp_path / "out") == expected
    assert check_nothing_torn(store, folder) > 40
    assert verify_shards(join(folder, "shards")) == []
    for text in (
        done.stdout,
        done.stderr,
        *(path.read_bytes().decode("latin-1") for path in (tmp_path / "out").rglob("*.json")),
    ):
        assert store.secret_key not in text
        assert store.access_key not in text


def test_short_answers_now_and_then(store, proxy, folder, remote, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "WHOLE", 2_000)  # larger ones are read in ranges
    proxy.faults = Faults(truncate=r"raw/|\.arrow$|tokenizer.model$|\.json$", truncate_every=7)
    prepare(load_corpus(remote), out=folder, runner=Runner())
    assert proxy.counts["truncated"] > 15
    proxy.faults = Faults()
    assert hashes(folder, tmp_path / "out") == expected


@pytest.mark.parametrize("pattern", ["raw/articles.jsonl.gz$", "raw/books.parquet$", "decide/decisions/wiki"])
def test_answers_that_stay_short_end_with_an_error_and_the_next_run_is_right(
    store, proxy, folder, remote, expected, tmp_path, patient, pattern
):
    proxy.faults = Faults(truncate=pattern)
    with pytest.raises(GristmillError, match="the store's answer is broken") as caught:
        prepare(load_corpus(remote), out=folder, runner=Runner())
    assert pattern.rstrip("$") in str(caught.value)
    assert "remedy" in str(caught.value)
    proxy.faults = Faults()
    check_nothing_torn(store, folder)
    prepare(load_corpus(remote), out=folder, runner=Runner())
    assert hashes(folder, tmp_path / "out") == expected


def test_an_object_that_the_store_has_truncated_is_named_and_made_again(store, folder, remote, expected, tmp_path):
    manifest = load_corpus(remote)
    prepare(manifest, out=folder, runner=Runner())
    part = next(name for name in list_files(folder, "extract/documents/**/*.arrow") if "articles" in name)
    publish(join(folder, part), read_bytes(join(folder, part))[:-100])
    with pytest.raises(GristmillError, match=r"has \d+ bytes, the manifest says") as caught:
        decide(manifest, out=folder, runner=Runner())
    assert caught.value.where == join(folder, part)
    assert "gristmill extract" in str(caught.value.remedy)
    prepare(manifest, out=folder, runner=Runner())
    assert hashes(folder, tmp_path / "out") == expected


def test_a_store_that_stops_storing_ends_with_an_error(store, proxy, folder, remote, expected, tmp_path, patient):
    proxy.faults = Faults(refuse="PUT .*decide/decisions")
    with pytest.raises(GristmillError, match="does not serve this request"):
        prepare(load_corpus(remote), out=folder, runner=Runner())
    assert read_step(join(folder, "decide")) is None
    check_nothing_torn(store, folder)
    proxy.faults = Faults()
    prepare(load_corpus(remote), out=folder, runner=Runner())
    assert hashes(folder, tmp_path / "out") == expected


def test_from_the_store_to_the_local_disk_and_back(store, folder, corpus, remote, expected, tmp_path):
    prepare(load_corpus(remote), out=str(tmp_path / "here"), runner=Runner())
    assert tree_hashes(tmp_path / "here") == expected
    copy_in(tmp_path / "here", folder)  # a finished corpus may be moved
    before = objects_of(store, folder)
    prepare(load_corpus(remote), out=folder, runner=Runner())
    after = objects_of(store, folder)
    assert after.keys() == before.keys()
    # Task manifests remember the file that each hash was computed of, as it looks there.
    changed = {name for name in after if after[name] != before[name]}
    assert {name for name in changed if "/tasks/" not in name} == set()
    assert load_manifest(join(folder, "shards")).digest == load_manifest(str(tmp_path / "here" / "shards")).digest


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_trained_and_sampled_without_a_local_file(store, folder, remote, tmp_path, monkeypatch):
    from training.generate import generate
    from training.loop import train

    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GRISTMILL_STAGING", str(tmp_path / "staging"))
    prepare(load_corpus(remote), out=join(folder, "data"), runner=Runner())
    run = make_run(tmp_path, name="run", data=tmp_path, tokens=2 * 8 * 32).model_copy(
        update={"data": join(folder, "data"), "out": join(folder, "run")}
    )
    assert train(run).step == 2
    text = generate(run.out, "the ", tokens=5, temperature=0)
    assert text.startswith("the ")
    assert list((tmp_path / "staging").rglob("*.distcp")) == []


def test_sources_may_name_urls(store, corpus, tmp_path):
    from pipeline.extract.inputs import list_raw_files

    sources = load_corpus(corpus).sources
    for path in (corpus.parent / "raw").iterdir():
        store.upload(path, f"named/{path.name}")
    given = [
        source.model_copy(update={"files": [store.url("named", pattern) for pattern in source.files]})
        for source in sources
    ]
    files = list_raw_files(given)
    assert [file.path for file in files] == [store.url("named", file.name.rsplit("/", 1)[-1]) for file in files]
    assert [(file.source, file.size) for file in files] == [
        (file.source, file.size) for file in list_raw_files(sources)
    ]
    with pytest.raises(GristmillError, match="no file matches"):
        list_raw_files([given[0].model_copy(update={"files": [store.url("named", "*.none")]})])
    with pytest.raises(GristmillError, match="no such file"):
        list_raw_files([given[0].model_copy(update={"files": [store.url("named", "none")]})])
