"""Files that are not JSON Lines give one error, with a remedy that works.

JSON Lines files lose no line to this check.
"""

import bz2
import gzip
import json
import shutil
import subprocess

import pytest

from pipeline.readers.tables import json_shape
from pipeline.readers.tables.json_shape import HEAD_BYTES, other_than_json_lines
from tests.growth import check_growth
from tests.pipeline.readers.samples import json_lines, read, read_pieces, write

ROWS = [
    {"text": f"The {number}th of the made-up records.", "id": number, "deep": {"a": [1, {"b": None}]}}
    for number in range(50)
]
ARRAY = json.dumps(ROWS, indent=2).encode()
OBJECT = json.dumps({"data": ROWS, "text": "one"}, indent=2).encode()
LINES_OF_ARRAY = b"[\n" + b",\n".join(json.dumps(row).encode() for row in ROWS) + b"\n]\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (ARRAY, "one JSON array"),
        (LINES_OF_ARRAY, "one JSON array"),
        (json.dumps(ROWS).encode(), "one JSON array"),
        (json.dumps(ROWS).encode() + b"\n \n", "one JSON array"),
        (json.dumps(["a", "b"], indent=1).encode(), "one JSON array"),
        (b"[]", "one JSON array"),
        (b"[\n]\n", "one JSON array"),
        (b"\xef\xbb\xbf\r\n \t" + ARRAY.replace(b"\n", b"\r\n"), "one JSON array"),
        (b'[{"text": "' + b"x" * 400_000 + b'"},\n{"text": "b"}]', "one JSON array"),
        (OBJECT, "JSON objects over several lines"),
        (b"\n".join(json.dumps(row, indent=4).encode() for row in ROWS), "JSON objects over several lines"),
        (OBJECT[:-300], "JSON objects over several lines"),
        (json.dumps(ROWS * 100, indent=1).encode(), "one JSON array"),
        ("\ufeff".encode("utf-16-le") + json_lines(*ROWS).decode().encode("utf-16-le"), "UTF-16"),
        (json_lines(*ROWS).decode().encode("utf-16-be"), "UTF-16BE"),
        (ARRAY.decode().encode("utf-16-le"), "UTF-16LE"),
        ("\ufeff".encode("utf-32-le") + json_lines(*ROWS).decode().encode("utf-32-le"), "UTF-32"),
    ],
)
def test_a_file_of_one_value_is_one_broken_entry(tmp_path, data, what) -> None:
    for name, packed in (
        ("f.jsonl", data),
        ("f.json", data),
        ("f.jsonl.gz", gzip.compress(data)),
        ("f.jsonl.bz2", bz2.compress(data)),
    ):
        result = read(write(tmp_path / name, packed), "jsonl")
        assert result.documents == []
        (broken,) = result.broken
        assert broken.error.startswith("no JSON Lines: the file ")
        assert what in broken.error
        assert broken.offset == 0
    assert [one.error for one in read_pieces(tmp_path / "f.jsonl", "jsonl", budget=len(data) // 7 + 1).broken] == [
        broken.error
    ]


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize(("data", "texts"), [(ARRAY, [row["text"] for row in ROWS]), (OBJECT, ["one"])])
def test_the_remedy_works(tmp_path, data, texts) -> None:
    (broken,) = read(write(tmp_path / "OLD", data), "jsonl").broken
    subprocess.run(broken.error.split("`")[1], shell=True, cwd=tmp_path, check=True)
    assert read(tmp_path / "NEW", "jsonl").texts == texts


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (b"[", "invalid JSON"),
        (b'{"text": "cut', "invalid JSON"),
        (b'{"text": ["cut",', "invalid JSON"),
        (b'{"a": {', "invalid JSON"),
        (b'["an", "array"]', "not an object"),
        (b'{"text": "a"} trailing', "invalid JSON"),
        (b'{\n"text": "over lines"\n}', "invalid JSON"),
    ],
)
def test_a_broken_first_line_costs_no_other(tmp_path, first, kind) -> None:
    result = read(write(tmp_path / "f.jsonl", first + b"\n" + json_lines(*ROWS)), "jsonl")
    assert result.texts == [row["text"] for row in ROWS]
    assert set(result.kinds) == {kind}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            b"id,text\n" + b"".join(b'%d,"some words"\n' % number for number in range(30)),
            "none of the first 20 lines is JSON: give the `format`",
        ),
        (b"".join(line + b",\n" for line in json_lines(*ROWS).splitlines()), "each ends with a comma"),
        (b"// a comment\n/* and\nanother */\n", "none of the first 3 lines"),
    ],
)
def test_where_no_line_is_json_the_first_entry_says_so(tmp_path, data, says) -> None:
    result = read(write(tmp_path / "f.jsonl", data), "jsonl")
    assert result.documents == []
    assert len(result.broken) == data.count(b"\n")
    assert says in result.broken[0].error
    assert [broken.error for broken in result.broken if says in broken.error] == [result.broken[0].error]


