"""Objects of a real S3 server: whole or absent, listed page by page, and what people are told when something is wrong."""

from __future__ import annotations

import _thread
import gzip
import io
import os
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from manifests.corpus import Source
from manifests.errors import GristmillError
from pipeline.extract.inputs import list_raw_files
from pipeline.readers.tables.parquet import read_parquet
from storage import files, objects
from storage.compressed import chunks
from storage.stores import locate
from tests.store.proxy import Faults
from tests.store.server import free_ports

SECRET = "geheim/nothing+to/see0000"


def test_one_put_per_file_and_the_size_is_checked(proxy, folder):
    files.publish(files.join(folder, "a", "b"), [b"one ", memoryview(b"and "), pa.py_buffer(b"two")])
    assert proxy.counts["PUT"] == 1
    assert [line.split()[0] for line in proxy.seen[-2:]] == ["PUT", "HEAD"]
    assert files.read_bytes(files.join(folder, "a", "b")) == b"one and two"


def test_a_large_object_goes_up_in_parts_and_comes_back_equal(store, folder):
    data = os.urandom(objects.WHOLE + 12_345)
    path = files.join(folder, "large")
    files.publish(path, data)
    assert files.file_size(path) == len(data)
    assert files.read_bytes(path) == data
    with files.map_file(path) as file:
        assert file.size() == len(data)
        file.seek(len(data) - 10)
        assert bytes(file.read()) == data[-10:]
    with files.open_stream(path) as stream:
        assert stream.read(100) == data[:100]
        stream.seek(-7, io.SEEK_END)
        assert stream.read() == data[-7:]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 70_000])
def test_any_size_and_any_last_byte(store, folder, size):
    path = files.join(folder, "x")
    for last in (0x00, 0xA5, 0x5A):  # two of them are the marks by which short answers are found
        data = (os.urandom(size) + bytes([last]))[-size:] if size else b""
        files.publish(path, data)
        assert files.read_bytes(path) == data


def test_listing_is_paged(store, folder):
    names = [f"part-{number:04d}" for number in range(1_100)]
    client, prefix = store.filesystem(), folder.removeprefix("s3://")

    def put(name: str) -> None:
        stream = client.open_output_stream(f"{prefix}/many/{name}")
        stream.write(name.encode())
        stream.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, names))
    assert files.list_files(folder) == [f"many/{name}" for name in names]
    assert files.list_files(folder, "many/*-10??") == [f"many/{name}" for name in names[1_000:]]
    files.remove_tree(files.join(folder, "many"))
    assert files.list_files(folder) == []


def test_only_the_part_of_the_pattern_without_wildcards_is_listed(proxy, folder):
    files.publish(files.join(folder, "a/b/1.gz"), b"-")
    proxy.seen.clear()
    assert files.list_files(folder, "a/b/*.gz") == ["a/b/1.gz"]
    assert files.list_files(folder, "a/b/1.gz") == ["a/b/1.gz"]
    assert files.list_files(folder, "a/c/*.gz") == []
    listed = [line for line in proxy.seen if "list-type" in line]
    assert listed
    assert all("a%2Fb%2F" in line or "a%2Fc" in line for line in listed)


def test_absent_files_are_absent(store, folder):
    assert not files.exists(files.join(folder, "none"))
    assert files.list_files(folder) == []
    files.remove_file(files.join(folder, "none"))
    files.remove_tree(files.join(folder, "none"))
    for ask in (files.read_bytes, files.file_size, files.map_file):
        with pytest.raises(GristmillError, match="no such file") as caught:
            ask(files.join(folder, "none"))
        assert caught.value.where == files.join(folder, "none")


def test_a_neighbour_with_the_same_beginning_is_left_alone(store, folder):
    for name in ("a/1", "a/b/2", "ab/3", "a.txt"):
        files.publish(files.join(folder, name), b"-")
    files.remove_tree(files.join(folder, "a"))
    assert files.list_files(folder) == ["a.txt", "ab/3"]


def test_a_whole_bucket_is_not_removed(store):
    with pytest.raises(GristmillError, match="whole bucket"):
        files.remove_tree(store.url())


