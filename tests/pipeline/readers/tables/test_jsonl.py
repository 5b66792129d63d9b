import gzip
import json

import pytest

from manifests.errors import GristmillError
from pipeline.readers.tables import jsonl
from tests.pipeline.readers.samples import json_lines, read, write


def test_documents_carry_id_url_and_the_offset_of_their_line(tmp_path):
    data = json_lines(
        {"text": "one", "id": "a", "url": "http://e.org/a"}, {"text": "zwei ü"}, {"text": "three", "id": 3}
    )
    result = read(write(tmp_path / "f.jsonl", data), "jsonl")
    assert [(r.name, r.url, r.text) for r in result.documents] == [
        ("a", "http://e.org/a", "one"),
        (None, None, "zwei ü"),
        ("3", None, "three"),
    ]
    for record in result.documents:
        line = data[record.offset :].split(b"\n", 1)[0]
        assert json.loads(line)["text"] == record.text


def test_fields_by_other_names(tmp_path):
    path = write(tmp_path / "f.jsonl", json_lines({"body": "one", "key": "k", "link": "l", "text": "no"}))
    (record,) = read(path, "jsonl", text_field="body", id_field="key", url_field="link").documents
    assert (record.text, record.name, record.url) == ("one", "k", "l")


def test_fields_within_objects_and_values_that_are_no_text(tmp_path):
    rows = [
        {"meta": {"url": "u", "a.b": {"id": 7}}, "text": "one"},
        {"meta": 1, "text": "two"},
        {"meta.url": "v", "text": "three"},
    ]
    path = write(
        tmp_path / "f.jsonl", json_lines(*rows, {"meta": {"url": ["w"], "a.b": {"id": {"x": None}}}, "text": "four"})
    )
    records = read(path, "jsonl", url_field="meta.url", id_field="meta.a.b").documents
    assert [(r.url, r.name, r.text) for r in records] == [
        ("u", '{"id": 7}', "one"),
        (None, None, "two"),
        ("v", None, "three"),
        (None, '{"id": {"x": null}}', "four"),
    ]


def test_what_python_writes_is_read(tmp_path):
    lines = b'{"score": NaN, "text": "one"}\n{"a": -Infinity, "text": "\\ud83d\\ude00 two \\ud83d"}\n'
    result = read(write(tmp_path / "f.jsonl", lines), "jsonl")
    assert [record.text for record in result.documents] == ["one", "\U0001f600 two \ufffd"]
    assert result.broken == []


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"text": "a\xff\xfeb"}', "invalid UTF-8"),
        (b'{"text": "a"', "invalid JSON"),
        (b"hello", "invalid JSON"),
        (b'{"text": NaN}', "no text: field `text` is float, not text; fields: text"),
        (
            '{"text": "one"}'.encode("utf-16-le"),
            "invalid UTF-8: it holds NUL bytes, as UTF-16 does; convert the file to UTF-8",
        ),
        (b'{"\\udc00": 1, "id": "\\ud800"}', "no text: field `text` is missing; fields: id, \ufffd"),
        (b'{"a": NaN, "b": ' + b"[" * 600 + b"]" * 600 + b', "text": "one"}', "invalid JSON"),
        (b'["a"]', "not an object: list"),
        (b'"a"', "not an object: str"),
        (b"null", "not an object: NoneType"),
        (b'{"html": "a", "id": "x"}', "no text: field `text` is missing; fields: html, id"),
        (b'{"text": 5}', "no text: field `text` is int, not text"),
        (b'{"text": null}', "no text: field `text` is NoneType, not text"),
        (b'{"text": ["a"]}', "no text: field `text` is list, not text"),
        (b"[" * 100_000, "invalid JSON"),
        (b'{"text": "a", "id": ' + b"[" * 1_000 + b"]" * 1_000 + b"}", "id nested too deeply: more than 200 levels"),
        (
            b'{"text": "a", "id": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
            "id nested too deeply: more than 200 levels",
        ),
        (b'{"text": "a", "id": ' + b"[" * 2_000 + b"]" * 2_000 + b"}", "invalid JSON"),
        (b'{"text": "a", "id": "' + b"i" * 70_000 + b'"}', "id too large: 70000 characters"),
        (b'{"text": ' + b"[" * 1_000 + b"]" * 1_000 + b"}", "no text: field `text` is list, not text"),
    ],
)
def test_a_broken_line_is_quarantined_with_its_error_and_costs_no_other(tmp_path, line, error):
    first, last = json_lines({"text": "first"}), json_lines({"text": "last"})
    result = read(write(tmp_path / "f.jsonl", first + line + b"\n" + last), "jsonl")
    assert result.texts == ["first", "last"]
    (broken,) = result.broken
    assert broken.error.startswith(error)
    assert broken.offset == len(first)
    assert broken.excerpt == line[:200]


