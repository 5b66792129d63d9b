"""Band keys: documents whose signatures agree in all rows of one band get the same key there.

In: signatures uint32[n, bands x rows]. Out: uint64[n, bands], row-aligned. Two documents of Jaccard similarity s share
a key with probability 1 - (1 - s^rows)^bands (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, section 3.4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kernels.arrays import Int64s, Uint32s, Uint64s
from kernels.compiled import kernel
from kernels.hashing import mix

U64 = np.uint64


def band_keys(
    signatures: npt.NDArray[np.uint32], *, bands: int, rows: int, chosen: Int64s | None = None
) -> npt.NDArray[np.uint64]:
    """uint64[n, bands]; the band's number is part of the key, so that keys of different bands differ.

    Args:
        chosen: int64[n], numbers of the signatures to make keys of; None: of all.

    Raises:
        ValueError: signatures are not `bands` x `rows` long.
    """
    if signatures.shape[1] != bands * rows:
        raise ValueError(f"signatures of length {signatures.shape[1]} do not make {bands} bands of {rows}")
    if chosen is None:
        chosen = np.arange(len(signatures))
    keys = np.empty((len(chosen), bands), np.uint64)
    _band_keys(np.ascontiguousarray(signatures), chosen, rows, keys)
    return keys


def found_with(similarity: float, *, bands: int, rows: int) -> float:
    """The probability that two documents of this Jaccard similarity share a band: 1 - (1 - s^rows)^bands."""
    return 1.0 - (1.0 - similarity**rows) ** bands


@kernel
def _band_keys(signatures: Uint32s, chosen: Int64s, rows: int, keys: Uint64s) -> None:
    for document in range(keys.shape[0]):
        signature = signatures[chosen[document]]
        for band in range(keys.shape[1]):
            h = U64(band + 1)
            for row in range(rows):
                h = mix(h, U64(signature[band * rows + row]))
            keys[document, band] = h
