"""Starting ranks: their environment, where their store listens, and which failure is blamed."""

from __future__ import annotations

import json
import os
import queue
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

torch = pytest.importorskip("torch")

from manifests.errors import GristmillError  # noqa: E402
from training import launch as launching  # noqa: E402
from training.launch import _End, _explain, _Rank, _settings, _store, launch, loopback_interface  # noqa: E402


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "_LAST_WORDS_S", 0.2)
    monkeypatch.setattr(launching, "_KILL_S", 0.3)


def test_the_store_listens_on_loopback_only() -> None:
    store, port = _store()
    listening = [
        connection.laddr
        for connection in psutil.Process().net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [address.ip for address in listening if address.port == port] == ["127.0.0.1"]
    client = torch.distributed.TCPStore("127.0.0.1", port, is_master=False)
    client.set("key", "value")
    assert store.get("key") == b"value"


def test_ranks_talk_over_loopback_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
    monkeypatch.setenv("NCCL_SOCKET_IFNAME", "eth7")
    told = _settings(1, ranks=2, port=4711, error_file=tmp_path / "error")
    assert (told["GLOO_SOCKET_IFNAME"], told["NCCL_SOCKET_IFNAME"]) == (loopback_interface(), "eth7")
    assert (told["RANK"], told["WORLD_SIZE"], told["MASTER_ADDR"], told["MASTER_PORT"]) == (
        "1",
        "2",
        "127.0.0.1",
        "4711",
    )
    assert loopback_interface() in ("lo", "lo0")


def test_a_killed_rank_is_named() -> None:
    with pytest.raises(
        GristmillError, match=r"rank [01] of 2, process \d+, was killed by SIGKILL \(Killed\)\n  remedy: look for"
    ):
        launch("tests.training.killed", [], ranks=2)


@pytest.mark.parametrize("how", ["exit", "SIGSEGV", "SIGTERM"])
def test_one_rank_that_dies_ends_the_run_within_seconds(how: str, impatient: None) -> None:
    began = time.monotonic()
    with pytest.raises(GristmillError) as caught:
        launch("tests.training.killed", [how], ranks=2)
    told = str(caught.value)
    words = "ended with status 7" if how == "exit" else f"was killed by {how} ("
    assert told.startswith("rank 0 of 2, process ")
    assert words in told
    # Python's fault handler has the last word on a crash.
    assert ("no luck with the library" if how != "SIGSEGV" else "Fatal Python error: Segmentation fault") in told
    assert time.monotonic() - began < 30
    assert not [child for child in psutil.Process().children() if "tests.training.killed" in child.cmdline()]


def blamed(tmp_path: Path, *ends: tuple[int, float, dict[str, Any] | None]) -> str:
    """What is said of ranks that ended with such a status, at such a time, and left such an error."""
    crew: list[Any] = []
    for number, (_, _, left) in enumerate(ends):
        place = tmp_path / f"{number}.json"
        if left is not None:
            place.write_text(json.dumps(left))
        said: Any = SimpleNamespace(settle=list)
        process: Any = SimpleNamespace(pid=100 + number)
        crew.append(_Rank(number, process, said, place))
    return str(
        _explain(crew, [_End(number, status, seconds) for number, (status, seconds, _) in enumerate(ends)])
    ).splitlines()[0]


def test_the_rank_that_explains_the_failure_is_blamed(tmp_path: Path) -> None:
    def left(message: str, seconds: float, *, known: bool = False) -> dict[str, Any]:
        return {"message": message, "seconds": seconds, "known": known}

    lost = left("RuntimeError: connection closed by peer", 10.2)
    assert blamed(tmp_path, (1, 10.4, lost), (-signal.SIGKILL, 10.5, None)).startswith(
        "rank 1 of 2, process 101, was killed by SIGKILL"
    )
    cause = left("ValueError: a cause", 5.0)
    assert blamed(tmp_path, (1, 5.5, cause), (-signal.SIGABRT, 10.5, None)) == "rank 0 failed: ValueError: a cause"
    known = left("a.arrow: is damaged", 11.0, known=True)
    assert blamed(tmp_path, (1, 10.4, lost), (1, 11.5, known)) == "a.arrow: is damaged"
    assert blamed(tmp_path, (1, 11.5, known), (-signal.SIGKILL, 10.5, None)) == "a.arrow: is damaged"
    (tmp_path / "0.json").unlink()
    assert blamed(tmp_path, (7, 9.0, None), (1, 10.4, lost)).startswith("rank 0 of 2, process 100, ended with status 7")


def test_a_signal_is_passed_on_once_and_a_second_one_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    ends: queue.Queue[_End] = queue.Queue()
    came = [time.monotonic()]

    def terminate(_crew: object) -> None:
        sent.append("SIGTERM")
        came.append(came[0] + 5.0)

    def kill(_crew: object) -> None:
        sent.append("SIGKILL")
        ends.put(_End(0, -signal.SIGKILL, time.time()))

    monkeypatch.setattr(launching, "_terminate", terminate)
    monkeypatch.setattr(launching, "_kill", kill)
    rank: Any = None
    assert launching._wait([rank], ends, came) == []
    assert sent == ["SIGTERM", "SIGKILL"]


def test_a_launcher_that_is_process_one_of_a_container_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        launching, "end_with_parent", lambda *parent, **settings: asked.append((*parent, settings["by"]))
    )
    monkeypatch.delenv(launching.LAUNCHED, raising=False)
    launching.follow_launcher()
    monkeypatch.setenv(launching.LAUNCHED, "1")
    launching.follow_launcher()
    assert asked == [(1, signal.SIGTERM)]
    assert os.getppid() != 0
