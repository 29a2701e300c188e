"""Where things are: the engines' addresses, the paths in HDFS, and the data folder of this host.

The pipeline file says *what*, the environment *where*. A process names the engines that it needs and is refused at its
start when one lacks; others need not be known to its host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from contract import variables
from contract.data_folder import DataFolder
from contract.environment import Environment, Variable, VariableError
from contract.variable_types import Address

Need: TypeAlias = Literal["onprem", "cloud", "hdfs", "h2o"]
"""An engine, by the name that it has in `Places`."""


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
class Influx:
    """A bucket of an InfluxDB 2, where the monitor writes what it measures."""

    url: str
    org: str
    bucket: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class Places:
    """The environment of one process; an engine that it does not name is missed where it is first used."""

    data: Path
    """Absolute."""
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables of the environment, secrets among them."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None, *, needs: Iterable[Need] = ()) -> Places:
        """What the environment says; a default stands only for what `hotpath up` itself would start.

        Raises:
            VariableError: the address of an engine in `needs` lacks, or is malformed; it names the variable.
        """
        environment = Environment(env)
        places = cls(environment.get(variables.DATA).absolute(), environment.all())
        for need in needs:
            getattr(places, need)
        return places

    @property
    def environment(self) -> Environment:
        return Environment(self.given)

    # the engines; each raises VariableError when the environment does not name it
    @property
    def onprem(self) -> Kafka:
        return _kafka(self.environment, variables.ONPREM_KAFKA)

    @property
    def cloud(self) -> Kafka:
        return _kafka(self.environment, variables.CLOUD_KAFKA)

    @property
    def hdfs(self) -> str:
        """`hdfs://host:port`, no trailing slash."""
        return self.environment.required(variables.HDFS)

    @property
    def h2o(self) -> H2o:
        return H2o(self.environment.required(variables.H2O), _login(self.environment))

    @property
    def spark_master(self) -> str:
        return self.environment.get(variables.SPARK_MASTER)

    @property
    def webhook(self) -> str | None:
        return self.environment.get(variables.WEBHOOK)

    @property
    def influx(self) -> Influx | None:
        """Where the monitor writes; None where no InfluxDB is named."""
        return _influx(self.environment)

    @property
    def graphite(self) -> Address | None:
        """Where the monitor sends the same points in Graphite's plaintext protocol."""
        return self.environment.get(variables.GRAPHITE)

    # on HDFS, everything of a pipeline under its name
    def root(self, pipeline: str) -> str:
        return f"{self.hdfs}/hotpath/{pipeline}"

    def table(self, pipeline: str, name: str) -> str:
        """`events`, `labels`, `facts`, `predictions`, `dead_letters`, `outcomes`, or `rows-<rows_hash>`."""
        return f"{self.root(pipeline)}/tables/{name}"

    def checkpoint(self, pipeline: str, query: str) -> str:
        return f"{self.root(pipeline)}/checkpoints/{query}"

    def losses(self, pipeline: str) -> str:
        """The folder of what was lost, one file a loss."""
        return f"{self.root(pipeline)}/losses"

    def topic_ids(self, pipeline: str) -> str:
        """The file in which the hot query notes the ids of its topics, by which it knows one that was made anew."""
        return f"{self.root(pipeline)}/checkpoints/topic_ids.json"

    def upkeep_note(self, pipeline: str, table: str) -> str:
        """The file in which the upkeep of a hot table notes how far it has come."""
        return f"{self.root(pipeline)}/upkeep/{table}.json"

    def registry(self, pipeline: str) -> str:
        """The folder of candidates, one immutable folder per model version."""
        return f"{self.root(pipeline)}/registry"

    # on this host
    @property
    def folder(self) -> DataFolder:
        """The paths of the data folder."""
        return DataFolder(self.data)

    @property
    def pipelines(self) -> Path:
        """The deployed pipeline files, `<name>.toml`: what every multi-pipeline process serves."""
        return self.folder.pipelines

    @property
    def sockets(self) -> Path:
        """Unix sockets of the socket manager and the scorers."""
        return self.folder.sockets

    def onprem_folder(self, pipeline: str) -> Path:
        """What serving keeps of a pipeline: `candidates/<version>/`, `bundles/<version>.bundle`, `models.json`."""
        return self.folder.of_pipeline(pipeline)


def _kafka(environment: Environment, kafka: Variable[str | None]) -> Kafka:
    bootstrap = environment.required(kafka)
    found = {setting: environment.get(each) for setting, each in variables.KAFKA_CLIENT[kafka.name].items()}
    return Kafka(bootstrap, {setting: value for setting, value in found.items() if value})


def _influx(environment: Environment) -> Influx | None:
    needed = (variables.INFLUX_URL, variables.INFLUX_ORG, variables.INFLUX_BUCKET, variables.INFLUX_TOKEN)
    found = [environment.get(variable) for variable in needed]
    lacking = [variable.name for variable, value in zip(needed, found, strict=True) if not value]
    if len(lacking) == len(needed):
        return None
    if lacking:
        raise VariableError(
            f"{' and '.join(lacking)}: not set, although others of the four that name an InfluxDB are; "
            f"set {', '.join(variable.name for variable in needed)}, or none of them"
        )
    return Influx(*(value or "" for value in found))


def _login(environment: Environment) -> tuple[str, str] | None:
    user, password = environment.get(variables.H2O_USERNAME), environment.get(variables.H2O_PASSWORD)
    if bool(user) != bool(password):
        names = f"{variables.H2O_USERNAME.name} and {variables.H2O_PASSWORD.name}"
        raise VariableError(f"set both {names}, or neither")
    return (user, password) if user and password else None
