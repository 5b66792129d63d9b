import os
import random
import subprocess
import sys
import textwrap

import pytest

from pipeline.readers.posts import post_spool
from pipeline.readers.posts.post_spool import Post, Spool
from tests.paths import PROJECT


def key(post):
    return (post.question, post.title is None, -post.score if post.title is None else 0, post.id, post.offset)


def in_a_process(tmp_path, program):
    """What a program prints whose temporary folder is `tmp_path`."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "TMPDIR": str(tmp_path), "SQLITE_TMPDIR": str(tmp_path)}
    command = [sys.executable, "-P", "-c", textwrap.dedent(program)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_posts_come_as_sorted_would_have_them(monkeypatch):
    chance = random.Random(4)
    taken = [
        Post(
            chance.randrange(60),
            chance.randrange(20),
            chance.choice([-(10**17), -1, 0, 1, 2, 10**17]),
            offset,
            chance.choice([None, None, "", "title \x00 é"]),
            chance.choice(["", "x" * chance.randrange(9_000), "nul \x00 and 😀"]),
            chance.choice(["", '[["dropped_elements", "script", 1]]']),
        )
        for offset in range(1_000)
    ]
    for cache, waiting in ((64, 256 << 10), (1, 500)):
        monkeypatch.setattr(post_spool, "CACHE_KIB", cache)
        monkeypatch.setattr(post_spool, "_MOST_WAITING", waiting)
        spool = Spool()
        for post in taken:
            spool.add(post)
            assert spool.waiting_size <= waiting
        assert list(spool.posts()) == sorted(taken, key=key)
        spool.close()
    spool = Spool()
    assert list(spool.posts()) == []
    spool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_the_cache_does_not_hold_is_in_a_file_without_a_name(tmp_path):
    said = in_a_process(
        tmp_path,
        """
        import os
        from pipeline.readers.posts import post_spool
        post_spool.CACHE_KIB = 64
        spool = post_spool.Spool()
        for number in range(10_000):
            spool.add(post_spool.Post(number, number, 0, 0, "", "x" * 100))
        files = [f"/proc/self/fd/{number}" for number in range(3, 64) if os.path.islink(f"/proc/self/fd/{number}")]
        folder = os.environ["SQLITE_TMPDIR"]
        nameless = [os.stat(file).st_size for file in files if os.readlink(file).startswith(folder)]
        print(sum(nameless) > 900_000, os.listdir(folder))
        """,
    )
    assert said == "True []"


def test_what_cannot_be_written_names_the_folder(tmp_path):
    said = in_a_process(
        tmp_path,
        """
        import resource
        from manifests.errors import GristmillError
        from pipeline.readers.posts import post_spool
        post_spool.CACHE_KIB = 64
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))
        spool = post_spool.Spool()
        try:
            for number in range(10_000):
                spool.add(post_spool.Post(number, number, 0, 0, "", "x" * 100))
        except GristmillError as error:
            print(error)
        """,
    )
    assert said.startswith(f"{tmp_path}: posts cannot be put aside in the folder for temporary files: ")
    assert "remedy: make room there" in said


def test_a_python_without_sqlite_says_so(tmp_path):
    said = in_a_process(
        tmp_path,
        """
        import sys
        from manifests.errors import GristmillError
        sys.modules["_sqlite3"] = None
        try:
            import pipeline.readers.posts.stackexchange
        except GristmillError as error:
            print(error)
        """,
    )
    assert "this Python was built without SQLite" in said
    assert "remedy: make the environment with a Python" in said
