"""One worker process of the embedded runner: `python -P -m pipeline.engines.worker CONTROL_URL WORKER_ID`, started by
pipeline/engines/embedded.py. It is the process of a worker pool under a name of its own.
"""

from __future__ import annotations

from pipeline.engines.external_worker import main

if __name__ == "__main__":
    main()
