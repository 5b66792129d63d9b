"""Signals that end a command early, and what it then prints."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from gristmill.output import say_error


@contextlib.contextmanager
def says_stopped() -> Iterator[None]:
    """Ctrl-C inside the block ends the command.

    Raises:
        SystemExit: 130 after Ctrl-C; a message says what to do next.
    """
    try:
        yield
    except KeyboardInterrupt:
        say_error("stopped; run the same command again to go on")
        raise SystemExit(130) from None


@contextlib.contextmanager
def stops_on_sigterm() -> Iterator[None]:
    """Inside the block SIGTERM, and SIGHUP unless it is ignored, end the command as Ctrl-C does: workers and jobs end
    with it.

    Raises:
        SystemExit: 130 after any of them; a message says what to do next.
    """

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        with says_stopped():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
