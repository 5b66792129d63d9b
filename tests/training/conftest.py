"""One corpus and one run on one rank for all tests here."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.training.data import make_corpus, make_run


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """As the ranks that tests start: sums over several threads may round otherwise."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """torchrun's agent, started in this process, leaves handlers behind that end whatever test sends itself a signal
    next.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("training")


@pytest.fixture(scope="session")
def corpus(folder: Path) -> tuple[Path, np.ndarray]:
    """Folder and all tokens."""
    return folder / "corpus", make_corpus(folder / "corpus")


@pytest.fixture(scope="session")
def alone(folder: Path, corpus: tuple[Path, np.ndarray]) -> Path:
    """The folder of a run of 20 steps on one rank."""
    from training.loop import train

    run = make_run(folder, name="alone", data=corpus[0])
    assert train(run).step == 20
    return Path(run.out)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest shows warnings that the trainer itself silences (`training.device`), thousands of them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            for category in ("DeprecationWarning", "FutureWarning", "UserWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}"))
