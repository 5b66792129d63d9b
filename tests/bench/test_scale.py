"""The plan's arithmetic, on numbers small enough to compute by hand."""

from dataclasses import replace

import pytest

from bench.power_law import Fit
from bench.scale import Line, Prices, Workload, count, duplicate_tasks, lines, raised
from bench.scale_limits import limits
from tests.bench.points import made_up_points

WORK = Workload(
    documents=1e6,
    text_bytes=4e9,
    tokens=1e9,
    raw_files=10,
    shard_tokens=16e6,
    duplicate_share=0.5,
    documents_per_site=100,
    site_bytes=20,
)
PRICES = Prices(core_hour=0.1, efficiency=0.5, request_s=0.01)


def test_counts_are_those_of_the_code():
    """400 MB a file are 6 parts of 64 MiB; 14 bands of 16 bytes a document: 18 parts of 16,667 rows reach 64 MiB."""
    counts = count(WORK, made_up_points())
    assert (counts.parts, counts.runs, counts.blocks) == (60, 4, 1)
    assert counts.rows == pytest.approx(1e6 / 60)
    assert counts.batch_bytes == pytest.approx(18 * 1e6 / 60 * 16 * 14 / 4)
    assert counts.pairs == 1e6 * 0.5 * 2
    # 500 documents of 1,000 are kept and hold a million tokens: 1e9 tokens are 500,000 documents.
    assert counts.kept_documents == 500_000
    # A task keeps text for one shard: 1e9 tokens in shards of 16 million.
    assert counts.shard_tasks == 63


def test_many_runs_go_through_two_levels():
    """10,000 files of 6 parts with 16,667 rows: 3,334 runs in 14 blocks."""
    counts = count(replace(WORK, documents=1e9, text_bytes=4e12, raw_files=10_000), made_up_points())
    assert (counts.parts, counts.runs, counts.blocks) == (60_000, 3_334, 14)
    assert counts.batch_bytes == pytest.approx(18 * 1e6 / 60 * 16 * 14 / 14)
    # Eleven stages and seven of the choice, one task a run; the second level of eleven exchanges.
    assert duplicate_tasks(counts) == 18 * 3_334 + 12 * 14**2


def test_lines_by_hand():
    points = made_up_points(
        files__extract__cpu=36.0,
        ids__sites__cpu=3e-3,
        ids__duplicates__handed=5e-4,
    )
    counts = count(WORK, points)
    by_name = {line.step: line for line in lines(WORK, points, counts, PRICES)}
    # 4,000 MB at 2 MB a CPU second and 10 files at 36 s: 2,360 s.
    assert by_name["extract, from WARC"].parallel == pytest.approx(2_360 / 3600)
    assert by_name["extract, from WARC"].read == 2 * 3 * 4e9
    # Documents: half a byte of every byte of text; signals and signatures: 500 bytes a document.
    assert by_name["extract, from WARC"].written == 2e9 + 5e8
    assert by_name["decide: sites"].parallel == pytest.approx(3_000 / 3600)
    # One level: what is handed on is written once.
    assert by_name["decide: duplicates"].shuffled == pytest.approx(1e6 * 5e-4 * 1e6)
    # 2 bytes a token, and 50 bytes a kept document beside them.
    assert by_name["tokenize"].written == 2e9 + 50 * 500_000


def test_wall_time_and_cost():
    """10 hours that divide over 100 cores at half efficiency, and 1 that does not."""
    line = Line("a", parallel=10.0, serial=1.0)
    assert line.wall(100, PRICES) == pytest.approx(1.2)
    assert line.cost(PRICES) == pytest.approx(2.1)


def test_an_exponent_counts_only_where_it_is_above_one_for_certain():
    points = made_up_points()
    points.fits["extract.cpu"] = Fit(1.5, 1.4, 1.6, 1.0)
    points.fits["tokenize.cpu"] = Fit(1.5, 0.9, 2.1, 1.0)
    # From size 16 to 1,600: 100 ** 0.5 more than linear.
    assert raised(3.0, 1_600, points, "extract.cpu") == pytest.approx(30)
    assert raised(3.0, 1_600, points, "tokenize.cpu") is None
    assert raised(3.0, 1_600, points, "no such series") is None


def test_limits_are_met_at_the_number_of_documents_they_name():
    """The same plan at that number of documents puts the quantity at its bound."""
    points = made_up_points(graph__bytes=100.0)
    found = {limit.what: limit for limit in limits(WORK, points, count(WORK, points), PRICES)}
    parts = found["number of a part in a row id"]
    assert parts.documents == pytest.approx(1e6 * 2**31 / 60)
    job = found["the submitted job: all runs in one Create"]
    assert job.value == pytest.approx(4 * 100 / 1e6)
    assert job.documents == pytest.approx(1e6 * 104.9e6 / 400)
    # A bucket of 65,536 rows of 160 bytes; with more runs than that, one row a run: 64 MiB are 419,430 of them.
    key = next(limit for what, limit in found.items() if what.startswith("one key"))
    assert key.value == pytest.approx(65_536 * 160 / 1e6)
    assert key.documents == pytest.approx(1e6 * 419_430.4 / 4)


def test_batches_of_two_levels_shrink_as_runs_grow():
    work = replace(WORK, documents=1e9, text_bytes=4e12, raw_files=10_000)
    points = made_up_points()
    [batch] = [each for each in limits(work, points, count(work, points), PRICES) if "two levels" in each.what]
    assert batch.value == pytest.approx(18 * 1e6 / 60 * 16 * 14 / 14)
    assert batch.documents == pytest.approx(1e9 * batch.value / 65_536)
