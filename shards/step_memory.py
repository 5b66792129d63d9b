"""Arrays for the windows of a step, in the memory of an earlier step that nobody holds any more.

Fresh memory has to be cleared by the system: for a step of 1,024 windows of 4,096 tokens, 34 MB as int64, this costs
as much as to read the tokens.
"""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

# Bytes: smaller ones the allocator keeps and gives again.
_LARGE = 4 << 20


def step_array(shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """An int64 array of undefined contents, to be filled. No other array that is still held shares its memory."""
    if 8 * shape[0] * shape[1] < _LARGE:
        return np.empty(shape, np.int64)
    return np.asarray(_Lent(shape))


class _Lent:
    """Memory that an array and all views of it hold, and nothing else does: when the last of them goes, it is spare."""

    # No more than one lies idle.
    _spare: ClassVar[deque[npt.NDArray[np.int64]]] = deque(maxlen=1)

    def __init__(self, shape: tuple[int, int]) -> None:
        try:
            memory = self._spare.pop()
        except IndexError:
            memory = np.empty(shape, np.int64)
        self._memory = memory if memory.shape == shape else np.empty(shape, np.int64)
        self.__array_interface__: dict[str, Any] = self._memory.__array_interface__

    def __del__(self) -> None:
        self._spare.append(self._memory)
