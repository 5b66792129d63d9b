"""The alarm: a source that loses more to duplicates than the manifest expects stops the run before tokenize.

In: the manifest and a finished decide step. Out: nothing, or an error that names the sources with their largest
clusters. It decides nothing and writes nothing: decide is done, and the settings of the alarm are no part of what its
outputs depend on, so the run goes on from there once the manifest expects the loss.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator

from manifests.corpus import CorpusManifest
from manifests.errors import GristmillError
from manifests.step import StepManifest
from pipeline.decide.duplicates.report.ledger import SourceDuplicates, duplicate_ledger
from pipeline.folders import DECIDE
from storage.files import join

# A source of which fewer documents enter the search raises no alarm: a share of few documents says little, three
# versions of one page are two thirds of it, and little is lost with them.
FEWEST_DOCUMENTS = 100
_CLUSTERS = 10


def check_losses(manifest: CorpusManifest, *, out: str, decided: StepManifest) -> None:
    """Check that no source lost more of its documents as duplicates than the manifest expects.

    The share is of the documents that entered the search, which are those that no rule dropped before.

    Args:
        out: the folder of all steps.
        decided: the manifest of decide.

    Raises:
        GristmillError: a source did.
    """
    if manifest.dedup.alarm is None:
        return
    own = {source.name: source.expected_duplicates for source in manifest.sources}
    limits = {name: manifest.dedup.alarm if expected is None else expected for name, expected in own.items()}
    alarming = [
        row
        for row in duplicate_ledger(out, decided)
        if row.searched >= FEWEST_DOCUMENTS and row.source in limits and row.share > limits[row.source]
    ]
    if not alarming:
        return
    named = " and ".join(f"`{row.source}`" for row in alarming)
    lines = [f"more of source {named} goes as duplicates than is expected; nothing is tokenized"]
    for row in alarming:
        lines += _described(row, limits[row.source], out)
    expected = "; ".join(
        f"`expected_duplicates: {math.ceil(100 * row.share) / 100:g}` for source `{row.source}`" for row in alarming
    )
    raise GristmillError(
        "\n".join(lines),
        where=join(out, DECIDE),
        remedy=(
            f"look at `gristmill dedup clusters {shlex.quote(out)} --source {alarming[0].source}`; mend the source, or,"
            f" if it should be so, write {expected} in the corpus manifest and run the same command again, which does"
            " not repeat decide"
        ),
    )


def _described(row: SourceDuplicates, limit: float, out: str) -> Iterator[str]:
    # Here, since the clusters are looked for only where a source lost too much.
    from pipeline.decide.duplicates.report.clusters import find_clusters
    from pipeline.decide.duplicates.report.prepared import open_prepared

    yield (
        f"  source `{row.source}`: {row.exact + row.near:,} of {row.searched:,} documents, {100 * row.share:.1f} %, go"
        f" ({row.exact:,} exact, {row.near:,} near); expected are {100 * limit:g} % at most"
    )
    found = find_clusters(open_prepared(out), source=row.source, most=_CLUSTERS)
    yield f"  the largest of its {found.clusters:,} clusters: copies, their median similarity, what stays for them"
    for cluster in found.largest:
        yield f"  {cluster.copies:>9,}  {cluster.median:.3f}  {cluster.kept.called}"
        yield f"{'':21}for {', '.join(copy.document.called for copy in cluster.examples)}"
