"""What the outputs of decide depend on, and what its tasks are handed.

In: a corpus manifest. Out: `DecideSettings`, which the step's manifest records and the tasks' key hashes; `DecideJob`, these and where
things lie, which crosses to the workers once.
"""

from __future__ import annotations

from manifests.base import Strict, WithoutNone
from manifests.corpus import CorpusManifest, Dedup, Languages, PersonalInformation
from manifests.filters import Filters
from pipeline.engines.partitions import PartitionJob

VERSION = 3


class SourceSettings(Strict):
    """What decisions about one source's documents depend on.

    Attributes:
        filters: its own, or else the corpus'.
    """

    filters: Filters
    factual: bool
    priority: int


class BlockListSettings(WithoutNone):
    """One block list.

    Attributes:
        sites, urls, words: a hash of the contents of its files of this kind; None when it has none.
    """

    name: str
    min_words: int
    sites: str | None = None
    urls: str | None = None
    words: str | None = None


class DecideSettings(Strict):
    """What the output of the step depends on, beside the output of extract.

    Attributes:
        sources: by name.
        personal_information: the site rule; None when there is no rule.
    """

    version: int = VERSION
    sources: dict[str, SourceSettings]
    languages: Languages
    block_lists: tuple[BlockListSettings, ...]
    dedup: Dedup
    personal_information: PersonalInformation | None


class DecideJob(PartitionJob):
    """What all elements of all stages share.

    Attributes:
        extract: the folder of the extract step.
    """

    settings: DecideSettings
    extract: str


def decide_settings(manifest: CorpusManifest, *, block_lists: tuple[BlockListSettings, ...]) -> DecideSettings:
    """What the output depends on.

    Args:
        block_lists: as from `pipeline.decide.block_lists.list_settings`.
    """
    return DecideSettings(
        sources={
            source.name: SourceSettings(filters=manifest.filters_of(source), factual=source.factual, priority=source.priority)
            for source in manifest.sources
        },
        languages=manifest.languages,
        block_lists=block_lists,
        dedup=manifest.dedup,
        personal_information=manifest.personal_information,
    )
