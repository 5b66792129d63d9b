"""The Beam subset: each forbidden feature is found; what our pipelines use is allowed."""

import apache_beam as beam
import pytest

from manifests.base import Strict
from manifests.errors import GristmillError
from pipeline.engines.dofns import EmitNames, EmitPacked
from pipeline.engines.runners import Runner, run_pipeline
from pipeline.engines.subset import violations


class Job(Strict):
    pass


def emit(element, job):
    yield 1, element.encode()


def name(element, job):
    key, _values = element
    yield str(key)


def packed(pipeline):
    return pipeline | "in" >> beam.Create(["a", "b"]) | "emit" >> beam.ParDo(EmitPacked(emit, Job()))


def test_a_shuffle_of_packed_bytes_is_inside():
    pipeline = beam.Pipeline()
    packed(pipeline) | beam.GroupByKey() | beam.ParDo(EmitNames(name, Job()))
    assert violations(pipeline) == []


def test_a_join_of_packed_bytes_is_inside():
    pipeline = beam.Pipeline()
    tasks = pipeline | "tasks" >> beam.Create([(1, b"t")])
    {"task": tasks, "rows": packed(pipeline)} | beam.CoGroupByKey() | beam.ParDo(EmitNames(name, Job()))
    assert violations(pipeline) == []


class Tagged(beam.DoFn):
    def process(self, element):
        yield beam.pvalue.TaggedOutput("other", element)


class Bundled(beam.DoFn):
    def process(self, element):
        yield element

    def finish_bundle(self):
        yield beam.utils.windowed_value.WindowedValue(1, 0, [beam.window.GlobalWindow()])


class Stateful(beam.DoFn):
    STATE = beam.transforms.userstate.CombiningValueStateSpec("n", sum)

    def process(self, element, state=beam.DoFn.StateParam(STATE)):  # noqa: B008  # Beam's own form
        state.add(1)
        yield element


def tagged(p):
    outputs = p | "in" >> beam.Create([1]) | beam.ParDo(Tagged()).with_outputs("other", main="main")
    (outputs.main, outputs.other) | beam.Flatten()


def side_input(p):
    p | "in" >> beam.Create([1]) | beam.Map(lambda x, y: x, beam.pvalue.AsList(p | "side" >> beam.Create([2])))


def stateful(p):
    keyed = p | "in" >> beam.Create([1]) | beam.Map(lambda x: (x, b"")).with_output_types(tuple[int, bytes])
    keyed | beam.ParDo(Stateful())


def windows(p):
    p | "in" >> beam.Create([1]) | beam.WindowInto(beam.window.FixedWindows(1))


def two_leaves(p):
    p | "one" >> beam.Create([1])
    p | "two" >> beam.Create([1])


def pickled_shuffle(p):
    p | "in" >> beam.Create([1]) | beam.Map(lambda x: (x, object())) | beam.GroupByKey()


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (tagged, "tagged outputs"),
        (side_input, "side inputs"),
        (stateful, "state or timers"),
        (windows, "windows"),
        (two_leaves, "2 terminal collections"),
        (pickled_shuffle, "a shuffle of"),
        (lambda p: p | "in" >> beam.Create([1]) | beam.ParDo(Bundled()), "finish_bundle"),
    ],
)
def test_what_leaves_the_subset_is_found(build, problem):
    pipeline = beam.Pipeline()
    build(pipeline)
    assert any(problem in line for line in violations(pipeline)), violations(pipeline)


def test_a_pipeline_outside_the_subset_does_not_run():
    with pytest.raises(GristmillError, match="leaves the Beam subset"):
        run_pipeline(tagged, runner=Runner())
