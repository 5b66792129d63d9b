"""What is planted: the same for the same name, in one half, as different as it says."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from bench import dedup_planted
from bench.dedup_corpora import Corpus, Document, Family, chosen, draws, half_of, read_rows, real_corpus, write_corpus
from bench.dedup_planted import (
    FOOTER_WORDS,
    PASSAGE_CHARACTERS,
    SCRIPTS,
    edited,
    letter_passages,
    names_of,
    replaced_letters,
    template_pages,
)
from bench.dedup_truth import compare, jaccard
from tests.paths import SHARED

VOCABULARY = [f"word{number}" for number in range(4_000)]
PASSAGE = [f"own{number}" for number in range(200)]
CASES = [f"{kind} {share} %" for kind in ("replace", "insert", "delete") for share in (1, 10, 30)]


def test_numbers_depend_on_the_name_alone():
    assert draws("a", 3).tolist() == draws("a", 5)[:3].tolist()
    assert draws("a", 3).tolist() != draws("b", 3).tolist()
    # SHAKE-256 of "a", as any other implementation gives it.
    assert draws("a", 1).tolist() == [int.from_bytes(bytes.fromhex("867e2cb04f5a04dc"), "little")]
    assert chosen("a", 4, of=10).tolist() == sorted(set(chosen("a", 4, of=10).tolist()))
    assert len(chosen("a", 4, of=10)) == 4


def test_names_are_of_one_half():
    halves = {half: list(names_of("template", half=half, count=20)) for half in ("development", "held out")}
    for half, names in halves.items():
        assert len(set(names)) == 20
        assert {half_of(name) for name in names} == {half}
    assert not set(halves["development"]) & set(halves["held out"])


def test_a_corpus_of_a_half_has_nothing_of_the_other(tmp_path):
    rows = [{"id": f"prose {n}", "text": " ".join(_word(n, m % 900) for m in range(9_000))} for n in range(40)]
    _corpora(tmp_path, {"books/novels.jsonl.gz": rows[:20], "factual/sotu.jsonl.gz": rows[20:]})
    halves = [dedup_planted.edits(tmp_path, half=half, scale="small") for half in ("development", "held out")]
    again = dedup_planted.edits(tmp_path, half="development", scale="small")
    assert halves[0] == again
    # No source of a word is in both.
    sources = [{word.split("x")[0] for document in half.documents for word in document.text.split()} for half in halves]
    assert sources[0]
    assert sources[1]
    assert not sources[0] & sources[1]


@pytest.mark.parametrize("share", [50, 90])
def test_pages_share_their_template_and_nothing_else(share):
    pages = template_pages("template", VOCABULARY, share=share, size=6)
    assert pages == template_pages("template", VOCABULARY, share=share, size=6)
    frame = 300 * share // 100
    rows = [page.text.split() for page in pages]
    assert len(set(map(tuple, rows))) == 6
    for row in rows:
        assert row[: frame // 2] == rows[0][: frame // 2]
        assert row[len(row) - (frame - frame // 2) :] == rows[0][len(rows[0]) - (frame - frame // 2) :]
        assert abs(len(row) - 300) <= 0.25 * (300 - frame) + 1
    truth = compare([page.text for page in pages])
    expected = frame / (2 * 300 - frame)
    assert abs(jaccard(truth, np.arange(5), np.arange(1, 6)).mean() - expected) < 0.06


@pytest.mark.parametrize("case", CASES)
def test_so_many_words_are_edited(case):
    whole, copy = (text.split() for text in edited(case, PASSAGE, name="n 1", vocabulary=VOCABULARY))
    kind, share, _ = case.split()
    count = 200 * int(share) // 100
    assert whole == PASSAGE
    foreign = [word for word in copy if not word.startswith("own")]
    own = [word for word in copy if word.startswith("own")]
    assert own == [word for word in PASSAGE if word in set(own)]
    assert len(foreign) == (0 if kind == "delete" else count)
    assert len(own) == (200 if kind == "insert" else 200 - count)
    assert edited(case, PASSAGE, name="n 1", vocabulary=VOCABULARY)[1].split() == copy
    assert edited(case, PASSAGE, name="n 2", vocabulary=VOCABULARY)[1].split() != copy


def test_a_short_text_has_at_least_one_edit():
    whole, copy = edited("replace 1 %", PASSAGE[:10], name="n 1", vocabulary=VOCABULARY)
    assert sum(a != b for a, b in zip(whole.split(), copy.split(), strict=True)) == 1


def test_the_other_cases():
    whole, half = edited("cut to half", PASSAGE, name="n 1", vocabulary=VOCABULARY)
    assert (whole.split(), half.split()) == (PASSAGE, PASSAGE[:100])
    behind = edited("footer behind", PASSAGE, name="n 1", vocabulary=VOCABULARY)[1].split()
    assert behind[:200] == PASSAGE
    assert len(behind) == 200 + FOOTER_WORDS
    same_site = edited("footer behind", PASSAGE[:50], name="n 7", vocabulary=VOCABULARY)[1].split()
    other_site = edited("footer behind", PASSAGE[:50], name="n 8", vocabulary=VOCABULARY)[1].split()
    assert same_site[50:] == behind[200:] != other_site[50:]
    assert edited("footer before", PASSAGE, name="n 1", vocabulary=VOCABULARY)[1].split()[FOOTER_WORDS:] == PASSAGE
    whole, shuffled = edited("paragraphs shuffled", PASSAGE, name="n 1", vocabulary=VOCABULARY)
    assert sorted(whole.split("\n\n")) == sorted(shuffled.split("\n\n"))
    assert whole != shuffled


def test_letters_are_replaced_by_letters():
    script = SCRIPTS["th"][2]
    text = "กินข้าวแล้ว abc ๑๒๓ " * 20
    copy = replaced_letters(text, 5, name="n", script=script, letters=["ก", "ข", "ค"])
    changed = [(a, b) for a, b in zip(text, copy, strict=True) if a != b]
    letters = sum(any(first <= letter <= last for first, last in script) for letter in text)
    assert len(changed) == round(letters * 0.05)
    assert all(a not in " abc๑๒๓" and b in "กขค" for a, b in changed)


def test_passages_are_of_the_script():
    found = letter_passages({"page": ("漢字。" * 50 + " and some English words ") * 6}, SCRIPTS["zh"][2])
    assert list(found) == ["page at 0", "page at 400"]
    assert all(len(text) == PASSAGE_CHARACTERS and "English" not in text for text in found.values())


def test_a_corpus_has_each_id_once_and_no_empty_document():
    with pytest.raises(SystemExit, match="one id"):
        Corpus("c", (Document("a", "x"), Document("a", "y")))
    with pytest.raises(SystemExit, match="empty"):
        Corpus("c", (Document("a", " "),))
    with pytest.raises(SystemExit, match="no document"):
        Corpus("c", (Document("a", "x"),), (Family("case", ("a", "b")),))


def test_a_written_corpus_reads_back(tmp_path):
    corpus = Corpus("c", (Document("a", "x\ny"), Document("b", "漢字")))
    lines = write_corpus(corpus, tmp_path / "c").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"id": "a", "text": "x\ny"}, {"id": "b", "text": "漢字"}]


def test_a_file_is_what_the_manifest_lists(tmp_path):
    _corpora(tmp_path, {"a.jsonl.gz": [{"id": "1", "text": "x"}]})
    assert [row["id"] for row in read_rows(tmp_path, "a.jsonl.gz")] == ["1"]
    with pytest.raises(SystemExit, match="does not list"):
        list(read_rows(tmp_path, "b.jsonl.gz"))
    (tmp_path / "MANIFEST.json").write_text(json.dumps([{"file": "a.jsonl.gz", "docs": 2}]))
    with pytest.raises(SystemExit, match="has 1 documents"):
        list(read_rows(tmp_path, "a.jsonl.gz"))


@pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project")
def test_a_small_run_takes_whole_groups_of_the_real_corpora():
    assert SHARED is not None
    corpus = real_corpus("bible-versions", SHARED / "corpora", scale="small")
    groups = {document.id.split("/", 1)[1] for document in corpus.documents}
    assert len(corpus.documents) == 7 * len(groups) > 0


def _word(source, number):
    """The source, x, the number, in letters."""
    return f"{source}x{number}".translate(str.maketrans("0123456789", "abcdefghij"))


def _corpora(folder, files):
    listed = []
    for name, rows in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(folder / name, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        listed.append({"file": name, "docs": len(rows)})
    (folder / "MANIFEST.json").write_text(json.dumps(listed))