def test_slow_downs_and_broken_connections_are_tried_again(proxy, folder):
    proxy.faults = Faults(slow_down=0.15, cut=0.15, seed=1)
    for number in range(40):
        data = os.urandom(500 + number)
        files.publish(files.join(folder, str(number)), data)
        assert files.read_bytes(files.join(folder, str(number))) == data
    assert proxy.counts["slow_down"] > 5
    assert proxy.counts["cut"] > 5


def test_a_short_answer_is_read_again(proxy, folder, patient):
    data = bytes(range(256)) * 40
    files.publish(files.join(folder, "x"), data)
    proxy.faults = Faults(truncate="/x$", truncate_times=2)
    assert files.read_bytes(files.join(folder, "x")) == data
    assert proxy.counts["truncated"] == 2


@pytest.mark.parametrize("data", [b"\xa5" * 1_000, b"\x5a" * 1_000, bytes(1_000)])
def test_answers_that_stay_short_are_an_error_never_data(proxy, folder, patient, data):
    path = files.join(folder, "x")
    files.publish(path, data)
    proxy.faults = Faults(truncate="/x$")
    for read in (files.read_bytes, files.sha256_file):
        with pytest.raises(GristmillError, match="fewer than the 1000 bytes") as caught:
            read(path)
        assert caught.value.where == path
        assert caught.value.remedy


def test_a_store_that_never_recovers_is_named(proxy, folder, patient):
    proxy.faults = Faults(refuse="PUT .*/x$")
    with pytest.raises(GristmillError, match="does not serve this request") as caught:
        files.publish(files.join(folder, "x"), b"1")
    assert proxy.endpoint in str(caught.value)
    proxy.faults = Faults()
    assert not files.exists(files.join(folder, "x"))