def test_several_values_on_a_line_and_record_separators(tmp_path) -> None:
    line = b"".join(json.dumps(row).encode() for row in ROWS[:3])
    result = read(write(tmp_path / "f.jsonl", json_lines(ROWS[0]) + line + b"\n"), "jsonl")
    assert [broken.error for broken in result.broken] == [
        "invalid JSON: several values on one line; write each on its own, as `jq -c . OLD > NEW` does"
    ]
    sequence = b"".join(b"\x1e" + row for row in json_lines(*ROWS).splitlines(keepends=True))
    assert read(write(tmp_path / "f.json-seq", sequence), "jsonl").texts == [row["text"] for row in ROWS]


def test_ordinary_files_are_told_by_their_first_line(tmp_path) -> None:
    for data in (
        json_lines(*ROWS),
        b"\n\n" + json_lines(*ROWS),
        b'{"text": "' + b"y" * 400_000 + b'"}\n' + json_lines(*ROWS),
    ):
        result = read(write(tmp_path / "f.jsonl", data), "jsonl")
        assert (result.broken, result.texts[-50:]) == ([], [row["text"] for row in ROWS])


def test_a_broken_first_record_costs_no_whole_ones() -> None:
    whole = b'{"text": "two"}\n{"text": "three"}\n'
    assert other_than_json_lines(b'{"text": "one", "id":\n"a"}\n{"text":\xff"broken"}\n' + whole, complete=True) is None
    assert (
        other_than_json_lines(b'{"records": [\n  {"text": "one"},\n  {"text": "two"}\n]}\n', complete=True) is not None
    )


LONG = [
    json.dumps([{"text": "x" * 60}] * 2_000).encode(),  # an array of 120 KB
    b"[" + b"1," * 17_000 + b"1]",  # more tokens than are looked at
    b"[" + b"1," * 17_000,  # and cut
    b'["' + b"x" * 120_000 + b'"]',
    b'["' + b"x" * 120_000,
    b"[" * 70_000,
    b'{"text": [\n' + b"1," * 60_000 + b"1]}",  # over lines
    b'{"text": "one", "id":\n"' + b"a" * 120_000 + b'"}',
    b"[" + b"1,\n" * 22_000 + b"1]",
    b"\xff\xfe" + ROWS[0]["text"].encode(),  # a byte order mark that lies
    b'{\0"\0',
    b"[\0",
]


@pytest.mark.parametrize("first", LONG, ids=range(len(LONG)))
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1]])
def test_a_long_broken_beginning_costs_no_whole_line(tmp_path, first, pack, rows) -> None:
    path = write(tmp_path / "f.jsonl", pack(b"\n" + first + b"\n \n" + json_lines(*rows)))
    result = read(path, "jsonl")
    assert result.texts == [row["text"] for row in rows]
    assert len(result.broken) == first.count(b"\n") + 1
    pieces = read_pieces(path, "jsonl", budget=40_000)
    assert (pieces.texts, pieces.total) == (result.texts, result.total)


def test_lines_longer_than_what_is_looked_at_are_not_lost(tmp_path, monkeypatch) -> None:
    rows = [{"text": "x" * 300_000, "id": number} for number in range(3)]
    first = json.dumps(["y"] * 40_000).encode() + b"\n"
    monkeypatch.setattr(json_shape, "_MOST_AHEAD", 200_000)
    assert len(read(write(tmp_path / "f.jsonl", first + json_lines(*rows)), "jsonl").documents) == 3
    monkeypatch.setattr(json_shape, "_MOST_FIRST_LINE", 100_000)
    assert len(read(write(tmp_path / "f.jsonl", first + json_lines(*ROWS)), "jsonl").documents) == len(ROWS)
    cut = gzip.compress(first + json_lines(*ROWS) * 50)[:-200]
    assert len(read(write(tmp_path / "f.jsonl.gz", cut), "jsonl").documents) > 1_000


def test_long_arrays_and_objects_are_still_told(tmp_path) -> None:
    many = ROWS * 40
    one_a_line = b"[\n" + b",\n".join(json.dumps(row).encode() for row in many) + b"\n]\n"
    for data in (
        json.dumps(many).encode(),
        json.dumps(many).encode() + b"\n",
        json.dumps(many).encode()[:-500],
        one_a_line,
        one_a_line[: one_a_line.rindex(b",")],
        one_a_line.replace(b",\n", b"\n,"),
        json.dumps(many, indent=0).encode(),
        json.dumps({"data": many}, indent=2).encode(),
        b'{"data": ' + one_a_line + b"}",
    ):
        result = read(write(tmp_path / "f.jsonl", data), "jsonl")
        assert (result.texts, [error.split(":")[0] for error in result.kinds]) == ([], ["no JSON Lines"])


@pytest.mark.parametrize(
    "piece", [b"[", b"1,", b'{"a":1}', b'[{"a":1},\n', b'{"a":[\n{"b":1}\n', b'["', b"\n", b'[\n{"a":1},']
)
def test_looking_ahead_takes_linear_time(piece) -> None:
    def look(data: bytes) -> None:
        other_than_json_lines(
            data[:HEAD_BYTES],
            complete=False,
            ahead=lambda: (data[at : at + 65536] for at in range(0, len(data), 65536)),
        )

    check_growth(lambda size: b"[1,\n" + piece * size, look, start=10_000)
