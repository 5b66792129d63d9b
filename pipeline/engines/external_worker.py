"""One worker process: `python -P -m pipeline.engines.external_worker CONTROL_URL WORKER_ID`, started by pipeline/engines/embedded.py and
pipeline/engines/worker_pool.py through pipeline/engines/worker_processes.py.

On standard output it says `ready` once it can work, and `done` when whoever gives it work wants no more. Then it waits for a line with
the next `CONTROL_URL WORKER_ID` on standard input, and ends where that is closed; `last` in place of `done` says that it will not wait.
It ends with the process that started it (`storage.processes.end_with_parent`) or with its TaskManager (the control channel breaks).
Beam's own worker outlives both when a thread is still at work, and keeps its memory.

Ctrl-C at a terminal reaches the whole process group: what becomes of the workers is up to the process that started them.
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
    tell_of_crashes()
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
        # Python's own way out waits for threads that are still at work, and trips over the one that reads standard input.
        sys.stderr.flush()
        os._exit(status)


def tell_of_crashes() -> None:
    """A crash in compiled code leaves its place in the last lines.

    Of the thread that crashed alone: Python's handler itself crashes on other threads that begin or end meanwhile (14 of 250 aborts with a
    few of them), and the process seems to have died of that.
    """
    faulthandler.enable(all_threads=False)


def one_quiet_thread() -> None:
    """Call it before Beam is imported: `logging.warning()` there would install a root handler that prints every worker's messages.

    Arrow and OpenMP use one thread, because there is one worker per core.
    """
    logging.getLogger().addHandler(logging.NullHandler())
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def work(control_url: str, worker_id: str) -> None:
    """Serve one TaskManager, or the embedded runner, until the control channel closes; then the next that is named, if one is."""
    one_quiet_thread()
    # Everything that tasks need is imported before the worker calls itself ready: what is missing is said by the pool at once.
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    import pipeline.engines.dofns  # noqa: F401

    named = [control_url, worker_id]
    while named:
        url, name = named
        harness = SdkHarness(url, worker_id=name, state_cache_size=0, data_buffer_time_limit_ms=-1)
        print(READY, flush=True)  # noqa: T201  # the pool reads it
        harness.run()
        # What is still at work for a job that was given up ends with the process alone.
        busy = any(harness._bundle_processor_cache.active_bundle_processors.values())
        print(LAST if busy else DONE, flush=True)  # noqa: T201
        if busy:
            return
        harness._control_channel.close()
        named = sys.stdin.readline().split()


if __name__ == "__main__":
    main()
