"""Block lists: entries, what they block, files and folders, the development lists, the size of five million entries."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from manifests.corpus import BlockList, CorpusManifest, load_corpus
from manifests.errors import GristmillError
from manifests.filters import REASONS
from pipeline.decide.block_lists import (
    blocked_codes,
    host_of,
    host_suffixes,
    idle_lists,
    list_settings,
    publish_lists,
    read_list,
    url_prefix_hashes,
)
from pipeline.decide.block_lists import list_files as list_files_of
from pipeline.decide.settings import DecideJob, decide_settings
from pipeline.schemas import read_ipc
from tests.paths import SHARED


def corpus(*lists: dict[str, Any], opt_out: dict[str, Any] | None = None) -> CorpusManifest:
    return CorpusManifest.model_validate(
        {
            "name": "c",
            "sources": [{"name": "a", "format": "jsonl", "files": ["x"], "licence": "none"}],
            "tokenizer": {"model": "m"},
            "block_lists": lists,
            "opt_out": opt_out,
        }
    )


def job_of(manifest: CorpusManifest, folder: Path) -> DecideJob:
    settings = decide_settings(manifest, block_lists=list_settings(manifest), allowed_sites=None)
    return DecideJob(settings=settings, extract=str(folder / "extract"), folder=str(folder / "decide"), key="k")


def blocked(
    folder: Path, urls: list[str | None], *lists: dict[str, Any], opt_out: dict[str, Any] | None = None
) -> tuple[list[str], list[int]]:
    manifest = corpus(*lists, opt_out=opt_out)
    job = job_of(manifest, folder)
    publish_lists(manifest, job)
    codes, counts = blocked_codes(pa.chunked_array([pa.array(urls, pa.string())]), job)
    return [REASONS[code] for code in codes], counts


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_sites_block_what_is_below_them_and_nothing_beside_them(tmp_path: Path) -> None:
    entries = write(
        tmp_path / "sites",
        "# sites\nexample.com\nB.Other.org.\r\n\n*.wild.net\nhttps://full.edu/path\n10.0.0.1\nbücher.de\n",
    )
    urls = {
        "http://example.com/": True,
        "https://a.b.EXAMPLE.com:8080/x?y": True,
        "https://user:secret@example.com/": True,
        "http://notexample.com/": False,
        "http://example.com.evil.org/": False,
        "http://example.org/example.com": False,
        "http://other.org/": False,
        "http://x.b.other.org/": True,
        "http://wild.net": True,
        "http://www.full.edu/": True,
        "http://10.0.0.1/x": True,
        "http://210.0.0.1/x": False,
        "http://www.bücher.de/": True,
        "http://xn--bcher-kva.de/": True,
        "example.com/": False,
        "": False,
    }
    reasons, counts = blocked(tmp_path, [*urls, None], {"name": "l", "sites": entries})
    assert dict(zip(urls, reasons, strict=False)) == {
        url: "blocked_site" if hit else "kept" for url, hit in urls.items()
    }
    assert reasons[-1] == "kept"
    assert counts == [sum(urls.values())]


def test_urls_block_what_goes_on_after_them(tmp_path: Path) -> None:
    entries = write(tmp_path / "urls", "host.com/~bad\nhttp://www.site.org/a/b/\nq.net/p?x=1\n")
    urls = {
        "https://www.host.com/~bad": True,
        "http://host.com/~bad/more.html": True,
        "http://host.com/~BAD?x": True,
        "http://host.com/~bad#top": True,
        "http://host.com/~badger": False,
        "http://host.com/": False,
        "http://sub.host.com/~bad": False,
        "https://site.org/a/b": True,
        "https://site.org/a": False,
        "http://q.net/p?x=1": True,
        "http://q.net/p?x=12": False,
    }
    reasons, _ = blocked(tmp_path, list(urls), {"name": "l", "urls": entries})
    assert dict(zip(urls, reasons, strict=True)) == {url: "blocked_url" if hit else "kept" for url, hit in urls.items()}


def test_words_need_as_many_different_ones_as_the_list_says(tmp_path: Path) -> None:
    entries = write(tmp_path / "words", "casino\nbonus\n")
    urls: list[str | None] = [
        "http://x.com/casino-bonus",
        "http://casino.com/casino",
        "http://casinos.com/bonuses",
        "http://x/CASINO_bonus",
    ]
    assert blocked(tmp_path / "2", urls, {"name": "l", "words": entries, "min_words": 2})[0] == [
        "blocked_word",
        "kept",
        "kept",
        "blocked_word",
    ]
    assert blocked(tmp_path / "1", urls, {"name": "l", "words": entries})[0] == [
        "blocked_word",
        "blocked_word",
        "kept",
        "blocked_word",
    ]
    with pytest.raises(GristmillError, match="is no list of words: 1 of 1 lines are none, as `two words`"):
        blocked(tmp_path / "3", urls, {"name": "l", "words": write(tmp_path / "broken", "two words\n")})


def test_the_first_list_gives_the_reason_and_idle_lists_say_so(tmp_path: Path) -> None:
    one = {"name": "one", "sites": write(tmp_path / "a", "x.com\n"), "urls": write(tmp_path / "u", "y.com/p\n")}
    two = {"name": "two", "sites": write(tmp_path / "b", "x.com\ny.com\n")}
    three = {"name": "three", "sites": write(tmp_path / "c", "z.com\n")}
    reasons, counts = blocked(tmp_path, ["http://x.com/", "http://y.com/p/q", "http://y.com/"], one, two, three)
    assert reasons == ["blocked_site", "blocked_url", "blocked_site"]
    assert counts == [2, 1, 0]
    assert idle_lists(list_settings(corpus(one, two, three)), np.array(counts)) == [
        "block list `three`: no document was dropped for it"
    ]


def test_opt_outs_come_before_all_block_lists(tmp_path: Path) -> None:
    write(tmp_path / "ut1/asked/domains", "x.com\n")
    write(tmp_path / "ut1/asked/urls", "y.com/p\n")
    opt_out = {"sites": [str(tmp_path / "ut1"), write(tmp_path / "more", "w.com\n")], "urls": str(tmp_path / "ut1")}
    one = {"name": "one", "sites": write(tmp_path / "a", "x.com\ny.com\nz.com\n")}
    urls: list[str | None] = [
        "http://a.x.com/",
        "http://y.com/p/q",
        "http://y.com/",
        "http://w.com/",
        "http://z.com/",
        "http://v.com/",
        None,
    ]
    reasons, counts = blocked(tmp_path, urls, one, opt_out=opt_out)
    assert reasons == ["opt_out", "opt_out", "blocked_site", "opt_out", "blocked_site", "kept", "kept"]
    assert counts == [3, 2]
    settings = list_settings(corpus(one, opt_out=opt_out))
    assert idle_lists(settings, np.array([0, 0])) == [
        "`opt_out`: no document was dropped for it",
        "block list `one`: no document was dropped for it",
    ]
    assert blocked(tmp_path / "alone", urls, opt_out=opt_out)[0][:3] == ["opt_out", "opt_out", "kept"]


def test_errors_and_notes_of_opt_outs_name_them(tmp_path: Path) -> None:
    write(tmp_path / "empty", "\n")
    write(tmp_path / "words", "no host\nnor this\n")
    for path, problem in (
        ("gone", ": `opt_out` names no file for `sites`"),
        ("empty", ": `opt_out` has no entry"),
        ("words", ": `opt_out` is no list of sites: 2 of 2 lines are none, as `no host`"),
    ):
        with pytest.raises(GristmillError, match=problem):
            blocked(tmp_path, [None], opt_out={"sites": str(tmp_path / path)})
    manifest = corpus(opt_out={"sites": write(tmp_path / "some", "a.com\nb.com\nno host\n")})
    (task,) = publish_lists(manifest, job_of(manifest, tmp_path))
    assert task.notes == ["`opt_out`: 1 lines are none of its sites and left out, as `no host`"]


def test_odd_entries_are_read_and_what_is_none_is_named(tmp_path: Path) -> None:
    odd = (
        "\ufeffbom.com\nport.com:8080\n0.0.0.0 hosts.com\n127.0.0.1\tlocal.com #"
        " why\n2001:db8::1\nunder_score.com\n*.中国.example\n"
    )
    junk = "two words.com\n||adblock.com^\nhttp://\n"
    entries = write(tmp_path / "sites", odd + junk + "#comment\r\n  \n")
    urls: list[str | None] = [
        *(
            "http://bom.com/",
            "http://port.com/",
            "http://x.hosts.com/",
            "http://local.com/",
            "http://[2001:db8::1]:80/",
        ),
        *(
            "http://under_score.com",
            "http://a.xn--fiqs8s.example/",
            "http://words.com/",
            "http://adblock.com/",
            "http://0.0.0.0/",
        ),
    ]
    manifest = corpus({"name": "l", "sites": entries})
    job = job_of(manifest, tmp_path)
    (task,) = publish_lists(manifest, job)
    assert task.notes == ["block list `l`: 3 lines are none of its sites and left out, as `two words.com`"]
    codes, _ = blocked_codes(pa.chunked_array([pa.array(urls, pa.string())]), job)
    assert [REASONS[code] for code in codes] == ["blocked_site"] * 7 + ["kept"] * 3
    with pytest.raises(GristmillError, match="is no list of sites"):
        read_list([write(tmp_path / "words", "not a host\nnor, this\na.com\n")], kind="sites", name="w")


@pytest.mark.parametrize("name", ["bad[1].txt", "what?.txt", "star*.txt", "[abc]", "[!a].txt"])
@pytest.mark.parametrize("folder", ["lists", "lists [old]", "[1]", "a*", "lists[!x]"])
def test_files_and_folders_that_look_like_globs(tmp_path: Path, name: str, folder: str) -> None:
    """Named in full they are meant, and they alone; so is the folder of the manifest."""
    place = tmp_path / folder
    place.mkdir()
    for other in ("bad1.txt", "whats.txt", "star-two.txt", "a", "b.txt"):
        (place / other).write_text("other.org\n")
    (place / name).write_text("bad.org\n")
    for manifest, named in ((tmp_path / "corpus.yaml", f"{folder}/{name}"), (place / "corpus.yaml", "*.txt")):
        manifest.write_text(corpus({"name": "l", "sites": named}).model_dump_json())
    (in_full,) = load_corpus(tmp_path / "corpus.yaml").block_lists
    assert list_files_of(in_full, "sites") == [str(place / name)]
    (globbed,) = load_corpus(place / "corpus.yaml").block_lists
    assert list_files_of(globbed, "sites") == sorted(str(path) for path in place.glob("*.txt"))


@pytest.mark.parametrize("folder", ["ut1", "ut1[1]", "[ut1]", "u*t"])
def test_folders_of_lists_that_look_like_globs(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder / "games").mkdir(parents=True)
    (tmp_path / folder / "games" / "domains").write_text("games.org\n")
    for named in (folder, f"{folder}/*/domains", f"{folder}/games", f"{folder}/**/domains"):
        entry = BlockList(name="l", sites=str(tmp_path / named))
        assert list_files_of(entry, "sites") == [str(tmp_path / folder / "games" / "domains")]


def test_folders_globs_and_gzip(tmp_path: Path) -> None:
    write(tmp_path / "ut1/adult/domains", "a.com\n")
    write(tmp_path / "ut1/adult/urls", "u.com/x\n")
    write(tmp_path / "ut1/adult/very_restrictive_expression", "(nothing)\n")
    (tmp_path / "ut1/games").mkdir()
    (tmp_path / "ut1/games/domains.gz").write_bytes(gzip.compress(b"g.com\n"))
    urls: list[str | None] = ["http://a.com/", "http://g.com/", "http://u.com/x", "http://nothing/"]
    everything = {"name": "ut1", "sites": str(tmp_path / "ut1"), "urls": str(tmp_path / "ut1/adult")}
    assert blocked(tmp_path / "1", urls, everything)[0] == ["blocked_site", "blocked_site", "blocked_url", "kept"]
    globbed = {"name": "ut1", "sites": [str(tmp_path / "ut1/*/domains"), str(tmp_path / "ut1/games/domains.gz")]}
    assert blocked(tmp_path / "2", urls, globbed)[0] == ["blocked_site", "blocked_site", "kept", "kept"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing", "names no file"),
        ("empty", "has no entry"),
        ("broken.gz", "cannot be read"),
        ("no*", "names no file"),
    ],
)
def test_missing_empty_and_broken_lists_are_errors(tmp_path: Path, path: str, message: str) -> None:
    write(tmp_path / "empty", "\n# nothing\n")
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"a.com\n" * 1000)[:-20])
    with pytest.raises(GristmillError, match=message):
        blocked(tmp_path, [None], {"name": "l", "sites": str(tmp_path / path)})
    with pytest.raises(ValueError, match="at least one"):
        BlockList(name="l")


def test_settings_change_with_the_contents_and_not_with_the_place(tmp_path: Path) -> None:
    first = list_settings(corpus({"name": "l", "sites": write(tmp_path / "a/list", "x.com\n")}))
    assert first == list_settings(corpus({"name": "l", "sites": write(tmp_path / "b/other", "x.com\n")}))
    assert first != list_settings(corpus({"name": "l", "sites": write(tmp_path / "a/list", "y.com\n")}))
    assert str(tmp_path) not in str(first)


def test_paths_are_relative_to_the_manifest(tmp_path: Path) -> None:
    text = "name: c\nsources: [{name: a, format: jsonl, files: [x], licence: l}]\ntokenizer: {model: m}\n"
    manifest = write(
        tmp_path / "c.yaml",
        text
        + "block_lists: [{name: l, sites: lists/a}]\nopt_out: {urls: [asked, more/*]}\nbad_words: {lists: {en: words}}\n",
    )
    loaded = load_corpus(manifest)
    assert loaded.opt_out is not None
    assert (loaded.opt_out.sites, loaded.opt_out.urls) == (None, [str(tmp_path / "asked"), str(tmp_path / "more/*")])
    assert loaded.block_lists[0].sites == [str(tmp_path / "lists/a")]
    assert loaded.bad_words is not None
    assert loaded.bad_words.lists == {"en": str(tmp_path / "words")}


def test_lists_are_published_once_as_sorted_hashes_of_eight_bytes(tmp_path: Path) -> None:
    entries = write(tmp_path / "many", "".join(f"site{number}.com\nsite{number}.com\n" for number in range(20_000)))
    manifest = corpus({"name": "l", "sites": entries})
    job = job_of(manifest, tmp_path)
    (task,) = publish_lists(manifest, job)
    (output,) = task.outputs
    assert output.rows == 20_000
    assert output.bytes < 8 * 20_000 + 2_000
    hashes = read_ipc(str(tmp_path / "decide" / output.path))["hash"].to_numpy()
    assert (np.diff(hashes.astype(object)) > 0).all()
    Path(entries).unlink()
    (again,) = publish_lists(manifest, job)
    assert again.model_copy(update={"stamps": task.stamps, "digest": task.digest}) == task
    assert publish_lists(corpus(), job) == []


labels = st.lists(st.sampled_from(["a", "b", "www", "com", "co", "uk", "x1"]), min_size=1, max_size=5)


@given(st.lists(labels.map(".".join), min_size=1, max_size=6), labels.map(".".join))
def test_sites_against_plain_python(tmp_path_factory: pytest.TempPathFactory, entries: list[str], host: str) -> None:
    hashes = set(
        read_list(
            [write(tmp_path_factory.mktemp("l") / "x", "\n".join(entries))], kind="sites", name="l"
        ).hashes.tolist()
    )
    suffixes = host_suffixes(host_of(f"http://{host}/path"))
    wanted = any(host == entry or host.endswith("." + entry) for entry in entries)
    found = {hash_ for suffix in suffixes for hash_ in read_list_of(suffix, tmp_path_factory)}
    assert bool(found & hashes) == wanted


def read_list_of(entry: str, factory: pytest.TempPathFactory) -> list[int]:
    return read_list([write(factory.mktemp("e") / "x", entry)], kind="sites", name="e").hashes.tolist()


@given(st.text(st.sampled_from("ab/?#.:@"), max_size=20))
def test_prefixes_of_urls_against_plain_python(rest: str) -> None:
    url = "https://h.com/" + rest
    bare = "h.com/" + rest
    wanted = {bare[:end] for end in range(len(bare)) if bare[end] in "/?#"} | {bare.rstrip("/")}
    assert set(url_prefix_hashes(url)) == {xxhash.xxh3_64_intdigest(prefix.encode()) for prefix in wanted}


def test_entries_without_a_scheme_keep_one_inside_them(tmp_path: Path) -> None:
    entries = read_list(
        [write(tmp_path / "x", "example.com/to?u=http://other.net/a")], kind="urls", name="l"
    ).hashes.tolist()
    assert set(entries) & set(url_prefix_hashes("https://www.example.com/to?u=http://other.net/a"))


@pytest.mark.corpora
@pytest.mark.skipif(SHARED is None, reason="the development corpora are not beside the project")
def test_the_development_lists() -> None:
    assert SHARED is not None
    paths = sorted(str(path) for path in (SHARED / "corpora" / "blocklists").glob("*.txt"))
    assert paths
    for path in paths:
        hashes = read_list([path], kind="sites", name=path).hashes
        lines = {line.strip().lower() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()}
        # Entries that differ only in leading or trailing dots are one.
        assert len({line.strip("*.") for line in lines if not line.startswith("#")}) == len(hashes) > 100
