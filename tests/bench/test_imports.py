"""Everything that benchmarks import from the project exists, including imports inside functions."""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec

import pytest

from storage.rooms import ROOMS
from tests.paths import PROJECT


@pytest.mark.parametrize("path", sorted((PROJECT / "bench").glob("*.py")), ids=lambda path: path.stem)
def test_imported_names_exist(path):
    missing = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0] in (*ROOMS, "gristmill", "bench")
        ):
            module = import_module(node.module)
            for alias in node.names:
                known = hasattr(module, alias.name)
                if not known and not (hasattr(module, "__path__") and find_spec(f"{node.module}.{alias.name}")):
                    missing.append(f"{node.module}.{alias.name}")
    assert missing == []
