"""Megatron-Core on CPU, with torch left as it is: an import hook that renames the device in Megatron's own sources.

In: the sources of `megatron.core` as they are imported. Out: the same modules with

    torch.cuda.X                      cuda_on_cpu.X (also `from torch.cuda import X`)
    "cuda", "cuda:0"                  "cpu"
    "torch.cuda.FloatTensor"          "torch.FloatTensor" (compared with Tensor.type() in the optimizers)
    tensor.cuda(...)                  tensor.cpu()
    pin_memory=True                   pin_memory=False

Torch and all other libraries are unaffected, and there is no cost at run time. If Megatron uses anything else of
`torch.cuda`, it fails with an error that names it.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import logging
import sys
import types
from collections.abc import Sequence

_PACKAGE = "megatron.core"
_STAND_IN = "training.cuda_on_cpu"
_ALIAS = "__cuda_on_cpu__"


def install() -> None:
    """Install the import hook; calling it again has no effect.

    Raises:
        RuntimeError: a part of Megatron has already been imported.
    """
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    early = [name for name in sys.modules if name == _PACKAGE or name.startswith(_PACKAGE + ".")]
    if early:
        raise RuntimeError(f"{early[0]} was imported before `training`: import `training` first")
    sys.meta_path.insert(0, _Finder())
    # "CPU RNG state changed within GPU RNG context": both are one generator here, so every fork of the tracker would
    # log this.
    logging.getLogger("megatron.core.tensor_parallel.random").setLevel(logging.ERROR)


def rename_device(source: bytes | str, path: str) -> ast.Module:
    """The syntax tree of a module with its device renamed.

    `cuda_on_cpu` is imported after docstring and `__future__`.
    """
    tree: ast.Module = _Rename().visit(ast.parse(source, path))
    at = 1 if tree.body and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant) else 0
    while at < len(tree.body) and _is_future(tree.body[at]):
        at += 1
    tree.body.insert(at, ast.Import([ast.alias(_STAND_IN, _ALIAS)]))
    return ast.fix_missing_locations(tree)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


class _Rename(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "cuda" and isinstance(node.value, ast.Name) and node.value.id == "torch":
            return ast.copy_location(ast.Name(_ALIAS, node.ctx), node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "cuda":
            to_cpu = ast.copy_location(ast.Attribute(node.func.value, "cpu", ast.Load()), node.func)
            return ast.copy_location(ast.Call(to_cpu, [], []), node)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        self.generic_visit(node)
        if node.arg == "pin_memory" and isinstance(node.value, ast.Constant):
            node.value.value = False
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.level == 0 and node.module == "torch.cuda":
            node.module = _STAND_IN
        return node

    def visit_Import(self, node: ast.Import) -> ast.AST:
        for name in node.names:
            if name.name == "torch.cuda.nvtx":
                name.name, name.asname = _STAND_IN, name.asname or "nvtx"
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, str):
            if value == "cuda" or (value.startswith("cuda:") and value[5:].isdigit()):
                node.value = "cpu"
            elif value.startswith("torch.cuda.") and value.endswith("Tensor"):
                node.value = value.replace("torch.cuda.", "torch.")
        return node


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> types.CodeType:
        # Do not read or write .pyc files: they belong to the unchanged sources.
        path = self.get_filename(fullname)
        return compile(rename_device(self.get_data(path), path), path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _PACKAGE and not fullname.startswith(_PACKAGE + "."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec
