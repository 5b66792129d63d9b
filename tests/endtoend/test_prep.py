"""The data half on a corpus in which it is known what must happen to each record."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
import sentencepiece

from manifests.corpus import load_corpus
from manifests.filters import REASONS
from pipeline.engines.runners import Runner
from pipeline.prep import prepare
from pipeline.schemas import read_ipc
from pipeline.text.normalise import document_ids, normalise
from shards.reader import open_shards
from shards.verify import verify_shards
from storage.steps import read_step
from tests.endtoend.corpora import change, prose, tree_hashes, write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared")
    prepare(load_corpus(corpus.path), out=str(out), runner=Runner())
    return out


def decisions(out):
    """Record name to reason, of all documents."""
    found = {}
    for path in sorted((out / "extract" / "documents").rglob("*.arrow")):
        names = read_ipc(str(path), columns=["name"])["name"].to_pylist()
        name = path.relative_to(out / "extract" / "documents")
        reasons = read_ipc(str(out / "decide" / "decisions" / name))["reason"].to_pylist()
        found.update(zip(names, (REASONS[code] for code in reasons), strict=True))
    return found


def test_every_record_has_its_fate(corpus, prepared) -> None:
    assert decisions(prepared) == corpus.fates


def test_ledgers_balance_and_count_every_record(corpus, prepared) -> None:
    extract, decide = read_step(str(prepared / "extract")), read_step(str(prepared / "decide"))
    shards = open_shards(str(prepared / "shards")).manifest
    assert extract.ledger.records_in == corpus.records
    assert extract.ledger.dropped == {
        "answer": 1,
        "answer_without_question": 1,
        "empty_text": 1,
        "filedesc": 1,
        "http_status": 1,
        "not_article": 1,
        "request": 1,
    }
    assert extract.ledger.quarantined == {"invalid JSON": 1, "no HTTP status line": 1, "no text": 1}
    assert extract.ledger.kept == decide.ledger.records_in == len(corpus.fates)
    fates = Counter(corpus.fates.values())
    assert decide.ledger.kept == fates.pop("kept") == shards.ledger.kept
    assert decide.ledger.dropped == dict(fates)
    assert extract.ledger.balance() == decide.ledger.balance() == shards.ledger.balance() == 0


def test_quarantine_names_file_place_and_error(prepared) -> None:
    rows = [
        row
        for path in (prepared / "extract" / "quarantine").rglob("*.arrow")
        for row in read_ipc(str(path)).to_pylist()
    ]
    assert sorted(row["error"].split(":")[0] for row in rows) == ["invalid JSON", "no HTTP status line", "no text"]
    assert (
        next(row for row in rows if row["error"].startswith("invalid JSON"))["excerpt"] == b'{"id": "broken", "text": '
    )
    files = list((prepared / "extract" / "quarantine").rglob("*.arrow"))
    assert all((pa.ipc.open_file(str(path)).schema.metadata or {})[b"file"] for path in files)


def test_dropped_documents_are_listed_with_reason_and_kept_copy(corpus, prepared) -> None:
    rows = [
        row for path in (prepared / "decide" / "dropped").rglob("*.arrow") for row in read_ipc(str(path)).to_pylist()
    ]
    assert {row["name"]: row["reason"] for row in rows} == {
        name: fate for name, fate in corpus.fates.items() if fate != "kept"
    }
    kept = set()
    for path in (prepared / "decide" / "decisions").rglob("*.arrow"):
        documents = read_ipc(
            str(prepared / "extract" / "documents" / path.relative_to(prepared / "decide" / "decisions"))
        )
        reasons = read_ipc(str(path))["reason"].to_pylist()
        kept |= {each for each, reason in zip(documents["id"].to_pylist(), reasons, strict=True) if not reason}
    for row in rows:
        if row["reason"].endswith("duplicate"):
            assert row["duplicate_of"] in kept
            assert (row["duplicate_of"] == row["id"]) == (row["reason"] == "exact_duplicate")
            assert row["similarity"] == 1 if row["reason"] == "exact_duplicate" else 0.7 <= row["similarity"] <= 1
        else:
            assert (row["duplicate_of"], row["duplicate_row"], row["similarity"]) == (None, None, None)


def test_tokens_are_the_kept_texts_with_boundaries(corpus, prepared) -> None:
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(prepared / "tokenizer" / "tokenizer.model"))
    shards = open_shards(str(prepared / "shards"))
    general = ("articles", "books", "columns", "crawl", "crawl-wet", "novel", "old-crawl", "page", "paper", "questions")
    assert set(shards.buckets) == {*(f"{name}/general" for name in general), "wiki/factual"}
    seen = {}
    for bucket in shards.buckets.values():
        for index in range(len(bucket.entries)):
            tokens, table = bucket.map_tokens(index), bucket.read_documents(index).to_pylist()
            assert sum(row["length"] for row in table) == len(tokens)
            for row in table:
                document = tokens[row["offset"] : row["offset"] + row["length"]].tolist()
                assert document[0] == tokenizer.bos_id()
                assert document[-1] == tokenizer.eos_id()
                assert row["source"] == bucket.name.split("/")[0]
                text = tokenizer.DecodeIds(document[1:-1])
                # A document whose lines were removed keeps the id of its whole text.
                whole = row["document_id"] == document_ids(normalise(pa.array([text], pa.large_string())))[0].as_py()
                assert whole == (bucket.name != "novel/general")
                seen[row["record_name"]] = text
    assert set(seen) == {name for name, fate in corpus.fates.items() if fate == "kept"}
    assert seen["article-3"] == prose("article 3")
    lines = seen["novel.txt"].splitlines()
    assert len(lines) > 20
    assert all(line.endswith(".") and len(line.split()) >= 5 for line in lines)
    assert seen["2"] == "Page 2\n\n" + prose("wiki 2")


def test_shards_verify(prepared) -> None:
    assert verify_shards(str(prepared / "shards")) == []


def test_again_writes_nothing(corpus, prepared) -> None:
    def stamps():
        return {path: path.stat().st_mtime_ns for path in prepared.rglob("*.arrow")}

    before, hashes = stamps(), tree_hashes(prepared)
    prepare(load_corpus(corpus.path), out=str(prepared), runner=Runner())
    assert stamps() == before
    assert tree_hashes(prepared) == hashes


@pytest.fixture
def copy(corpus, tmp_path):
    out = tmp_path / "prepared"
    prepare(load_corpus(corpus.path), out=str(out), runner=Runner())
    return out


def test_new_thresholds_touch_no_text(corpus, copy) -> None:
    documents = {path: path.stat().st_mtime_ns for path in (copy / "extract").rglob("*.arrow")}
    other = load_corpus(
        change(corpus.path, personal_information=None, dedup={"exact": True, "minhash": None}, filters="none")
    )
    # MinHash settings belong to extract: without them its parts have no signatures, so only the other rules change
    # here.
    other = other.model_copy(update={"dedup": load_corpus(corpus.path).dedup})
    prepare(other, out=str(copy), runner=Runner())
    assert {path: path.stat().st_mtime_ns for path in (copy / "extract").rglob("*.arrow")} == documents
    reasons = Counter(decisions(copy).values())
    assert set(reasons) == {"kept", "exact_duplicate", "near_duplicate"}
    assert not list((copy / "decide" / "sites").glob("*"))


def test_a_removed_source_leaves_nothing_behind(corpus, copy) -> None:
    manifest = load_corpus(corpus.path)
    prepare(manifest.model_copy(update={"sources": manifest.sources[:-1]}), out=str(copy), runner=Runner())
    assert not [path for path in copy.rglob("wiki*") if path.is_file()]
    assert "wiki/factual" not in open_shards(str(copy / "shards")).buckets
    assert decisions(copy)["article-of-wiki"] == "kept"


def test_outputs_do_not_depend_on_where_the_corpus_lies(corpus, prepared, tmp_path) -> None:
    again = write_corpus(tmp_path / "elsewhere")
    prepare(load_corpus(again.path), out=str(tmp_path / "out"), runner=Runner())
    assert tree_hashes(tmp_path / "out") == tree_hashes(prepared)


def test_no_effect_is_said(corpus, tmp_path) -> None:
    manifest = load_corpus(change(corpus.path, languages={"keep": ["en", "fr", "de"], "min_score": 0.0}))
    articles = manifest.model_copy(update={"sources": manifest.sources[3:4]})
    prepared = prepare(articles, out=str(tmp_path / "out"), runner=Runner())
    assert "near_duplicate: no document was dropped for this" in prepared.decide.notes
    assert "personal_information_site: no document was dropped for this" in prepared.decide.notes
