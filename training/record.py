"""The record of a run in its folder: `run.json` and `order.json`, written before the first step, binding from then on.

A second start in the same folder must be the same run. Layout, micro-batch, checkpointing and logging may change, since
the order of samples does not depend on them, nor do the losses (except for rounding). Paths may change, since data are
identified by their digest. The mixture, and buckets that were added to the data, may change when that is asked for: the
record then says from which step on (`training.change`).
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterator
from typing import Any

from manifests.base import sha256_of
from manifests.errors import GristmillError
from manifests.run import Run
from shards.format import TokenizerInfo
from shards.run_record import NEXT_ORDER, ORDER, RECORD, MixtureChange, RunRecord, load_record
from storage.files import exists, join, publish, remove_file

_VERSIONS = ("gristmill", "torch", "megatron-core")

# `manifest.model` and `manifest.mixture` may be names; the model and the mixture themselves are compared under `model`
# and `mixture`.
_FREE = (
    "data",
    "out",
    "manifest.name",
    "manifest.data",
    "manifest.out",
    "manifest.model",
    "manifest.mixture",
    "manifest.layout",
    "manifest.checkpoint",
    "manifest.log_every",
    "manifest.micro_batch",
    "manifest.optimizer.overlap",
    "manifest.optimizer.bucket_parameters",
)


def binding(run: Run) -> dict[str, Any]:
    """The settings that cannot change once a run has begun, as dotted keys."""
    flat = dict(_flatten(run.model_dump(mode="json"), ""))
    return {
        key: value
        for key, value in flat.items()
        if not any(key == free or key.startswith(free + ".") for free in _FREE)
    }


def begin(
    run: Run, *, data_digest: str, order_json: str, tokenizer: TokenizerInfo, change: MixtureChange | None = None
) -> None:
    """Write the record of a run; if the folder has one already, first check that it is the same run.

    Args:
        change: of the mixture, to go on record; `order_json` is the order after it.

    Raises:
        GristmillError: the folder holds another run; the message says which settings differ.
    """
    path = join(run.out, RECORD)
    changes: list[MixtureChange] = []
    if exists(path):
        before = load_record(run.out)
        check_same(run, before, data_digest=data_digest, but_mixture=change is not None)
        changes = before.changes
    if change is not None:
        changes = [*changes, change]
        # The order that the record names is there at any moment, whichever of the two files it is.
        publish(join(run.out, NEXT_ORDER), order_json.encode())
    else:
        publish(join(run.out, ORDER), order_json.encode())
    record = {
        "run": run.model_dump(mode="json"),
        "data_digest": data_digest,
        "order_sha256": sha256_of(order_json),
        "settings_sha256": sha256_of(binding(run)),
        "tokenizer": tokenizer.model_dump(),
        "versions": {name: importlib.metadata.version(name) for name in _VERSIONS},
        "changes": [change.model_dump(mode="json") for change in changes],
    }
    record["sha256"] = sha256_of(record)
    publish(path, (json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())
    if change is not None:
        publish(join(run.out, ORDER), order_json.encode())
    if exists(join(run.out, NEXT_ORDER)):
        remove_file(join(run.out, NEXT_ORDER))


def read_record(folder: str) -> tuple[Run, TokenizerInfo]:
    """The run of a folder, and the tokenizer of its data.

    Raises:
        GristmillError: the folder is not a run's, or its record is damaged or was written by another version.
    """
    record = load_record(folder)
    if record.tokenizer is None:
        raise GristmillError(
            "names no tokenizer",
            where=join(folder, RECORD),
            remedy="restore it from a copy, or use the version that began the run",
        )
    return record.run, record.tokenizer


def check_same(run: Run, record: RunRecord, *, data_digest: str, but_mixture: bool) -> None:
    """Check that a run is the one on record.

    Args:
        but_mixture: the mixture and the data may differ.

    Raises:
        GristmillError: it is another run; the message says which settings differ.
    """
    before, now = binding(record.run), binding(run)
    differing = [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
    of_mixture = [key for key in differing if key.startswith("mixture.")]
    if but_mixture:
        differing = [key for key in differing if key not in of_mixture]
    if differing:
        raise GristmillError(
            "\n  ".join(
                [
                    "the folder holds a run with other settings:",
                    *(
                        f"{key.removeprefix('manifest.')}: {before.get(key)} before, {now.get(key)} now"
                        for key in differing
                    ),
                ]
            ),
            where=run.out,
            remedy="restore the settings, choose another `out`, or go on with the new mixture by `--change-mixture`"
            if differing == of_mixture
            else "restore the settings, or choose another `out`",
        )
    if not but_mixture and record.data_digest != data_digest:
        raise GristmillError(
            "the shards are not those that the run began with",
            where=run.data,
            remedy="restore the prepared corpus, choose another `out`, or, if buckets were added and none was changed,"
            " go on with them by `--change-mixture`",
        )


def _flatten(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _flatten(below, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, value
