"""Training from shards in the store into a run folder in the store: same losses as on local disk.

Resuming, sampling, tracing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from manifests.errors import GristmillError
from manifests.run import Run
from shards.reader import open_shards
from storage.files import exists, join, list_files, publish, read_bytes, remove_file
from storage.lock import LEASE
from tests.store.copies import copy_in
from tests.store.proxy import Faults
from tests.training import ranks
from tests.training.data import make_corpus, make_run

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

SMALL = {"tokens": 8 * 8 * 32, "checkpoint": {"every_steps": 2, "keep": 2}}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    make_corpus(folder, tokens=20_000)
    return folder


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GRISTMILL_STAGING", str(tmp_path / "staging"))


def both(tmp_path: Path, corpus: Path, folder: str, **settings: Any) -> tuple[Run, Run]:
    """The same run, from and to the local disk, and from and to the store."""
    here = make_run(tmp_path, name="here", data=corpus, **{**SMALL, **settings})
    copy_in(corpus, join(folder, "data"))
    there = make_run(tmp_path, name="there", data=corpus, **{**SMALL, **settings})
    return here, there.model_copy(update={"data": join(folder, "data"), "out": join(folder, "run")})


def lines(out: str) -> list[tuple[int, float, str]]:
    text = read_bytes(join(out, "metrics.jsonl")).decode()
    return [(line["step"], line["loss"], line["samples_xxh3"]) for line in map(json.loads, text.splitlines())]


@pytest.mark.slow
def test_a_run_in_the_store_is_that_of_the_local_disk_also_when_resumed(proxy, folder, corpus, tmp_path):
    from training.checkpoint import complete
    from training.loop import train

    here, there = both(tmp_path, corpus, folder)
    train(here)
    said: list[str] = []
    proxy.faults = Faults(slow_down=0.05, cut=0.05, seed=4)
    assert train(there, stop_after=3, say=said.append).step == 3
    assert any("TensorBoard" in line for line in said)
    # A save that was killed before its manifest, and a file that the store has lost, are no checkpoints.
    publish(join(there.out, "checkpoints", "step-00000099", "__0_0.distcp"), b"torn")
    said.clear()
    assert train(there, say=said.append).step == 8
    assert "resumed after step 3 of 8" in "\n".join(said)
    assert lines(there.out) == lines(here.out)
    good, problems = complete(there.out)
    assert [manifest.step for manifest in good] == [6, 8]
    assert problems == []
    assert not exists(join(there.out, LEASE))
    assert sum(proxy.counts[name] for name in ("slow_down", "cut")) > 0
    assert list((tmp_path / "staging").rglob("*.distcp")) == []
    files = list_files(join(there.out, "checkpoints"))
    remove_file(
        join(there.out, "checkpoints", next(name for name in files if "00000008" in name and name.endswith(".distcp")))
    )
    good, problems = complete(there.out)
    assert [manifest.step for manifest in good] == [6]
    assert "is damaged" in problems[0].message


@pytest.mark.slow
def test_ranks_share_the_work_of_a_checkpoint(store, folder, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(ranks, "ENVIRONMENT", {**os.environ, "OMP_NUM_THREADS": "1"})
    here, there = both(tmp_path, corpus, folder, layout={"tensor": 2}, tokens=3 * 8 * 32)
    path = tmp_path / "there.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "data": there.data, "out": there.out}))
    ranks.run_many(str(tmp_path / "here.yaml"), f"{path}@2", str(path), ranks=2)
    assert lines(there.out) == lines(here.out)
    names = list_files(join(there.out, "checkpoints"))
    assert {name.rsplit("/", 1)[1].split("_")[2] for name in names if name.endswith(".distcp")} == {"0", "1"}


def test_weights_are_read_from_the_store(store, folder, corpus, tmp_path):
    from training.checkpoint import load_weights
    from training.loop import train
    from training.model import build_model, megatron_config
    from training.parallel import one_rank

    _, there = both(tmp_path, corpus, folder, tokens=2 * 8 * 32)
    result = train(there)
    with one_rank() as alone:
        model = build_model(
            there.model,
            megatron_config(there.model, there.manifest.layout, precision="fp32"),
            vocab_size=open_shards(join(there.data, "shards")).manifest.tokenizer.vocab_size,
            seed=None,
            device=alone.device,
        )
        load_weights(result.checkpoint, model)
        assert all(bool(value.isfinite().all()) for value in model.parameters())


def test_shards_that_changed_are_refused(store, folder, corpus, tmp_path):
    from training.loop import train

    _, there = both(tmp_path, corpus, folder, tokens=2 * 8 * 32)
    shard = next(name for name in list_files(there.data, "shards/*/**/*.arrow") if "documents" not in name)
    good = read_bytes(join(there.data, shard))
    publish(join(there.data, shard), good[:-3] + b"xyz")
    with pytest.raises(GristmillError, match="sha256 is not the manifest's"):
        train(there)
    publish(join(there.data, shard), good[:-3])
    with pytest.raises(GristmillError, match="bytes, the manifest says"):
        train(there)


def test_no_key_is_written_anywhere(store, folder, corpus, tmp_path):
    from training.loop import train

    _, there = both(tmp_path, corpus, folder, tokens=1 * 8 * 32)
    train(there)
    for name in list_files(there.out):
        data = read_bytes(join(there.out, name))
        assert store.secret_key.encode() not in data
        assert store.access_key.encode() not in data
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or store.secret_key.encode() not in path.read_bytes()
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == store.secret_key
