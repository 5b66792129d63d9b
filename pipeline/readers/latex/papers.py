"""LaTeX sources of papers, as arXiv keeps them.

In: a `.tex` file; an archive (tar) of one paper; or one of arXiv's bulk files (`arXiv_src_*.tar`), a tar of such files,
each compressed. Out: one record per paper, its name the arXiv id where the file's name has one. A record's offset is
that of its member's header in the (decompressed) bulk file, 0 otherwise.

The text is what Llama 1 kept of arXiv (arXiv 2302.13971, section 2.1): "we removed everything before the first section,
as well as the bibliography. We also removed the comments from the .tex files, and inline-expanded definitions and
macros written by users". It stays LaTeX; appendices stay. Included files take the place of the command that includes
them (`pipeline.readers.latex.source`); for macros see `pipeline.readers.latex.macros`.

Papers without a document are skipped: `not_latex` (PDF, PostScript, HTML, ...), `withdrawn`, `no_main_file`,
`no_section`, `source_too_large`, `empty_text`. Damage to a bulk file costs the papers it lies in; damage to a paper's
own file costs the paper.
"""

from __future__ import annotations

import io
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from kernels.newer_characters import with_stand_ins
from manifests.step import Problem
from pipeline.losses import Extracted, Kind, extracted_without_stand_ins
from pipeline.readers.latex.macros import expand
from pipeline.readers.latex.source import MOST_CHARACTERS, assemble, decode, main_file
from pipeline.readers.latex.tar import Gap, Member, is_tar, members
from pipeline.readers.records import EXCERPT_BYTES, Batcher, Record, Records, unforeseen
from storage.compressed import Damaged, chunks, portions
from storage.raw_file import identified

# arXiv takes submissions of 50 MB.
MOST_PAPER_BYTES = 128 << 20
# No more of a paper's decompressed files is looked at.
MOST_UNPACKED_BYTES = 1 << 30
MOST_TEXT_BYTES = 64 << 20

