"""Can this Python make Gristmill's environment? Says so in one sentence when it cannot, and ends with status 1.

Run by `make` before anything is installed, with whatever interpreter is there: Python 2 must be able to read it. With
--environment it is .venv's own interpreter that is looked at.
"""

import sys

MADE = "--environment" in sys.argv
VERSION = "{}.{}".format(*sys.version_info[:2])
PROBLEM = ""

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    if MADE:
        PROBLEM = (
            ".venv is of Python {}, and Gristmill needs Python 3.11, 3.12 or 3.13: run `make clean`, then again with"
            " PYTHON=python3.11."
        )
    else:
        PROBLEM = (
            "Gristmill needs Python 3.11, 3.12 or 3.13, and {1} is Python {0}: name another one, as in `make demo"
            " PYTHON=python3.11`."
        )
elif not MADE:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        PROBLEM = (
            "{1} cannot make environments: install its module venv (on Debian and Ubuntu: `apt install"
            " python{0}-venv`)."
        )

if PROBLEM:
    sys.stderr.write(PROBLEM.format(VERSION, sys.executable or "python3") + "\n")
    sys.exit(1)
