"""Language identification."""

from __future__ import annotations

import pytest

from manifests.errors import GristmillError
from manifests.languages import CODES
from pipeline.text.language.identify import UNKNOWN, identify, model_path
from pipeline.text.language.model import load_model
from tests.property.texts import buffers

TEXTS = {
    "en": (
        "The miller grinds the grain of the whole valley, and nobody in the village has ever complained about the"
        " flour."
    ),
    "de": "Der Müller mahlt das Korn des ganzen Tales, und niemand im Dorf hat sich je über das Mehl beschwert.",
    "fr": "Le meunier moud le grain de toute la vallée, et personne au village ne s'est jamais plaint de la farine.",
    "ru": "Мельник мелет зерно всей долины, и никто в деревне никогда не жаловался на муку.",
    "zh": "磨坊主为整个山谷磨粮食，村里从来没有人抱怨过面粉。",
}


@pytest.mark.parametrize("code", TEXTS)
def test_languages(code: str) -> None:
    codes, scores = identify(*buffers([TEXTS[code]]), characters=1_000)
    assert codes == [code]
    assert 0.5 < scores[0] <= 1


def test_lines_do_not_matter_and_nothing_is_unknown() -> None:
    one, several = TEXTS["en"], TEXTS["en"].replace(" ", "\n")
    codes, scores = identify(*buffers([one, several, "", "\n"]), characters=1_000)
    assert codes[0] == codes[1] == "en"
    assert scores[0] == scores[1]
    assert (codes[2], scores[2]) == ("und", 0)


def test_only_the_first_characters_are_looked_at() -> None:
    characters = len(TEXTS["ru"])
    alone = identify(*buffers([TEXTS["ru"]]), characters=characters)
    followed = identify(*buffers([TEXTS["ru"] + TEXTS["en"] * 9]), characters=characters)
    assert alone[0] == followed[0] == ["ru"]
    assert alone[1].tolist() == followed[1].tolist()


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-1], lambda data: b"x" + data[1:], lambda data: data[:5000]]
)
def test_what_is_no_model_is_refused(damage) -> None:
    with pytest.raises(GristmillError, match="no quantised fastText model"):
        load_model(damage(model_path().read_bytes()), where="lid.176.ftz")


def test_the_codes_of_manifests_are_the_labels() -> None:
    labels = load_model(model_path().read_bytes(), where="lid.176").labels
    assert {*labels, UNKNOWN} == CODES
