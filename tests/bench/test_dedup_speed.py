"""Inputs of bench/dedup_speed.py, our search in memory against the commands, and the JSON object."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import dedup_speed, dedup_speed_inputs
from bench.dedup_ours import run_gristmill
from bench.dedup_speed_inputs import is_copy, is_near, original_of, texts_of, word_numbers, write_inputs, write_texts
from bench.dedup_speed_ours import decide as decide_in_memory
from bench.dedup_speed_ours import read, sign
from bench.dedup_speed_stages import timed_decide
from bench.dedup_speed_texts import write_texts as write_corpus
from manifests.corpus import load_corpus
from manifests.minhash import MinHash
from pipeline.decide.step import decide
from pipeline.engines.runners import Runner
from pipeline.schemas import read_ipc
from tests.property.texts import buffers

ROWS = np.arange(3_000, dtype=np.uint64)


def _texts(rows):
    made = texts_of(rows)
    whole = made.data.tobytes().decode()
    return [whole[start:stop] for start, stop in zip(made.offsets[:-1], made.offsets[1:], strict=True)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=30), max_size=5))
def test_words_are_written_with_spaces_and_lines_between(documents):
    words = ["a", "bc", "def", "g", "hi"]
    data, word_offsets = buffers(words)
    most = max([len(codes) for codes in documents], default=0)
    codes = np.array([own + [0] * (most - len(own)) for own in documents], np.int64).reshape(len(documents), most)
    lines = [[own[start : start + 12] for start in range(0, len(own), 12)] for own in documents]
    expected = ["\n".join(" ".join(words[code] for code in line) for line in own) for own in lines]
    offsets = np.cumsum([0, *(len(text) for text in expected)])
    out = np.empty(offsets[-1], np.uint8)
    write_texts(codes, np.array([len(own) for own in documents], np.int64), data, word_offsets, offsets, out)
    assert out.tobytes().decode() == "".join(expected)


def test_copies_are_as_many_and_as_similar_as_said():
    texts = _texts(ROWS)
    near, copies = is_near(ROWS), is_copy(ROWS)
    assert abs(near.mean() - 0.20) < 0.03
    assert abs(copies.mean() - 0.25) < 0.03
    similar = []
    for row in np.flatnonzero(copies).tolist():
        other = int(original_of(ROWS[[row]])[0])
        assert other < row
        if not near[row]:
            assert texts[row] == texts[other]
            continue
        one, two = ({tuple(words[at : at + 5]) for at in range(len(words) - 4)} for words in _words(texts, row, other))
        similar.append(len(one & two) / len(one | two))
    low, middle, high = np.quantile(similar, [0.02, 0.5, 0.98])
    assert 0.5 < low < 0.66
    assert 0.7 < middle < 0.85
    assert high > 0.95
    assert 0.05 < (np.array(similar) < 0.7).mean() < 0.4


def _words(texts, *rows):
    return [texts[row].split() for row in rows]


def test_a_document_depends_on_its_number_alone():
    codes, lengths = word_numbers(ROWS)
    some = ROWS[[7, 2_999, 1_000]]
    assert (word_numbers(some)[0] == codes[[7, 2_999, 1_000]]).all()
    assert lengths.min() >= dedup_speed_inputs.FEWEST_WORDS
    assert lengths.max() <= dedup_speed_inputs.MOST_WORDS


def test_decide_takes_the_inputs_and_smaller_ones_are_part_of_larger_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(dedup_speed_inputs, "PART_ROWS", 1_000)
    with pytest.raises(ValueError, match="not a multiple of 1000"):
        write_inputs(tmp_path, documents=1_500)
    dropped = []
    for documents in (1_000, 2_000):
        corpus = write_inputs(tmp_path, documents=documents)
        step = decide(load_corpus(corpus), out=str(tmp_path / "out"), runner=Runner())
        assert step.ledger.records_in == documents
        dropped.append(step.ledger.dropped)
    assert 2 * 80 < 2 * dropped[0]["near_duplicate"] < 1.5 * dropped[1]["near_duplicate"] < 1.5 * 400
    counts = read_ipc(str(tmp_path / "out" / "decide" / "duplicates" / "counts" / "000000.arrow")).to_pylist()
    assert counts[0]["checked_by_shingles"] > 50
    assert counts[0]["rejected"] > 5


def test_in_memory_decides_what_the_commands_decide(tmp_path):
    words = [f"word{number}" for number in range(60)]
    with open(tmp_path / "documents.jsonl", "w") as file:
        for number, text in enumerate(_texts(ROWS[:1_500])):
            file.write(json.dumps({"id": f"{number:05d}", "text": text}) + "\n")
        for number, text in enumerate([" ".join(words), " ".join(words), " ".join([*words, "x", "y"]), "?!", "?!"]):
            file.write(json.dumps({"id": f"last{number}", "text": text}) + "\n")
    expected = run_gristmill(tmp_path / "documents.jsonl", tmp_path / "commands").kept
    texts, names = read(str(tmp_path / "documents.jsonl"))
    found = decide_in_memory(texts, names, sign(texts, MinHash()), minhash=MinHash())
    ids = names.to_pylist()
    assert {ids[row]: ids[found.kept[row]] for row in np.flatnonzero(found.goes).tolist()} == expected
    assert len(expected) > 200


def test_texts_without_corpora_hold_copies(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.dedup_speed_texts._MADE", 2_000)
    size = write_corpus(tmp_path / "a.jsonl", corpora=tmp_path, megabytes=0.2, small=True)
    texts, names = read(str(tmp_path / "a.jsonl"))
    assert isinstance(texts, pa.LargeStringArray)
    assert sum(len(text) for text in texts.to_pylist()) == size
    assert 0.2e6 <= size < 0.21e6
    found = decide_in_memory(texts, names, sign(texts, MinHash()), minhash=MinHash())
    assert 0.2 < found.goes.mean() < 0.7


def test_the_seconds_of_stages_add_up(tmp_path, monkeypatch):
    monkeypatch.setattr(dedup_speed_inputs, "PART_ROWS", 500)
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", 1)
    corpus = write_inputs(tmp_path, documents=1_000)
    found = timed_decide(str(corpus), str(tmp_path / "out"))
    assert {"ids", "keys", "leaders", "edges", "decide_rest", "publish_chosen", "fates", "decide_part"} < set(found)
    assert sum(found.values()) == pytest.approx(2 * found["all"])


def test_the_last_line_has_all_figures(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(Path.cwd())  # restored after the bench has changed it
    monkeypatch.setattr(dedup_speed_inputs, "PART_ROWS", 250)
    monkeypatch.setattr(dedup_speed, "REPEATS", 1)
    monkeypatch.setattr(dedup_speed, "_TARGET", 0.0005)
    monkeypatch.setattr("bench.dedup_speed_texts._MADE", 1_000)
    arguments = ["--millions", "0.00025", "0.0005", "0.001", "--megabytes", "0.1", "--peers", "none"]
    dedup_speed.main([*arguments, "--corpora", str(tmp_path), "--scratch", str(tmp_path)])
    result = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert {
        "signatures_mb_per_cpu_s",
        "walk_signatures_mb_per_cpu_s",
        "start_cpu_s",
        "decision_0.0005m_cpu_s",
        "decision_0.0005m_peak_mb",
        "decision_0.0005m_without_site_rule_cpu_s",
        "exponent",
        "exponent_range",
    } <= set(result)
    assert result["decision_0.001m_peak_mb"] > 50


def test_peers_are_named():
    assert dedup_speed.available("none") == []
    with pytest.raises(SystemExit, match="no such peer: other"):
        dedup_speed.available("other")
