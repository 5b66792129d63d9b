"""HTML to text: precision, recall, F1 and CPU of the choices of `extraction`, on pages whose text is known.

    python bench/extraction.py [--corpora ../shared/corpora] [--choices resiliparse,trafilatura,adaptive] [--repeats 3] [--held-out]
        [--lists FOLDER] [--selected FOLDER] [--json]

Texts are compared as the article-extraction-benchmark does (Zyte; evaluate.py): multisets of word 4-grams, words being runs of `\\w`;
of each page the 4-grams in both, too many and too few, divided by their sum so that long pages do not weigh more; precision, recall, F1
of the sums over pages. The headline is over all pages with a full gold text: article-extraction-benchmark's own, newspaper4k's,
readability's expected article, and fundus' article bodies (of a publisher's several bodies the one that the page holds). The pages of
trafilatura's tests name passages that belong to the text and passages that do not: precision and recall of passages, pooled.

Speed is MB of decoded HTML per CPU second (user + system) over all pages of the two archives, parsing included, reading and decoding them
not; each choice in a process of its own, the fastest of the repeats. The last line is one JSON object: `choices` by name, each with
`precision`, `recall`, `f1`, `html_mb_per_cpu_s`, `by_gold`, `halves` (F1 of the pages whose URL's sha256 is even and odd), `too_complex`.

With `--lists` also `lists`: by choice the list items kept of those there are in manuals, on the half of the packages that rules were
chosen on and on the other (`bench.list_items`). The folder has one folder a package with its HTML pages, for instance Debian's unpacked
documentation packages; without it this part is skipped.

With `--selected` also `selected`: by choice precision, recall and F1 on pages of sites whose text somebody selected by hand
(`bench.selected_pages` says where they are from), without the sites of the full gold texts: no rule was chosen on them.

With `--held-out` also `held_out`: F1 of `adaptive` with parameters that were chosen on other sites (`bench.held_out.report`).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fastwarc import ArchiveIterator, WarcRecordType  # noqa: E402
from resiliparse.extract.html2text import extract_plain_text  # noqa: E402

from bench.held_out import registered_domain, text_of  # noqa: E402
from bench.held_out import report as held_out  # noqa: E402
from bench.list_items import kept, read_manuals  # noqa: E402
from bench.selected_pages import read_selected  # noqa: E402
from pipeline.readers.web.charset import decode_text  # noqa: E402
from pipeline.readers.web.content_coding import decode_body  # noqa: E402
from pipeline.readers.web.html import MOST_HTML_BYTES, TooComplex, html_to_text  # noqa: E402
from pipeline.readers.web.http import HttpError, UnusableBody, content_type, parse_response  # noqa: E402

CHOICES = ("resiliparse", "trafilatura", "adaptive")
ARCHIVES = ("web-dev-00.warc.gz", "web-dev-01.warc.gz")
GOLD = "web-dev.gold.jsonl.gz"
_WORD = re.compile(r"\w+")
_SHINGLE = 4


@dataclass(frozen=True)
class Page:
    """A page and what is known of its text: `full`, or passages `wanted` and `unwanted`, or neither."""

    url: str
    html: str
    size: int
    source: str
    full: str | None
    wanted: list[str]
    unwanted: list[str]


class Score(NamedTuple):
    precision: float
    recall: float
    f1: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=HERE.parent.parent / "shared" / "corpora")
    parser.add_argument("--choices", default=",".join(CHOICES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--held-out", action="store_true", help="also F1 of adaptive on sites that its parameters were not chosen on"
    )
    parser.add_argument(
        "--lists", type=Path, help="a folder with one folder of HTML manuals a package: also list items kept"
    )
    parser.add_argument(
        "--selected", type=Path, help="the unpacked npm package @postlight/mercury-parser 1.1.1: also F1 on its pages"
    )
    parser.add_argument("--json", action="store_true", help="only the JSON object")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    web = options.corpora / "web"
    if not (web / GOLD).is_file():
        print(f"bench/extraction.py: skipped: no gold pages at {web / GOLD}; give --corpora")
        return
    if options.one:
        choice, out = options.one.split(":", 1)
        Path(out).write_text(json.dumps(extract_all(choice, read_pages(web), options.repeats)), encoding="utf-8")
        return
    pages = read_pages(web)
    choices = {choice: _measure(choice, pages, options) for choice in options.choices.split(",")}
    nested: dict[str, Any] = {}
    if options.held_out:
        nested = {
            "held_out": held_out([(page.url, page.html, page.full) for page in pages if page.full is not None], shares)
        }
    if options.lists:
        nested["lists"] = lists_kept(options.lists, options.choices.split(","))
    if options.selected:
        tuned = {registered_domain(page.url) for page in pages if page.full is not None}
        nested["selected"] = on_selected(options.selected, options.choices.split(","), without=tuned)
    if not options.json:
        print(table(choices))
        if options.lists:
            print(lists_table(nested["lists"]))
        for choice, found in nested.get("selected", {}).items():
            print(f"pages of other sites, {choice}: " + ", ".join(f"{name} {value}" for name, value in found.items()))
        if options.held_out:
            print(
                "adaptive, parameters chosen on other sites: F1 {mean:.3f} ({least:.3f} to {most:.3f})".format(
                    **nested["held_out"]
                )
            )
    megabytes = round(sum(page.size for page in pages) / 1e6, 1)
    print(
        json.dumps(
            {
                "choices": choices,
                **nested,
                "pages": len(pages),
                "full_texts": sum(page.full is not None for page in pages),
                "html_mb": megabytes,
            }
        )
    )


def read_pages(web: Path) -> list[Page]:
    """The pages of both archives, in their order, each with its gold."""
    with gzip.open(web / GOLD, "rt", encoding="utf-8") as lines:
        gold = {record["record_id"]: record for record in map(json.loads, lines)}
    pages = []
    for archive in ARCHIVES:
        # Whole and well formed: read by fastwarc itself.
        for record in ArchiveIterator(str(web / archive), record_types=WarcRecordType.response, parse_http=False):
            try:
                response = parse_response(record.reader.read())
                body = decode_body(response, most=MOST_HTML_BYTES)
            except (HttpError, UnusableBody):
                continue
            html = decode_text(body, charset=content_type(response)[1]).text
            described = gold[record.record_id]
            known = described["gold"] or {}
            pages.append(
                Page(
                    url=described["url"],
                    html=html,
                    size=len(body),
                    source=described["source"],
                    full=full_text(known, html),
                    wanted=known.get("with", []),
                    unwanted=known.get("without", []),
                )
            )
    return pages


def full_text(known: dict[str, Any], html: str) -> str | None:
    """The gold text of a page; None when only passages are known, or the gold is of another page."""
    if "articleBody" in known:
        return str(known["articleBody"])
    if "text" in known:
        return str(known["text"])
    if "expected_html" in known:
        return str(extract_plain_text(known["expected_html"], main_content=False, alt_texts=False, list_bullets=False))
    bodies = [version["body"] for version in known.get("fundus_versions", {}).values() if version.get("body")]
    held = shingles(extract_plain_text(html, main_content=False, alt_texts=False)) if bodies else Counter()
    best, most = None, 0.5
    for body in bodies:
        sections = [text for section in body["sections"] for text in (*section["headline"], *section["paragraphs"])]
        text = "\n".join([*body.get("summary", []), *sections])
        own = shingles(text)
        share = (own & held).total() / own.total()
        if share > most:
            best, most = text, share
    return best


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Word 4-grams and how often; of a text with fewer words, all its words."""
    words = _WORD.findall(text)
    return Counter(tuple(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1)))


