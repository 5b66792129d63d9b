"""What a folder holds: the steps and shards that `gristmill prep` or `import` finished in it, or the run that `train`
wrote.
`shards.verify_corpus` and `training.verify` check whether that is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from manifests.errors import GristmillError
from manifests.step import StepManifest
from shards.format import MANIFEST, ShardManifest
from shards.run_record import RECORD, load_metrics
from shards.writer import load_manifest
from storage.files import exists, join, list_files
from storage.steps import read_step

STEPS = ("extract", "decide", "tokenizer")
IMPORT = "import"
IMPORTED_STEPS = (IMPORT, "tokenizer")
# What `prep` does only where the manifest of the corpus asks for it.
SUBSTRINGS = "substrings"


@dataclass(frozen=True)
class Contents:
    """What a folder holds.

    Attributes:
        steps: manifests of the finished steps by name, in their order.
        shards: None unless complete.
        checkpoints: their folders' names, oldest first.
        metrics: of the last logged step of a run; None where there is no run.
    """

    steps: dict[str, StepManifest]
    shards: ShardManifest | None
    checkpoints: list[str]
    metrics: dict[str, Any] | None


def checkpoint_steps(folder: str) -> list[int]:
    """The steps after which a run's folder has checkpoints, in order; whether they are whole is not looked at."""
    names = {path.split("/")[1] for path in list_files(folder, "checkpoints/step-*/*")}
    return sorted(int(name.removeprefix("step-")) for name in names)


def contents_of(folder: str) -> Contents:
    """Read the manifests in a folder.

    Raises:
        GristmillError: it holds nothing complete, or a manifest cannot be understood.
    """
    steps = {name: step for name in steps_of(folder) if (step := read_step(join(folder, name))) is not None}
    shards = load_manifest(join(folder, "shards")) if exists(join(folder, "shards", MANIFEST)) else None
    is_run = exists(join(folder, RECORD))
    if not steps and shards is None and not is_run:
        raise GristmillError(
            "holds nothing that Gristmill wrote, or nothing complete",
            where=folder,
            remedy="name the --out of `prep` or `import`, or the run folder of `train`",
        )
    checkpoints = sorted({path.split("/")[1] for path in list_files(folder, "checkpoints/*/*")})
    logged = load_metrics(folder) if is_run else []
    return Contents(steps, shards, checkpoints, (logged[-1] if logged else {}) if is_run else None)


def steps_of(folder: str) -> tuple[str, ...]:
    """The steps that a corpus comes from: those of `prep`, or of `import`."""
    if exists(join(folder, IMPORT, MANIFEST)):
        return IMPORTED_STEPS
    return (*STEPS, SUBSTRINGS) if exists(join(folder, SUBSTRINGS, MANIFEST)) else STEPS
