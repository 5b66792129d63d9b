"""Credentials in URLs are never stored: manifests with them are refused, documents are cleaned.

Every written byte is searched.
"""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
import yaml
from typer.testing import CliRunner

from gristmill import cli
from manifests.credentials import credential_in, redacted, without_credentials
from manifests.errors import GristmillError
from pipeline.schemas import read_ipc
from pipeline.text.urls import without_url_credentials
from storage.stores import locate
from tests.endtoend.corpora import prose

CANARY = "hunter2secret"


@pytest.mark.parametrize(
    "url",
    [
        f"s3://AKIA:{CANARY}@bucket/key",
        f"s3://AKIA:{CANARY}/with/slashes@bucket/key",
        f"S3A://AKIA:{CANARY}@bucket",
        f"https://user:{CANARY}@host/x",
        f"https://{CANARY}@host/x",
        f"https://a:b@c:{CANARY}@host/",
        f"hdfs://{CANARY}@namenode:8020/x",
        f"abfs://container:{CANARY}@account.dfs.core.windows.net/x",
        f"https://host/x?X-Amz-Signature={CANARY}",
        f"https://host/x?a=1&x-amz-security-token={CANARY}",
        f"https://host/x?AWSAccessKeyId={CANARY}&Expires=1",
        f"https://account.blob.core.windows.net/c?sv=1&sig={CANARY}",
        f"https://storage.googleapis.com/b?X-Goog-Signature={CANARY}",
        f"https://host/x?access_token={CANARY}",
        f"https://host/x#id_token={CANARY}",
        f"https://host/x?token={CANARY}",
        f"https://host/x?api_key={CANARY}",
        f"https://host/x?password={CANARY}",
        f"https://host/x?a=1&amp;apikey={CANARY}",
        f"https://host/x;jsessionid={CANARY}",
        f"https://archive.example/2020/https://user:{CANARY}@host/x",
    ],
)
def test_each_kind_is_found_and_taken_out(url) -> None:
    assert credential_in(url)
    assert CANARY not in str(credential_in(url))
    assert CANARY not in redacted(f"cannot be read: {url}, really")
    assert CANARY not in str(GristmillError("no", where=url))
    if url.startswith("http"):
        assert CANARY not in without_credentials(url)
        assert CANARY not in str(without_url_credentials(pa.array(["https://a/", None, url])))
    with pytest.raises(GristmillError) as caught:
        locate(url)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://medium.com/@user/story",
        "https://host/path/a@b.html?mail=a@b.org",
        "https://host/?q=token&page=2",
        "https://host/?tokens=5&assignature=x&sigma=2",
        "https://host:8080/x",
        "abfs://container@account.dfs.core.windows.net/x",
        "urn:uuid:1234",
        "user@host",
        "a/b.jsonl",
    ],
)
def test_other_urls_stay(url) -> None:
    assert credential_in(url) is None
    assert without_credentials(url) == url or url.startswith("abfs")
    assert redacted(url) == url


def test_rows_stay_rows() -> None:
    column = pa.array(["https://u:p@a/x", None, "https://b/", "https://c/?sig=1&x=2"])
    assert without_url_credentials(column).to_pylist() == [
        "https://a/x",
        None,
        "https://b/",
        "https://c/?sig=removed&x=2",
    ]
    plain = pa.array(["https://b/", None])
    assert without_url_credentials(plain) is plain


@pytest.fixture
def corpus(tmp_path):
    """Credentials wherever a record has a URL or an id, and in records that cannot be read."""
    rows = [
        {
            "id": f"https://user:{CANARY}@host/{n}",
            "url": f"https://user:{CANARY}@www.example.org/{n}?token={CANARY}",
            "text": prose(str(n)),
        }
        for n in range(30)
    ]
    lines = [json.dumps(row) for row in rows]
    lines.insert(3, f'{{"id": "https://user:{CANARY}@host/3", "url": "https://user:{CANARY}@host/", "text": broken')
    lines.insert(9, json.dumps({"id": f"https://user:{CANARY}@host/9", "text": 5}))
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    body = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body><p>"
        + prose("web").encode()
        + b"</p></body></html>"
    )
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://user:{CANARY}@web.example.org/\r\n"
    head += (
        "WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http; msgtype=response\r\nContent-Length:"
        f" {len(body)}\r\n\r\n"
    )
    crawl = head.encode() + body + b"\r\n\r\n"
    (tmp_path / "b.warc").write_bytes(
        crawl + b"WARC/1.0\r\nWARC-Target-URI: https://user:" + CANARY.encode() + b"@x/\r\nbroken"
    )
    manifest = {
        "kind": "corpus",
        "name": "canary",
        "sources": [
            {"name": "a", "format": "jsonl", "files": ["*.jsonl"], "licence": "made up", "filters": "none"},
            {"name": "b", "format": "warc", "files": ["*.warc"], "licence": "made up", "filters": "none"},
        ],
        "tokenizer": {"train": {"vocab_size": 400, "sample_mb": 1}},
    }
    path = tmp_path / "corpus.yaml"
    path.write_text(yaml.safe_dump(manifest))
    return path


