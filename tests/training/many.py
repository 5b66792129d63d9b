"""Many runs in one set of ranks, since starting processes takes longer than these runs.

python -m tests.training.many RANKS RUN.yaml [RUN.yaml@STOP_AFTER] …

The ranks are forked from one process that has imported the trainer and computed nothing. Torchrun would start a Python
for each, which takes six CPU seconds; test_command.py tests ranks started by torchrun.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import NoReturn


def _rank(rank: int, ranks: int, meeting: str, arguments: Sequence[str]) -> NoReturn:
    """The runs one after the other on one rank, in a process of its own, which ends here."""
    import torch.distributed as dist

    from manifests.run import load_run
    from training.loop import train

    status = 1
    try:
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks))
        dist.init_process_group("gloo", init_method=f"file://{meeting}/store", rank=rank, world_size=ranks)
        for argument in arguments:
            path, _, stop = argument.partition("@")
            train(load_run(path), stop_after=int(stop) if stop else None)
        dist.destroy_process_group()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main(ranks: int, arguments: Sequence[str]) -> int:
    """0 when all ranks have come to the end; the first that fails ends the others, which would wait for it."""
    import training.loop  # noqa: F401  # once, before the ranks are forked

    with tempfile.TemporaryDirectory() as meeting:
        running = set()
        for rank in range(ranks):
            pid = os.fork()
            if pid == 0:
                _rank(rank, ranks, meeting, arguments)
            running.add(pid)
        failed = 0
        while running:
            pid, status = os.wait()
            running.discard(pid)
            if status and not failed:
                failed = 1
                for other in running:
                    os.kill(other, signal.SIGTERM)
    return failed


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
