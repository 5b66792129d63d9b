"""The peers with which results are compared, each installed from the registry into its own environment.

In: a peer's name. Out: the Python of its environment, below `.cache/peers`; installed at the first call and kept for
later calls. Versions are pinned, and their dependencies are those of one date, so that a peer measured today is the
peer of the tables.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parent / ".cache" / "peers"

# What the environment of a peer holds. datatrove splits English words with spaCy, which it does not pull in by itself.
# numpy 1: dolma 1.2.1 was built for it. ufal-kenlm is KenLM's own Python module, as wheels. Faker is no peer: it makes
# the values of bench/personal_held_out.py. datasets opens shards in tests; it brings pandas, which Beam would import in
# each process. litdata needs torch, which is taken from the environment that asks for it.
# text-dedup: the last version for this Python, without what its MinHash does not import.
REQUIREMENTS = {
    "datatrove": ["datatrove[processing,io]==0.10.1", "spacy==3.8.7", "nltk==3.9.2"],
    "dolma": ["dolma==1.2.1"],
    "kenlm": ["ufal-kenlm==26.4.1"],
    "datasketch": ["datasketch==2.0.0"],
    "rensa": ["rensa==0.5.0"],
    "text-dedup": ["--only-binary", ":all:", "--overrides", str(HERE / "peer_text_dedup.txt"), "text-dedup==0.4.0"],
    "faker": ["Faker==37.12.0"],
    "datasets": ["datasets==5.2.0"],
    "litdata": [
        *("--no-deps", "litdata==0.2.76", "lightning-utilities==0.15.3", "tifffile==2026.3.3"),
        *("boto3", "botocore", "s3transfer", "jmespath"),
    ],
}
# Nothing that came out later is installed.
_AS_OF = "2026-11-01"
_TIMEOUT_S = 600


class Unavailable(Exception):
    """The peer cannot be installed here; the message says why, in a line."""


def peer_python(name: str) -> Path:
    """The Python interpreter of a peer's environment.

    Raises:
        Unavailable: the installation failed: no network, no package.
        KeyError: no such peer.
    """
    wanted = "\n".join([_AS_OF, *REQUIREMENTS[name]])
    folder = ENVIRONMENTS / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / ".complete"
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder, REQUIREMENTS[name])
            # Written last: an interrupted installation is begun again.
            stamp.write_text(wanted)
    return folder / "bin" / "python"


def peer_environment() -> dict[str, str]:
    """The environment variables to run a peer with: one thread, no downloads beside what is installed."""
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _install(folder: Path, requirements: list[str]) -> None:
    uv = Path(sys.executable).parent / "uv"
    installer = [str(uv)] if uv.exists() else [sys.executable, "-m", "uv"]
    commands = [
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [
            *installer,
            "pip",
            "install",
            "--quiet",
            "--python",
            str(folder / "bin" / "python"),
            "--exclude-newer",
            _AS_OF,
            *requirements,
        ],
    ]
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{folder.name}: {error}") from error
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise Unavailable(f"{folder.name}: {lines[-1] if lines else 'installation failed'}")
