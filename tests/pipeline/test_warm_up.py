"""After the warm-up, all kernels that a run calls are compiled."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.paths import PROJECT

CALLED_FROM_PYTHON = {
    "dedup.bands._band_keys",
    "dedup.datasketch_permutations.lower_affine32",
    "dedup.datasketch_permutations.lower_legacy",
    "dedup.signing._hash_shingles",
    "dedup.signing._lower_all",
    "dedup.repeats._first_of_equals",
    "dedup.repeats._hash_grams",
    "dedup.stretches._gather",
    "dedup.stretches._uncovered",
    "dedup.substrings._count",
    "dedup.substrings._mark",
    "dedup.substrings._pieces",
    "dedup.winnowing._segments",
    "pipeline.filters.line_rules.judge_c4_lines",
    "pipeline.filters.line_rules.judge_refinedweb_lines",
    "pipeline.tokenize.kept_text._clean",
    "pipeline.text.words.signal.measure",
    "pipeline.text.language.classify.classify",
    "pipeline.text.mojibake._suspect_lines",
    "pipeline.text.normalise._gather",
    "pipeline.text.normalise._look",
    "pipeline.text.personal.masking._replace",
}

PROBE = """
import gc, json
from numba.core.dispatcher import Dispatcher
from pipeline.warm_up import warm_up
warm_up()
kernels = [thing for thing in gc.get_objects() if isinstance(thing, Dispatcher) and thing.signatures]
print(json.dumps([f"{kernel.py_func.__module__}.{kernel.py_func.__name__}" for kernel in kernels]))
"""


def test_kernels_that_python_calls_are_compiled() -> None:
    """In a process of its own: other tests have compiled them here."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=PROJECT, capture_output=True, text=True, timeout=300, check=True
    )
    assert set(json.loads(done.stdout)) >= CALLED_FROM_PYTHON
