"""The cluster manifest: where the job service and the workers are, and how much of the cluster one command uses.

    kind: cluster
    version: 1
    runner: flink
    job_endpoint: jobserver:8099
    flink_rest: http://jobmanager:8081
    worker_endpoint: localhost:50000
    parallelism: 4
    workers_per_task_manager: 2
    store_endpoint: http://s3:8333

It contains no credentials: they come from the standard environment variables, on the client and on each worker.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from manifests.base import Strict, load
from manifests.errors import GristmillError

ClusterRunner = Literal["flink", "portable"]


class ClusterManifest(Strict):
    """One cluster, as seen by a client."""

    kind: Literal["cluster"] = "cluster"
    version: Literal[1] = 1
    runner: ClusterRunner = Field(
        "flink", description="flink: Beam's Flink job server; portable: any other Beam job service"
    )
    job_endpoint: str = Field(description="host:port of the job service, as the client reaches it")
    worker_endpoint: str = Field(
        "localhost:50000",
        description="host:port of a worker pool (`gristmill worker`), as a TaskManager reaches the one beside it",
    )
    flink_rest: str | None = Field(
        None, description="http://host:port of Flink's REST service; flink only, where it is required"
    )
    parallelism: int = Field(2, ge=1, description="slots that a pipeline takes at most")
    workers_per_task_manager: int = Field(
        1,
        ge=1,
        description="Python worker processes beside each TaskManager: its slots, since one process uses one core",
    )
    store_endpoint: str | None = Field(
        None,
        description=(
            "http(s)://host:port of the object store where it is not Amazon's; AWS_ENDPOINT_URL on the workers must be"
            " the same"
        ),
    )
    retries: int = Field(
        3, ge=0, description="how often the cluster starts a pipeline again after a lost process or a failed task"
    )
    retry_delay_s: float = Field(5.0, ge=0)
    worker_start_timeout_s: float = Field(
        60.0,
        gt=0,
        description=(
            "pre-flight: for the first sign of life of a worker whose pool says nothing (`gristmill worker` says at"
            " once)"
        ),
    )

    @field_validator("job_endpoint", "worker_endpoint")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        if not re.fullmatch(r"[^\s:/@]+:\d{1,5}", value):
            raise ValueError(f"`{value}` is not host:port")
        return value

    @field_validator("flink_rest", "store_endpoint")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s/@]+/?", value):
            raise ValueError("give http(s)://host:port, without path and without credentials")
        return value.rstrip("/") if value else value

    @model_validator(mode="after")
    def _flink_has_rest(self) -> ClusterManifest:
        if self.runner == "flink" and self.flink_rest is None:
            raise ValueError(
                "runner `flink` needs `flink_rest`: the address of Flink's REST service (port 8081 by default)"
            )
        return self

    @property
    def rest(self) -> str:
        """The address of Flink's REST service; call it for runner `flink` only."""
        if self.flink_rest is None:
            raise GristmillError(
                "the cluster manifest has no `flink_rest`", remedy="add it: http://host:port of Flink's REST service"
            )
        return self.flink_rest


def load_cluster(path: str | Path) -> ClusterManifest:
    """Load and validate the manifest at `path`.

    Raises:
        GristmillError: the manifest is missing or invalid; the error names the file, the key and the problem.
    """
    return load(path, ClusterManifest)
