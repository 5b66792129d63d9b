"""The rules for lines and paragraphs that several documents share: `dedup.lines` of a corpus manifest.

In: null, the name of a rule, or a section with the rule's name and options. Out: a section with every option written
out, with the published values as defaults. `pipeline.decide.lines` follows these rules.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from manifests.base import Strict

# How a line is changed before it is compared (`pipeline.text.line_hashes`).
Normalisation = Literal["ccnet", "ccnet-paper", "c4"]
# Which document of several keeps a line that all of them have: none, the one whose id comes first, or the best one.
Keep = Literal["none", "hash", "best"]


class LineRule(Strict):
    """What the rules share. In all of them, a line that stays in a document stays once: its later copies there go."""

    rule: str
    unit: Literal["line", "paragraph"] = Field(
        "line", description="what is compared: lines, or whole runs of lines between blank ones"
    )
    scope: Literal["corpus", "source"] = Field(
        "corpus", description="`source`: lines are compared within their source only"
    )
    groups: int = Field(
        1, ge=1, le=65_536, description="lines are compared within so many groups of documents, drawn by document id"
    )
    keep: Keep = Field(
        "none",
        description="who keeps a repeated line: no document, the one whose id (a hash) is first, or the best one:"
        " smallest priority, most words, first id",
    )
    max_documents: int = Field(1, ge=1, description="lines in no more documents than this stay in all of them")
    min_words: int = Field(0, ge=0, le=1_000, description="lines with fewer words always stay")
    min_characters: int = Field(0, ge=0, description="lines with fewer characters always stay")
    min_sentences: int = Field(
        0, ge=0, le=31, description="a document that lost lines and has fewer sentences left goes"
    )

    @property
    def normalisation(self) -> Normalisation:
        """How lines are changed before they are compared."""
        raise NotImplementedError


class CCNetLines(LineRule):
    """CCNet's paragraphs, which are lines (Wenzek et al. 2019, arXiv 1911.00359, section 3; cc_net/dedup.py).

    A line that two documents of a group have goes from all documents of the group.
    """

    rule: Literal["ccnet"] = "ccnet"
    normalise: Literal["code", "paper"] = Field(
        "code", description="`paper`: accents and all punctuation go too, as the paper says and its code does not do"
    )
    groups: int = Field(
        32,
        ge=1,
        le=65_536,
        description="lines are compared within so many groups of documents, drawn by document id; CCNet compares 50 of"
        " a snapshot's 1,600 shards (cc_net/mine.py, `hash_in_mem`); 1: the whole corpus",
    )

    @property
    def normalisation(self) -> Normalisation:
        return "ccnet" if self.normalise == "code" else "ccnet-paper"


class C4Lines(LineRule):
    """C4's lines (Raffel et al. 2020, arXiv 1910.10683, section 2.2; TFDS c4_utils.py, `remove_duplicate_text`).

    A line stays in one of the documents that have it, drawn by a hash.
    """

    rule: Literal["c4"] = "c4"
    keep: Keep = Field(
        "hash",
        description="who keeps a repeated line: no document, the one whose id (a hash) is first, or the best one:"
        " smallest priority, most words, first id",
    )
    min_sentences: int = Field(
        3, ge=0, le=31, description="a document that lost lines and has fewer sentences left goes"
    )

    @property
    def normalisation(self) -> Normalisation:
        return "c4"


def _as_section(value: Any) -> Any:
    """A section from a rule's name; anything else as it is."""
    return {"rule": value} if isinstance(value, str) else value


Lines = Annotated[
    Annotated[CCNetLines | C4Lines, Field(discriminator="rule")] | None,
    BeforeValidator(_as_section),
]
