"""What can be checked in docker-compose.yml, the Dockerfile and scripts/local-images without Docker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from demo.cluster import compare
from demo.cluster.compare import PACKAGE_OF, split_files, upload, with_roots
from demo.packages import PACKAGES
from manifests.cluster import load_cluster
from manifests.corpus import load_corpus
from manifests.errors import GristmillError
from manifests.run import load_run
from scripts.local_images.host import PipSettings, parse_pip_settings, pip_arguments
from scripts.local_images.images import content_hash
from tests.compose import docker
from tests.paths import PROJECT

COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
CLUSTER = PROJECT / "demo" / "cluster"


def test_every_image_is_a_variable_with_a_pinned_default() -> None:
    for name, service in SERVICES.items():
        variable, default = re.fullmatch(r"\$\{([A-Z0-9_]+):-(.+)\}", service["image"]).groups()
        assert variable.endswith("_IMAGE"), name
        ours = default in ("gristmill-data", "gristmill-train")
        assert ours or re.fullmatch(r"[a-z0-9_./]+:[0-9][\w.-]*", default), f"{name}: {default} has no version"


def test_nothing_is_published_to_the_host() -> None:
    assert [
        name for name, service in SERVICES.items() if "ports" in service or service.get("network_mode") == "host"
    ] == []


def test_each_worker_shares_the_network_of_one_task_manager() -> None:
    for number in (1, 2):
        networks = {SERVICES[f"{kind}-{number}"]["network_mode"] for kind in ("taskmanager", "worker")}
        assert networks == {f"service:node-{number}"}


def test_flink_gets_what_the_pre_flight_check_asks_for() -> None:
    lines = SERVICES["taskmanager-1"]["environment"]["FLINK_PROPERTIES"].splitlines()
    settings = dict(line.split(": ", 1) for line in lines)
    assert settings["taskmanager.memory.network.min"] == settings["taskmanager.memory.network.max"] == "256m"
    assert settings["restart-strategy.type"] == "fixed-delay"
    cluster = load_cluster(CLUSTER / "cluster.yaml")
    slots = int(settings["taskmanager.numberOfTaskSlots"])
    assert cluster.parallelism == 2 * slots
    assert cluster.workers_per_task_manager == slots


def test_the_versions_are_those_of_the_constraints() -> None:
    pins = dict(line.split("==") for line in (PROJECT / "constraints.txt").read_text().splitlines() if "==" in line)
    beam = pins["apache-beam"]
    assert SERVICES["jobserver"]["image"].endswith(f":{beam}}}")
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert f"apache/beam_python3.11_sdk:{beam}\n" in dockerfile
    assert dockerfile.count(f"uv=={pins['uv']}") == 2
    assert SERVICES["buckets"]["build"]["args"]["BEAM_SDK_IMAGE"].endswith(f":{beam}}}")


def test_the_store_calls_nobody_and_asks_for_keys() -> None:
    command = SERVICES["s3"]["command"].split()
    assert "-master.telemetry=false" in command
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    for name in ("worker-1", "worker-2", "client", "trainer", "buckets"):
        assert [SERVICES[name]["environment"][key] for key in keys] == [
            SERVICES["s3"]["environment"][key] for key in keys
        ]


def test_both_images_run_as_an_ordinary_user() -> None:
    stages = re.split(r"^FROM ", (PROJECT / "Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    assert [re.search(r" AS (\w+)", stage)[1] for stage in stages] == ["data", "train"]
    for stage in stages:
        assert re.findall(r"^USER (\w+)", stage, flags=re.MULTILINE) == ["gristmill"]


def test_a_build_sees_the_packages_and_no_data() -> None:
    wanted = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    with open(PROJECT / "pyproject.toml", "rb") as file:
        packages = tomllib.load(file)["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {f"{name}*" for name in wanted if (PROJECT / name).is_dir()} == set(packages)
    assert {name for name in wanted if (PROJECT / name).is_file()} == {
        "pyproject.toml",
        "constraints.txt",
        "README.md",
        "LICENSE",
    }


def test_the_trainer_takes_twenty_steps_with_two_tensor_parallel_ranks() -> None:
    run = load_run(CLUSTER / "run.yaml")
    assert run.manifest.steps == 20
    assert run.manifest.layout.tensor == 2
    assert run.data == "s3://prepared/demo"
    entrypoint = SERVICES["trainer"]["entrypoint"]
    assert entrypoint[:4] == ["torchrun", "--standalone", "--nproc-per-node", "2"]


def test_nothing_is_imported_from_a_working_folder() -> None:
    commands = [list(service.get("entrypoint", [])) for service in SERVICES.values()]
    commands += [service.get("healthcheck", {}).get("test", [""])[1:] for service in SERVICES.values()]
    commands += [
        line.split()
        for line in (PROJECT / "docs" / "training.md").read_text().splitlines()
        if line.startswith("torchrun ")
    ]
    seen = 0
    for words in commands:
        if words and words[0] in ("python", "torchrun"):
            seen += 1
            assert ("-P" if words[0] == "python" else "--no-python") in words, words
    assert seen >= 5
    assert (PROJECT / "Dockerfile").read_text().count("ENV PYTHONSAFEPATH=1\n") == 2


def test_every_source_of_the_demo_has_its_package() -> None:
    corpus = load_corpus(PROJECT / "demo" / "corpus.yaml")
    # The demo makes up the pages of `web` itself.
    assert {source.name for source in corpus.sources} == {*PACKAGE_OF, "web"}
    assert set(PACKAGE_OF.values()) == {package.name for package in PACKAGES}


def test_the_two_corpora_differ_in_their_roots_only() -> None:
    plain = yaml.safe_load((PROJECT / "demo" / "corpus.yaml").read_text())
    here, there = (with_roots(plain, ["django", "factbook"], root) for root in ("/work/text", "s3://raw/demo"))
    assert [source["root"] for source in there["sources"]] == ["s3://raw/demo/factbook", "s3://raw/demo/django"]
    for corpus in (here, there):
        for source in corpus["sources"]:
            del source["root"]
    assert here == there
    assert "factual" in plain
    assert "factual" not in here


def test_splitting_keeps_every_line_and_writes_only_changes(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for source, name, content in (("django", "d.jsonl", b"1\n2\n3\n4\n5\n"), ("enwiki", "dump.bz2", b"binary")):
        (raw / source).mkdir(parents=True)
        (raw / source / name).write_bytes(content)
    written = split_files(["django", "enwiki"], raw=raw, out=tmp_path / "out", split=2)
    assert [path.name for path in written] == ["d-00.jsonl", "d-01.jsonl", "dump.bz2"]
    assert b"".join(path.read_bytes() for path in written) == b"1\n2\n3\n4\n5\nbinary"
    stamps = [path.stat().st_mtime_ns for path in written]
    assert split_files(["django", "enwiki"], raw=raw, out=tmp_path / "out", split=2) == written
    assert [path.stat().st_mtime_ns for path in written] == stamps
    upload(written, root=tmp_path / "out", url=str(tmp_path / "store"))
    assert (tmp_path / "store" / "django" / "d-01.jsonl").read_bytes() == b"3\n4\n5\n"


@pytest.mark.parametrize(("embedded", "cluster", "status"), [("ab", "ab", 0), ("ab", "cd", 1)])
def test_the_client_fails_when_digests_differ(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    embedded: str,
    cluster: str,
    status: int,
) -> None:
    (tmp_path / "raw" / "django").mkdir(parents=True)
    monkeypatch.setattr(compare, "fetch", lambda *_arguments, **_settings: [])
    monkeypatch.setattr(compare, "upload", lambda *_arguments, **_settings: None)
    monkeypatch.setattr(compare, "prepare", lambda *words: cluster if "--cluster" in words else embedded)
    monkeypatch.setattr(sys, "argv", ["compare", "--sources", "django", "--work", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        compare.main()
    assert ended.value.code == status
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told == {"embedded": embedded, "cluster": cluster, "digest_equal": status == 0}


def test_the_client_reads_the_digest_and_notices_a_failure(tmp_path: Path) -> None:
    with pytest.raises(GristmillError, match="ended with status 1"):
        compare.prepare(str(tmp_path / "absent.yaml"), "--out", str(tmp_path / "out"))


def test_the_group_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert docker.missing() == "no docker (Debian: apt-get install docker.io docker-compose debootstrap)"


def test_settings_of_pip_with_variables_before_files() -> None:
    listing = (
        ":env:.find-links='/wheels'\n:env:.timeout='5'\nglobal.find-links='/other'\n"
        "global.extra-index-url='file:///mirror/simple https://example.org/simple'\nlist.index-url='https://not-for-install'\n"
    )
    assert parse_pip_settings(listing) == PipSettings(
        None, ("file:///mirror/simple", "https://example.org/simple"), ("/wheels",)
    )
    assert parse_pip_settings("") == PipSettings(None, (), ())


def test_folders_of_pip_are_served_while_images_are_built(tmp_path: Path) -> None:
    for folder in ("mirror/simple/six", "mirror/files", "wheels"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mirror/files/six.whl").write_bytes(b"six")
    (tmp_path / "wheels/torch+cpu.whl").write_bytes(b"torch")
    settings = PipSettings(
        None, (f"file://{tmp_path}/mirror/simple", "https://example.org/simple"), (str(tmp_path / "wheels"),)
    )
    with pip_arguments(settings) as arguments:
        assert set(arguments) == {"PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"}
        index, other = arguments["PIP_EXTRA_INDEX_URL"].split()
        assert other == "https://example.org/simple"
        assert _get(f"{index}../files/six.whl".replace("simple/../", "")) == b"six"
        assert b"torch%2Bcpu.whl" in _get(arguments["PIP_FIND_LINKS"])
        assert _get(f"{arguments['PIP_FIND_LINKS']}torch%2Bcpu.whl") == b"torch"
        address = arguments["PIP_FIND_LINKS"].rsplit("/", 2)[0]
        with pytest.raises(urllib.error.HTTPError):
            _get(f"{address}/9/etc/passwd")
    with pytest.raises(OSError):
        _get(address)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bytes(answer.read())


def test_a_hash_knows_where_parts_end() -> None:
    assert content_hash(["ab", "c"]) != content_hash(["a", "bc"])
    assert content_hash(["a", b"b"]) == content_hash([b"a", "b"])


def test_local_images_says_what_it_lacks(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "scripts" / "local-images"), "--jars", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--jars names no folder with jars" in done.stderr


@pytest.mark.parametrize(
    "script", sorted((PROJECT / "scripts" / "local_images").glob("*/entrypoint.sh")), ids=lambda path: path.parent.name
)
def test_entry_points_are_valid_shell(script: Path) -> None:
    assert script.stat().st_mode & 0o111, "executable"
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True, check=False).returncode == 0


def test_stand_ins_start_what_the_compose_file_asks_for() -> None:
    flink = (PROJECT / "scripts/local_images/flink/entrypoint.sh").read_text()
    for command in {SERVICES[name]["command"] for name in ("jobmanager", "taskmanager-1", "taskmanager-2")}:
        assert f"  {command}) " in flink
    assert SERVICES["s3"]["command"].split()[0] == "server"
