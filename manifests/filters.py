"""The filter variants of a manifest: one section per variant, with its source's published thresholds as defaults.

In: `filters:` of a corpus manifest: a name, a section, or a list of both; `none` or an empty list for no filter. Out: a
tuple of sections in the given order, with every threshold written out. The rules that use them are in the module of
`pipeline.filters` with the variant's name.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from manifests.base import Strict
from manifests.languages import LanguageOrAny

# Why a document is dropped, in the order of the codes in decisions files. New reasons are added at the end; a code is
# never reused. Variants of one rule share a reason: `gopher_words` means that a document failed the words rule of the
# Gopher variant in the manifest.
Reason = Literal[
    "kept",
    "language",
    "gopher_words",
    "gopher_mean_word_length",
    "gopher_hash_symbols",
    "gopher_ellipses",
    "gopher_bullet_lines",
    "gopher_ellipsis_lines",
    "gopher_letter_words",
    "gopher_stop_words",
    "gopher_repeated_lines",
    "gopher_repeated_paragraphs",
    "gopher_repeated_line_characters",
    "gopher_repeated_paragraph_characters",
    "gopher_top_ngrams",
    "gopher_repeated_ngrams",
    "personal_information_site",
    "exact_duplicate",
    "near_duplicate",
    "blocked_site",
    "blocked_url",
    "blocked_word",
    "no_lines_left",
    "c4_page_length",
    "c4_lorem_ipsum",
    "c4_brace",
    "c4_sentences",
    "c4_long_lines",
    "refinedweb_removed_words",
    "ccnet_page_length",
    "ccnet_perplexity",
    "bad_words",
    "fineweb_punctuated_lines",
    "fineweb_short_lines",
    "fineweb_repeated_line_characters",
    "fineweb_newlines",
    "gopher_median_word_length",
    "gopher_symbol_words",
    "personal_information_document",
    "opt_out",
    "duplicate_lines",
    "duplicate_lines_sentences",
]
REASONS: tuple[Reason, ...] = get_args(Reason)

# Pairs of thresholds of the Gopher variants: `min_` must not be above `max_`.
_RANGES = ("words", "mean_word_length", "median_word_length")

Share = Annotated[float, Field(ge=0, le=1)]


class Variant(Strict):
    """Base of filter sections: properties of the filter besides its thresholds, which decide how lines are handled.

    Attributes:
        looks_at_lines: it needs the properties of each line and may remove lines.
        compact: kept lines are stripped of surrounding white space, and empty lines are removed.
    """

    looks_at_lines: ClassVar[bool] = False
    compact: ClassVar[bool] = False

    def removes_citations(self) -> bool:
        """True if citation marks are removed from kept lines."""
        return False


class GopherPaper(Variant):
    """Gopher's document rules (Rae et al. 2021, arXiv 2112.11446, section A.1.1 and table A1)."""

    variant: Literal["gopher-paper"] = "gopher-paper"
    min_words: int = Field(50, ge=0)
    max_words: int = Field(100_000, ge=0)
    min_mean_word_length: float = Field(3, ge=0)
    max_mean_word_length: float = Field(10, ge=0)
    max_hash_symbols_per_word: float = Field(0.1, ge=0)
    max_ellipses_per_word: float = Field(0.1, ge=0)
    max_bullet_lines: Share = 0.9
    max_ellipsis_lines: Share = 0.3
    min_letter_words: Share = 0.8
    min_stop_words: int = Field(2, ge=0)
    max_repeated_lines: Share = 0.30
    max_repeated_paragraphs: Share = 0.30
    max_repeated_line_characters: Share = 0.20
    max_repeated_paragraph_characters: Share = 0.20
    max_top_2gram: float = Field(0.20, ge=0)
    max_top_3gram: float = Field(0.18, ge=0)
    max_top_4gram: float = Field(0.16, ge=0)
    max_repeated_5gram: float = Field(0.15, ge=0)
    max_repeated_6gram: float = Field(0.14, ge=0)
    max_repeated_7gram: float = Field(0.13, ge=0)
    max_repeated_8gram: float = Field(0.12, ge=0)
    max_repeated_9gram: float = Field(0.11, ge=0)
    max_repeated_10gram: float = Field(0.10, ge=0)

    @model_validator(mode="after")
    def _possible(self) -> GopherPaper:
        _check_ranges(self)
        return self


