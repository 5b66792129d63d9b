"""Language identification."""

import pytest

from pipeline.language import identify

TEXTS = {
    "en": "The miller grinds the grain of the whole valley, and nobody in the village has ever complained about the flour.",
    "de": "Der Müller mahlt das Korn des ganzen Tales, und niemand im Dorf hat sich je über das Mehl beschwert.",
    "fr": "Le meunier moud le grain de toute la vallée, et personne au village ne s'est jamais plaint de la farine.",
    "ru": "Мельник мелет зерно всей долины, и никто в деревне никогда не жаловался на муку.",
    "zh": "磨坊主为整个山谷磨粮食，村里从来没有人抱怨过面粉。",
}


@pytest.mark.parametrize("code", TEXTS)
def test_languages(code) -> None:
    codes, scores = identify([TEXTS[code]])
    assert codes == [code]
    assert 0.5 < scores[0] <= 1


def test_lines_do_not_matter_and_nothing_is_unknown() -> None:
    one, several = TEXTS["en"], TEXTS["en"].replace(" ", "\n")
    codes, scores = identify([one, several, "", "\n"])
    assert codes[0] == codes[1] == "en"
    assert scores[0] == scores[1]
    assert (codes[2], scores[2]) == ("und", 0)
