"""Where things are: addresses and secrets from the environment, and the names derived from them.

The pipeline file says *what*, the environment *where*. `Places.from_environment()` is the only reader of these
variables; a `.env` file in the working directory is honoured by the command line before it is called. A process names
the engines that it needs and is refused at its start when one lacks; others need not be known to its host.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

Need: TypeAlias = Literal["onprem", "cloud", "hdfs", "h2o"]
"""An engine, by the name that it has in `Places`."""


class PlacesError(ValueError):
    """A variable is missing or malformed; the message names it and gives an example."""


@dataclass(frozen=True)
class Kafka:
    """One Kafka cluster: `settings` are librdkafka's and Spark's common names (`security.protocol`, ...)."""

    bootstrap: str
    settings: Mapping[str, str] = field(repr=False)

    def client(self, **more: object) -> dict[str, object]:
        """The configuration of a confluent-kafka client; `_` in a keyword stands for `.`."""
        own: dict[str, object] = {"bootstrap.servers": self.bootstrap, **self.settings}
        return own | {name.replace("_", "."): value for name, value in more.items()}


@dataclass(frozen=True)
class H2o:
    """An H2O cluster: `login` is user and password, None where it asks for none."""

    url: str
    login: tuple[str, str] | None = field(repr=False)


@dataclass(frozen=True)
class Places:
    """The environment of one process; an engine that it does not name is missed where it is first used."""

    data: Path
    """Absolute."""
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables HOTPATH_*, secrets among them."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None, *, needs: Iterable[Need] = ()) -> Places:
        """Read HOTPATH_*; a default stands only for what `hotpath up` itself would start.

        Raises:
            PlacesError: the address of an engine in `needs` lacks, or is malformed; it names the variable.
        """
        env = os.environ if env is None else env
        given = {name: value for name, value in env.items() if name.startswith("HOTPATH_")}
        places = cls(Path(env.get("HOTPATH_DATA", ".hotpath")).absolute(), given)
        for need in needs:
            getattr(places, need)
        return places

    # the engines; each raises PlacesError when the environment does not name it
    @property
    def onprem(self) -> Kafka:
        return _kafka(self.given, "HOTPATH_ONPREM_KAFKA")

    @property
    def cloud(self) -> Kafka:
        return _kafka(self.given, "HOTPATH_CLOUD_KAFKA")

    @property
    def hdfs(self) -> str:
        """`hdfs://host:port`, no trailing slash."""
        return _required(self.given, "HOTPATH_HDFS", "hdfs://namenode:8020").rstrip("/")

    @property
    def h2o(self) -> H2o:
        url = _required(self.given, "HOTPATH_H2O", "http://h2o:54321").rstrip("/")
        return H2o(url, _login(self.given, "HOTPATH_H2O"))

    @property
    def spark_master(self) -> str:
        return self.given.get("HOTPATH_SPARK_MASTER", "local[2]")

    @property
    def webhook(self) -> str | None:
        return self.given.get("HOTPATH_WEBHOOK") or None

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
