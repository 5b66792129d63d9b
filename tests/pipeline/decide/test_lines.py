"""Lines that documents share, from raw text to the shards: the removed sets are exactly those of brute force, however
the work is divided, and a content that is cut or named otherwise loses the same lines.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import yaml

import pipeline.schemas
import storage.steps
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError
from manifests.filters import REASONS
from pipeline.decide import lines as lines_module
from pipeline.decide.step import decide
from pipeline.engines.runners import Helpers, Runner
from pipeline.extract.step import extract
from pipeline.filters import verdicts
from pipeline.parts import Part, list_parts
from pipeline.prep import prepare
from pipeline.schemas import read_ipc
from pipeline.text.words.line import SENTENCES_MASK, SENTENCES_SHIFT
from shards.reader import open_shards
from storage.steps import read_step
from tests import repeated_lines as reference
from tests.endtoend.corpora import prose, tree_hashes
from tests.paths import SHARED
from tests.stopping import Stopped, limit_publishing

Files = Mapping[str, Sequence[tuple[str, str]]]

FOOTER = "Terms of use\nContact us"
MENU = "Home 12\nAbout\n"


def generated() -> Files:
    """Pages of two sites in several files: menus and footers, a near copy, a page that is all menu, repeats inside."""
    a = [(f"a{number}", f"{MENU}\n{prose(f'a{number}')}\n\n{FOOTER}") for number in range(14)]
    b = [(f"b{number}", f"home 99\nABOUT\n{prose(f'b{number}')}\n{FOOTER}\n{FOOTER}") for number in range(9)]
    copy = ("near", a[3][1].replace("Home 12", "Home 13") + " now")
    only = [("only menu", MENU + FOOTER), ("short", f"{MENU}One sentence of its own.\n{FOOTER}"), ("exact", b[2][1])]
    return {
        "a/1.jsonl": [*a[:5], only[0]],
        "a/2.jsonl": [*a[5:], copy],
        "b/1.jsonl": [*b[:4], *only[1:]],
        "b/2.jsonl": b[4:],
    }


def real() -> Files:
    """Licences, which quote each other, and help pages in many languages, which share headings and licences."""
    if SHARED is None:
        pytest.skip("the development corpora are not beside the project")
    rows = []
    for name, step in (("neardup/license-texts", 3), ("multilingual/gnome-help", 4), ("multilingual/udhr", 3)):
        with gzip.open(SHARED / "corpora" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows += [json.loads(line)["text"] for line in list(file)[::step]]
    named = [(str(number), text) for number, text in enumerate(rows)]
    return {"a/1.jsonl": named[::3], "a/2.jsonl": named[1::3], "b/1.jsonl": named[2::3]}


def write(folder: Path, files: Files, *, lines: Any, **sections: Any) -> CorpusManifest:
    for name, rows in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            texts = [{"id": of, "text": text, "url": f"https://{of[:1]}.example/{of}"} for of, text in rows]
            path.write_text("".join(json.dumps(row) + "\n" for row in texts), encoding="utf-8")
    source = {"format": "jsonl", "licence": "made up"}
    manifest: dict[str, Any] = {
        "name": "shared-lines",
        "sources": [
            {"name": "a", "files": ["a/*.jsonl"], **source},
            {"name": "b", "files": ["b/*.jsonl"], "priority": 50, **source},
        ],
        "filters": "none",
        "personal_information": None,
        "dedup": {"lines": lines},
        "tokenizer": {"train": {"vocab_size": 400, "sample_mb": 1}},
    }
    path = folder / "corpus.yaml"
    path.write_text(yaml.safe_dump(manifest | sections), encoding="utf-8")
    return load_corpus(path)


def run(manifest: CorpusManifest, out: Path, *, runner: Runner | None = None) -> None:
    extract(manifest, out=str(out), runner=runner or Runner())
    decide(manifest, out=str(out), runner=runner or Runner())


def parts_of(manifest: CorpusManifest, out: Path) -> list[Part]:
    step = read_step(str(out / "extract"))
    assert step is not None
    return list_parts(step, manifest)


def column(out: Path, kind: str, part: Part, name: str) -> list[Any]:
    return read_ipc(str(out / kind / f"{part.name}.arrow"))[name].to_pylist()


def sentences(out: Path, part: Part) -> list[list[int]]:
    packed = column(out, "extract/signals", part, "lines_packed")
    return [[(value >> SENTENCES_SHIFT) & SENTENCES_MASK for value in values] for values in packed]


def filtered(manifest: CorpusManifest, out: Path, part: Part) -> list[set[int]]:
    signals = read_ipc(str(out / "extract/signals" / f"{part.name}.arrow")).combine_chunks()
    removed = verdicts(signals, filters=manifest.source_filters()[part.source]).removed
    counts = [len(values) for values in signals["lines_packed"].to_pylist()]
    if removed is None:
        return [set() for _ in counts]
    return [set(np.flatnonzero(each).tolist()) for each in np.split(removed, np.cumsum(counts)[:-1])]


def check(manifest: CorpusManifest, out: Path) -> dict[tuple[bytes, int], int]:
    """Compare everything that the stage publishes with brute force; returns how often each line of a text goes."""
    rule = manifest.dedup.lines
    assert rule is not None
    parts = parts_of(manifest, out)
    documents, places = [], []
    for part in parts:
        columns = [
            column(out, "extract/documents", part, "id"),
            column(out, "extract/documents", part, "text"),
            column(out, "extract/signals", part, "words"),
            column(out, "decide/decisions", part, "reason"),
            filtered(manifest, out, part),
        ]
        for row, (identity, text, words, reason, by_filters) in enumerate(zip(*columns, strict=True)):
            places.append((part, row))
            documents.append(
                reference.Document(
                    text=text,
                    id=identity,
                    source=part.source,
                    priority=part.priority,
                    words=words,
                    stays=not reason or REASONS[reason].startswith("duplicate_lines"),
                    filtered=by_filters,
                )
            )
    expected = reference.removed_lines(documents, rule)
    found = {part.name: column(out, "decide/lines", part, "removed_lines") for part in parts}
    assert [set(found[part.name][row] or ()) for part, row in places] == expected
    decided = {part.name: column(out, "decide/decisions", part, "removed_lines") for part in parts}
    reasons = {part.name: column(out, "decide/decisions", part, "reason") for part in parts}
    sentences_of = {part.name: sentences(out, part) for part in parts}
    went = lost_lines = 0
    for document, gone, (part, row) in zip(documents, expected, places, strict=True):
        count = len(reference.lines_of(document.text))
        reason = REASONS[reasons[part.name][row]]
        left = set(range(count)) - gone - document.filtered
        if document.stays:
            said = [sentences_of[part.name][row][number] for number in left]
            fate = "kept"
            if gone and sum(said) < rule.min_sentences:
                fate = "duplicate_lines_sentences"
            if gone and not left:
                fate = "duplicate_lines"
            assert reason == fate
            went += fate != "kept"
            lost_lines += len(gone) if fate == "kept" else 0
            every = sorted(gone | document.filtered)
            assert decided[part.name][row] == (every if every and fate == "kept" else None)
        else:
            assert reason not in ("kept", "duplicate_lines", "duplicate_lines_sentences")
    step = read_step(str(out / "decide"))
    assert step is not None
    assert sum(step.ledger.dropped.get(name, 0) for name in ("duplicate_lines", "duplicate_lines_sentences")) == went
    assert step.ledger.balance() == 0
    counted = [inside["duplicate_lines"].count for inside in step.inside.values() if "duplicate_lines" in inside]
    assert sum(counted) == lost_lines
    check_frequent(documents, places, expected, out, rule)
    counts: dict[tuple[bytes, int], int] = {}
    for document, gone in zip(documents, expected, strict=True):
        for number in gone:
            counts[document.id, number] = counts.get((document.id, number), 0) + 1
    return counts


def check_frequent(documents: Any, places: Any, expected: Any, out: Path, rule: Any) -> None:
    """The list of frequent lines: counts by brute force, and a place where each line stands."""
    removed: dict[Any, int] = {}
    keys_of: dict[tuple[str, int, int], Any] = {}
    for document, gone, (part, row) in zip(documents, expected, places, strict=True):
        if not document.stays:
            continue
        scope = (
            document.source if rule.scope == "source" else None,
            int.from_bytes(document.id[8:], "big") % rule.groups,
        )
        for key, numbers in reference.units_of(document, rule):
            keys_of[part.name, row, numbers[0]] = (*scope, key)
            removed[(*scope, key)] = removed.get((*scope, key), 0) + (numbers[0] in gone)
    rows = read_ipc(str(out / "decide/lines/frequent.arrow")).to_pylist()
    most = sorted((count for count in removed.values() if count), reverse=True)[: lines_module.MOST_FREQUENT]
    assert [row["removed"] for row in rows] == most
    listed = [keys_of[row["part"], row["row"], row["line"]] for row in rows]
    assert [removed[key] for key in listed] == most
    assert len(set(listed)) == len(listed)


RULES: list[Any] = [
    {"rule": "ccnet", "groups": 1},
    {"rule": "ccnet", "groups": 4, "scope": "source", "normalise": "paper"},
    {"rule": "ccnet", "groups": 1, "unit": "paragraph", "keep": "best", "min_words": 4},
    "c4",
    {"rule": "c4", "keep": "best", "max_documents": 3, "min_characters": 6, "min_sentences": 0},
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_removed_sets_are_those_of_brute_force_on_generated_pages(rule: Any, tmp_path: Path) -> None:
    manifest = write(tmp_path, generated(), lines=rule)
    run(manifest, tmp_path / "out")
    assert check(manifest, tmp_path / "out")


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_removed_sets_are_those_of_brute_force_on_real_text(rule: Any, tmp_path: Path) -> None:
    manifest = write(tmp_path, real(), lines=rule)
    run(manifest, tmp_path / "out")
    assert len(check(manifest, tmp_path / "out")) > 300


def test_lines_that_filters_remove_count_for_nobody(tmp_path: Path) -> None:
    manifest = write(tmp_path, generated(), lines={"rule": "c4", "min_sentences": 0}, filters="refinedweb-lines")
    run(manifest, tmp_path / "out")
    assert check(manifest, tmp_path / "out")
    step = read_step(str(tmp_path / "out" / "decide"))
    assert step is not None
    assert any(note.startswith("line rules and `dedup.lines`: ") for note in step.notes)


def test_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: Helpers) -> None:
    # Otherwise one worker is enough for so few documents.
    monkeypatch.setattr("pipeline.engines.partitions.DOCUMENTS_PER_WORKER", 3)
    manifest = write(tmp_path, generated(), lines="c4")
    for workers in (1, 2, 7):
        run(manifest, tmp_path / str(workers), runner=Runner(workers=workers, helpers=helpers))
    expected = tree_hashes(tmp_path / "1")
    assert any(name.startswith("decide/lines/a/") for name in expected)
    assert tree_hashes(tmp_path / "2") == tree_hashes(tmp_path / "7") == expected


@pytest.mark.parametrize("fan", [2, 256], ids=["two levels", "one level"])
@pytest.mark.parametrize("rule", ["c4", {"rule": "ccnet", "groups": 3}], ids=str)
def test_any_runs(rule: Any, fan: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write(tmp_path, generated(), lines=rule)
    run(manifest, tmp_path / "one")
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", 1)
    monkeypatch.setattr("pipeline.decide.runs.FAN", fan)
    run(manifest, tmp_path / "many")
    assert len(list((tmp_path / "many" / "decide" / "tasks" / "lines").glob("0*.json"))) == 4
    expected, found = tree_hashes(tmp_path / "one"), tree_hashes(tmp_path / "many")
    names = [name for name in expected if name.startswith(("decide/decisions/", "decide/lines/", "decide/dropped/"))]
    assert {name: found[name] for name in names} == {name: expected[name] for name in names}


def test_stopped_between_any_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = write(tmp_path, generated(), lines={"rule": "ccnet", "groups": 1})
    run(manifest, tmp_path / "whole")
    allowance = limit_publishing(monkeypatch, storage.steps, pipeline.schemas)
    stops = 0
    for attempts in range(1, 80):
        allowance.left = 4 + attempts // 3
        try:
            run(manifest, tmp_path / "out")
            break
        except (GristmillError, Stopped) as error:
            stopped = error
            stops += 1
        assert "Stopped" in repr((stopped, stopped.__cause__))
    assert stops > 5
    assert tree_hashes(tmp_path / "out") == tree_hashes(tmp_path / "whole")


@pytest.mark.parametrize("exact", [True, False], ids=("copies go", "copies stay"))
@pytest.mark.parametrize("rule", ["c4", {"rule": "ccnet", "groups": 3}, {"rule": "c4", "keep": "best"}], ids=str)
def test_files_that_are_permuted_renamed_and_cut_otherwise_lose_the_same_lines(
    rule: Any, exact: bool, tmp_path: Path
) -> None:
    """Near duplicates are left out: which of them stays is not this stage's to say."""
    files = generated()
    draw = random.Random(5)
    other: dict[str, list[tuple[str, str]]] = {}
    for name, rows in files.items():
        for row in rows:
            other.setdefault(f"{name[:2]}{draw.choice('zyx')}.jsonl", []).append(row)
    for rows in other.values():
        draw.shuffle(rows)
    removed = []
    for number, given in enumerate((files, other)):
        dedup = {"exact": exact, "minhash": None, "lines": rule}
        manifest = write(tmp_path / str(number), given, lines=rule, dedup=dedup)
        run(manifest, tmp_path / str(number) / "out")
        removed.append(check(manifest, tmp_path / str(number) / "out"))
    assert removed[0] == removed[1]
    assert removed[0]


