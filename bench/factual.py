"""What the classifier of factual text is worth, and what it costs.

    python bench/factual.py [--corpora DIR]

- constants: rate and rounds of the training, chosen on one half of the sources by the AUC on sources that were held out, then shown on the
  other half. Training itself tries the rates on what it holds out.
- sources: encyclopedias, textbooks, a dictionary, papers, manuals and speeches (factual) against web pages, mail, quotations, licences,
  questions and novels (general): whole sources held out, beside the AUC that a source's name gives. Wiki markup is taken out by the project's
  own reader, so that it is not what the classifier knows. Web pages are two sources, divided by site.
- one crawl: held-out sources put together as one source without labels, scored by a model of the other half, cut into 20 bands of equal
  characters: the share of factual text in each band.
- cited: pages of the development crawl whose site is cited by one of the corpora's Wikipedia articles, against the other pages: whole sites held
  out, with an interval by drawing sites again; in all languages, and in English alone, since English articles cite English pages. The cited
  sites are those of some 150 articles: a whole Wikipedia cites many of the pages that count as general here, and the figure is low for that.
- tokens: how equal bands are in tokens of Llama 2's tokenizer, on the development crawl and on quotations in many languages.
- cost: CPU seconds of the text pass with the model and without, taking turns in one process; the least of the rounds.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.held_out import registered_domain  # noqa: E402
from bench.textpass import draw  # noqa: E402  (the project's root is no installed package)
from manifests.corpus import CorpusManifest, Source  # noqa: E402
from manifests.factual import FactualManifest, load_factual  # noqa: E402
from pipeline.decide.bands import band_numbers, count_scores, thresholds_of  # noqa: E402
from pipeline.engines.runners import Runner  # noqa: E402
from pipeline.extract.settings import extract_job  # noqa: E402
from pipeline.extract.text_pass import make_text_pass, run_text_pass  # noqa: E402
from pipeline.factual.documents import Documents, read_documents  # noqa: E402
from pipeline.factual.training import cross_validate, train_factual  # noqa: E402
from pipeline.prep import prepare  # noqa: E402
from pipeline.readers import read_records  # noqa: E402
from pipeline.readers.records import Record, raw_batch  # noqa: E402
from pipeline.readers.wiki.flatten import flatten  # noqa: E402
from pipeline.text.factual.fit import RATES, examples_of, fit, log_odds  # noqa: E402
from pipeline.text.factual.quality import Labelled, Report, auc, importances, report  # noqa: E402
from pipeline.text.language.identify import identify  # noqa: E402
from pipeline.text.normalise import text_buffers  # noqa: E402

_MOST = 2_000
_SHORTEST = 200
_NOVEL = 6_000
_LINK = re.compile(r"https?://[^\s\]|<>}\"]+")
_ROUNDS = 12
Texts = list[dict[str, str]]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path) as file:
        for line in file:
            yield json.loads(line)


def flat(row: dict[str, Any]) -> str:
    """An article without its markup; empty for redirects."""
    return (
        "" if row["text"].startswith("#REDIRECT") else flatten(row["text"], title=row["id"], dropped=frozenset()).text
    )


def english(row: dict[str, Any]) -> str:
    return row["text"] if row.get("lang") in ("en", "C") else ""


def sources(corpora: Path) -> dict[str, tuple[str, Texts]]:
    """Documents of each source, with its label."""
    made: dict[str, tuple[str, Texts]] = {}

    def add(name: str, label: str, path: str, text: Callable[[dict[str, Any]], str] = english) -> None:
        texts = [{"text": text(row)} for row in lines(corpora / path)]
        made[name] = label, [row for row in texts if len(row["text"]) >= _SHORTEST]

    add("enwiki", "factual", "factual/enwiki.jsonl.gz", flat)
    add("wikitext", "factual", "factual/wikitext-articles.jsonl.gz", flat)
    for name in ("factbook", "openstax", "gcide", "sotu", "django-docs", "progit"):
        add(name, "factual", f"factual/{name}.jsonl.gz")
    add("acl", "factual", "scientific/acl.jsonl.gz")
    add("mail", "general", "pii/spamassassin.jsonl.gz")
    add("fortunes", "general", "multilingual/fortunes.jsonl.gz")
    add("licences", "general", "neardup/license-texts.jsonl.gz")
    add("questions", "general", "stackexchange/small-site.jsonl.gz")
    add("novels", "general", "books/novels.jsonl.gz")
    whole = [row["text"] for row in made["novels"][1]]
    pieces = [text[at : at + _NOVEL] for text in whole for at in range(0, len(text) - _NOVEL, len(text) // 20)]
    made["novels"] = "general", [{"text": piece} for piece in pieces]
    for row in pages(corpora):
        half = xxhash.xxh3_64_intdigest((registered_domain(row["url"]) or "").encode()) % 2
        made.setdefault(f"web-{half}", ("general", []))[1].append(row)
    return made


def pages(corpora: Path) -> Texts:
    """The development crawl's pages as their WET files have them."""
    found: Texts = []
    for path in sorted((corpora / "web").glob("*.warc.wet.gz")):
        source = Source(name="web", format="wet", files=["x"], licence="test only")
        for records in read_records(str(path), name=path.name, source=source):
            rows = zip(*(records.documents[name].to_pylist() for name in ("url", "text")), strict=True)
            found += [{"url": url, "text": text} for url, text in rows if len(text) >= _SHORTEST]
    return found


