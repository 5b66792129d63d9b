"""Checks that a run's layout fits its ranks, model and batch before process groups are made.

Errors give the numbers.
"""

from __future__ import annotations

from manifests.errors import GristmillError
from manifests.model import ModelManifest
from manifests.run import Run

VOCAB_MULTIPLE = 128
"""Megatron-LM's `--make-vocab-size-divisible-by`.

Megatron-LM multiplies it by TP, which ties checkpoints to a layout.
"""


def data_parallel(run: Run, ranks: int) -> int:
    """Size of the data-parallel groups when `ranks` processes run this layout.

    Raises:
        GristmillError: the layout does not fit the ranks, the model or the batch; the remedy says what would fit.
    """
    manifest, layout = run.manifest, run.manifest.layout
    one = layout.tensor * layout.pipeline * layout.context
    sizes = f"tensor {layout.tensor} x pipeline {layout.pipeline} x context {layout.context}"
    if ranks % one:
        below, above = ranks // one * one, -(-ranks // one) * one
        raise GristmillError(
            f"{ranks} ranks cannot be arranged as {sizes} = {one}",
            where="layout",
            remedy=f"start {f'{below} or ' if below else ''}{above} ranks, or change `layout`",
        )
    data = ranks // one
    if manifest.global_batch % (manifest.micro_batch * data):
        raise GristmillError(
            f"global_batch {manifest.global_batch} cannot be split into micro-batches of {manifest.micro_batch} over "
            f"{data} data-parallel ranks ({ranks} ranks / {sizes})",
            where="layout",
            remedy=f"make global_batch a multiple of {manifest.micro_batch * data}, or change micro_batch or the ranks",
        )
    for problem, remedy in _problems(run, run.model):
        raise GristmillError(problem, where="layout", remedy=remedy)
    return data


def _problems(run: Run, model: ModelManifest) -> list[tuple[str, str]]:
    layout, sequence = run.manifest.layout, run.manifest.sequence
    sizes = (
        ("heads", model.heads),
        ("kv_heads", model.kv_heads),
        ("ffn", model.ffn),
        ("vocabulary rows, padded to", VOCAB_MULTIPLE),
    )
    problems = [
        (
            f"{what} ({value}) of model {model.name} cannot be split over tensor {layout.tensor}",
            f"choose a `tensor` that divides {value}",
        )
        for what, value in sizes
        if value % layout.tensor
    ]
    if model.layers % layout.pipeline:
        problems.append(
            (
                f"layers ({model.layers}) of model {model.name} cannot be split over pipeline {layout.pipeline}",
                f"choose a `pipeline` that divides {model.layers}",
            )
        )
    if layout.sequence_parallel and layout.tensor == 1:
        problems.append(("sequence_parallel needs tensor > 1", "raise `tensor` or leave `sequence_parallel` away"))
    if layout.context > 1 and sequence % (2 * layout.context):
        problems.append(
            (
                f"sequence ({sequence}) cannot be split over context {layout.context}",
                f"make it a multiple of {2 * layout.context}",
            )
        )
    if layout.sequence_parallel and (sequence // layout.context) % layout.tensor:
        problems.append(
            (
                f"sequence ({sequence}) / context {layout.context} cannot be split over tensor {layout.tensor}",
                f"make it a multiple of {layout.tensor * layout.context}",
            )
        )
    return problems
