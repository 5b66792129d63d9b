"""The substrings step: what is cut out of shards is what brute force says, for any workers, partitions and files."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xxhash

import pipeline.schemas
import shards.writer
import storage.steps
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from pipeline.engines.runners import Helpers, Runner
from pipeline.export.parquet import export_parquet
from pipeline.prep import prepare
from pipeline.schemas import read_ipc
from pipeline.substrings.step import remove_substrings
from shards.contents import contents_of
from shards.export_megatron import export_megatron
from shards.lineage import documents_of as lineage
from shards.order import new_order
from shards.reader import open_shards
from shards.samples import samples
from shards.verify_corpus import verify_corpus
from storage.files import publish
from storage.steps import read_step
from tests.endtoend.corpora import tree_hashes
from tests.pipeline.substrings.corpus import dealt, texts, write_corpus
from tests.property.repeated_tokens import Corpus, Found, Text, brute_force
from tests.stopping import Stopped, limit_publishing

Tokens = tuple[int, ...]
_BUCKETS = ["one/general", "two/general"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("repeats")


@pytest.fixture(scope="module")
def corpus(folder) -> CorpusManifest:
    return write_corpus(folder / "corpus", files=dealt(texts()), section={})


@pytest.fixture(scope="module")
def prepared(folder, corpus) -> Path:
    prepare(corpus, out=str(folder / "out"), runner=Runner())
    return folder / "out"


@pytest.fixture
def copied(prepared, tmp_path) -> Path:
    """The shards that the step begins with, and nothing after them."""
    for step in ("extract", "decide", "tokenizer", "tokens"):
        shutil.copytree(prepared / step, tmp_path / "out" / step)
    return tmp_path / "out"


def documents_of(folder: Path) -> list[list[tuple[str, bytes, Tokens]]]:
    """Bucket, id and tokens (BOS and EOS included) of all documents, by shard."""
    opened = open_shards(str(folder))
    found = []
    for name, bucket in opened.buckets.items():
        for shard in range(len(bucket.entries)):
            tokens, rows = bucket.map_tokens(shard), bucket.read_documents(shard)
            columns = (rows[column].to_pylist() for column in ("document_id", "offset", "length"))
            found.append(
                [
                    (name, identity, tuple(tokens[offset : offset + length].tolist()))
                    for identity, offset, length in zip(*columns, strict=True)
                ]
            )
    return found


def expected_from(tokens: Path, *, scope: str, share: float) -> tuple[list[list[tuple[str, bytes, Tokens]]], Found]:
    """What must be in the shards, by brute force."""
    whole = documents_of(tokens)
    corpus: Corpus = [
        [
            Text(
                document[1:-1],
                int.from_bytes(identity, "big"),
                priority=50 if bucket == "two/general" else 100,
                scope=_BUCKETS.index(bucket) if scope == "bucket" else 0,
            )
            for bucket, identity, document in shard
        ]
        for shard in whole
    ]
    found = brute_force(corpus, n=50, share=share)
    left = [
        [
            (
                bucket,
                identity,
                tuple(t for at, t in enumerate(document, start=-1) if at not in found.tokens[number, row]),
            )
            for row, (bucket, identity, document) in enumerate(shard)
            if (number, row) not in found.documents
        ]
        for number, shard in enumerate(whole)
    ]
    return [shard for shard in left if shard], found


def cut(out: Path, corpus: CorpusManifest, *, runner: Runner | None = None, **settings: object) -> None:
    if settings:
        assert corpus.dedup.substrings is not None
        section = corpus.dedup.substrings.model_copy(update=settings)
        corpus = corpus.model_copy(update={"dedup": corpus.dedup.model_copy(update={"substrings": section})})
    remove_substrings(corpus, out=str(out), runner=runner or Runner())


def ends(out: Path) -> dict[str, str]:
    """Hashes of what people read: shards, and what was cut out of them; not of manifests, which name all files of the
    step.
    """
    return {
        name: value
        for name, value in tree_hashes(out).items()
        if name.startswith(("shards/", "substrings/removed/")) and name.endswith(".arrow")
    }


@pytest.mark.parametrize(("scope", "share"), [("corpus", 0.2), ("bucket", 0.2), ("corpus", 0.0), ("corpus", 0.9)])
def test_readers_see_what_brute_force_leaves(corpus, copied, scope, share) -> None:
    cut(copied, corpus, scope=scope, min_left_share=share)
    expected, found = expected_from(copied / "tokens", scope=scope, share=share)
    assert documents_of(copied / "shards") == expected
    gone = sum(map(len, found.tokens.values()))
    assert gone > 1_000
    assert bool(found.documents) == (share > 0)
    step = read_step(str(copied / "substrings"))
    assert step is not None
    assert sum(step.ledger.dropped.values()) == step.ledger.dropped.get("repeated_text", 0) == len(found.documents)
    inside = sum(len(tokens) for document, tokens in found.tokens.items() if document not in found.documents)
    assert sum(kinds["repeated_tokens"].count for kinds in step.inside.values()) == inside


def test_the_whole_folder_is_sound(prepared, corpus) -> None:
    """Ledgers, hashes, offsets, bounds; and documents encoded again, those that were cut among them."""
    said: list[str] = []
    checked, findings = verify_corpus(str(prepared), say=said.append)
    assert (findings, said) == ([], [])
    assert checked > 30
    seen = open_shards(str(prepared / "shards")).seen
    assert seen.encoded > 4
    contents = contents_of(str(prepared))
    assert contents.steps["substrings"].notes[0].startswith("substrings: ")
    assert contents.shards is not None
    assert contents.shards.ledger.records_in == contents.steps["decide"].ledger.kept
    before = tree_hashes(prepared)
    prepare(corpus, out=str(prepared), runner=Runner())
    assert tree_hashes(prepared) == before


def test_the_table_of_what_went_names_an_equal_text(prepared) -> None:
    whole = {identity: document[1:-1] for shard in documents_of(prepared / "tokens") for _, identity, document in shard}
    rows = [
        row
        for path in sorted((prepared / "substrings" / "removed").rglob("*.arrow"))
        for row in read_ipc(str(path)).to_pylist()
    ]
    assert len(rows) > 20
    assert any(row["whole"] for row in rows)
    assert any(row["document_id"] == row["kept_id"] for row in rows)
    for row in rows:
        assert row["length"] >= 50
        ours = whole[row["document_id"]][row["offset"] : row["offset"] + row["length"]]
        theirs = whole[row["kept_id"]][row["kept_offset"] : row["kept_offset"] + row["length"]]
        assert len(ours) == row["length"]
        assert ours == theirs


def test_each_document_still_leads_home(prepared, folder) -> None:
    """From the side table to the record in its raw file, whose text has the document's id."""
    opened = open_shards(str(prepared / "shards"))
    seen = 0
    for bucket in opened.buckets.values():
        for shard in range(len(bucket.entries)):
            for row in bucket.read_documents(shard).to_pylist():
                raw = (folder / "corpus" / row["file"]).read_bytes()[row["record"] :].split(b"\n", 1)[0]
                record = json.loads(raw)
                assert record["url"] == row["url"]
                assert xxhash.xxh3_128_digest(record["text"].strip().encode()) == row["document_id"]
                seen += 1
    assert seen == opened.manifest.ledger.kept


