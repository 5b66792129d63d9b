"""Runs a function that may crash or never end in its own process.

In: a function. Out: the bytes that it reported, and how its process ended.
"""

from __future__ import annotations

import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from typing import NoReturn


def in_child(work: Callable[[Callable[[bytes], object]], object], *, cpu_s: int) -> tuple[bytes, int]:
    """What a function tells from a forked child, and the child's exit status; minus the signal's number where one ended
    it.

    Args:
        work: is given the function to tell by; an error that it raises is printed, and status 1.
        cpu_s: CPU seconds of the child, from its fork on; more end it by SIGXCPU.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, writer, cpu_s)
    os.close(writer)
    with open(reader, "rb") as pipe:
        told = pipe.read()
    return told, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _work(work: Callable[[Callable[[bytes], object]], object], writer: int, cpu_s: int) -> NoReturn:
    status = 1
    try:
        used = int(time.process_time()) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (used + cpu_s, used + cpu_s + 1))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        work(lambda told: os.write(writer, told))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