# Identifiers since April 2007 and before (https://info.arxiv.org/help/arxiv_identifier.html).
_ID = re.compile(
    r"(\d{2}(?:0[1-9]|1[0-2])\.\d{4,5})(?:v\d{1,3})?(?![0-9])|([a-z]{2,8}(?:-[a-z]{2,5})?)/?(\d{2}(?:0[1-9]|1[0-2])\d{3})(?:v\d{1,3})?(?![0-9])"
)
_PAPER = re.compile(r"\.(?:gz|tgz|tar\.gz|tar|tex|pdf|ps|ps\.gz|html|html\.gz|docx)", re.IGNORECASE)
_SUFFIX = re.compile(r"\.(?:tex|ltx|latex|sty|txt)", re.IGNORECASE)
_OTHER = (b"%PDF", b"%!PS", b"PK\x03\x04", b"\x04%!PS", b"<html", b"<!DOC", b"<HTML", b"<!doc")
# How papers within a bulk file are compressed; the others take more memory than a member should.
_PACKED = ("gzip", "bzip2", "xz")
_WITHDRAWN = re.compile(r"\s{0,20}%auto-ignore")
_SECTION = re.compile(r"\\(?:part|chapter|section|subsection)[ \t]{0,8}\*?\s{0,8}[\[{]")
_BIBLIOGRAPHY = re.compile(
    r"\\begin\{(?P<environment>thebibliography|references|REFERENCES|biblist)\}"
    r"|\\(?P<command>bibliography|bibliographystyle|nocite|addbibresource)\s{0,8}\{[^{}]{0,4000}\}"
    r"|\\printbibliography(?:\[[^\[\]]{0,1000}\])?"
)
_ITS_HEADING = re.compile(
    r"\\(?:chapter|section|subsection)\s{0,8}\*?\s{0,8}\{\s{0,8}(?:references?|bibliography|literature(?:"
    r" cited)?)\s{0,8}\}\s{0,80}\Z",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\x00([0-9]{1,9})\x00")
_TRAILING = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


class _Unusable(Exception):
    """The paper gives no document; the message is the ledger's name for why."""


def read_latex(path: str, *, name: str | None = None) -> Iterator[Records]:
    """Batches of one file, in its order.

    Args:
        name: the file's name, from which a paper alone in its file has its own; the last part of the path when not
            given.

    Raises:
        GristmillError: the file is missing.
    """
    batcher = Batcher()
    name = posixpath.basename(path) if name is None else name
    try:
        head, stream = _peek(chunks(path))
        if is_tar(head):
            yield from _archive(batcher, stream, name)
        elif head:
            _paper(batcher, 0, name, stream)
        else:
            batcher.quarantine(0, name, Problem("empty file", "it holds no paper"), b"")
    except Damaged as damage:
        batcher.quarantine(damage.offset, name, damage.problem, b"")
    yield batcher.take()


def arxiv_id(name: str) -> str | None:
    """The arXiv identifier that a file is named after, without its version: `0704.0001.gz`, `hep-th9901001.gz`,
    `hep-th/9901001`.
    """
    parts = name.rsplit("/", 2)
    for candidate in (parts[-1], "/".join(parts[-2:])):
        found = _ID.match(candidate)
        if found is not None:
            return found[1] or f"{found[2]}/{found[3]}"
    return None


def latex_to_text(files: Mapping[str, str]) -> str:
    """The cleaned text of one paper; see `extract_latex`."""
    return extract_latex(files).text


def extract_latex(files: Mapping[str, str]) -> Extracted:
    """The cleaned text of one paper, still LaTeX, and what it lost.

    Args:
        files: its text files by name.

    Raises:
        _Unusable: `no_main_file`, `source_too_large`, `no_section`, `withdrawn`.
    """
    known = {name: with_stand_ins(text) for name, text in files.items()}
    if all(known[name] is text for name, text in files.items()):
        return _extract(files)
    found = _extract(known)
    return extracted_without_stand_ins(found)


def _extract(files: Mapping[str, str]) -> Extracted:
    main = main_file(files)
    if main is None:
        raise _Unusable("no_main_file")
    if _WITHDRAWN.match(files[main]):
        raise _Unusable("withdrawn")
    if len(files[main]) > MOST_CHARACTERS:
        raise _Unusable("source_too_large")
    source = assemble(files, main)
    body = _without_passages(expand(source.preamble, source.body), "\\comment", "\\endcomment")
    first = _SECTION.search(body)
    if first is None:
        raise _Unusable("no_section")
    if "\\begin{abstract}" in body[: first.start()]:
        source.lost["dropped_elements", "abstract"] += 1
    text = _without_bibliography(body[first.start() :], source.lost)
    text = _EMPTY_LINES.sub("\n\n", _TRAILING.sub("", text)).strip()
    return Extracted(_restored(text, source.verbatim) + "\n", dict(source.lost))


def _without_passages(text: str, beginning: str, ending: str) -> str:
    """Without what is between two commands of the package `comment`, as authors' own environments use them."""
    if ending not in text:
        return text
    parts = re.split(rf"{re.escape(beginning)}(?![a-zA-Z@])", text)
    return parts[0] + "".join(part.split(ending, 1)[1] if ending in part else beginning + part for part in parts[1:])


def _without_bibliography(text: str, lost: Counter[tuple[Kind, str]]) -> str:
    out: list[str] = []
    position = 0
    missing: set[str] = set()  # endings that do not occur any more
    while (found := _BIBLIOGRAPHY.search(text, position)) is not None:
        out.append(_ITS_HEADING.sub("", text[max(position, found.start() - 300) : found.start()]))
        out.insert(-1, text[position : max(position, found.start() - 300)])
        position = found.end()
        if found["environment"]:
            lost["dropped_elements", found["environment"]] += 1
        else:
            lost["dropped_commands", found["command"] or "printbibliography"] += 1
        if found["environment"]:
            ending = f"\\end{{{found['environment']}}}"
            end = -1 if ending in missing else text.find(ending, position)
            if end < 0:
                # Without its end it reaches to the end of the paper, as LaTeX would have it.
                missing.add(ending)
                return "".join(out)
            position = end + len(ending)
    out.append(text[position:])
    return "".join(out)


def _restored(text: str, verbatim: list[str]) -> str:
    """Verbatim passages back in place; each once, however often a macro has repeated its place."""
    used: set[int] = set()

    def passage(match: re.Match[str]) -> str:
        number = int(match[1])
        if number in used or number >= len(verbatim):
            return ""
        used.add(number)
        return verbatim[number]

    return _PLACEHOLDER.sub(passage, text).replace("\x00", "")


def _paper(batcher: Batcher, offset: int, name: str, stream: Iterator[bytes]) -> None:
    """Count one paper given by its decompressed bytes.

    Raises:
        Damaged: from the stream.
    """
    head, stream = _peek(stream)
    try:
        files: dict[str, bytes] = {}
        if is_tar(head):
            for event in members(_limited(stream, MOST_UNPACKED_BYTES), wanted=_is_text):
                if isinstance(event, Gap):
                    batcher.quarantine(offset, _name(name), event.problem, b"")
                    return
                _keep(files, event)
        elif head.lstrip()[:5].startswith(_OTHER) or b"\x00" in head:
            raise _Unusable("not_latex")
        else:
            files["main.tex"] = b"".join(_limited(stream, MOST_TEXT_BYTES))
        _finish(batcher, offset, name, files)
    except _Unusable as error:
        batcher.skip(str(error))


def _archive(batcher: Batcher, stream: Iterator[bytes], name: str) -> Iterator[Records]:
    """A tar: members named as papers are papers; the others together are the files of one."""
    files: dict[str, bytes] = {}
    gaps: list[Gap] = []
    papers = 0
    unusable: str | None = None
    for event in members(stream, wanted=_is_wanted):
        if isinstance(event, Gap):
            gaps.append(event)
        elif _is_paper(event.name):
            papers += 1
            if event.data is None:
                batcher.skip("source_too_large")
            else:
                _member(batcher, event, event.data)
            yield from batcher.full()
        elif unusable is None and not papers:
            try:
                _keep(files, event)
            except _Unusable as error:
                unusable, files = str(error), {}
    for gap in gaps if papers else gaps[:1]:
        batcher.quarantine(gap.offset, gap.name if papers else _name(name), gap.problem, b"")
    if not papers and not gaps:
        try:
            if unusable is not None:
                raise _Unusable(unusable)
            _finish(batcher, 0, name, files)
        except _Unusable as error:
            batcher.skip(str(error))


def _member(batcher: Batcher, member: Member, data: bytes) -> None:
    """One paper of a bulk file: compressed or, as some PDFs, plain."""
    try:
        _paper(batcher, member.offset, member.name, _unpacked(data))
    except Damaged as damage:
        batcher.quarantine(member.offset, _name(member.name), damage.problem, data)


def _finish(batcher: Batcher, offset: int, name: str, files: dict[str, bytes]) -> None:
    """Count a paper whose files are all there."""
    if not files:
        raise _Unusable("not_latex")
    identifier = arxiv_id(name)
    url = None if identifier is None else f"https://arxiv.org/abs/{identifier}"
    try:
        texts, replaced = decode(files)
        paper = extract_latex(texts)
    except _Unusable:
        raise
    except Exception as error:
        batcher.quarantine(offset, _name(name), unforeseen(error), next(iter(files.values()))[:EXCERPT_BYTES])
        return
    batcher.add(Record(offset, _name(name), url, paper.text, {**paper.lost, **replaced}))


def _name(name: str) -> str:
    return arxiv_id(name) or name


def _is_paper(name: str) -> bool:
    base = posixpath.basename(name)
    found = _ID.match(base)
    return found is not None and _PAPER.fullmatch(base, found.end()) is not None


def _is_wanted(name: str, size: int) -> bool:
    return size <= MOST_PAPER_BYTES if _is_paper(name) else _is_text(name, size)


def _is_text(name: str, size: int) -> bool:
    base = posixpath.basename(name)
    if size > MOST_TEXT_BYTES or base.startswith("._"):
        return False
    return (
        base.upper().startswith("00README") or "." not in base or _SUFFIX.fullmatch(base, base.rindex(".")) is not None
    )


def _keep(files: dict[str, bytes], member: Member) -> None:
    """Add one file of a paper when it is text.

    Raises:
        _Unusable: there are more bytes than are read.
    """
    if member.data is not None and b"\x00" not in member.data[:1024] and not member.data.startswith(_OTHER):
        files[posixpath.normpath(member.name)] = member.data
        if sum(map(len, files.values())) > MOST_TEXT_BYTES or len(files) > 10_000:
            raise _Unusable("source_too_large")


def _peek(stream: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, at least a tar header's when there are as many, and the whole stream again."""
    parts: list[bytes] = []
    while sum(map(len, parts)) < 1024:
        chunk = next(stream, None)
        if chunk is None:
            break
        parts.append(chunk)
    head = b"".join(parts)

    def again() -> Iterator[bytes]:
        yield head
        yield from stream

    return head[:1024], again()


def _limited(stream: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The stream.

    Raises:
        _Unusable: it is longer than `most` bytes.
    """
    size = 0
    for chunk in stream:
        size += len(chunk)
        if size > most:
            raise _Unusable("source_too_large")
        yield chunk


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Decompressed bytes of a compressed file in memory, of one or many members; other files as they are.

    Raises:
        Damaged: after the last readable part.
    """
    raw = identified(io.BytesIO(data))
    if raw.kind not in _PACKED:
        yield data
        return
    for event in portions(raw):
        if isinstance(event, Damaged):
            raise event
        yield event.data
