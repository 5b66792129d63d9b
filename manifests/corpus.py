"""The corpus manifest: the raw text, and how `gristmill prep` turns it into token shards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, FiniteFloat, field_validator, model_validator

from manifests.base import Strict, check_unique, load
from manifests.filters import Filters, GopherPaper
from manifests.languages import Language, LanguageOrAny, check_language
from manifests.minhash import LARGEST_DATASKETCH_SEED, MinHash
from manifests.repeated_lines import Lines

SourceKind = Literal["web", "encyclopedia", "books", "code", "papers", "questions", "reference", "other"]
SourceFormat = Literal[
    "warc", "wet", "arc", "html", "jsonl", "parquet", "arrow", "mediawiki", "text", "latex", "stackexchange"
]


class Format(NamedTuple):
    """What a format of raw files says of itself.

    Attributes:
        reader: module and function below `pipeline.readers`.
        html: it holds HTML pages, whose text depends on how it is extracted.
        pieces: what a task can begin with in the middle of a large file (`pipeline.readers.pieces`); None: a file is
            read as a whole.
    """

    reader: str
    html: bool = False
    pieces: Literal["records", "lines", "rows"] | None = None


FORMATS: dict[SourceFormat, Format] = {
    "warc": Format("archives.warc:read_warc", html=True, pieces="records"),
    "wet": Format("archives.warc:read_warc", pieces="records"),
    "arc": Format("archives.warc:read_warc", html=True, pieces="records"),
    "html": Format("web.html_files:read_html_files", html=True),
    "jsonl": Format("tables.jsonl:read_jsonl", pieces="lines"),
    "parquet": Format("tables.parquet:read_parquet", pieces="rows"),
    "arrow": Format("tables.arrow:read_arrow", pieces="rows"),
    "mediawiki": Format("wiki.mediawiki:read_mediawiki"),
    "text": Format("plain_text:read_plain_text"),
    "latex": Format("latex.papers:read_latex"),
    "stackexchange": Format("posts.stackexchange:read_stackexchange"),
}

Extraction = Literal["resiliparse", "trafilatura", "adaptive"]
PersonalInformationKind = Literal[
    "email", "phone", "ip", "national_id", "iban", "payment_card", "street_address", "date_of_birth"
]

# Kinds of evidence about a site (`pipeline.decide.site_evidence`).
SiteEvidence = Literal[
    "lists",
    "email_list",
    "email_and_more",
    "names",
    "density",
    "names_again",
    "staff",
    "business",
    "staff_share",
]
SITE_BIAS = -2.76
SITE_WEIGHTS: dict[SiteEvidence, float] = {
    "lists": 4.06,
    "email_list": 0.98,
    "email_and_more": 2.15,
    "names": 1.76,
    "density": 1.47,
    "names_again": -1.73,
    "staff": -3.97,
    "business": -2.82,
    "staff_share": -2.19,
}

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")


class Source(Strict):
    """One named collection of raw files of one format."""

    name: str = Field(description="lower-case letters, digits, '.', '_', '-'; part of file names and of bucket names")
    kind: SourceKind = "other"
    format: SourceFormat
    root: str | None = Field(None, description="folder that `files` are relative to; default: the manifest's folder")
    files: list[Annotated[str, Field(min_length=1)]] = Field(
        min_length=1, description="paths or globs relative to `root`; ** descends"
    )
    licence: str = Field(description="licence of the text, in words; recorded, never interpreted")
    factual: bool = Field(
        False, description="encyclopedias, textbooks, statutes: gets a bucket of its own to up-sample"
    )
    priority: int = Field(
        100, ge=0, le=255, description="of duplicates the copy from the lowest priority number is kept"
    )
    filters: Filters | None = Field(
        None, description="overrides the corpus' `filters` for this source; `none` is no filter"
    )
    extraction: Extraction | None = Field(None, description="WARC: overrides the corpus' `extraction` for this source")
    text_field: str = Field("text", min_length=1, description="JSONL, Parquet, Arrow: name of the text column")
    id_field: str = Field(
        "id", description="JSONL, Parquet, Arrow: name of the column with the record's own id; may be absent"
    )
    url_field: str = Field("url", description="JSONL, Parquet, Arrow: name of the column with the URL; may be absent")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(
                "must be lower-case letters, digits, '.', '_' or '-', and begin and end with a letter or digit"
            )
        return value


class TextSettings(Strict):
    """How texts are normalised, besides line ends, NUL and surrounding white space.

    Document ids depend on these settings.
    """

    mojibake: Literal["repair", "keep"] = Field(
        "repair", description="UTF-8 that was once read in another encoding; repaired by ftfy"
    )
    unicode: Literal["NFC", "NFKC", "none"] = Field(
        "none", description="Unicode normal form (Unicode Standard Annex 15)"
    )


class Languages(Strict):
    """Which languages are kept. Codes are fastText lid.176's (ISO 639-1 or -3)."""

    keep: list[Language] | Literal["all"] = "all"
    min_score: float = Field(
        0.5,
        ge=0,
        le=1,
        description="below this the document is dropped when `keep` is a list; CCNet's value (arXiv 1911.00359)",
    )

    @field_validator("keep", mode="before")
    @classmethod
    def _some(cls, value: object) -> object:
        if value != "all" and (not isinstance(value, list) or not value):
            raise ValueError("give `all`, or a list of at least one code, as [en]")
        return value if value == "all" else [_language(code) for code in value]


