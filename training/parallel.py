"""Makes Megatron's process groups for a layout and the ranks that were started; also functions by which ranks agree."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from megatron.core import parallel_state
from megatron.core.tensor_parallel.random import model_parallel_cuda_manual_seed
from torch._C._distributed_c10d import HashStore

from manifests.errors import GristmillError
from manifests.run import Layout, Run
from training.device import backend, local_device, on_gpu
from training.launch import loopback_interface
from training.layout import data_parallel

T = TypeVar("T")


class RankError(GristmillError):
    """An error of one rank, which other ranks may not have.

    In training, every other GristmillError is raised by all ranks.
    """


@dataclass(frozen=True)
class Ranks:
    """The sizes of all groups, and this rank's number in each."""

    world: int
    rank: int
    data: int
    data_rank: int
    tensor: int
    tensor_rank: int
    pipeline: int
    pipeline_rank: int
    context: int
    context_rank: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """True on the one rank that prints, and writes files that only one rank writes."""
        return self.rank == 0

    @property
    def first_stage(self) -> bool:
        return self.pipeline_rank == 0

    @property
    def last_stage(self) -> bool:
        return self.pipeline_rank == self.pipeline - 1


@contextmanager
def ranks_of(run: Run) -> Iterator[Ranks]:
    """Make the groups of a run's layout, for as long as the block runs.

    The ranks are those that a launcher started, or this process alone. An existing process group is used and not
    destroyed.

    Raises:
        GristmillError: the layout does not fit; raised on every rank.
    """
    data_parallel(run, dist.get_world_size() if dist.is_initialized() else int(os.environ.get("WORLD_SIZE", "1")))
    with _groups(run.manifest.layout, seed=run.manifest.seed) as ranks:
        yield ranks


@contextmanager
def one_rank() -> Iterator[Ranks]:
    """This process alone, for sampling."""
    with _groups(Layout(), seed=0) as ranks:
        yield ranks


@contextmanager
def _groups(layout: Layout, *, seed: int) -> Iterator[Ranks]:
    ours = not dist.is_initialized()
    with (
        _on_loopback() if ours and "RANK" not in os.environ else nullcontext(),
        _joined(layout, seed=seed, ours=ours) as ranks,
    ):
        yield ranks


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Keep gloo on loopback during the block: even alone it listens, by default at the host name's address."""
    before = os.environ.get("GLOO_SOCKET_IFNAME")
    os.environ["GLOO_SOCKET_IFNAME"] = before or loopback_interface()
    try:
        yield
    finally:
        if before is None:
            del os.environ["GLOO_SOCKET_IFNAME"]


@contextmanager
def _joined(layout: Layout, *, seed: int, ours: bool) -> Iterator[Ranks]:
    device = local_device()
    if ours and "RANK" in os.environ:
        dist.init_process_group(backend())
    elif ours:
        dist.init_process_group(backend(), store=HashStore(), rank=0, world_size=1)
    try:
        parallel_state.initialize_model_parallel(
            layout.tensor, layout.pipeline, context_parallel_size=layout.context, create_gloo_process_groups=on_gpu()
        )
        # Seeds Megatron's tracker, which sequence parallelism and initialisation on a GPU need. On CPU it also seeds
        # torch's default generator, so nothing here may draw from that generator.
        model_parallel_cuda_manual_seed(seed % 2**31)
        yield Ranks(
            world=dist.get_world_size(),
            rank=dist.get_rank(),
            data=parallel_state.get_data_parallel_world_size(),
            data_rank=parallel_state.get_data_parallel_rank(),
            tensor=layout.tensor,
            tensor_rank=parallel_state.get_tensor_model_parallel_rank(),
            pipeline=layout.pipeline,
            pipeline_rank=parallel_state.get_pipeline_model_parallel_rank(),
            context=layout.context,
            context_rank=parallel_state.get_context_parallel_rank(),
            device=device,
        )
    finally:
        parallel_state.destroy_model_parallel()
        if ours:
            dist.destroy_process_group()


def agree(leader: Callable[[], T]) -> T:
    """Run `leader` on rank 0 only; all ranks return its result.

    Raises:
        GristmillError: `leader` raised it, or an OSError; all ranks raise it.
    """
    outcome: list[object] = [None, None]
    if dist.get_rank() == 0:
        try:
            outcome[0] = leader()
        except (GristmillError, OSError) as error:
            outcome[1] = _sendable(error)
    dist.broadcast_object_list(outcome, src=0)
    if isinstance(outcome[1], GristmillError):
        raise outcome[1]
    return outcome[0]  # type: ignore[return-value]


def every_rank(action: Callable[[], T]) -> list[T]:
    """Run `action` on every rank; all ranks return all results, by rank.

    Raises:
        GristmillError: `action` raised it, or an OSError, on some rank; all ranks raise the error of the first such
            rank.
    """
    result: T | None = None
    failed: GristmillError | None = None
    try:
        result = action()
    except (GristmillError, OSError) as error:
        failed = _sendable(error)
    outcomes: list[tuple[T | None, GristmillError | None]] = [(None, None)] * dist.get_world_size()
    dist.all_gather_object(outcomes, (result, failed))
    for _, problem in outcomes:
        if problem is not None:
            raise problem
    return [value for value, _ in outcomes]  # type: ignore[misc]


def _sendable(error: GristmillError | OSError) -> GristmillError:
    """The error to send to the other ranks; also for an unexpected OSError, or they would wait forever."""
    if isinstance(error, GristmillError):
        return error
    return GristmillError(error.strerror or str(error), where=None if error.filename is None else str(error.filename))


def sum_over_ranks(values: list[float], device: torch.device) -> list[float]:
    """Elementwise sum over all ranks, in float64."""
    total = torch.tensor(values, dtype=torch.float64, device=device)
    dist.all_reduce(total)
    return [float(value) for value in total.tolist()]
