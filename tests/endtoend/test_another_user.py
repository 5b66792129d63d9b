"""A user without a home folder, HOME or write access to the installation: the commands work and give the same bytes."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import PROJECT

NOBODY, UNKNOWN = 65534, 54321
CORPUS = {
    "kind": "corpus",
    "name": "another-user",
    "sources": [{"name": "lines", "format": "jsonl", "files": ["texts.jsonl"], "licence": "made up", "filters": []}],
    "tokenizer": {"train": {"vocab_size": 320}},
}

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can run as another user"
)


RUN = {
    "kind": "run",
    "name": "run",
    "model": {
        "kind": "model",
        "version": 1,
        "name": "test",
        "layers": 2,
        "hidden": 32,
        "heads": 4,
        "kv_heads": 2,
        "ffn": 88,
        "max_sequence": 64,
    },
    "sequence": 32,
    "global_batch": 4,
    "micro_batch": 2,
    "tokens": 4 * 4 * 32,
    "schedule": {"warmup_steps": 2},
}


def as_user(number: int, *words: str, home: str | None) -> list[str]:
    user = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    packages = Path(str(importlib.util.find_spec("numba").origin)).parent.parent
    settings = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{PROJECT}:{packages}", "PYTHONDONTWRITEBYTECODE": "1"}
    if home is not None:
        settings["HOME"] = home
    return [*user, "env", "-i", *(f"{key}={value}" for key, value in settings.items()), *words]


@pytest.fixture(scope="module")
def python() -> str:
    """An interpreter of the same version that everybody may run: the environment's own may lie in root's home."""
    wanted = "{}.{}".format(*sys.version_info[:2])
    for candidate in (sys.executable, f"/usr/bin/python{wanted}", f"/usr/local/bin/python{wanted}"):
        command = as_user(
            NOBODY, candidate, "-P", "-c", "import numba, sys; print('%d.%d' % sys.version_info[:2])", home="/"
        )
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == wanted:
            return candidate
    pytest.skip(f"no Python {wanted} that another user may run")


@pytest.fixture(scope="module")
def corpus() -> Iterator[Path]:
    """In a folder of its own: pytest closes its folders to others."""
    with tempfile.TemporaryDirectory(prefix="gristmill-another-user-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        lines = [
            [f"The miller of the old mill {i * 7 + j} has written that the wheat is ripe." for j in range(8)]
            for i in range(20)
        ]
        (folder / "texts.jsonl").write_text("".join(json.dumps({"text": "\n".join(text)}) + "\n" for text in lines))
        (folder / "corpus.yaml").write_text(json.dumps(CORPUS))
        yield folder


@pytest.fixture(scope="module")
def prepared(corpus: Path) -> dict[str, str]:
    """What root's `prep` says; all may read what it wrote."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gristmill", "prep", str(corpus / "corpus.yaml"), "--out", str(corpus / "normal"), "--json"],
        env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(("number", "home"), [(NOBODY, "/nonexistent"), (UNKNOWN, None)])
def test_prep_gives_the_same_bytes(corpus, prepared, python, number, home):
    out = corpus / f"out-{number}"
    out.mkdir()
    os.chown(out, number, number)
    words = (
        "-P",
        "-m",
        "gristmill",
        "prep",
        str(corpus / "corpus.yaml"),
        "--out",
        str(out),
        "--workers",
        "2",
        "--json",
    )
    done = subprocess.run(
        as_user(number, python, *words, home=home), cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["digest"] == prepared["digest"]
    assert not Path("/~").exists()


def test_a_run_of_a_user_without_a_home(corpus, prepared, python):
    """All commands that read what others have written; nothing is remembered, since there is no place for it."""
    folder = corpus / "run"
    folder.mkdir()
    os.chown(folder, UNKNOWN, UNKNOWN)
    run, data = str(folder / "out"), str(corpus / "normal")
    manifest = corpus / "run.yaml"
    manifest.write_text(json.dumps({**RUN, "data": data, "out": run}))
    opened = (
        f"import gristmill; shards = gristmill.open_shards({data + '/shards'!r});"
        " shards.check(shards.manifest.shards[0])"
    )
    module = ("-P", "-m", "gristmill")
    for words in [
        (*module, "mix", "show", str(manifest)),
        (*module, "train", str(manifest), "--processes", "2"),
        (*module, "trace", run, "--step", "1"),
        (*module, "verify", run),
        (*module, "verify", data),
        (*module, "inspect", run),
        (*module, "inspect", data),
        (*module, "generate", run, "--prompt", "The miller", "--tokens", "3"),
        ("-P", "-c", opened),
    ]:
        done = subprocess.run(
            as_user(UNKNOWN, python, *words, home=None), cwd="/", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    done = subprocess.run(
        as_user(UNKNOWN, python, *module, "jobs", home=None), cwd="/", capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[:1] == ["error: this user has no home folder to record detached commands in"]
    assert not Path("/~").exists()
    assert not Path("/.cache").exists()