class GopherDatatrove(GopherPaper):
    """Gopher's rules as in datatrove 0.10.1 (gopher_quality_filter.py, gopher_repetition_filter.py)."""

    variant: Literal["gopher-datatrove"] = "gopher-datatrove"  # type: ignore[assignment]


class GopherDolma(Variant):
    """Gopher's rules on the attributes of dolma 1.2.1's `gopher_v2`, with the thresholds of dolma's mixes."""

    variant: Literal["gopher-dolma"] = "gopher-dolma"
    min_words: int = Field(50, ge=0)
    max_words: int = Field(100_000, ge=0)
    min_median_word_length: float = Field(3, ge=0)
    max_median_word_length: float = Field(10, ge=0)
    max_symbol_words: Share = 0.1
    max_bullet_lines: Share = 0.9
    max_ellipsis_lines: Share = 0.3
    min_letter_words: Share = 0.8
    min_stop_words: int = Field(2, ge=0)
    max_copied_lines: Share = 0.30
    max_copied_line_characters: float = Field(
        0.30, ge=0, description="Gopher's own is 0.20, of second and later copies"
    )
    max_top_2gram: float = Field(0.20, ge=0)
    max_top_3gram: float = Field(0.18, ge=0)
    max_top_4gram: float = Field(0.16, ge=0)
    max_copied_5gram: Share = 0.15
    max_copied_6gram: Share = 0.14
    max_copied_7gram: Share = 0.13
    max_copied_8gram: Share = 0.12
    max_copied_9gram: Share = 0.11
    max_copied_10gram: Share = 0.10

    @model_validator(mode="after")
    def _possible(self) -> GopherDolma:
        _check_ranges(self)
        return self


def _check_ranges(section: Strict) -> None:
    """Check that no minimum is above its maximum: no document would pass.

    Raises:
        ValueError: one is.
    """
    values = dict(section)
    for name in _RANGES:
        least, most = values.get(f"min_{name}"), values.get(f"max_{name}")
        if least is not None and most is not None and least > most:
            raise ValueError(f"`min_{name}` ({least}) is above `max_{name}` ({most}): no document would be kept")


class FineWeb(Variant):
    """FineWeb's own document rules (arXiv 2406.17557, section 3.6; datatrove 0.10.1, fineweb_quality_filter.py)."""

    variant: Literal["fineweb"] = "fineweb"
    min_punctuated_lines: Share = 0.12
    max_short_lines: Share = 0.67
    max_repeated_line_characters: float = Field(0.01, ge=0, description="the code's; the paper's text says 0.1")
    max_newlines_per_word: float = Field(0.3, ge=0)


class C4(Variant):
    """What the C4 variants share: tests of lines, then of the rest of the page (TFDS c4_utils.py, `clean_page`)."""

    looks_at_lines: ClassVar[bool] = True
    compact: ClassVar[bool] = True
    variant: str
    end_mark: bool = Field(
        True, description="lines must end with . ? ! or a double quote, not with ...; FineWeb sets false"
    )
    apostrophe: bool = Field(False, description="lines may end with ' too")
    min_words_per_line: int = Field(5, ge=0, le=1_000)
    long_words: bool = Field(True, description="lines with a word of more than 1,000 characters go")
    citations: bool = Field(
        True, description="[1], [edit] and [citation needed] go from lines that stay; line tests never see them"
    )
    javascript: bool = Field(True, description="lines with `javascript` go")
    policy: bool = Field(True, description="lines with one of six phrases like `privacy policy` go")
    lorem_ipsum: bool = Field(True, description="pages with `lorem ipsum` in a line that came so far go")
    brace: bool = Field(True, description="pages with { in a line that came so far go")
    min_sentences: int = Field(3, ge=0, le=31, description="sentences in the lines that stay")
    min_long_lines: int = Field(
        0, ge=0, description="lines of 200 characters or more in the page as it came; mC4 asks for 3"
    )
    max_characters: int | None = Field(None, ge=1, description="longer pages go")

    def removes_citations(self) -> bool:
        return self.citations


