"""One piece of work in its own process, which measures itself; started by bench/slopes.py.

    python bench/traced.py RESULT.json step STEP CORPUS.yaml OUT [WARM.yaml]   a step of the data half
    python bench/traced.py RESULT.json tasks N FOLDER                  N finished tasks looked at, as a resumed run does
    python bench/traced.py RESULT.json manifest N FOLDER               a step manifest with N outputs, written and read
    python bench/traced.py RESULT.json graph N                         the pipeline over N parts, as it is submitted
    python bench/traced.py RESULT.json choice N FOLDER                 who stays, of N verified pairs in one task
    python bench/traced.py RESULT.json open N FOLDER                   a folder of N shards opened, and a mixture planned over it
    python bench/traced.py RESULT.json samples COUNT SHARDS            COUNT windows of 4,096 tokens read in the order of training
    python bench/traced.py RESULT.json scan CORPUS.yaml OUT            the documents read through, as for the training of a tokenizer

A step's reads go through a file object that counts them: bytes read are the bytes that would be requested from an
object store. CPU seconds are those of the process while it is in a function that a DoFn calls.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench import single  # noqa: E402  (the project's root is no installed package)

STEPS = {
    "extract": ("pipeline.extract.step", "extract"),
    "decide": ("pipeline.decide.step", "decide"),
    "tokenizer": ("pipeline.tokenize.training_step", "make_tokenizer"),
    "tokenize": ("pipeline.tokenize.step", "tokenize"),
}
Counts = defaultdict[str, defaultdict[str, float]]


class _Counters:
    """What a step did, by name: functions, reads and writes by kind of file, pipelines."""

    def __init__(self, out: str) -> None:
        self._out = out
        self.functions: Counts = defaultdict(lambda: defaultdict(float))
        self.tasks: dict[str, float] = {}
        self.read: Counts = defaultdict(lambda: defaultdict(float))
        self.written: Counts = defaultdict(lambda: defaultdict(float))
        self.pipelines = {"runs": 0, "largest_bytes": 0}
        self.reading: defaultdict[str, float] = defaultdict(float)
        self.current = "client"

    def kind(self, path: str) -> str:
        """`step/kind` of a file below the output folder, `raw` outside it."""
        if not path.startswith(self._out + "/"):
            return "raw"
        step, *inner = path[len(self._out) + 1 :].split("/")
        if step == "shards" and inner and inner[0] != "tasks":
            return f"shards/{'manifest' if inner[0].startswith('_') else 'documents' if path.endswith('.documents.arrow') else 'tokens'}"
        return f"{step}/{inner[0] if len(inner) > 1 else 'manifest'}" if inner else step

    def add_read(self, path: str, size: int, files: int = 1) -> None:
        self.read[self.kind(path)]["bytes"] += size
        self.read[self.kind(path)]["files"] += files
        self.reading[self.current] += size

    def as_json(self) -> dict[str, Any]:
        return {
            **{
                name: {key: dict(counts) for key, counts in getattr(self, name).items()}
                for name in ("functions", "read", "written")
            },
            "tasks": self.tasks,
            "reading": self.reading,
            "pipelines": self.pipelines,
        }


class _CountingFile(io.RawIOBase):
    """A local file of which every byte read is counted."""

    def __init__(self, path: str, counters: _Counters) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115  (closed by `close`)
        self._path = path
        self._counters = counters
        counters.add_read(path, 0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._counters.add_read(self._path, len(data), 0)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


def trace_step(step: str, corpus: str, out: str, warm: str = "") -> dict[str, Any]:
    """Run one step with one worker, in this process, and say what its functions used, emitted, read and wrote.

    Args:
        warm: a small corpus that the step is run over before, uncounted: the first task of a process loads the models
            for all.
    """
    from manifests.corpus import load_corpus
    from pipeline.engines.runners import Runner

    manifest = load_corpus(corpus)
    module, name = STEPS[step]
    run = getattr(importlib.import_module(module), name)
    if warm:
        run(load_corpus(warm), out=out + "-warm", runner=Runner())
    counters = _Counters(out)
    _count_files(counters)
    _count_functions(counters)
    began = time.process_time()
    run(manifest, out=out, **({} if step == "tokenizer" else {"runner": Runner()}))
    return {"cpu_s": time.process_time() - began, **counters.as_json()}


def _count_files(counters: _Counters) -> None:
    from pipeline.extract import step
    from storage import files

    def map_file(path: str) -> pa.NativeFile:
        return pa.PythonFile(_CountingFile(path, counters), mode="r")

    def read_bytes(path: str, original: Callable[[str], bytes] = files.read_bytes) -> bytes:
        data = original(path)
        counters.add_read(path, len(data))
        return data

    def publish(path: str, data: Any, original: Callable[[str, Any], None] = files.publish) -> None:
        original(path, data)
        counters.written[counters.kind(path)]["bytes"] += Path(path).stat().st_size
        counters.written[counters.kind(path)]["files"] += 1

    for new, old in ((map_file, files.map_file), (read_bytes, files.read_bytes), (publish, files.publish)):
        _replace(old, new)

    # Raw files are read by two functions that open them themselves.
    for name in ("content_hash", "read_records"):
        vars(step)[name] = _counts_whole(vars(step)[name], counters)


def _counts_whole(original: Callable[..., Any], counters: _Counters) -> Callable[..., Any]:
    def counted(path: str, *arguments: Any, **named: Any) -> Any:
        counters.add_read(path, Path(path).stat().st_size)
        return original(path, *arguments, **named)

    return counted


def _replace(old: object, new: object) -> None:
    """In every module that has imported `old` by its name."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is old:
                setattr(module, name, new)


