"""The worker's own message is extracted from what Java and Beam wrap around it."""

from __future__ import annotations

import pytest

from manifests.errors import GristmillError
from pipeline.engines.failures import explain, gristmill_errors, has_gristmill_error, lost_process, worker_message

JAVA = """java.lang.RuntimeException: Failed to finish remote bundle
\tat org.apache.beam.runners.fnexecution.control.SdkHarnessClient$BundleProcessor$ActiveBundle.close(SdkHarnessClient.java:500)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.util.concurrent.ExecutionException: java.lang.RuntimeException: Error received from SDK harness for instruction 3: \
Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1498, in apache_beam.runners.common.DoFnRunner.process
    return self.do_fn_invoker.invoke_process(windowed_value)
{python}

\tat java.base/java.util.concurrent.CompletableFuture.reportGet(CompletableFuture.java:396)
\t... 7 more
Caused by: java.lang.RuntimeException: Error received from SDK harness for instruction 3: Traceback (most recent call last):
{python}

\tat org.apache.beam.runners.fnexecution.control.FnApiControlClient$ResponseStreamObserver.onNext(FnApiControlClient.java:180)
"""
OURS = """manifests.errors.GristmillError: a.warc, record 7: is too bad
  remedy: mend it

During handling of the above exception, another exception occurred:

manifests.errors.GristmillError: a.warc, record 7: is too bad
  remedy: mend it [while running 'Extract-ptransform-12']"""


def test_our_own_error_with_place_and_remedy() -> None:
    text = JAVA.format(python=OURS)
    assert worker_message(text) == "a.warc, record 7: is too bad\n  remedy: mend it"
    assert has_gristmill_error(text)


@pytest.mark.parametrize(
    "line", ["ValueError: no luck with bad", "zlib.error: Error -3", "pyarrow.lib.ArrowInvalid: Not an Arrow file"]
)
def test_another_error_is_its_last_python_line(line) -> None:
    text = JAVA.format(python=f"{line} [while running 'Extract-ptransform-12']")
    assert not has_gristmill_error(text)
    assert worker_message(text) == line


def test_java_alone_is_its_deepest_cause() -> None:
    text = (
        "java.io.IOException: no network buffers\n\tat a.B.c(D.java:1)\nCaused by: java.lang.Exception: too few\n\t..."
        " 3 more"
    )
    assert worker_message(text) == "java.lang.Exception: too few"
    assert lost_process(text) is None


@pytest.mark.parametrize(
    ("text", "who"),
    [
        (
            (
                "org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id localhost:1-2 is no longer"
                " reachable."
            ),
            "a TaskManager",
        ),
        (
            (
                "java.lang.IllegalStateException: Failed to finish\nCaused by: StatusRuntimeException: CANCELLED:"
                " client cancelled"
            ),
            "a Python worker",
        ),
    ],
)
def test_a_lost_process_is_named(text, who) -> None:
    assert who in (lost_process(text) or "")


def test_nothing_at_all() -> None:
    assert worker_message("\n") == "the pipeline failed without a message"


def test_the_first_of_our_own_errors_is_found_whatever_wraps_it() -> None:
    first, copy = GristmillError("the first"), GristmillError("a copy")
    error = RuntimeError("of Beam")
    copy.__context__, error.__cause__ = first, copy
    assert gristmill_errors(error) == [copy, first]
    assert explain(error) is first
    first.__cause__ = error  # a circle, as a library may set it by hand
    assert gristmill_errors(error) == [copy, first]
    assert gristmill_errors(RuntimeError("alone")) == []