def manifest(folder: Path, made: dict[str, tuple[str, Texts]], names: list[str], **more: Any) -> FactualManifest:
    """The manifest of some sources, whose files are in the folder."""
    listed = [
        {"name": name, "label": made[name][0], "format": "jsonl", "files": [f"{name}.jsonl"], "max_documents": _MOST}
        for name in names
    ]
    path = folder / "factual.yaml"
    path.write_text(yaml.safe_dump({"kind": "factual", "name": "bench", "sources": listed, **more}))
    return load_factual(path)


def halves(made: dict[str, tuple[str, Texts]]) -> tuple[list[str], list[str]]:
    """Two halves of the sources of each label, by hash; web pages, without which no model of general text would be trained,
    are in both, by site.
    """
    parts: tuple[list[str], list[str]] = [], []
    for label in ("factual", "general"):
        ordered = sorted(
            (name for name in made if made[name][0] == label and not name.startswith("web")),
            key=lambda name: xxhash.xxh3_64_intdigest(name.encode()),
        )
        for place, name in enumerate(ordered):
            parts[place % 2].append(name)
    for place in range(2):
        parts[place].append(f"web-{place}")
    return parts


def weights(found: FactualManifest) -> dict[str, float]:
    return {source.name: source.weight for source in found.sources}


def constants(folder: Path, made: dict[str, tuple[str, Texts]]) -> dict[str, Any]:
    """The rate and rounds with the best AUC on one half, and the AUC of all on the other."""
    parts = []
    for names in halves(made):
        found = manifest(folder, made, names)
        documents = read_documents(found)
        examples = examples_of(documents.slots, documents.bounds)
        aucs = {
            (rate, rounds): cross_validate(
                documents, examples, found, weights=weights(found), rate=rate, rounds=rounds
            ).auc
            for rate in RATES
            for rounds in (2, 5)
        }
        parts.append((names, aucs))
    chosen = max(parts[0][1], key=parts[0][1].__getitem__)
    print(f"constants: chosen on {', '.join(parts[0][0])}")
    for (rate, rounds), value in parts[0][1].items():
        mark = "  chosen" if (rate, rounds) == chosen else ""
        print(
            f"  rate {rate:4} rounds {rounds}: AUC {value:.3f}, on the other half {parts[1][1][rate, rounds]:.3f}{mark}"
        )
    rates = [max(aucs, key=aucs.__getitem__)[0] for _, aucs in parts]
    return {
        "rates": rates,
        "rate": chosen[0],
        "rounds": chosen[1],
        "auc": parts[0][1][chosen],
        "auc_other_half": parts[1][1][chosen],
    }


def show(found: Report, title: str) -> None:
    print(
        f"{title}: AUC {found.auc:.3f} held out ({found.folds} folds), {found.auc_source:.3f} by the source's name; by rate {found.rates}"
    )
    for source in found.sources:
        measured = source.auc if source.auc_within is None else source.auc_within
        print(
            f"  {source.name:12} factual {source.factual:5} general {source.general:5} AUC {measured:.3f}"
            f" log-odds {source.low:6.2f} {source.median:6.2f} {source.high:6.2f}{' nearly one score' * source.nearly_constant}"
        )
    for line in found.verdict:
        print(f"  verdict: {line}")


