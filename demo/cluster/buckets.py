"""Make the buckets that the demo needs, and wait until the store can do it: `python -P -m demo.cluster.buckets NAME
...`.

In: the store of the standard environment variables. Out: exit status 0 when all buckets are there.
"""

from __future__ import annotations

import os
import sys
import time

from pyarrow import fs as pafs

_PATIENCE_S = 120.0


def main() -> None:
    """Exit status 1 with the store's last answer when it is not ready in time."""
    try:
        make_buckets(sys.argv[1:])
    except TimeoutError as error:
        raise SystemExit(f"error: {error}") from None


def make_buckets(names: list[str], *, patience_s: float = _PATIENCE_S) -> None:
    """Make each bucket that is not there yet.

    Raises:
        TimeoutError: with the store's last answer.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    # Without an endpoint of its own this client asks Amazon, whatever the environment says.
    store = pafs.S3FileSystem(
        endpoint_override=endpoint, region=os.environ.get("AWS_REGION", "us-east-1"), allow_bucket_creation=True
    )
    deadline = time.monotonic() + patience_s
    for name in names:
        while True:
            try:
                store.create_dir(name)
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"{endpoint or 'the store'} did not make bucket `{name}` in {patience_s:.0f} s: {error}"
                    ) from None
                time.sleep(0.5)
        print(f"bucket {name} is there", flush=True)


if __name__ == "__main__":
    main()
