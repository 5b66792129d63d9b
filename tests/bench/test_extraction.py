"""Scores of extracted texts, against values worked out by hand."""

import json
import subprocess
import sys

import pytest

from bench.extraction import Page, evaluate, full_text, score, shares, shingles
from tests.paths import PROJECT, SHARED


def test_shingles_are_counted():
    assert shingles("a b c d e") == {("a", "b", "c", "d"): 1, ("b", "c", "d", "e"): 1}
    assert shingles("a b, a b a b") == {("a", "b", "a", "b"): 2, ("b", "a", "b", "a"): 1}
    assert shingles("a b") == {("a", "b"): 1}
    assert shingles("") == {(): 1}


def test_shares_do_not_depend_on_length():
    # Gold: 2 shingles; found: 3, of them 2 right.
    assert shares("a b c d e", "a b c d e f") == pytest.approx((2 / 3, 1 / 3, 0))
    assert shares("a b c d", "w x y z") == pytest.approx((0, 1 / 2, 1 / 2))
    assert shares("a b c d", "a b c d") == (1, 0, 0)


def test_score_is_that_of_the_sums():
    found = score([(1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5)])
    assert found == pytest.approx((2 / 2.5, 2 / 2.5, 2 / 2.5))


def test_gold_of_each_kind():
    html = "<body><p>one two three four five six</p></body>"
    assert full_text({"articleBody": "x"}, html) == "x"
    assert full_text({"text": "y"}, html) == "y"
    assert full_text({"expected_html": "<p>a</p><p>b</p>"}, html).split() == ["a", "b"]
    assert full_text({"with": ["a"], "without": []}, html) is None

    def body(text):
        return {"body": {"summary": [], "sections": [{"headline": [], "paragraphs": [text]}]}}

    assert (
        full_text({"fundus_versions": {"V1": body("w x y z"), "V1_1": body("one two three four five")}}, html) == "one two three four five"
    )
    assert full_text({"fundus_versions": {"V1": body("w x y z")}}, html) is None


def test_passages_and_full_texts_are_told_apart():
    def page(**known):
        return Page(**{"url": "u", "html": "", "size": 1, "source": "s", "full": None, "wanted": [], "unwanted": [], **known})

    pages = [page(full="a b c d"), page(wanted=["left", "right"], unwanted=["up"]), page()]
    found = evaluate(pages, ["a b c d", "left up", "whatever"])
    assert (found["precision"], found["recall"], found["f1"]) == (1, 1, 1)
    assert found["by_gold"]["passages"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert set(found["by_gold"]) == {"s", "passages"}


def test_without_corpora_it_says_so(tmp_path):
    done = subprocess.run([sys.executable, PROJECT / "bench" / "extraction.py", "--corpora", tmp_path], capture_output=True, text=True)
    assert (done.returncode, "skipped" in done.stdout) == (0, True)


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project")
def test_adaptive_is_as_good_as_measured():
    command = [sys.executable, PROJECT / "bench" / "extraction.py", "--choices", "resiliparse,adaptive", "--repeats", "1", "--json"]
    done = subprocess.run([*command, "--corpora", SHARED / "corpora"], capture_output=True, text=True, check=True)
    choices = json.loads(done.stdout.splitlines()[-1])["choices"]
    assert choices["adaptive"]["f1"] >= 0.95
    assert choices["adaptive"]["f1"] > choices["resiliparse"]["f1"] + 0.03
    # A loose bound: the speed itself is for the benchmark to tell.
    assert choices["adaptive"]["html_mb_per_cpu_s"] > choices["resiliparse"]["html_mb_per_cpu_s"] / 5
