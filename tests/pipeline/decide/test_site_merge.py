"""Merging snapshots: what one run over all documents decides, whatever the order and the partitions of the folders."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import pipeline.schemas
import storage.destination
import storage.steps
from manifests.corpus import SiteRule
from manifests.errors import GristmillError
from pipeline.decide import site_merge, site_pages, snapshots
from pipeline.decide.site_merge import MergeJob, MergeTask, merge_partition, merge_sites
from pipeline.decide.site_pages import kind_file
from pipeline.decide.snapshots import Snapshot, Texts, check_same
from pipeline.engines.runners import Helpers, Runner
from pipeline.folders import DECIDE, EXTRACT
from pipeline.schemas import read_ipc
from storage.verify import exported_step, verify_export
from tests.endtoend.corpora import change, tree_hashes
from tests.pipeline.decide.site_corpus import BLOG, HEAVY, MIXED, RULE, dropped, judge, write_pages
from tests.pipeline.decide.site_corpus import snapshots as crawls_of
from tests.pipeline.decide.site_parts import Document, deal, page, shuffle, site_job, write_parts
from tests.stopping import Stopped, limit_publishing

KINDS = ("counts", "pages", "evidence")


def crawl(documents: Sequence[Document], folder: Path, *, partitions: int, seed: int) -> Snapshot:
    """A folder with the sites of some documents, without steps."""
    parts = write_parts(folder / EXTRACT, deal(documents, 1 + seed % 4, seed))
    job = site_job(folder / EXTRACT, folder / DECIDE)
    shuffle(parts, job, partitions=partitions, seed=seed)
    return Snapshot(
        place=str(folder),
        extract=f"{seed:064x}",
        partitions=partitions,
        rows=sum(read_ipc(f"{job.folder}/{kind_file('counts', number)}").num_rows for number in range(partitions)),
        documents=len(documents),
        rule=SiteRule(),
        allowed=None,
        texts=Texts(version=1, text={}, mask=(), sources={}),
    )


def files(folder: str, partitions: int) -> dict[str, bytes]:
    return {
        name: (Path(folder) / name).read_bytes()
        for number in range(partitions)
        for name in (kind_file(kind, number) for kind in KINDS)
    }


@pytest.mark.parametrize("seed", range(8))
def test_the_bytes_of_one_run_over_all_documents(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sites, sites that are large in one, in all, or only in all together; copies within and between snapshots;
    masked pages that differ in their values alone.
    """
    monkeypatch.setattr(site_pages, "MOST_PAGES", 40)
    draw = random.Random(seed)
    drawn = [page(f"site{draw.randrange(12)}.example", draw.randrange(30)) for _ in range(300)]
    drawn += [page(f"large{draw.randrange(3)}.example", draw.randrange(400)) for _ in range(700)]
    drawn += [page("grows.example", draw.randrange(200)) for _ in range(90)] + [
        page(None, number) for number in range(9)
    ]
    drawn += [Document("masked.example", f"masked {number % 3}", 5, (number,)) for number in range(20)]
    crawls: list[list[Document]] = [[], [], [], []]
    for document in drawn:
        for number in draw.sample(range(4), draw.choice((1, 1, 2))):
            crawls[number].append(document)
    partitions = draw.choice((1, 3, 8))
    together = crawl(
        [document for some in crawls for document in some], tmp_path / "one", partitions=partitions, seed=99
    )
    merged = [
        crawl(some, tmp_path / str(number), partitions=draw.choice((1, 2, 5, 16)), seed=number)
        for number, some in enumerate(crawls)
    ]
    job = MergeJob(
        folder=str(tmp_path / "merged"),
        key="key",
        rule=SiteRule(),
        allowed=None,
        snapshots=tuple(merged),
        partitions=partitions,
    )
    tasks = [
        merge_partition(MergeTask(name="t", key="key", partition=number), job)
        for number in draw.sample(range(partitions), partitions)
    ]
    assert files(job.folder, partitions) == files(f"{together.place}/{DECIDE}", partitions)
    for snapshot in merged:
        assert sum(task.details["read"][snapshot.extract] for task in tasks) == snapshot.rows


