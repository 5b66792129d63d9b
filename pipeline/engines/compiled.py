"""Compiles the text kernels once, before workers start, so that each worker need not compile them itself.

In: nothing. Out: compiled kernels in the cache folder that `kernels.disk` chooses, and messages for the user who waits.
If the mark of an earlier warm-up is in the cache, this module does nothing, prints nothing and does not import numba.
The mark is a hint: a kernel that is missing from the cache, or that the warm-up does not know, is compiled by the
process that calls it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

from kernels import disk
from kernels.disk import Entry
from kernels.sources import all_kernels_sha256
from storage.processes import child_environment, parent_told, python_command

WARMING_UP = "GRISTMILL_WARMING_UP"
# CPU seconds with nothing else running: 50 when this was first measured, 110 to 125 on a machine that was slow that
# day.
COMPILING_S = 100
_LOOK_S = 0.2


def compile_kernels(say: Callable[[str], object]) -> None:
    """Compile the kernels in a child process, unless they have been compiled on this machine from these sources.

    Args:
        say: called with a message when compiling begins (and where kernels are kept), or when they cannot be kept.
    """
    if WARMING_UP in os.environ or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" or are_compiled():
        return
    place = disk.writable_place(Path(disk.__file__).resolve())
    # Once per command: if no mark can be written, its later pipelines would not find one either.
    os.environ[WARMING_UP] = "1"
    if place is None:
        say(
            "compiled kernels cannot be kept: no cache folder can be written. Each process compiles them for itself,"
            f" some {COMPILING_S} s of one core; set NUMBA_CACHE_DIR to a folder of your own"
        )
        return
    say(f"compiling the text kernels, once: some {COMPILING_S} s; they are kept in {_shown(place.folder)}")
    problem = _warm_up()
    if problem:
        say(f"the kernels could not be compiled beforehand, each process does it for itself: {problem}")


def are_compiled() -> bool:
    """True if an earlier warm-up on this kind of processor, with these sources, left its mark."""
    return disk.load(mark()) is not None


@cache
def mark() -> Entry:
    """The cache entry that a warm-up writes after the last kernel; looked up before each pipeline."""
    depends = (metadata.version("numba"), metadata.version("llvmlite"), platform.machine(), _processor())
    return Entry(
        source=Path(disk.__file__).resolve(),
        stem=f"all.py{sys.version_info[0]}{sys.version_info[1]}",
        stamp=all_kernels_sha256(),
        key=hashlib.sha256(repr(depends).encode()).hexdigest(),
    )


def _processor() -> str:
    """The processor's name and features, as far as the system reports them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(
        line for line in lines if line.startswith(("model name", "flags", "CPU implementer", "CPU part", "Features"))
    )


def _shown(folder: Path) -> str:
    """How a cache folder is named to the user; beside the sources there is one `__pycache__` per folder of sources."""
    return "the installation, beside the sources" if folder.name == "__pycache__" else str(folder.parent)


def _output_of(process: subprocess.Popen[str]) -> str:
    """The whole output of a process, once it has ended. Polls, so that signals are handled in the meantime."""
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)[0]
        except subprocess.TimeoutExpired:
            continue


def _warm_up() -> str:
    """Run the warm-up; returns one line that says what went wrong, or an empty string."""
    process = subprocess.Popen(
        python_command("pipeline.warm_up"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=child_environment(**parent_told()),
        text=True,
        errors="replace",
    )
    try:
        lines = _output_of(process).strip().splitlines()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.returncode:
        return lines[-1] if lines else f"exit status {process.returncode}"
    return lines[-1].partition("; ")[2] if lines else ""
