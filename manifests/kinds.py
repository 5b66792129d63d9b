"""The kinds of manifests by the names that their `kind` gives."""

from __future__ import annotations

from pathlib import Path

from manifests.base import Strict, load_yaml, validate
from manifests.cluster import ClusterManifest
from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.factual import FactualManifest
from manifests.mixture import MixtureManifest
from manifests.model import PRESETS, ModelManifest
from manifests.run import RunManifest

KINDS: dict[str, type[Strict]] = {
    "corpus": CorpusManifest,
    "factual": FactualManifest,
    "mixture": MixtureManifest,
    "model": ModelManifest,
    "run": RunManifest,
    "cluster": ClusterManifest,
}


def load_any(path: str | Path) -> Strict:
    """A manifest of whatever kind it says that it is, or a model preset by its name.

    Raises:
        GristmillError: no such file, no such kind, or not a valid manifest of its kind.
    """
    if str(path) in PRESETS:
        return PRESETS[str(path)]
    data = load_yaml(path)
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise GristmillError(
            f"`kind: {kind}` is not a kind of manifest", where=str(path), remedy=f"use one of {', '.join(KINDS)}"
        )
    return validate(data, KINDS[kind], where=str(path))
