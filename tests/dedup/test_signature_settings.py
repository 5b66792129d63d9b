"""What a set of signatures depends on: written down with it, and compared before its values are."""

from __future__ import annotations

import pytest

from dedup.signature_settings import (
    METADATA,
    SignatureSettings,
    check_comparable,
    from_metadata,
    signature_settings,
    to_metadata,
)
from manifests.errors import GristmillError
from manifests.minhash import MinHash

ONE = signature_settings(MinHash(), seed=5)


def test_settings_of_a_manifest() -> None:
    assert ONE.model_dump() == {
        "permutations": "gristmill",
        "seed": 5,
        "values": 112,
        "ngram": 5,
        "unit": "words",
        "shingle_rule": 2,
    }
    assert signature_settings(MinHash(bands=8, rows=14), seed=5) == ONE


def test_metadata_there_and_back() -> None:
    assert to_metadata(ONE) == {
        METADATA: '{"ngram":5,"permutations":"gristmill","seed":5,"shingle_rule":2,"unit":"words","values":112}'
    }
    assert from_metadata({"source": "own", **to_metadata(ONE)}, where="part") == ONE


@pytest.mark.parametrize(
    ("metadata", "what"),
    [
        ({}, "do not say how they were made"),
        ({METADATA: "{"}, "is not valid JSON"),
        ({METADATA: '{"seed": 3}'}, "do not say clearly how they were made: permutations: Field required"),
        ({METADATA: to_metadata(ONE)[METADATA].replace("words", "syllables")}, "unit: Input should be 'words'"),
    ],
)
def test_metadata_that_say_nothing(metadata: dict[str, str], what: str) -> None:
    with pytest.raises(GristmillError, match=what) as caught:
        from_metadata(metadata, where="signatures/a.arrow")
    assert caught.value.where == "signatures/a.arrow"


@pytest.mark.parametrize("name", SignatureSettings.model_fields)
def test_each_difference_is_refused_and_named(name: str) -> None:
    others = {"permutations": "datasketch", "unit": "characters"}
    other = ONE.model_copy(update={name: others.get(name, 9)})
    with pytest.raises(GristmillError, match=f"those of b: {name} .* and {getattr(other, name)}\n") as caught:
        check_comparable(ONE, other, where="a", other_where="b")
    assert caught.value.where == "a"


def test_all_differences_are_named_at_once() -> None:
    other = ONE.model_copy(update={"seed": 6, "ngram": 7})
    with pytest.raises(GristmillError, match="seed 5 and 6, ngram 5 and 7"):
        check_comparable(ONE, other, where="a", other_where="b")


def test_the_same_settings_are_compared() -> None:
    check_comparable(ONE, SignatureSettings.model_validate(ONE.model_dump()), where="a", other_where="b")
    assert SignatureSettings.model_validate(ONE.model_dump()) == ONE
