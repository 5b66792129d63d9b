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


def test_names_that_look_like_patterns_and_what_is_no_file(tmp_path) -> None:
    make(tmp_path, "[br]a{ck}et?.jsonl", "r.jsonl", "folder/a.jsonl")
    assert [file.name for file in list_raw_files([source(tmp_path, "[br]a{ck}et?.jsonl")])] == ["[br]a{ck}et?.jsonl"]
    assert [file.name for file in list_raw_files([source(tmp_path, "[br].jsonl")])] == ["r.jsonl"]
    with pytest.raises(GristmillError, match=r"is a folder; source `s` lists it as a file\n  remedy: write `folder/\*\*`"):
        list_raw_files([source(tmp_path, "folder/")])
    with pytest.raises(GristmillError, match="remedy: paths in `files` begin at `root`"):
        list_raw_files([source(tmp_path, str(tmp_path / "r.jsonl"))])
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "gone")
    with pytest.raises(GristmillError, match=r"link\.jsonl: is a link to nothing"):
        list_raw_files([source(tmp_path, "*.jsonl")])


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path) -> None:
    make(tmp_path, "in/a.jsonl", "beside/deep/b.jsonl")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "beside")
    files = list_raw_files([source(tmp_path / "in", "**/*.jsonl")])
    assert [file.name for file in files] == ["a.jsonl", "link/deep/b.jsonl"]
    (tmp_path / "beside" / "deep" / "up").symlink_to(tmp_path / "beside")
    (tmp_path / "beside" / "deep" / "up2").symlink_to("..")
    with pytest.raises(GristmillError, match=r"link/deep/up2?: is a link to a folder above it"):
        list_raw_files([source(tmp_path / "in", "**/*.jsonl")])


def test_a_name_that_is_not_utf8_is_an_error(tmp_path) -> None:
    try:
        (tmp_path / "b\udcff.jsonl").write_text("x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(GristmillError, match=r"the name of the file `b\\xff\.jsonl` is not UTF-8\n  remedy: rename it"):
        list_raw_files([source(tmp_path, "*.jsonl")])


def test_task_names_are_safe_and_tell_files_apart() -> None:
    def name(path):
        return task_name(RawFile(source="s", name=path, path="", size=0, stamp=""))

    assert name("a/x.warc.gz").startswith("s/x.warc.gz-")
    assert name("a/x.warc.gz") != name("b/x.warc.gz")
    odd = name("q/päge one:" + "x" * 300)
    assert len(odd) < 110
    assert odd.removeprefix("s/").replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert name("a/x.warc.gz") == "s/x.warc.gz-" + name("a/x.warc.gz")[-16:]
