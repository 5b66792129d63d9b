"""Objects of a real S3 server: whole or absent, listed page by page; error messages for users."""

from __future__ import annotations

import _thread
import gzip
import io
import os
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
from tests.children import in_child
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


def test_a_listing_that_breaks_off_is_asked_for_again(proxy, folder, patient):
    """The library repeats requests and the bodies of objects, not those of listings."""
    names = [f"{number}" for number in range(10)]
    for name in names:
        files.publish(files.join(folder, name), b"-")
    proxy.faults = Faults(cut=0.5, seed=2)
    for _ in range(5):
        assert files.list_files(folder) == names
    assert proxy.counts["cut"] > 1


def test_a_mark_of_a_folder_is_no_file(store, folder):
    """What people make by a click in the pages of a store: an empty object whose name ends in a slash."""
    client, prefix = store.filesystem(), folder.removeprefix("s3://")
    for name in ("", "/a", "/a/b", "/empty"):
        client.create_dir(prefix + name)
    for name in ("a/nothing", "a/something"):
        files.publish(files.join(folder, name), b"" if "nothing" in name else b"-")
    assert files.list_files(folder) == ["a/nothing", "a/something"]
    assert not files.exists(files.join(folder, "a"))
    assert not files.exists(files.join(folder, "empty"))


def test_a_key_that_the_library_cannot_name_is_an_error_with_its_name(store, folder):
    key = f"{folder.rsplit('/', 1)[-1]}/two\nlines"
    store.store(b"-", key)
    for ask in (
        lambda: files.list_files(folder),
        lambda: files.read_bytes(store.url(key)),
        lambda: files.publish(f"{folder}/a//b", b"-"),
    ):
        with pytest.raises(GristmillError, match=r"two\slines|a//b") as caught:
            ask()
        assert "rename" in str(caught.value.remedy)


@pytest.mark.parametrize("size", [10, 1_000, 100_000])
def test_bytes_begin_where_numbers_may(store, folder, size):
    """Those of the library begin anywhere; kernels are compiled for numbers that do not."""
    files.publish(files.join(folder, "x"), bytes(size))
    assert {objects.get(files.join(folder, "x")).address % 16 for _ in range(5)} == {0}


def test_a_child_that_was_forked_is_told_so_instead_of_waiting_for_ever(store, folder):
    files.publish(files.join(folder, "x"), b"-")
    told, status = in_child(lambda tell: tell(refusal(files.join(folder, "x")).encode()), cpu_s=20)
    assert status == 0
    assert b"was forked from one that has used a store" in told
    assert b"spawn" in told
    assert files.read_bytes(files.join(folder, "x")) == b"-"


def refusal(path: str) -> str:
    try:
        return str(files.read_bytes(path))
    except GristmillError as error:
        return str(error)


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
    read = [
        text
        for records in read_parquet(path, name="t.parquet", source=source)
        for text in records.documents["text"].to_pylist()
    ]
    assert read == table["text"].to_pylist()
    proxy.faults = Faults(truncate="t.parquet")
    with pytest.raises(GristmillError, match="the store's answer is broken"):
        list(read_parquet(path, name="t.parquet", source=source))


def test_compressed_text_is_read_in_pieces_and_a_short_answer_is_no_damaged_file(proxy, folder, monkeypatch, patient):
    text = bytes(random.Random(1).choices(range(97, 123), k=300_000))
    monkeypatch.setattr(files, "_AHEAD", 50_000)
    for name, data in (
        ("x.gz", gzip.compress(text)),
        ("x.zst", zstandard.compress(text)),
        ("x.lz4", lz4(text)),
        ("x", text),
    ):
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


def test_the_keys_of_a_profile_are_used(store, folder, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / ".aws").mkdir()
    keys = f"aws_access_key_id = {store.access_key}\naws_secret_access_key = {store.secret_key}\n"
    (tmp_path / ".aws" / "credentials").write_text(f"[mine]\n{keys}")
    with pytest.raises(GristmillError, match="there are no keys"):
        files.exists(folder)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert not files.exists(files.join(folder, "none"))
    (tmp_path / ".aws" / "config").write_text(f"[profile other]\n{keys}[profile central]\nsso_session = x\n")
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert not files.exists(files.join(folder, "none"))
    monkeypatch.setenv("AWS_PROFILE", "central")
    with pytest.raises(GristmillError, match="there are no keys") as caught:
        files.exists(folder)
    assert "export-credentials" in str(caught.value.remedy)


def test_a_variable_that_is_empty_is_none(store, folder, monkeypatch):
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "")
    files.publish(files.join(folder, "x"), b"-")
    assert files.read_bytes(files.join(folder, "x")) == b"-"


@pytest.mark.parametrize("url", ["hdfs://namenode:8020/x", "ftp://host/x", "https://host/x"])
def test_a_scheme_that_is_not_known_is_named(url):
    with pytest.raises(GristmillError, match="no store that is known") as caught:
        files.exists(url)
    assert url in str(caught.value)
    assert "s3" in str(caught.value.remedy)


def test_another_region_is_named(store, folder, monkeypatch):
    class Redirecting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("x-amz-bucket-region", "eu-west-1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirecting) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        with pytest.raises(GristmillError, match="in another region") as caught:
            files.exists(folder)
        server.shutdown()
    assert "AWS_REGION" in str(caught.value.remedy)


def test_wrong_keys_are_named_and_not_printed(store, folder, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    for act in (
        lambda: files.publish(files.join(folder, "x"), b"1"),
        lambda: files.read_bytes(files.join(folder, "x")),
    ):
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


def test_a_proxy_of_the_environment_is_used_and_named_when_it_fails(store, folder, monkeypatch):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # part of what a client is remembered by
    with pytest.raises(GristmillError, match="cannot be reached") as caught:
        files.exists(folder)
    assert "HTTP_PROXY" in str(caught.value.remedy)


def test_a_store_that_never_answers_is_named_within_seconds(store, folder, monkeypatch):
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        monkeypatch.setattr("storage.stores._FIRST_TIMEOUT", timedelta(seconds=1))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(GristmillError, match="cannot be reached"):
            files.exists(folder)
        assert time.monotonic() - began < 10


def test_an_interrupt_in_the_middle_leaves_a_whole_object(store, proxy, folder):
    data = os.urandom(24 << 20)

    def interrupt() -> None:
        while not any("uploadId" in line for line in proxy.seen):
            time.sleep(0.001)
        _thread.interrupt_main()

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        publish_and_wait(f"{folder}/ours", data)
    interrupting.join()
    assert store.objects(folder.rsplit("/", 1)[-1])[folder.rsplit("/", 1)[-1] + "/ours"] == len(data)


def publish_and_wait(path: str, data: bytes) -> None:
    files.publish(path, data)
    time.sleep(10)


@pytest.mark.parametrize("name", ["x.gz", "x.zst", "x.bz2"])
def test_names_of_compressed_files_change_nothing(store, folder, name):
    files.publish(files.join(folder, name), b"as it is")
    assert files.file_size(files.join(folder, name)) == 8
    assert files.read_bytes(files.join(folder, name)) == b"as it is"


ODD = [
    "data[0-9].jsonl",
    "what?.jsonl",
    "st*r.jsonl",
    "a b.jsonl",
    "c#d.jsonl",
    "e%20f.jsonl",
    "+.jsonl",
    "u\u0308.jsonl",
    "\u00fc.jsonl",
]


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
