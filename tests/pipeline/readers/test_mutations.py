"""10,000 damaged files, the same ones every time: no crash, no hang, and no record that is not accounted for.

What "accounted for" means depends on the format. Plain archive: every byte is in one record or one broken stretch.
Archive of compressed members: every undamaged member is read. JSON Lines: every line that is not blank is counted once.
Table: every row in its metadata is counted. A crash in a C library ends the test run; a hang ends it by its timeout.
"""

import gzip
import io
import random
import re
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests.errors import GristmillError
from pipeline.readers.archives.arc import ARC
from pipeline.readers.archives.framing import Frame, frames
from pipeline.readers.archives.warc import WARC
from storage.compressed import opened
from tests.pipeline.readers.samples import json_lines, members, page, read, warc_record, wiki_dump, wiki_page, write

pytestmark = [pytest.mark.hostile, pytest.mark.timeout(180)]


def mutations(seeds, *, count, seed):
    """`count` damaged copies of the seeds: flipped bits, other bytes, truncations, removals, splices from this or
    another seed.
    """
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        match chance.randrange(5):
            case 0:
                for _ in range(chance.choice([1, 1, 2, 8])):
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 1:
                for _ in range(chance.choice([1, 4])):
                    data[chance.randrange(len(data))] = chance.choice([0, 10, 127, 128, 255])
            case 2:
                del data[chance.randrange(len(data)) :]
            case 3:
                begin = chance.randrange(len(data))
                del data[begin : begin + chance.choice([1, 8, 100, 1000])]
            case _:
                other = chance.choice(seeds)
                begin, size = chance.randrange(len(other)), chance.choice([1, 8, 64, 500, 2000])
                at = chance.randrange(len(data))
                data[at : at + chance.choice([0, size])] = other[begin : begin + size]
        yield bytes(data)


def events(path, grammar):
    with opened(str(path)) as raw:
        return list(frames(raw, grammar))


def records(count):
    """Small records of several kinds, ids 0, 1, ..."""
    found = [warc_record(0, b"software: none\r\n", kind="warcinfo")]
    for number in range(1, count):
        found.append(
            warc_record(number, page(f"Page number {number}."), kind=("response", "response", "request")[number % 3])
        )
    return found


ARC_RECORDS = [
    b"filedesc://f.arc 0.0.0.0 20140216050221 text/plain 20\n1 0 Some Capture Co\n\n\n",
    *(
        f"http://example.org/{number}?a b 1.2.3.4 20140216050221 text/html {len(page('One page.'))}\n".encode()
        + page("One page.")
        + b"\n"
        for number in range(4)
    ),
]


def check_bytes(data, found, grammar):
    """Every byte of a plain archive is in a frame, in a gap, or a line feed between them."""
    assert not data[: found[0].offset].strip(b"\r\n")
    for event, after in zip(found, [*(event.offset for event in found[1:]), len(data)], strict=True):
        stretch = data[event.offset : after]
        if isinstance(event, Frame):
            end = grammar.first_line.match(stretch).end()
            if grammar.header_lines:
                end = re.search(rb"\r?\n\r?\n", stretch).end()
            assert stretch[end : end + event.length] == event.block
            assert not stretch[end + event.length :].strip(b"\r\n")
        elif event.problem.kind != "empty file":
            size = int(re.search(r"\((\d+) bytes\)$", event.problem.detail)[1])
            assert not stretch[size:].strip(b"\r\n")
            assert stretch.startswith(event.excerpt)


@pytest.mark.parametrize(("name", "count"), [("warc", 1500), ("arc", 700)])
def test_plain_archives(tmp_path, name, count):
    grammar = WARC if name == "warc" else ARC
    seeds = [b"".join(records(5)), b"".join(records(3))] if name == "warc" else [b"".join(ARC_RECORDS)]
    kinds = Counter()
    for data in mutations(seeds, count=count, seed=1):
        path = write(tmp_path / "f", data)
        found = events(path, grammar)
        check_bytes(data, found, grammar)
        is_arc = ARC.first_line.match(data) is not None
        result = read(path, name)
        if is_arc == (name == "arc"):
            assert result.total == len(found)
        kinds.update(result.kinds)
    assert len(kinds) >= 4


