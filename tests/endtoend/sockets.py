"""Lists all listening sockets while commands run in a separate network namespace.

    python -m tests.endtoend.sockets PLAN.json

The plan is a list of {"name", "command", "cwd", "environment", "until"}: a command runs to its end, or is stopped by
SIGTERM once a socket listens on port `until`. On standard output: one JSON object with the status, the last output and
the listening addresses of each command.

The namespace has loopback and a second interface at 10.9.9.1, to which the host name resolves. So a socket that binds
all interfaces, or the host name's address, is noticed.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ADDRESS = "10.9.9.1"

_SECOND = "link add other0 type veth peer name other1"

_LISTENING, _UNCONNECTED = "0A", "07"


def why_not() -> str | None:
    """The reason why no namespace can be made here, or None."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return "`unshare` and `ip` are not installed"
    probe = subprocess.run([*_namespace(), "ip", *_SECOND.split()], capture_output=True, text=True, check=False)
    return None if probe.returncode == 0 else f"no network namespace can be made: {probe.stderr.strip()}"


def watch(plan: Sequence[dict[str, Any]], folder: Path, **settings: Any) -> dict[str, Any]:
    """Run a plan in a namespace."""
    (folder / "plan.json").write_text(json.dumps(list(plan)))
    command = [*_namespace(), sys.executable, "-m", "tests.endtoend.sockets", str(folder / "plan.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **settings)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def _namespace() -> list[str]:
    return ["unshare", "--net", "--uts"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net", "--uts"]


def listening() -> set[tuple[str, int]]:
    """Addresses and ports of all TCP sockets that listen and all UDP sockets that take from anyone."""
    found = set()
    for name, state in (("tcp", _LISTENING), ("tcp6", _LISTENING), ("udp", _UNCONNECTED), ("udp6", _UNCONNECTED)):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == state:
                address, port = fields[1].split(":")
                found.add((_address(address), int(port, 16)))
    return found


def _address(text: str) -> str:
    # Words of four bytes, each in the machine's order.
    raw = b"".join(
        bytes.fromhex(text[at : at + 8])[:: -1 if sys.byteorder == "little" else 1] for at in range(0, len(text), 8)
    )
    address = ipaddress.ip_address(raw)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _run(step: dict[str, Any]) -> dict[str, Any]:
    seen: set[tuple[str, int]] = set()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            step["command"], cwd=step["cwd"], env={**os.environ, **step["environment"]}, stdout=output, stderr=output
        )
        while process.poll() is None:
            now = listening()
            seen |= now
            if any(port == step.get("until") for _, port in now):
                process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        output.seek(0)
        said = output.read().decode(errors="replace")[-2000:]
    return {
        "status": process.returncode,
        "said": said,
        "addresses": sorted({address for address, _ in seen}),
        "ports": len(seen),
    }


def main() -> None:
    for words in (
        "link set lo up",
        _SECOND,
        f"address add {ADDRESS}/24 dev other0",
        "link set other0 up",
        "link set other1 up",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    socket.sethostname(ADDRESS)
    plan = json.loads(Path(sys.argv[1]).read_text())
    results = {}
    for step in plan:
        results[step["name"]] = _run(step)
        print(json.dumps(results[step["name"]]), file=sys.stderr, flush=True)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
