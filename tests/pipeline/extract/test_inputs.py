"""The raw files of sources: names, order, errors."""

import pytest

from manifests.corpus import Source
from manifests.errors import GristmillError
from pipeline.extract.inputs import RawFile, check_files, check_out, list_raw_files, task_name
from storage.files import list_files, matches


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
    with pytest.raises(
        GristmillError, match=r"is a folder; source `s` lists it as a file\n  remedy: write `folder/\*\*`"
    ):
        list_raw_files([source(tmp_path, "folder/")])
    for given in ("r.jsonl", "*.jsonl"):
        with pytest.raises(GristmillError, match="remedy: paths in `files` begin at `root`"):
            list_raw_files([source(tmp_path, str(tmp_path / given))])
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


ODD = [
    "data[0-9].jsonl",
    "what?.jsonl",
    "st*r.jsonl",
    "a b.jsonl",
    "c#d.jsonl",
    "e%20f.jsonl",
    "{x,y}.jsonl",
    "-dash.jsonl",
    "u\u0308ber.jsonl",
]


def test_a_file_that_is_named_in_full_is_meant_whatever_its_name(tmp_path) -> None:
    make(tmp_path / "[D] #1 ?", *ODD, "data1.jsonl", "whats.jsonl", "star.jsonl")
    for name in ODD:
        (file,) = list_raw_files([source(tmp_path / "[D] #1 ?", name)])
        assert file.name == name
    assert len(list_raw_files([source(tmp_path / "[D] #1 ?", "*.jsonl")])) == len(ODD) + 3
    assert [file.name for file in list_raw_files([source(tmp_path, "[[]D] #1 [?]/data[[]0-9].jsonl")])] == [
        "[D] #1 ?/data[0-9].jsonl"
    ]
    with pytest.raises(GristmillError, match=r"in names of folders are written `\[\[\]`"):
        list_raw_files([source(tmp_path, "[D] #1 ?/*.jsonl")])


def test_a_name_in_another_unicode_form_is_found(tmp_path) -> None:
    make(tmp_path, "u\u0308ber.jsonl", "in/stra\u00dfe \u00e9.jsonl")
    names = [
        file.name for file in list_raw_files([source(tmp_path, "\u00fcber.jsonl", "in/stra\u00dfe e\u0301.jsonl")])
    ]
    assert names == ["in/stra\u00dfe \u00e9.jsonl", "u\u0308ber.jsonl"]
    make(tmp_path, "\u00fcber.jsonl")
    assert [file.name for file in list_raw_files([source(tmp_path, "\u00fcber.jsonl")])] == ["\u00fcber.jsonl"]


@pytest.mark.parametrize(
    ("files", "out"),
    [
        (["**"], "out"),
        (["**/*"], "a/b/out"),
        (["**/*.arrow"], "out"),
        (["**/*.json"], "out"),
        (["*/*/*/tasks/**/*.json"], "a/out"),
        (["**/part-*.arrow"], "out"),
        (["../in/**"], "out"),
        (["**/[a-z]*.model"], "out"),
        (["*.arrow", "out/extract/**/*.arrow"], "out"),
        (["**/*.arrow"], "."),
        (["documents/**"], "../in/x/.."),
    ],
)
def test_an_output_folder_that_inputs_reach_is_refused(tmp_path, files, out) -> None:
    root = tmp_path / "in" / "extract" if files == ["documents/**"] else tmp_path / "in"
    make(root, "a.jsonl")
    with pytest.raises(
        GristmillError, match=r"of source `s` reaches what is written here: .*\n  remedy: choose an --out"
    ):
        check_out([source(root, *files)], out=str(tmp_path / "in" / out))
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["a.jsonl"]


@pytest.mark.parametrize(
    ("files", "out"),
    [
        (["*.jsonl"], "in"),
        (["**/*.jsonl"], "in/out"),
        (["**"], "out"),
        (["**"], "in/.hidden"),
        (["*"], "in"),
        (["*"], "."),
        (["sub/**"], "in/out"),
        (["out[1].jsonl"], "in"),
    ],
)
def test_an_output_folder_beside_the_inputs_is_not(tmp_path, files, out) -> None:
    make(tmp_path / "in", "a.jsonl", "out[1].jsonl")
    check_out([source(tmp_path / "in", *files)], out=str(tmp_path / out))


def test_links_to_the_output_folder_are_seen(tmp_path) -> None:
    make(tmp_path / "in", "a.jsonl")
    make(tmp_path / "elsewhere", "extract/documents/s/a.arrow")
    (tmp_path / "root").symlink_to(tmp_path / "in")
    with pytest.raises(GristmillError, match="reaches what is written here"):
        check_out([source(tmp_path / "root", "**")], out=str(tmp_path / "in" / "out"))
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    files = list_raw_files([source(tmp_path / "in", "**")])
    with pytest.raises(
        GristmillError, match=r"`link/extract/documents/s/a.arrow` of source `s` reaches what is written here"
    ):
        check_files(files, out=str(tmp_path / "elsewhere"))
    check_files(files, out=str(tmp_path / "out"))


def test_stores_are_checked_by_their_names() -> None:
    with pytest.raises(GristmillError, match="reaches what is written here: s3://bucket/data/out/shards"):
        check_out([source("s3://bucket/data", "**/*.json")], out="s3://bucket/data/out/")
    check_out([source("s3://bucket/data", "**/*.json")], out="s3://bucket/out")
    check_out([source("s3://bucket/data", "**/*.json")], out="/data/out")


@pytest.mark.parametrize(
    "pattern",
    [
        "**",
        "*",
        "**/*",
        "a*/**",
        "**/b*",
        "**/b/**/c*",
        "[!a]*",
        "?",
        "*.x",
        ".h*/*",
        "a/**/**/d",
        "**/.h*",
        "[",
        "a[",
        "**/[]]",
        "a//b",
        "./a",
    ],
)
def test_globs_mean_the_same_in_stores_as_on_disk(tmp_path, pattern) -> None:
    make(
        tmp_path,
        "a",
        "b.x",
        "abc/d",
        "abc/b/c1/d",
        "abc/.hid/d",
        ".hid/e",
        "b/c",
        "x/b/y/c2",
        "a[",
        "[",
        "]",
        "a1/b",
        "x/]",
    )
    expected = {name.replace("//", "/").removeprefix("./") for name in list_files(str(tmp_path), pattern)}
    names = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert {name for name in names if matches(name, pattern)} == expected
