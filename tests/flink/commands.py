"""`gristmill prep` on a cluster, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.paths import PROJECT
from tests.store.server import Store


def start(corpus: Path, out: str, *options: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gristmill", "prep", str(corpus), "--out", out, *options, "--json"]
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes], *, patience_s: float = 400) -> tuple[dict[str, Any], str]:
    """What it printed, and its notes."""
    try:
        printed, errors = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, errors.decode()
    return json.loads(printed), errors.decode()


def fail(process: subprocess.Popen[bytes], *, patience_s: float = 100) -> tuple[str, float]:
    """The error that it printed, and after how many seconds."""
    began = time.monotonic()
    _, errors = process.communicate(timeout=patience_s)
    assert process.returncode == 1, errors.decode()
    return errors.decode(), time.monotonic() - began


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes], *, patience_s: float = 200) -> None:
    """Until something has happened while the command still runs."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert process.poll() is None, f"the command ended before it could be disturbed: {process.communicate()}"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def tasks_done(store: Store, prefix: str, step: str) -> int:
    """Task manifests that a step has published in the store."""
    return sum(1 for key in store.objects(f"{prefix}/{step}/tasks") if key.endswith(".json"))


def local_copy(store: Store, prefix: str, folder: Path) -> Path:
    """The objects below a prefix as files."""
    filesystem = store.filesystem()
    for key in store.objects(prefix):
        path = folder / key.removeprefix(f"{prefix}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(filesystem.open_input_file(f"{store.bucket}/{key}").read())
    return folder
