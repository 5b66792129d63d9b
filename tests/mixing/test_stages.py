"""Mixtures that change during a run, declared before it or changed in mid-run, against results computed by hand."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from manifests.errors import GristmillError
from manifests.mixture import MixtureManifest
from mixing.plan import MixturePlan, change_mixture, plan_mixture
from mixing.stage_rows import recounted
from shards.order import Order, given_before, locate, new_order, order_from_json, order_to_json, positions_of

# 1,000 and 9,000 windows of ten tokens.
TOKENS = {"crawl/general": 90_001, "wiki/factual": 10_001}
HALF = {"match": "wiki/*", "share": 0.5}
TENTH = {"match": "wiki/*", "share": 0.1}


def mixture(*stages: dict[str, Any], **settings: Any) -> MixtureManifest:
    return MixtureManifest.model_validate({"name": "test", "block_samples": 64, "stages": stages, **settings})


def stage(step: int, *rules: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"from_step": step, "buckets": [*rules, {"match": "*"}], **settings}


def plan(made: MixtureManifest, *, steps: int = 400, step_samples: int = 8) -> MixturePlan:
    return plan_mixture(made, TOKENS, samples=steps * step_samples, sequence=10, seed=1, step_samples=step_samples)


def digest(order: Order, samples: int) -> str:
    """Of what the samples hold: bucket names and places in their streams."""
    bucket, window, epoch = locate(order, 0, samples)
    found = hashlib.sha256()
    for index, place in zip(bucket.tolist(), positions_of(order, bucket, window, epoch).tolist(), strict=True):
        found.update(f"{order.buckets[index].name} {place}\n".encode())
    return found.hexdigest()


def test_stages_begin_at_their_steps() -> None:
    made = plan(mixture(stage(0, TENTH), stage(100, HALF)))
    assert [(part.start, part.end) for part in made.stages] == [(0, 800), (800, 3200)]
    assert [part.start for part in made.order.stages] == [0, 800]
    wiki = [part.rows[1] for part in made.stages]
    assert [row.wanted for row in wiki] == [0.1, 0.5]
    assert [row.obtained for row in wiki] == pytest.approx([0.1, 0.5], abs=0.01)
    assert wiki[1].epochs_so_far == pytest.approx(wiki[0].epochs + wiki[1].epochs)
    whole = made.rows[1]
    assert whole.samples == wiki[0].samples + wiki[1].samples == given_before(made.order, 3200)[1]
    assert whole.wanted == pytest.approx(0.1 * 0.25 + 0.5 * 0.75)
    assert whole.obtained == whole.samples / 3200
    assert whole.rule == "wiki/*"
    assert made.notes == ()


def test_one_stage_is_what_no_stage_is() -> None:
    plain = MixtureManifest.model_validate({"name": "test", "block_samples": 64, "buckets": [TENTH, {"match": "*"}]})
    assert plan(mixture(stage(0, TENTH))) == plan(plain)


def test_caps_count_all_stages() -> None:
    """4 epochs of wiki are 4,000 samples: the first stage takes 1,600 of 3,200, the second may take 2,400 of 3,200."""
    made = plan(mixture(stage(0, HALF), stage(400, {**HALF, "share": 0.9})), steps=800)
    wiki = [part.rows[1] for part in made.stages]
    assert wiki[0].samples == 1_600
    assert wiki[1].granted == pytest.approx(0.75)
    assert 2_300 <= wiki[1].samples <= 2_400
    assert wiki[1].epochs_so_far <= 4
    assert made.notes == ("stage 2: wiki/factual: held at its cap on epochs, 75 % of the stage instead of 90 %",)
    higher = plan(mixture(stage(0, HALF), stage(400, {**HALF, "share": 0.9}, max_epochs=8)), steps=800)
    assert higher.stages[1].rows[1].obtained == pytest.approx(0.9, abs=0.01)
    lower = plan(mixture(stage(0, HALF), stage(400, HALF, max_epochs=1)), steps=800)
    assert lower.stages[1].rows[1].samples == 0
    assert lower.notes[0] == "stage 2: wiki/factual: held at its cap on epochs, 0 % of the stage instead of 50 %"


def test_epochs_are_those_of_the_stage() -> None:
    made = plan(mixture(stage(0, TENTH), stage(100, {"match": "wiki/*", "epochs": 1})))
    assert made.stages[1].rows[1].epochs == pytest.approx(1, abs=0.03)


def test_errors_name_the_stage() -> None:
    with pytest.raises(GristmillError, match="matches no bucket") as caught:
        plan(mixture(stage(0, TENTH), stage(100, {"match": "wikii/*"})))
    assert caught.value.where == "mixture test, stage from step 100"
    with pytest.raises(GristmillError, match=r"the caps on epochs allow .* the stage asks for"):
        plan(mixture(stage(0, TENTH), stage(1_000, HALF)), steps=6_000)


def test_a_stage_beyond_the_end_is_said() -> None:
    made = plan(mixture(stage(0, TENTH), stage(400, HALF)))
    assert len(made.stages) == 1
    assert made.notes == ("the rules from step 400 never count: the run has 400 steps",)


def change(order: Order, made: MixtureManifest, step: int, tokens: dict[str, int] | None = None) -> MixturePlan:
    return change_mixture(order, made, tokens or TOKENS, step=step, samples=3200, step_samples=8)


@pytest.mark.parametrize("version", [1, 2])
def test_a_change_in_mid_run_keeps_what_was(version: Any) -> None:
    before = new_order(TOKENS, sequence=10, seed=1, counts={"crawl/general": 60, "wiki/factual": 4}, version=version)
    after = change(before, mixture(stage(0, HALF)), 123)
    assert after.order.version == version
    assert digest(after.order, 123 * 8) == digest(before, 123 * 8)
    assert [part.start for part in after.order.stages] == [0, 984]
    assert after.order.stages[1].given == tuple(given_before(before, 984))
    assert after.stages[0].rows[1].obtained == pytest.approx(0.5, abs=0.01)
    # Each bucket goes on: over the whole run no window is given twice in an epoch.
    places = set(zip(*(column.tolist() for column in locate(after.order, 0, 3200)), strict=True))
    assert len(places) == 3200


def test_a_change_replaces_the_stages_that_have_not_begun() -> None:
    before = plan(mixture(stage(0, TENTH), stage(100, HALF), stage(300, TENTH)))
    after = change(before.order, mixture(stage(0, HALF), stage(150, TENTH), stage(250, HALF)), 200)
    assert [part.start for part in after.order.stages] == [0, 800, 1600, 2000]
    assert [row.wanted for part in after.stages for row in part.rows if row.bucket == "wiki/factual"] == [0.1, 0.5]
    shown = recounted(before.stages, after.order, end=1600)
    assert [(part.start, part.end) for part in shown] == [(0, 800), (800, 1600)]
    assert [part.rows[1].obtained for part in shown] == pytest.approx([0.1, 0.5], abs=0.02)
    assert sum(part.rows[1].samples for part in (*shown, *after.stages)) == given_before(after.order, 3200)[1]


def test_a_change_before_the_first_step_begins_anew_and_one_at_the_end_is_refused() -> None:
    before = plan(mixture(stage(0, TENTH)))
    assert change(before.order, mixture(stage(0, HALF)), 0).order == plan(mixture(stage(0, HALF))).order
    with pytest.raises(GristmillError, match="cannot change at step 400: the run ends there"):
        change(before.order, mixture(stage(0, HALF)), 400)


def test_sources_that_are_added_in_mid_run_keep_the_past_order() -> None:
    """Two buckets that sort before and between those there are; the past is pinned by its digest."""
    before = plan(mixture(stage(0, TENTH)))
    assert digest(before.order, 1600) == "bbeef0dd06595953f1cbed7bdb1d65cd1681e23265bb7757580561ac70317476"
    grown = {**TOKENS, "books/general": 40_001, "new/q01": 20_001}
    after = change(before.order, mixture(stage(0, TENTH, {"match": "new/*", "share": 0.25})), 200, grown)
    assert digest(after.order, 1600) == "bbeef0dd06595953f1cbed7bdb1d65cd1681e23265bb7757580561ac70317476"
    assert (
        digest(order_from_json(order_to_json(after.order)), 1600)
        == "bbeef0dd06595953f1cbed7bdb1d65cd1681e23265bb7757580561ac70317476"
    )
    rows = {row.bucket: row for row in after.stages[0].rows}
    assert rows["new/q01"].obtained == pytest.approx(0.25, abs=0.01)
    assert rows["books/general"].samples > 0
    assert given_before(after.order, 1600)[0] == 0
    bucket, _, _ = locate(after.order, 1600, 1600)
    assert np.bincount(bucket, minlength=4).tolist() == [row.samples for row in after.stages[0].rows]
    with pytest.raises(GristmillError, match="wiki/factual no longer holds what the run has read from it"):
        change(before.order, mixture(stage(0, TENTH)), 200, {**grown, "wiki/factual": 10_002})
