"""Commands in this process, as `main` runs them."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from gristmill.cli import app


def run(*words: object) -> tuple[int, str]:
    """Exit status and standard output; errors that people see are raised, as `main` would print them."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def printed(*words: object) -> Any:
    """What a command that succeeds says with `--json`."""
    status, text = run(*words, "--json")
    assert status == 0
    return json.loads(text)
