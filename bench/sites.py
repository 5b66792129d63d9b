"""The site rule on planted sites: how many heavy ones go, how many look-alikes, on templates that it was not fitted on.

    python -m bench.sites [--seeds 20] [--most-pages 3000] [--half HALF] [--keep DIR] [--fit] [--misses]

Sites come from `bench/site_templates.py`, which has two kinds of templates: weights are fitted on the development half (`--fit` prints them),
and figures are given for the held-out half, which other hands wrote. `--half` judges one of them. Each seed is a corpus of its own: one site of every template, heavy ones also diluted, 3 to 3,000
pages of 30 to 3,000 words. The commands `gristmill extract` and `gristmill decide` judge them as they would a crawl. The last line is one
JSON object: `heavy_dropped`, `heavy_total`, `lookalikes_dropped` and `lookalikes_total` are those of the held-out half.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from bench.site_templates import Half, draw, half
from manifests.corpus import SiteEvidence
from pipeline.decide.site_report import means_of, open_sites, site_tables
from pipeline.decide.site_rule import EVIDENCE_KINDS, site_rates

MANIFEST = {
    "kind": "corpus",
    "version": 1,
    "name": "planted",
    "sources": [
        {
            "name": "web",
            "kind": "web",
            "format": "jsonl",
            "files": ["*.jsonl.gz"],
            "licence": "made up",
            "filters": "none",
        }
    ],
    "dedup": {"exact": False, "minhash": None},
    "tokenizer": {"train": {"vocab_size": 400, "sample_mb": 1}},
}


# Evidence of people at work, and of people whom a site names again and again.
FOR_THE_SITE = ("staff", "business", "staff_share", "names_again")


class Judged(NamedTuple):
    """A planted site: its truth and its row of the site table."""

    seed: int
    template: str
    heavy: bool
    diluted: bool
    locale: str
    row: dict[str, Any]
    rates: dict[SiteEvidence, float]


def judge(seed: int, *, most_pages: int, folder: Path, only: Half | None = None) -> list[Judged]:
    """Make the sites of one seed, run both steps over them, and read the verdicts."""
    folder.mkdir(parents=True, exist_ok=True)
    truths = {}
    if not (folder / "truths.json").exists():
        with gzip.open(folder / "pages.jsonl.gz", "wb", compresslevel=1) as file:
            for site in draw(seed, most_pages=most_pages, only=only):
                assert site.name not in truths, site.name
                truths[site.name] = (site.template, site.heavy, site.diluted, site.locale)
                file.writelines(orjson.dumps({"url": page.url, "text": page.text}) + b"\n" for page in site.pages)
        (folder / "corpus.yaml").write_text(json.dumps(MANIFEST))
        (folder / "truths.json").write_text(json.dumps(truths))
    truths = json.loads((folder / "truths.json").read_text())
    for step in ("extract", "decide"):
        words = [sys.executable, "-m", "gristmill", step, str(folder / "corpus.yaml"), "--out", str(folder / "out")]
        subprocess.run([*words, "--json"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sites = open_sites(str(folder / "out"))
    table = pa.concat_tables(list(site_tables(sites)))
    rates = site_rates(table, means=means_of(sites, 0), prior_pages=sites.rule.prior_pages)
    judged = [
        Judged(seed, *truths[row["site"]], row, {kind: float(rates[kind][number]) for kind in EVIDENCE_KINDS})
        for number, row in enumerate(table.to_pylist())
    ]
    missing = set(truths) - {entry.row["site"] for entry in judged}
    assert not missing, f"sites without a verdict: {sorted(missing)}"
    return judged


def fit(judged: Sequence[Judged], *, ridge: float, heavy_weight: float) -> tuple[dict[SiteEvidence, float], float]:
    """Weights and bias of a logistic regression on the sites, each template counting the same, under the constraint that no evidence
    changes sides: what speaks for a site has a weight of 0 or less, all other evidence 0 or more.

    Accelerated projected gradient on the penalised likelihood (Beck and Teboulle 2009, SIAM Journal on Imaging Sciences 2, section 4).

    Args:
        ridge: penalty on the squared weights.
        heavy_weight: how much a heavy site counts beside a look-alike.
    """
    inputs = np.array([[1.0, *(entry.rates[kind] for kind in EVIDENCE_KINDS)] for entry in judged])
    truth = np.array([entry.heavy for entry in judged], float)
    sizes = Counter((entry.template, entry.diluted) for entry in judged)
    count = np.array([20 / sizes[entry.template, entry.diluted] for entry in judged]) * np.where(
        truth > 0, heavy_weight, 1.0
    )
    signs = np.array([0, *(-1 if kind in FOR_THE_SITE else 1 for kind in EVIDENCE_KINDS)])
    penalty = np.where(signs == 0, 0.0, ridge)
    length = 0.25 * np.linalg.eigvalsh((inputs * count[:, None]).T @ inputs)[-1] + ridge
    weights: npt.NDArray[np.float64] = np.zeros(inputs.shape[1])
    ahead, pace = weights, 1.0
    for _ in range(5_000):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ ahead, -50, 50)))
        step = ahead - (inputs.T @ (count * (chance - truth)) + penalty * ahead) / length
        step = np.where(signs > 0, np.maximum(step, 0), np.where(signs < 0, np.minimum(step, 0), step))
        faster = (1 + (1 + 4 * pace * pace) ** 0.5) / 2
        ahead, weights, pace = step + (pace - 1) / faster * (step - weights), step, faster
    return {kind: round(float(weight), 2) for kind, weight in zip(EVIDENCE_KINDS, weights[1:], strict=True)}, float(
        weights[0]
    )


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """Heavy sites and look-alikes, and how many of each the rule drops."""
    return {
        "heavy_dropped": sum(entry.row["dropped"] for entry in judged if entry.heavy),
        "heavy_total": sum(entry.heavy for entry in judged),
        "lookalikes_dropped": sum(entry.row["dropped"] for entry in judged if not entry.heavy),
        "lookalikes_total": sum(not entry.heavy for entry in judged),
    }


def by_template(judged: Sequence[Judged]) -> Iterator[str]:
    """A line per template: half, truth, dropped of all, median score."""
    groups: dict[tuple[bool, str, str, bool], list[Judged]] = defaultdict(list)
    for entry in judged:
        groups[not entry.heavy, half(entry.template), entry.template, entry.diluted].append(entry)
    for (light, of_half, template, diluted), entries in sorted(groups.items()):
        dropped = sum(entry.row["dropped"] for entry in entries)
        scores = sorted(entry.row["score"] for entry in entries)
        name = template + (", diluted" if diluted else "")
        yield (
            f"{'look-alike' if light else 'heavy':<10}  {of_half:<11}  {name:<28}  {dropped:>3} of {len(entries):>3}"
            f"   scores {scores[0]:>7.2f} {scores[len(scores) // 2]:>7.2f} {scores[-1]:>7.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--most-pages", type=int, default=3000)
    parser.add_argument("--half", choices=("development", "held out"), help="judge sites of these templates only")
    parser.add_argument("--keep", type=Path, help="keep the corpora here, and use those that are here")
    parser.add_argument("--fit", action="store_true", help="fit the weights on the development half and print them")
    parser.add_argument("--ridge", type=float, default=1.0)
    parser.add_argument("--heavy-weight", type=float, default=0.5)
    parser.add_argument("--misses", action="store_true", help="list the development half's wrong verdicts")
    options = parser.parse_args()
    judged: list[Judged] = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            folder = (options.keep or Path(scratch)) / f"{seed:03d}"
            judged += judge(seed, most_pages=options.most_pages, folder=folder, only=options.half)
            print(f"seed {seed}: {counts([entry for entry in judged if entry.seed == seed])}", flush=True)
    development = [entry for entry in judged if half(entry.template) == "development"]
    held_out = [entry for entry in judged if half(entry.template) == "held out"]
    for line in by_template(judged):
        print(line)
    if options.misses:
        for entry in development:
            if entry.row["dropped"] != entry.heavy:
                print(f"wrong: {entry.template}, {entry.locale}, {'diluted, ' if entry.diluted else ''}{entry.row}")
    if options.fit:
        weights, bias = fit(development, ridge=options.ridge, heavy_weight=options.heavy_weight)
        print(f"bias {bias:.2f}")
        print(json.dumps(weights))
    print(f"development: {counts(development)}")
    print(json.dumps(counts(held_out)))


if __name__ == "__main__":
    main()
