"""Where things are: addresses and secrets from the environment, and the names derived from them.

The pipeline file says *what*, the environment *where*. `Places.from_environment()` is the only reader of these
variables; a `.env` file in the working directory is honoured by the command line before it is called.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class PlacesError(ValueError):
    """A variable is missing or malformed; the message names it and gives an example."""


@dataclass(frozen=True)
class Kafka:
    """One Kafka cluster: `settings` are librdkafka's and Spark's common names (`security.protocol`, ...)."""

    bootstrap: str
    settings: Mapping[str, str]

    def client(self, **more: object) -> dict[str, object]:
        """The configuration of a confluent-kafka client; `_` in a keyword stands for `.`."""
        own: dict[str, object] = {"bootstrap.servers": self.bootstrap, **self.settings}
        return own | {name.replace("_", "."): value for name, value in more.items()}


@dataclass(frozen=True)
class Places:
    """The environment of one process. Local folders are absolute."""

    data: Path
    onprem: Kafka
    cloud: Kafka
    hdfs: str
    """`hdfs://host:port`, no trailing slash."""
    h2o: str
    h2o_login: tuple[str, str] | None
    spark_master: str
    webhook: str | None

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Places:
        """Read HOTPATH_*; a default stands only for what `hotpath up` itself would start.

        Raises:
            PlacesError: naming the variable.
        """
        env = os.environ if env is None else env
        return cls(
            data=Path(env.get("HOTPATH_DATA", ".hotpath")).absolute(),
            onprem=_kafka(env, "HOTPATH_ONPREM_KAFKA"),
            cloud=_kafka(env, "HOTPATH_CLOUD_KAFKA"),
            hdfs=_required(env, "HOTPATH_HDFS", "hdfs://namenode:8020").rstrip("/"),
            h2o=_required(env, "HOTPATH_H2O", "http://h2o:54321").rstrip("/"),
            h2o_login=_login(env, "HOTPATH_H2O"),
            spark_master=env.get("HOTPATH_SPARK_MASTER", "local[2]"),
            webhook=env.get("HOTPATH_WEBHOOK") or None,
        )

    # on HDFS, everything of a pipeline under its name
    def root(self, pipeline: str) -> str:
        return f"{self.hdfs}/hotpath/{pipeline}"

    def table(self, pipeline: str, name: str) -> str:
        """`events`, `labels`, `facts`, `predictions`, `dead_letters`, `outcomes`, or `rows-<rows_hash>`."""
        return f"{self.root(pipeline)}/tables/{name}"

    def checkpoint(self, pipeline: str, query: str) -> str:
        return f"{self.root(pipeline)}/checkpoints/{query}"

    def registry(self, pipeline: str) -> str:
        """The folder of candidates, one immutable folder per model version."""
        return f"{self.root(pipeline)}/registry"

    # on this host
    @property
    def pipelines(self) -> Path:
        """The deployed pipeline files, `<name>.toml`: what every multi-pipeline process serves."""
        return self.data / "pipelines"

    @property
    def sockets(self) -> Path:
        """Unix sockets of the socket manager and the scorers."""
        return self.data / "onprem" / "sockets"

    def onprem_folder(self, pipeline: str) -> Path:
        """What serving keeps of a pipeline: `candidates/<version>/`, `bundles/<version>.bundle`, `models.json`."""
        return self.data / "onprem" / pipeline


def _required(env: Mapping[str, str], name: str, example: str) -> str:
    value = env.get(name, "")
    if not value:
        raise PlacesError(f"{name} is not set; set it in the environment or in .env, for example {name}={example}")
    return value


_KAFKA_SETTINGS = {
    "SECURITY_PROTOCOL": "security.protocol",
    "SASL_MECHANISM": "sasl.mechanism",
    "SASL_USERNAME": "sasl.username",
    "SASL_PASSWORD": "sasl.password",
    "SSL_CA": "ssl.ca.location",
    "SSL_CERTIFICATE": "ssl.certificate.location",
    "SSL_KEY": "ssl.key.location",
    "SSL_KEY_PASSWORD": "ssl.key.password",
}


def _kafka(env: Mapping[str, str], prefix: str) -> Kafka:
    bootstrap = _required(env, prefix, "broker1:9092,broker2:9092")
    settings = {name: env[f"{prefix}_{key}"] for key, name in _KAFKA_SETTINGS.items() if env.get(f"{prefix}_{key}")}
    return Kafka(bootstrap, settings)


def _login(env: Mapping[str, str], prefix: str) -> tuple[str, str] | None:
    user, password = env.get(f"{prefix}_USERNAME"), env.get(f"{prefix}_PASSWORD")
    if bool(user) != bool(password):
        raise PlacesError(f"set both {prefix}_USERNAME and {prefix}_PASSWORD, or neither")
    return (user, password) if user and password else None