class C4Tfds(C4):
    """C4 as built by TensorFlow Datasets (c4_utils.py); words of a line are counted after citations are removed."""

    variant: Literal["c4-tfds"] = "c4-tfds"
    max_characters: int | None = Field(190_000, ge=1, description="longer pages go; c4_utils.py, `is_valid_length`")


class C4ArxivV1(C4):
    """C4 with the thresholds of the paper's first version, as in datatrove 0.10.1 (c4_filters.py).

    Words of a line are counted before citations are removed.
    """

    variant: Literal["c4-arxiv-v1"] = "c4-arxiv-v1"
    apostrophe: bool = Field(True, description="lines may end with ' too")
    min_words_per_line: int = Field(3, ge=0, le=1_000)
    min_sentences: int = Field(5, ge=0, le=31, description="sentences in the lines that stay")


class RefinedWebLines(Variant):
    """RefinedWeb's line corrections (Penedo et al. 2023, arXiv 2306.01116, appendix G.2)."""

    looks_at_lines: ClassVar[bool] = True
    variant: Literal["refinedweb-lines"] = "refinedweb-lines"
    upper: bool = Field(True, description="lines with more capitals than other characters go")
    numeric: bool = Field(True, description="lines of nothing but digits, punctuation and space go")
    counter: bool = Field(True, description="lines like `3 likes` go")
    navigation: bool = Field(
        True, description="lines of at most ten words with a phrase like `sign-in` or `read more...` go"
    )
    min_words_per_line: int = Field(2, ge=0, le=1_000, description="shorter lines go")
    max_removed_words: Share = Field(
        0.05, description="share of the words in removed lines; above it the document goes"
    )


class CCNet(Variant):
    """CCNet's page length and, if signals have a perplexity, its terciles (Wenzek et al. 2019, arXiv 1911.00359)."""

    variant: Literal["ccnet"] = "ccnet"
    min_characters: int = Field(300, ge=0, description="cc_net/mine.py, `min_len`")
    terciles: dict[LanguageOrAny, tuple[float, float]] = Field(
        {}, description="per language, or `any`: perplexity below which a page is head, and below which it is middle"
    )
    keep: list[Literal["head", "middle", "tail"]] = Field(
        ["head", "middle"], min_length=1, description="Llama 1 and RedPajama-1T keep head and middle"
    )

    @model_validator(mode="after")
    def _rising(self) -> CCNet:
        for language, (head, middle) in self.terciles.items():
            if not 0 < head <= middle:
                raise ValueError(f"terciles of `{language}` must be above 0 and rise")
        return self


class BadWordsFilter(Variant):
    """C4's bad-word rule, on the counts of `bad_words`.

    As in mC4, a share of the failing pages, chosen by id, is kept.
    """

    variant: Literal["bad-words"] = "bad-words"
    max_bad_words: int = Field(0, ge=0)
    keep_share: Share = Field(0.0, description="mC4 (TFDS c4_utils.py, `get_badwords_filter_fn`) keeps 0.001")


FilterSpec = Annotated[
    GopherPaper
    | GopherDatatrove
    | GopherDolma
    | FineWeb
    | C4Tfds
    | C4ArxivV1
    | RefinedWebLines
    | CCNet
    | BadWordsFilter,
    Field(discriminator="variant"),
]


def _as_sections(value: Any) -> Any:
    """A list of sections from a name, a section or a list of both; names become sections."""
    if isinstance(value, str | dict | Strict):
        value = [value]
    if not isinstance(value, list | tuple):
        raise ValueError(
            "give the name of a filter, a section with its thresholds, or a list of these; `none` is no filter"
        )
    if "none" in value and len(value) > 1:
        raise ValueError("`none` stands alone: leave it away, or the other filters")
    return [{"variant": entry} if isinstance(entry, str) else entry for entry in value if entry != "none"]


Filters = Annotated[tuple[FilterSpec, ...], BeforeValidator(_as_sections)]
