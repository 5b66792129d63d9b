"""The rooms hold what their names say: no module imports another in a circle, also not within functions."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from storage.rooms import ROOMS
from tests.paths import PROJECT


def _modules() -> dict[str, Path]:
    found = {}
    for room in (*ROOMS, "gristmill"):
        for path in sorted((PROJECT / room).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imports(path: Path, modules: dict[str, Path]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(name if name in modules else node.module for name in names)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found & modules.keys()


def test_no_module_imports_itself_by_way_of_others() -> None:
    modules = _modules()
    assert len(modules) > 200
    graph = {name: _imports(path, modules) - {name} for name, path in modules.items()}
    assert graph["pipeline.prep"]
    TopologicalSorter(graph).prepare()


def test_few_modules_stand_loose_in_the_pipeline() -> None:
    assert {path.stem for path in (PROJECT / "pipeline").glob("*.py")} == {
        "__init__", "folders", "losses", "parts", "prep", "schemas", "warm_up"
    }  # fmt: skip
