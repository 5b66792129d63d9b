"""Beam's local job service, bound to loopback: `python -P -m pipeline.engines.job_service`, started by portable.py.

Out: its port, a free one, on standard output.

Beam's own program for this binds four ports on all interfaces, gives workers the machine's name to connect to, and
outlives the command.
"""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from pipeline.engines.loopback import HOST, on_loopback, print_port
from storage.processes import end_with_starter, wait_for


def main() -> None:
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: over.set())
    end_with_starter(by=signal.SIGTERM, patience_s=5.0)
    logging.basicConfig(level=logging.WARNING)
    serve(over)


def serve(over: threading.Event) -> None:
    """Serve jobs on a free loopback port until `over` is set."""
    from apache_beam.runners.portability import local_job_service
    from apache_beam.runners.portability.fn_api_runner import worker_handlers

    keep_workers_here(worker_handlers)
    with on_loopback(worker_handlers, local_job_service):
        service = local_job_service.LocalJobServicer(None)
        service.get_bind_address = lambda: HOST
        print_port(service.start_grpc_server(0))
        try:
            wait_for(over)
        finally:
            service.stop()


def keep_workers_here(worker_handlers: Any) -> None:
    """Make the workers of a pool connect to loopback, not to the full name of the machine."""
    from apache_beam.portability import common_urns
    from apache_beam.portability.api import beam_runner_api_pb2

    class Handler(worker_handlers.ExternalWorkerHandler):  # type: ignore[misc]
        def host_from_worker(self) -> str:
            return HOST

    urn = common_urns.environments.EXTERNAL.urn
    worker_handlers.WorkerHandler.register_environment(urn, beam_runner_api_pb2.ExternalPayload)(Handler)


if __name__ == "__main__":
    main()