def test_archives_of_compressed_members(tmp_path):
    parts = [[members([record]) for record in records(number)] for number in (6, 4)]
    blocks = {record.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n\r\n") for record in records(6)}
    seen = Counter()
    for data in mutations([b"".join(part) for part in parts], count=2300, seed=2):
        path = write(tmp_path / "f.gz", data)
        found = events(path, WARC)
        frames_found = Counter(event.headers.get("warc-record-id") for event in found if isinstance(event, Frame))
        for event, after in zip(found, [*found[1:], None], strict=True):
            # Checksums hold, but for the last record of a member whose end is missing: that is said next.
            assert (
                not isinstance(event, Frame)
                or event.block in blocks
                or "damaged gzip: the file ends" in str(after.problem)
            )
        if not data.startswith(b"\x1f\x8b"):  # then it is read as a plain file that holds no record
            check_bytes(data, found, WARC)
            continue
        for number, part in enumerate(parts[0]):
            # Not fewer; one more where damage hit what no checksum covers, as the time in a gzip header.
            assert frames_found[f"<urn:uuid:{number}>"] >= data.count(part)
        result = read(path, "warc")
        assert result.total == len(found)
        places = [event.offset for event in found]
        assert len(set(places)) == len(places)
        seen.update(result.kinds)
    assert seen["damaged gzip"] > 1000


LINES = json_lines(
    {"text": "one", "id": "a"},
    {"text": "zwei ü 中", "url": "http://e.org"},
    {"text": " "},
    {"no": 1},
    *({"text": f"line {i}"} for i in range(6)),
)


def test_json_lines(tmp_path):
    kinds = Counter()
    for data in mutations([LINES, LINES[:90] + b"\n\r\n"], count=1500, seed=3):
        result = read(write(tmp_path / "f.jsonl", data), "jsonl")
        starts = [0, *(match.end() for match in re.finditer(rb"\n", data))]
        lines = {start: line for start, line in zip(starts, data.split(b"\n"), strict=True) if line.strip()}
        assert result.total == len(lines) or (not data and result.kinds == ["empty file"])
        places = [record.offset for record in [*result.documents, *result.broken]]
        assert len(set(places)) == len(places)
        assert not data or set(places) <= set(lines)
        assert all(lines[record.offset].startswith(record.excerpt) for record in result.broken if data)
        kinds.update(result.kinds)
    assert {"invalid JSON", "invalid UTF-8", "no text"} <= set(kinds)


def test_compressed_json_lines(tmp_path):
    text = json_lines(*({"text": f"line {i} of some words"} for i in range(30)))
    seeds = [
        gzip.compress(text, mtime=0),
        gzip.compress(text, 0, mtime=0),
        gzip.compress(text[:400], mtime=0) + gzip.compress(text[400:], mtime=0),
    ]
    expected = read(write(tmp_path / "g.jsonl", text), "jsonl")
    damaged = 0
    for data in mutations(seeds, count=1000, seed=4):
        result = read(write(tmp_path / "f.jsonl.gz", data), "jsonl")
        places = [record.offset for record in [*result.documents, *result.broken]]
        assert len(set(places)) == len(places) or result.kinds[-1:] == ["damaged gzip"]
        # Whole members of a file may be lost by a cut between them; anything else that is missing or changed has its
        # broken entry.
        assert result.broken or len(result.documents) in (30, 0) or data in [seed[: len(data)] for seed in seeds]
        if not result.broken:
            assert set(result.documents) <= set(expected.documents)
        damaged += "damaged gzip" in result.kinds
    assert damaged > 700


ROWS = 48  # the last one holds text


def table(rows=ROWS):
    texts = [None if i % 9 == 4 else " " if i % 9 == 5 else f"text {i} " * (i % 5 + 1) for i in range(rows)]
    return pa.table(
        {
            "text": texts,
            "id": [str(i) for i in range(rows)],
            "url": pa.array(["http://e.org"] * rows).dictionary_encode(),
        }
    )


def check_rows(result, rows):
    """Documents, skipped and broken rows are together the rows of the file, none twice."""
    documents = [record.offset for record in result.documents]
    assert documents == sorted(set(documents))
    counted = len(documents) + sum(result.skipped.values())
    for record in result.broken:
        stretch = re.search(r"rows (\d+) to (\d+)", record.error)
        first, last = (int(stretch[1]), int(stretch[2])) if stretch else (record.offset, record.offset)
        assert first == record.offset
        assert not any(first <= row <= last for row in documents)
        counted += last - first + 1
    assert counted == rows


def test_parquet(tmp_path):
    seeds = []
    for compression, checksum in (("none", True), ("snappy", False), ("zstd", False), ("none", False)):
        sink = io.BytesIO()
        pq.write_table(table(), sink, row_group_size=20, compression=compression, write_page_checksum=checksum)
        seeds.append(sink.getvalue())
    seen = Counter()
    for data in mutations(seeds, count=1000, seed=5):
        try:
            result = read(write(tmp_path / "f.parquet", data), "parquet")
        except GristmillError:
            seen["columns"] += 1  # a name that was hit
            continue
        seen.update(result.kinds or ["whole"])
        if not any("cannot be opened" in record.error or record.error.startswith("empty") for record in result.broken):
            metadata = pq.read_metadata(io.BytesIO(data))
            check_rows(result, sum(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)))
    assert seen["damaged Parquet"] > 300
    assert seen["whole"] > 30