class Substrings(Strict):
    """Removal of repeated runs of tokens. Default: the 50 tokens of Lee et al. (arXiv 2107.06499, section 4.1)."""

    min_tokens: int = Field(50, ge=10, le=1_000, description="shorter runs stay, however often they occur")
    scope: Literal["corpus", "bucket"] = Field(
        "corpus", description="a run goes if it occurs earlier anywhere, or in its own bucket alone"
    )
    min_left_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description=(
            "a document of which less is left goes, unless that is what went elsewhere; one of which nothing is left"
            " always goes"
        ),
    )


class Dedup(Strict):
    exact: bool = True
    minhash: MinHash | None = MinHash()
    index: list[str] = Field(
        [],
        description=(
            "folders of `gristmill dedup index`, oldest first: documents of earlier snapshots, which keep their fate"
        ),
    )
    substrings: Substrings | None = Field(
        None, description="repeated runs of tokens, cut out after tokenize; null: none"
    )
    lines: Lines = Field(
        None, description="lines that several documents share: `ccnet`, `c4`, or a section with `rule` and its options"
    )


class SiteRule(Strict):
    """Which sites go as a whole: those whose pages hold rare personal information, page after page.

    A site is a registered domain, or a host below a hosting suffix. Its score is `bias` and, for each kind of evidence,
    its weight times the share of the site's pages that have it; a site above 0 goes. The weights were fitted on planted
    sites (`bench/sites.py`); docs/personal-information.md says what each kind of evidence is.
    """

    weights: dict[SiteEvidence, FiniteFloat] = Field(
        SITE_WEIGHTS, description="by kind of evidence; kinds that are left out count nothing"
    )
    bias: FiniteFloat = Field(
        SITE_BIAS, description="score of a site without any evidence; raise it to drop more sites"
    )
    furniture_share: float = Field(
        0.03, ge=0, le=1, description="a value on more than this share of a site's pages belongs to the site itself"
    )
    prior_pages: float = Field(
        2.0, ge=0, description="a site is judged as if it had so many more pages, with the mean of all sites"
    )
    allow: str | list[str] | None = Field(
        None, description="files with sites that are never dropped, one a line, or folders laid out like UT1"
    )
    merged: str | None = Field(
        None,
        description=(
            "a folder of `gristmill merge-sites`: sites go by its verdicts, on all snapshots, not by those on this"
            " corpus alone"
        ),
    )