def scored_by_others(folder: Path, made: dict[str, tuple[str, Texts]], rates: list[float]) -> dict[str, Any]:
    """Half of the sources as one crawl without labels, scored by a model of the other half, in both directions.

    Args:
        rates: that each half chooses by what it holds out.
    """
    out: dict[str, Any] = {"bands": []}
    shares = np.zeros((2, 20))
    uneven = []
    for turn, (learnt, tested) in enumerate((halves(made), halves(made)[::-1])):
        known, other = manifest(folder, made, learnt), manifest(folder, made, tested)
        documents, crawl = read_documents(known), read_documents(other)
        importance = importances(documents.sources, documents.labels, weights(known))
        model = fit(
            examples_of(documents.slots, documents.bounds),
            documents.labels,
            importance,
            documents.ids,
            bits=known.hash_bits,
            seed=known.seed,
            rate=rates[turn],
        )
        scores = log_odds(examples_of(crawl.slots, crawl.bounds), model).astype(np.float32)
        sizes = np.diff(crawl.bounds)
        # Both labels are half of the crawl's text, and each source of a label as much as the others.
        each = importances(crawl.sources, crawl.labels, weights(other))
        characters = np.rint(each * 1e6).astype(np.int64)
        bands = band_numbers(scores, thresholds_of(count_scores(scores, characters), 20))
        for band in range(20):
            own = bands == band
            shares[turn, band] = each[own & crawl.labels].sum() / each[own].sum()
            uneven.append(characters[own].sum() / characters.sum() * 20)
        value = auc(scores.astype(np.float64), crawl.labels, each)
        print(f"one crawl: of {', '.join(tested)}, {len(sizes):,} documents: AUC {value:.3f} within it, .5 by its name")
        out[f"auc_{turn}"] = round(value or 0.0, 4)
    for band in range(20):
        print(f"  q{band + 1:02d}: factual {shares[0, band]:6.1%} {shares[1, band]:6.1%}")
    out["bands"] = [[round(float(value), 4) for value in shares[:, band]] for band in range(20)]
    out["top_fifth"] = [round(float(shares[turn, 16:].mean()), 4) for turn in (0, 1)]
    out["bottom_fifth"] = [round(float(shares[turn, :4].mean()), 4) for turn in (0, 1)]
    out["widest_band"], out["narrowest_band"] = round(max(uneven), 3), round(min(uneven), 3)
    return out


def cited(folder: Path, corpora: Path, *, language: str | None) -> dict[str, Any]:
    """Pages of cited sites against the rest of one crawl; of one language, or of all."""
    links = {
        registered_domain(url)
        for name in ("enwiki", "wikitext-articles")
        for row in lines(corpora / "factual" / f"{name}.jsonl.gz")
        for url in _LINK.findall(row["text"])
    }
    crawl = pages(corpora)
    if language is not None:
        texts = pa.array([row["text"] for row in crawl], pa.large_string())
        codes, _ = identify(*text_buffers(texts), characters=1_000)
        crawl = [row for row, code in zip(crawl, codes, strict=True) if code == language]
    (folder / "crawl.jsonl").write_text("".join(json.dumps(row) + "\n" for row in crawl))
    urls = sorted({row["url"] for row in crawl if registered_domain(row["url"]) in links})
    (folder / "urls.txt").write_text("".join(url + "\n" for url in urls))
    path = folder / "cited.yaml"
    source = {"name": "crawl", "format": "jsonl", "files": ["crawl.jsonl"], "factual_urls": "urls.txt"}
    path.write_text(yaml.safe_dump({"kind": "factual", "name": "cited", "sources": [source]}))
    model, found = train_factual(load_factual(path), out=str(folder / "cited.arrow"))
    show(found, f"cited, {language or 'all languages'}")
    interval = _interval(load_factual(path), float(str(model.header.training["rate"])))
    print(f"  sites drawn again: AUC {interval[0]:.3f} to {interval[1]:.3f} (90 %)")
    within = found.auc_within or 0.0
    return {
        "auc_within": within,
        "low": interval[0],
        "high": interval[1],
        "auc_source": found.auc_source,
        "pages": len(urls),
    }


def _interval(found: FactualManifest, rate: float) -> tuple[float, float]:
    """5 and 95 % of the AUC, with sites drawn with replacement."""
    documents = read_documents(found)
    examples = examples_of(documents.slots, documents.bounds)
    scores = _out_of_fold(documents, examples, found, rate)
    groups = np.unique(np.array(documents.groups), return_inverse=True)[1]
    dice = np.random.default_rng(0)
    values = []
    for _ in range(300):
        drawn = np.bincount(dice.integers(0, groups.max() + 1, groups.max() + 1), minlength=groups.max() + 1)
        value = auc(scores, documents.labels, drawn[groups].astype(np.float64))
        values.append(0.5 if value is None else value)
    low, high = np.quantile(values, [0.05, 0.95])
    return round(float(low), 3), round(float(high), 3)


def _out_of_fold(documents: Documents, examples: Any, found: FactualManifest, rate: float) -> np.ndarray:
    """The scores that the report on these documents is of."""
    kept: list[np.ndarray] = []

    def keep(labelled: Labelled, scores: np.ndarray, **more: Any) -> Report:
        kept.append(scores)
        return report(labelled, scores, **more)

    import pipeline.factual.training as training

    before, training.report = training.report, keep  # type: ignore[assignment]
    try:
        cross_validate(documents, examples, found, weights=weights(found), rate=rate)
    finally:
        training.report = before
    return kept[0]


