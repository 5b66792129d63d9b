"""The process behind `--detach`: `python -P -m gristmill.detached FOLDER WORDS…` runs `gristmill WORDS` and records its exit status."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    with open(folder / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sys.argv = ["gristmill", *words]
        status = 1
        try:
            # Cancelled before the command has begun, it records that too.
            signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(130))
            from gristmill import cli

            cli.main()
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        finally:
            sys.stdout.flush()
            temporary = folder / ".status"
            temporary.write_text(str(status))
            os.replace(temporary, folder / "status")
    sys.exit(status)


if __name__ == "__main__":
    main()
