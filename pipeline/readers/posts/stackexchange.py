"""Stack Exchange dumps: `Posts.xml`, compressed or not.

In: rows in the order of their ids, questions and answers mixed. A record is a `<row>`; its offset is that of its tag in
the decompressed stream. Out: one document per question, by ascending question id: title, body, then the answers from
the highest to the lowest score, ties by id, HTML removed (Llama 1: "We remove the HTML tags from text and sorted the
answers by score (from highest to lowest)", arXiv 2302.13971, section 2.1). Offset and name are the question's.

Every row is one of: the document of its question; skipped as `answer`, a part of its question's document; skipped as
`answer_without_question`, whose question is not in the file; `answers_too_large`, beyond the size of a document; a post
of another type, under that type's name (`tag_wiki`, ...); `post_too_large`; `empty_text`; or broken.

Answers come long after their questions, so posts are gathered on disk (`post_spool`, which states the bounds).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import groupby, islice

from manifests.errors import GristmillError
from manifests.step import Problem
from pipeline.losses import Kind, Lost
from pipeline.readers.posts.post_html import extract_post
from pipeline.readers.posts.post_spool import Post, Spool, lost_of, written
from pipeline.readers.records import Batcher, Record, Records, unforeseen
from pipeline.readers.xml_stream import Handler, parse
from storage.compressed import Damaged, chunks

# The sites refuse bodies of more than 30,000 characters.
MOST_POST_CHARACTERS = 4 << 20
MOST_DOCUMENT_CHARACTERS = 16 << 20
# PostTypes of the dumps' schema (https://meta.stackexchange.com/questions/2677). Others count as `unknown_post_type`.
_QUESTION, _ANSWER = "1", "2"
_OTHER_TYPES = {
    "3": "orphaned_tag_wiki",
    "4": "tag_wiki_excerpt",
    "5": "tag_wiki",
    "6": "moderator_nomination",
    "7": "wiki_placeholder",
    "8": "privilege_wiki",
}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_SITE = re.compile(
    r"(?:[a-z0-9-]{1,63}\.){0,3}(?:stackexchange|stackoverflow|superuser|serverfault|askubuntu|stackapps)\.com(?![a-z0-9.])"
    r"|(?:meta\.)?mathoverflow\.net(?![a-z0-9.])",
    re.IGNORECASE,
)
_SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"


class _Invalid(Exception):
    """A row without the numbers that it must have."""


def read_stackexchange(path: str) -> Iterator[Records]:
    """Batches of one file; documents come after the whole file has been read.

    Raises:
        GristmillError: the file is missing, or packed as 7z.
    """
    _refuse_7z(path)
    site = site_of(path)
    with closing(Spool()) as spool:
        rows = _Rows(spool=spool)
        for _ in parse(path, rows, root="posts", record=b"<row ", holds="row"):
            yield from rows.batcher.full()
        for _, posts in groupby(spool.posts(), key=lambda post: post.question):
            for record in _documents(rows.batcher, posts, site):
                rows.batcher.add(record)
                yield from rows.batcher.full()
    yield rows.batcher.take()


def site_of(path: str) -> str | None:
    """Host of the site, where the file or a folder above it is named after it, as the dumps are; the nearest one
    counts.
    """
    for part in reversed(path.split("/")):
        found = _SITE.match(part)
        if found is not None:
            return found[0].lower()
    return None


def _refuse_7z(path: str) -> None:
    with suppress(Damaged):
        if next(chunks(path), b"").startswith(_SEVEN_ZIP):
            raise GristmillError(
                "packed as 7z, which is not read", where=path, remedy="unpack it with `7z x`, and name Posts.xml"
            )


def _documents(batcher: Batcher, posts: Iterator[Post], site: str | None) -> Iterator[Record]:
    """The document of one question, from its posts in their order; its answers are counted."""
    question: Post | None = None
    texts: list[str] = []
    lost: Counter[tuple[Kind, str]] = Counter()
    size = 0
    for post in posts:
        if post.title is None and question is None:
            batcher.skip("answer_without_question")
        elif post.title is not None and question is not None:
            # The same id twice: a document each, so that nothing is lost; answers belong to the first in the file.
            yield _record(post, [post.text], lost_of(post), site)
        else:
            size += len(post.text)
            fits = question is None or size <= MOST_DOCUMENT_CHARACTERS
            if question is None:
                question = post
            else:
                batcher.skip("answer" if fits else "answers_too_large")
            if fits:
                texts += [post.text] if post.text else []
                if post.lost:
                    lost.update(lost_of(post))
    if question is not None:
        yield _record(question, texts, lost, site)


def _record(question: Post, texts: list[str], lost: Lost, site: str | None) -> Record:
    """The document of a question: its title, and the texts of its posts."""
    text = "\n\n".join(texts)
    # A title alone is not a document.
    text = f"{question.title}\n\n{text}" if text and question.title else text
    return Record(
        question.offset,
        str(question.id),
        None if site is None else f"https://{site}/questions/{question.id}",
        text,
        lost,
    )


@dataclass
class _Rows(Handler):
    """Each row on its way to the spool."""

    spool: Spool = field(kw_only=True)
    batcher: Batcher = field(default_factory=Batcher)

    def lost(self, offset: int, problem: Problem, excerpt: bytes) -> None:
        self.batcher.quarantine(offset, None, problem, excerpt)

    def opened(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            try:
                self.row(attributes)
            except Exception as error:
                problem = Problem("invalid row", str(error)) if isinstance(error, _Invalid) else unforeseen(error)
                some = islice(attributes.items(), 12)
                excerpt = " ".join(f'{name[:40]}="{value[:40]}"' for name, value in some).encode()
                self.batcher.quarantine(self.offset(), attributes.get("Id"), problem, excerpt)

    def row(self, attributes: dict[str, str]) -> None:
        """Count one row, or put it aside until its question is complete."""
        kind, body = attributes.get("PostTypeId"), attributes.get("Body", "")
        if kind is None:
            raise _Invalid("no PostTypeId; is this Posts.xml?")
        if kind not in (_QUESTION, _ANSWER):
            self.batcher.skip(_OTHER_TYPES.get(kind, "unknown_post_type"))
            return
        if len(body) > MOST_POST_CHARACTERS:
            self.batcher.skip("post_too_large")
            return
        number = _number(attributes, "Id")
        question = number if kind == _QUESTION else _number(attributes, "ParentId")
        score = _number(attributes, "Score", default=0)
        if number < 0 or question < 0:
            raise _Invalid("an id below 0")
        title = " ".join(attributes.get("Title", "").split()) if kind == _QUESTION else None
        extracted = extract_post(body)
        self.spool.add(Post(number, question, score, self.offset(), title, extracted.text, written(extracted.lost)))


def _number(attributes: dict[str, str], name: str, *, default: int | None = None) -> int:
    value = attributes.get(name)
    if value is None and default is not None:
        return default
    if value is None or not _INTEGER.fullmatch(value):
        raise _Invalid(f"{name} is {'missing' if value is None else 'no number'}")
    return int(value)
