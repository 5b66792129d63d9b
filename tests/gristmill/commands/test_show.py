"""A manifest is printed with every default."""

from __future__ import annotations

import pytest
import yaml

from manifests.errors import GristmillError
from manifests.model import PRESETS
from tests.endtoend.corpora import change
from tests.gristmill.commands.invoke import printed, run


def test_show_prints_every_default(corpus, tmp_path) -> None:
    shown = yaml.safe_load(run("show", corpus.path)[1])
    assert shown == printed("show", corpus.path)
    minhash = {"bands": 16, "rows": 7, "ngram": 5, "unit": "words", "permutations": "gristmill"}
    minhash |= {"similarity": 0.7, "measure": "jaccard"}
    assert shown["dedup"] == {
        "exact": True,
        "minhash": minhash,
        "alarm": 0.5,
        "index": [],
        "lines": None,
        "substrings": None,
    }
    (tmp_path / "shown.yaml").write_text(yaml.safe_dump(shown))
    assert printed("show", tmp_path / "shown.yaml") == shown
    (tmp_path / "run.yaml").write_text("{kind: run, name: r, data: d, out: o}")
    assert printed("show", tmp_path / "run.yaml")["optimizer"]["eps"] == 1e-5
    (tmp_path / "mixture.yaml").write_text("{kind: mixture}")
    assert printed("show", tmp_path / "mixture.yaml")["max_epochs"] == 4


def test_show_prints_the_numbers_of_a_recipe(corpus, tmp_path) -> None:
    section = {"preset": "slimpajama", "permutations": "datasketch-legacy"}
    shown = printed("show", change(corpus.path, dedup={"minhash": section}))
    minhash = {"bands": 9, "rows": 13, "ngram": 13, "unit": "characters", "permutations": "datasketch-legacy"}
    assert shown["dedup"]["minhash"] == {**minhash, "similarity": 0.7, "measure": "jaccard"}
    (tmp_path / "shown.yaml").write_text(yaml.safe_dump(shown))
    assert printed("show", tmp_path / "shown.yaml") == shown


@pytest.mark.parametrize("name", PRESETS)
def test_show_prints_a_preset(name) -> None:
    assert printed("show", name)["name"] == name


def test_show_of_something_else(tmp_path) -> None:
    (tmp_path / "odd.yaml").write_text("kind: soup")
    with pytest.raises(GristmillError, match="`kind: soup` is not a kind of manifest"):
        run("show", tmp_path / "odd.yaml")
