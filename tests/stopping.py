"""Work that dies between any two files: only so many can be published, then each attempt fails."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from storage.files import publish


class Stopped(Exception):
    pass


@dataclass
class Allowance:
    """How many files may still be published."""

    left: int = 0


def limit_publishing(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> Allowance:
    """Let these modules publish no more files than the allowance says; `Stopped` is raised instead of one more."""
    allowance = Allowance()

    def limited(path: str, data: Any) -> None:
        if allowance.left == 0:
            raise Stopped(path)
        allowance.left -= 1
        publish(path, data)

    for module in modules:
        monkeypatch.setattr(module, "publish", limited)
    return allowance
