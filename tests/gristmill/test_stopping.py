"""Signals end a command as Ctrl-C does."""

from __future__ import annotations

import signal

import pytest

from gristmill.stopping import stops_on_sigterm


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_command_as_ctrl_c_does(number, capsys) -> None:
    with pytest.raises(SystemExit, match="130"), stops_on_sigterm():
        signal.raise_signal(number)
    assert "run the same command again to go on" in capsys.readouterr().err


def test_nohup_is_respected() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stops_on_sigterm():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