def merge(folders: Sequence[Path], out: Path, *, runner: Runner | None = None) -> Any:
    return merge_sites([str(folder) for folder in folders], out=str(out), runner=runner or Runner())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three crawls, each decided by itself."""
    place, found = tmp_path_factory.mktemp("crawls"), []
    for number, records in enumerate(crawls_of()):
        judge(write_pages(place / f"raw{number}", records=records, files=1 + number), place / f"crawl{number}")
        found.append(place / f"crawl{number}")
    return found


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run over all of them."""
    place = tmp_path_factory.mktemp("one")
    records = [record for some in crawls_of() for record in some]
    judge(write_pages(place, records=records), place / "out")
    return place / "out"


@pytest.fixture(scope="module")
def merged(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("merged") / "out"
    merge(folders, out)
    return out


def test_all_tables_are_those_of_one_run(merged: Path, one: Path, folders: list[Path]) -> None:
    names = [*(kind_file(kind, 0) for kind in KINDS), "sites/00000.arrow", "sites/dropped.arrow"]
    for name in names:
        assert (merged / name).read_bytes() == (one / DECIDE / name).read_bytes(), name
    assert (merged / "dropped.txt").read_text() == f"{BLOG}\n{HEAVY}\n"
    # A crawl by itself says otherwise.
    assert f"{MIXED}-0" in dropped(folders[0])
    assert f"{MIXED}-0" not in dropped(one)


def test_documents_add_up_and_a_page_counts_once(merged: Path) -> None:
    rows = {row["site"]: row for row in read_ipc(str(merged / "sites/00000.arrow")).to_pylist()}
    assert (rows[HEAVY]["documents"], rows[HEAVY]["pages"]) == (12, 9)
    assert (rows[MIXED]["documents"], rows[MIXED]["pages"]) == (24, 24)


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_any_order_and_any_number_of_workers_and_partitions(
    workers: int, folders: list[Path], merged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: Helpers
) -> None:
    runner = Runner(workers=workers, helpers=helpers)
    order = [folders[number] for number in ((2, 0, 1), (1, 2, 0), (2, 1, 0))[workers % 3]]
    merge(order, tmp_path / "again", runner=runner)
    assert tree_hashes(tmp_path / "again") == tree_hashes(merged)
    # In partitions: the same whatever the folders have.
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 1_500)
    split = []
    for number, folder in enumerate(folders):
        split.append(tmp_path / folder.name)
        shutil.copytree(folder / EXTRACT, split[-1] / EXTRACT)
        monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 500 * (1 + number * workers))
        judge(folder.parent / f"raw{number}" / "corpus.yaml", split[-1])
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 1_500)
    merge(order, tmp_path / "one", runner=runner)
    merge(split, tmp_path / "many", runner=runner)
    assert len(list((tmp_path / "one/sites").glob("evidence-*.arrow"))) > 3
    others = {name: digest for name, digest in tree_hashes(tmp_path / "one").items() if name != ".folders.json"}
    assert others == {
        name: digest for name, digest in tree_hashes(tmp_path / "many").items() if name != ".folders.json"
    }


def test_a_merge_says_nothing_of_places_but_where_examples_are(
    folders: list[Path], merged: Path, tmp_path: Path
) -> None:
    moved = [shutil.copytree(folder, tmp_path / folder.name) for folder in folders]
    before, after = tree_hashes(merged), (merge(moved, tmp_path / "out"), tree_hashes(tmp_path / "out"))[1]
    assert {name for name in before if before[name] != after[name]} == {".folders.json"}


def test_one_folder_is_judged_as_by_itself(folders: list[Path], tmp_path: Path) -> None:
    merge(folders[:1], tmp_path / "out")
    for name in ("sites/00000.arrow", "sites/dropped.arrow"):
        assert (tmp_path / "out" / name).read_bytes() == (folders[0] / DECIDE / name).read_bytes()


