"""The input of this rank's model: token windows of one step, taken from the order and cut into micro-batches.

Step s consists of `global_batch` samples, beginning with sample s * global_batch. Data-parallel rank r of d takes the
r-th of d equal pieces of them. Nothing else matters: tensor, pipeline and context ranks of one data-parallel rank read
the same samples, and no state is kept between steps.
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
# Bytes per rank; sha256 takes about 1 CPU second for 1.4 GB.
_CHECKED_FIRST = 16 << 30
_WORTH_REPORTING = 1 << 30
_MOST_NAMED = 20


@dataclass(frozen=True)
class Data:
    """The shards of a run and the order in which it reads them.

    Attributes:
        notes: where the order was planned now: what the mixture asks for and does not get.
    """

    shards: Shards
    order: Order
    order_json: str
    notes: tuple[str, ...] = ()

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
class Fingerprint:
    """The samples that a rank read in one step: their number and the sum of their xxh3 hashes.

    The sum is kept in two halves of 32 bits, which float64 adds exactly.
    """

    samples: int
    low: int
    high: int


def open_data(run: Run) -> Data:
    """Open the run's shards.

    The order is the one in the run's folder; if there is none yet, it is planned from the mixture.

    Raises:
        GristmillError: the shards are incomplete, cannot fill the mixture, or the stored order was changed.
    """
    shards = open_shards(join(run.data, "shards"))
    # An order without `run.json` is left from a start that was killed, and is ignored.
    if exists(join(run.out, ORDER)) and exists(join(run.out, RECORD)):
        text = load_order(run.out, load_record(run.out))
        return Data(shards, order_from_json(text), text)
    plan = plan_run(run, shards)
    return Data(shards, plan.order, order_to_json(plan.order), plan.notes)


def check_shards(shards: Shards, ranks: Ranks, *, report: Callable[[str], None]) -> None:
    """Compare shards with their hashes before the first step, once per file.

    Called by all ranks together: each reads a part of them.

    Only the first 16 GiB per rank are checked now. The other shards are checked when their tokens are first read.

    Raises:
        GristmillError: some shards are damaged; the message names them.
    """
    entries, size = [], 0
    for entry in agree(shards.unchecked):
        size += entry.bytes
        if size <= _CHECKED_FIRST * ranks.world:
            entries.append(entry)
    if size > _WORTH_REPORTING:
        later = "" if size <= _CHECKED_FIRST * ranks.world else "; others when they are first read"
        report(
            f"checking {sum(entry.bytes for entry in entries) / 1e9:,.1f} GB of shards against their hashes,"
            f" once{later}"
        )

    def damaged() -> list[str]:
        problems = []
        for entry in entries[ranks.rank :: ranks.world]:
            try:
                shards.check(entry)
            except GristmillError as error:
                problems.append(f"{entry.file}: {error.message}")
        return problems

    problems = sorted(problem for found in every_rank(damaged) for problem in found)
    if problems:
        raise GristmillError(
            "\n  ".join(
                [
                    f"{len(problems)} shards are damaged:",
                    *problems[:_MOST_NAMED],
                    *(["…"] if len(problems) > _MOST_NAMED else []),
                ]
            ),
            where=shards.folder,
            remedy=MEND,
        )


def windows_of(data: Data, *, step: int, global_batch: int, ranks: Ranks) -> npt.NDArray[np.int64]:
    """int64[global_batch / data-parallel size, sequence + 1]: the samples of this rank in a step.

    Raises:
        RankError: a shard cannot be read; the message has this rank's number.
    """
    count = global_batch // ranks.data
    try:
        return samples(data.shards, data.order, step * global_batch + ranks.data_rank * count, count)
    except GristmillError as error:
        raise RankError(f"rank {ranks.rank}: {error.message}", where=error.where, remedy=error.remedy) from error


def micro_batches(
    windows: npt.NDArray[np.int64], *, micro_batch: int, device: torch.device
) -> Iterator[dict[str, torch.Tensor]]:
    """Tokens, labels and positions [micro_batch, sequence] of this rank's samples.

    With context parallelism, only this rank's chunks of them.
    """
    sequence = windows.shape[1] - 1
    positions = torch.arange(sequence, device=device).expand(micro_batch, -1)
    for start in range(0, len(windows), micro_batch):
        rows = torch.from_numpy(windows[start : start + micro_batch]).to(device, non_blocking=True)
        yield get_batch_on_this_cp_rank(
            {
                "tokens": rows[:, :-1].contiguous(),
                "labels": rows[:, 1:].contiguous(),
                "position_ids": positions.contiguous(),
            }
        )


def fingerprint(windows: npt.NDArray[np.int64]) -> Fingerprint:
    """A fingerprint of a rank's samples; the sum over ranks does not depend on how samples are spread over them."""
    hashes = [xxhash.xxh3_64_intdigest(window.tobytes()) for window in windows]
    return Fingerprint(
        samples=len(hashes), low=sum(value & _LOW for value in hashes), high=sum(value >> 32 for value in hashes)
    )


def combined(low: float, high: float) -> str:
    """The sum of all hashes modulo 2^64, in hex, from the summed halves."""
    return f"{(int(low) + (int(high) << 32)) % (1 << 64):016x}"
