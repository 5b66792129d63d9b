"""One store for all tests of this folder; each test has a prefix of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from storage.stores import _RETRIES
from tests.store.proxy import FaultProxy, fault_proxy
from tests.store.server import Store


@pytest.fixture
def store(server: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The server, named by the environment."""
    use(monkeypatch, server)
    return server


@pytest.fixture
def proxy(server: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """The server behind a proxy without faults as yet, named by the environment."""
    with fault_proxy(server.endpoint) as running:
        use(monkeypatch, server.through(running.endpoint))
        yield running


@pytest.fixture
def folder(server: Store) -> str:
    """An empty prefix, as a URL."""
    return server.url(uuid.uuid4().hex)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between attempts, and few of them: for tests in which all fail."""
    monkeypatch.setattr("storage.faults.time.sleep", lambda seconds: None)
    monkeypatch.setitem(_RETRIES, "max_retries", 1)


def use(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
