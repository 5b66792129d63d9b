"""Starting a run: in this process, where it is a rank already or the only one, or as ranks of this machine.

In: a run. Out: where training in this process got to; the ranks that it starts say so themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from manifests.errors import GristmillError
from manifests.run import Run
from training.launch import LAUNCHED, follow_launcher, launch, leave_error
from training.layout import data_parallel

if TYPE_CHECKING:  # whoever starts ranks does without Megatron
    from training.loop import TrainResult
    from training.metrics import StepMetrics


def ranks_to_start(run: Run, processes: int | None) -> int:
    """How many ranks this process is to start; 0 where it trains itself.

    Args:
        processes: as somebody asks for; None means as few as the layout needs.
    """
    layout = run.manifest.layout
    ranks = processes or layout.tensor * layout.pipeline * layout.context
    return ranks if ranks > 1 and "RANK" not in os.environ else 0


def start_ranks(run: Run, module: str, arguments: Sequence[str], *, ranks: int) -> None:
    """Run `python -m module arguments`, which trains the run, in `ranks` processes of this machine.

    Raises:
        GristmillError: the layout does not fit, which is said before they start; or a rank failed.
        KeyboardInterrupt: a signal came.
    """
    data_parallel(run, ranks)
    launch(module, arguments, ranks=ranks)


def is_first() -> bool:
    """Whether this process is the rank that speaks for all, or the only one."""
    return os.environ.get("RANK", "0") == "0"


def train_here(
    run: Run,
    *,
    stop_after: int | None,
    change_mixture: bool,
    on_step: Callable[[StepMetrics], None] | None,
    say: Callable[[str], None],
) -> TrainResult:
    """Train in this process.

    Args:
        change_mixture: as `training.loop.train` has it.
        on_step: told of each logged step, on the first rank.

    Raises:
        SystemExit: training failed with an error that another process says.
    """
    follow_launcher()
    from training.loop import train
    from training.parallel import RankError

    try:
        return train(
            run,
            stop_after=stop_after,
            change_mixture=change_mixture,
            on_step=on_step if is_first() else None,
            say=say,
        )
    except Exception as error:
        leave_error(error)
        # Said once: by the command that started the ranks, or by rank 0 when all ranks have the same error.
        of_all = isinstance(error, GristmillError) and not isinstance(error, RankError)
        if (LAUNCHED in os.environ or (of_all and not is_first())) and not os.environ.get("GRISTMILL_DEBUG"):
            raise SystemExit(1) from None
        raise
