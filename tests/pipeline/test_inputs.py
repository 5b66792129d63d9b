"""From sources to raw files: names, order, errors."""

import pytest

from manifests.corpus import Source
from manifests.errors import GristmillError
from pipeline.inputs import RawFile, list_raw_files, task_name


def source(root, *files, name="s"):
    return Source(name=name, format="jsonl", root=str(root), files=list(files), licence="none")


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def test_files_are_sorted_by_source_and_name_and_listed_once(tmp_path) -> None:
    make(tmp_path, "b.jsonl", "a.jsonl", "deep/er/c.jsonl", "other.txt", ".tmp-half.jsonl")
    files = list_raw_files([source(tmp_path, "**/*.jsonl", "a.jsonl", name="z"), source(tmp_path, "b.jsonl", name="y")])
    assert [(file.source, file.name) for file in files] == [
        ("y", "b.jsonl"),
        ("z", "a.jsonl"),
        ("z", "b.jsonl"),
        ("z", "deep/er/c.jsonl"),
    ]
    assert [file.size for file in files] == [7, 7, 7, 15]


def test_a_changed_file_has_another_stamp(tmp_path) -> None:
    make(tmp_path, "a.jsonl")
    before = list_raw_files([source(tmp_path, "a.jsonl")])[0].stamp
    assert list_raw_files([source(tmp_path, "a.jsonl")])[0].stamp == before
    (tmp_path / "a.jsonl").write_text("longer than before")
    assert list_raw_files([source(tmp_path, "a.jsonl")])[0].stamp != before


def test_what_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(GristmillError, match=r"gone.jsonl: no such file; source `s` lists it"):
        list_raw_files([source(tmp_path, "gone.jsonl")])
    with pytest.raises(GristmillError, match=r"no file matches `\*.gz` of source `s`"):
        list_raw_files([source(tmp_path, "*.gz")])


def test_task_names_are_safe_and_tell_files_apart() -> None:
    def name(path):
        return task_name(RawFile(source="s", name=path, path="", size=0, stamp=""))

    assert name("a/x.warc.gz").startswith("s/x.warc.gz-")
    assert name("a/x.warc.gz") != name("b/x.warc.gz")
    odd = name("q/päge one:" + "x" * 300)
    assert len(odd) < 110
    assert odd.removeprefix("s/").replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert name("a/x.warc.gz") == "s/x.warc.gz-" + name("a/x.warc.gz")[-16:]