def _count_functions(counters: _Counters) -> None:
    from pipeline.engines import dofns, runners, subset

    functions = counters.functions

    def emit(self: Any, element: str) -> Iterable[tuple[int, bytes]]:
        name = _handed(self._function)
        counts = functions[name]
        counts["calls"] += 1
        for key, packed in _timed(self._function(element, self._job), counts, counters, name):
            counts["elements"] += 1
            counts["bytes"] += _encoded(key, packed)
            counts["largest_element"] = max(counts["largest_element"], len(packed))
            yield key, packed

    def name(self: Any, element: Any) -> Iterable[str]:
        function = _stage(element) or _handed(self._function)
        counts = functions[function]
        received = 0
        if isinstance(element, str):
            counts["calls"] += 1
        else:
            key, values = element
            held = {side: list(rows) for side, rows in values.items()} if isinstance(values, dict) else list(values)
            element = key, held
            rows = [row for side in held.values() for row in side] if isinstance(held, dict) else held
            received = sum(map(len, rows))
        counters.current, began = function, time.process_time()
        names = list(self._function(element, self._job))
        used = time.process_time() - began
        counters.current = "client"
        counts["cpu_s"] += used
        if isinstance(element, str):
            counters.tasks.update(dict.fromkeys(names, used))
        elif names:
            counts["keys"] += 1
            counts["received"] += received
            counts["largest_key"] = max(counts["largest_key"], received)
        yield from names

    def check_subset(pipeline: Any, original: Callable[[Any], object] = subset.check_subset) -> object:
        counters.pipelines["runs"] += 1
        counters.pipelines["largest_bytes"] = max(
            counters.pipelines["largest_bytes"], pipeline.to_runner_api().ByteSize()
        )
        return original(pipeline)

    for kind, process in (("EmitPacked", emit), ("EmitNames", name)):
        getattr(dofns, kind).process = process
    vars(runners)["check_subset"] = check_subset


def _stage(element: Any) -> str | None:
    """What an element's task belongs to: the beginning of its name; None for an element that is no task."""
    task = json.loads(element) if isinstance(element, str) and element.startswith("{") else {}
    return str(task["name"]).split("/")[0] if "key" in task else None


def _handed(function: Callable[..., Any]) -> str:
    """The name of the step's own function among what a DoFn was handed: the innermost one of partials.

    Stages that are done as one element are named as the tasks of the first are: by their folder.
    """
    while isinstance(function, partial):
        if steps := function.keywords.get("steps"):
            return str(steps[0].name_of(0)).split("/")[0]
        inner = [value for name, value in function.keywords.items() if name in ("emit", "reduce", "function")]
        function = inner[0] if inner else function.func
    return function.__name__


def _timed(
    elements: Iterable[tuple[int, bytes]], counts: dict[str, float], counters: _Counters, name: str
) -> Iterator[tuple[int, bytes]]:
    """The elements of a generator; what happens to them between two is not counted."""
    iterator = iter(elements)
    while True:
        counters.current, began = name, time.process_time()
        element = next(iterator, None)
        counts["cpu_s"] += time.process_time() - began
        counters.current = "client"
        if element is None:
            return
        yield element


def _encoded(key: int, packed: bytes) -> int:
    """Bytes of the pair in Beam's coders: a variable-length key, a variable-length size, the bytes."""
    return _varint(key) + _varint(len(packed)) + len(packed)


def _varint(value: int) -> int:
    return max(1, -(-value.bit_length() // 7))


_WORK: dict[str, Callable[..., dict[str, Any]]] = {
    "step": trace_step,
    "tasks": single.look_at_tasks,
    "manifest": single.hold_manifest,
    "graph": single.size_graph,
    "choice": single.choose_among,
    "open": single.open_folder,
    "samples": single.read_samples,
    "scan": single.scan_documents,
}


def main() -> None:
    result, work, *arguments = sys.argv[1:]
    Path(result).write_text(json.dumps(_WORK[work](*arguments)))


if __name__ == "__main__":
    main()
