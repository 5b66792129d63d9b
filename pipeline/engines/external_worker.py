"""One worker process: `python -P -m pipeline.engines.external_worker CONTROL_URL WORKER_ID`.

Started by pipeline/engines/embedded.py and pipeline/engines/worker_pool.py through
pipeline/engines/worker_processes.py.

On standard output it prints `ready` once it can work, and `done` when its runner has no more work for it. Then it waits
for a line with the next `CONTROL_URL WORKER_ID` on standard input, and ends when standard input is closed. It prints
`last` instead of `done` if it will not wait for more work. It ends with the process that started it
(`storage.processes.end_with_parent`) or with its TaskManager (the control channel breaks). Beam's own worker outlives
both while one of its threads still works, and keeps its memory.

Ctrl-C in a terminal reaches the whole process group. Workers ignore it; the process that started them decides what
happens to them.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import traceback

from manifests.errors import GristmillError
from storage.processes import end_with_starter
from storage.rooms import ForeignRoomError, check_rooms

READY = "ready"
DONE = "done"
LAST = "last"


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print_crashes()
    status = 1
    try:
        end_with_starter()
        check_rooms()
        work(*sys.argv[1:3])
        status = 0
    except GristmillError as error:
        sys.stderr.write(f"{error.where}: {error.message}\n")
    except ForeignRoomError as error:
        sys.stderr.write(f"{error}\n")
    except Exception:
        traceback.print_exc()
    finally:
        # A normal exit of Python would wait for threads that still work, and fail on the thread that reads standard
        # input.
        sys.stderr.flush()
        os._exit(status)


def print_crashes() -> None:
    """Make a crash in compiled code print its traceback, so that the last lines of the log show where it happened.

    Only the thread that crashed is printed. Python's handler itself crashes while it prints other threads that start or
    end at that moment (14 of 250 aborts with a few such threads), and the process then seems to have died of the second
    crash.
    """
    faulthandler.enable(all_threads=False)


def one_quiet_thread() -> None:
    """Silence logging and use one thread for Arrow and OpenMP, because there is one worker per core.

    Call this before Beam is imported: its `logging.warning()` would install a root handler that prints every worker's
    messages.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def work(control_url: str, worker_id: str) -> None:
    """Serve a TaskManager or the embedded runner until its control channel closes, then the next one that is named."""
    one_quiet_thread()
    # Everything that tasks need is imported before the worker reports ready, so that the pool reports a missing module
    # at once.
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    import pipeline.engines.dofns  # noqa: F401

    named = [control_url, worker_id]
    while named:
        url, name = named
        harness = SdkHarness(url, worker_id=name, state_cache_size=0, data_buffer_time_limit_ms=-1)
        print(READY, flush=True)  # noqa: T201  # the pool reads it
        harness.run()
        # Work for an abandoned job cannot be stopped; it ends only with the process.
        busy = any(harness._bundle_processor_cache.active_bundle_processors.values())
        print(LAST if busy else DONE, flush=True)  # noqa: T201
        if busy:
            return
        harness._control_channel.close()
        named = sys.stdin.readline().split()


if __name__ == "__main__":
    main()
