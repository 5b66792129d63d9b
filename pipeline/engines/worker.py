"""Entry point of a Beam worker process of the embedded runner: `python -m pipeline.engines.worker`.

Same as Beam's own worker, with two differences: importing Beam says nothing on stderr, and Arrow and OpenMP use one thread,
because there is one worker per core.
"""

from __future__ import annotations

import logging
import os
import sys


def one_quiet_thread() -> None:
    """Call it before Beam is imported: `logging.warning()` there would install a root handler that prints every worker's messages."""
    logging.getLogger().addHandler(logging.NullHandler())
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def main() -> None:
    one_quiet_thread()
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
