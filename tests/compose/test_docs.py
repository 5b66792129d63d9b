"""Manifests in docs/cluster.md are valid YAML, of the kinds that the text names, and agree with docker-compose.yml."""

from __future__ import annotations

import re
from typing import Any

import yaml

from manifests.cluster import ClusterManifest
from tests.paths import PROJECT

TEXT = (PROJECT / "docs" / "cluster.md").read_text(encoding="utf-8")


def _manifests(kind: str) -> list[dict[str, Any]]:
    blocks = re.findall(r"^```yaml\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)
    return [document for block in blocks for document in yaml.safe_load_all(block) if document["kind"] == kind]


def test_cluster_manifests_are_valid() -> None:
    runners = {ClusterManifest.model_validate(manifest).runner for manifest in _manifests("cluster")}
    assert runners == {"flink", "portable"}


def test_the_operator_manifest_agrees_with_the_compose_file() -> None:
    (deployment,) = _manifests("FlinkDeployment")
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    lines = compose["taskmanager-1"]["environment"]["FLINK_PROPERTIES"].splitlines()
    settings = dict(line.split(": ", 1) for line in lines)
    # Names of the compose file's services, and sizes that the operator takes elsewhere.
    elsewhere = {
        "jobmanager.rpc.address",
        "jobmanager.memory.process.size",
        "taskmanager.memory.process.size",
        "taskmanager.rpc.port",
    }
    assert deployment["spec"]["flinkConfiguration"] == {
        key: value for key, value in settings.items() if key not in elsewhere
    }
    containers = {
        container["name"]: container
        for container in deployment["spec"]["taskManager"]["podTemplate"]["spec"]["containers"]
    }
    assert set(containers) == {"flink-main-container", "worker"}
    assert containers["worker"]["args"] == compose["worker-1"]["command"].split()


def test_the_variables_of_the_text_are_those_of_the_compose_file() -> None:
    section = TEXT.split("## docker-compose")[1].split("\n## ")[0]
    sentence = re.search(r"^Variables: .*?\n\n", section, flags=re.DOTALL | re.MULTILINE)[0]
    told = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", sentence)) | set(re.findall(r"`([A-Z]+_MEMORY)`", section))
    assert told == set(re.findall(r"\$\{([A-Z0-9_]+):-", (PROJECT / "docker-compose.yml").read_text()))
