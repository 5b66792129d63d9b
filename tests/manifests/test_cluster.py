"""The cluster manifest: what it accepts, and that it never holds a credential."""

from __future__ import annotations

import pytest
import yaml

from manifests.cluster import ClusterManifest, load_cluster
from manifests.errors import GristmillError

GOOD = {"kind": "cluster", "version": 1, "job_endpoint": "jobserver:8099", "flink_rest": "http://jobmanager:8081/"}


def load(path, **changes) -> ClusterManifest:
    content = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    path.write_text(yaml.safe_dump(content))
    return load_cluster(path)


def test_defaults(tmp_path) -> None:
    cluster = load(tmp_path / "cluster.yaml")
    assert (cluster.runner, cluster.worker_endpoint, cluster.parallelism) == ("flink", "localhost:50000", 2)
    assert cluster.rest == "http://jobmanager:8081"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"flink_rest": None}, "runner `flink` needs `flink_rest`"),
        ({"job_endpoint": "http://jobserver:8099"}, "is not host:port"),
        ({"job_endpoint": "jobserver"}, "is not host:port"),
        ({"worker_endpoint": "user@host:1"}, "is not host:port"),
        ({"store_endpoint": "http://key:secret@store:9000"}, "a URL holds a user or password before the host"),
        ({"flink_rest": "jobmanager:8081"}, "give http"),
        ({"parallelism": 0}, "parallelism"),
        ({"job_endpont": "a:1"}, "did you mean `job_endpoint`?"),
    ],
)
def test_mistakes_are_named(tmp_path, changes, told) -> None:
    with pytest.raises(GristmillError, match=r"cluster\.yaml") as caught:
        load(tmp_path / "cluster.yaml", **changes)
    assert told in str(caught.value)


def test_a_portable_cluster_needs_no_flink(tmp_path) -> None:
    cluster = load(tmp_path / "cluster.yaml", runner="portable", flink_rest=None)
    with pytest.raises(GristmillError, match="no `flink_rest`"):
        _ = cluster.rest
