"""CPU seconds of the stages of decide, in one process with one worker.

    python -m bench.dedup_speed_stages CORPUS.yaml OUT RESULT.json

In: a corpus manifest, and a folder with what extract published. Out: a JSON object, CPU seconds by stage: those of the
search for duplicates by their names, `decide_part`, and `other`: sites, the runner, the step's start and end.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any


def timed_decide(corpus: str, out: str) -> dict[str, float]:
    """Run decide in this process; CPU seconds by stage, in the order in which they began, and `all`."""
    from manifests.corpus import load_corpus
    from pipeline.decide import decisions
    from pipeline.decide.duplicates import choice, search
    from pipeline.decide.step import decide
    from pipeline.engines.runners import Runner

    found: dict[str, float] = {}

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*arguments: Any, **named: Any) -> Any:
            began = time.process_time()
            done = function(*arguments, **named)
            found[name] = found.get(name, 0.0) + time.process_time() - began
            return done

        return run

    # What a pipeline is handed is pickled by name: a function is looked up in its own module, in this process.
    changed: list[tuple[Any, str, Any]] = []
    for stage in (*search.copies_stages(1), *search.pairs_stages(1), *search.fates_stages(1)):
        name = stage.work.__name__
        new = timed(stage.label.rpartition(" ")[2], stage.work)
        changed += [(own, name, new) for own in (sys.modules[stage.work.__module__], search) if hasattr(own, name)]
    for own, name in ((choice, "decide_rest"), (choice, "publish_chosen"), (decisions, "decide_part")):
        changed.append((own, name, timed(name, getattr(own, name))))
    before = [(module, name, getattr(module, name)) for module, name, _ in changed]
    for module, name, new in changed:
        setattr(module, name, new)
    try:
        began = time.process_time()
        decide(load_corpus(corpus), out=out, runner=Runner())
        whole = time.process_time() - began
    finally:
        for module, name, old in before:
            setattr(module, name, old)
    return {**found, "other": whole - sum(found.values()), "all": whole}


def main(corpus: str, out: str, result: str) -> None:
    Path(result).write_text(json.dumps({name: round(value, 2) for name, value in timed_decide(corpus, out).items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
