"""Texts in which personal information is replaced by tokens that say what was there.

In: n texts and the spans found in them. Out: n texts, row-aligned; texts without spans keep their bytes. Spans of
different kinds that overlap become one, named by the longest of them, then by the order of `KINDS`, then by position:
nothing of any of them stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kernels.arrays import Bytes, Int64s
from kernels.compiled import kernel
from manifests.errors import GristmillError
from pipeline.text.normalise import text_buffers
from pipeline.text.personal.spans import KINDS, Spans

# The first three are Dolma's (arXiv 2402.00159; its tokenizer has them as single tokens), the others follow their form.
TOKENS = {
    "email": "|||EMAIL_ADDRESS|||",
    "phone": "|||PHONE_NUMBER|||",
    "ip": "|||IP_ADDRESS|||",
    "national_id": "|||NATIONAL_ID|||",
    "iban": "|||IBAN|||",
    "payment_card": "|||PAYMENT_CARD|||",
    "street_address": "|||STREET_ADDRESS|||",
    "date_of_birth": "|||DATE_OF_BIRTH|||",
}


def mask(texts: pa.LargeStringArray, spans: Mapping[str, Spans], *, kinds: Sequence[str]) -> pa.LargeStringArray:
    """Replace the spans of the given kinds by their `TOKENS`.

    Args:
        texts: without nulls.
        spans: of `pipeline.text.personal.find_spans` for these texts.
        kinds: some of `KINDS`; their order means nothing.

    Returns:
        As many texts; `texts` itself when there is nothing to mask.

    Raises:
        GristmillError: for a kind that does not exist.
    """
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise GristmillError(
            f"no such kind of personal information: {unknown[0]}", where="mask", remedy=f"use {', '.join(KINDS)}"
        )
    return replace(texts, [(spans[kind], TOKENS[kind]) for kind in KINDS if kind in kinds])


def replace(texts: pa.LargeStringArray, places: Sequence[tuple[Spans, str]]) -> pa.LargeStringArray:
    """Replace spans by tokens; those that overlap become the token of the longest, then of the first in `places`.

    Args:
        texts: without nulls.
        places: spans of one kind, and their token.

    Returns:
        As many texts; `texts` itself when there is nothing to replace.
    """
    if not any(len(spans.starts) for spans, _ in places):
        return texts
    data, offsets = text_buffers(texts)
    starts = np.concatenate([spans.starts + offsets[spans.documents] for spans, _ in places])
    stops = np.concatenate([spans.stops + offsets[spans.documents] for spans, _ in places])
    tokens = np.repeat(np.arange(len(places)), [len(spans.starts) for spans, _ in places])
    order = np.lexsort((tokens, starts))
    token_data, token_offsets = _token_table([token for _, token in places])
    masked, masked_offsets = _replace(
        data, offsets, starts[order], stops[order], tokens[order], token_data, token_offsets
    )
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(masked_offsets), pa.py_buffer(masked))


def _token_table(tokens: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    encoded = [token.encode() for token in tokens]
    return np.frombuffer(b"".join(encoded), np.uint8), np.cumsum([0, *map(len, encoded)]).astype(np.int64)


@kernel
def _merge(starts: Int64s, stops: Int64s, tokens: Int64s) -> tuple[Int64s, Int64s, Int64s]:
    """Overlapping spans as one: start, stop, token of the longest. Spans are sorted by start, then token."""
    merged_starts = np.empty(len(starts), np.int64)
    merged_stops = np.empty(len(starts), np.int64)
    merged_tokens = np.empty(len(starts), np.int64)
    count = 0
    longest = 0
    for span in range(len(starts)):
        length = stops[span] - starts[span]
        if count and starts[span] < merged_stops[count - 1]:
            better = length > longest or (length == longest and tokens[span] < merged_tokens[count - 1])
            merged_stops[count - 1] = max(merged_stops[count - 1], stops[span])
            if better:
                longest = length
                merged_tokens[count - 1] = tokens[span]
            continue
        merged_starts[count], merged_stops[count], merged_tokens[count] = starts[span], stops[span], tokens[span]
        longest = length
        count += 1
    return merged_starts[:count], merged_stops[:count], merged_tokens[:count]


@kernel
def _replace(
    data: Bytes,
    offsets: Int64s,
    starts: Int64s,
    stops: Int64s,
    tokens: Int64s,
    token_data: Bytes,
    token_offsets: Int64s,
) -> tuple[Bytes, Int64s]:
    """Bytes and offsets of the masked texts. Spans never cross documents, so neither do merged ones."""
    starts, stops, tokens = _merge(starts, stops, tokens)
    size = offsets[-1] - offsets[0]
    for span in range(len(starts)):
        size += token_offsets[tokens[span] + 1] - token_offsets[tokens[span]] - (stops[span] - starts[span])
    masked = np.empty(size, np.uint8)
    masked_offsets = np.zeros(len(offsets), np.int64)
    span = position = 0
    for document in range(len(offsets) - 1):
        reached = offsets[document]
        while span < len(starts) and starts[span] < offsets[document + 1]:
            kept = starts[span] - reached
            masked[position : position + kept] = data[reached : starts[span]]
            position += kept
            token = token_data[token_offsets[tokens[span]] : token_offsets[tokens[span] + 1]]
            masked[position : position + len(token)] = token
            position += len(token)
            reached = stops[span]
            span += 1
        kept = offsets[document + 1] - reached
        masked[position : position + kept] = data[reached : offsets[document + 1]]
        position += kept
        masked_offsets[document + 1] = position
    return masked, masked_offsets