class PersonalInformation(Strict):
    """What becomes of personal information: sites, documents, and spans within texts.

    `sites`, `kinds` and `max_spans_per_document` are used by decide, which counts what extract found; `mask` is used by
    extract, which writes the texts.
    """

    sites: SiteRule | None = Field(SiteRule(), description="drops whole sites; null: none")
    kinds: list[PersonalInformationKind] = Field(
        ["email", "phone", "ip", "national_id"], description="what `max_spans_per_document` counts"
    )
    max_spans_per_document: int | None = Field(
        None, ge=0, description="a document with more is dropped; Dolma keeps up to 5 (arXiv 2402.00159)"
    )
    mask: list[PersonalInformationKind] = Field(
        [],
        description=(
            "replaced in the texts by tokens such as |||EMAIL_ADDRESS|||, before ids and signatures; counts are those"
            " before"
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _earlier_rule(cls, data: object) -> object:
        gone = [
            name for name in ("max_spans_per_1000_words", "min_documents") if isinstance(data, dict) and name in data
        ]
        if gone:
            raise ValueError(
                f"{' and '.join(gone)}: sites are no longer judged by spans per word, but by different rare spans"
                " on their pages; remove this, and see `sites`"
            )
        return data


OPT_OUT = "opt_out"


class OptOut(Strict):
    """Sites and URLs of those who asked not to be trained on: their documents go, whatever else the manifest says.

    Files, globs, or folders laid out like UT1 (`domains`, `urls`), as for block lists.
    """

    sites: str | list[str] | None = Field(None, description="hosts and domains; what is below them is meant too")
    urls: str | list[str] | None = Field(
        None, description="URLs without scheme and `www.`; what goes on after them is meant too"
    )

    @model_validator(mode="after")
    def _some(self) -> OptOut:
        if not (self.sites or self.urls):
            raise ValueError("give at least one of `sites` and `urls`")
        return self


class BlockList(Strict):
    """A list of sites, URLs or words in URLs whose documents are dropped.

    Files, globs, or folders laid out like UT1 (`domains`, `urls`).
    """

    name: str
    sites: str | list[str] | None = Field(None, description="hosts and domains; what is below them is meant too")
    urls: str | list[str] | None = Field(
        None, description="URLs without scheme and `www.`; what goes on after them is meant too"
    )
    words: str | list[str] | None = Field(None, description="words of letters and digits in a URL")
    min_words: int = Field(1, ge=1, description="how many different ones of `words` a URL must hold")

    @model_validator(mode="after")
    def _some(self) -> BlockList:
        if not (self.sites or self.urls or self.words):
            raise ValueError("give at least one of `sites`, `urls` and `words`")
        return self


class BadWords(Strict):
    """Lists of bad words, one word or phrase per line as in LDNOOBW's.

    Extract counts them; the filter `bad-words` uses the counts.
    """

    lists: dict[LanguageOrAny, str] = Field(
        min_length=1, description="language code, or `any` for all languages without a list, to a file"
    )


class PerplexityModel(Strict):
    """Perplexity models of one language: an n-gram model of SentencePiece pieces, and the SentencePiece model."""

    ngrams: str = Field(description="the n-gram model: a binary file of KenLM's `build_binary`")
    sentencepiece: str


class Perplexity(Strict):
    """Models with which extract measures perplexity as CCNet does (arXiv 1911.00359).

    The filter `ccnet` uses it for terciles.
    """

    models: dict[Language, PerplexityModel] = Field(
        min_length=1, description="by language code; other documents have no perplexity"
    )
    sentences: Literal["document", "lines"] = Field(
        "document",
        description="what the model takes as a sentence; cc_net's mine.py: the whole document, without its line breaks",
    )


class Factual(Strict):
    """A model of `gristmill factual train` with which extract scores texts, and the bands that decide cuts by score.

    Sources with `factual: true` have one band, `factual`, whatever the model says.
    """

    model: str
    bands: int | None = Field(
        20,
        ge=2,
        le=20,
        description=(
            "bands of a source, about equal in characters: `q01` to `q20`, the most factual; null: scores are stored,"
            " and nothing is cut"
        ),
    )
    sources: list[str] | None = Field(None, description="which sources are cut; default: all without `factual: true`")


class TokenizerTraining(Strict):
    """SentencePiece BPE with Llama's options, trained on a hash sample of the kept documents."""

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
    filters: Filters = (GopherPaper(),)
    extraction: Extraction = Field(
        "resiliparse",
        description=(
            "HTML to text: fast, precise (`trafilatura`), or `adaptive`: fast first, precise where it is needed"
        ),
    )
    text: TextSettings = TextSettings()
    languages: Languages = Languages()
    opt_out: OptOut | None = None
    block_lists: list[BlockList] = []
    bad_words: BadWords | None = None
    perplexity: Perplexity | None = None
    factual: Factual | None = None
    dedup: Dedup = Dedup()
    personal_information: PersonalInformation | None = PersonalInformation()
    tokenizer: Tokenizer
    shard_tokens: int = Field(64_000_000, ge=1_000, description="tokens per shard; 64M uint16 tokens are 128 MB")

    def source_filters(self) -> dict[str, Filters]:
        """The filters of each source by its name: its own, or the corpus' filters if it has none."""
        return {source.name: self.filters if source.filters is None else source.filters for source in self.sources}

    def banded_sources(self) -> frozenset[str]:
        """Names of the sources that are cut into bands by score."""
        if self.factual is None or self.factual.bands is None:
            return frozenset()
        if self.factual.sources is not None:
            return frozenset(self.factual.sources)
        return frozenset(source.name for source in self.sources if not source.factual)

    @model_validator(mode="after")
    def _known_bands(self) -> CorpusManifest:
        flagged = {source.name: source.factual for source in self.sources}
        for name in (self.factual and self.factual.sources) or ():
            if name not in flagged:
                raise ValueError(f"`factual.sources` names `{name}`, which is no source")
            if flagged[name]:
                raise ValueError(f"`factual.sources` names `{name}`, which has `factual: true`: it has one band")
        return self

    @model_validator(mode="after")
    def _small_seed(self) -> CorpusManifest:
        minhash = self.dedup.minhash
        if minhash is not None and minhash.permutations != "gristmill" and self.seed > LARGEST_DATASKETCH_SEED:
            raise ValueError(
                f"`seed` must be at most {LARGEST_DATASKETCH_SEED:,} with `permutations: {minhash.permutations}`:"
                " datasketch takes no larger one"
            )
        return self

    @model_validator(mode="after")
    def _unique_names(self) -> CorpusManifest:
        check_unique([source.name for source in self.sources], "source names")
        lists = [entry.name for entry in self.block_lists]
        check_unique(lists, "names of block lists")
        if OPT_OUT in lists:
            raise ValueError(
                f"no block list may be called `{OPT_OUT}`: write `{OPT_OUT}: {{sites: …}}`, which comes first"
            )
        filters = [
            section for group in (self.filters, *(source.filters or () for source in self.sources)) for section in group
        ]
        if self.bad_words is None and any(section.variant == "bad-words" for section in filters):
            raise ValueError("the filter `bad-words` needs `bad_words` with a list of words")
        measured = set() if self.perplexity is None else set(self.perplexity.models)
        for section in filters:
            if section.variant == "ccnet" and (
                missing := set(section.terciles) - measured - ({"any"} if measured else set())
            ):
                raise ValueError(
                    "`terciles` of the filter `ccnet` need a model in `perplexity.models` for:"
                    f" {', '.join(sorted(missing))}"
                )
        return self


def _language(code: object) -> str:
    if not isinstance(code, str):
        raise ValueError(f"`{code}` is no language code: give text, as en")
    return check_language(code)


def load_corpus(path: str | Path) -> CorpusManifest:
    """Load a corpus manifest; relative paths in it become absolute, starting at the manifest's folder."""
    manifest = load(path, CorpusManifest)
    folder = Path(path).resolve().parent
    sources = [s.model_copy(update={"root": _absolute(folder, s.root or ".")}) for s in manifest.sources]
    tokenizer = manifest.tokenizer
    if tokenizer.model is not None:
        tokenizer = tokenizer.model_copy(update={"model": _absolute(folder, tokenizer.model)})
    block_lists = [
        entry.model_copy(
            update={kind: _absolute_all(folder, getattr(entry, kind)) for kind in ("sites", "urls", "words")}
        )
        for entry in manifest.block_lists
    ]
    opt_out = manifest.opt_out
    if opt_out is not None:
        opt_out = OptOut(sites=_absolute_all(folder, opt_out.sites), urls=_absolute_all(folder, opt_out.urls))
    bad_words = manifest.bad_words
    if bad_words is not None:
        bad_words = BadWords(lists={language: _absolute(folder, path) for language, path in bad_words.lists.items()})
    perplexity = manifest.perplexity
    if perplexity is not None:
        models = {
            language: PerplexityModel(
                ngrams=_absolute(folder, model.ngrams), sentencepiece=_absolute(folder, model.sentencepiece)
            )
            for language, model in perplexity.models.items()
        }
        perplexity = perplexity.model_copy(update={"models": models})
    information = manifest.personal_information
    if information is not None and information.sites is not None:
        rule = information.sites
        places = {
            "allow": _absolute_all(folder, rule.allow),
            "merged": None if rule.merged is None else _absolute(folder, rule.merged),
        }
        information = information.model_copy(update={"sites": rule.model_copy(update=places)})
    factual = manifest.factual
    if factual is not None:
        factual = factual.model_copy(update={"model": _absolute(folder, factual.model)})
    return manifest.model_copy(
        update={
            "sources": sources,
            "tokenizer": tokenizer,
            "opt_out": opt_out,
            "block_lists": block_lists,
            "bad_words": bad_words,
            "perplexity": perplexity,
            "personal_information": information,
            "factual": factual,
        }
    )


def _absolute_all(folder: Path, paths: str | list[str] | None) -> list[str] | None:
    if paths is None:
        return None
    return [_absolute(folder, path) for path in ([paths] if isinstance(paths, str) else paths)]


def _absolute(folder: Path, path: str) -> str:
    return path if "://" in path else str((folder / path).resolve())
