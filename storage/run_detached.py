"""The process that `storage.detached` starts: `python -P -m storage.run_detached FOLDER MODULE WORDS…` runs the module
as `python -m` does, and records its exit status. It imports nothing else before it holds the lock of its folder."""

from __future__ import annotations

import fcntl
import os
import runpy
import signal
import sys
from pathlib import Path


def main() -> None:
    folder, module, words = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    with open(folder / "lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        sys.argv = [module, *words]
        status = 1
        try:
            # If it is cancelled before the command has begun, it records that too.
            signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(130))
            runpy.run_module(module, run_name="__main__")
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
