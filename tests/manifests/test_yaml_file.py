"""YAML with duplicate keys, or that two parsers would read differently, is an error with file, line and key."""

from __future__ import annotations

import time

import pytest

from manifests.base import load_json, load_yaml, validate
from manifests.corpus import CorpusManifest, load_corpus
from manifests.errors import GristmillError

CORPUS = """
kind: corpus
name: small
sources:
  - {name: a, format: jsonl, files: ["*.jsonl"], licence: CC0}
tokenizer: {model: t.model}
"""


@pytest.fixture
def read(tmp_path):
    def of(text: str | bytes):
        path = tmp_path / "m.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return load_yaml(path)

    return of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: no", "no"),
        ("a: on", "on"),
        ("a: Yes", "Yes"),
        ("a: y", "y"),
        ("a: true", True),
        ("a: FALSE", False),
        ("a: 1:30", "1:30"),
        ("a: 190:20:30", "190:20:30"),
        ("a: 2024-01-01", "2024-01-01"),
        ("a: 2024-01-01 10:00:00", "2024-01-01 10:00:00"),
        ("a: 1_000", 1000),
        ("a: 0o17", 15),
        ("a: 0x1F", 31),
        ("a: 0b11", "0b11"),
        ("a: 0", 0),
        ("a: -0", 0),
        ("a: '010'", "010"),
        ("a: 1e5", 1e5),
        ("a: 3e-4", 3e-4),
        ("a: 1.", 1.0),
        ("a: .5", 0.5),
        ("a: 0.5", 0.5),
        ("a: 00.5x", "00.5x"),
        ("a: =", "="),
        ("a: ~", None),
        ("a:", None),
        ("a: NULL", None),
        ("a: !!str 5", "5"),
        ("a: '1'", "1"),
        ("a: [no, en]", ["no", "en"]),
        ("a: {no: x, on: y}", {"no": "x", "on": "y"}),
        ("b: &b {x: 1, y: 2}\na: {<<: *b, y: 3}", {"x": 1, "y": 3}),
        ("b: &b [1]\na: *b", [1]),
        ("a: é 中", "é 中"),
    ],
)
def test_words_and_numbers_are_those_of_yaml_1_2(read, text, value) -> None:
    found = read(text)["a"]
    assert found == value
    assert type(found) is type(value)


def test_byte_order_marks_and_windows_line_ends(read) -> None:
    assert read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: 2\na: 3", 3, "the key `a` is given twice, first in line 1"),
        ("s:\n  - {name: x,\n     b: 1, name: y}", 3, "the key `name` is given twice, first in line 2"),
        ("s:\n  a:\n    b: 1\n    'b': 2", 4, "the key `b` is given twice"),
        ("a: {x: {y: {z: 1, z: 1}}}", 1, "the key `z` is given twice"),
        ("b: &b {x: 1}\na:\n  <<: *b\n  <<: *b", 4, "the key `<<` is given twice"),
        ("1: x", 1, "a key must be text, `1` is a number"),
        ("a:\n  true: x", 2, "a key must be text, `true` is true or false"),
        ("? [a]\n: x", 1, "a key must be text, a list or mapping"),
        ("a: 1\n? \n: x", 2, "a key must be text, `` is nothing"),
        ("a: 010", 1, "`010` may be eight-based or ten-based"),
        ("a: -007", 1, "may be eight-based or ten-based"),
        ("a: [1, .nan]", 1, "is not a finite number"),
        ("a: -.INF", 1, "is not a finite number"),
        ("a: 1e999", 1, "is not a finite number"),
        ("a: " + "9" * 5000, 1, "is not a finite number"),
        ("a: !!binary aGk=", 1, "the tag binary has no meaning here"),
        ("a: !!set {x}", 1, "the tag set has no meaning here"),
        ("a: !!timestamp 2024-01-01", 1, "the tag timestamp has no meaning here"),
        ("a: !!python/object/apply:os.system [ls]", 1, "the tag python/object/apply:os.system has no meaning"),
        ("a: !mine x", 1, "the tag !mine has no meaning here"),
        ("a: 1\n---\nb: 2", 2, "a second document begins here"),
        ("a:\n\tb: 1", 2, "not valid YAML"),
        ("a: &a [*a]", 1, "an alias leads back to where it stands"),
        ("a: &a\n  b: *a", 1, "an alias leads back"),
        ("a: *none", 1, "not valid YAML: found undefined alias"),
        ("a: [", 1, "not valid YAML"),
        ("a: \x1b", 0, "not valid YAML"),
        ("a: s3://KEY:se/cret@bucket/x", 1, "a URL holds"),
        ("a:\n  - https://user:pass@host/", 2, "a URL holds a user or password before the host"),
        ("a: https://host/x?a=1&X-Amz-Signature=abc", 1, "a URL holds the parameter `X-Amz-Signature`"),
    ],
)
def test_errors_name_the_line(read, tmp_path, text, line, message) -> None:
    with pytest.raises(GristmillError) as caught:
        read(text)
    assert message in str(caught.value)
    assert str(tmp_path / "m.yaml") in str(caught.value)
    assert not line or f"line {line}" in str(caught.value)
    for secret in ("se/cret", "pass@", "=abc"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
        "a0: &a0 {k: v}\n"
        + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 30)),
        "a: " + "[" * 20_000,
        "a: " + "{a: " * 50_000,
        "- " * 100_000,
        "a: [" + "x," * 51_000 + "]",
    ],
    ids=["laughs", "merges", "lists", "mappings", "sequences", "wide"],
)
def test_bombs_end_at_once(read, text) -> None:
    began = time.process_time()
    with pytest.raises(GristmillError):
        read(text)
    assert time.process_time() - began < 60


def test_a_large_file_is_not_read(tmp_path) -> None:
    path = tmp_path / "large.yaml"
    with open(path, "wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(GristmillError, match="is larger than 1 MiB"):
        load_yaml(path)
    with pytest.raises(GristmillError, match="is larger than 1 MiB"):
        load_yaml("/dev/zero")


@pytest.mark.parametrize("data", ["a: 1".encode("utf-16"), b"a: \xff"])
def test_other_encodings_are_named(read, data) -> None:
    with pytest.raises(GristmillError, match="cannot be read"):
        read(data)


def test_norwegian_is_a_language(tmp_path) -> None:
    path = tmp_path / "corpus.yaml"
    path.write_text(CORPUS + "languages: {keep: [en, no]}\n")
    assert load_corpus(path).languages.keep == ["en", "no"]


@pytest.mark.parametrize(("word", "meant"), [("no", False), ("off", False), ("yes", True), ("true", True)])
def test_where_a_boolean_is_meant_the_words_still_are_booleans(word, meant) -> None:
    data = {
        "kind": "corpus",
        "name": "x",
        "sources": [{"name": "a", "format": "jsonl", "files": ["x"], "licence": "y", "factual": word}],
    }
    found = validate({**data, "tokenizer": {"model": "t"}}, CorpusManifest, where="m.yaml")
    assert found.sources[0].factual is meant


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key `c` is given twice"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ("[" * 100_000, "not valid JSON"),
        ("", "not valid JSON"),
        (b"\xff", "not valid JSON"),
    ],
)
def test_json_that_is_read_back(text, message) -> None:
    with pytest.raises(GristmillError, match=message):
        load_json(text, where="x.json")
