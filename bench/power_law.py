"""Power laws through measured points.

In: series of points (size, value), and the cost of the smallest possible input. Out: slopes and exponents with their
ranges.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

# Student's t for a two-sided range of 95 % (Student 1908), by degrees of freedom: points less two.
_STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447}


@dataclass(frozen=True)
class Fit:
    """value = factor * size ** exponent; the exponent lies between `low` and `high` with 95 % confidence, errors being
    normal.
    """

    exponent: float
    low: float
    high: float
    factor: float

    def as_json(self) -> dict[str, float]:
        return asdict(self)


@dataclass
class Series:
    """Measured points.

    Attributes:
        of: what a size counts.
        unit: of the values.
        command: options of bench/slopes.py that measure it.
        x, y: sizes and values, by size.
        zero: the value of the smallest possible input: start-up and the like.
        origin: the size of that input.
    """

    of: str
    unit: str
    command: str
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)
    zero: float = 0.0
    origin: float = 0.0

    def sizes(self) -> list[float]:
        """Sizes less the origin."""
        return [size - self.origin for size in self.x]

    def net(self) -> list[float]:
        """Values less the zero."""
        return [value - self.zero for value in self.y]

    def slope(self) -> float:
        """Net value per unit of size, at the largest size: where start-up and chance weigh least."""
        return self.net()[-1] / self.sizes()[-1]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def fit_power(series: Series) -> Fit | None:
    """Least squares on the logarithms of sizes and net values; None when a net value is not above 0 or there are under
    three points.

    Raises:
        ValueError: all sizes are equal.
    """
    values = series.net()
    if len(values) < 3 or min(values) <= 0:
        return None
    xs, ys = [math.log(x) for x in series.sizes()], [math.log(y) for y in values]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    if not spread:
        raise ValueError("all sizes are equal")
    exponent = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    constant = mean_y - exponent * mean_x
    freedom = len(xs) - 2
    residual = sum((y - constant - exponent * x) ** 2 for x, y in zip(xs, ys, strict=True))
    half = _STUDENT.get(freedom, 2.0) * math.sqrt(residual / freedom / spread)
    return Fit(exponent, exponent - half, exponent + half, math.exp(constant))
