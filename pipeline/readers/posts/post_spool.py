"""Posts gathered by the question they belong to, on disk where memory does not hold them.

In: posts in any order, each with the id of its question. Out: lists of posts, each with all posts of some questions; questions come by
ascending id and never twice. Posts of a list have no order.

Memory: `MOST_BUFFERED` characters of posts wait to be written; reading back takes one range of questions at a time, of at most `MOST_READ`
characters. Of a single question with more than that the posts beyond are left out, and counted. Disk: one nameless temporary file, which
goes with the process, of Zstandard-compressed Arrow batches: about a fifth of the text.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

import pyarrow as pa

from pipeline.losses import Kind, Lost

# Questions whose posts are read back together. Ids of questions and answers count in one sequence; 32,768 of them hold some 25 MB of text.
RANGE = 1 << 15
MOST_BUFFERED = 64 << 20
MOST_READ = 256 << 20
_SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64()),
        pa.field("question", pa.int64()),
        pa.field("score", pa.int64()),
        pa.field("offset", pa.int64()),
        pa.field("title", pa.string()),
        pa.field("text", pa.large_string()),
        pa.field("lost", pa.string()),
    ]
)


class Post(NamedTuple):
    """A question or an answer.

    Attributes:
        question: id of the question that it belongs to; its own for a question.
        offset: of its row in the raw file.
        title: None for an answer.
        lost: what its text lost on the way from its source, as `written` gives it; nothing for nothing.
    """

    id: int
    question: int
    score: int
    offset: int
    title: str | None
    text: str
    lost: str = ""


def written(lost: Lost) -> str:
    """What a text lost, as text."""
    return json.dumps([[*key, count] for key, count in sorted(lost.items())]) if lost else ""


def lost_of(posts: Iterable[Post]) -> Counter[tuple[Kind, str]]:
    """What the texts of several posts lost."""
    total: Counter[tuple[Kind, str]] = Counter()
    for post in posts:
        for kind, name, count in json.loads(post.lost or "[]"):
            total[kind, name] += count
    return total


@dataclass
class Spool:
    """Posts on their way through memory and disk."""

    waiting: dict[int, list[Post]] = field(default_factory=dict)  # by range
    sizes: dict[int, int] = field(default_factory=dict)  # characters waiting, by range
    blocks: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # written: offset and length, by range
    buffered: int = 0
    left_out: int = 0
    file: IO[bytes] | None = None

    def add(self, post: Post) -> None:
        """Take one post; may write to disk."""
        number = post.question // RANGE
        size = _size(post)
        self.waiting.setdefault(number, []).append(post)
        self.sizes[number] = self.sizes.get(number, 0) + size
        self.buffered += size
        if self.buffered > MOST_BUFFERED:
            # The largest first: few large blocks.
            for largest in sorted(self.sizes, key=lambda key: (-self.sizes[key], key)):
                self._write(largest)
                if self.buffered <= MOST_BUFFERED // 2:
                    break

    def groups(self) -> Iterator[list[Post]]:
        """All posts taken, by ranges of questions; the spool is empty afterwards."""
        for number in sorted({*self.waiting, *self.blocks}):
            yield from self._questions(number, number * RANGE, (number + 1) * RANGE)
            self.waiting.pop(number, None)
        if self.file is not None:
            self.file.close()

    def _questions(self, number: int, first: int, stop: int) -> Iterator[list[Post]]:
        """Posts of the questions from `first` to before `stop`: halved until they fit."""
        posts, size = [], 0
        for post in self._posts(number):
            if first <= post.question < stop:
                size += _size(post)
                if size <= MOST_READ:
                    posts.append(post)
                elif stop - first == 1:
                    self.left_out += 1
                else:
                    break
        if size > MOST_READ and stop - first > 1:
            del posts
            middle = (first + stop) // 2
            yield from self._questions(number, first, middle)
            yield from self._questions(number, middle, stop)
        elif posts:
            yield posts

    def _posts(self, number: int) -> Iterator[Post]:
        """The posts of one range as they came."""
        for offset, length in self.blocks.get(number, []):
            assert self.file is not None
            self.file.seek(offset)
            with pa.ipc.open_stream(self.file.read(length)) as reader:
                for batch in reader:
                    yield from map(Post, *(column.to_pylist() for column in batch.columns))
        yield from self.waiting.get(number, [])

    def _write(self, number: int) -> None:
        posts = self.waiting.pop(number)
        self.buffered -= self.sizes.pop(number)
        if self.file is None:
            self.file = tempfile.TemporaryFile()  # noqa: SIM115  (closed when its groups have been read)
        start = self.file.seek(0, 2)
        columns = [pa.array(values, item.type) for values, item in zip(zip(*posts, strict=True), _SCHEMA, strict=True)]
        with pa.ipc.new_stream(self.file, _SCHEMA, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=_SCHEMA))
        self.blocks.setdefault(number, []).append((start, self.file.tell() - start))


def _size(post: Post) -> int:
    # What a post costs besides its text.
    return len(post.text) + len(post.title or "") + 256
