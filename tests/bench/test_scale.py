"""The plan's arithmetic, on numbers small enough to compute by hand."""

import math

import pytest

from bench.power_law import Fit
from bench.scale import Line, Prices, Workload, count, lines, occupied, raised
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
    """400 MB a file are 6 parts of 64 MiB; 248 bytes a document make 248 MB of shuffle: 15 partitions of 16 MiB, 2
    passes of 160 MiB.
    """
    counts = count(WORK, made_up_points())
    assert (counts.parts, counts.partitions, counts.site_partitions, counts.embedded_passes) == (60, 15, 4, 2)
    assert counts.rows == pytest.approx(1e6 / 60)
    assert counts.near_elements == pytest.approx(60 * 15)
    assert counts.edges == 1e6 * 0.5 * 2
    # 500 documents of 1,000 are kept and hold a million tokens: 1e9 tokens are 500,000 documents.
    assert counts.kept_documents == 500_000
    # A task keeps text for one shard: 1e9 tokens in shards of 16 million.
    assert counts.shard_tasks == 63


def test_few_keys_meet_each_their_own_partition_and_many_meet_all():
    assert occupied(10, 1e9) == pytest.approx(10)
    assert occupied(1e6, 10) == pytest.approx(10)
    assert occupied(100, 100) == pytest.approx(100 * (1 - math.exp(-1)))


def test_lines_by_hand():
    points = made_up_points(
        files__extract__cpu=36.0,
        ids__emit_sites__cpu=1e-3,
        ids__reduce_sites__cpu=2e-3,
        clusters__cpu=3.6e-3,
        clusters__memory=150.0,
    )
    counts = count(WORK, points)
    by_name = {line.step: line for line in lines(WORK, points, counts, PRICES)}
    # 4,000 MB at 2 MB a CPU second and 10 files at 36 s: 2,360 s.
    assert by_name["extract, from WARC"].parallel == pytest.approx(2_360 / 3600)
    assert by_name["extract, from WARC"].read == 2 * 3 * 4e9
    # Documents: half a byte of every byte of text; signals and signatures: 500 bytes a document.
    assert by_name["extract, from WARC"].written == 2e9 + 5e8
    assert by_name["decide: sites"].parallel == pytest.approx(3_000 / 3600)
    # A million edges at 3.6 ms: one hour; two files and two requests for each of 15 partitions at 10 ms: 0.6 s.
    clusters = by_name["decide: clusters"]
    assert (clusters.parallel, clusters.serial) == (0, pytest.approx(1 + 0.6 / 3600))
    assert clusters.memory == 150
    assert clusters.read == 1e6 * 800 / 100
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
    points = made_up_points(clusters__memory=150.0)
    found = {limit.what: limit for limit in limits(WORK, points, count(WORK, points), PRICES)}
    memory = next(limit for what, limit in found.items() if "emit_clusters" in what)
    assert (memory.value, memory.bound) == (pytest.approx(0.15), 64)
    assert memory.documents == pytest.approx(1e6 * 64 / 0.15)
    parts = found["number of a part in a row id"]
    assert parts.documents == pytest.approx(1e6 * 2**24 / 60)
    # The most frequent band is in 0.2 % of a million documents: 16 bytes each; the bound is 32 MiB.
    key = next(limit for what, limit in found.items() if what.startswith("one key"))
    assert key.value == pytest.approx(0.032)
    assert key.documents == pytest.approx(1e6 * 32 * 2**20 / 32_000)


def test_elements_shrink_as_partitions_grow():
    points = made_up_points()
    small = next(
        limit for limit in limits(WORK, points, count(WORK, points), PRICES) if "shuffle element" in limit.what
    )
    # 14 bands of 16 bytes of 16,667 documents over 15 partitions.
    assert small.value == pytest.approx(14 * 16 * 1e6 / 60 / 15)
    assert small.documents > WORK.documents
