"""Deduplication against the truth, beside peers: what each removes wrongly, and what it leaves in.

    python -m bench.dedup_quality [--corpora DIR] [--only NAME ...] [--peers all|none|NAMES]
                                  [--half development|"held out"] [--scale small|full] [--work DIR]

Corpora: two real ones and three planted ones (bench/dedup_corpora, bench/dedup_planted), written once as JSONL, which
all tools read in the same run. Truth: exact Jaccard similarities of all pairs (bench/dedup_truth). What is counted, and
how, is said in bench/dedup_scores. CPU seconds are those of a tool's processes, start-up included, after a run on two
documents that is not counted; Gristmill's include language and signals, which its extract step finds on the way. A
peer that cannot be run is named with the reason.

The last line is one JSON object: `precision`, `wrong_below_half` and `pairs_left_above_0.8` over all corpora,
`by_corpus` with the same keys, and `peers` by name with the same keys.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench import dedup_planted
from bench.dedup_corpora import HALVES, REAL, Corpus, Document, Half, Scale, real_corpus, write_corpus
from bench.dedup_ours import Outcome, run_gristmill
from bench.dedup_peers import chosen_peers, run_peer
from bench.dedup_scores import (
    Score,
    case_shares,
    case_similarities,
    case_table,
    figures,
    pooled,
    score,
    score_table,
)
from bench.dedup_truth import compare
from bench.peers import Unavailable

OURS = "gristmill"
HERE = Path(__file__).resolve().parent


def makers(corpora: Path, *, half: Half, scale: Scale) -> dict[str, Callable[[], Corpus]]:
    """What makes each corpus, by its name."""
    real = {name: partial(real_corpus, name, corpora, scale=scale) for name in REAL}
    planted = {
        make.__name__: partial(make, corpora, half=half, scale=scale)
        for make in (dedup_planted.templates, dedup_planted.edits, dedup_planted.unspaced)
    }
    return {**real, **planted}


def measure_corpus(corpus: Corpus, peers: list[str], folder: Path, unavailable: dict[str, str]) -> dict[str, Score]:
    """Run all tools on a corpus and print its tables; scores by tool.

    Args:
        peers: names; one that cannot be run is left out from here on.
        folder: an empty folder for the corpus and what tools make of it.
        unavailable: by the name of each peer that could not be run, the reason; added to here.
    """
    path = write_corpus(corpus, folder)
    truth = compare([document.text for document in corpus.documents])
    outcomes: dict[str, Outcome] = {OURS: run_gristmill(path, folder / OURS)}
    for peer in peers:
        if peer in unavailable:
            continue
        try:
            outcomes[peer] = run_peer(peer, path, folder / peer)
        except Unavailable as error:
            unavailable[peer] = str(error)
    scores = {tool: score(corpus, truth, outcome) for tool, outcome in outcomes.items()}
    notes = [outcome.note for outcome in outcomes.values() if outcome.note]
    notes += [
        f"{tool}: {one.unanswered} removals without a kept copy" for tool, one in scores.items() if one.unanswered
    ]
    text_mb = sum(len(document.text.encode()) for document in corpus.documents) / 1e6
    print(f"\n{corpus.name}: {len(corpus.documents):,} documents, {text_mb:.1f} MB; {'; '.join(notes)}")
    print(score_table(scores), flush=True)
    if corpus.families:
        shares = {tool: case_shares(corpus, outcome) for tool, outcome in outcomes.items()}
        print(f"\n{case_table(case_similarities(corpus, truth), shares)}", flush=True)
    return scores


def warm_up(peers: list[str], folder: Path) -> dict[str, str]:
    """Run each tool on two documents, so that no measured run compiles or installs.

    Returns the reasons by the names of peers that cannot run.
    """
    documents = tuple(Document(name, f"the same five words and {name}") for name in ("one", "two"))
    path = write_corpus(Corpus("warm-up", documents), folder)
    run_gristmill(path, folder / OURS)
    unavailable = {}
    for peer in peers:
        try:
            run_peer(peer, path, folder / peer)
        except Unavailable as error:
            unavailable[peer] = str(error)
    return unavailable


def last_line(by_corpus: Mapping[str, Mapping[str, Score]], unavailable: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object of the last line.

    Args:
        by_corpus: scores by corpus and tool.
        unavailable: reasons by the names of peers that did not run on all corpora.
    """
    tools: dict[str, dict[str, Any]] = {}
    for tool in {name: None for scores in by_corpus.values() for name in scores}:
        if tool in unavailable:
            continue
        scores = {corpus: by_tool[tool] for corpus, by_tool in by_corpus.items()}
        of_corpora = {corpus: figures(one) for corpus, one in scores.items()}
        tools[tool] = {**figures(pooled(list(scores.values()))), "by_corpus": of_corpora}
    ours = tools.pop(OURS)
    return {**ours, "peers": {**tools, **{peer: {"unavailable": reason} for peer, reason in unavailable.items()}}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=HERE.parent.parent / "shared" / "corpora")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="corpora by name; default: all")
    parser.add_argument("--peers", default="all", help="all, none, or names joined by commas")
    parser.add_argument("--half", choices=HALVES, default="held out", help="of the planted cases")
    parser.add_argument("--scale", choices=("small", "full"), default="full", help="small: a tenth of the documents")
    parser.add_argument("--work", type=Path, help="keep corpora and what tools made of them here; must not exist")
    options = parser.parse_args()
    if not (options.corpora / "MANIFEST.json").is_file():
        raise SystemExit(f"{options.corpora} has no MANIFEST.json: give --corpora")
    if options.work and options.work.exists():
        raise SystemExit(f"{options.work} exists: a benchmark begins with an empty folder")
    peers = chosen_peers(options.peers)
    wanted = makers(options.corpora, half=options.half, scale=options.scale)
    unknown = sorted(set(options.only or ()) - set(wanted))
    if unknown:
        raise SystemExit(f"no such corpus: {', '.join(unknown)}; there are {', '.join(wanted)}")
    by_corpus: dict[str, dict[str, Score]] = {}
    print(f"planted cases of the half `{options.half}`, scale {options.scale}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        unavailable = warm_up(peers, work / "warm-up")
        for name in options.only or wanted:
            by_corpus[name] = measure_corpus(wanted[name](), peers, work / name, unavailable)
    tools = {tool: None for scores in by_corpus.values() for tool in scores if tool not in unavailable}
    print("\nall corpora")
    print(score_table({tool: pooled([scores[tool] for scores in by_corpus.values()]) for tool in tools}))
    for peer, reason in unavailable.items():
        print(f"{peer} could not be run: {reason}")
    print(json.dumps(last_line(by_corpus, unavailable)))


if __name__ == "__main__":
    main()
