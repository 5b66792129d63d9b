"""Keeps Beam's embedded runner on loopback. Also: how a helper process reports its port to the process that started it.

Beam 2.77 binds `[::]:0`, all interfaces, for the six ports between the embedded runner and its worker processes.
Traffic is plain text, and whoever reaches such a port can run code. No option changes that. While a pipeline runs, the
modules that bind these ports see a `grpc` whose servers bind 127.0.0.1 instead; the rest of the process keeps the real
one. Beam is pinned exactly, and tests check the sockets.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

HOST = "127.0.0.1"
PORT = "port "

_WILDCARD = "[::]:"

_lock = threading.Lock()
_users: dict[str, int] = {}


class _GrpcOnLoopback:
    """The module `grpc`, with `server` replaced."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def server(self, *arguments: Any, **settings: Any) -> Any:
        server = self.real.server(*arguments, **settings)
        bind = server.add_insecure_port

        def bind_on_loopback(address: str) -> Any:
            return bind(f"{HOST}:{address.removeprefix(_WILDCARD)}" if address.startswith(_WILDCARD) else address)

        server.add_insecure_port = bind_on_loopback
        return server


@contextlib.contextmanager
def on_loopback(*modules: ModuleType) -> Iterator[None]:
    """During the block, servers that these Beam modules make in any thread bind loopback instead of all interfaces."""
    for module in modules:
        with _lock:
            if not _users.get(module.__name__):
                module.grpc = _GrpcOnLoopback(module.grpc)  # type: ignore[attr-defined]
            _users[module.__name__] = _users.get(module.__name__, 0) + 1
    try:
        yield
    finally:
        for module in modules:
            with _lock:
                _users[module.__name__] -= 1
                if not _users[module.__name__]:
                    module.grpc = module.grpc.real  # type: ignore[attr-defined]


def print_port(port: int) -> None:
    """In a helper process: print the port that it serves on standard output. Later output goes to standard error."""
    sys.stdout.write(f"{PORT}{port}\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
