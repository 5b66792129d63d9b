"""The factual manifest: the two kinds of text from which `gristmill factual train` learns to tell them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from manifests.base import Strict, check_unique, load
from manifests.corpus import Source, TextSettings
from manifests.filters import Filters

Label = Literal["factual", "general"]


class FactualSource(Source):
    """A source to learn from, whose files are read as a corpus' are. It has one label, or its URLs tell.

    With `factual_urls`, documents whose URL is in that list are factual, the others general: pages of one crawl that
    Wikipedia cites, and random pages of it. Keys of a corpus' source that choose what a model is trained on have no
    meaning here.
    """

    licence: str = Field("", description="as in a corpus manifest, as are all other keys but these four")
    label: Label | None = Field(None, description="of all its documents")
    factual_urls: str | None = Field(None, description="a file of URLs, one a line, plain or gzip")
    weight: float = Field(
        1.0,
        gt=0,
        description=("a source counts among those of its label by the square root of its documents, times this"),
    )
    max_documents: int = Field(
        100_000, ge=1, description="documents of each label that are used: those with the smallest hashes"
    )
    factual: bool = Field(False, exclude=True)
    priority: int = Field(100, exclude=True)
    filters: Filters | None = Field(None, exclude=True)

    @model_validator(mode="after")
    def _one_of(self) -> FactualSource:
        if unused := sorted({"factual", "priority", "filters"} & self.model_fields_set):
            raise ValueError(f"`{unused[0]}` has no meaning here; leave it out")
        if (self.label is None) == (self.factual_urls is None):
            raise ValueError("give exactly one of `label` and `factual_urls`")
        return self


class FactualManifest(Strict):
    """`kind: factual`, version 1."""

    kind: Literal["factual"] = "factual"
    version: Literal[1] = 1
    name: str
    seed: int = Field(0, ge=0, lt=2**63)
    sources: list[FactualSource] = Field(min_length=1)
    text: TextSettings = Field(TextSettings(), description="as in the corpus whose texts will be scored")
    ngrams: Literal[1, 2] = Field(2, description="words, or words and pairs of words")
    hash_bits: int = Field(18, ge=10, le=24, description="log2 of the number of weights; two bytes each")
    max_words: int = Field(2_000, ge=1, description="words of a document that are learnt from; all are scored")

    @model_validator(mode="after")
    def _two_labels(self) -> FactualManifest:
        check_unique([source.name for source in self.sources], "source names")
        labels = {source.label for source in self.sources}
        if labels in ({"factual"}, {"general"}):
            raise ValueError(f"all sources are {labels.pop()}: a classifier needs documents of both kinds")
        return self


def load_factual(path: str | Path) -> FactualManifest:
    """Load a factual manifest; relative paths in it become absolute, starting at the manifest's folder."""
    manifest = load(path, FactualManifest)
    folder = Path(path).resolve().parent
    sources = [
        source.model_copy(
            update={
                "root": _absolute(folder, source.root or "."),
                "factual_urls": None if source.factual_urls is None else _absolute(folder, source.factual_urls),
            }
        )
        for source in manifest.sources
    ]
    return manifest.model_copy(update={"sources": sources})


def _absolute(folder: Path, path: str) -> str:
    return path if "://" in path else str((folder / path).resolve())