def test_nothing_is_dropped(tmp_path: Path) -> None:
    judge(write_pages(tmp_path, rule={**RULE, "bias": -100.0}), tmp_path / "crawl")
    merge([tmp_path / "crawl"], tmp_path / "out")
    assert (tmp_path / "out/dropped.txt").read_bytes() == b""


def test_allowed_sites_stay(tmp_path: Path) -> None:
    found = []
    for number, records in enumerate(crawls_of()[:2]):
        (tmp_path / f"raw{number}").mkdir()
        (tmp_path / f"raw{number}/allow.txt").write_text("people.example\n")
        judge(
            write_pages(tmp_path / f"raw{number}", records=records, rule={**RULE, "allow": "allow.txt"}),
            tmp_path / str(number),
        )
        found.append(tmp_path / str(number))
    merge(found, tmp_path / "out")
    assert (tmp_path / "out/dropped.txt").read_text() == f"{BLOG}\n"
    rows = read_ipc(str(tmp_path / "out/sites/00000.arrow")).to_pylist()
    assert [row["site"] for row in rows if row["allowed"]] == [HEAVY]


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"personal_information": {"sites": {**RULE, "bias": -2.5}}}, "personal_information.sites.bias"),
        (
            {"personal_information": {"sites": {**RULE, "weights": {"email_and_more": 5.0}, "furniture_share": 0.05}}},
            "personal_information.sites.furniture_share, personal_information.sites.weights.email_and_more,"
            " personal_information.sites.weights.staff",
        ),
        ({"personal_information": {"sites": {**RULE, "allow": "list"}}}, "personal_information.sites.allow"),
        ({"personal_information": {"sites": RULE, "mask": ["email"]}}, "personal_information.mask"),
        ({"text": {"unicode": "NFC"}}, "text.unicode"),
        (
            {"sources": [{"name": "web", "format": "jsonl", "files": ["*.jsonl"], "licence": "l", "url_field": "id"}]},
            "sources.web.url_field",
        ),
    ],
)
def test_folders_with_other_settings_are_refused(
    sections: dict[str, object], problem: str, folders: list[Path], tmp_path: Path
) -> None:
    path = change(write_pages(tmp_path, records=crawls_of()[1]), **sections)
    (tmp_path / "list").write_text("a.example\n")
    judge(path, tmp_path / "other")
    with pytest.raises(GristmillError) as caught:
        merge([folders[0], tmp_path / "other"], tmp_path / "out")
    assert f": other {problem}\n" in str(caught.value)
    assert caught.value.remedy
    assert not (tmp_path / "out").exists()


def test_pages_of_other_ways_to_extract_html(tmp_path: Path) -> None:
    def described(**sources: dict[str, object]) -> Snapshot:
        return Snapshot(
            place="/" + "".join(sources),
            extract="".join(sources),
            partitions=1,
            rows=1,
            documents=1,
            rule=SiteRule(),
            allowed=None,
            texts=Texts(version=1, text={}, mask=(), sources=sources),  # type: ignore[arg-type]
        )

    fast, precise = ({"format": "warc", "extraction": name} for name in ("resiliparse", "trafilatura"))
    plain: dict[str, object] = {"format": "jsonl", "text_field": "text"}
    for one, other, problem in (
        (described(a=fast), described(b=precise), "extraction of warc"),
        (described(web=fast, a=plain), described(web=precise), "sources.web.extraction"),
    ):
        with pytest.raises(GristmillError, match=f": other {problem}\n"):
            check_same([one, other])
    check_same([described(a=fast), described(b=fast, c={**plain, "text_field": "body"}), described(d=plain)])


