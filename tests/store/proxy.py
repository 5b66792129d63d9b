"""A plain-http proxy before a store that injects and counts the faults of networks and busy stores.

In: the endpoint of a store and the faults to inject. Out: an endpoint with these faults. Which request fails depends
only on the seed and the request's number. The `Host` header is passed on unchanged, so that signatures stay valid.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message><RequestId>0</RequestId></Error>"
)
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}


@dataclass(frozen=True)
class Faults:
    """What happens to requests.

    Attributes:
        slow_down: share that is answered 503 SlowDown, unseen by the store.
        cut: share whose connection breaks: in the middle of the answer's body; for uploads, alternately in the middle
            of the request's body (the store never sees it) or before the answer (the store has done it).
        truncate: pattern of keys (`bucket/key`, searched) whose GETs are answered with the first half of the body, as
            if that were all.
        truncate_times: stop truncating after so many; None: never stop.
        truncate_every: only every so-manyth of these GETs.
        refuse: pattern of `METHOD bucket/key` that is always answered 503.
    """

    slow_down: float = 0.0
    cut: float = 0.0
    truncate: str | None = None
    truncate_times: int | None = None
    truncate_every: int = 1
    refuse: str | None = None
    seed: int = 0


class FaultProxy:
    """A running proxy.

    Attributes:
        endpoint: `http://127.0.0.1:port`.
        faults: may be replaced at any time.
        counts: `requests`, `slow_down`, `cut`, `truncated`, `refused`, and every method, e.g. `PUT`.
        seen: `METHOD path?query` of every request, in the order of arrival.
    """

    def __init__(self, upstream: str, faults: Faults) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self.seen: list[str] = []
        self.upstream = urlsplit(upstream)
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def begin(self, method: str, path: str) -> tuple[int, random.Random]:
        """The request's number, and a generator for its fate."""
        with self._lock:
            number = self.counts["requests"]
            self.counts["requests"] += 1
            self.counts[method] += 1
            self.seen.append(f"{method} {path}")
        return number, random.Random(f"{self.faults.seed}/{number}")

    def note(self, fault: str) -> None:
        with self._lock:
            self.counts[fault] += 1

    def truncates(self, method: str, key: str) -> bool:
        """Whether this answer is cut short; counts it when so."""
        faults = self.faults
        if method != "GET" or faults.truncate is None or not re.search(faults.truncate, key):
            return False
        with self._lock:
            if faults.truncate_times is not None and self.counts["truncated"] >= faults.truncate_times:
                return False
            self.counts["matched"] += 1
            if self.counts["matched"] % faults.truncate_every:
                return False
            self.counts["truncated"] += 1
        return True


@contextlib.contextmanager
def fault_proxy(upstream: str, faults: Faults | None = None) -> Iterator[FaultProxy]:
    """A proxy until the block ends."""
    proxy = FaultProxy(upstream, faults or Faults())
    try:
        yield proxy
    finally:
        proxy.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # clients that hang up are part of the game


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: _Server
    _connection: http.client.HTTPConnection | None = None

    def log_message(self, *_: object) -> None:
        pass

    def handle_expect_100(self) -> bool:
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _handle(self) -> None:
        proxy = self.server.proxy
        number, draw = proxy.begin(self.command, self.path)
        key = unquote(urlsplit(self.path).path).lstrip("/")
        uploads = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        faults, luck = proxy.faults, draw.random()
        if faults.refuse is not None and re.search(faults.refuse, f"{self.command} {key}"):
            self._body()
            proxy.note("refused")
            return self._answer(503, _SLOW_DOWN)
        if luck < faults.slow_down:
            self._body()
            proxy.note("slow_down")
            return self._answer(503, _SLOW_DOWN)
        cut = luck < faults.slow_down + faults.cut
        if cut and uploads and number % 2:
            self.rfile.read(int(self.headers.get("Content-Length") or 2) // 2)
            proxy.note("cut")
            return self._hang_up()
        status, headers, body = self._forward(self._body())
        if cut and (uploads or len(body) > 1):
            proxy.note("cut")
            if not uploads:
                self._head(status, headers, len(body))
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
            return self._hang_up()
        if 200 <= status < 300 and len(body) > 1 and proxy.truncates(self.command, key):
            body = body[: len(body) // 2]
        announced = dict(headers).get("Content-Length") if self.command == "HEAD" else None
        self._head(status, headers, len(body) if announced is None else int(announced))
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle

    def _body(self) -> bytes:
        """The whole body of the request, of known length or in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(pieces)

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """One connection to the store for each of the client's; made anew when the store has closed it."""
        for last in (False, True):
            if self._connection is None:
                upstream = self.server.proxy.upstream
                self._connection = http.client.HTTPConnection(str(upstream.hostname), upstream.port or 80, timeout=60)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                return self._ask(self._connection, body)
            except (OSError, http.client.HTTPException):
                self._connection.close()
                self._connection = None
                if last:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _ask(self, connection: http.client.HTTPConnection, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                connection.putheader(name, value)
        if body or self.command in ("PUT", "POST"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def finish(self) -> None:
        super().finish()
        if self._connection is not None:
            self._connection.close()

    def _head(self, status: int, headers: list[tuple[str, str]], length: int) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _answer(self, status: int, body: bytes) -> None:
        self._head(status, [("Content-Type", "application/xml")], len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(2)
