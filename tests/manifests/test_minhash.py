"""Bands and rows of MinHash: as numbers, by the name of a recipe, or from a similarity."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from datasketch import MinHashLSH
from pydantic import ValidationError

from manifests.base import load, sha256_of
from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.minhash import PRESETS, MinHash, Preset, optimal_bands
from tests.paths import PROJECT

CORPUS = """
kind: corpus
name: small
sources:
  - {name: a, format: jsonl, files: ["*.jsonl"], licence: CC0}
tokenizer: {model: t.model}
"""


def manifest(folder: Path, section: str, more: str = "") -> CorpusManifest:
    path = folder / "corpus.yaml"
    path.write_text(f"{CORPUS}dedup: {{minhash: {{{section}}}}}\n{more}\n")
    return load(path, CorpusManifest)


@pytest.mark.parametrize(
    ("section", "numbers"),
    [
        ("", (16, 7, 5, "words")),
        ("bands: 3", (3, 7, 5, "words")),
        ("preset: fineweb", (14, 8, 5, "words")),
        ("preset: refinedweb", (450, 20, 5, "words")),
        ("preset: slimpajama", (9, 13, 13, "characters")),
        ("preset: dolma3", (26, 11, 5, "words")),
        ("preset: lee-2022", (450, 20, 5, "words")),
        ("preset: null, threshold: null, bands: 2, rows: 4", (2, 4, 5, "words")),
        ("threshold: 0.8", (9, 13, 5, "words")),
        ("threshold: 0.8, num_perm: 256, ngram: 24, unit: characters", (17, 15, 24, "characters")),
        ("threshold: 0.8, weights: [0.1, 0.9]", (14, 9, 5, "words")),
    ],
)
def test_ways_to_write_bands_and_rows(tmp_path, section, numbers) -> None:
    found = manifest(tmp_path, section).dedup.minhash
    assert found is not None
    assert (found.bands, found.rows, found.ngram, found.unit) == numbers


def test_a_loaded_section_holds_numbers_alone(tmp_path) -> None:
    """Two ways to write the same are the same manifest, and nothing is looked up or optimised again in a worker."""
    by_name, plain = manifest(tmp_path, "preset: fineweb"), manifest(tmp_path, "bands: 14, rows: 8")
    by_threshold = manifest(tmp_path, "threshold: 0.8")
    assert by_name == plain
    assert sha256_of(by_name.model_dump(mode="json")) == sha256_of(plain.model_dump(mode="json"))
    assert by_threshold == manifest(tmp_path, "bands: 9, rows: 13")
    section = by_threshold.dedup.minhash
    assert section is not None
    written = {"bands": 9, "rows": 13, "ngram": 5, "unit": "words", "permutations": "gristmill"}
    written |= {"similarity": 0.7, "measure": "jaccard"}
    assert section.model_dump(mode="json") == written
    assert section.model_fields_set == {"bands", "rows"}
    assert MinHash.model_validate_json(section.model_dump_json()) == section
    assert pickle.loads(pickle.dumps(section)) == section
    with pytest.raises(ValidationError, match="frozen"):
        section.bands = 3


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("preset: fineweb, bands: 14", "`preset` says all of it: remove `bands`, or `preset`"),
        ("preset: fineweb, ngram: 7, unit: words", "`preset` says all of it: remove `ngram`, `unit`, or `preset`"),
        ("preset: fineweb, threshold: 0.8", "`preset` says all of it: remove `threshold`, or `preset`"),
        ("threshold: 0.8, rows: 4", "`threshold` finds bands and rows: remove `rows`, or `threshold`"),
        ("num_perm: 64", "`num_perm`: only with `threshold`"),
        ("threshold: null, weights: [0.5, 0.5]", "`weights`: only with `threshold`"),
        ("threshold: 0.8, weights: [0.5, 0.6]", "`weights` must have the sum 1, not 1.1"),
        ("threshold: 0.8, weights: [-1, 2]", "greater than or equal to 0"),
        ("threshold: 0.99999", "datasketch finds no bands and rows for 0.99999 with 128: "),
        ("threshold: 1", "should be less than 1"),
        ("threshold: 0", "should be greater than 0"),
        ("bands: 450, rows: 64", "450 bands of 64 are a signature of 28,800 values; at most 16,384 are possible"),
        ("preset: pile", "should be 'fineweb', 'refinedweb', 'slimpajama', 'dolma3' or 'lee-2022'"),
        ("unit: bytes", "should be 'words' or 'characters'"),
        ("permutation: datasketch", "unknown key; did you mean `permutations`?"),
        ("presets: fineweb", "unknown key; did you mean `preset`?"),
    ],
)
def test_contradictions_are_named(tmp_path, section, problem) -> None:
    with pytest.raises(GristmillError) as caught:
        manifest(tmp_path, section)
    assert problem in str(caught.value)
    assert "dedup.minhash" in str(caught.value)


@pytest.mark.parametrize("permutations", ["datasketch", "datasketch-legacy"])
def test_datasketch_has_seeds_of_32_bits(tmp_path, permutations) -> None:
    assert manifest(tmp_path, f"permutations: {permutations}", f"seed: {2**32 - 1}").seed == 2**32 - 1
    assert manifest(tmp_path, "permutations: gristmill", f"seed: {2**32}").seed == 2**32
    with pytest.raises(
        GristmillError, match=f"`seed` must be at most 4,294,967,295 with `permutations: {permutations}`"
    ):
        manifest(tmp_path, f"permutations: {permutations}", f"seed: {2**32}")


@pytest.mark.parametrize(
    ("preset", "similarity", "share"),
    [
        # FineWeb, arXiv 2406.17557, appendix E.1.
        ("fineweb", 0.70, 0.56),
        ("fineweb", 0.75, 0.77),
        ("fineweb", 0.80, 0.92),
        ("fineweb", 0.85, 0.988),
        # RefinedWeb, arXiv 2306.01116, appendix G.3.1: only 450 bands of 20 give these, not 20 of 450.
        ("refinedweb", 0.75, 0.76),
        ("refinedweb", 0.80, 0.994),
    ],
)
def test_recipes_find_what_their_papers_say(preset: Preset, similarity: float, share: float) -> None:
    recipe = PRESETS[preset]
    found = 1 - (1 - similarity**recipe.rows) ** recipe.bands
    assert found == pytest.approx(share, abs=0.0055)


def test_slimpajama_has_the_bands_of_its_threshold() -> None:
    assert optimal_bands(0.8, num_perm=128, weights=(0.5, 0.5)) == PRESETS["slimpajama"][:2]


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.2, 0.8)])
@pytest.mark.parametrize("num_perm", [16, 128])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.85])
def test_bands_minimise_both_areas(threshold: float, num_perm: int, weights: tuple[float, float]) -> None:
    """Against sums of many thin columns in plain Python, over all that fits."""

    def error(bands: int, rows: int) -> float:
        total, columns = 0.0, 1_000
        for column in range(columns):
            similarity = (column + 0.5) / columns
            met = 1 - (1 - similarity**rows) ** bands
            total += met * weights[0] if similarity < threshold else (1 - met) * weights[1]
        return total / columns

    found = optimal_bands(threshold, num_perm=num_perm, weights=weights)
    index = MinHashLSH(threshold=threshold, num_perm=num_perm, weights=weights)
    assert found == (index.b, index.r)
    near = [
        (bands, rows)
        for bands in range(max(1, found[0] - 3), found[0] + 4)
        for rows in range(max(1, found[1] - 3), found[1] + 4)
        if bands * rows <= num_perm
    ]
    assert error(*found) <= min(error(*choice) for choice in near) + 1e-5


def test_without_datasketch_a_threshold_says_what_to_do(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(GristmillError, match="datasketch, which is not installed") as caught:
        manifest(tmp_path, "threshold: 0.8")
    assert (caught.value.where, caught.value.remedy) == (
        "dedup.minhash.threshold",
        "install gristmill[data], or write `bands` and `rows`",
    )
    assert manifest(tmp_path, "preset: dolma3, permutations: datasketch").dedup.minhash is not None


def test_manifests_do_without_datasketch() -> None:
    """Mixtures and training are installed without it, and it brings SciPy."""
    code = (
        "import sys; from manifests.minhash import MinHash; MinHash(preset='slimpajama', permutations='datasketch');"
        "import gristmill.cli; assert not {'datasketch', 'scipy.integrate'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=120)
