"""One worker process of a pool: `python -m pipeline.engines.external_worker CONTROL_URL WORKER_ID`, started by
pipeline/engines/worker_pool.py.

It says `ready` on standard output once it can work, and ends with its pool (standard input closes) or its TaskManager (the control
channel breaks). Beam's own worker outlives both when a thread is still at work, and keeps its memory.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback

from pipeline.engines.worker import one_quiet_thread

READY = "ready"


def main() -> None:
    threading.Thread(target=_end_with_the_pool, daemon=True).start()
    status = 1
    try:
        work(*sys.argv[1:3])
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        # Python's own way out waits for threads that are still at work, and trips over the one that reads standard input.
        sys.stderr.flush()
        os._exit(status)


def work(control_url: str, worker_id: str) -> None:
    """Serve one TaskManager until the control channel closes."""
    one_quiet_thread()
    # Everything that tasks need is imported before the worker calls itself ready: what is missing is said by the pool at once.
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    import pipeline.dofns  # noqa: F401

    harness = SdkHarness(control_url, worker_id=worker_id, state_cache_size=0, data_buffer_time_limit_ms=-1)
    print(READY, flush=True)  # noqa: T201  # the pool reads it
    harness.run()


def _end_with_the_pool() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