def shares(gold: str, found: str) -> tuple[float, float, float]:
    """4-grams in both, too many and too few, as shares of their sum."""
    wanted, got = shingles(gold), shingles(found)
    both = (wanted & got).total()
    counts = (both, got.total() - both, wanted.total() - both)
    return tuple(count / sum(counts) for count in counts)  # type: ignore[return-value]


def score(rows: list[tuple[float, float, float]]) -> Score:
    """Precision, recall and F1 of the sums over (right, too many, too few)."""
    right, many, few = (sum(column) for column in zip(*rows, strict=True)) if rows else (0.0, 0.0, 0.0)
    return Score(
        *(round(right / max(whole, 1e-12), 4) for whole in (right + many, right + few, right + (many + few) / 2))
    )


def evaluate(pages: list[Page], texts: list[str]) -> dict[str, Any]:
    """Scores of the texts extracted from the pages, row by row."""
    rows = [(page, shares(page.full, text)) for page, text in zip(pages, texts, strict=True) if page.full is not None]
    passages = [
        (
            sum(w in text for w in page.wanted),
            sum(u in text for u in page.unwanted),
            sum(w not in text for w in page.wanted),
        )
        for page, text in zip(pages, texts, strict=True)
    ]
    by_gold = {
        source: score([row for page, row in rows if page.source == source])
        for source in sorted({page.source for page, _ in rows})
    }
    halves = [
        score([row for page, row in rows if hashlib.sha256(page.url.encode()).digest()[0] % 2 == half]).f1
        for half in (0, 1)
    ]
    return {
        **score([row for _, row in rows])._asdict(),
        "by_gold": {
            **{source: found._asdict() for source, found in by_gold.items()},
            "passages": score(passages)._asdict(),
        },
        "halves": halves,
    }


