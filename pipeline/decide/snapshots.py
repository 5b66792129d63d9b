"""Prepared folders whose sites are merged: what is in them, and whether they can be judged together.

In: the --out of `gristmill prep` or `decide`; of its files only manifests are read. Out: `Snapshot`, or an error that
names what differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, count
from typing import Any

from pydantic import JsonValue

from manifests.base import Strict
from manifests.corpus import FORMATS, SiteRule
from manifests.errors import GristmillError
from manifests.step import StepManifest
from pipeline.decide.allowed_sites import ALLOWED_FILE
from pipeline.decide.settings import VERSION, DecideSettings
from pipeline.decide.site_pages import FOLDER, kind_file
from pipeline.folders import DECIDE, EXTRACT
from storage.files import join
from storage.steps import check_outputs, require_manifest


class Texts(Strict):
    """The settings of an extract step that ids, words and values depend on; sources by name."""

    version: int
    text: dict[str, JsonValue]
    mask: tuple[str, ...]
    sources: dict[str, dict[str, JsonValue]]


class Snapshot(Strict):
    """A prepared folder whose sites are merged.

    Attributes:
        place: the folder.
        extract: the digest of its extract step.
        partitions: of its sites.
        rows: how many rows its files of counts have.
        documents: of its extract step.
        allowed: a hash of its list of sites that are never dropped; None if it has none.
    """

    place: str
    extract: str
    partitions: int
    rows: int
    documents: int
    rule: SiteRule
    allowed: str | None
    texts: Texts


def open_snapshot(folder: str) -> Snapshot:
    """A prepared folder, of which only what is merged is looked at: the files of its sites.

    Raises:
        GristmillError: a step is not complete or was made by another version, there is no site rule, or a file of the
            sites is missing or has other bytes.
    """
    extract, decide = (require_manifest(join(folder, step), command=f"gristmill {step}") for step in (EXTRACT, DECIDE))
    if decide.settings.get("version") != VERSION:
        raise GristmillError(
            "was decided by another version of Gristmill",
            where=join(folder, DECIDE),
            remedy="run `gristmill decide` again",
        )
    if decide.inputs[EXTRACT] != extract.digest:
        raise GristmillError(
            "the decisions belong to another extract", where=join(folder, DECIDE), remedy="run `gristmill decide` again"
        )
    settings = DecideSettings.model_validate(decide.settings)
    if settings.site_rule is None:
        raise no_rule(folder)
    merged = (f"{FOLDER}/counts-", f"{FOLDER}/pages-")
    sites = [output for output in decide.outputs if output.path == ALLOWED_FILE or output.path.startswith(merged)]
    check_outputs(join(folder, DECIDE), decide.model_copy(update={"outputs": sites}))
    return Snapshot(
        place=folder,
        extract=extract.digest,
        partitions=partitions_in(decide, "counts"),
        rows=sum(output.rows for output in sites if output.path.startswith(merged[0])),
        documents=extract.ledger.kept,
        # Evidence is the folder's own, also where sites went by an earlier merge.
        rule=settings.site_rule.model_copy(update={"merged": None}),
        allowed=settings.allowed_sites,
        texts=Texts.model_validate({name: extract.settings[name] for name in Texts.model_fields}),
    )


def no_rule(folder: str) -> GristmillError:
    """A prepared folder has no site rule."""
    return GristmillError(
        "no site was judged: the corpus manifest has no site rule",
        where=folder,
        remedy="leave out `personal_information: null` and `sites: null`, and run `gristmill decide`",
    )


def partitions_in(step: StepManifest, kind: str) -> int:
    """How many partitions the sites of a finished step have."""
    written = {output.path for output in step.outputs}
    return next(number for number in count() if kind_file(kind, number) not in written)


def check_same(snapshots: Sequence[Snapshot]) -> None:
    """Check that the sites of several folders can be judged together.

    Raises:
        GristmillError: two hold the same documents, or what evidence or verdicts depend on differs.
    """
    for one, other in combinations(snapshots, 2):
        if one.extract == other.extract:
            raise GristmillError(
                f"holds the same documents as {one.place}, which would count twice",
                where=other.place,
                remedy="name each snapshot once",
            )
        if differing := _differing(one, other):
            raise GristmillError(
                f"its sites cannot be judged with those of {one.place}: other {', '.join(differing)}",
                where=other.place,
                remedy="run `gristmill prep` on both with the same settings, and merge then",
            )


def _differing(one: Snapshot, other: Snapshot) -> list[str]:
    """Names of the settings that differ, as in a corpus manifest, among those that evidence or verdicts depend on.

    Sources of one name must be one source; HTML must be extracted in the same ways, or a page of two snapshots is two.
    """
    names = differing(_described(one), _described(other))
    mine, theirs = one.texts.sources, other.texts.sources
    for name in sorted(mine.keys() & theirs.keys()):
        names += [f"sources.{name}.{key}" for key in differing(mine[name], theirs[name])]
    for kind, found in FORMATS.items():
        ways = [
            {source.get("extraction") for source in sources.values() if source["format"] == kind}
            for sources in (mine, theirs)
        ]
        if found.html and all(ways) and ways[0] != ways[1] and not any(name.endswith(".extraction") for name in names):
            names.append(f"extraction of {kind}")
    return names


def _described(snapshot: Snapshot) -> dict[str, Any]:
    rule = {**snapshot.rule.model_dump(mode="json"), "allow": snapshot.allowed}
    return {
        "version of extract": snapshot.texts.version,
        "text": snapshot.texts.text,
        "personal_information": {"mask": snapshot.texts.mask, "sites": rule},
    }


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The keys under which two settings differ, sorted; those of sections after a dot."""
    names: list[str] = []
    for key in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(key), other.get(key)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            names += [f"{key}.{name}" for name in differing(mine, theirs)]
        elif mine != theirs:
            names.append(key)
    return names