def test_each_sample_is_traced_to_the_documents_whose_tokens_it_holds(prepared) -> None:
    """The order and lineage over shards that were cut: nothing of it is between the tokens that stay."""
    opened = open_shards(str(prepared / "shards"))
    tokens = {name: bucket.tokens for name, bucket in opened.buckets.items()}
    order = new_order(tokens, sequence=64, seed=3, counts=dict.fromkeys(tokens, 1))
    left = {identity: document for shard in documents_of(prepared / "shards") for _, identity, document in shard}
    count = 60
    rows = lineage(opened, order, 0, count).to_pylist()
    for sample, window in enumerate(samples(opened, order, 0, count).tolist()):
        at = 0
        for row in (row for row in rows if row["sample"] == sample):
            document = left[bytes.fromhex(row["document_id"])]
            piece = tuple(window[at : at + row["tokens"]])
            assert any(document[start : start + len(piece)] == piece for start in range(len(document)))
            assert row["url"].startswith("https://example.org/")
            at += row["tokens"]
        assert at == 65


def test_exports(prepared, tmp_path) -> None:
    """Megatron's files hold what the shards hold; texts as Parquet are whole, which is said."""
    opened = open_shards(str(prepared / "shards"))
    export_megatron(str(prepared / "shards"), out=str(tmp_path / "megatron"))
    for name, bucket in opened.buckets.items():
        stream = np.concatenate([bucket.map_tokens(shard) for shard in range(len(bucket.entries))])
        assert np.array_equal(np.fromfile(tmp_path / "megatron" / f"{name}.bin", np.uint16), stream)
    said: list[str] = []
    step = export_parquet(str(prepared), out=str(tmp_path / "parquet"), runner=Runner(say=said.append))
    assert step.ledger.kept == opened.manifest.ledger.records_in
    assert any("texts are whole" in message for message in said)


@pytest.mark.slow
def test_portable_job_service(prepared, copied, corpus, helpers) -> None:
    cut(copied, corpus, runner=Runner(kind="portable", helpers=helpers))
    assert tree_hashes(copied) == tree_hashes(prepared)


@pytest.mark.slow
def test_any_number_of_workers(prepared, copied, corpus, monkeypatch, helpers: Helpers) -> None:
    monkeypatch.setattr("pipeline.substrings.settings.TOKENS_PER_WORKER", 100)
    monkeypatch.setattr("pipeline.engines.partitions.DOCUMENTS_PER_WORKER", 10)
    for workers in (2, 7):
        for step in ("substrings", "shards"):
            shutil.rmtree(copied / step, ignore_errors=True)
        cut(copied, corpus, runner=Runner(workers=workers, helpers=helpers))
        assert tree_hashes(copied) == tree_hashes(prepared)


def test_any_partitions_and_passes_and_hot_keys(prepared, copied, corpus, monkeypatch) -> None:
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 1_000)
    monkeypatch.setattr("dedup.stretches.MAX_ELEMENT_BYTES", 600)
    monkeypatch.setattr("pipeline.substrings.shared.MAX_ELEMENT_BYTES", 600)
    monkeypatch.setattr("pipeline.substrings.shared.SHUFFLE_BYTES", 4_000)
    monkeypatch.setattr("pipeline.substrings.shared.HOT", 2)
    cut(copied, corpus)
    assert len(list((copied / "substrings" / "answers").iterdir())) > 5
    assert ends(copied) == ends(prepared)


def test_stopped_again_and_again_between_any_two_files(prepared, copied, corpus, monkeypatch) -> None:
    allowance = limit_publishing(monkeypatch, storage.steps, pipeline.schemas, shards.writer)
    for attempts in range(1, 60):
        allowance.left = 3 + attempts
        try:
            cut(copied, corpus)
            break
        except (GristmillError, Stopped) as error:
            stopped = error
        assert "Stopped" in repr((stopped, stopped.__cause__))
        assert not (copied / "shards" / "_MANIFEST.json").exists()
    assert attempts > 3
    assert tree_hashes(copied) == tree_hashes(prepared)


def test_renamed_and_permuted_files(prepared, tmp_path) -> None:
    """Which documents and tokens stay is a matter of content."""
    model = str(prepared / "tokenizer" / "tokenizer.model")
    draw = random.Random(8)
    results = []
    for number in range(2):
        files = dealt(texts())
        if number:
            names = {"one-0": "one-z", "one-1": "one-b", "one-2": "one-a", "two-3": "two-y", "two-4": "two-x"}
            files = {names.get(name, name): draw.sample(lines, len(lines)) for name, lines in files.items()}
            everything = [line for name, lines in files.items() if name.startswith("one") for line in lines]
            files["one-z"], files["one-b"], files["one-a"] = everything[:31], everything[31:33], everything[33:]
        corpus = write_corpus(
            tmp_path / f"corpus{number}", files=files, section={}, model=model, shard_tokens=(2000, 1500)[number]
        )
        out = tmp_path / f"out{number}"
        prepare(corpus, out=str(out), runner=Runner())
        results.append(Counter(document for shard in documents_of(out / "shards") for document in shard))
    assert results[0] == results[1]