def test_documents_that_go_take_no_line_with_them(tmp_path: Path) -> None:
    """The exact copy and the near copy would share all lines with documents that stay."""
    text = prose("alone")
    files = {"a/1.jsonl": [("one", text), ("two", text)], "b/1.jsonl": [("other", prose("other"))]}
    manifest = write(tmp_path, files, lines={"rule": "ccnet", "groups": 1})
    run(manifest, tmp_path / "out")
    assert check(manifest, tmp_path / "out") == {}
    step = read_step(str(tmp_path / "out" / "decide"))
    assert step is not None
    assert step.ledger.dropped == {"exact_duplicate": 1}
    assert "`dedup.lines`: no line was removed; lines were compared in the whole corpus" in step.notes
    assert step.inside == {}


def test_tokenize_honours_removed_lines(tmp_path: Path) -> None:
    manifest = write(tmp_path, generated(), lines={"rule": "ccnet", "groups": 1})
    out = tmp_path / "out"
    prepare(manifest, out=str(out), runner=Runner())
    check(manifest, out)
    expected = {}
    for part in parts_of(manifest, out):
        rows = zip(
            column(out, "extract/documents", part, "name"),
            column(out, "extract/documents", part, "text"),
            column(out, "decide/decisions", part, "removed_lines"),
            column(out, "decide/decisions", part, "reason"),
            strict=True,
        )
        for name, text, gone, reason in rows:
            if reason == 0:
                left, number = [], 0
                for line in text.split("\n"):
                    if not line.strip() or number not in (gone or ()):
                        left.append(line)
                    number += bool(line.strip())
                expected[name] = "\n".join(left).strip()
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(out / "tokenizer" / "tokenizer.model"))
    found = {}
    for bucket in open_shards(str(out / "shards")).buckets.values():
        for index in range(len(bucket.entries)):
            tokens = bucket.map_tokens(index)
            for row in bucket.read_documents(index).to_pylist():
                ids = tokens[row["offset"] : row["offset"] + row["length"]].tolist()
                found[row["record_name"]] = tokenizer.DecodeIds(ids[1:-1])
    assert found == expected
    assert "Terms of use" not in "".join(found.values())
    assert "only menu" not in found


