"""Stand-ins for the images of docker-compose.yml, for machines that reach no image registry: `scripts/local-images
--jars DIR`.

In: Debian's mirror, PyPI, and a folder with the jars of Flink and of Beam's Flink runner. Out: images of Docker with
the same entry points as the official ones, and a file of variables for `docker-compose --env-file`. What exists with
the same content is not built again.

Docker must run, and this command needs root, since it makes a Debian system by `debootstrap`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from scripts.local_images.host import certificates, pip_arguments, pip_settings, proxies
from scripts.local_images.images import MIRROR, Builder, BuildError, say

PROJECT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
# The version in docker-compose.yml.
SEAWEEDFS = "4.48"
PACKAGES = ("manifests", "storage", "shards", "kernels", "dedup", "pipeline", "mixing", "training", "gristmill")


def main() -> None:
    """Build all images; exit status 1 with a message when one fails."""
    parser = argparse.ArgumentParser(
        prog="scripts/local-images", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--jars", type=Path, default=os.environ.get("GRISTMILL_FLINK_JARS"), help="or GRISTMILL_FLINK_JARS"
    )
    parser.add_argument(
        "--env-file", type=Path, default=PROJECT / "build" / "local-images.env", help="written at the end (%(default)s)"
    )
    parser.add_argument("--prefix", default="gristmill-local", help="of the image names (%(default)s)")
    parser.add_argument("--mirror", default=MIRROR, help="Debian's mirror (%(default)s)")
    parser.add_argument(
        "--torch", default="torch==2.13.0+cpu", help="what pip installs into the train image (%(default)s)"
    )
    given = parser.parse_args()
    if given.jars is None or not list(given.jars.glob("*.jar")):
        parser.error("--jars names no folder with jars")
    began = time.monotonic()
    try:
        variables = build(
            jars=given.jars,
            prefix=given.prefix,
            mirror=given.mirror,
            torch=given.torch,
            log=given.env_file.parent / "log",
        )
    except BuildError as error:
        raise SystemExit(f"error: {error}") from None
    given.env_file.parent.mkdir(parents=True, exist_ok=True)
    given.env_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    say(
        f"Done in {time.monotonic() - began:.0f} s: docker-compose --env-file {os.path.relpath(given.env_file)} up -d\n"
    )


def build(*, jars: Path, prefix: str, mirror: str, torch: str, log: Path) -> dict[str, str]:
    """Build what is missing; returns the variables of docker-compose.yml.

    Raises:
        BuildError: Docker does not answer, or an image could not be built.
    """
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        raise BuildError("Docker does not answer: start it (`dockerd &` as root), then run again")
    shutil.rmtree(log, ignore_errors=True)
    with pip_arguments(pip_settings()) as arguments:
        builder = Builder(prefix=prefix, arguments={**arguments, **proxies()}, log=log)
        base = builder.debian(certificates(), mirror=mirror)
        flink = _flink(builder, base, jars)
        jobserver = _stand_in(builder, "jobserver", flink)
        s3 = _stand_in(builder, "seaweedfs", base, SEAWEEDFS=SEAWEEDFS)
        bases = {"PYTHON_IMAGE": base, "BEAM_SDK_IMAGE": base}
        data = _project(builder, "data", base, bases)
        train = _project(builder, "train", base, {**bases, "TORCH": torch})
    return {
        "S3_IMAGE": s3,
        "FLINK_IMAGE": flink,
        "JOBSERVER_IMAGE": jobserver,
        "DATA_IMAGE": data,
        "TRAIN_IMAGE": train,
        **bases,
    }


def _flink(builder: Builder, base: str, jars: Path) -> str:
    """The folder of jars becomes part of a context of its own: it may be read-only, and lies outside the project."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copytree(HERE / "flink", context, dirs_exist_ok=True)
        (context / "jars").mkdir()
        for jar in jars.glob("*.jar"):
            shutil.copyfile(jar, context / "jars" / jar.name)
        files = [path for path in context.rglob("*") if path.is_file()]
        return builder.image("flink", context, files=files, base=base, settings={"BASE": base})


def _stand_in(builder: Builder, name: str, base: str, **settings: str) -> str:
    files = [path for path in (HERE / name).iterdir() if path.is_file()]
    return builder.image(name, HERE / name, files=files, base=base, settings={"BASE": base, **settings})


def _project(builder: Builder, target: str, base: str, settings: dict[str, str]) -> str:
    """The project's own Dockerfile."""
    files = [
        PROJECT / name
        for name in ("Dockerfile", ".dockerignore", "pyproject.toml", "constraints.txt", "README.md", "LICENSE")
    ]
    files += [
        path
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return builder.image(target, PROJECT, files=files, base=base, settings=settings, target=target)


if __name__ == "__main__":
    main()