def test_values_that_cost_nothing_where_they_are_not_looked_at(tmp_path):
    """Brackets in one line beside NaN, integers that Python refuses, URLs that are no text or too long."""
    flat = '"a": NaN, "b": [' + ", ".join(["[]"] * 2_000) + '], "c": "' + '[{\\"' * 900 + '"'
    lines = [
        "{" + flat + ', "text": "one"}',
        '{"n": ' + "7" * 5_000 + ', "text": "two", "id": ' + "8" * 400 + "}",
        '{"text": "three", "url": ' + "[" * 1_000 + "]" * 1_000 + "}",
        '{"text": "four", "url": "' + "u" * 70_000 + '"}',
        '{"text": "five", "id": ' + "[" * 199 + "]" * 199 + "}",
    ]
    result = read(write(tmp_path / "f.jsonl", "\n".join(lines).encode()), "jsonl")
    assert result.broken == []
    assert result.texts == ["one", "two", "three", "four", "five"]
    assert [record.url for record in result.documents] == [None] * 5


def test_what_an_error_and_a_batch_hold_is_bounded(tmp_path):
    from manifests.corpus import Source
    from pipeline.readers import read_records

    keys = json.dumps({f"{number}" * 100_000: 1 for number in range(10)}).encode()
    (broken,) = read(write(tmp_path / "f.jsonl", keys), "jsonl").broken
    assert len(broken.error) <= 1_000
    path = write(
        tmp_path / "g.jsonl", json_lines(*({"text": "x", "id": f"{i:04d}" + "i" * 60_000} for i in range(600)))
    )
    source = Source(name="s", format="jsonl", files=["*"], licence="none")
    sizes = [records.documents.num_rows for records in read_records(str(path), name="g", source=source)]
    assert sum(sizes) == 600
    assert max(sizes) < 300


def test_a_broken_record_keeps_its_own_id(tmp_path):
    (broken,) = read(write(tmp_path / "f.jsonl", json_lines({"id": "x", "html": "a"})), "jsonl").broken
    assert broken.name == "x"


def test_blank_lines_are_no_records_and_blank_texts_are_skipped(tmp_path):
    path = write(
        tmp_path / "f.jsonl", b"\n  \r\n" + json_lines({"text": " \n\t\u00a0"}, {"text": ""}, {"text": "x"}) + b"\n\n"
    )
    result = read(path, "jsonl")
    assert (result.texts, result.skipped, result.broken) == (["x"], {"empty_text": 2}, [])


def test_line_ends_of_windows_a_byte_order_mark_and_a_last_line_without_end(tmp_path):
    result = read(write(tmp_path / "f.jsonl", b'\xef\xbb\xbf{"text":"a"}\r\n{"text":"b"}'), "jsonl")
    assert result.texts == ["a", "b"]
    assert [r.offset for r in result.documents] == [0, 17]


def test_a_line_over_the_limit_is_quarantined_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "MOST_LINE_BYTES", 1_000_000)
    long = json.dumps({"text": "x" * 3_000_000}).encode()
    path = write(tmp_path / "f.jsonl", json_lines({"text": "a"}) + long + b"\n" + json_lines({"text": "b"}))
    result = read(path, "jsonl")
    assert result.texts == ["a", "b"]
    (broken,) = result.broken
    assert broken.error == f"line too long: {len(long)} bytes, at most 1000000 are read"
    assert (broken.offset, broken.excerpt) == (len(json_lines({"text": "a"})), long[:200])


def test_a_line_at_the_limit_is_read(tmp_path, monkeypatch):
    line = json_lines({"text": "x" * 500_000})
    monkeypatch.setattr(jsonl, "MOST_LINE_BYTES", len(line) - 1)
    assert read(write(tmp_path / "f.jsonl", line), "jsonl").texts == ["x" * 500_000]


def test_truncated_gzip_gives_the_whole_lines_before_and_one_broken_entry(tmp_path):
    lines = [json.dumps({"text": f"line {i} " * 50}).encode() + b"\n" for i in range(2_000)]
    data = gzip.compress(b"".join(lines))
    result = read(write(tmp_path / "f.jsonl.gz", data[: len(data) // 2]), "jsonl")
    assert 500 < len(result.documents) < 1_500
    assert result.texts == [f"line {i} " * 50 for i in range(len(result.documents))]
    (broken,) = result.broken
    assert broken.error.startswith("damaged gzip: the file ends in the middle of a member")
    assert broken.offset >= sum(map(len, lines[: len(result.documents)]))


def test_an_empty_file_is_one_broken_entry(tmp_path):
    for name, data in (("plain", b""), ("packed", gzip.compress(b""))):
        result = read(write(tmp_path / name, data), "jsonl")
        assert (result.total, result.kinds, result.broken[0].offset) == (1, ["empty file"], 0)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GristmillError, match=r"gone\.jsonl: no such file"):
        read(tmp_path / "gone.jsonl", "jsonl")


def test_batches_are_bounded_and_in_order(tmp_path):
    from manifests.corpus import Source
    from pipeline.readers import read_records

    path = write(tmp_path / "f.jsonl", json_lines(*({"text": f"{i:06d}" + "x" * 100_000} for i in range(200))))
    source = Source(name="s", format="jsonl", files=["*"], licence="none")
    batches = [records.documents["text"].to_pylist() for records in read_records(str(path), name="f", source=source)]
    assert max(sum(map(len, batch)) for batch in batches) < 5 << 20
    assert [text[:6] for batch in batches for text in batch] == [f"{i:06d}" for i in range(200)]
