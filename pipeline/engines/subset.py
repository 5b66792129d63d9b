"""The subset of Beam that behaves the same on the embedded runner, the portable job service and Flink; and a check.

In: a pipeline that is built but not yet run. Out: the forbidden features that it uses. Every pipeline is checked before
it runs.

Not allowed, because some runner gets it wrong, silently or at scale: tagged outputs, state, timers, side inputs, output
from `finish_bundle`, splittable DoFns, windows, more than one terminal collection, and shuffles whose coder pickles.
"""

from __future__ import annotations

from typing import Any

from manifests.errors import GristmillError

# Deterministic and the same bytes in every SDK version; anything else in a shuffle would be pickled.
_SHUFFLE_CODERS = {
    "VarIntCoder",
    "BytesCoder",
    "StrUtf8Coder",
    "TupleCoder",
    "KVCoder",
    "IterableCoder",
    "BooleanCoder",
}


def check_subset(pipeline: Any) -> None:
    """Refuse a pipeline that leaves the subset.

    Raises:
        GristmillError: lists every violation.
    """
    problems = violations(pipeline)
    if problems:
        raise GristmillError(
            "the pipeline leaves the Beam subset:\n  " + "\n  ".join(problems), remedy="see docs/pipelines.md"
        )


def violations(pipeline: Any) -> list[str]:
    """The forbidden features that a built pipeline uses, one line each, in the order of the graph."""
    import apache_beam as beam
    from apache_beam.pipeline import PipelineVisitor

    problems: list[str] = []
    produced: list[Any] = []
    consumed: set[int] = set()

    class Visitor(PipelineVisitor):  # type: ignore[misc]
        def visit_transform(self, node: Any) -> None:
            transform = node.transform
            if isinstance(transform, beam.WindowInto) and not _inside_beam_composite(node):
                problems.append(f"{node.full_label}: windows")
            elif isinstance(transform, beam.ParDo):
                problems.extend(f"{node.full_label}: {problem}" for problem in _pardo_problems(node, transform))
            elif isinstance(transform, beam.GroupByKey):
                problems.extend(f"{node.full_label}: {problem}" for problem in _shuffle_problems(node))
            consumed.update(id(collection) for collection in node.inputs if collection is not None)
            produced.extend(node.outputs.values())

    pipeline.visit(Visitor())
    leaves = [collection for collection in produced if id(collection) not in consumed]
    if len(leaves) != 1:
        names = ", ".join(sorted(str(leaf.producer.full_label) for leaf in leaves))
        problems.append(f"{len(leaves)} terminal collections instead of one: {names}")
    return problems


def _pardo_problems(node: Any, transform: Any) -> list[str]:
    import apache_beam as beam
    from apache_beam.runners.common import DoFnSignature

    # Beam's own composites (Create's reshuffle) are left to the runner.
    function = transform.fn
    signature = DoFnSignature(function)
    problems = []
    if len(node.outputs) > 1:
        problems.append("tagged outputs")
    if node.side_inputs:
        problems.append("side inputs")
    if signature.is_stateful_dofn():
        problems.append("state or timers")
    if signature.is_splittable_dofn():
        problems.append("a splittable DoFn")
    if type(function).finish_bundle is not beam.DoFn.finish_bundle and not type(function).__module__.startswith(
        "apache_beam."
    ):
        problems.append("a finish_bundle of its own")
    return problems


def _shuffle_problems(node: Any) -> list[str]:
    from apache_beam import coders

    if _inside_beam_composite(node):
        return []
    (collection,) = node.inputs
    coder = coders.registry.get_coder(collection.element_type)
    names = _coder_names(coder)
    return [f"a shuffle of {collection.element_type}, coded by {name}" for name in names if name not in _SHUFFLE_CODERS]


def _inside_beam_composite(node: Any) -> bool:
    """Reshuffle and CoGroupByKey contain a GroupByKey of their own; their inputs are checked where they come from."""
    parent = node.parent
    while parent is not None and parent.transform is not None:
        if type(parent.transform).__name__ in {"Reshuffle", "ReshufflePerKey"}:
            return True
        parent = parent.parent
    return False


def _coder_names(coder: Any) -> list[str]:
    components = [name for part in coder._get_component_coders() for name in _coder_names(part)]
    return [type(coder).__name__, *components]
