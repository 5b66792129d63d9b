"""What readers yield: Arrow batches of raw records, each accounted for exactly once.

A record is a document, broken (to be quarantined), or skipped for a reason. Each format defines what a record is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from manifests.errors import GristmillError
from manifests.step import Problem
from pipeline.losses import NOTHING, Lost, Tally

RAW = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),  # where in the raw file; the format's reader says in what unit
        pa.field("name", pa.string()),  # the record's own id
        pa.field("url", pa.string()),
        pa.field("text", pa.large_string(), nullable=False),  # as found
    ]
)

# Batches are closed at about this much text: large enough for kernels, small enough for memory.
BATCH_TEXT_BYTES = 4 << 20
EXCERPT_BYTES = 200
# Limits whatever a record holds: an error is a sentence, and ids and URLs are short.
_MOST_ERROR_CHARACTERS = 1_000
MOST_NAME_BYTES = 1 << 16
# Batches are also closed at this many bytes of ids and URLs, and at this many documents: their cost in memory does not
# follow from that of their text.
_BATCH_NAME_BYTES = 16 << 20
_BATCH_DOCUMENTS = 1 << 16
# The reason for skipping records that a draw leaves out.
NOT_SAMPLED = "not_sampled"


@dataclass(frozen=True)
class Record:
    """One document as found.

    Attributes:
        offset: where in the raw file; the format's reader says in what unit.
        name: the record's own id, if it has one.
        lost: what its text lost on the way from its source.
    """

    offset: int
    name: str | None
    url: str | None
    text: str
    lost: Lost = field(default_factory=lambda: NOTHING, hash=False)


@dataclass(frozen=True)
class Broken:
    """A record that cannot be read.

    Attributes:
        excerpt: its first bytes, at most `EXCERPT_BYTES`.
    """

    offset: int
    name: str | None
    problem: Problem
    excerpt: bytes

    @property
    def error(self) -> str:
        """What is wrong, as a sentence."""
        return str(self.problem)


@dataclass
class Draw:
    """Which records of a file are wanted: asked before a record's text is made, where that costs more than finding the
    record.

    Attributes:
        wanted: says whether the record at an offset is wanted.
        asked_size, drawn_size: size of all records that it was asked for, and of the wanted ones; both grow.
        text_cpu_s: CPU seconds that making texts took; grows.
    """

    wanted: Callable[[int], bool]
    asked_size: int = 0
    drawn_size: int = 0
    text_cpu_s: float = 0.0

    def wants(self, offset: int, size: int) -> bool:
        """Whether a record's text is to be made; `size` in a unit that the cost of its text grows with."""
        drawn = self.wanted(offset)
        self.asked_size += size
        self.drawn_size += size * drawn
        return drawn

    @contextmanager
    def making_text(self) -> Iterator[None]:
        """Time inside the block counts as making a text."""
        began = time.process_time()
        yield
        self.text_cpu_s += time.process_time() - began


@dataclass(frozen=True)
class Records:
    """A batch in the order of the file.

    Attributes:
        documents: schema `RAW`; may have no rows.
        skipped: records without a document, by reason.
        lost: what the documents lost on the way from their sources.
    """

    documents: pa.RecordBatch
    broken: list[Broken]
    skipped: dict[str, int]
    lost: Tally = field(default_factory=Tally)


@dataclass
class Batcher:
    """Collects records and hands out batches of about `BATCH_TEXT_BYTES` of text.

    Readers that make one record at a time use `add`, those that have whole columns `add_batch`; the order is that of
    the calls.
    """

    documents: list[Record] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    lost: Tally = field(default_factory=Tally)
    _ready: list[pa.RecordBatch] = field(default_factory=list)
    _text_size: int = 0
    _name_size: int = 0

    def add(self, record: Record) -> None:
        """A document; one of white space only is counted as `empty_text`."""
        if not record.text or record.text.isspace():
            self.skip("empty_text")
            return
        self.documents.append(record)
        if record.lost:
            self.lost.add(record.lost)
        self._text_size += len(record.text)
        self._name_size += len(record.name or "") + len(record.url or "")

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Documents of schema `RAW`, all valid, each with more than white space."""
        self._flush()
        self._ready.append(batch)
        self._text_size += batch["text"].nbytes
        self._name_size += batch["name"].nbytes + batch["url"].nbytes

    def skip(self, reason: str, count: int = 1) -> None:
        """Records that hold no document for us."""
        if count:
            self.skipped[reason] += count

    def quarantine(self, offset: int, name: str | None, problem: Problem, excerpt: bytes) -> None:
        """A broken record."""
        name = None if name is None else without_surrogates(name[:_MOST_ERROR_CHARACTERS])
        room = _MOST_ERROR_CHARACTERS - len(f"{problem.kind}: ")
        problem = Problem(problem.kind, without_surrogates(problem.detail[:room]))
        self.broken.append(Broken(offset, name, problem, bytes(excerpt[:EXCERPT_BYTES])))

    def full(self) -> Iterator[Records]:
        """The batch, when there is enough of it."""
        large = self._text_size >= BATCH_TEXT_BYTES or self._name_size >= _BATCH_NAME_BYTES
        if large or len(self.documents) >= _BATCH_DOCUMENTS or len(self.broken) >= 10_000:
            yield self.take()

    def take(self) -> Records:
        """Whatever there is; the batcher begins anew."""
        self._flush()
        match self._ready:
            case []:
                documents = raw_batch([])
            case [documents]:
                pass
            case several:
                documents = pa.concat_batches(several)
        batch = Records(documents, self.broken, dict(self.skipped), self.lost)
        self._ready, self.broken, self.skipped, self.lost = [], [], Counter(), Tally()
        self._text_size = self._name_size = 0
        return batch

    def _flush(self) -> None:
        if self.documents:
            self._ready.append(raw_batch(self.documents, lost=self.lost))
            self.documents = []


def raw_batch(records: list[Record], *, lost: Tally | None = None) -> pa.RecordBatch:
    """Records as one batch of schema `RAW`.

    UTF-8 holds no surrogates: those that make a pair become its character, others U+FFFD, and are counted in `lost`.
    """
    try:
        texts = pa.array([record.text for record in records], pa.large_string())
    except UnicodeEncodeError:
        # So rare that looking for them in every text would cost more than a second try.
        paired = [without_surrogates(record.text) for record in records]
        if lost is not None:
            for record, text in zip(records, paired, strict=True):
                lost.add({("replaced_characters", "surrogates"): text.count("\ufffd") - record.text.count("\ufffd")})
        texts = pa.array(paired, pa.large_string())
    return pa.RecordBatch.from_arrays(
        [
            pa.array([record.offset for record in records], pa.int64()),
            _strings([record.name for record in records]),
            _strings([record.url for record in records]),
            texts,
        ],
        schema=RAW,
    )


def unforeseen(error: Exception) -> Problem:
    """What the quarantine says about an unforeseen error that a record caused: it costs that record, not the command.

    Raises:
        Exception: the error, when it is not the record's but the machine's, a store's, or the manifest's.
    """
    if isinstance(error, GristmillError | MemoryError | OSError):
        raise error
    return Problem(f"unforeseen {type(error).__name__}", (str(error).splitlines() or [""])[0][:200])


def without_surrogates(text: str) -> str:
    """Pairs of surrogates become their character, others U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _strings(values: list[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([None if value is None else without_surrogates(value) for value in values], pa.string())