def test_the_same_documents_twice_are_refused(folders: list[Path], tmp_path: Path) -> None:
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    for twice in (folders[0], copy):
        with pytest.raises(GristmillError, match=r"holds the same documents as .*crawl0.*\n.*name each snapshot once"):
            merge([folders[0], folders[1], twice], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_decided_folder_is_refused(folders: list[Path], merged: Path, tmp_path: Path) -> None:
    for place in (tmp_path, merged):
        with pytest.raises(GristmillError, match=r"the step is not complete\n.*run `gristmill extract` first"):
            merge([folders[0], place], tmp_path / "out")
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    shutil.rmtree(copy / DECIDE)
    with pytest.raises(GristmillError, match="run `gristmill decide` first"):
        merge([copy], tmp_path / "out")
    judge(write_pages(tmp_path / "raw", rule=None), tmp_path / "none")
    with pytest.raises(GristmillError, match="no site was judged"):
        merge([tmp_path / "none"], tmp_path / "out")


@pytest.mark.parametrize("kind", ["counts", "pages"])
def test_missing_and_damaged_files_are_named(kind: str, folders: list[Path], tmp_path: Path) -> None:
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    path = copy / DECIDE / kind_file(kind, 0)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(GristmillError, match=f"{path}: .*\n.*run `gristmill decide`"):
        merge([copy], tmp_path / "out")
    path.unlink()
    with pytest.raises(GristmillError, match=f"{path}: .*\n.*run `gristmill decide`"):
        merge([copy], tmp_path / "out")
    # The documents are not looked at.
    other = shutil.copytree(folders[0], tmp_path / "other")
    shutil.rmtree(other / EXTRACT / "documents")
    merge([other], tmp_path / "out")


def test_decisions_of_another_version_or_extract(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    shutil.rmtree(copy / EXTRACT)
    shutil.copytree(folders[1] / EXTRACT, copy / EXTRACT)
    with pytest.raises(GristmillError, match="belong to another extract"):
        merge([copy], tmp_path / "out")
    monkeypatch.setattr(snapshots, "VERSION", 999)
    with pytest.raises(GristmillError, match=r"another version of Gristmill\n.*run `gristmill decide` again"):
        merge(folders, tmp_path / "out")


def test_a_folder_with_something_else_is_refused(folders: list[Path], tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("mine")
    with pytest.raises(GristmillError, match="is not empty"):
        merge(folders, tmp_path / "full")
    merge(folders[:2], tmp_path / "out")
    with pytest.raises(GristmillError, match="something else was begun here: other inputs"):
        merge(folders, tmp_path / "out")
    with pytest.raises(GristmillError, match="which is read"):
        merge(folders, folders[0] / EXTRACT / "merged")


def test_verified(merged: Path, tmp_path: Path) -> None:
    step = exported_step(str(merged))
    assert step is not None
    assert verify_export(str(merged), step) == (len(step.outputs), [])
    copy = shutil.copytree(merged, tmp_path / "copy")
    (copy / "dropped.txt").write_text("shop.example\n")
    (finding,) = verify_export(str(copy), step)[1]
    assert "dropped.txt" in finding.where
    assert "gristmill merge-sites" in finding.remedy


def test_stopped_again_and_again_between_any_two_files(
    folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.engines.partitions.BYTES_PER_PARTITION", 4_000)
    merge(folders, tmp_path / "whole")
    out, attempts = tmp_path / "out", 0
    allowance = limit_publishing(monkeypatch, storage.steps, pipeline.schemas, storage.destination, site_merge)
    for attempts in range(1, 60):
        allowance.left = 5 + attempts % 3
        try:
            merge(folders, out)
            break
        except (GristmillError, Stopped) as error:
            stopped = repr((error, error.__cause__))
        assert "Stopped" in stopped
        assert not (out / "_MANIFEST.json").exists()
    assert attempts > 3
    assert tree_hashes(out) == tree_hashes(tmp_path / "whole")
    # Done: nothing is made again.
    times = {path: path.stat().st_mtime_ns for path in (out / "sites").glob("*.arrow")}
    allowance.left = 100
    merge(folders, out)
    assert times == {path: path.stat().st_mtime_ns for path in times}
