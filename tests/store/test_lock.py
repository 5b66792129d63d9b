"""One writer per folder, locally and in the store; intervals are short here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from manifests.errors import GristmillError
from storage.files import exists, join, list_files, publish, read_bytes
from storage.lock import LEASE, only_writer
from tests.paths import PROJECT
from tests.store.proxy import Faults

QUICK = {"renew": 0.1, "stale": 1.5}

HOLD = """
import sys, time
from storage.lock import only_writer
with only_writer(sys.argv[1], renew=0.1, stale=1.5):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["local", "store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "out")
    request.getfixturevalue("store")
    return str(request.getfixturevalue("folder"))


def write_and_fail(folder: str, name: str) -> None:
    with only_writer(folder, **QUICK):
        publish(join(folder, name), b"-")
        raise ZeroDivisionError


def write_and_wait(folder: str, lease: bytes) -> None:
    with only_writer(folder, **QUICK):
        while read_bytes(join(folder, LEASE)) != lease:  # a renewal that was on its way may come after it
            publish(join(folder, LEASE), lease)
            time.sleep(0.05)
        time.sleep(10)


def holder(folder: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, folder], cwd=PROJECT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_living_writer_keeps_others_out_and_a_killed_one_does_not(place):
    process = holder(place)
    try:
        with pytest.raises(GristmillError, match="another command is writing"), only_writer(place, **QUICK):
            pass
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    said: list[str] = []
    began = time.monotonic()
    with only_writer(place, say=said.append, **QUICK):
        assert time.monotonic() - began < 1.0
    assert place.startswith("/") or "has ended" in said[0]


def test_released_at_the_end_and_after_an_error(place):
    for number in range(2):
        with pytest.raises(ZeroDivisionError):
            write_and_fail(place, str(number))
    assert list_files(place) == ["0", "1"]
    assert not exists(join(place, LEASE))


def test_a_lease_of_another_machine_that_nobody_renews_is_taken_over(store, folder):
    lease = {"token": "t", "host": "elsewhere", "machine": "another boot", "pid": 7, "born": "1", "count": 3}
    publish(join(folder, LEASE), json.dumps(lease).encode())
    said: list[str] = []
    began = time.monotonic()
    with only_writer(folder, say=said.append, **QUICK):
        assert time.monotonic() - began >= 1.5
        assert json.loads(read_bytes(join(folder, LEASE)))["token"] != "t"
    assert "elsewhere" in said[0]
    assert "taken over" in said[1]


@pytest.mark.parametrize("data", [b"", b"{", b'{"other": 1}', b"\xff\xfe"])
def test_a_lease_that_is_none_is_watched_and_taken_over(store, folder, data):
    publish(join(folder, LEASE), data)
    with only_writer(folder, renew=0.1, stale=0.3):
        assert json.loads(read_bytes(join(folder, LEASE)))["pid"] == os.getpid()


def test_a_lease_is_renewed(store, folder):
    with only_writer(folder, **QUICK):
        first = json.loads(read_bytes(join(folder, LEASE)))["count"]
        time.sleep(0.5)
        assert json.loads(read_bytes(join(folder, LEASE)))["count"] > first


def test_whoever_loses_its_lease_ends_with_an_error_and_leaves_the_new_one(store, folder):
    theirs = json.dumps({"token": "theirs", "host": "h", "machine": "m", "pid": 1, "born": "2", "count": 0}).encode()
    began = time.monotonic()
    with pytest.raises(GristmillError, match="has taken over this folder"):
        write_and_wait(folder, theirs)
    assert time.monotonic() - began < 5
    assert read_bytes(join(folder, LEASE)) == theirs


def test_of_two_that_begin_together_one_goes_on(store, folder):
    processes = [
        subprocess.Popen([sys.executable, "-c", BOTH, folder], cwd=PROJECT, stderr=subprocess.PIPE) for _ in range(2)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 1]
    assert "another command is writing" in "".join(errors)


BOTH = """
import sys, time
from storage.lock import only_writer
from storage.files import exists
exists(sys.argv[1])
time.sleep(1 - time.time() % 1)
with only_writer(sys.argv[1], renew=0.1, stale=1.5):
    time.sleep(2)
"""


@pytest.mark.parametrize("stale", [False, True])
def test_of_many_that_compete_exactly_one_wins_each_time(store, folder, stale):
    """Five processes, released together thirty times, for a folder without a lease and for one whose owner is gone."""
    left = json.dumps(
        {"token": "t", "host": "elsewhere", "machine": "another boot", "pid": 7, "born": "1", "count": 3}
    ).encode()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COMPETE],
            cwd=PROJECT,
            text=True,
            bufsize=1,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(5)
    ]
    try:
        for number in range(30):
            place = join(folder, str(number))
            if stale:
                publish(join(place, LEASE), left)
            for process in processes:
                assert process.stdin is not None
                process.stdin.write(place + "\n")
            said = [line_of(process) for process in processes]
            assert sorted(said) == ["busy"] * 4 + ["won"]
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("\n")
            assert [line_of(process) for process in processes] == ["let go"] * 5
            assert not exists(join(place, LEASE))
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


COMPETE = """
import sys
from contextlib import ExitStack
from manifests.errors import GristmillError
from storage.lock import only_writer
for line in sys.stdin:
    with ExitStack() as held:
        try:
            held.enter_context(only_writer(line.strip(), renew=0.1, stale=0.3))
            print("won", flush=True)
        except GristmillError as error:
            print("busy" if "another command is writing" in str(error) else error, flush=True)
        sys.stdin.readline()
    print("let go", flush=True)
"""


def test_a_lost_confirmation_of_a_lease_is_no_loss(proxy, folder):
    proxy.faults = Faults(cut=0.4, seed=3)
    for number in range(5):
        with only_writer(join(folder, str(number)), renew=0.02, stale=30):
            time.sleep(0.4)
    assert proxy.counts["cut"] > 10


def test_a_store_that_ignores_conditions_is_refused(store, folder, monkeypatch):
    def unconditional(url: str, data: bytes, version: object) -> object:
        publish(url, data)
        return {"e_tag": "x"}

    monkeypatch.setattr("storage.objects.put_if", unconditional)
    with pytest.raises(GristmillError, match="ignores conditions"), only_writer(folder, **QUICK):
        pass
