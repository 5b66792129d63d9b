"""The text pass beside its peers: CPU seconds of statistics, of the whole extract step, and of HTML.

    python bench/textpass.py [--corpora DIR] [--peers-mb 8]

One run measures all of it, so that the machine's mood is the same for all. CPU seconds are user + system, children included; MB are
megabytes (1e6 bytes) of UTF-8 text. Documents are a hash sample of the development corpora; the peers see a smaller one of the same draw.

- statistics: all signals of a document and the decisions of C4 and Gopher, from Arrow batches in memory, by `pipeline.text.signals` and
  `pipeline.filters`; beside dolma's taggers (`gopher_v2`, `c4_v2`) and datatrove's filters (Gopher repetition, Gopher quality, C4), called
  directly on documents in memory, start-up left out.
- extract: the command `gristmill extract`, whole process: gzip JSONL in; signals, personal information, language, signatures and Arrow
  files out. datatrove beside it, whole process: the same JSONL, Gopher, C4 and FineWeb filters that drop nothing, its personal-information
  formatter, MinHash signatures, gzip JSONL out. Its language filter needs a download and is left out.
- warc: the same command on the development crawl several times over, less its start-up; beside `pipeline.readers.web.html.html_to_text`
  alone on the same decoded pages. The start-up is that of the command on a file of one record.

The last line is one JSON object; a peer that cannot be installed is skipped with a message, and its ratio is null.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import xxhash
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.end_to_end import measure  # noqa: E402  (the project's root is no installed package)
from bench.peers import Unavailable, peer_environment, peer_python  # noqa: E402

_TEXTS = ("books", "factual", "scientific", "stackexchange", "multilingual", "pii")
_EXTRACT_MB = 200.0
_WARC_COPIES = 12
_STATISTICS_SECONDS = 4.0


def documents(corpora: Path) -> Iterator[tuple[str, str]]:
    """(id, text) of all JSONL documents of the corpora, by path and line."""
    for folder in _TEXTS:
        for path in sorted((corpora / folder).glob("*.jsonl.gz")):
            with gzip.open(path) as lines:
                for number, line in enumerate(lines):
                    text = orjson.loads(line).get("text")
                    if isinstance(text, str) and text.strip():
                        yield f"{folder}/{path.name}:{number}", text


def draw(corpora: Path, megabytes: float) -> list[tuple[str, str]]:
    """A hash sample of about so many megabytes of text; documents in the order of their hashes."""
    everything = sorted((xxhash.xxh3_64_intdigest(name.encode()), name, text) for name, text in documents(corpora))
    drawn: list[tuple[str, str]] = []
    size = 0
    for _, name, text in everything:
        if size >= megabytes * 1e6:
            break
        drawn.append((name, text))
        size += len(text.encode())
    return drawn


def write_jsonl(path: Path, rows: list[tuple[str, str]]) -> float:
    """The documents as gzip JSONL; returns megabytes of text."""
    with gzip.open(path, "wb", 6) as file:
        for name, text in rows:
            file.write(
                orjson.dumps(
                    {"id": name, "text": text, "url": f"https://example.org/{xxhash.xxh3_64_hexdigest(name.encode())}"}
                )
                + b"\n"
            )
    return sum(len(text.encode()) for _, text in rows) / 1e6


def corpus(folder: Path, name: str, source: dict[str, Any]) -> Path:
    """A corpus manifest of one source."""
    path = folder / f"{name}.yaml"
    whole = {"name": name, "kind": "web", "licence": "test only", **source}
    filters = ["gopher-datatrove", "c4-arxiv-v1", "fineweb"]
    path.write_text(
        yaml.safe_dump(
            {
                "kind": "corpus",
                "version": 1,
                "name": name,
                "filters": filters,
                "sources": [whole],
                "tokenizer": {"train": {}},
            }
        )
    )
    return path


def extract_cpu(folder: Path, name: str, source: dict[str, Any]) -> tuple[float, float]:
    """CPU seconds of `gristmill extract` with one worker, and megabytes of text it gave."""
    path = corpus(folder, name, source)
    out = folder / f"{name}-out"
    cost = measure(
        [sys.executable, "-m", "gristmill", "extract", str(path), "--out", str(out), "--workers", "1", "--json"]
    )
    step = json.loads((out / "extract" / "_MANIFEST.json").read_text())
    return cost.cpu_s, sum(output["text_bytes"] for output in step["outputs"]) / 1e6


def peer(name: str, script: str, *arguments: str) -> tuple[dict[str, Any], float]:
    """What a peer's script printed last, and the CPU seconds of its whole process.

    Raises:
        Unavailable: it cannot be installed.
    """
    python = peer_python(name)
    before = os.times()
    done = subprocess.run(
        [str(python), str(HERE / script), *arguments],
        capture_output=True,
        text=True,
        env=peer_environment(),
        check=False,
    )
    after = os.times()
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    cpu_s = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return json.loads(done.stdout.splitlines()[-1]), cpu_s


def statistics_cpu(rows: list[tuple[str, str]]) -> float:
    """CPU seconds per run of all signals and the decisions of C4 and Gopher, from Arrow batches of 4 MB of text."""
    from manifests.filters import C4ArxivV1, GopherDatatrove
    from pipeline.filters import verdicts
    from pipeline.text.normalise import text_buffers
    from pipeline.text.signals import compute_signals

    filters = [GopherDatatrove(), C4ArxivV1()]
    batches, texts, size = [], [], 0
    for _, text in rows:
        texts.append(text)
        size += len(text.encode())
        if size >= 4 << 20:
            batches.append(pa.array(texts, pa.large_string()))
            texts, size = [], 0
    batches += [pa.array(texts, pa.large_string())] if texts else []

    def once() -> int:
        return sum(
            int((verdicts(compute_signals(*text_buffers(batch)), filters=filters).codes == 0).sum())
            for batch in batches
        )

    once()  # kernels are loaded
    began, runs = time.process_time(), 0
    while time.process_time() - began < _STATISTICS_SECONDS:
        once()
        runs += 1
    return (time.process_time() - began) / runs


def html_extractor_cpu(paths: list[Path]) -> tuple[float, float]:
    """CPU seconds of the HTML extractor alone on the decoded pages of WARC files, and megabytes of HTML."""
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    from pipeline.readers.web.charset import decode_text
    from pipeline.readers.web.content_coding import decode_body
    from pipeline.readers.web.html import html_to_text
    from pipeline.readers.web.http import content_type, parse_response
    from pipeline.readers.web.mime import is_html

    pages = []
    for path in paths:
        with open(path, "rb") as file:
            for record in ArchiveIterator(file, parse_http=False, record_types=WarcRecordType.response):
                response = parse_response(record.reader.read())
                media, charset = content_type(response)
                if response.status == 200 and is_html(media, response.body):
                    pages.append(decode_text(decode_body(response, most=16 << 20), charset=charset).text)
    html_to_text(pages[0])
    began = time.process_time()
    for page in pages:
        html_to_text(page)
    return time.process_time() - began, sum(len(page.encode()) for page in pages) / 1e6


def warc_cpu(folder: Path, paths: list[Path]) -> tuple[float, float]:
    """CPU seconds that the command needs for the crawl once, its start-up left out, and megabytes of text."""
    many = folder / "warc"
    many.mkdir()
    for copy in range(_WARC_COPIES):
        for path in paths:
            (many / f"{copy}-{path.name}").symlink_to(path.resolve())
    small = folder / "one.warc"
    page = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body><p>One page of a few words.</p></body></html>"
    )
    head = (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:x:1>\r\nContent-Type:"
        b" application/http\r\nContent-Length: %d\r\n\r\n"
    )
    small.write_bytes(head % len(page) + page + b"\r\n\r\n")
    start_up, _ = extract_cpu(folder, "startup", {"format": "warc", "files": [small.name]})
    cpu_s, text_mb = extract_cpu(folder, "crawl", {"format": "warc", "files": ["warc/*.gz"]})
    return (cpu_s - start_up) / _WARC_COPIES, text_mb / _WARC_COPIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=HERE.parent.parent / "shared" / "corpora")
    parser.add_argument("--peers-mb", type=float, default=8.0, help="megabytes of text that the peers are given")
    options = parser.parse_args()
    if not options.corpora.exists():
        raise SystemExit(f"skipped: {options.corpora} is not there; it holds the documents")
    crawl = sorted((options.corpora / "web").glob("*.warc.gz"))
    result: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = draw(options.corpora, options.peers_mb)
        (folder / "peers").mkdir()
        sample = folder / "peers" / "documents.jsonl.gz"
        sample_mb = write_jsonl(sample, rows)
        large_mb = write_jsonl(folder / "large.jsonl.gz", draw(options.corpora, _EXTRACT_MB))

        statistics = sample_mb / statistics_cpu(rows)
        line("statistics, Gristmill", statistics)
        dolma = beside("dolma", lambda: sample_mb / peer("dolma", "peer_dolma.py", str(sample))[0]["cpu_s"])
        line("statistics, dolma", dolma)
        datatrove = beside(
            "datatrove", lambda: sample_mb / peer("datatrove", "peer_datatrove.py", "stats", str(sample))[0]["cpu_s"]
        )
        line("statistics, datatrove", datatrove)
        cpu_s, _ = extract_cpu(folder, "large", {"format": "jsonl", "files": ["large.jsonl.gz"]})
        extract = large_mb / cpu_s
        line("extract, Gristmill", extract)
        theirs = beside(
            "datatrove",
            lambda: (
                sample_mb / peer("datatrove", "peer_datatrove.py", "extract", str(sample), str(folder / "theirs"))[1]
            ),
        )
        line("extract, datatrove", theirs)
        html_s, html_mb = html_extractor_cpu(crawl)
        line("HTML extractor alone, MB of HTML", html_mb / html_s)
        warc_s, _ = warc_cpu(folder, crawl)
        line("extract from WARC, MB of HTML", html_mb / warc_s)
        result = {
            "stats_mb_per_cpu_s": statistics,
            "stats_over_dolma": statistics / dolma if dolma else None,
            "stats_over_datatrove": statistics / datatrove if datatrove else None,
            "extract_mb_per_cpu_s": extract,
            "extract_over_datatrove": extract / theirs if theirs else None,
            "warc_over_html_extractor": warc_s / html_s,
        }
    print(json.dumps({name: None if value is None else round(value, 2) for name, value in result.items()}))


def beside(name: str, measured: Callable[[], float]) -> float | None:
    """A peer's figure, or None with a message where it cannot be installed."""
    try:
        return measured()
    except Unavailable as error:
        print(f"skipped: {error}", flush=True)
        return None


def line(what: str, megabytes_per_s: float | None) -> None:
    """One line of the table."""
    if megabytes_per_s is not None:
        print(f"{what:<36} {megabytes_per_s:9.2f} MB per CPU s", flush=True)


if __name__ == "__main__":
    main()
