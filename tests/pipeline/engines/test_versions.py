"""Which libraries' versions are compared: those that the packages say they need, on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from manifests.errors import GristmillError
from pipeline.engines.versions import needed_libraries, process_facts


def install(folder: Path, name: str, version: str, *needs: str) -> None:
    """A package of which there are metadata only, as an installed wheel has them."""
    place = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    place.mkdir()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {need}" for need in needs),
    ]
    (place / "METADATA").write_text("\n".join(lines) + "\n")


def test_what_libraries_need_in_turn_is_compared_as_well() -> None:
    facts = process_facts()
    assert {
        "apache-beam",
        "brotli",
        "isal",
        "lxml",
        "justext",
        "courlan",
        "awkward",
        "awkward-cpp",
        "llvmlite",
        "numpy",
    } <= set(facts)
    assert {"torch", "megatron-core", "pytest", "ruff"}.isdisjoint(facts)
    assert {"python", "gristmill"} <= set(facts)


def test_extras_and_markers_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs = (
        'Direct_One[fast]>=1; extra == "data"',
        'trainer; extra == "train"',
        "always",
        'never; python_version < "3"',
    )
    install(tmp_path, "gristmill", "0", *needs)
    install(tmp_path, "direct-one", "1.5", 'quick; extra == "fast"', 'slow; extra == "slow"', "gone")
    install(tmp_path, "quick", "2", "direct-one", "gristmill[data]")
    install(tmp_path, "always", "3")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert needed_libraries() == ["always", "direct-one", "gone", "quick"]
    facts = process_facts()
    assert {name: facts[name] for name in needed_libraries()} == {
        "always": "3", "direct-one": "1.5", "gone": "not installed", "quick": "2"
    }  # fmt: skip
    # Gristmill itself is known by its code.
    assert len(facts["gristmill"]) == 12


def test_sources_that_were_never_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(GristmillError, match="gristmill is not installed") as caught:
        needed_libraries()
    assert caught.value.where == sys.prefix
    assert "pip install" in (caught.value.remedy or "")
