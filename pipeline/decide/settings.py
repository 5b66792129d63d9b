"""What the outputs of decide depend on, and what its tasks are given.

In: a corpus manifest. Out: `DecideSettings`, which are recorded in the step's manifest and hashed into the tasks' key;
and `DecideJob`, these settings and the folders to use, which is sent to each worker once.
"""

from __future__ import annotations

from manifests.base import Strict, WithoutNone
from manifests.corpus import CorpusManifest, Dedup, Languages, PersonalInformation, SiteRule
from manifests.filters import Filters
from pipeline.engines.partitions import PartitionJob

VERSION = 7


class SourceSettings(Strict):
    """What decisions about one source's documents depend on.

    Attributes:
        filters: the source's own filters, or else those of the corpus.
        bands: into how many bands the source is cut by factual score; None: it is one, by `factual`.
    """

    filters: Filters
    factual: bool
    priority: int
    bands: int | None = None


class BlockListSettings(WithoutNone):
    """One block list, or the opt-outs, which have the name `opt_out`.

    Attributes:
        sites, urls, words: a hash of the contents of its files of this kind; None if it has no such files.
    """

    name: str
    min_words: int
    sites: str | None = None
    urls: str | None = None
    words: str | None = None


class DecideSettings(Strict):
    """What the output of the step depends on, besides the output of extract.

    Attributes:
        sources: by name.
        seed: of signatures.
        block_lists: in the order in which they are asked, opt-outs first.
        personal_information: None if there are no rules on it.
        allowed_sites: a hash of the contents of the list of sites that are never dropped; None if there is none.
        merged_sites: the digest of the merged sites whose verdicts count; None if the corpus has verdicts of its own.
        indexes: the digests of the indexes of earlier snapshots, oldest first; `dedup` does not say where they lie.
    """

    version: int = VERSION
    sources: dict[str, SourceSettings]
    languages: Languages
    block_lists: tuple[BlockListSettings, ...]
    dedup: Dedup
    seed: int
    personal_information: PersonalInformation | None
    allowed_sites: str | None = None
    merged_sites: str | None = None
    indexes: tuple[str, ...] = ()

    @property
    def site_rule(self) -> SiteRule | None:
        """The site rule, if there is one."""
        return None if self.personal_information is None else self.personal_information.sites


class DecideJob(PartitionJob):
    """What all elements of all stages share.

    Attributes:
        extract: the folder of the extract step.
        merged: the folder of the merged sites whose verdicts count; None if the corpus has verdicts of its own.
        indexes: the folders of the indexes of earlier snapshots, oldest first.
    """

    settings: DecideSettings
    extract: str
    merged: str | None = None
    indexes: tuple[str, ...] = ()


def decide_settings(
    manifest: CorpusManifest,
    *,
    block_lists: tuple[BlockListSettings, ...],
    allowed_sites: str | None,
    merged_sites: str | None = None,
    indexes: tuple[str, ...] = (),
) -> DecideSettings:
    """The settings of the step for a corpus manifest.

    Args:
        block_lists: as returned by `pipeline.decide.block_lists.list_settings`.
        allowed_sites: as returned by `pipeline.decide.allowed_sites.allowed_settings`.
        merged_sites: as returned by `pipeline.decide.merged_verdicts.merged_settings`.
        indexes: as returned by `pipeline.decide.duplicates.index.index_settings`.
    """
    filters, banded = manifest.source_filters(), manifest.banded_sources()
    bands = None if manifest.factual is None else manifest.factual.bands
    information = manifest.personal_information
    if information is not None and information.sites is not None:
        # What lists and merged sites hold counts, not where they lie.
        sites = information.sites.model_copy(update={"allow": None, "merged": None})
        information = information.model_copy(update={"sites": sites})
    return DecideSettings(
        sources={
            source.name: SourceSettings(
                filters=filters[source.name],
                factual=source.factual,
                priority=source.priority,
                bands=bands if source.name in banded else None,
            )
            for source in manifest.sources
        },
        languages=manifest.languages,
        block_lists=block_lists,
        # Runs of tokens go after this step.
        dedup=manifest.dedup.model_copy(update={"substrings": None, "index": []}),
        seed=manifest.seed,
        personal_information=information,
        allowed_sites=allowed_sites,
        merged_sites=merged_sites,
        indexes=indexes,
    )
