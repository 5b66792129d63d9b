"""The choice: which rows go, from verified pairs in partition files.

Stages:

- `asks` (runs): which of other runs' rows a run has to know about, to their runs.
- `round-<k>` (runs): with what is known so far, a run decides as many of its rows as can be, and tells the runs that
  asked. What it cannot decide yet, `waiting-<k>/<run>.arrow`, waits for the next round.
- `rest` (one task): what `EDGES_AT_ONCE` pairs or fewer wait for is decided in one go; before the first round, if there
  are not more than that in all.
- `last` (runs): after rounds, what the rest decided of a run's rows, to the runs that asked.
- `chosen` (runs): `chosen/<run>.arrow`, the run's rows that go, each with the best row that stays (`dedup.choice`).

The choice is unique, so the rounds decide nothing that one worker would decide otherwise. A run tells another one of
each row once: all rounds together send 17 bytes for each different pair of a run and a row that it asks for, however
many rounds there are. A round decides all rows but those that hang on another run's undecided ones; a chain of versions
that goes from run to run takes as many rounds as it has links that do. Rounds end when the rest fits in one task.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from dedup.choice import Known, best_pairs, find, join_known, settle
from kernels.arrays import Bools, Uint64s
from manifests.step import Output
from pipeline.decide.duplicates.copies import FOLDER
from pipeline.decide.duplicates.verification import EDGES, edges_file
from pipeline.decide.exchange import one_batch, receive, receive_each, send, uint64s
from pipeline.decide.runs import RunJob, first_numbers, runs_of
from pipeline.schemas import publish_ipc, read_ipc
from storage.files import join, map_file

ASKS = f"{FOLDER}/asks"
_REST_FILE = f"{FOLDER}/rest.arrow"
# A task that decides holds some 190 bytes for each pair (bench/dedup_scale.py).
MEMORY_BYTES = 500 << 20
EDGES_AT_ONCE = MEMORY_BYTES // 200
# Pairs that hang on each other from run to run more often than this are no corpus that was ever seen.
MOST_ROUNDS = 40
_ROWS = pa.schema([pa.field("row", pa.uint64(), nullable=False)])
_KNOWN = pa.schema([pa.field("row", pa.uint64(), nullable=False), pa.field("goes", pa.bool_(), nullable=False)])
_WAITING = pa.schema([pa.field(name, pa.uint64(), nullable=False) for name in ("row", "keeper")])


def states_exchange(number: int) -> str:
    """What runs tell each other in one round."""
    return f"{FOLDER}/states-{number:02d}"


def _known_file(number: int, run: int) -> str:
    return f"{FOLDER}/known-{number:02d}/{run:06d}.arrow"


def _waiting_file(number: int, run: int) -> str:
    """The pairs of a run that wait after this round; before the first, all its pairs."""
    return f"{FOLDER}/waiting-{number:02d}/{run:06d}.arrow" if number >= 0 else edges_file(run)


def _chosen_file(run: int) -> str:
    return f"{FOLDER}/chosen/{run:06d}.arrow"


def send_asks(run: int, job: RunJob) -> list[Output]:
    """Stage `asks` of one run."""
    keepers = np.unique(_pairs(-1, run, job)[1])
    firsts = first_numbers(job)
    owners = runs_of(keepers, firsts)
    # Of earlier snapshots only documents that stay are left in pairs: nobody has to be asked.
    elsewhere = (owners != run) & (owners < job.own_runs)
    batch = pa.RecordBatch.from_arrays([pa.array(keepers[elsewhere])], schema=_ROWS)
    return [send(job, ASKS, run, batch, owners[elsewhere])]


def _pairs(number: int, run: int, job: RunJob) -> tuple[Uint64s, Uint64s]:
    """Rows and keepers of the pairs of a run that wait after a round."""
    table = read_ipc(join(job.folder, _waiting_file(number, run)), columns=["row", "keeper"])
    return table["row"].to_numpy(), table["keeper"].to_numpy()


def decide_round(run: int, job: RunJob, *, number: int) -> list[Output]:
    """Stage `round-<number>` of one run; the first file is of the pairs that wait."""
    rows, keepers = _pairs(number - 1, run, job)
    asked = [batch["row"].to_numpy() for batch in receive_each(job, ASKS, run)]
    wanted = np.unique(np.concatenate(asked))
    all_rows = np.unique(_pairs(-1, run, job)[0]) if number else np.unique(rows)
    firsts = first_numbers(job)
    owners = runs_of(keepers, firsts)
    own = np.unique(np.concatenate([keepers[(owners == run) | (owners >= job.own_runs)], wanted]))
    before = _known(number, run, job)
    known = settle(keepers, rows, first=np.setdiff1d(own, all_rows, assume_unique=True), known=before)
    place, found = find(known.rows, keepers)
    goes = np.zeros(len(keepers), bool)
    goes[found] = known.goes[place[found]]
    waits = ~find(known.rows, rows)[1] & ~goes
    new = ~find(before.rows, known.rows)[1]
    told = Known(known.rows[new], known.goes[new])
    batch = pa.RecordBatch.from_arrays([pa.array(rows[waits]), pa.array(keepers[waits])], schema=_WAITING)
    return [
        publish_ipc(job.folder, _waiting_file(number, run), [batch], _WAITING, compress=False),
        _publish_known(job, number, run, join_known([before, told])),
        _send_states(job, number, run, told, asked),
    ]


def _known(number: int, run: int, job: RunJob) -> Known:
    """What a run knows when a round begins: what it knew in the one before, and what it was told since."""
    if not number:
        return join_known([])
    before = _read_known(read_ipc(join(job.folder, _known_file(number - 1, run))))
    return join_known([before, _read_known(receive(job, states_exchange(number - 1), run))])


def _read_known(table: pa.Table | pa.RecordBatch) -> Known:
    return Known(table["row"].to_numpy(), table["goes"].to_numpy(zero_copy_only=False))


def _known_batch(known: Known) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(known.rows), pa.array(known.goes)], schema=_KNOWN)


def _publish_known(job: RunJob, number: int, run: int, known: Known) -> Output:
    return publish_ipc(job.folder, _known_file(number, run), [_known_batch(known)], _KNOWN, compress=False)


def _send_states(job: RunJob, number: int, run: int, told: Known, asked: list[Uint64s]) -> Output:
    """Tell each run that asked of the rows that were decided in this round."""
    wanted = np.concatenate(asked)
    owners = np.repeat(np.arange(job.runs), [len(each) for each in asked])
    place, found = find(told.rows, wanted)
    batch = _known_batch(Known(wanted[found], told.goes[place[found]]))
    return send(job, states_exchange(number), run, batch, owners[found])


def decide_rest(_: int, job: RunJob, *, rounds: int) -> list[Output]:
    """Stage `rest`, after so many rounds."""
    pairs = [_pairs(rounds - 1, run, job) for run in range(job.runs)]
    rows, keepers = (np.concatenate([pair[index] for pair in pairs]) for index in range(2))
    # After rounds every row that waits waits for rows that do, or that were told of in the last round.
    first = np.empty(0, np.uint64) if rounds else np.setdiff1d(keepers, rows)
    told = [_told(rounds, run, job, keepers) for run in range(job.runs) if rounds]
    known = settle(keepers, rows, first=first, known=join_known(told))
    if rounds:
        decided = np.isin(known.rows, rows)
        known = Known(known.rows[decided], known.goes[decided])
        bounds = np.searchsorted(runs_of(known.rows, first_numbers(job)), np.arange(job.runs + 1))
        ends = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        batches = [_known_batch(Known(known.rows[start:stop], known.goes[start:stop])) for start, stop in ends]
    else:
        batches = []
        for own_rows, own_keepers in pairs:
            nodes = np.unique(np.concatenate([own_rows, own_keepers]))
            batches.append(_known_batch(Known(nodes, known.goes[find(known.rows, nodes)[0]])))
    return [publish_ipc(job.folder, _REST_FILE, batches, _KNOWN, compress=False)]


def _told(rounds: int, run: int, job: RunJob, rows: Uint64s) -> Known:
    """What a run was told of these rows in the last round."""
    known = _read_known(receive(job, states_exchange(rounds - 1), run))
    wanted = np.isin(known.rows, rows)
    return Known(known.rows[wanted], known.goes[wanted])


def send_last(run: int, job: RunJob, *, rounds: int) -> list[Output]:
    """Stage `last` of one run: what the rest decided of its rows, to the runs that asked. Only after rounds."""
    asked = [batch["row"].to_numpy() for batch in receive_each(job, ASKS, run)]
    return [_send_states(job, rounds, run, _rest(run, job), asked)]


def _rest(run: int, job: RunJob) -> Known:
    """What the rest decided: of a run's own rows, or, if there were no rounds, of the rows of all its pairs."""
    with map_file(join(job.folder, _REST_FILE)) as file:
        return _read_known(pa.ipc.open_file(file).get_batch(run))


def publish_chosen(run: int, job: RunJob, *, rounds: int) -> list[Output]:
    """Stage `chosen` of one run, after so many rounds and the rest."""
    edges = read_ipc(join(job.folder, edges_file(run)))
    known = [_rest(run, job)]
    if rounds:
        last = _read_known(receive(job, states_exchange(rounds), run))
        known += [_known(rounds, run, job), last]
    stays = _stay(join_known(known), edges["keeper"].to_numpy())
    best = best_pairs(edges["row"].to_numpy(), stays, edges["similarity"].to_numpy(), uint64s(edges, ["high", "low"]))
    chosen = one_batch(edges.take(pa.array(best)))
    return [publish_ipc(job.folder, _chosen_file(run), [chosen], EDGES, compress=False)]


def _stay(known: Known, rows: Uint64s) -> Bools:
    place, found = find(known.rows, rows)
    assert found.all(), "a row is not decided"
    stays: Bools = ~known.goes[place]
    return stays


def read_chosen(run: int, job: RunJob) -> pa.Table:
    """The rows of a run that go, ascending, each with the pair that it goes for: `verification.EDGES`."""
    return read_ipc(join(job.folder, _chosen_file(run)))