def test_no_byte_of_an_output_and_no_printed_line_holds_one(corpus, tmp_path) -> None:
    out = tmp_path / "out"
    printed = ""
    for words in (
        ["prep", corpus, "--out", out, "--workers", 1],
        ["inspect", out],
        ["inspect", out, "--json"],
        ["verify", out],
    ):
        result = CliRunner().invoke(cli.app, [str(word) for word in words])
        assert result.exit_code == 0, result.output
        printed += result.output
    assert CANARY not in printed
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > 10
    plain = web = 0
    for path in files:
        assert CANARY.encode() not in path.read_bytes(), path
        if path.suffix == ".arrow" and "shards" not in path.parts:
            text = str(read_ipc(str(path)).to_pylist())  # compressed columns, too
            assert CANARY not in text, path
            plain += "https://www.example.org/7?token=removed" in text
            web += "'http://web.example.org/'" in text
    assert (plain, web) == (1, 1)


@pytest.mark.parametrize(
    "words",
    [
        ["prep", "corpus.yaml", "--out", f"s3://KEY:{CANARY}@bucket/out"],
        ["prep", "corpus.yaml", f"--out=https://user:{CANARY}@host/out"],
        ["inspect", f"s3://bucket/out?X-Amz-Signature={CANARY}"],
        ["verify", f"s3://KEY:{CANARY}@bucket/out"],
        ["trace", f"s3://KEY:{CANARY}@bucket/run", "--step", "1"],
        ["prep", "corpus.yaml", "--detach", "--out", f"s3://KEY:{CANARY}@bucket/out"],
        ["--debug", "inspect", f"s3://KEY:{CANARY}@bucket/out"],
    ],
)
def test_commands_refuse_them(corpus, words, monkeypatch, capsys) -> None:
    monkeypatch.chdir(corpus.parent)
    monkeypatch.setattr("sys.argv", ["gristmill", *words])
    monkeypatch.setenv("XDG_STATE_HOME", str(corpus.parent / "state"))
    monkeypatch.setenv("GRISTMILL_DEBUG", "")
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    said = capsys.readouterr()
    assert "a URL holds" in said.err
    assert "AWS_ACCESS_KEY_ID" in said.err
    assert CANARY not in said.out + said.err
    assert not (corpus.parent / "state").exists()
    assert not (corpus.parent / "out").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("root", f"s3://KEY:{CANARY}@bucket/raw"),
        ("files", [f"https://user:{CANARY}@host/a.jsonl"]),
        ("files", [f"https://host/a.jsonl?sig={CANARY}"]),
        ("licence", f"see https://user:{CANARY}@host/"),
    ],
)
def test_manifests_with_them_are_refused(corpus, tmp_path, key, value) -> None:
    data = yaml.safe_load(corpus.read_text())
    data["sources"][0][key] = value
    corpus.write_text(yaml.safe_dump(data))
    result = CliRunner().invoke(cli.app, ["prep", str(corpus), "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, GristmillError)
    assert f"{corpus}, line " in str(result.exception)
    assert "a URL holds" in str(result.exception)
    assert CANARY not in str(result.exception) + result.output
    assert not (tmp_path / "out").exists()


def test_a_prompt_names_no_place() -> None:
    cli._refuse_credentials(["generate", "run", "--prompt", "https://user:pass@host/"])
    cli._refuse_credentials(["generate", "run", "--prompt=https://user:pass@host/"])
