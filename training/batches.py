"""From the order to what this rank feeds its model: token windows of one step, cut into micro-batches.

Step s has the samples s * global_batch and on; data-parallel rank r of d takes the r-th of d equal pieces of them. Nothing else enters:
tensor, pipeline and context ranks of one data-parallel rank read the same samples, and no state is kept between steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import xxhash
from megatron.core.utils import get_batch_on_this_cp_rank

from manifests.errors import GristmillError
from manifests.run import Run
from mixing.plan import plan_run
from shards.format import TokenizerInfo
from shards.order import Order, order_from_json, order_to_json
from shards.reader import MEND, Shards, open_shards
from shards.run_record import ORDER, RECORD, load_order, load_record
from shards.samples import samples
from storage.files import exists, join
from training.parallel import RankError, Ranks, agree, every_rank

_LOW = (1 << 32) - 1
# Bytes a rank; sha256 takes some 1.4 GB a CPU second.
_CHECKED_FIRST = 16 << 30
_WORTH_TELLING = 1 << 30
_MOST_NAMED = 20


@dataclass(frozen=True)
class Data:
    """The shards of a run and the order in which it reads them."""

    shards: Shards
    order: Order
    order_json: str

    @property
    def digest(self) -> str:
        return self.shards.manifest.digest

    @property
    def tokenizer(self) -> TokenizerInfo:
        return self.shards.manifest.tokenizer

    @property
    def vocab_size(self) -> int:
        return self.tokenizer.vocab_size


@dataclass(frozen=True)
class Fed:
    """What a rank fed in one step: its number of samples and the sum of their xxh3 hashes, in two halves that float64 adds exactly."""

    samples: int
    low: int
    high: int


def open_data(run: Run) -> Data:
    """Open the run's shards; the order is the one in the run's folder, or planned from the mixture when there is none yet.

    Raises:
        GristmillError: incomplete shards, a mixture that they cannot fill, or a stored order that was changed.
    """
    shards = open_shards(join(run.data, "shards"))
    # The order of a start that was killed before `run.json` binds nothing.
    if exists(join(run.out, ORDER)) and exists(join(run.out, RECORD)):
        text = load_order(run.out, load_record(run.out))
        return Data(shards, order_from_json(text), text)
    order = plan_run(run, shards).order
    return Data(shards, order, order_to_json(order))


def check_shards(shards: Shards, ranks: Ranks, *, tell: Callable[[str], None]) -> None:
    """Read shards against their hashes before the first step, once per file. Called by all ranks together: each reads a part of them.

    Shards that are more than some GB a rank are left for later: each is then checked when its tokens are first asked for.

    Raises:
        GristmillError: some are damaged; the message names them.
    """
    entries, size = [], 0
    for entry in agree(shards.unchecked):
        size += entry.bytes
        if size <= _CHECKED_FIRST * ranks.world:
            entries.append(entry)
    if size > _WORTH_TELLING:
        later = "" if size <= _CHECKED_FIRST * ranks.world else "; others when they are first read"
        tell(f"checking {sum(entry.bytes for entry in entries) / 1e9:,.1f} GB of shards against their hashes, once{later}")

    def damaged() -> list[str]:
        found = []
        for entry in entries[ranks.rank :: ranks.world]:
            try:
                shards.check(entry)
            except GristmillError as error:
                found.append(f"{entry.file}: {error.message}")
        return found

    problems = sorted(problem for found in every_rank(damaged) for problem in found)
    if problems:
        raise GristmillError(
            "\n  ".join([f"{len(problems)} shards are damaged:", *problems[:_MOST_NAMED], *(["…"] if len(problems) > _MOST_NAMED else [])]),
            where=shards.folder,
            remedy=MEND,
        )


def windows_of(data: Data, *, step: int, global_batch: int, ranks: Ranks) -> npt.NDArray[np.int64]:
    """int64[global_batch / data-parallel size, sequence + 1]: the samples of this rank in a step.

    Raises:
        RankError: a shard that cannot be read, with this rank's number.
    """
    count = global_batch // ranks.data
    try:
        return samples(data.shards, data.order, step * global_batch + ranks.data_rank * count, count)
    except GristmillError as error:
        raise RankError(f"rank {ranks.rank}: {error.message}", where=error.where, remedy=error.remedy) from error


def micro_batches(windows: npt.NDArray[np.int64], *, micro_batch: int, device: torch.device) -> Iterator[dict[str, torch.Tensor]]:
    """Tokens, labels and positions [micro_batch, sequence] of this rank's samples; under context parallelism, its chunks of them."""
    sequence = windows.shape[1] - 1
    positions = torch.arange(sequence, device=device).expand(micro_batch, -1)
    for start in range(0, len(windows), micro_batch):
        rows = torch.from_numpy(windows[start : start + micro_batch]).to(device, non_blocking=True)
        yield get_batch_on_this_cp_rank(
            {"tokens": rows[:, :-1].contiguous(), "labels": rows[:, 1:].contiguous(), "position_ids": positions.contiguous()}
        )


def fingerprint(windows: npt.NDArray[np.int64]) -> Fed:
    """Of the samples that a rank feeds; independent of how they are spread over ranks."""
    hashes = [xxhash.xxh3_64_intdigest(window.tobytes()) for window in windows]
    return Fed(samples=len(hashes), low=sum(value & _LOW for value in hashes), high=sum(value >> 32 for value in hashes))


def combined(low: float, high: float) -> str:
    """The sum of all hashes modulo 2^64, in hex, from the summed halves."""
    return f"{(int(low) + (int(high) << 32)) % (1 << 64):016x}"