def test_arrow(tmp_path):
    seeds = []
    for make in (pa.ipc.new_file, pa.ipc.new_stream):
        for compression in (None, "zstd"):
            sink = pa.BufferOutputStream()
            with make(sink, table().schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
                writer.write_table(table(), max_chunksize=20)
            seeds.append(sink.getvalue().to_pybytes())
    seen = Counter()
    for data in mutations(seeds, count=1000, seed=6):
        try:
            result = read(write(tmp_path / "f.arrow", data), "arrow")
        except GristmillError:
            seen["columns"] += 1
            continue
        seen.update(result.kinds or ["whole"])
        errors = " ".join(record.error for record in result.broken)
        if (
            data.startswith(b"ARROW1")
            and "cannot be opened" not in errors
            and len(result.documents) + sum(result.skipped.values())
        ):
            rows = [int(number) for number in re.findall(r"rows \d+ to (\d+)", errors)]
            rows += [record.offset for record in [*result.documents, *result.broken]]
            check_rows(result, max(*rows, ROWS - 1 if sum(result.skipped.values()) > 10 else 0) + 1)
    assert seen["damaged Arrow"] > 300
    assert seen["whole"] > 30


def test_mediawiki(tmp_path):
    pages = [
        wiki_page(number, f"The ''text'' of page {number} with a [[link]] and {{{{a|template}}}}.")
        for number in range(4)
    ]
    seed = wiki_dump(*pages)
    ends = [match.end() for match in re.finditer(b"</page>", seed)]
    expected = read(write(tmp_path / "whole.xml", seed), "mediawiki").texts
    assert len(expected) == 4
    kinds = Counter()
    for data in mutations([seed], count=1000, seed=7):
        result = read(write(tmp_path / "f.xml", data), "mediawiki")
        same = next(
            (at for at, (old, new) in enumerate(zip(seed, data, strict=False)) if old != new), min(len(seed), len(data))
        )
        untouched = sum(end <= same for end in ends)
        assert result.texts[:untouched] == expected[:untouched] or "refused" in result.kinds
        assert result.total >= untouched
        assert result.total + (b"<page>" not in data) > 0
        if not result.broken:
            assert result.total >= sum(own.encode() in data for own in pages)
        kinds.update(result.kinds)
    assert kinds["damaged XML"] > 300


def test_there_are_ten_thousand():
    """As the tests above count them."""
    assert 1500 + 700 + 2300 + 1500 + 1000 + 1000 + 1000 + 1000 == 10_000
