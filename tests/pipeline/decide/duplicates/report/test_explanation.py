"""One document explained: what is measured again equals plain Python, and every way to call a document finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from manifests.filters import REASONS
from manifests.minhash import MinHash
from pipeline.decide.duplicates.report.explanation import explain, shared_shingles
from pipeline.decide.duplicates.report.prepared import PreparedFolder, find_rows, open_prepared, text_at
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.extract.step import extract
from tests.endtoend.corpora import prose
from tests.pipeline.decide.duplicates.corpora import records, rows_of, run, write
from tests.property.test_signatures import reference_words

Row = dict[str, Any]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explained")
    run(write(folder, records(), files=3), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def prepared(out: Path) -> PreparedFolder:
    return open_prepared(str(out))


@pytest.fixture(scope="module")
def rows(out: Path) -> list[Row]:
    return rows_of(out)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = reference_words(text)
    return {tuple(words[start : start + 5]) for start in range(max(1, len(words) - 4))}


def keeper_of(rows: list[Row], row: Row) -> Row:
    [keeper] = [each for each in rows if each["id"] == row["duplicate_of"] and each["reason"] == 0]
    return keeper


def test_what_goes_is_explained(prepared, rows) -> None:
    seen = set()
    for row in (row for row in rows if row["duplicate_of"] is not None):
        keeper = keeper_of(rows, row)
        found = explain(prepared, row["url"])
        assert (found.document.name, found.reason) == (row["name"], REASONS[row["reason"]])
        assert (found.similarity, found.more, found.copies) == (row["similarity"], 0, 0)
        assert found.kept is not None
        assert (found.kept.name, found.kept.id, found.kept.source) == (
            keeper["name"],
            keeper["id"].hex(),
            keeper["source"],
        )
        compared = found.comparison
        assert compared is not None
        assert compared.equal == (row["text"] == keeper["text"]) == (found.reason == "exact_duplicate")
        assert compared.characters == (len(keeper["text"]), len(row["text"]))
        seen.add(found.reason)
        if not row["shingles"]:
            assert (compared.shared, compared.signed, compared.found_with) == (None, None, None)
            continue
        one, other = shingles(keeper["text"]), shingles(row["text"])
        assert compared.shared is not None
        assert compared.signed is not None
        assert compared.found_with is not None
        assert (compared.shared.both, compared.shared.kept, compared.shared.gone) == (
            len(one & other),
            len(one),
            len(other),
        )
        assert compared.shared.jaccard == compared.shared.exact == len(one & other) / len(one | other)
        left, right = (np.array(each["signature"]) for each in (keeper, row))
        assert compared.signed.estimated == pytest.approx((left == right).mean())
        met = [band + 1 for band in range(16) if (left == right)[7 * band : 7 * band + 7].all()]
        assert (compared.signed.bands, compared.signed.of_bands) == (met, 16)
        # A pair comes from a bucket, so one band at least has met.
        assert met
        assert compared.found_with == pytest.approx(1 - (1 - compared.shared.jaccard**7) ** 16)
        assert (compared.passage is None) == compared.equal
    assert seen == {"exact_duplicate", "near_duplicate"}


def test_what_stays_has_its_copies(prepared, rows) -> None:
    most = 0
    for row in (row for row in rows if row["reason"] == 0):
        gone = [each for each in rows if each["duplicate_of"] == row["id"]]
        gone.sort(key=lambda each: (-each["similarity"], each["id"], each["url"]))
        found = explain(prepared, row["name"])
        assert (found.reason, found.searched, found.kept, found.comparison) == ("kept", True, None, None)
        assert found.copies == len(gone)
        assert [copy.document.name for copy in found.nearest] == [each["name"] for each in gone[:10]]
        assert [copy.similarity for copy in found.nearest] == [each["similarity"] for each in gone[:10]]
        most = max(most, found.copies)
    assert most > 3


def test_every_way_to_call_a_document(prepared, rows) -> None:
    row = next(row for row in rows if row["duplicate_of"] is None and row["name"].startswith("single"))
    by_url = explain(prepared, row["url"])
    for called in (row["name"], by_url.document.place, row["id"].hex(), row["id"].hex().upper()):
        assert explain(prepared, called) == by_url
    assert explain(prepared, row["url"], source=row["source"]) == by_url
    assert by_url.document.place == f"{row['source']}/{by_url.document.file}:{row['record']}"
    with pytest.raises(GristmillError, match="no document is called"):
        explain(prepared, row["url"], source="best" if row["source"] == "other" else "other")
    with pytest.raises(GristmillError, match="no document is called"):
        explain(prepared, by_url.document.place + "9")
    with pytest.raises(GristmillError, match="no source `third`"):
        explain(prepared, row["url"], source="third")


def test_an_id_of_several_records_is_that_of_the_one_that_stays(prepared, rows) -> None:
    row = next(row for row in rows if REASONS[row["reason"]] == "exact_duplicate")
    several = [each for each in rows if each["id"] == row["id"]]
    found = explain(prepared, row["id"].hex())
    assert (found.reason, found.document.name) == ("kept", keeper_of(rows, row)["name"])
    assert found.more == len(several) - 1 == len(found.others)
    assert {each.name for each in (found.document, *found.others)} == {each["name"] for each in several}


def test_texts_are_found_in_any_batch(prepared, rows, monkeypatch) -> None:
    for row in rows[:10]:
        [number] = find_rows(prepared, row["url"])
        assert text_at(prepared, number) == row["text"]


def test_a_document_that_a_rule_dropped(tmp_path) -> None:
    manifest = write(tmp_path, records(families=1))
    manifest.write_text(
        manifest.read_text().replace("filters: none", "filters: [{variant: gopher-paper, min_words: 90}]")
    )
    run(manifest, tmp_path / "out")
    found = explain(open_prepared(str(tmp_path / "out")), "single0")
    assert (found.reason, found.searched, found.kept, found.copies) == ("gopher_words", False, None, 0)


def test_a_document_that_went_for_its_lines_still_has_its_copies(tmp_path) -> None:
    """It stayed in the search, and went afterwards: all its lines are those of others."""
    lines = [prose(f"line {number}", words=24).replace("\n\n", " ") for number in range(4)]
    texts = {"one": "\n".join(lines[:2]), "same": "\n".join(lines[:2]), "two": lines[0], "three": lines[1]}
    manifest = write(
        tmp_path,
        [
            {"id": name, "url": f"https://{name}.example/", "text": text, "source": "other"}
            for name, text in texts.items()
        ],
        lines={"rule": "ccnet", "groups": 1},
    )
    run(manifest, tmp_path / "out")
    prepared = open_prepared(str(tmp_path / "out"))
    stayed, copy = sorted((explain(prepared, name) for name in ("one", "same")), key=lambda each: each.reason)
    assert (stayed.reason, stayed.searched, stayed.copies) == ("duplicate_lines", True, 1)
    assert copy.reason == "exact_duplicate"
    assert copy.kept == stayed.document


def test_containment_is_measured_as_the_manifest_asks(tmp_path) -> None:
    whole = prose("whole", words=200)
    rows = [
        {"id": "whole", "url": "https://a.example/", "text": whole, "source": "other"},
        {"id": "cut", "url": "https://b.example/", "text": " ".join(whole.split(" ")[:110]), "source": "other"},
    ]
    section = {"bands": 28, "rows": 2, "measure": "containment", "similarity": 0.8}
    run(write(tmp_path, rows, minhash=section), tmp_path / "out")
    compared = explain(open_prepared(str(tmp_path / "out")), "cut").comparison
    assert compared is not None
    assert compared.shared is not None
    assert compared.found_with is not None
    one, other = shingles(rows[0]["text"]), shingles(rows[1]["text"])
    assert compared.shared.exact == len(one & other) / len(other) > 0.9
    assert compared.shared.jaccard == len(one & other) / len(one | other) < 0.7
    assert compared.found_with == pytest.approx(1 - (1 - compared.shared.jaccard**2) ** 28)


def test_without_minhash_the_texts_are_compared(tmp_path) -> None:
    run(write(tmp_path, records(families=1), minhash=None), tmp_path / "out")
    found = explain(open_prepared(str(tmp_path / "out")), "f0-again").comparison
    assert found is not None
    assert found.equal
    assert (found.shared, found.signed, found.passage) == (None, None, None)


def test_shingles_of_texts_without_words() -> None:
    assert shared_shingles("...", "words", minhash=MinHash()) is None
    shared = shared_shingles("ab cd", "AB, cd", minhash=MinHash(unit="characters", ngram=3))
    assert shared is not None
    assert shared.exact == 1


def test_decisions_of_another_extract(tmp_path) -> None:
    corpus = write(tmp_path, records(families=1))
    run(corpus, tmp_path / "out")
    path = tmp_path / "other" / "000.jsonl"
    path.write_text(path.read_text() + json.dumps({"id": "new", "text": "a new text"}) + "\n")
    extract(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    with pytest.raises(GristmillError, match="belong to another extract"):
        open_prepared(str(tmp_path / "out"))
    decide(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
    assert explain(open_prepared(str(tmp_path / "out")), "new").reason == "kept"
