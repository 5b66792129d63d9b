"""Types of what kernels take and fill: arrays by what they hold, whatever their shape.

They are for readers and for mypy, which checks a kernel's callers; numba compiles a kernel for what it is called with.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

# Places and counts: Python passes an int, and a kernel passes another one an int64.
Integer: TypeAlias = int | np.int64
# What comparing them gives.
Boolean: TypeAlias = bool | np.bool_
# UTF-8, files, and other bytes.
Bytes: TypeAlias = npt.NDArray[np.uint8]
Uint16s: TypeAlias = npt.NDArray[np.uint16]
Uint32s: TypeAlias = npt.NDArray[np.uint32]
Uint64s: TypeAlias = npt.NDArray[np.uint64]
Int32s: TypeAlias = npt.NDArray[np.int32]
Int64s: TypeAlias = npt.NDArray[np.int64]
Float32s: TypeAlias = npt.NDArray[np.float32]
Float64s: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
