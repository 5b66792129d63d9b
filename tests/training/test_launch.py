"""Starting ranks: what torch's agent is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch.distributed.elastic.rendezvous.dynamic_rendezvous import DynamicRendezvousHandler  # noqa: E402

from training.launch import launch  # noqa: E402


def test_no_heartbeat_can_meet_the_end_of_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer that beats while a signal ends the agent joins itself and leaves half a traceback on the screen."""
    beats: list[timedelta] = []
    begin = DynamicRendezvousHandler._start_heartbeats

    def note(handler: Any) -> None:
        beats.append(handler._settings.keep_alive_interval)
        begin(handler)

    monkeypatch.setattr(DynamicRendezvousHandler, "_start_heartbeats", note)
    for name in ("GRISTMILL_LAUNCHED", "OMP_NUM_THREADS", "TORCH_ELASTIC_SHUTDOWN_TIMEOUT"):  # `launch` sets them; restored by this
        monkeypatch.setenv(name, "1")
    launch("this", [], ranks=1)
    assert beats
    assert min(beats) >= timedelta(days=1)
