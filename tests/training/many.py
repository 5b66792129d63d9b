"""Many runs in one set of ranks, since starting processes takes longer than these runs do.

torchrun … -m tests.training.many RUN.yaml [RUN.yaml@STOP_AFTER] …
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    import torch.distributed as dist

    from manifests.run import load_run
    from training.loop import train

    dist.init_process_group("gloo")
    for argument in sys.argv[1:]:
        path, _, stop = argument.partition("@")
        train(load_run(path), stop_after=int(stop) if stop else None)
    dist.destroy_process_group()
