"""`gristmill sites`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from gristmill.options import Folder, Json
from gristmill.output import console, print_json, say_note, table

_SHOWN = ("site", "documents", "words", "pages", "particulars", "score", "verdict")


def sites(
    folder: Folder,
    site: Annotated[str | None, typer.Option(help="explain the verdict on this one, with masked examples")] = None,
    most: Annotated[int, typer.Option(min=1, help="how many sites to list, the heaviest first")] = 20,
    json: Json = False,
) -> None:
    """Which sites are heavy in personal information, why, and what other thresholds would drop."""
    from pipeline.decide.site_report import explain_site, heaviest, losses, open_sites, opted_out, sweep

    opened = open_sites(folder)
    if not json:
        for place in opened.missing:
            say_note(f"{place}: is no longer what was merged; its pages are not shown")
    if site is not None:
        explanation = explain_site(opened, site)
        if json:
            more = {"opted_out": opted_out(opened, [site])[0], "missing": list(opened.missing)}
            print_json({**asdict(explanation), **more})
            return
        row = explanation.row
        console.print(
            f"{site}: {_verdict(row, *opted_out(opened, [site]))}, score {row['score']:.2f} (above 0 is heavy)"
        )
        console.print(f"{row['documents']:,} documents, {row['words']:,} words; judged by {row['pages']:,} pages")
        rows = [("bias", "", "", f"{explanation.bias:+.2f}")]
        rows += [
            (kind, f"{rate:.3f}", f"{weight:+.2f}", f"{added:+.2f}")
            for kind, rate, weight, added in explanation.evidence
        ]
        console.print(
            table("Evidence", ("evidence", "rate", "weight", "adds"), rows, numeric=("rate", "weight", "adds"))
        )
        for identity, lines in explanation.examples:
            console.print(f"\ndocument {identity}")
            for line in lines:
                console.print(f"  {line}")
        return
    top = heaviest(opened, most=most).to_pylist()
    out = opted_out(opened, [row["site"] for row in top])
    top = [{**row, "opted_out": asked} for row, asked in zip(top, out, strict=True)]
    cuts, lost = sweep(opened), losses(opened)
    if json:
        print_json({"sites": top, "lost": [asdict(loss) for loss in lost], "sweep": [asdict(cut) for cut in cuts]})
        return
    listed = [
        tuple(
            {**row, "score": f"{row['score']:.2f}", "verdict": _verdict(row, row["opted_out"])}[name] for name in _SHOWN
        )
        for row in top
    ]
    console.print(table("Sites, heaviest first", _SHOWN, listed, numeric=_SHOWN[1:-1]))
    went = [
        (
            loss.source,
            loss.documents,
            loss.words,
            f"{100 * loss.share:.2f} %",
            "" if loss.tokens is None else loss.tokens,
        )
        for loss in lost
    ]
    headings = ("source", "documents", "words", "of its words", "tokens, about")
    if went:
        console.print(table("What went with dropped sites", headings, went, numeric=headings[1:]))
    thresholds = [(f"{cut.score:g}", cut.sites, cut.documents, cut.words) for cut in cuts]
    columns = ("score above", "sites", "documents", "words")
    console.print(table("What goes at other thresholds", columns, thresholds, numeric=columns))


def _verdict(row: Mapping[str, object], asked: bool) -> str:
    return "opted out" if asked else "dropped" if row["dropped"] else "allowed" if row["allowed"] else "kept"
