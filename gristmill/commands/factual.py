"""`gristmill factual`: the classifier of factual text, trained and explained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gristmill.options import Json
from gristmill.output import console, print_json, say_line, table
from manifests.factual import load_factual
from storage.files import absolute

if TYPE_CHECKING:  # both import numba
    from pipeline.text.factual.model import Header
    from pipeline.text.factual.quality import Report

app = typer.Typer(no_args_is_help=True, help="The classifier of factual text: train it, show what it is worth.")

_Model = Annotated[str, typer.Argument(metavar="MODEL", help="a file that `factual train` wrote")]


@app.command("train")
def train(
    manifest: Annotated[Path, typer.Argument(metavar="FACTUAL.yaml", help="factual manifest")],
    out: Annotated[str, typer.Option("--out", metavar="MODEL", help="the file to write")],
    json: Json = False,
) -> None:
    """Learn to tell two kinds of text apart, and test that on sources that were held out."""
    from pipeline.factual.training import train_factual

    def on_fold(done: int, count: int) -> None:
        if not json:
            say_line(f"tested on {done} of {count} parts that were held out")

    model, report = train_factual(load_factual(manifest), out=absolute(out), on_fold=on_fold)
    _print(model.header, report, where=absolute(out), as_json=json)


@app.command("show")
def show(model: _Model, json: Json = False) -> None:
    """What a model was made from, and the report on it."""
    from pipeline.text.factual.model import read_model
    from pipeline.text.factual.quality import Report

    header = read_model(model).header
    _print(header, Report.model_validate(header.report), where=model, as_json=json)


@app.command("urls")
def urls(
    dump: Annotated[str, typer.Argument(metavar="DUMP", help="Wikipedia's …-externallinks.sql.gz")],
    out: Annotated[str, typer.Option("--out", metavar="URLS.gz", help="the list to write, for `factual_urls`")],
    json: Json = False,
) -> None:
    """The list of pages that Wikipedia links to, from its dump of external links."""
    from pipeline.factual.urls import write_links

    count = write_links(dump, absolute(out))
    if json:
        print_json({"out": absolute(out), "urls": count})
    else:
        console.print(f"{count:,} URLs in {absolute(out)}")


def _print(header: Header, report: Report, *, where: str, as_json: bool) -> None:
    if as_json:
        print_json({"model": where, **header.model_dump(mode="json")})
        return
    rows = [
        (
            source.name,
            source.factual,
            source.general,
            source.auc,
            source.auc_within,
            source.low,
            source.median,
            source.high,
            "nearly one score" if source.nearly_constant else "",
        )
        for source in report.sources
    ]
    columns = ("source", "factual", "general", "AUC", "AUC within", "5 %", "median", "95 %", "")
    console.print(table("Held out: log-odds by source", columns, rows, numeric=columns[1:-1]))
    bands = [(place, band.documents, band.said, band.is_factual) for place, band in enumerate(report.calibration, 1)]
    heads = ("part", "documents", "probability said", "share factual")
    console.print(table("Held out: 20 parts by score", heads, bands, numeric=heads))
    console.print(f"model   {where}\nsha256  {header.sha256}")
    console.print("rates   " + ", ".join(f"{rate}: AUC {auc:.3f}" for rate, auc in report.rates.items()))
    for line in report.verdict:
        console.print(f"verdict: {line}")
