"""Building one image after the other, each only when its content changed.

In: folders with Dockerfiles, arguments. Out: images named `PREFIX/NAME:HASH`, HASH over everything that goes into one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SUITE = "bookworm"
# python3 is 3.11 there, as in the official images; wget and curl are in those as well, and health checks use them.
PACKAGES = ("python3", "python3-venv", "openjdk-17-jre-headless", "ca-certificates", "curl", "wget")
MIRROR = "http://deb.debian.org/debian"
# Raise it when the way that the base is made changes.
_RECIPE = "1"
_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")


class BuildError(Exception):
    """An image could not be built; the message says which and what to look at."""


@dataclass(frozen=True)
class Builder:
    """How images are built.

    Attributes:
        prefix: of all image names.
        arguments: given to every build; they do not change what comes out, so they are not part of the hash.
        log: folder for the output of each build.
    """

    prefix: str
    arguments: Mapping[str, str]
    log: Path

    def debian(self, certificates: bytes, *, mirror: str = MIRROR) -> str:
        """The base of all others: Debian's minimal system with Python 3.11 and Java 17, and this machine's
        certificates.
        """
        name = self._name("debian", content_hash([SUITE, *PACKAGES, mirror, certificates, _RECIPE]))
        if self._exists(name):
            return name
        if shutil.which("debootstrap") is None:
            raise BuildError("debootstrap is not installed (Debian: apt-get install debootstrap)")
        if os.geteuid() != 0:
            raise BuildError("debootstrap needs root")
        with _Step(name), tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            include = f"--include={','.join(PACKAGES)}"
            self._run("debian", ["debootstrap", "--variant=minbase", include, SUITE, str(root), mirror])
            shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
            shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
            (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
            if certificates:
                (root / _BUNDLE.lstrip("/")).write_bytes(certificates)
            changes = [f"--change=ENV {variable}={_BUNDLE}" for variable in _VARIABLES if certificates]
            archive = Path(folder) / "root.tar"
            self._run("debian", ["tar", "-C", str(root), "-cf", str(archive), "."])
            self._run("debian", ["docker", "import", *changes, str(archive), name])
        return name

    def image(
        self,
        name: str,
        context: Path,
        *,
        files: Iterable[Path],
        base: str,
        settings: Mapping[str, str] | None = None,
        dockerfile: Path | None = None,
        target: str | None = None,
    ) -> str:
        """Build one Dockerfile.

        Args:
            files: what goes into the image, for the hash.
            base: the image it starts from, part of the hash.
            settings: build arguments that change what comes out.
        """
        settings = dict(settings or {})
        contents = [part for path in sorted(files) for part in (str(path.relative_to(context)), path.read_bytes())]
        tag = self._name(
            name, content_hash([base, *(f"{key}={value}" for key, value in sorted(settings.items())), *contents])
        )
        if self._exists(tag):
            return tag
        command = ["docker", "build", "--network", "host", "--tag", tag]
        command += [
            word for key, value in {**self.arguments, **settings}.items() for word in ("--build-arg", f"{key}={value}")
        ]
        command += ["--file", str(dockerfile)] if dockerfile else []
        command += ["--target", target] if target else []
        with _Step(tag):
            # The daemon's own builder: `buildx` is a plug-in that Debian does not have.
            self._run(name, [*command, str(context)], environment={**os.environ, "DOCKER_BUILDKIT": "0"})
        return tag

    def _name(self, name: str, content: str) -> str:
        return f"{self.prefix}/{name}:{content}"

    def _exists(self, name: str) -> bool:
        there = subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode == 0
        if there:
            say(f"  {name}  is there\n")
        return there

    def _run(self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
        self.log.mkdir(parents=True, exist_ok=True)
        path = self.log / f"{name}.log"
        with open(path, "ab") as log:
            status = subprocess.run(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, check=False
            ).returncode
        if status:
            lines = path.read_text(errors="replace").strip().splitlines()[-12:]
            raise BuildError(
                f"`{' '.join(command[:2])}` ended with status {status}; see {path}:\n  " + "\n  ".join(lines)
            )


class _Step:
    """Says what is being built and how long it took."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._began = time.monotonic()
        say(f"  {self._name}  ...")

    def __exit__(self, error: object, *_rest: object) -> None:
        say(f" {'failed' if error else 'built'} after {time.monotonic() - self._began:.0f} s\n")


def say(text: str) -> None:
    """To standard output at once, without a line break of its own."""
    sys.stdout.write(text)
    sys.stdout.flush()


def content_hash(parts: Iterable[str | bytes]) -> str:
    """Twelve hexadecimal digits over all parts and their borders."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:12]