def extract_all(choice: str, pages: list[Page], repeats: int) -> dict[str, Any]:
    """Texts of all pages, and the least CPU seconds for them."""
    html_to_text("<html><body><p>what is loaded late</p></body></html>", extraction=choice)  # type: ignore[arg-type]
    seconds = []
    for _ in range(repeats):
        texts, too_complex = [], 0
        began = time.process_time()
        for page in pages:
            try:
                texts.append(html_to_text(page.html, extraction=choice))  # type: ignore[arg-type]
            except TooComplex:
                texts.append("")
                too_complex += 1
        seconds.append(time.process_time() - began)
    return {"texts": texts, "seconds": seconds, "too_complex": too_complex}


def on_selected(folder: Path, choices: list[str], *, without: set[str | None]) -> dict[str, Any]:
    """Of each choice `pages`, `precision`, `recall` and `f1` on the pages with selected texts whose sites are not among
    those.
    """
    pages = [
        (html, text)
        for site, html, text in read_selected(folder)
        if registered_domain(f"https://{site}/") not in without
    ]
    return {
        choice: {"pages": len(pages), **score([shares(text, text_of(html, choice)) for html, text in pages])._asdict()}
        for choice in choices
    }


def lists_kept(folder: Path, choices: list[str]) -> dict[str, Any]:
    """For each choice list items kept, all, and the same of lists of links, on both halves of the packages and for each
    of them.
    """
    manuals = read_manuals(folder)
    return {choice: kept(manuals, partial(text_of, choice=choice)) for choice in choices}


def lists_table(found: dict[str, Any]) -> str:
    """For people."""
    lines = []
    for choice, halves in found.items():
        shares_kept = [
            f"{name} {halves[name][0] / max(halves[name][1], 1):.3f}"
            for name in ("tuned", "held_out")
            if name in halves
        ]
        lines.append(f"list items kept by {choice}: " + ", ".join(shares_kept))
    return "\n".join(lines)


def table(choices: dict[str, dict[str, Any]]) -> str:
    """For people."""
    lines = ["choice        precision  recall      F1   halves       passages P/R/F1      HTML MB/CPU s"]
    for name, found in choices.items():
        passages = "/".join(f"{found['by_gold']['passages'][key]:.3f}" for key in ("precision", "recall", "f1"))
        halves = "/".join(f"{half:.3f}" for half in found["halves"])
        whole = f"{found['precision']:9.3f}  {found['recall']:6.3f}  {found['f1']:6.3f}"
        lines.append(f"{name:<12}  {whole}   {halves}  {passages}  {found['html_mb_per_cpu_s']:13.1f}")
    for source in sorted({source for found in choices.values() for source in found["by_gold"]}):
        lines.append(
            f"  F1 on {source}: "
            + ", ".join(f"{name} {found['by_gold'][source]['f1']:.3f}" for name, found in choices.items())
        )
    return "\n".join(lines)


def _measure(choice: str, pages: list[Page], options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "texts.json"
        command = [
            sys.executable,
            __file__,
            "--one",
            f"{choice}:{out}",
            "--corpora",
            str(options.corpora),
            "--repeats",
            str(options.repeats),
        ]
        subprocess.run(command, check=True)
        extracted = json.loads(out.read_text(encoding="utf-8"))
    speeds = [sum(page.size for page in pages) / 1e6 / seconds for seconds in extracted["seconds"]]
    return {
        **evaluate(pages, extracted["texts"]),
        "html_mb_per_cpu_s": round(max(speeds), 1),
        "html_mb_per_cpu_s_all": [round(speed, 1) for speed in speeds],
        "too_complex": extracted["too_complex"],
    }


if __name__ == "__main__":
    main()
