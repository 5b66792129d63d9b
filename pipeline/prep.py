"""The whole data half: extract, decide, tokenizer, tokenize, one after the other in one folder.

In: a corpus manifest. Out: the folder OUT with the four steps' folders. Each step skips what is finished; the folder's lock keeps a
second command from writing into it at the same time.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.steps import StepManifest
from manifests.storage import is_url
from pipeline.decide import decide
from pipeline.extract import extract
from pipeline.runners import Runner
from pipeline.tokenize import tokenize
from pipeline.tokenizer import make_tokenizer
from shards.format import ShardManifest


@dataclass(frozen=True)
class Prepared:
    """The manifests of all steps."""

    extract: StepManifest
    decide: StepManifest
    tokenizer: StepManifest
    shards: ShardManifest


def prepare(manifest: CorpusManifest, *, out: str, runner: Runner, on_step: Callable[[str], object] = lambda step: None) -> Prepared:
    """Run all steps.

    Args:
        on_step: told the name of each step as it begins.

    Raises:
        GristmillError: a step failed; what is finished stays, and the same call goes on from there.
    """
    with exclusive(out):
        on_step("extract")
        extracted = extract(manifest, out=out, runner=runner)
        on_step("decide")
        decided = decide(manifest, out=out, runner=runner)
        on_step("tokenizer")
        tokenizer = make_tokenizer(manifest, out=out)
        on_step("tokenize")
        return Prepared(extracted, decided, tokenizer, tokenize(manifest, out=out, runner=runner))


@contextlib.contextmanager
def exclusive(out: str) -> Iterator[None]:
    """Hold the lock of a local output folder; the system releases it when the process ends, however it ends.

    Raises:
        GristmillError: another process holds it.
    """
    if is_url(out):
        yield
        return
    Path(out).mkdir(parents=True, exist_ok=True)
    with open(Path(out) / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GristmillError(
                "another command is writing into this folder", where=out, remedy="wait for it to end, or choose another --out"
            ) from None
        yield
