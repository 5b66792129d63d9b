"""Peak memory of extract on one large WARC beside one of a tenth of its size: it must not grow with the file.

    python bench/memory.py [--small-mb 100] [--large-mb 1000] [--corpora DIR]

The files are the pages of the development corpora over and over, each time with other record ids and a word changed on each page, so that
no document is the copy of another. One worker; the peak is the resident memory of the command with its worker, shared pages left out.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tempfile
from pathlib import Path

import yaml
from fastwarc.warc import ArchiveIterator

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.end_to_end import Cost, measure  # noqa: E402  (the project's root is no installed package)


def write_warc(path: Path, pages: list[tuple[bytes, bytes]], *, size: int) -> int:
    """Records of `pages` (headers, block), each a gzip member, until the file holds `size` bytes. Returns how many."""
    count = 0
    with open(path, "wb") as file:
        while file.tell() < size:
            head, block = pages[count % len(pages)]
            changed = block.replace(b" the ", b" the %d " % count, 1)
            head = head.replace(b"<urn:uuid:", b"<urn:uuid:%08x-" % count).replace(
                b"Content-Length: %d" % len(block), b"Content-Length: %d" % len(changed)
            )
            # Level 1: writing a gigabyte is not what is measured.
            file.write(gzip.compress(head + b"\r\n\r\n" + changed + b"\r\n\r\n", 1, mtime=0))
            count += 1
    return count


def read_pages(corpora: Path) -> list[tuple[bytes, bytes]]:
    """Headers and blocks of the response records of the development corpora's crawl."""
    pages = []
    for path in sorted(corpora.glob("web/*.warc.gz")):
        with open(path, "rb") as file:
            for record in ArchiveIterator(file, parse_http=False):
                if record.headers["WARC-Type"] == "response":
                    block = record.reader.read()
                    lines = [
                        f"{name}: {value}" for name, value in record.headers.items() if name.lower() != "content-length"
                    ]
                    lines.append(f"Content-Length: {len(block)}")
                    pages.append(("\r\n".join(["WARC/1.1", *lines]).encode(), block))
    return pages


def run(folder: Path, name: str, size: int, pages: list[tuple[bytes, bytes]]) -> tuple[int, int, Cost]:
    """Records, documents and cost of extract over one file of `size` bytes."""
    raw = folder / f"{name}.warc.gz"
    records = write_warc(raw, pages, size=size)
    corpus = folder / f"{name}.yaml"
    source = {"name": name, "kind": "web", "format": "warc", "files": [raw.name], "licence": "test only"}
    corpus.write_text(
        yaml.safe_dump({"kind": "corpus", "version": 1, "name": name, "sources": [source], "tokenizer": {"train": {}}})
    )
    cost = measure(
        [
            sys.executable,
            "-m",
            "gristmill",
            "extract",
            str(corpus),
            "--out",
            str(folder / name),
            "--workers",
            "1",
            "--json",
        ]
    )
    ledger = json.loads((folder / name / "extract" / "_MANIFEST.json").read_text())["ledger"]
    if ledger["records_in"] != records:
        raise SystemExit(f"{records} records were written, {ledger['records_in']} were read")
    raw.unlink()
    return records, ledger["kept"], cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small-mb", type=int, default=100)
    parser.add_argument("--large-mb", type=int, default=1000)
    parser.add_argument("--corpora", type=Path, default=HERE.parent.parent / "shared" / "corpora")
    options = parser.parse_args()
    if not (options.corpora / "web").exists():
        raise SystemExit(f"skipped: {options.corpora} is not there; it holds the pages")
    pages = read_pages(options.corpora)
    peaks = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, size in (("small", options.small_mb * 10**6), ("large", options.large_mb * 10**6)):
            records, kept, cost = run(Path(scratch), name, size, pages)
            peaks[name] = cost.peak_mb
            figures = f"{cost.cpu_s:8.1f} CPU s {cost.peak_mb:6.0f} MB peak"
            print(f"{name:<6} {size / 1e6:6.0f} MB {records:9,} records {kept:9,} documents {figures}", flush=True)
    small, large = peaks["small"], peaks["large"]
    print(json.dumps({"small_mb": round(small), "large_mb": round(large), "ratio": round(large / small, 3)}))


if __name__ == "__main__":
    main()
