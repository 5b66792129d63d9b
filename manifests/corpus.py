"""The corpus manifest: which raw text there is, and how `gristmill prep` turns it into token shards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from manifests.base import Strict, load

SourceKind = Literal["web", "encyclopedia", "books", "code", "papers", "questions", "reference", "other"]
SourceFormat = Literal["warc", "wet", "jsonl", "parquet", "mediawiki"]
FilterVariant = Literal["none", "gopher-paper"]
PersonalInformationKind = Literal["email", "phone", "ip", "national_id"]

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")


class Source(Strict):
    """One named collection of raw files of one format."""

    name: str = Field(description="lower-case letters, digits, '.', '_', '-'; part of file names and of bucket names")
    kind: SourceKind = "other"
    format: SourceFormat
    root: str | None = Field(None, description="folder that `files` are relative to; default: the manifest's folder")
    files: list[str] = Field(min_length=1, description="paths or globs relative to `root`; ** descends")
    licence: str = Field(description="licence of the text, in words; recorded, never interpreted")
    factual: bool = Field(False, description="encyclopedias, textbooks, statutes: gets a bucket of its own to up-sample")
    priority: int = Field(100, ge=0, le=255, description="of duplicates the copy from the lowest priority number is kept")
    filters: FilterVariant | None = Field(None, description="overrides the corpus' `filters` for this source")
    text_field: str = Field("text", description="JSONL, Parquet: name of the text column")
    id_field: str = Field("id", description="JSONL, Parquet: name of the column with the record's own id; may be absent")
    url_field: str = Field("url", description="JSONL, Parquet: name of the column with the URL; may be absent")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("must be lower-case letters, digits, '.', '_' or '-', and begin and end with a letter or digit")
        return value


class Languages(Strict):
    """Which languages are kept. Codes are fastText lid.176's (ISO 639-1 or -3)."""

    keep: list[str] | Literal["all"] = "all"
    min_score: float = Field(
        0.5, ge=0, le=1, description="below this the document is dropped when `keep` is a list; CCNet's value (arXiv 1911.00359)"
    )


class MinHash(Strict):
    """MinHash LSH near-duplicate removal. Defaults: FineWeb's 14 bands of 8 over word 5-grams (arXiv 2406.17557)."""

    bands: int = Field(14, ge=1, le=64)
    rows: int = Field(8, ge=1, le=64)
    ngram: int = Field(5, ge=1, le=32, description="words per shingle")


class Dedup(Strict):
    exact: bool = True
    minhash: MinHash | None = MinHash()


class PersonalInformation(Strict):
    """The site rule: a registered domain is dropped whole when its pages hold too much personal information."""

    kinds: list[PersonalInformationKind] = ["email", "phone", "ip", "national_id"]
    max_spans_per_1000_words: float = Field(5.0, gt=0)
    min_documents: int = Field(5, ge=1, description="sites with fewer documents are not judged")


class TokenizerTraining(Strict):
    """SentencePiece BPE with Llama's options, trained on a hash sample of the documents that were kept."""

    vocab_size: int = Field(32_000, ge=300, le=1_000_000)
    sample_mb: float = Field(64.0, gt=0, description="MB of text to train on")


class Tokenizer(Strict):
    """Either `model` (a SentencePiece file, relative to the manifest) or `train`."""

    model: str | None = None
    train: TokenizerTraining | None = None
    encoder: Literal["gigatoken", "sentencepiece"] = Field(
        "gigatoken", description="what encodes; the tokens are the same, gigatoken is faster"
    )
    bos: bool = Field(True, description="a BOS token before each document")
    eos: bool = Field(True, description="an EOS token after each document")

    @model_validator(mode="after")
    def _one_of(self) -> Tokenizer:
        if (self.model is None) == (self.train is None):
            raise ValueError("give exactly one of `model` and `train`")
        if not (self.bos or self.eos):
            raise ValueError("documents need a boundary: set `bos` or `eos`")
        return self


class CorpusManifest(Strict):
    """`kind: corpus`, version 1."""

    kind: Literal["corpus"] = "corpus"
    version: Literal[1] = 1
    name: str
    seed: int = Field(0, ge=0, lt=2**63)
    sources: list[Source] = Field(min_length=1)
    filters: FilterVariant = "gopher-paper"
    languages: Languages = Languages()
    dedup: Dedup = Dedup()
    personal_information: PersonalInformation | None = PersonalInformation()
    tokenizer: Tokenizer
    shard_tokens: int = Field(64_000_000, ge=1_000, description="tokens per shard; 64M uint16 tokens are 128 MB")

    @model_validator(mode="after")
    def _unique_names(self) -> CorpusManifest:
        names = [source.name for source in self.sources]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"source names must be unique; given twice: {', '.join(twice)}")
        return self


def load_corpus(path: str | Path) -> CorpusManifest:
    """Load a corpus manifest; relative `root` and `tokenizer.model` become absolute, from the manifest's folder."""
    manifest = load(path, CorpusManifest)
    folder = Path(path).resolve().parent
    sources = [s.model_copy(update={"root": _absolute(folder, s.root or ".")}) for s in manifest.sources]
    tokenizer = manifest.tokenizer
    if tokenizer.model is not None:
        tokenizer = tokenizer.model_copy(update={"model": _absolute(folder, tokenizer.model)})
    return manifest.model_copy(update={"sources": sources, "tokenizer": tokenizer})


def _absolute(folder: Path, path: str) -> str:
    return path if "://" in path else str((folder / path).resolve())
