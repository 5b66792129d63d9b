"""`gristmill dedup`: what the search for duplicates did, explained."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gristmill.commands.export import shown
from gristmill.options import CORES, Folder, Json, Workers
from gristmill.output import console, duplicates_table, print_json, say_note, table
from gristmill.printable import printable_line
from gristmill.progress import step_progress
from gristmill.stopping import stops_on_sigterm
from storage.files import absolute

if TYPE_CHECKING:  # it brings kernels
    from pipeline.decide.duplicates.report.clusters import Clusters
    from pipeline.decide.duplicates.report.explanation import Comparison, Explanation
    from pipeline.decide.duplicates.report.gone import Copy
    from pipeline.decide.duplicates.report.passages import Excerpt
    from pipeline.decide.duplicates.report.prepared import Document

app = typer.Typer(help="Duplicates: one document explained, the largest clusters, an index for later snapshots.")

Source = Annotated[str | None, typer.Option("--source", metavar="NAME", help="look at this source alone")]
_WIDTH = 110


@app.command("explain")
def explain(
    folder: Folder,
    document: Annotated[
        str,
        typer.Argument(metavar="DOCUMENT", help="its id, URL, record name, or source/file:record, as here or in trace"),
    ],
    source: Source = None,
    json: Json = False,
) -> None:
    """What became of a document: the one kept for it, how similar they are, and where they differ; or its copies."""
    from pipeline.decide.duplicates.report.explanation import explain as explained
    from pipeline.decide.duplicates.report.prepared import open_prepared

    found = explained(open_prepared(absolute(folder)), document, source=source)
    if json:
        print_json(asdict(found))
        return
    for line in _explained(found):
        console.print(printable_line(line))
    if found.nearest:
        rows = [_copy_row(copy) for copy in found.nearest]
        title = f"Documents that went for it: {found.copies:,}"
        title += f", the {len(rows)} most similar" if found.copies > len(rows) else ""
        console.print(table(title, _COPIES, rows, numeric=("similarity",)))
    if found.others:
        title = f"Other documents that are called so: {found.more:,}"
        rows = [(other.place, other.id, other.url) for other in found.others]
        console.print(table(title, ("place", "id", "url"), rows))


@app.command("clusters")
def clusters(
    folder: Folder,
    source: Source = None,
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="N", help="how many clusters to list, the largest first")
    ] = 10,
    json: Json = False,
) -> None:
    """The largest clusters with examples, how similar duplicates are, and the ledger of each source."""
    from pipeline.decide.duplicates.report.clusters import find_clusters
    from pipeline.decide.duplicates.report.ledger import duplicate_ledger
    from pipeline.decide.duplicates.report.prepared import open_prepared

    prepared = open_prepared(absolute(folder))
    found = find_clusters(prepared, source=source, most=top)
    ledger = [asdict(row) for row in duplicate_ledger(prepared.out, prepared.decided) if source in (None, row.source)]
    if json:
        print_json({**asdict(found), "ledger": ledger})
        return
    console.print(duplicates_table(ledger))
    console.print(_histogram(found))
    if found.largest:
        console.print(_largest(found))


@app.command("index")
def index(
    folder: Folder,
    out: Annotated[str, typer.Option("--out", metavar="FOLDER", help="an empty folder")],
    workers: Workers = CORES,
    json: Json = False,
) -> None:
    """Make an index of a prepared snapshot: later ones are deduplicated against it without its texts."""
    from pipeline.decide.duplicates.indexing import make_index
    from pipeline.engines.runners import Runner

    place = absolute(out)
    with stops_on_sigterm(), step_progress(place, shown=shown(json)) as progress:
        done = make_index(
            absolute(folder),
            out=place,
            runner=Runner(workers=workers, say=say_note, expect=progress.expect),
            on_step=lambda step: progress.begin(step, folder=place),
        )
    documents = sum(output.rows for output in done.outputs if output.path.startswith("nodes/"))
    if json:
        print_json({"out": place, "digest": done.digest, "documents": documents})
        return
    console.print(f"{documents:,} documents, of which no text is needed any more")
    console.print(f"digest  {done.digest}\nout     {place}")
    console.print("deduplicate the next snapshot against them: `dedup: {index: [FOLDER]}` in its corpus manifest")


_COPIES = ("similarity", "reason", "url or name", "id", "place")


def _copy_row(copy: Copy) -> tuple[object, ...]:
    document = copy.document
    return f"{copy.similarity:.3f}", copy.reason, document.url or document.name, document.id, document.place


def _explained(found: Explanation) -> Iterator[str]:
    yield f"{found.reason}: {found.document.called}"
    yield from _where("", found.document)
    if found.kept_before is not None:
        yield f"kept for it: document {found.kept_before} of an earlier snapshot (`dedup.index`)"
        yield f"  noted in the search    {found.similarity:.3f}"
        return
    if found.kept is None:
        if not found.searched:
            yield "It was dropped before duplicates were searched for: it took no part."
        elif not found.copies:
            yield "No document went for it."
        return
    yield f"kept for it: {found.kept.called}"
    yield from _where("", found.kept)
    if found.comparison is not None:
        yield from _compared(found.comparison, noted=found.similarity)


def _where(indent: str, document: Document) -> Iterator[str]:
    yield f"{indent}  id      {document.id}"
    if document.url and document.name:
        yield f"{indent}  name    {document.name}"
    yield f"{indent}  record  {document.place}"


def _compared(found: Comparison, *, noted: float | None) -> Iterator[str]:
    kept, gone = found.characters
    if found.equal:
        yield f"Their texts are equal: {kept:,} characters, one id."
    else:
        yield f"Their texts have {kept:,} characters (kept) and {gone:,} (gone)."
    yield from _similarities(found, noted=noted)
    if found.equal:
        return
    if found.passage is None:
        yield "Their words are the same: they differ in punctuation, space or capitals."
        return
    yield f"The first passage that differs begins with word {found.passage.word:,}:"
    yield from _excerpt("kept", found.passage.kept, "[-", "-]", open_end=not found.passage.ends)
    yield from _excerpt("gone", found.passage.gone, "{+", "+}", open_end=not found.passage.ends)


def _similarities(found: Comparison, *, noted: float | None) -> Iterator[str]:
    if noted is not None:
        yield f"  noted in the search    {noted:.3f}"
    if found.shared is not None:
        shared = found.shared
        either = shared.kept + shared.gone - shared.both
        yield (
            f"  exact Jaccard          {shared.jaccard:.3f}: {shared.both:,} of {either:,} different shingles of"
            f" {shared.ngram} {shared.unit} are in both"
        )
        if shared.measure == "containment":
            yield f"  exact containment      {shared.exact:.3f}: {shared.both:,} of the {shared.gone:,} of the gone one"
    elif not found.equal:
        yield "  one of them has no words, or near duplicates were not searched for"
    if found.signed is not None:
        signed = found.signed
        met = f"bands that met: {', '.join(map(str, signed.bands))} of {signed.of_bands}"
        if not signed.bands:
            met = (
                f"none of {signed.of_bands} bands met: they came together through an exact copy of one of them, or are"
                " known by their shingles alone"
            )
        yield f"  estimated Jaccard      {signed.estimated:.3f}, from the signatures; {met}"
    if found.found_with is not None and not found.equal:
        yield f"  found with probability {found.found_with:.3f}, any two documents that are so similar"


def _excerpt(label: str, excerpt: Excerpt, opening: str, closing: str, *, open_end: bool) -> Iterator[str]:
    differs = excerpt.differs
    if excerpt.left_out:
        differs += f" … {'at least ' if open_end else ''}{excerpt.left_out:,} more words"
    before = f"… {excerpt.before}" if excerpt.before else ""
    after = f"{excerpt.after} …" if excerpt.after else ""
    pieces = [before, f"{opening}{differs}{closing}", after]
    lines = textwrap.wrap(" ".join(piece for piece in pieces if piece), _WIDTH, break_long_words=False)
    for number, line in enumerate(lines):
        yield f"  {label if not number else '':<6}{line}"


def _histogram(found: Clusters) -> Any:
    rows: list[tuple[object, ...]] = [
        (f"{each.low:.3f} to {each.high:.3f}", each.documents, _bar(each.documents, found)) for each in found.histogram
    ]
    rows.append(("exact copies", found.exact, _bar(found.exact, found)))
    title = f"Similarity to the kept document, of {found.exact + found.near:,} that went for {found.clusters:,}"
    return table(title, ("similarity", "documents", ""), rows, numeric=("documents",))


def _bar(count: int, found: Clusters) -> str:
    most = max([found.exact, *(each.documents for each in found.histogram)])
    return "#" * round(40 * count / max(most, 1))


def _largest(found: Clusters) -> Any:
    rows: list[tuple[object, ...]] = []
    for cluster in found.largest:
        numbers = (cluster.copies, f"{cluster.median:.3f}", f"{cluster.lowest:.3f}")
        rows.append((*numbers, "kept", "", cluster.kept.called, cluster.kept.place))
        rows += [
            ("", "", "", "went", f"{copy.similarity:.3f}", copy.document.called, copy.document.place)
            for copy in cluster.examples
        ]
    title = f"Largest clusters, {len(found.largest):,} of {found.clusters:,}"
    columns = ("copies", "median", "lowest", "", "similarity", "document", "place")
    return table(title, columns, rows, numeric=("copies", "median", "lowest", "similarity"))
