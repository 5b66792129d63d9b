"""What this machine needs to reach Debian and PyPI: certificates, pip's settings, proxies.

In: the environment, pip's configuration, /etc/ssl. Out: frozen records. Folders that pip reads (`find-links`, indexes
with `file:` URLs) are served on loopback while images are built, because a build sees no folder of its host.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
_OPTIONS = ("index-url", "extra-index-url", "find-links")
# Always the same port where it is free: the address is part of Docker's cache key.
_PORT = 50991


@dataclass(frozen=True)
class PipSettings:
    """Where pip looks for packages. `index_url` is None for PyPI itself; the others are URLs or folders."""

    index_url: str | None
    extra_index_urls: tuple[str, ...]
    find_links: tuple[str, ...]


def certificates() -> bytes:
    """The certificates that this machine trusts, in PEM; empty where none are found."""
    for name in (os.environ.get("SSL_CERT_FILE"), os.environ.get("REQUESTS_CA_BUNDLE"), *_BUNDLES):
        if name and Path(name).is_file():
            return Path(name).read_bytes()
    return b""


def proxies() -> dict[str, str]:
    """Proxy variables of the environment; Docker knows them as arguments of every build."""
    return {
        name: value for name in _PROXIES for value in [os.environ.get(name) or os.environ.get(name.upper())] if value
    }


def pip_settings() -> PipSettings:
    """pip's own view of its configuration files and variables; of a Python without pip, the variables alone."""
    told = subprocess.run(
        [sys.executable, "-P", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    if told.returncode == 0:
        return parse_pip_settings(told.stdout)
    variables = {name: os.environ.get(f"PIP_{name.replace('-', '_').upper()}", "") for name in _OPTIONS}
    return parse_pip_settings("".join(f":env:.{name}={value!r}\n" for name, value in variables.items()))


def parse_pip_settings(listing: str) -> PipSettings:
    """From the lines of `pip config list`: `global.index-url='...'`, `:env:.find-links='...'`; variables come last and
    win, as in pip.
    """
    found: dict[str, str] = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.strip().rpartition(".")
        if section in ("global", "install", "download", ":env:"):
            # Variables are listed first.
            if section != ":env:" and f":env:{option}" in found:
                continue
            text = str(ast.literal_eval(value.strip()))
            found[option] = text
            if section == ":env:":
                found[f":env:{option}"] = text
    return PipSettings(
        index_url=found.get("index-url") or None,
        extra_index_urls=tuple(found.get("extra-index-url", "").split()),
        find_links=tuple(found.get("find-links", "").split()),
    )


@contextlib.contextmanager
def pip_arguments(settings: PipSettings) -> Iterator[dict[str, str]]:
    """Build arguments (`PIP_INDEX_URL` and so on) for a build in this machine's network, valid while the block runs."""
    sources = [settings.index_url or "", *settings.extra_index_urls, *settings.find_links]
    folders = sorted({folder for source in sources for folder in [_served_folder(source, settings)] if folder})
    with _serve(folders) as address:

        def url(source: str) -> str:
            folder = _served_folder(source, settings)
            if folder is None:
                return source
            rest = quote(str(Path(_local_path(source) or "/").resolve().relative_to(folder)))
            return f"{address}/{folders.index(folder)}/{'' if rest == '.' else rest + '/'}"

        arguments = {
            "PIP_INDEX_URL": url(settings.index_url) if settings.index_url else "",
            "PIP_EXTRA_INDEX_URL": " ".join(url(source) for source in settings.extra_index_urls),
            "PIP_FIND_LINKS": " ".join(url(source) for source in settings.find_links),
        }
        yield {name: value for name, value in arguments.items() if value}


def _local_path(source: str) -> str | None:
    """The folder that a source names, None for anything on the network."""
    if source.startswith("file:"):
        return unquote(urlsplit(source).path)
    return source if source.startswith("/") else None


def _served_folder(source: str, settings: PipSettings) -> str | None:
    """The folder to serve for a source: of an index the one above it, since its pages may point to files beside it."""
    path = _local_path(source)
    if path is None or not Path(path).is_dir():
        return None
    folder = Path(path).resolve()
    return str(folder if source in settings.find_links else folder.parent)


@contextlib.contextmanager
def _serve(folders: list[str]) -> Iterator[str]:
    """Serve folders as /0/, /1/, ... on loopback; gives the address."""
    if not folders:
        yield ""
        return
    handler = functools.partial(_Folders, {str(index): folder for index, folder in enumerate(folders)})
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", _PORT), handler)
    except OSError:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Folders(http.server.SimpleHTTPRequestHandler):
    """Files of several folders, each below its own name."""

    def __init__(self, folders: Mapping[str, str], *arguments: object) -> None:
        self._folders = folders
        super().__init__(*arguments)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        name, _, rest = path.lstrip("/").partition("/")
        self.directory = self._folders.get(name, "/nonexistent")
        return super().translate_path("/" + rest)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: pip reports what it fetches."""
