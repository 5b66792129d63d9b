"""Texts found by hand-written selectors: the gold texts of `python bench/extraction.py --selected`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.extraction import on_selected
from bench.selected_pages import Rules, read_rules, read_selected, selected_text

SCRIPT = """export const MillExtractor = {
  domain: 'mill.example',
  title: { selectors: ['h1.title'] },
  content: {
    // Is there anything in the content that needs transforming?
    selectors: [
      ['.lead', 'div[itemprop="articleBody"]'],
      '.story', /* the old pages */
    ],
    transforms: { noscript: ($node) => { return $node.children(); } },
    clean: ['.advert', '.more'],
  },
};
"""
SENTENCE = "The miller grinds the grain of the whole valley, and nobody has ever complained about the flour. "
LEAD, STORY = "Flour is ground. ", SENTENCE * 5


def page(*, lead: str = f"<p class=lead>{LEAD}</p>", body: str = "itemprop=articleBody") -> str:
    advert = "<div class=advert>Buy a mill</div><script>var mill = 1</script>"
    return f"<body><nav>Home</nav>{lead}<div {body}>{advert}<p>{STORY}</p></div></body>"


def test_rules_are_read_from_a_script() -> None:
    assert read_rules(SCRIPT) == Rules([[".lead", 'div[itemprop="articleBody"]'], ".story"], [".advert", ".more"])
    assert read_rules("export const Other = { domain: 'x.example', title: { selectors: ['h1'] } };") is None


def test_all_selectors_of_a_list_must_find_something() -> None:
    rules = read_rules(SCRIPT)
    assert rules is not None
    assert selected_text(page(), rules).split() == (LEAD + STORY).split()
    assert selected_text(page(lead=""), rules) == ""
    assert selected_text(page(lead="", body="class=story"), rules).split() == STORY.split()


def test_choices_are_scored_on_sites_that_are_not_left_out(tmp_path: Path) -> None:
    for site in ("mill.example", "known.example"):
        (tmp_path / "src" / "extractors" / "custom" / site).mkdir(parents=True)
        (tmp_path / "src" / "extractors" / "custom" / site / "index.js").write_text(SCRIPT)
        (tmp_path / "fixtures" / site).mkdir(parents=True)
        (tmp_path / "fixtures" / site / "1.html").write_text(page())
    assert [site for site, _, _ in read_selected(tmp_path)] == ["known.example", "mill.example"]
    found = on_selected(tmp_path, ["resiliparse"], without={"known.example"})
    assert found["resiliparse"]["pages"] == 1
    assert found["resiliparse"]["recall"] > 0.9


def test_another_folder_is_an_error_that_says_which_is_meant(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mercury-parser"):
        list(read_selected(tmp_path))
