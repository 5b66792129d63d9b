"""Posts gathered by the question they belong to, on disk where they do not fit in memory.

In: posts in any order, each with the id of its question. Out: the same posts by ascending question id: a question, then
its answers from the highest to the lowest score; ties by id, then by place in the file.

SQLite does it: posts are appended to a table in a temporary database, their keys are sorted into an index, and they are
read along it. Memory: `CACHE_KIB`, and a few posts. Disk: what the cache does not hold, the posts' text and some 50
bytes a post. The file has no name in its folder: nothing of it stays, however the process ends.

Sources: SQLite's manual, sqlite.org/tempfiles.html and sqlite.org/pragma.html.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from manifests.errors import GristmillError
from pipeline.losses import Kind, Lost

try:
    import sqlite3
except ImportError as error:
    raise GristmillError(
        "this Python was built without SQLite, which sorts the posts of Stack Exchange",
        where=sys.executable,
        remedy="make the environment with a Python that has the module sqlite3",
    ) from error

CACHE_KIB = 64 << 10
# Characters of posts that are written together. One by one they cost the reader a tenth more: parser and database take
# turns, and push each other out of the processor's caches.
_MOST_WAITING = 256 << 10
# What a post costs besides its text.
_POST_BYTES = 256
_ORDER = "question, title IS NULL, score * (title IS NULL) DESC, id, offset"


class Post(NamedTuple):
    """A question or an answer.

    Attributes:
        question: id of the question that it belongs to; its own for a question.
        offset: of its row in the raw file.
        title: None for an answer.
        lost: what its text lost on the way from its source, as `written` gives it; empty where nothing was lost.
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


def lost_of(post: Post) -> Counter[tuple[Kind, str]]:
    """What a post's text lost."""
    return Counter({(kind, name): count for kind, name, count in json.loads(post.lost or "[]")})


class Spool:
    """Posts on their way through memory and disk.

    Its methods raise a GristmillError that names the folder when nothing can be written there.
    """

    def __init__(self) -> None:
        # A generator that owns a spool may be closed by another thread than the one that began it.
        self.database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        # No journal: nothing is rolled back, after an error the posts are read again. Temporary tables are never
        # synchronised.
        for statement in (
            "PRAGMA temp_store = FILE",
            f"PRAGMA temp.cache_size = -{CACHE_KIB}",
            "PRAGMA temp.journal_mode = OFF",
            f"CREATE TEMP TABLE post ({', '.join(Post._fields)})",
            "BEGIN",
        ):
            self.database.execute(statement)
        self.waiting: list[Post] = []
        self.waiting_size = 0

    def add(self, post: Post) -> None:
        """Take one post; may write to disk."""
        self.waiting.append(post)
        self.waiting_size += len(post.text) + _POST_BYTES
        if self.waiting_size > _MOST_WAITING:
            self._write()

    def posts(self) -> Iterator[Post]:
        """All posts taken, in their order."""
        self._write()
        try:
            self.database.execute(f"CREATE INDEX temp.in_order ON post ({_ORDER})")
            # Named, so that it is used: sorting the posts themselves would take their size on disk once more.
            rows = self.database.execute(f"SELECT * FROM post INDEXED BY in_order ORDER BY {_ORDER}")
            yield from map(Post._make, rows)
        except sqlite3.Error as error:
            raise _unwritable(error) from error

    def close(self) -> None:
        """Give memory and disk back."""
        self.database.close()

    def _write(self) -> None:
        try:
            self.database.executemany("INSERT INTO post VALUES (?, ?, ?, ?, ?, ?, ?)", self.waiting)
        except sqlite3.Error as error:
            raise _unwritable(error) from error
        self.waiting, self.waiting_size = [], 0


def _unwritable(error: sqlite3.Error) -> GristmillError:
    # SQLite's own choice, in its order.
    places = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), "/var/tmp", "/usr/tmp", "/tmp")
    folder = next((place for place in places if place and os.access(place, os.W_OK | os.X_OK)), ".")
    return GristmillError(
        f"posts cannot be put aside in the folder for temporary files: {error}",
        where=folder,
        remedy="make room there for all text of the posts, or name another folder in the variable SQLITE_TMPDIR",
    )