def test_parquet_is_read_in_ranges_and_a_short_answer_is_no_damaged_file(proxy, folder, monkeypatch, patient):
    """Damaged Parquet is quarantined; a store that fails must end the task instead."""
    monkeypatch.setattr(objects, "WHOLE", 1_000)
    table = pa.table({"text": [f"text {number}" for number in range(20_000)]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=5_000)
    path = files.join(folder, "t.parquet")
    files.publish(path, sink.getvalue())
    source = Source(name="s", format="parquet", files=["t.parquet"], licence="none")
    read = [text for records in read_parquet(path, name="t.parquet", source=source) for text in records.documents["text"].to_pylist()]
    assert read == table["text"].to_pylist()
    proxy.faults = Faults(truncate="t.parquet")
    with pytest.raises(GristmillError, match="the store's answer is broken"):
        list(read_parquet(path, name="t.parquet", source=source))


def test_compressed_text_is_read_in_pieces_and_a_short_answer_is_no_damaged_file(proxy, folder, monkeypatch, patient):
    text = bytes(random.Random(1).choices(range(97, 123), k=300_000))
    monkeypatch.setattr(files, "_AHEAD", 50_000)
    for name, data in (("x.gz", gzip.compress(text)), ("x.zst", zstandard.compress(text)), ("x.lz4", lz4(text)), ("x", text)):
        path = files.join(folder, name)
        proxy.faults = Faults()
        files.publish(path, data)
        assert b"".join(chunks(path)) == text
        proxy.faults = Faults(truncate="/x")
        with pytest.raises(GristmillError, match="the store's answer is broken"):
            list(chunks(path))


def lz4(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "lz4") as stream:
        stream.write(data)
    return bytes(sink.getvalue().to_pybytes())


def test_keys_in_a_url_are_refused_and_not_repeated(store):
    for url in (f"s3://AKIAX:{SECRET}@test-bucket/x", "s3://AKIAX@test-bucket/x", f"gs://user:{SECRET}@bucket/x"):
        with pytest.raises(GristmillError) as caught:
            files.exists(url)
        assert SECRET not in str(caught.value)
        assert "geheim" not in str(caught.value)
        assert "AKIAX" not in str(caught.value)
        assert "remedy" in str(caught.value)


def test_missing_keys_are_named(store, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(GristmillError, match="AWS_SECRET_ACCESS_KEY is not set"):
        files.exists(folder)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(GristmillError, match="there are no keys") as caught:
        files.exists(folder)
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)
    assert store.endpoint in str(caught.value)


def test_wrong_keys_are_named_and_not_printed(store, folder, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    for act in (lambda: files.publish(files.join(folder, "x"), b"1"), lambda: files.read_bytes(files.join(folder, "x"))):
        with pytest.raises(GristmillError, match="refuses the keys") as caught:
            act()
        assert SECRET not in str(caught.value)
        assert store.access_key not in str(caught.value)
        assert "AWS_SECRET_ACCESS_KEY" in str(caught.value)


def test_a_missing_bucket_is_named(store):
    for act in (lambda: files.publish("s3://no-such-bucket/x", b"1"), lambda: files.exists("s3://no-such-bucket/x")):
        with pytest.raises(GristmillError, match="no such bucket") as caught:
            act()
        assert "s3://no-such-bucket" in str(caught.value)


def test_an_unreachable_store_is_named_within_seconds(store, folder, monkeypatch):
    endpoint = f"http://127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    began = time.monotonic()
    with pytest.raises(GristmillError, match="cannot be reached") as caught:
        files.exists(folder)
    assert time.monotonic() - began < 15
    assert endpoint in str(caught.value)
    assert "AWS_ENDPOINT_URL" in str(caught.value)


def test_a_store_that_never_answers_is_named_within_seconds(store, folder, monkeypatch):
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        monkeypatch.setattr("storage.stores._FIRST_SECONDS", 1.0)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(GristmillError, match="cannot be reached"):
            files.exists(folder)
        assert time.monotonic() - began < 10


def test_an_interrupt_in_the_middle_leaves_a_whole_object(store, folder, monkeypatch):
    """Falling between opening and writing, it would leave an empty object: Arrow's stream commits when it is destroyed."""
    stream = store.filesystem().open_output_stream(f"{folder.removeprefix('s3://')}/plain")
    del stream
    assert files.file_size(files.join(folder, "plain")) == 0

    def interrupted(url: str) -> Any:
        filesystem, key = locate(url)

        class Interrupting:
            def open_output_stream(self, *arguments: Any, **options: Any) -> Any:
                opened = filesystem.open_output_stream(*arguments, **options)
                _thread.interrupt_main()
                time.sleep(0.05)
                return opened

            def __getattr__(self, name: str) -> Any:
                return getattr(filesystem, name)

        return Interrupting(), key

    monkeypatch.setattr(objects, "locate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.publish(files.join(folder, "ours"), b"data")
    monkeypatch.undo()
    name = folder.rsplit("/", 1)[-1] + "/ours"
    end = time.monotonic() + 10
    while name not in (found := store.objects(folder.rsplit("/", 1)[-1])) and time.monotonic() < end:
        time.sleep(0.02)  # the interrupt may come before the sending thread is waited for
    assert found[name] == 4


@pytest.mark.parametrize("name", ["x.gz", "x.zst", "x.bz2"])
def test_names_of_compressed_files_change_nothing(store, folder, name):
    files.publish(files.join(folder, name), b"as it is")
    assert files.file_size(files.join(folder, name)) == 8
    assert files.read_bytes(files.join(folder, name)) == b"as it is"


ODD = ["data[0-9].jsonl", "what?.jsonl", "st*r.jsonl", "a b.jsonl", "c#d.jsonl", "e%20f.jsonl", "+.jsonl", "u\u0308.jsonl", "\u00fc.jsonl"]


def test_names_that_look_like_patterns_or_escapes_are_names(store, folder):
    place = files.join(folder, "[D] x")
    for name in (*ODD, "data1.jsonl", "star.jsonl", "whats.jsonl", ".hidden.jsonl"):
        files.publish(files.join(place, name), name.encode())
    for name in ODD:
        for root, given in ((place, name), (None, files.join(place, name))):
            (file,) = list_raw_files([Source(name="s", format="jsonl", root=root, files=[given], licence="none")])
            assert file.name.endswith(name)
            assert files.read_bytes(file.path) == name.encode()
    found = list_raw_files([Source(name="s", format="jsonl", root=place, files=["*.jsonl"], licence="none")])
    assert len(found) == len(ODD) + 3
