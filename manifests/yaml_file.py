"""Reads manifests as YAML: the core schema of YAML 1.2, in which `no` and `1:30` are text, without anything ambiguous.

In: a file. Out: plain dicts, lists, strings, numbers, booleans and None; or a `GristmillError` that names file, line
and key. These are errors: duplicate keys, keys that are not text, tags, numbers with leading zeros (octal or decimal?),
NaN and infinity, several documents, aliases that expand to too many values or form a cycle, and credentials in a URL.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from manifests.credentials import CREDENTIAL_REMEDY, credential_in
from manifests.errors import GristmillError

# A MiB has about 100,000 values, which take PyYAML 30 s.
_MOST_BYTES = 1 << 20
# Counted with every alias written out.
_MOST_NODES = 50_000
# Prefix of YAML's own tags, before the kind.
_TAG = "tag:yaml.org,2002:"
_KINDS = {"str": "text", "int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader (YAML 1.1), changed to the words and numbers of YAML 1.2; `1_000` stays a number."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _name, _expression, _first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", [*"-+0123456789"]),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        [*"-+0123456789."],
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_expression})\Z"), _first)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        GristmillError: the file is missing, too large, not YAML or ambiguous, or holds something other than a mapping.
    """
    file = str(path)
    text = _text(Path(path))
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise GristmillError(
                "holds no mapping of keys to values", where=file, remedy="start it with `kind:` and `version:`"
            )
        _Check(file).node(root)
        value: dict[str, Any] = loader.construct_document(root)
        return value
    except yaml.YAMLError as error:
        raise _not_yaml(error, file) from None
    except RecursionError:
        raise GristmillError("is not valid YAML: it nests too deep", where=file) from None
    finally:
        if loader is not None:
            loader.dispose()


def _text(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise GristmillError(
                f"is larger than {_MOST_BYTES >> 20} MiB, which no manifest is",
                where=str(path),
                remedy="check the path; name files by globs",
            )
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise GristmillError("no such manifest", where=str(path), remedy="check the path") from None
    except UnicodeDecodeError as error:
        raise GristmillError(f"cannot be read: {error}", where=str(path), remedy="save it as UTF-8") from None
    except OSError as error:
        raise GristmillError(f"cannot be read: {error}", where=str(path)) from error


class _Check:
    """Checks the nodes of one file before values are made from them."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._sizes: dict[int, int] = {}

    def node(self, node: yaml.Node) -> int:
        """Check a node; returns the number of nodes in its subtree, with aliases written out."""
        known = self._sizes.get(id(node))
        if known == 0:
            raise self._error(node, "an alias leads back to where it stands", "write the value out")
        if known is not None:
            return known
        self._sizes[id(node)] = 0
        size = 1
        if isinstance(node, yaml.MappingNode):
            self._keys(node)
            size += sum(self.node(key) + self.node(value) for key, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            self._plain(node, "seq")
            size += sum(self.node(part) for part in node.value)
        else:
            self._scalar(node)
        if size > _MOST_NODES:
            raise self._error(
                node, f"stands for more than {_MOST_NODES:,} values once its aliases are written out", "use no aliases"
            )
        self._sizes[id(node)] = size
        return size

    def _keys(self, node: yaml.MappingNode) -> None:
        self._plain(node, "map")
        lines: dict[str, int] = {}
        for key, _ in node.value:
            kind = key.tag.removeprefix(_TAG)
            if not isinstance(key, yaml.ScalarNode) or kind not in ("str", "merge"):
                what = (
                    f"`{key.value}` is {_KINDS.get(kind, kind)}"
                    if isinstance(key, yaml.ScalarNode)
                    else "a list or mapping"
                )
                raise self._error(
                    key, f"a key must be text, {what}", f"put it in quotes: '{key.value}'" if kind in _KINDS else None
                )
            if key.value in lines:
                raise self._error(
                    key, f"the key `{key.value}` is given twice, first in line {lines[key.value]}", "keep one of them"
                )
            lines[key.value] = key.start_mark.line + 1

    def _scalar(self, node: yaml.Node) -> None:
        self._plain(node, *_KINDS, "merge")
        kind, text = node.tag.removeprefix(_TAG), node.value
        if kind in ("int", "float"):
            digits = text.lstrip("+-").replace("_", "")
            if kind == "int" and len(digits) > 1 and digits.isdigit() and digits[0] == "0":
                raise self._error(
                    node,
                    f"`{text}` may be eight-based or ten-based",
                    f"write {digits.lstrip('0') or '0'}, or '{text}' for text",
                )
            if len(digits) > 400 or (kind == "float" and not math.isfinite(_number(digits))):
                raise self._error(node, f"`{text[:40]}` is not a finite number", None)
        elif kind == "str" and (credential := credential_in(text)):
            raise self._error(node, f"a URL holds {credential}", CREDENTIAL_REMEDY)

    def _plain(self, node: yaml.Node, *kinds: str) -> None:
        if node.tag.removeprefix(_TAG) not in kinds:
            raise self._error(node, f"the tag {node.tag.removeprefix(_TAG)} has no meaning here", "leave it out")

    def _error(self, node: yaml.Node, message: str, remedy: str | None) -> GristmillError:
        return GristmillError(message, where=f"{self._file}, line {node.start_mark.line + 1}", remedy=remedy)


def _number(digits: str) -> float:
    return float(digits) if digits[:1] in "0123456789." and digits.lower() not in (".inf", ".nan") else math.nan


def _not_yaml(error: yaml.YAMLError, file: str) -> GristmillError:
    mark, problem = (
        getattr(error, "problem_mark", None),
        getattr(error, "problem", None) or getattr(error, "reason", None),
    )
    place = file if mark is None else f"{file}, line {mark.line + 1}, column {mark.column + 1}"
    text = str(problem or error).splitlines()[0]
    if "another document" in text:
        return GristmillError(
            "is not valid YAML for a manifest: a second document begins here",
            where=place,
            remedy="keep one document a file",
        )
    remedy = "indent with spaces, not with tabs" if "'\\t'" in text else None
    return GristmillError(f"is not valid YAML: {text}", where=place, remedy=remedy)