def test_documents_that_are_the_same(prepared, tmp_path) -> None:
    """Of documents of one text, in one source and in two, one stays."""
    repeated = texts(documents=6)
    corpus = write_corpus(
        tmp_path / "corpus",
        files={"one-0": repeated + repeated, "one-1": repeated, "two-0": repeated[:3] + texts(seed=9, documents=4)},
        section={"min_left_share": 0.0},
        model=str(prepared / "tokenizer" / "tokenizer.model"),
    )
    prepare(corpus, out=str(tmp_path / "out"), runner=Runner())
    expected, _ = expected_from(tmp_path / "out" / "tokens", scope="corpus", share=0.0)
    assert documents_of(tmp_path / "out" / "shards") == expected
    assert verify_corpus(str(tmp_path / "out"))[1] == []


def test_the_shards_before_may_be_deleted(prepared, copied, corpus) -> None:
    for step in ("shards", "substrings"):
        shutil.copytree(prepared / step, copied / step)
    shutil.rmtree(copied / "tokens")
    assert verify_corpus(str(copied))[1] == []
    prepare(corpus, out=str(copied), runner=Runner())
    assert tree_hashes(copied) == tree_hashes(prepared)


def test_without_the_section_shards_are_whole(prepared, copied, corpus, folder) -> None:
    """Also where an earlier manifest had it: nothing of it is in the shards then."""
    shutil.copytree(prepared / "shards", copied / "shards")
    shutil.copytree(prepared / "substrings", copied / "substrings")
    manifest = json.loads((folder / "corpus" / "corpus.yaml").read_text())
    del manifest["dedup"]["substrings"]
    (folder / "corpus" / "whole.yaml").write_text(json.dumps(manifest))
    done = prepare(load_corpus(folder / "corpus" / "whole.yaml"), out=str(copied), runner=Runner())
    assert set(done.shards.inputs) == {"decide", "tokenizer"}
    assert done.shards.digest == shards.writer.load_manifest(str(copied / "tokens")).digest
    assert verify_corpus(str(copied))[1] == []


def _other_tokens(out: Path) -> None:
    """The table says that other tokens went, and the step's manifest has its hash."""
    path = max((out / "substrings" / "removed").rglob("*.arrow"), key=lambda path: path.stat().st_size)
    table = read_ipc(str(path))
    offsets = np.maximum(table["offset"].to_numpy() - 3, 0)
    table = table.set_column(2, table.schema.field("offset"), [offsets])
    output = pipeline.schemas.publish_ipc(
        str(out / "substrings"),
        str(path.relative_to(out / "substrings")),
        table.combine_chunks().to_batches(),
        table.schema,
    )
    step = read_step(str(out / "substrings"))
    assert step is not None
    outputs = [output if other.path == output.path else other for other in step.outputs]
    storage.steps.write_step(str(out / "substrings"), step.model_copy(update={"outputs": outputs}))
    manifest = shards.writer.load_manifest(str(out / "shards"))
    digest = read_step(str(out / "substrings")).digest  # type: ignore[union-attr]
    shards.writer.publish_manifest(
        str(out / "shards"), manifest.model_copy(update={"inputs": {**manifest.inputs, "substrings": digest}})
    )


def _no_table(out: Path) -> None:
    shutil.rmtree(out / "substrings")


def _another_table(out: Path) -> None:
    path = next((out / "substrings" / "removed").rglob("*.arrow"))
    publish(str(path), path.read_bytes() + b"\0")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_other_tokens, "has other tokens than its text has"),
        (_no_table, None),
        (_another_table, "bytes"),
    ],
)
def test_verify_looks_at_what_was_cut(prepared, copied, damage: Callable[[Path], None], message: str | None) -> None:
    for step in ("shards", "substrings"):
        shutil.copytree(prepared / step, copied / step)
    damage(copied)
    said: list[str] = []
    _, findings = verify_corpus(str(copied), say=said.append)
    if message is None:
        assert any("what was cut out of them is not known" in note for note in said)
        assert findings
        assert "its inputs are not these steps" in findings[-1].message
        seen = open_shards(str(copied / "shards")).seen
        assert seen.encoded == 0
        assert "what was cut out of them is not known" in str(seen.note)
    else:
        assert any(message in finding.message for finding in findings)


def test_the_step_is_not_run_without_its_section(tmp_path, corpus) -> None:
    manifest = corpus.model_copy(update={"dedup": corpus.dedup.model_copy(update={"substrings": None})})
    with pytest.raises(GristmillError, match="is null"):
        remove_substrings(manifest, out=str(tmp_path), runner=Runner())
