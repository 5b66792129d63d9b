"""The record of a run in its folder: `run.json` and `order.json`, written before the first step, binding from then on.

A second start in the same folder must be the same run. Layout, micro-batch, checkpointing and logging may change, since
the order of samples does not depend on them, nor do the losses (except for rounding). Paths may change, since data are
identified by their digest.
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
from shards.run_record import ORDER, RECORD, RunRecord, load_record
from storage.files import exists, join, publish

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


def begin(run: Run, *, data_digest: str, order_json: str, tokenizer: TokenizerInfo) -> None:
    """Write the record of a run; if the folder has one already, first check that it is the same run.

    Raises:
        GristmillError: the folder holds another run; the message says which settings differ.
    """
    path = join(run.out, RECORD)
    if exists(path):
        _check(run, load_record(run.out), data_digest=data_digest)
    publish(join(run.out, ORDER), order_json.encode())
    record = {
        "run": run.model_dump(mode="json"),
        "data_digest": data_digest,
        "order_sha256": sha256_of(order_json),
        "settings_sha256": sha256_of(binding(run)),
        "tokenizer": tokenizer.model_dump(),
        "versions": {name: importlib.metadata.version(name) for name in _VERSIONS},
    }
    record["sha256"] = sha256_of(record)
    publish(path, (json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


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


def _check(run: Run, record: RunRecord, *, data_digest: str) -> None:
    before, now = binding(record.run), binding(run)
    changed = [
        f"{key.removeprefix('manifest.')}: {before.get(key)} before, {now.get(key)} now"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]
    if changed:
        raise GristmillError(
            "\n  ".join(["the folder holds a run with other settings:", *changed]),
            where=run.out,
            remedy="restore the settings, or choose another `out`",
        )
    if record.data_digest != data_digest:
        raise GristmillError(
            "the shards are not those that the run began with",
            where=run.data,
            remedy="restore the prepared corpus, or choose another `out`",
        )


def _flatten(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _flatten(below, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, value
