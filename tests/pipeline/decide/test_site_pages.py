"""Which pages sites are judged by: the same however documents are dealt out to parts and elements come."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decide import site_pages
from pipeline.decide.runs import run_job
from pipeline.decide.site_evidence import EVIDENCE
from pipeline.decide.site_pages import (
    MOST_PAGES,
    by_site_and_id,
    overlapping,
    pages_of,
    partition_name,
    partition_of,
    partitions_of_rows,
)
from pipeline.decide.site_stages import run_site_pages
from pipeline.decide.site_stages import site_job as with_partitions
from pipeline.engines.runners import Helpers, Runner
from pipeline.schemas import read_ipc
from tests.pipeline.decide.site_parts import Document, deal, expected, page, read, shuffle, site_job, write_parts


def check(documents: Sequence[Document], folder: Path, *, parts: int, partitions: int, seed: int = 0) -> dict[str, int]:
    written = write_parts(folder / "extract", deal(documents, parts, seed))
    job = site_job(folder / "extract", folder / "decide")
    sent = shuffle(written, job, partitions=partitions, seed=seed)
    rows, pages = expected(documents, site_pages.MOST_PAGES)
    assert read(job, "evidence", partitions=partitions) == rows
    assert [(row["site"], row["id"]) for row in read(job, "pages", partitions=partitions)] == pages
    return sent


SMALL = [page(f"site{number % 7}.example", number) for number in range(60)] + [page(None, 1), page(None, 2)]


@pytest.mark.parametrize(("parts", "partitions", "seed"), [(1, 1, 0), (1, 4, 1), (5, 1, 2), (5, 4, 3), (30, 3, 4)])
def test_any_order_and_number_of_parts(parts: int, partitions: int, seed: int, tmp_path: Path) -> None:
    check(SMALL, tmp_path, parts=parts, partitions=partitions, seed=seed)


def test_copies_of_a_page_count_once(tmp_path: Path) -> None:
    copies = [page("a.example", 1)] * 9 + [page("a.example", 2), page("b.example", 1)] * 2
    check(copies, tmp_path, parts=4, partitions=2)
    job = site_job(tmp_path / "extract", tmp_path / "decide")
    rows = {row["site"]: row for row in read(job, "evidence", partitions=2)}
    assert (rows["a.example"]["documents"], rows["a.example"]["pages"]) == (11, 2)
    assert (rows["b.example"]["documents"], rows["b.example"]["pages"]) == (2, 1)


def test_copies_of_a_masked_page_with_other_values(tmp_path: Path) -> None:
    """Values are hashed before masking, ids after it: which copy counts depends on what they hold, not on who came
    first."""
    copies = [Document("a.example", "call |||PHONE|||", 4, values) for values in ((7, 9), (7,), (8,), (), (5, 6))]
    found = []
    for seed in range(6):
        folder = tmp_path / str(seed)
        job = site_job(folder / "extract", folder / "decide")
        shuffle(write_parts(folder / "extract", deal(copies, 1 + seed % 3, seed)), job, partitions=1, seed=seed)
        found.append([row["personal_values"] for row in read(job, "pages", partitions=1)])
    assert found == [[[5, 6]]] * 6


@pytest.mark.parametrize(("parts", "seed"), [(1, 0), (7, 1), (40, 2)])
def test_large_sites_are_sampled(parts: int, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_pages, "MOST_PAGES", 40)
    large = [page("large.example", number) for number in range(1_500)]
    other = [page("other.example", number) for number in range(41)] + [
        page("small.example", number) for number in range(40)
    ]
    sent = check([*large, *other, *SMALL], tmp_path, parts=parts, partitions=2, seed=seed)
    job = site_job(tmp_path / "extract", tmp_path / "decide")
    rows = {row["site"]: row["pages"] for row in read(job, "evidence", partitions=2)}
    assert (rows["large.example"], rows["other.example"], rows["small.example"]) == (40, 40, 40)
    assert sent["large.example"] < 3 * 40
    assert [row["site"] for row in read(job, "large", partitions=2)] == ["large.example", "other.example"]


def test_a_large_site_of_copies_keeps_its_pages(tmp_path: Path) -> None:
    """How many pages are sent depends on how many are different, not on how many documents there are."""
    copies = [page("copies.example", number % 3) for number in range(4 * MOST_PAGES)]
    for number in range(4):
        copies += [page(f"copy{number}.example", 1)] * (MOST_PAGES + 1)
    many = [page("many.example", number % 500) for number in range(3 * MOST_PAGES)]
    check([*copies, *many], tmp_path, parts=3, partitions=1)


def test_the_number_of_different_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_pages, "MOST_PAGES", 10)
    documents = [page("exact.example", number % 30) for number in range(200)]
    documents += [page("about.example", number % 3_000) for number in range(9_000)]
    written = write_parts(tmp_path / "extract", deal(documents, 5, 0))
    job = site_job(tmp_path / "extract", tmp_path / "decide")
    shuffle(written, job, partitions=1)
    different = {row["site"]: row["different"] for row in read(job, "large", partitions=1)}
    assert different["exact.example"] == 30
    # Three standard deviations of an eighth.
    assert 3_000 * 5 / 8 < different["about.example"] < 3_000 * 11 / 8


@given(st.text(max_size=9), st.integers(1, 40), st.integers(1, 40))
def test_partitions_of_other_divisions(site: str, partitions: int, others: int) -> None:
    number = partition_of(site, partitions)
    assert 0 <= number < partitions
    assert partition_of(site, others) in overlapping(number, partitions, others=others)
    # None too many: each is read once for each of the division that it meets.
    pairs = [len(overlapping(which, partitions, others=others)) for which in range(partitions)]
    assert sum(pairs) <= partitions + others - 1


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from((0, 1, 5, (1 << 64) - 1)), st.integers(0, 2)), max_size=12)
)
def test_order_by_site_and_id(pages: list[tuple[int, int, int]]) -> None:
    ids = np.array([page[1:] for page in pages], np.uint64).reshape(-1, 2)
    order = by_site_and_id(np.array([page[0] for page in pages], np.int64), ids)
    assert order.tolist() == sorted(range(len(pages)), key=lambda row: pages[row])


@given(st.lists(st.text(max_size=9), max_size=20), st.integers(1, (1 << 31) - 1))
def test_partitions_of_many_names(sites: list[str], partitions: int) -> None:
    table = pa.table({"site": pa.array(sorted(sites), pa.string())})
    assert partitions_of_rows(table, partitions).tolist() == [partition_of(site, partitions) for site in sorted(sites)]


@pytest.mark.parametrize("workers", [1, 2])
def test_with_the_pipeline(workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: Helpers) -> None:
    monkeypatch.setattr(site_pages, "MOST_PAGES", 40)
    monkeypatch.setattr("pipeline.decide.runs.RUN_BYTES", 1)
    monkeypatch.setattr("pipeline.decide.runs.FAN", 2 * workers)
    most = 40 if workers == 1 else MOST_PAGES  # worker processes know nothing of the patch
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 10_000)
    documents = [*(page("large.example", number) for number in range(600)), *SMALL]
    # A part without any site beside large ones.
    parts = write_parts(tmp_path / "extract", [*deal(documents, 4, 0), [page(None, 3)], []])
    job = site_job(tmp_path / "extract", tmp_path / "decide")
    tasks = run_site_pages(with_partitions(parts, run_job(parts, job)), runner=Runner(workers=workers, helpers=helpers))
    partitions = len(tasks) // 2
    assert partitions > 3
    rows, pages = expected(documents, most)
    assert read(job, "evidence", partitions=partitions) == rows
    assert [(row["site"], row["id"]) for row in read(job, "pages", partitions=partitions)] == pages
    assert [task.task for task in tasks[partitions:]] == [
        partition_name("evidence", number) for number in range(partitions)
    ]


BARE = [Document(f"bare{number % 9}.example", "abcdef" * (1 + number), 7 + number % 5) for number in range(40)]


def test_pages_without_evidence_count(tmp_path: Path) -> None:
    """By how many pages a site is judged depends on all of them, and other snapshots may have evidence on the site."""
    check([*BARE, *BARE[:5], *SMALL], tmp_path, parts=3, partitions=2, seed=1)
    job = site_job(tmp_path / "extract", tmp_path / "decide")
    rows = [row for row in read(job, "evidence", partitions=2) if row["site"].startswith("bare")]
    assert sum(row["pages"] for row in rows) == 40
    assert sum(row["page_words"] for row in rows) == sum(document.words for document in BARE)
    assert not any(row[name] for row in rows for name in EVIDENCE.names[2:])


# Of all tables of these documents, as they were when parts were sent through a GroupByKey.
TABLES = "1ef7b92edcaf47e6282521079172bfe3"


@pytest.mark.parametrize("parts", [1, 7])
def test_golden(parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_pages, "MOST_PAGES", 40)
    documents = [*(page("large.example", number % 500) for number in range(600)), *SMALL, *BARE, *BARE[:5]]
    job = site_job(tmp_path / "extract", tmp_path / "decide")
    shuffle(write_parts(tmp_path / "extract", deal(documents, parts, parts)), job, partitions=3)
    tables = {kind: read(job, kind, partitions=3) for kind in ("counts", "large", "pages", "evidence")}
    assert hashlib.sha256(repr(tables).encode()).hexdigest()[:32] == TABLES


@pytest.mark.parametrize("documents", [[], [page(None, 1)]])
def test_no_sites(documents: list[Document], tmp_path: Path) -> None:
    parts = write_parts(tmp_path / "extract", [documents])
    job = site_job(tmp_path / "extract", tmp_path / "decide")
    run_site_pages(with_partitions(parts, run_job(parts, job)), runner=Runner())
    assert read(job, "evidence", partitions=1) == []
    assert read_ipc(f"{job.folder}/{partition_name('evidence', 0)}.arrow").schema == pa.schema(
        [*site_pages.COUNTS, *EVIDENCE]
    )


def test_slices_of_lists() -> None:
    table = pa.table(
        {
            "site": ["a", "a", "b"],
            "words": pa.array([1, 2, 3], pa.int32()),
            "business_marks": pa.array([0, 0, 0], pa.int32()),
            "names_in_row": pa.array([7, 8, 9], pa.int32()),
            "personal_values": pa.array([[1, 2], [3], [4, 5]], site_pages.VALUES.type),
        }
    )
    pages = pages_of(table.slice(1))
    assert pages.offsets.tolist() == [0, 1, 3]
    assert pages.values.tolist() == [3, 4, 5]
    assert pages.sites.tolist() == [0, 1]
    assert pages.rows.tolist() == [8, 9]
    assert pages.values.dtype == np.uint32
