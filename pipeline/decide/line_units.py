"""The lines or paragraphs of one part that count when documents are compared by lines.

In: a part's `lines`, signals and ids; what became of duplicates; the rule of `dedup.lines`. Out: `PartUnits`. Only
lines of documents that stay count, and of these only the ones that filters leave: a document that goes takes no line of
another with it. Keys are the hashes that extract stored, apart by source and group where the rule says so. No text is
read.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from dedup.lines import Units, apart, chosen_units, line_units, paragraph_units, preferences, sums
from kernels.arrays import Bools, Int64s, Uint64s
from kernels.hashing import MULTIPLIER
from manifests.errors import GristmillError
from manifests.repeated_lines import LineRule
from pipeline.decide.duplicates.fates import joined_reasons
from pipeline.decide.settings import DecideJob
from pipeline.decide.verdicts import judge_part
from pipeline.filters.line_rules import line_values
from pipeline.folders import part_file
from pipeline.parts import Part
from pipeline.schemas import id_halves, read_ipc
from pipeline.text.words.line import LOST_MASK, LOST_SHIFT, WORDS_MASK
from storage.files import join


class PartUnits(NamedTuple):
    """What counts of one part.

    Attributes:
        units: lines or paragraphs, with the keys by which they are compared.
        offsets: int64[n + 1], where each document's lines begin.
        characters: int64[lines].
        preferred: uint64[n, 2], how much its documents are preferred; None if nobody keeps a repeated line.
        stays: bool[n], which documents stay.
    """

    units: Units
    offsets: Int64s
    characters: Int64s
    preferred: npt.NDArray[np.uint64] | None
    stays: Bools


def part_units(part: Part, job: DecideJob, *, rule: LineRule) -> PartUnits:
    """The lines or paragraphs of one part that count.

    Raises:
        GristmillError: the part has no lines, or not those of its signals.
    """
    verdicts = judge_part(part, job)
    path = join(job.extract, part_file("lines", part.name))
    lists = read_ipc(path)["lines"].combine_chunks()
    offsets = lists.offsets.to_numpy().astype(np.int64)
    offsets -= offsets[0]
    packed, expected = line_values(verdicts.signals)
    if not np.array_equal(offsets, expected):
        raise GristmillError(
            "its lines are not those of the signals", where=path, remedy="delete the extract folder and run again"
        )
    items = lists.flatten()
    hashes = items.field("hash").to_numpy()
    characters = items.field("characters").to_numpy().astype(np.int64)
    stays = joined_reasons(part, verdicts.reasons, job).reasons == 0
    counted = np.repeat(stays, np.diff(offsets))
    if verdicts.removed is not None:
        counted &= ~verdicts.removed
    if rule.unit == "line":
        units = line_units(hashes, offsets, counted)
    else:
        begins = items.field("begins_paragraph").to_numpy(zero_copy_only=False)
        units = paragraph_units(hashes, begins, offsets, counted)
    chosen = np.ones(len(units.keys), bool)
    if rule.min_words:
        chosen &= sums(words_of_lines(packed), units) >= rule.min_words
    if rule.min_characters:
        chosen &= sums(characters, units) >= rule.min_characters
    if not chosen.all():
        units = chosen_units(units, chosen)
    ids = id_halves(verdicts.documents["id"])
    if rule.scope == "source" or rule.groups > 1:
        units = apart(units, _scopes(part, ids, rule))
    preferred = None
    if rule.keep != "none":
        words = verdicts.signals["words"].to_numpy().astype(np.int64)
        preferred = preferences(part.priority, words, ids, by_words=rule.keep == "best")
    return PartUnits(units, offsets, characters, preferred, stays)


def words_of_lines(packed: npt.NDArray[np.uint32]) -> Int64s:
    """Words of each line with citations, int64[lines]; `packed` as in `pipeline.text.words.line`."""
    words: Int64s = ((packed & WORDS_MASK) + ((packed >> LOST_SHIFT) & LOST_MASK)).astype(np.int64)
    return words


def _scopes(part: Part, ids: npt.NDArray[np.uint64], rule: LineRule) -> Uint64s:
    """For each document the number of the scope within which its lines are compared, uint64[n]."""
    start = xxhash.xxh3_64_intdigest(part.source.encode()) if rule.scope == "source" else 0
    # Preferences look at the ids' first bits, groups at the last.
    return np.uint64(start) + (ids[:, 1] % np.uint64(rule.groups)) * MULTIPLIER
