"""Opt-outs and block lists: which documents come from listed sites or URLs.

In: list files of the manifest (UT1 folders with `domains` and `urls` files, or plain lists, one entry a line, gzip or
not) and the URLs of documents. Out: the lists as sorted hashes, 8 bytes per entry, published once below
`OUT/decide/block_lists` and memory-mapped by every worker; and a reason code per document, row-aligned.

- A *site* entry is a host or a domain. It blocks URLs whose host equals it or ends with a dot followed by it.
- A *URL* entry has a host and a path. It blocks URLs that equal it or continue after it with `/`, `?` or `#`. Scheme,
  `www.` and a trailing `/` are ignored on both sides.
- A *word* entry is a word of letters and digits. It blocks URLs that contain at least `min_words` different words of
  the list, each between characters that are neither letters nor digits (RefinedWeb, arXiv 2306.01116, appendix G.1,
  scores URLs by such words).

Case and port are ignored. Site lists may be hosts files (`0.0.0.0 example.com`). Lines that are not valid entries of
the list's kind are skipped and counted. If a list has more such lines than entries, it is probably of another kind: an
error. Opt-outs are a list of their own, with a reason of its own, before all others; else the first list in the
manifest's order that matches gives the reason. Two different entries share an xxh3-64 hash
with probability below 1e-6 for 5 million entries.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from kernels.newer_characters import with_stand_ins
from manifests.corpus import OPT_OUT, BlockList, CorpusManifest
from manifests.errors import GristmillError
from manifests.filters import Reason
from manifests.step import Ledger, TaskManifest
from pipeline.decide.settings import BlockListSettings, DecideJob, DecideSettings
from pipeline.engines.partitions import PartitionJob
from pipeline.filters.reasons import code_of
from pipeline.schemas import publish_ipc, read_ipc
from pipeline.text.sites import LONGEST_HOST, ascii_host
from storage.files import find, is_glob, join, list_stats, open_stream, split_glob
from storage.steps import finished_task, write_task

FOLDER = "block_lists"
TASK = f"{FOLDER}/lists"
KINDS = ("sites", "urls", "words")
_REASONS: dict[str, Reason] = {"sites": "blocked_site", "urls": "blocked_url", "words": "blocked_word"}
# Names of the files in a folder laid out like UT1.
_IN_FOLDER = {"sites": ("domains", "domains.gz"), "urls": ("urls", "urls.gz"), "words": ("words", "words.gz")}
HASHES = pa.schema([pa.field("hash", pa.uint64(), nullable=False)])
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_PLAIN_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_HOST = re.compile(r"(\[[0-9a-f:.%]+\]|[\w-]+(?:\.[\w-]+)*)(?::[0-9]{1,5})?")
# The address before each host in a hosts file that blocks hosts.
_NOWHERE = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?)[ \t]+")
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#.*", re.DOTALL)
_SHOWN = 80
_URL_PARTS = re.compile(r"[/?#]")

# Bytes of lines processed at a time.
_PIECE = 4 << 20

Hashes = npt.NDArray[np.uint64]


class Entries(NamedTuple):
    """The entries of a list.

    Attributes:
        hashes: uint64[entries], sorted and unique.
        unread: number of lines that are neither a valid entry of the list's kind, nor empty, nor a comment.
        example: the first of those lines.
    """

    hashes: Hashes
    unread: int
    example: str


def _lists(manifest: CorpusManifest) -> list[BlockList]:
    """All lists in the order in which they are asked: the opt-outs, which no block list may be called, come first."""
    asked = manifest.opt_out
    return [
        *([] if asked is None else [BlockList(name=OPT_OUT, sites=asked.sites, urls=asked.urls)]),
        *manifest.block_lists,
    ]


def _reason(name: str, kind: str) -> Reason:
    return "opt_out" if name == OPT_OUT else _REASONS[kind]


def _called(name: str) -> str:
    """What messages call a list."""
    return f"`{name}`" if name == OPT_OUT else f"block list `{name}`"


def list_settings(manifest: CorpusManifest) -> tuple[BlockListSettings, ...]:
    """What decisions depend on: name, kinds and a hash of the contents of every list, but not its path."""
    return tuple(
        BlockListSettings(
            name=block_list.name,
            min_words=block_list.min_words,
            **{kind: content_hash(list_files(block_list, kind)) for kind in KINDS if getattr(block_list, kind)},
        )
        for block_list in _lists(manifest)
    )


def publish_lists(manifest: CorpusManifest, job: PartitionJob) -> list[TaskManifest]:
    """Publish the hashes of all lists. Does nothing if the manifest has no lists or they are already published.

    Raises:
        GristmillError: a list is missing, empty, or not of the kind that the manifest says.
    """
    lists = _lists(manifest)
    if not lists:
        return []
    done = finished_task(job.folder, TASK, job.key)
    if done is not None:
        return [done]
    outputs, notes = [], []
    for number, block_list in enumerate(lists):
        for kind in KINDS:
            if getattr(block_list, kind):
                entries = read_list(list_files(block_list, kind), kind=kind, name=block_list.name)
                batch = pa.RecordBatch.from_arrays([pa.array(entries.hashes)], schema=HASHES)
                if entries.unread:
                    what = f"{entries.unread:,} lines are none of its {kind} and left out, as `{entries.example}`"
                    notes.append(f"{_called(block_list.name)}: {what}")
                outputs.append(publish_ipc(job.folder, _path(number, kind), [batch], HASHES, compress=False))
    task = TaskManifest(task=TASK, key=job.key, inputs={}, outputs=outputs, ledger=Ledger(), notes=notes)
    write_task(job.folder, task)
    return [task]


def _path(number: int, kind: str) -> str:
    return f"{FOLDER}/{number:03d}-{kind}.arrow"


def list_files(block_list: BlockList, kind: str) -> list[str]:
    """The files of one list, sorted by name."""
    patterns = getattr(block_list, kind)
    paths = sorted(
        path for pattern in ([patterns] if isinstance(patterns, str) else patterns) for path in _expand(pattern, kind)
    )
    if not paths:
        raise GristmillError(
            f"{_called(block_list.name)} names no file for `{kind}`",
            where=patterns if isinstance(patterns, str) else ", ".join(patterns),
            remedy=f"give a file, a glob, or a folder with a file `{_IN_FOLDER[kind][0]}` in it",
        )
    return paths


def _expand(pattern: str, kind: str) -> list[str]:
    """The files that a path, a glob or a folder stands for."""
    if find(pattern) is not None:
        return [pattern]
    if is_glob(pattern) and not Path(pattern).is_dir():
        folder, below = split_glob(pattern)
        if names := list_stats(folder, below):
            return [join(folder, name) for name in names]
    return [join(pattern, name) for name in list_stats(pattern, "**") if name.rsplit("/", 1)[-1] in _IN_FOLDER[kind]]


def content_hash(paths: Sequence[str]) -> str:
    """A hash of the contents of files, whatever their names."""
    digest = xxhash.xxh3_128()
    for path in paths:
        with open_stream(path) as file:
            while chunk := file.read(4 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def check_lists(manifest: CorpusManifest) -> None:
    """Check that the files of all lists exist, before extract runs for hours; decide reads them.

    Raises:
        GristmillError: a list names no file.
    """
    for block_list in _lists(manifest):
        for kind in KINDS:
            if getattr(block_list, kind):
                list_files(block_list, kind)


def read_list(paths: Sequence[str], *, kind: str, name: str) -> Entries:
    """The entries of list files. Blank lines and comments, which begin with `#`, are skipped.

    Raises:
        GristmillError: a file is broken, there are no entries, or fewer entries than lines that are not valid entries
            of this kind.
    """
    clean = {"sites": _clean_site, "urls": _clean_url, "words": _clean_word}[kind]
    pieces = [np.empty(0, np.uint64)]
    known, unread, example = 0, 0, ""
    for path in paths:
        try:
            for lines in _pieces(path):
                hashes = []
                for raw in lines:
                    line = raw.decode("utf-8", "replace").strip("\ufeff \t\r\n\v\f").lower()
                    if "#" in line:
                        line = _COMMENT.sub("", line).rstrip(" \t")
                    if line and (entry := clean(line)) is not None:
                        hashes.append(entry_hash(entry))
                    elif line:
                        unread, example = unread + 1, example or line[:_SHOWN]
                known += len(hashes)
                pieces.append(np.array(hashes, np.uint64))
        except (OSError, EOFError, zlib.error) as error:
            raise GristmillError(f"cannot be read: {error}", where=path, remedy="fetch the file again") from None
    where = ", ".join(paths)
    if unread > known:
        problem = (
            f"{_called(name)} is no list of {kind}: {unread:,} of {known + unread:,} lines are none, as `{example}`"
        )
        raise GristmillError(problem, where=where, remedy=f"one of its {kind} a line; see docs/filters.md, Block lists")
    if not known:
        raise GristmillError(
            f"{_called(name)} has no entry", where=where, remedy="check the file, or leave the list away"
        )
    return Entries(np.unique(np.concatenate(pieces)), unread, example)


def _pieces(path: str) -> Iterator[list[bytes]]:
    """The lines of a list file, a few MB at a time, so that five million entries are never in memory as text."""
    with open_stream(path) as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = gzip.GzipFile(fileobj=file) if packed else file
        while lines := stream.readlines(_PIECE):
            yield lines


def entry_hash(entry: str) -> int:
    """The hash of an entry of a list."""
    return xxhash.xxh3_64_intdigest(entry.encode())


def _clean_site(line: str) -> str | None:
    """The host of an entry, or None if the line has no valid host.

    Some lists write `.example.com`, `*.example.com` or a whole URL, or are hosts files.
    """
    if _PLAIN_HOST.fullmatch(line):
        return line
    line = _NOWHERE.sub("", line, count=1) if _NOWHERE.match(line) else line
    if "/" in line:
        line = _without_scheme(line).partition("/")[0].rpartition("@")[2]
    host = line.lstrip("*.").rstrip(".")
    # An IPv6 address is written in brackets in a URL.
    host = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    match = _HOST.fullmatch(with_stand_ins(ascii_host(host)))
    return None if match is None else ascii_host(match[1].rstrip("."))


def _clean_url(line: str) -> str | None:
    """The URL prefix of an entry; None if the line has white space or control characters, which no URL contains."""
    return (
        None if any(character.isspace() or character < " " for character in line) else _bare(line).rstrip("/") or None
    )


def _clean_word(line: str) -> str | None:
    return line if _WORD.fullmatch(with_stand_ins(line)) else None


def _bare(url: str) -> str:
    """A URL in lower case without scheme, user and `www.`."""
    rest = _without_scheme(url.strip().lower())
    host, slash, path = rest.partition("/")
    return host.rpartition("@")[2].removeprefix("www.") + slash + path


def _without_scheme(url: str) -> str:
    scheme = _SCHEME.match(url)
    return url if scheme is None else url[scheme.end() :]


def host_of(url: str) -> str:
    """The host of an absolute URL in lower case, without user, port and trailing dot; empty if there is no host."""
    match = _SCHEME.match(url.strip())
    if match is None:
        return ""
    authority = re.split(r"[/?#\s]", url.strip()[match.end() :], maxsplit=1)[0].rpartition("@")[2].lower()
    host = authority.partition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]
    return ascii_host(host.rstrip("."))


def host_suffixes(host: str) -> list[str]:
    """A host and the rest of it after each dot; only the host itself if it is an IP address or too long."""
    if len(host) > LONGEST_HOST or host.startswith("[") or with_stand_ins(host).replace(".", "").isdigit():
        return [host]
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def url_prefix_hashes(url: str) -> list[int]:
    """Hashes of the URL, normalised like list entries, and of each prefix of it that ends before a `/`, `?` or `#`."""
    bare = _bare(url)
    hashes: list[int] = []
    before, start = xxhash.xxh3_64(), 0
    for match in _URL_PARTS.finditer(bare):
        before.update(bare[start : match.start()].encode())
        start = match.start()
        hashes.append(before.intdigest())
    return [*hashes, entry_hash(bare.rstrip("/"))]


def url_words(url: str) -> list[str]:
    """The different words of letters and digits in a URL, sorted."""
    return sorted(set(_WORD.findall(with_stand_ins(_without_scheme(url.strip().lower())))))


def blocked_codes(urls: pa.ChunkedArray, job: DecideJob) -> tuple[npt.NDArray[np.uint8], list[int]]:
    """Reason codes by the block lists, uint8[n], and the number of documents that each list blocked first.

    Args:
        urls: string[n]; documents without a URL are not blocked.
        job: a job whose lists have been published.
    """
    lists = job.settings.block_lists
    texts = urls.to_pylist()
    codes = np.zeros(len(texts), np.uint8)
    counts = [0] * len(lists)
    candidates = {kind: _candidates(kind, texts) for kind in KINDS if any(getattr(entry, kind) for entry in lists)}
    for number, entry in enumerate(lists):
        for kind in KINDS:
            if not getattr(entry, kind):
                continue
            listed = read_ipc(join(job.folder, _path(number, kind)))["hash"].combine_chunks().to_numpy()
            hashes, rows = candidates[kind]
            places = np.minimum(np.searchsorted(listed, hashes), len(listed) - 1)
            hits = np.bincount(rows[listed[places] == hashes], minlength=len(texts))
            blocked = (hits >= (entry.min_words if kind == "words" else 1)) & (codes == 0)
            codes[blocked] = code_of(_reason(entry.name, kind))
            counts[number] += int(blocked.sum())
    return codes, counts


def _candidates(kind: str, urls: Sequence[str | None]) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Hashes of all entries of this kind that would match a URL, and the row of each."""
    hashes: list[int] = []
    rows: list[int] = []
    for row, url in enumerate(urls):
        if url is None:
            continue
        match kind:
            case "sites":
                candidates = [entry_hash(suffix) for suffix in host_suffixes(host_of(url))]
            case "urls":
                candidates = url_prefix_hashes(url)
            case _:
                candidates = [entry_hash(word) for word in url_words(url)]
        hashes += candidates
        rows += [row] * len(candidates)
    return np.array(hashes, np.uint64), np.array(rows, np.int64)


def are_listed(sites: Sequence[str], path: str) -> npt.NDArray[np.bool_]:
    """Which sites are on a published list of sites, or below one that is: bool[n]."""
    listed = set(read_ipc(path)["hash"].to_pylist())
    return np.array([any(entry_hash(name) in listed for name in host_suffixes(site)) for site in sites], bool)


def opt_out_sites(settings: DecideSettings) -> str | None:
    """The published list of the sites that opted out, below the step's folder; None if there is none."""
    first = next(iter(settings.block_lists), None)
    return _path(0, "sites") if first is not None and first.name == OPT_OUT and first.sites else None


def idle_lists(lists: Sequence[BlockListSettings], counts: npt.NDArray[np.int64]) -> list[str]:
    """A note for each list that blocked no document."""
    return [
        f"{_called(entry.name)}: no document was dropped for it"
        for entry, count in zip(lists, counts, strict=True)
        if not count
    ]
