"""Made-up measurements in whole numbers, for plans that can be computed by hand."""

from bench.power_law import Series, fit_power
from bench.scale import Points
from bench.scale_tables import LEVELS, SHOWN

SIZES = [1.0, 2.0, 4.0, 16.0]


def line_through(slope: float, *, zero: float = 0.0, of: str = "documents", unit: str = "CPU s") -> Series:
    """Points of `zero + slope * size`."""
    return Series(
        of=of, unit=unit, command="--only made-up", x=SIZES, y=[zero + slope * size for size in SIZES], zero=zero
    )


def made_up_points(**slopes: float) -> Points:
    """Every series with slope 1, but for those given (dots in names as two underscores); every figure 1, but for those
    below.
    """
    given = {name.replace("__", "."): value for name, value in slopes.items()}
    series = {name: line_through(given.get(name, 1.0)) for name in (*SHOWN, *LEVELS, "open.bytes")}
    facts = {
        "documents": 1_000.0,
        "kept_documents": 500.0,
        "text_mb": 4.0,
        "tokens": 1_000_000.0,
        "pairs_per_duplicate": 2.0,
        "tokenizer.scan_mb_per_cpu_s": 100.0,
        "memory.extract.peak_mb": 500.0,
        "extract.written.extract/documents.bytes": 2_000_000.0,
        "extract.written.extract/signals.bytes": 50_000.0,
        "extract.written.extract/signatures.bytes": 450_000.0,
        "decide.written.decide/decisions.bytes": 2_000.0,
        "decide.written.decide/dropped.bytes": 50_000.0,
        "tokenize.written.shards/documents.bytes": 25_000.0,
        **{f"decide.reading.{name}": 1_000.0 for name in ("sites", "duplicates", "decisions")},
    }
    for kind, speed, raw in (("warc", 2.0, 3.0), ("jsonl", 20.0, 0.5)):
        facts |= {f"extract.{kind}.text_mb_per_cpu_s": speed, f"extract.{kind}.raw_bytes_per_text_byte": raw}
    fits = {name: fit for name, one in series.items() if (fit := fit_power(one)) is not None}
    return Points(series=series, fits=fits, facts=facts)
