"""A manifest is printed with every default."""

from __future__ import annotations

import pytest
import yaml

from manifests.errors import GristmillError
from manifests.model import PRESETS
from tests.gristmill.commands.invoke import printed, run


def test_show_prints_every_default(corpus, tmp_path) -> None:
    shown = yaml.safe_load(run("show", corpus.path)[1])
    assert shown == printed("show", corpus.path)
    assert shown["dedup"] == {"exact": True, "minhash": {"bands": 14, "rows": 8, "ngram": 5}, "lines": None}
    (tmp_path / "shown.yaml").write_text(yaml.safe_dump(shown))
    assert printed("show", tmp_path / "shown.yaml") == shown
    (tmp_path / "run.yaml").write_text("{kind: run, name: r, data: d, out: o}")
    assert printed("show", tmp_path / "run.yaml")["optimizer"]["eps"] == 1e-5
    (tmp_path / "mixture.yaml").write_text("{kind: mixture}")
    assert printed("show", tmp_path / "mixture.yaml")["max_epochs"] == 4


@pytest.mark.parametrize("name", PRESETS)
def test_show_prints_a_preset(name) -> None:
    assert printed("show", name)["name"] == name


def test_show_of_something_else(tmp_path) -> None:
    (tmp_path / "odd.yaml").write_text("kind: soup")
    with pytest.raises(GristmillError, match="`kind: soup` is not a kind of manifest"):
        run("show", tmp_path / "odd.yaml")
