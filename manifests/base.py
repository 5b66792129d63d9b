"""Loads, validates and hashes manifests.

In: YAML text. Out: a frozen pydantic model, or a `GristmillError` that names the file, the key and the nearest valid
name. The hash of a manifest is the sha256 of its canonical JSON with every default written out, so that a manifest that
leaves out a default is the same as one that states it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from manifests.errors import GristmillError
from manifests.yaml_file import read_yaml


class Strict(BaseModel):
    """Base of every manifest and its sections: unknown keys are errors, values cannot change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class WithoutNone(Strict):
    """Base of sections whose keys without a value are left out when they are written."""

    @model_serializer(mode="wrap")
    def _without_none(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}


def _inside(path: str) -> str:
    if path.startswith("/") or "://" in path or ".." in path.split("/") or "\x00" in path:
        raise ValueError(f"`{path}` leads out of the folder")
    return path


RelativePath = Annotated[str, AfterValidator(_inside)]
"""Path of a file below the folder of the manifest that names it."""

M = TypeVar("M", bound=Strict)


def check_unique(names: Sequence[str], what: str) -> None:
    """Raise ValueError, which names them, if some names are given twice; `what` they are, such as `source names`."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{what} must be unique; given twice: {', '.join(twice)}")


def canonical_json(value: Any) -> str:
    """One text per value: sorted keys, no spaces, no NaN. Equal values give equal bytes on every machine."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_of(value: Any) -> str:
    """Hex sha256 of `canonical_json(value)`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping, as `manifests.yaml_file` understands YAML.

    Raises:
        GristmillError: the file is missing, is not YAML, has a key twice, or holds something other than a mapping.
    """
    return read_yaml(path)


def load_json(data: bytes | str, *, where: str) -> Any:
    """The value of a JSON text that Gristmill wrote.

    Raises:
        GristmillError: it is not JSON, has a key twice, or is nested too deep.
    """
    try:
        return json.loads(data, object_pairs_hook=_without_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise GristmillError(f"is not valid JSON: {error}", where=where) from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twin = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key `{twin}` is given twice")
    return made


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number")


def validate(data: object, model: type[M], *, where: str) -> M:
    """Build `model` from plain data; every problem is listed in one error, with the nearest valid name for unknown
    keys.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = [_problem(entry, model) for entry in error.errors()]
        raise GristmillError(
            "\n  ".join(["is not a valid manifest", *problems]),
            where=where,
            remedy="`gristmill show` prints a manifest with all its keys",
        ) from None


def load(path: str | Path, model: type[M]) -> M:
    """Load and validate the manifest at `path`."""
    return validate(load_yaml(path), model, where=str(path))


def first_problem(error: ValidationError) -> str:
    """The first problem of a manifest that Gristmill wrote, in one line."""
    entry = error.errors()[0]
    return f"{'.'.join(str(part) for part in entry['loc'])}: {str(entry['msg']).removeprefix('Value error, ')}"


def _problem(entry: Any, model: type[BaseModel]) -> str:
    location = [str(part) for part in entry["loc"]]
    name = ".".join(location)
    if entry["type"] != "extra_forbidden":
        message = str(entry["msg"]).removeprefix("Value error, ")
        return f"{name}: {message}" if name else message
    valid = _keys_at(model, entry["loc"][:-1])
    near = difflib.get_close_matches(location[-1], valid, n=1, cutoff=0.5)
    hint = f"; did you mean `{near[0]}`?" if near else f"; valid keys: {', '.join(sorted(valid))}"
    return f"{name}: unknown key{hint}"


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The valid keys of the section at `location`.

    pydantic adds a tag to the location for a member of a union, so all members are tried. A tag is the member's class
    name, or the value of the discriminator field, which is the field's default.
    """
    candidates: list[Any] = [model]
    for part in location:
        following: list[Any] = []
        for candidate in candidates:
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                field = candidate.model_fields.get(str(part))
                if field is not None:
                    following.extend(_models_in(field.annotation))
                elif isinstance(part, str) and (
                    candidate.__name__ == part
                    or any(field.default == part for field in candidate.model_fields.values())
                ):
                    following.append(candidate)
        # A list index or a mapping's key leads to the element, which _models_in has already unpacked.
        candidates = following or candidates
    return sorted(
        {name for c in candidates if isinstance(c, type) and issubclass(c, BaseModel) for name in c.model_fields}
    )


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if isinstance(annotation, types.GenericAlias) or typing.get_origin(annotation) is not None:
        return [m for argument in typing.get_args(annotation) for m in _models_in(argument)]
    return []
