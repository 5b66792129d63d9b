"""A process that touches a mapped file which another program has cut ends with a message, not in silence.

The system answers such a touch with SIGBUS, which no Python handler sees: the instruction would be tried again forever.
So the handler is a C function, and ends the process. Inputs that others may write are read, not mapped
(`storage.files.open_input`).
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections import deque
from typing import Any

# The files that were mapped last: the fault does not say which one it was.
_LAST = 4
_paths: deque[str] = deque(maxlen=_LAST)
_handlers: list[Any] = []


def note_mapped(path: str) -> None:
    """Name this file if the process touches a place of a mapped file that is not there any more."""
    if path not in _paths:
        _paths.append(path)
    if not _handlers and hasattr(signal, "SIGBUS"):
        handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(_end)
        _handlers.append(handler)  # it lives as long as the process
        ctypes.CDLL(None).signal(int(signal.SIGBUS), handler)


def _end(number: int) -> None:
    named = ", ".join(reversed(_paths))
    sentence = (
        f"error: {named}: cut, or its disk failed, while it was mapped into memory\n"
        "  remedy: leave files alone while they are used; bring it back whole and run the same command again\n"
    )
    os.write(2, sentence.encode(errors="replace"))
    os._exit(1)
