"""A mixture that is changed in mid-run: asked for, on record, and nothing before it moves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gristmill
from manifests.errors import GristmillError
from manifests.mixture import MixtureManifest
from manifests.run import Run
from mixing.history import mixture_of
from shards.format import ShardManifest
from shards.lineage import documents_of_step
from shards.order import Order, locate, new_order, next_stage, order_from_json, order_to_json, positions_of
from shards.reader import open_shards
from shards.run_record import load_order, load_record
from shards.samples import samples
from shards.writer import load_manifest, publish_manifest
from tests.paths import PROJECT
from tests.training.data import make_corpus, make_run, metrics, write_run
from tests.training.ranks import ENVIRONMENT
from training import record
from training.batches import combined, fingerprint
from training.loop import train
from training.verify import verify_run

BATCH = 8
FIRST: dict[str, Any] = {
    "name": "first",
    "buckets": [{"match": "wiki/*", "share": 0.25}, {"match": "*"}],
    "block_samples": 16,
    "max_epochs": 100,
}
SECOND: dict[str, Any] = {**FIRST, "name": "second", "buckets": [{"match": "wiki/*", "share": 0.75}, {"match": "*"}]}


def run_of(folder: Path, data: Path, mixture: dict[str, Any], **settings: Any) -> Run:
    return make_run(folder, name="run", data=data, mixture=mixture, checkpoint={"every_steps": 6}, **settings)


def order_of(run: Run) -> Order:
    return order_from_json(load_order(run.out, load_record(run.out)))


def check_recorded(run: Run, steps: int) -> None:
    """The order that the folder holds is the one that the model was fed by, from the first step on."""
    shards, order = open_shards(f"{run.data}/shards"), order_of(run)
    lines = metrics(Path(run.out))
    assert [line["step"] for line in lines] == list(range(steps))
    for line in lines:
        fed = fingerprint(samples(shards, order, line["step"] * BATCH, BATCH))
        assert combined(fed.low, fed.high) == line["samples_xxh3"]


def share_of_wiki(order: Order, start: int, count: int) -> float:
    bucket, _, _ = locate(order, start, count)
    return float(np.mean([order.buckets[index].name == "wiki/factual" for index in bucket.tolist()]))


def test_a_changed_mixture_is_refused_until_it_is_asked_for(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    train(run_of(tmp_path, corpus[0], FIRST), stop_after=10)
    run = run_of(tmp_path, corpus[0], SECOND)
    before, lines = order_of(run), metrics(Path(run.out))
    with pytest.raises(GristmillError, match="name: first before, second now") as caught:
        train(run)
    assert "go on with the new mixture by `--change-mixture`" in str(caught.value.remedy)
    assert order_of(run) == before

    said: list[str] = []
    assert train(run, change_mixture=True, stop_after=14, say=said.append).step == 14
    assert "from step 10 on the mixture is second; before it was first" in said
    after = order_of(run)
    assert [stage.start for stage in after.stages] == [0, 10 * BATCH]
    assert metrics(Path(run.out))[:10] == lines
    assert [share_of_wiki(after, 0, 80), share_of_wiki(after, 80, 80)] == [0.25, 0.75]
    (change,) = load_record(run.out).changes
    assert (change.step, change.added, change.notes) == (10, [], [])
    assert change.before == MixtureManifest.model_validate(FIRST)
    assert change.after == MixtureManifest.model_validate(SECOND)
    assert verify_run(run.out)[1] == []

    # The same command again, and the one without the option, go on.
    assert train(run, change_mixture=True, stop_after=16, say=said.append).step == 16
    assert "note: --change-mixture changes nothing: the run has this mixture already, or has not begun" in said
    assert train(run).step == 20
    assert load_record(run.out).changes == [change]
    check_recorded(run, 20)
    assert {row["sample"] for row in documents_of_step(run.out, 12)} == set(range(96, 104))
    assert gristmill.samples(open_shards(f"{run.data}/shards"), run.out, 96, 8).shape == (8, 33)
    with pytest.raises(GristmillError, match="name: second before, first now"):
        train(run_of(tmp_path, corpus[0], FIRST))
    with pytest.raises(GristmillError, match="cannot change at step 20: the run ends there"):
        train(run_of(tmp_path, corpus[0], FIRST), change_mixture=True)


def test_other_settings_cannot_change_beside_the_mixture(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    train(run_of(tmp_path, corpus[0], FIRST), stop_after=2)
    with pytest.raises(GristmillError, match="seed: 7 before, 8 now") as caught:
        train(run_of(tmp_path, corpus[0], SECOND, seed=8), change_mixture=True)
    assert "mixture" not in caught.value.message


def test_a_run_that_has_not_begun_has_nothing_to_change(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    said: list[str] = []
    run = run_of(tmp_path, corpus[0], FIRST)
    train(run, change_mixture=True, stop_after=1, say=said.append)
    assert any("--change-mixture changes nothing" in line for line in said)
    assert load_record(run.out).changes == []


def test_a_checkpoint_from_before_the_change_is_gone_on_from(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    train(run_of(tmp_path, corpus[0], FIRST), stop_after=12)
    run = run_of(tmp_path, corpus[0], SECOND)
    train(run, change_mixture=True, stop_after=15)
    losses = [line["loss"] for line in metrics(Path(run.out))]
    shutil.rmtree(f"{run.out}/checkpoints/step-00000015")
    said: list[str] = []
    train(run, stop_after=15, say=said.append)
    assert said[1].startswith("resumed after step 12 ")
    assert [line["loss"] for line in metrics(Path(run.out))] == losses
    # One from after the change is not one of the order before it.
    run_file = Path(run.out, "run.json")
    written = json.loads(run_file.read_text())
    written["changes"][0]["step"] = 11
    run_file.write_text(json.dumps(written))
    shutil.rmtree(f"{run.out}/checkpoints/step-00000015")
    with pytest.raises(GristmillError, match="belongs to another run: order differ"):
        train(run, stop_after=15)


def test_killed_between_record_and_order_it_goes_on(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    train(run_of(tmp_path, corpus[0], FIRST), stop_after=6)
    run = run_of(tmp_path, corpus[0], SECOND)
    path, following = Path(run.out, "order.json"), Path(run.out, "order.next.json")
    old = path.read_text()
    train(run, change_mixture=True, stop_after=8)
    assert not following.exists()
    new = path.read_text()
    path.write_text(old)
    following.write_text(new)
    assert verify_run(run.out)[1] == []
    assert train(run, stop_after=9).step == 9
    assert path.read_text() == new
    assert not following.exists()
    # Killed before the record: the change has not happened.
    following.write_text(old)
    assert train(run, stop_after=10).step == 10
    assert path.read_text() == new
    path.write_text(old)
    with pytest.raises(GristmillError, match="is not the order that the run began with"):
        train(run)


def grown(folder: Path, *, seed: int = 0) -> Path:
    """The corpus of these tests with two buckets more, before and between those there were."""
    make_corpus(folder, seed=seed)
    make_corpus(folder / "more", tokens=20_000, seed=5)
    names = {"crawl/general": "books/general", "wiki/factual": "new/q01"}
    entries = []
    for entry in load_manifest(str(folder / "more/shards")).shards:
        changed = entry.model_dump(mode="json") | {"bucket": names[entry.bucket]}
        for key in ("file", "documents_file"):
            changed[key] = changed[key].replace(entry.bucket, names[entry.bucket])
            target = folder / "shards" / changed[key]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(folder / "more/shards" / getattr(entry, key), target)
        entries.append(changed)
    manifest = load_manifest(str(folder / "shards")).model_dump(mode="json")
    publish_manifest(
        str(folder / "shards"),
        ShardManifest.model_validate({**manifest, "shards": [*manifest["shards"], *entries]}),
    )
    return folder


def test_sources_added_in_mid_run_keep_the_past(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    train(run_of(tmp_path, corpus[0], FIRST), stop_after=10)
    before = order_of(run_of(tmp_path, corpus[0], FIRST))
    run = run_of(tmp_path, grown(tmp_path / "grown"), FIRST)
    with pytest.raises(GristmillError, match="are not those that the run began with") as caught:
        train(run)
    assert "--change-mixture" in str(caught.value.remedy)
    said: list[str] = []
    assert train(run, change_mixture=True, say=said.append).step == 20
    assert (
        "from step 10 on the mixture is first, with the new buckets books/general, new/q01; before it was first" in said
    )
    assert load_record(run.out).changes[0].added == ["books/general", "new/q01"]
    assert verify_run(run.out)[1] == []
    check_recorded(run, 20)
    after = order_of(run)
    for order in (before, after):
        assert {order.buckets[index].name for index in locate(order, 0, 80)[0].tolist()} == {
            "crawl/general",
            "wiki/factual",
        }
    assert (positions_of(after, *locate(after, 0, 80)) == positions_of(before, *locate(before, 0, 80))).all()
    assert "books/general" in {after.buckets[index].name for index in locate(after, 80, 80)[0].tolist()}


def test_other_tokens_in_an_old_bucket_are_refused(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    train(run_of(tmp_path, corpus[0], FIRST), stop_after=2)
    run = run_of(tmp_path, grown(tmp_path / "grown", seed=1), FIRST)
    with pytest.raises(GristmillError, match="only new buckets can be added"):
        train(run, change_mixture=True)


def test_a_run_of_order_version_1_goes_on_with_it(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    """Also through a change of its mixture. Its record is as an earlier version wrote it."""
    run = run_of(tmp_path, corpus[0], FIRST)
    shards = open_shards(f"{run.data}/shards")
    tokens = {name: bucket.tokens for name, bucket in shards.buckets.items()}
    first = new_order(tokens, sequence=32, seed=7, counts={"wiki/factual": 4, "crawl/general": 12}, version=1)
    record.begin(
        run,
        data_digest=shards.manifest.digest,
        order_json=order_to_json(first),
        tokenizer=shards.manifest.tokenizer,
    )
    written = json.loads(Path(run.out, "run.json").read_text())
    del written["changes"]
    Path(run.out, "run.json").write_text(json.dumps(written))
    train(run, stop_after=6)
    assert order_of(run) == first
    second = run_of(tmp_path, corpus[0], SECOND)
    train(second, change_mixture=True)
    assert order_of(second) == next_stage(first, 6 * BATCH, {"wiki/factual": 12, "crawl/general": 4})
    check_recorded(second, 20)


def test_stages_declared_before_the_run(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    stages = {
        "name": "two",
        "block_samples": 16,
        "max_epochs": 100,
        "stages": [{"buckets": FIRST["buckets"]}, {"from_step": 10, "buckets": SECOND["buckets"]}],
    }
    run = run_of(tmp_path, corpus[0], stages)
    train(run, stop_after=7)
    train(run)
    order = order_of(run)
    assert [share_of_wiki(order, 0, 80), share_of_wiki(order, 80, 80)] == [0.25, 0.75]
    check_recorded(run, 20)


def test_what_a_mixture_does_not_get_is_said_before_the_first_step(
    tmp_path: Path, corpus: tuple[Path, np.ndarray]
) -> None:
    said: list[str] = []
    rules = [{"match": "wiki/*", "share": 0.9, "max_epochs": 0.1}, {"match": "*"}]
    train(run_of(tmp_path, corpus[0], {**FIRST, "buckets": rules}), stop_after=1, say=said.append)
    assert any(line.startswith("note: wiki/factual: held at its cap on epochs") for line in said)


def test_mix_show_knows_what_a_run_was_and_what_a_change_would_do(
    tmp_path: Path, corpus: tuple[Path, np.ndarray]
) -> None:
    shards = open_shards(f"{corpus[0]}/shards")
    first = run_of(tmp_path, corpus[0], FIRST)
    planned = mixture_of(first, shards)
    assert (planned.changes, planned.notes) == ((), ())
    train(first, stop_after=10)
    assert mixture_of(first, shards) == planned
    second = run_of(tmp_path, corpus[0], SECOND)
    would = mixture_of(second, shards)
    assert would.changes == (10,)
    assert would.notes[0].startswith("from step 10 on, this is what `gristmill train --change-mixture` would do")
    assert [(stage.start, stage.end) for stage in would.plan.stages] == [(0, 80), (80, 160)]
    assert [stage.rows[1].obtained for stage in would.plan.stages] == [0.25, 0.75]
    train(second, change_mixture=True)
    done = mixture_of(second, shards)
    assert (done.plan, done.changes, done.notes) == (would.plan, (10,), ())
    more = run_of(tmp_path, grown(tmp_path / "grown"), FIRST)
    assert "holds a finished run" in mixture_of(more, open_shards(f"{more.data}/shards")).notes[0]
    other = run_of(tmp_path, corpus[0], FIRST, seed=8)
    assert "holds a run of other settings" in mixture_of(other, shards).notes[0]


def test_two_ranks_agree_on_the_change(tmp_path: Path, corpus: tuple[Path, np.ndarray]) -> None:
    def command(mixture: dict[str, Any], *options: str) -> str:
        path = write_run(tmp_path, name="run", data=corpus[0], mixture=mixture, layout={"tensor": 2})
        done = subprocess.run(
            [sys.executable, "-m", "gristmill", "train", str(path), *options],
            cwd=PROJECT,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    command(FIRST, "--stop-after", "6")
    assert "from step 6 on the mixture is second; before it was first" in command(SECOND, "--change-mixture")
    run = run_of(tmp_path, corpus[0], SECOND)
    assert [stage.start for stage in order_of(run).stages] == [0, 6 * BATCH]
    check_recorded(run, 20)
