"""Starting the ranks of a run on this machine: torch's elastic agent in this process, the ranks as its children.

Each rank leaves its error in the agent's error file; here the one that explains the failure is chosen and raised, so that people
see one message instead of one per rank and the agent's own.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure, get_error_handler
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from manifests.errors import GristmillError

LAUNCHED = "GRISTMILL_LAUNCHED"
"""Process id of the launcher, in ranks that this module has started: they leave errors to it."""

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_GRACE = 120
"""Seconds that ranks have, once asked to stop, to finish their step and save a checkpoint; then they are killed."""

_KEEP_ALIVE = 86400
"""Seconds between heartbeats of the rendezvous, which only its own machine would hear. Torch's timer is not stopped when a signal ends
the agent, and one that beats at that moment joins itself and writes half a traceback while Python ends (torch 2.13, `_PeriodicTimer`)."""

STOPPED = 130
"""Exit status of a rank that a signal has stopped, as a shell gives it after Ctrl-C."""


class RanksFailedError(GristmillError):
    """Ranks ended without finishing; the message is that of the rank whose error explains it."""


def launch(module: str, arguments: Sequence[str], *, ranks: int) -> None:
    """Run `python -m module arguments` as `ranks` ranks and wait for them.

    SIGINT and SIGTERM are passed on to the ranks, which save a checkpoint and end.

    Raises:
        RanksFailedError: a rank failed; all are ended then.
        KeyboardInterrupt: a signal came.
    """
    if not os.environ.get("GRISTMILL_DEBUG"):
        # The agent logs what is raised below, once per rank.
        for name in [name for name in logging.root.manager.loggerDict if name.startswith("torch.distributed.")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    os.environ[LAUNCHED] = str(os.getpid())
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", str(_GRACE))
    # Ranks on one machine share its cores: more threads than cores only makes them wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // ranks)))
    with tempfile.TemporaryDirectory(prefix="gristmill-ranks-") as folder:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=ranks,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            rdzv_configs={"keep_alive_interval": _KEEP_ALIVE},
            max_restarts=0,
            local_addr="localhost",
            logs_specs=DefaultLogsSpecs(log_dir=folder),
        )
        try:
            elastic_launch(config, sys.executable)("-m", module, *arguments)
        except ChildFailedError as error:
            if all(failure.exitcode == STOPPED for failure in error.failures.values()):
                raise KeyboardInterrupt from None
            raise _explain(list(error.failures.values())) from None
        except SignalException:
            raise KeyboardInterrupt from None


def follow_launcher() -> None:
    """In a rank that `launch` has started: be sent SIGTERM when the launcher dies, however that happens. Linux only; elsewhere nothing."""
    if LAUNCHED not in os.environ or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(os.environ[LAUNCHED]):
        sys.exit(1)  # it died before the line above


def leave_error(error: Exception) -> None:
    """In a rank: write the error where the agent that started it, ours or torchrun's, looks for it; without an agent, nowhere."""
    path = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if path is None:
        return
    if LAUNCHED not in os.environ:
        if not isinstance(error, GristmillError):  # those are printed by rank 0; torchrun would add the traceback of every rank
            get_error_handler().record_exception(error)
        return
    now = time.time()  # tells which rank failed first, no more
    with open(path, "w", encoding="utf-8") as file:
        json.dump(
            {
                "message": {
                    "message": _words(error),
                    "known": isinstance(error, GristmillError),
                    "extraInfo": {"timestamp": str(int(now)), "seconds": now},
                }
            },
            file,
        )


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, GristmillError) else f"{type(error).__name__}: {error}"


def _explain(failures: list[ProcessFailure]) -> RanksFailedError:
    """Errors with a remedy come before others, then the first in time: when one rank fails, its peers lose their connections."""
    left = [(not known, seconds, failure.local_rank, text) for failure in failures for known, seconds, text in _left_by(failure)]
    if left:
        unknown, _, rank, text = min(left)
        return RanksFailedError(f"rank {rank} failed: {text}\n  remedy: run `gristmill --debug …` for the traceback" if unknown else text)
    first = min(failures, key=lambda failure: failure.timestamp)
    how = f"was ended by {first.signal_name()}" if first.exitcode < 0 else f"exited with status {first.exitcode}"
    return RanksFailedError(
        f"rank {first.local_rank} {how} without an error message",
        remedy="look for an out-of-memory kill in the system log; the same command resumes from the newest checkpoint",
    )


def _left_by(failure: ProcessFailure) -> list[tuple[bool, float, str]]:
    """What `leave_error` wrote in a rank, if it did: whether the error has a remedy, when, and the text."""
    try:
        message = failure.error_file_data["message"]
        return [(bool(message["known"]), float(message["extraInfo"]["seconds"]), str(message["message"]))]
    except (KeyError, TypeError):
        return []
