"""A stand-in for Flink's REST service: recorded answers, over HTTP."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def answers(
    *, managers: int = 2, slots: int = 2, free: int = 2, network_mb: int = 256, strategy: str | None = "fixed-delay"
) -> dict[str, Any]:
    """What a session cluster of Flink 1.19 answers, cut to what is read."""
    listed = [
        {
            "id": f"localhost:{number}-abc",
            "slotsNumber": slots,
            "freeSlots": free,
            "memoryConfiguration": {"networkMemory": network_mb << 20},
        }
        for number in range(managers)
    ]
    settings = [{"key": "jobmanager.rpc.address", "value": "jobmanager"}]
    if strategy is not None:
        settings.append({"key": "restart-strategy.type", "value": strategy})
    jobs = [
        {
            "jid": "a" * 32,
            "name": "gristmill-1234567890-extract-1",
            "state": "RUNNING",
            "start-time": 2,
            "duration": 10,
        },
        {"jid": "b" * 32, "name": "other", "state": "FINISHED", "start-time": 1, "duration": 10},
    ]
    return {"/taskmanagers": {"taskmanagers": listed}, "/jobmanager/config": settings, "/jobs/overview": {"jobs": jobs}}


@contextlib.contextmanager
def serve(content: dict[str, Any], asked: list[str] | None = None) -> Iterator[str]:
    """Answer GET and PATCH with `content`, 404 for other paths; gives the address. `asked` gets each request."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if asked is not None:
                asked.append(f"{self.command} {self.path}")
            found = self.path in content
            body = json.dumps(content.get(self.path, {})).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = _answer

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