def tokens_of_bands(folder: Path, corpora: Path, model: str) -> dict[str, Any]:
    """The most and the fewest tokens of a band over the mean, by source: bands are cut by characters."""
    listed = [
        {"name": "web", "format": "wet", "files": ["web/*.warc.wet.gz"]},
        {"name": "fortunes", "format": "jsonl", "files": ["multilingual/fortunes.jsonl.gz"]},
    ]
    data = {
        "name": "bands",
        "sources": [{**source, "root": str(corpora), "licence": "test only"} for source in listed],
        "filters": "none",
        "factual": {"model": model},
        "tokenizer": {"model": str(corpora / "models" / "llama2-tokenizer.model")},
    }
    done = prepare(CorpusManifest.model_validate(data), out=str(folder / "bands"), runner=Runner())
    sizes = {name: size.tokens for name, size in done.shards.bucket_sizes().items()}
    found = {}
    for source in listed:
        own = np.array([size for name, size in sorted(sizes.items()) if name.startswith(f"{source['name']}/")])
        found[source["name"]] = [len(own), round(own.max() / own.mean(), 3), round(own.min() / own.mean(), 3)]
        print(
            f"bands of {source['name']}: {len(own)}, {own.sum():,} tokens; most {own.max() / own.mean():.3f} and fewest"
            f" {own.min() / own.mean():.3f} of the mean"
        )
    return found


def cost(folder: Path, corpora: Path, model: str) -> dict[str, Any]:
    """CPU seconds of the text pass with the model over those without."""
    drawn = draw(corpora, 24)
    batches = [
        raw_batch(
            [
                Record(offset=place, name=None, url=None, text=text)
                for place, (_, text) in enumerate(drawn[at : at + 500])
            ]
        )
        for at in range(0, len(drawn), 500)
    ]
    passes = {}
    for name, factual in (("without", None), ("with", {"model": model})):
        source = {"name": "s", "format": "jsonl", "files": ["x"], "licence": "none"}
        data = {"name": "c", "sources": [source], "tokenizer": {"train": {}}, "factual": factual}
        passes[name] = make_text_pass(extract_job(CorpusManifest.model_validate(data), folder=str(folder)))
        run_text_pass(batches[0], passes[name])
    least = dict.fromkeys(passes, float("inf"))
    for _ in range(_ROUNDS):
        for name, text_pass in passes.items():
            began = time.process_time()
            for batch in batches:
                run_text_pass(batch, text_pass)
            least[name] = min(least[name], time.process_time() - began)
    megabytes = sum(batch["text"].nbytes for batch in batches) / 1e6
    ratio = least["with"] / least["without"]
    print(
        f"cost: text pass {megabytes / least['without']:.1f} MB per CPU s, with the model {megabytes / least['with']:.1f}: ratio {ratio:.3f}"
    )
    return {"ratio": round(ratio, 3), "mb_per_cpu_s": round(megabytes / least["without"], 2)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpora", type=Path, default=HERE.parent.parent / "shared" / "corpora")
    corpora = parser.parse_args().corpora
    with tempfile.TemporaryDirectory(prefix="gristmill-factual-") as name:
        folder = Path(name)
        made = sources(corpora)
        for source, (_, texts) in made.items():
            (folder / f"{source}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts))
        chosen = constants(folder, made)
        began = time.process_time()
        model, whole = train_factual(manifest(folder, made, list(made)), out=str(folder / "model.arrow"))
        seconds = time.process_time() - began
        show(whole, "sources")
        for place, band in enumerate(whole.calibration, 1):
            print(f"  part {place:2}: {band.documents:5} documents, said {band.said:.3f}, is {band.is_factual:.3f}")
        result = {
            "constants": chosen,
            "auc_held_out": whole.auc,
            "auc_source_identity": whole.auc_source,
            "auc_by_rate": whole.rates,
            "beats_source_identity": whole.beats_source,
            "nearly_constant_sources": whole.nearly_constant_sources,
            "source_aucs": {source.name: source.auc for source in whole.sources},
            "calibration": [[band.said, band.is_factual] for band in whole.calibration],
            "train_cpu_s": round(seconds, 1),
            "model_bytes": (folder / "model.arrow").stat().st_size,
            "one_crawl": scored_by_others(folder, made, chosen.pop("rates")),
            "cited": cited(folder, corpora, language=None),
            "cited_english": cited(folder, corpora, language="en"),
            "tokens_of_bands": tokens_of_bands(folder, corpora, str(folder / "model.arrow")),
            "cost": cost(folder, corpora, str(folder / "model.arrow")),
        }
        print(json.dumps(result))
    assert len(model.weights) == 1 << model.header.bits


if __name__ == "__main__":
    main()
