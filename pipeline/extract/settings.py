"""What the outputs of extract depend on, and what its tasks are given.

In: a corpus manifest. Out: `ExtractSettings`, which are recorded in the step's manifest and hashed into the tasks'
keys; `ExtractJob`, these settings and the paths to use, which is sent to each worker once; and `ReadTask`, one raw file
or one piece of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from dedup.signature_settings import SignatureSettings, signature_settings
from manifests.base import Strict, WithoutNone, sha256_of
from manifests.corpus import (
    FORMATS,
    CorpusManifest,
    Extraction,
    Perplexity,
    PersonalInformationKind,
    Source,
    SourceFormat,
    TextSettings,
)
from manifests.languages import LanguageOrAny
from manifests.repeated_lines import Normalisation
from pipeline.engines.tasks import Task
from pipeline.extract.inputs import RawPiece
from pipeline.readers.pieces import Piece
from pipeline.text.bad_word_lists import bad_words_settings
from pipeline.text.factual.model import factual_settings
from pipeline.text.perplexity.score import perplexity_settings

# Goes into every task's key: raise it whenever the same input would give other bytes.
VERSION = 10
# A part is held in memory until all of it is published; parts are also the unit of work of later steps.
PART_TEXT_BYTES = 64 << 20
# Language identification reads only a document's first characters, because its cost is proportional to them (common
# practice).
LANGUAGE_CHARACTERS = 1_000


class SourceSettings(WithoutNone):
    """What the texts of one source depend on, besides its files.

    Attributes:
        extraction: how HTML is extracted; None for formats without HTML.
    """

    format: SourceFormat
    text_field: str
    id_field: str
    url_field: str
    extraction: Extraction | None = None


class ExtractSettings(Strict):
    """What the output of the step depends on, besides the inputs. Thresholds are not among them: they belong to decide.

    Attributes:
        sources: by name.
        mask: sorted.
        bad_words: hash of each list's contents, by language.
        perplexity: as in the manifest, with hashes of the models' contents instead of their paths.
        factual: hash of the factual model.
        lines: how lines are changed before they are hashed; None if they are not compared. Then the key is left out, so
            that what was extracted before there was such a key is still good.
    """

    version: int = VERSION
    sources: dict[str, SourceSettings]
    text: TextSettings
    mask: tuple[PersonalInformationKind, ...]
    signatures: SignatureSettings | None
    seed: int
    bad_words: dict[LanguageOrAny, str] | None
    perplexity: Perplexity | None
    factual: str | None
    part_text_bytes: int
    language_characters: int = LANGUAGE_CHARACTERS
    lines: Normalisation | None = None

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if key != "lines" or value is not None}


class ExtractJob(Strict):
    """What all tasks share.

    Attributes:
        sources: by name, each with the extraction that it uses.
        bad_word_lists: by language, paths of the lists whose hashes are in the settings.
        perplexity_models: paths of the models whose hashes are in the settings.
        factual_model: path of the model whose hash is in the settings.
        folder: the step's folder.
    """

    settings: ExtractSettings
    sources: dict[str, Source]
    bad_word_lists: dict[LanguageOrAny, str]
    perplexity_models: Perplexity | None
    factual_model: str | None
    folder: str


class ReadTask(Task):
    """One raw file, or one piece of it.

    Attributes:
        source: the source's name.
        file: name relative to the source's root.
        path: what to open.
        label: names file and piece in the step's manifest.
        stamp: size and time of the last change, as the file system reported them when the run listed the file.
    """

    source: str
    file: str
    path: str
    label: str
    stamp: str
    piece: Piece


def extract_settings(manifest: CorpusManifest) -> ExtractSettings:
    """The settings of the step for a corpus manifest; reads lists and models to hash them.

    Raises:
        GristmillError: a list or a model cannot be read.
    """
    information, minhash = manifest.personal_information, manifest.dedup.minhash
    return ExtractSettings(
        sources={source.name: _source_settings(source, manifest) for source in manifest.sources},
        text=manifest.text,
        mask=() if information is None else tuple(sorted(set(information.mask))),
        seed=manifest.seed,
        signatures=None if minhash is None else signature_settings(minhash, seed=manifest.seed),
        bad_words=bad_words_settings(manifest.bad_words),
        perplexity=perplexity_settings(manifest.perplexity),
        factual=factual_settings(manifest.factual),
        part_text_bytes=PART_TEXT_BYTES,
        lines=None if manifest.dedup.lines is None else manifest.dedup.lines.normalisation,
    )


def _source_settings(source: Source, manifest: CorpusManifest) -> SourceSettings:
    return SourceSettings(
        format=source.format,
        text_field=source.text_field,
        id_field=source.id_field,
        url_field=source.url_field,
        extraction=(source.extraction or manifest.extraction) if FORMATS[source.format].html else None,
    )


def extract_job(manifest: CorpusManifest, *, folder: str) -> ExtractJob:
    """What the extract tasks of this manifest share.

    Raises:
        GristmillError: as for `extract_settings`.
    """
    settings = extract_settings(manifest)
    return ExtractJob(
        settings=settings,
        sources={
            source.name: source.model_copy(update={"extraction": settings.sources[source.name].extraction})
            for source in manifest.sources
        },
        bad_word_lists={} if manifest.bad_words is None else manifest.bad_words.lists,
        perplexity_models=manifest.perplexity,
        factual_model=None if manifest.factual is None else manifest.factual.model,
        folder=folder,
    )


def read_tasks(pieces: Iterable[RawPiece], settings: ExtractSettings) -> list[ReadTask]:
    """The tasks that read raw files or pieces of them. The key of each does not depend on other sources."""
    described = settings.model_dump(mode="json")
    return [
        ReadTask(
            name=raw.task,
            key=sha256_of([{**described, "sources": described["sources"][raw.file.source]}, raw.label, raw.file.stamp]),
            weight=raw.size,
            source=raw.file.source,
            file=raw.file.name,
            path=raw.file.path,
            label=raw.label,
            stamp=raw.file.stamp,
            piece=raw.piece,
        )
        for raw in pieces
    ]