def test_without_the_rule_nothing_is_stored_or_removed(tmp_path: Path) -> None:
    manifest = write(tmp_path, generated(), lines=None)
    run(manifest, tmp_path / "out")
    folders = {path.name for step in ("extract", "decide") for path in (tmp_path / "out" / step).iterdir()}
    assert not folders & {"lines", "repeated"}
    step = read_step(str(tmp_path / "out" / "extract"))
    assert step is not None
    assert "lines" not in step.settings


def test_another_normalisation_needs_another_extract(tmp_path: Path) -> None:
    extract(write(tmp_path, generated(), lines=None), out=str(tmp_path / "out"), runner=Runner())
    for rule, name in (("c4", "c4"), ({"rule": "ccnet", "normalise": "paper"}, "ccnet-paper")):
        with pytest.raises(GristmillError, match=f"compares lines as `{name}` does, but extract did not") as raised:
            decide(write(tmp_path, generated(), lines=rule), out=str(tmp_path / "out"), runner=Runner())
        assert "gristmill extract" in str(raised.value)


def test_lines_that_do_not_fit_their_signals_are_an_error(tmp_path: Path) -> None:
    manifest = write(tmp_path, generated(), lines="c4")
    run(manifest, tmp_path / "out")
    (part, *_) = parts_of(manifest, tmp_path / "out")
    other = parts_of(manifest, tmp_path / "out")[-1]
    folder = tmp_path / "out" / "extract" / "lines"
    (folder / f"{part.name}.arrow").write_bytes((folder / f"{other.name}.arrow").read_bytes())
    job = lines_module.DecideJob.model_validate_json(_job(manifest, tmp_path / "out"))
    rule = manifest.dedup.lines
    assert rule is not None
    with pytest.raises(GristmillError, match="not those of the signals"):
        lines_module.part_units(part, job, rule=rule)


def _job(manifest: CorpusManifest, out: Path) -> str:
    from pipeline.decide.settings import DecideJob, decide_settings

    settings = decide_settings(manifest, block_lists=(), allowed_sites=None)
    job = DecideJob(settings=settings, extract=str(out / "extract"), folder=str(out / "decide"), key="k")
    return job.model_dump_json()
