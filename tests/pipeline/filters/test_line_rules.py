"""Line rules from the manifest to the shards: decisions, tokenized texts, what runs again if thresholds change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sentencepiece
import yaml

from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from manifests.filters import REASONS, C4Tfds, FineWeb, RefinedWebLines
from pipeline.decide.step import decide
from pipeline.decide.verdicts import read_signals
from pipeline.engines.runners import Runner
from pipeline.filters.line_rules import line_values
from pipeline.prep import prepare
from pipeline.schemas import ipc_bytes, read_ipc
from pipeline.text.signal_columns import LINES_PACKED
from pipeline.tokenize.kept_text import Cleaning, cleaning_of
from shards.reader import open_shards
from storage.steps import read_step, read_task
from tests.endtoend.corpora import prose
from tests.sections import filters_from

GOOD = "This line has words enough and it ends well."
PAGE = (
    f"Menu\n\n{GOOD}[1] Home | About\n\n  {GOOD} Citations[2] go[edit].  \n{GOOD}\nAccept our privacy policy or leave"
    " this page.\nFooter\n"
)
CLEAN = f"{GOOD} Citations go.\n{GOOD}"
TEXTS = {
    "page": PAGE,
    "short": f"{GOOD}\nMenu",
    "code": f"{GOOD} {GOOD}\nAnd here is code {{ as said.",
    "code in a menu": f"{GOOD} {GOOD} {GOOD}\nMenu {{ }}",
    "prose": prose("line rules", words=400),
}
FATES = {"page": "kept", "short": "c4_sentences", "code": "c4_brace", "code in a menu": "kept", "prose": "kept"}


def write(folder: Path, **sections: Any) -> Path:
    rows = [
        {"id": name, "text": text, "url": f"https://www.{name.split()[-1]}.example/x"} for name, text in TEXTS.items()
    ]
    if not (folder / "a.jsonl").exists():  # a file that changed is read again
        (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    manifest: dict[str, Any] = {
        "name": "lines",
        "sources": [{"name": "a", "format": "jsonl", "files": ["a.jsonl"], "licence": "made up"}],
        "tokenizer": {"train": {"vocab_size": 330, "sample_mb": 1}},
        "filters": "c4-tfds",
        "dedup": {"exact": True, "minhash": None},
        "shard_tokens": 1_000,
    }
    path = folder / "corpus.yaml"
    path.write_text(yaml.safe_dump(manifest | sections), encoding="utf-8")
    return path


def run(path: Path, out: Path) -> None:
    prepare(load_corpus(path), out=str(out), runner=Runner())


def table(out: Path, kind: str) -> pa.Table:
    (path,) = sorted((out / kind).rglob("*.arrow"))
    return read_ipc(str(path))


def fates(out: Path) -> dict[str, str]:
    names = table(out, "extract/documents")["name"].to_pylist()
    return dict(
        zip(names, (REASONS[code] for code in table(out, "decide/decisions")["reason"].to_pylist()), strict=True)
    )


def removed(out: Path) -> dict[str, list[int] | None]:
    names = table(out, "extract/documents")["name"].to_pylist()
    return dict(zip(names, table(out, "decide/decisions")["removed_lines"].to_pylist(), strict=True))


def tokenized(out: Path) -> dict[str, str]:
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(out / "tokenizer" / "tokenizer.model"))
    found = {}
    for bucket in open_shards(str(out / "shards")).buckets.values():
        for index in range(len(bucket.entries)):
            tokens = bucket.map_tokens(index)
            for row in bucket.read_documents(index).to_pylist():
                document = tokens[row["offset"] : row["offset"] + row["length"]].tolist()
                found[row["record_name"]] = tokenizer.DecodeIds(document[1:-1])
    return found


def test_c4_from_the_manifest_to_the_tokens(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(write(tmp_path), out)
    assert fates(out) == FATES
    assert removed(out) == {"page": [0, 1, 4, 5], "short": None, "code": None, "code in a menu": [1], "prose": None}
    texts = tokenized(out)
    assert texts == {
        "page": CLEAN,
        "code in a menu": f"{GOOD} {GOOD} {GOOD}",
        "prose": "\n".join(line for line in TEXTS["prose"].split("\n") if line),
    }
    # The id stays that of the text as extracted.
    documents = table(out, "extract/documents").to_pylist()
    (bucket,) = open_shards(str(out / "shards")).buckets.values()
    ids = {
        row["record_name"]: row["document_id"]
        for index in range(len(bucket.entries))
        for row in bucket.read_documents(index).to_pylist()
    }
    assert ids == {row["name"]: row["id"] for row in documents if row["name"] in texts}
    step = read_step(str(out / "decide"))
    assert step is not None
    assert "line rules: 5 lines go from 2 documents that stay" in step.notes
    task = read_task(str(out / "shards"), "a/00000")
    assert task is not None
    assert task.details["removed_lines"] == 5
    sizes = {row["name"]: len(row["text"].encode()) for row in documents}
    assert task.details["removed_bytes"] == sum(sizes[name] - len(text.encode()) for name, text in texts.items())


def test_other_thresholds_touch_no_text_and_give_other_tokens(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(write(tmp_path), out)
    extracted = {path: path.stat().st_mtime_ns for path in (out / "extract").rglob("*.arrow")}
    filters = [{"variant": "c4-tfds", "min_sentences": 1, "brace": False, "policy": False, "citations": False}]
    run(write(tmp_path, filters=filters), out)
    assert {path: path.stat().st_mtime_ns for path in (out / "extract").rglob("*.arrow")} == extracted
    assert set(fates(out).values()) == {"kept"}
    policy = "Accept our privacy policy or leave this page."
    assert tokenized(out)["page"] == f"{GOOD} Citations[2] go[edit].\n{GOOD}\n{policy}"
    run(write(tmp_path, filters="none"), out)
    assert {path: path.stat().st_mtime_ns for path in (out / "extract").rglob("*.arrow")} == extracted
    assert tokenized(out)["page"] == PAGE.strip()
    assert removed(out) == dict.fromkeys(TEXTS)


def test_refinedweb_takes_whole_lines_and_leaves_the_rest_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(write(tmp_path, filters=[{"variant": "refinedweb-lines", "max_removed_words": 0.3}]), out)
    assert (
        tokenized(out)["page"]
        == "\n".join(line for line in PAGE.strip().split("\n") if line not in ("Menu", "Footer")).strip()
    )
    assert fates(out)["code in a menu"] == "kept"
    path = write(tmp_path, filters=[{"variant": "ccnet", "min_characters": 100_000}, "refinedweb-lines"])
    step = decide(load_corpus(path), out=str(out), runner=Runner())
    assert step.notes[0] == "no document is kept; most went for ccnet_page_length: 5 of 5"
    assert "filter `refinedweb-lines`: no document was dropped for it" in step.notes
    assert not any("`ccnet`" in note for note in step.notes)


def test_a_source_has_filters_of_its_own_and_block_lists_come_first(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "domains").write_text("short.example\nmenu.example\nidle.example\n", encoding="utf-8")
    (tmp_path / "idle").write_text("idle.example\n", encoding="utf-8")
    path = write(tmp_path, block_lists=[{"name": "bad", "sites": "domains"}, {"name": "idle", "sites": "idle"}])
    run(path, out)
    assert fates(out) == FATES | {"short": "blocked_site", "code in a menu": "blocked_site"}
    step = read_step(str(out / "decide"))
    assert step is not None
    assert step.ledger.dropped == {"blocked_site": 2, "c4_brace": 1}
    assert "block list `idle`: no document was dropped for it" in step.notes
    assert not any("`bad`" in note for note in step.notes)
    assert not any("filter `" in note for note in step.notes)
    own = yaml.safe_load(path.read_text(encoding="utf-8"))
    own["sources"][0]["filters"] = "none"
    path.write_text(yaml.safe_dump(own), encoding="utf-8")
    run(path, out)
    assert set(fates(out).values()) == {"kept", "blocked_site"}


def test_what_filters_do_to_texts() -> None:
    def cleaning(*filters: str | dict[str, Any]) -> Cleaning | None:
        return cleaning_of(filters_from(list(filters)))

    assert cleaning() is cleaning("gopher-paper", "fineweb", "ccnet") is None
    assert cleaning("gopher-paper", "c4-tfds") == Cleaning(citations=True, compact=True)
    assert cleaning({"variant": "c4-tfds", "citations": False}) == Cleaning(citations=False, compact=True)
    assert cleaning("refinedweb-lines") == Cleaning(citations=False, compact=False)
    assert cleaning("refinedweb-lines", "c4-arxiv-v1") == Cleaning(citations=True, compact=True)


def test_signals_without_lines_are_an_error_only_where_lines_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "signals.arrow"
    batch = pa.record_batch({"words": pa.array([1], pa.int32())})
    path.write_bytes(ipc_bytes([batch], batch.schema))
    assert read_signals(str(path), filters=(FineWeb(),)).schema.names == ["words"]
    for section in (C4Tfds(), RefinedWebLines()):
        with pytest.raises(GristmillError, match="look at lines"):
            read_signals(str(path), filters=(section,))


def test_lines_of_slices_and_of_nothing() -> None:
    lists = pa.chunked_array([pa.array([[1, 2], []], LINES_PACKED.type), pa.array([[3]], LINES_PACKED.type)])
    values, offsets = line_values(pa.table({"lines_packed": lists}).slice(1))
    assert (values.tolist(), offsets.tolist()) == ([3], [0, 0, 1])
    values, offsets = line_values(pa.table({"lines_packed": pa.chunked_array([], LINES_PACKED.type)}))
    assert (values.tolist(), offsets.tolist()) == ([], [0])
