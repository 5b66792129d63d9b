"""Ranks that end abnormally: all killed, as by the kernel when memory runs out.

Or only the first, as its first argument says.
"""

import os
import signal
import sys
import time

if __name__ == "__main__":
    how = sys.argv[1] if len(sys.argv) > 1 else "killed"
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ["RANK"] != "0":
        # A rank that waits in a collective for one that is gone hears no signal.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    print("no luck with the library", file=sys.stderr, flush=True)
    if how == "exit":
        sys.exit(7)
    os.kill(os.getpid(), getattr(signal, how))
