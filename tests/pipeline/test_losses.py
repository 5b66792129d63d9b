"""The inside ledger: what is lost inside documents, from readers to step manifests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gristmill.commands.inspect import inspect
from manifests.corpus import load_corpus
from manifests.step import Inside, KindOfLoss, Loss
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract
from pipeline.losses import LONGEST_NAME, MOST_NAMES_HELD, MOST_NAMES_KEPT, OTHERS, Kind, Tally, merge_inside

KINDS: list[Kind] = ["dropped_elements", "templates_not_expanded"]
DOCUMENTS = st.lists(
    st.dictionaries(st.tuples(st.sampled_from(KINDS), st.sampled_from(["a", "b", "c"])), st.integers(0, 3))
)


def slow(documents: list[dict[tuple[Kind, str], int]]) -> Inside:
    """The definition, in plain Python."""
    inside: Inside = {}
    for kind in sorted({kind for lost in documents for (kind, _), count in lost.items() if count}):
        counts = [{name: count for (of, name), count in lost.items() if of == kind and count} for lost in documents]
        names = sorted({name for of in counts for name in of})
        inside[kind] = KindOfLoss(
            documents=sum(bool(of) for of in counts),
            count=sum(sum(of.values()) for of in counts),
            names={
                name: Loss(documents=sum(name in of for of in counts), count=sum(of.get(name, 0) for of in counts))
                for name in names
            },
        )
    return inside


@given(DOCUMENTS, st.integers(0, 10))
def test_sums_are_those_of_the_definition_however_they_are_made(
    documents: list[dict[tuple[Kind, str], int]], cut: int
) -> None:
    tallies = [Tally(), Tally(), Tally()]
    for number, lost in enumerate(documents):
        tallies[0].add(lost)
        tallies[1 + (number >= cut)].add(lost)
    assert tallies[0].inside() == slow(documents) == merge_inside([tallies[1].inside(), tallies[2].inside()])
    tallies[2].merge(tallies[1])
    assert tallies[2].inside() == slow(documents)


def test_columns_count_documents_once() -> None:
    tally = Tally()
    tally.add_columns("masked_spans", {"email": np.array([2, 0, 1], np.int32), "phone": np.array([1, 0, 0], np.int32)})
    tally.add_columns("masked_spans", {"email": np.zeros(3, np.int32)})
    tally.add_columns("masked_spans", {})
    names = {"email": Loss(documents=2, count=3), "phone": Loss(documents=1, count=1)}
    assert tally.inside() == {"masked_spans": KindOfLoss(documents=2, count=4, names=names)}


def test_a_million_names_take_no_more_room_and_lose_no_count() -> None:
    tally = Tally()
    for number in range(MOST_NAMES_HELD + 500):
        tally.add({("dropped_elements", f"{number}{'x' * 100}"): 1 + (number == 7)})
    kind = tally.inside()["dropped_elements"]
    assert kind.count == kind.documents + 1 == MOST_NAMES_HELD + 501
    assert len(kind.names) == MOST_NAMES_KEPT + 1
    assert sum(loss.count for loss in kind.names.values()) == kind.count
    assert kind.names[OTHERS].count == MOST_NAMES_HELD + 500 - MOST_NAMES_KEPT
    assert kind.names[f"7{'x' * 100}"[:LONGEST_NAME]].count == 2


def test_losses_reach_the_manifests_of_task_and_step_and_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A lone surrogate has no UTF-8; a pair of them is a character and no loss.
    lines = [
        {"text": "One \ud800 two \udfff three."},
        {"text": "A pair \ud83d\ude00."},
        {"text": "Mail me@mill.example or you@mill.example."},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    sources = [
        {"name": name, "format": "jsonl", "licence": "public domain", "root": str(tmp_path), "files": ["a.jsonl"]}
        for name in ("one", "two")
    ]
    manifest = tmp_path / "corpus.yaml"
    settings = {"personal_information": {"mask": ["email", "phone"]}, "tokenizer": {"train": {}}}
    manifest.write_text(
        yaml.safe_dump({"kind": "corpus", "version": 1, "name": "x", "sources": sources, **settings}), encoding="utf-8"
    )
    step = extract(load_corpus(manifest), out=str(tmp_path / "out"), runner=Runner())
    wanted = {
        "masked_spans": KindOfLoss(documents=1, count=2, names={"email": Loss(documents=1, count=2)}),
        "replaced_characters": KindOfLoss(documents=1, count=2, names={"surrogates": Loss(documents=1, count=2)}),
    }
    assert step.inside == {"one": wanted, "two": wanted}
    task = json.loads(next((tmp_path / "out" / "extract" / "tasks" / "one").iterdir()).read_text(encoding="utf-8"))
    assert task["inside"]["masked_spans"]["count"] == 2
    inspect(str(tmp_path / "out"), json=False)
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["one", "masked_spans", "1", "2"] in shown
    assert ["surrogates", "1", "2"] in shown
    inspect(str(tmp_path / "out"), json=True)
    assert json.loads(capsys.readouterr().out)["steps"]["extract"]["inside"]["two"]["masked_spans"]["documents"] == 1
