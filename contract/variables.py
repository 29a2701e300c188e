"""Every variable of the environment, declared once: name, type, default, meaning, example, and who reads it.

docs/operations.md and README.md show them: `python -m contract.environment_docs` writes the tables. A variable that is
read by none of our Python programs (by the shell script `hotpath`, say) is declared here for the documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from contract import variable_types as types
from contract.environment import FILE_SUFFIX, PREFIX, Family, Variable
from contract.variable_types import LOOPBACK, Address

# the engines: one that is named is yours, and `up` starts none of its own
_KAFKA_MEANING: Final = {
    "SECURITY_PROTOCOL": ("PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.", "SASL_SSL", "security.protocol"),
    "SASL_MECHANISM": ("How one logs in.", "SCRAM-SHA-512", "sasl.mechanism"),
    "SASL_USERNAME": ("Who logs in.", "hotpath", "sasl.username"),
    "SASL_PASSWORD": ("With which password.", "secret", "sasl.password"),
    "SSL_CA": ("A PEM file: who signs the brokers' certificates.", "/etc/kafka/ca.pem", "ssl.ca.location"),
    "SSL_CERTIFICATE": ("A PEM file: our own certificate.", "/etc/kafka/us.pem", "ssl.certificate.location"),
    "SSL_KEY": ("A PEM file: its key, in PKCS#8.", "/etc/kafka/us.key", "ssl.key.location"),
    "SSL_KEY_PASSWORD": ("With which password the key is encrypted.", "secret", "ssl.key.password"),
}


def _kafka(name: str, meaning: str, users: str) -> Variable[str | None]:
    return Variable(name, types.text, None, meaning, "broker1:9092,broker2:9092", users)


def _client_settings(kafka: Variable[str | None]) -> Mapping[str, Variable[str | None]]:
    """A client's setting, by librdkafka's name -> the variable that gives it."""
    return {
        setting: Variable(
            f"{kafka.name}_{suffix}", types.text, None, meaning, example, kafka.users, secret="PASSWORD" in suffix
        )
        for suffix, (meaning, example, setting) in _KAFKA_MEANING.items()
    }


ONPREM_KAFKA: Final = _kafka(
    "HOTPATH_ONPREM_KAFKA", "Your own on-prem Kafka.", "scorers, rollouts, watcher, mirror, replay"
)
CLOUD_KAFKA: Final = _kafka("HOTPATH_CLOUD_KAFKA", "Your own cloud Kafka.", "Spark job, trainer, watcher, mirror")
KAFKA_CLIENT: Final = {kafka.name: _client_settings(kafka) for kafka in (ONPREM_KAFKA, CLOUD_KAFKA)}
"""Of each Kafka, what its clients need besides the address."""
HDFS: Final = Variable[str | None](
    "HOTPATH_HDFS", types.url, None, "Your own HDFS.", "hdfs://namenode:8020", "Spark job, trainer, pull, monitor"
)
HDFS_REPLICATION: Final = Variable(
    "HOTPATH_HDFS_REPLICATION",
    types.whole_number(1, 512),
    1,
    "Copies of each block that the Spark job writes.",
    "3",
    "Spark job",
)
HDFS_HTTP: Final = Variable[str | None](
    "HOTPATH_HDFS_HTTP",
    types.http_url,
    None,
    "The web address of its NameNode, where the monitor reads capacity, blocks and nodes.",
    "http://namenode:9870",
    "monitor",
    default_in_words="none: HDFS is not measured",
)
H2O: Final = Variable[str | None](
    "HOTPATH_H2O",
    types.url,
    None,
    "Your own H2O. Others may use the cluster too: of frames and models only those named `hotpath.<pipeline>.` are "
    "ours, and go after each run.",
    "http://h2o:54321",
    "trainer",
)
H2O_USERNAME: Final = Variable[str | None](
    "HOTPATH_H2O_USERNAME", types.text, None, "Who logs in to H2O; goes with the password.", "hotpath", "trainer"
)
H2O_PASSWORD: Final = Variable[str | None](
    "HOTPATH_H2O_PASSWORD", types.text, None, "With which password.", "secret", "trainer", secret=True
)
SPARK_MASTER: Final = Variable(
    "HOTPATH_SPARK_MASTER", types.text, "local[2]", "Where Spark's executors run.", "spark://master:7077", "Spark job"
)

# addresses
PORT_BASE: Final = Variable(
    "HOTPATH_PORT_BASE",
    types.whole_number(1024, 65000),
    17000,
    "The first of the hundred ports that `up` uses.",
    "18000",
    "`hotpath`",
)
BIND: Final = Variable(
    "HOTPATH_BIND",
    types.host,
    LOOPBACK,
    "The address at which every part and engine that `up` starts listens; 0.0.0.0 is every address of this host.",
    "10.0.0.7",
    "`hotpath`, every part",
)
ADVERTISE: Final = Variable[str | None](
    "HOTPATH_ADVERTISE",
    types.host,
    None,
    "The host name or address under which others reach what `up` starts: brokers, HDFS and H2O tell it to clients.",
    "hotpath.example.org",
    "`hotpath`",
    default_in_words="`HOTPATH_BIND`; 127.0.0.1 where that is 0.0.0.0",
)
METRICS_BIND: Final = Variable[str | None](
    "HOTPATH_METRICS_BIND",
    types.host,
    None,
    "The address at which each part serves `/metrics`.",
    "10.0.0.7",
    "every part",
    default_in_words="`HOTPATH_BIND`",
)
METRICS_PORT: Final = Variable(
    "HOTPATH_METRICS_PORT",
    types.whole_number(0, 65535),
    0,
    "The port at which a part serves `/metrics`; `up` gives each part its own.",
    "9100",
    "every part",
    default_in_words="none are served",
)
SPARK_BIND: Final = Variable[str | None](
    "HOTPATH_SPARK_BIND",
    types.host,
    None,
    "The address at which executors reach the driver.",
    "10.0.0.7",
    "Spark job",
    default_in_words="`HOTPATH_BIND`",
)
ADMIN: Final = Variable[Address | None](
    "HOTPATH_ADMIN",
    types.address,
    None,
    "The admin address of the host's scorers.",
    "127.0.0.1:17012",
    "socket manager, monitor",
    default_in_words="base + 12",
)
PAGE: Final = Variable[Address](
    "HOTPATH_PAGE",
    types.address,
    (LOOPBACK, 17080),
    "The status page.",
    "127.0.0.1:17013",
    "monitor",
    default_in_words="base + 13",
)
SCORER: Final = Family[Address | None](
    "HOTPATH_SCORER_<NAME>",
    lambda name: Variable(
        name,
        types.address,
        None,
        "The hot address of the pipeline NAME, in capitals.",
        "127.0.0.1:8080",
        "socket manager, scorers, replay",
        default_in_words="base + 20 and up",
    ),
)


# memory: the heap of each engine
def _memory(engine: str, default: str, meaning: str) -> Variable[str]:
    return Variable(f"HOTPATH_{engine}_MEMORY", types.memory, default, meaning, default, "`hotpath`")


MEMORY: Final = {
    "KAFKA": _memory("KAFKA", "256m", "Each of the two brokers."),
    "MIRROR": _memory("MIRROR", "256m", "MirrorMaker."),
    "NAMENODE": _memory("NAMENODE", "128m", "HDFS's NameNode."),
    "DATANODE": _memory("DATANODE", "128m", "HDFS's DataNode."),
    "SECONDARYNAMENODE": _memory("SECONDARYNAMENODE", "64m", "HDFS's SecondaryNameNode."),
    "H2O": _memory("H2O", "1g", "H2O."),
    "SPARK": _memory("SPARK", "1g", "Spark's driver."),
}
"""By engine."""

# how often, how long
TRIGGER_S: Final = Variable(
    "HOTPATH_TRIGGER_S", types.seconds, timedelta(seconds=5), "How often the hot query takes a batch.", "2", "Spark job"
)
UPKEEP_S: Final = Variable(
    "HOTPATH_UPKEEP_S",
    types.seconds,
    timedelta(minutes=10),
    "How often small files are compacted and old ones removed.",
    "300",
    "Spark job",
)
STUCK_S: Final = Variable(
    "HOTPATH_STUCK_S",
    types.seconds,
    timedelta(minutes=10),
    "A batch that takes longer ends the process, which is then started again.",
    "900",
    "Spark job",
)
CALL_S: Final = Variable[timedelta | None](
    "HOTPATH_CALL_S",
    types.seconds,
    None,
    "A single call to HDFS that takes longer never comes back and ends the process, which is then started again. While "
    "HDFS is away, calls fail after some three minutes.",
    "90",
    "Spark job, trainer, pull, monitor",
    default_in_words="90 in the Spark job, 300 elsewhere",
)

# scorers
KEYS: Final = Variable[tuple[str, ...]](
    "HOTPATH_KEYS",
    types.listed,
    (),
    "The keys that callers may show, separated by commas.",
    "key1,key2",
    "scorers, replay",
    default_in_words="those in the file `keys` of the data folder",
    secret=True,
)
MAX_BODY: Final = Variable(
    "HOTPATH_MAX_BODY", types.size, 1024 * 1024, "The largest body of a request, in bytes.", "65536", "scorers"
)
RATE: Final = Variable[float | None](
    "HOTPATH_RATE",
    types.positive,
    None,
    "Requests a second for each key.",
    "500",
    "scorers",
    default_in_words="no limit",
)
SPOOL: Final = Variable(
    "HOTPATH_SPOOL",
    types.size,
    1024**3,
    "Bytes that a pipeline's predictions may take on disk while the on-prem Kafka is away; what finds no room is "
    "dropped and counted.",
    "100000000",
    "scorers",
)
SLOTS: Final = Variable(
    "HOTPATH_SLOTS",
    types.whole_number(0, 99),
    0,
    "How many scorer slots there are: programs that wait for a scorer to run, shared by the pipelines. 0: each "
    "rollout starts its scorers as processes of its own host.",
    "4",
    "rollouts, docker compose",
)

# the InfluxDB into which the monitor writes
INFLUX_URL: Final = Variable[str | None](
    "HOTPATH_INFLUX_URL",
    types.http_url,
    None,
    "Your own InfluxDB 2 (or 1.8 with its v2 interface), into which the monitor writes what it measures.",
    "http://influx.example.org:8086",
    "monitor",
    default_in_words="the one that `up` starts, else none",
)
INFLUX_ORG: Final = Variable[str | None](
    "HOTPATH_INFLUX_ORG", types.text, None, "The organisation there; `-` for InfluxDB 1.8.", "example", "monitor"
)
INFLUX_BUCKET: Final = Variable[str | None](
    "HOTPATH_INFLUX_BUCKET", types.text, None, "The bucket there; `database/policy` for 1.8.", "hotpath", "monitor"
)
INFLUX_TOKEN: Final = Variable[str | None](
    "HOTPATH_INFLUX_TOKEN",
    types.text,
    None,
    "A token that may write to and read from the bucket; `user:password` for 1.8.",
    "secret",
    "monitor",
    secret=True,
)
INFLUX_SPOOL: Final = Variable(
    "HOTPATH_INFLUX_SPOOL",
    types.size,
    256 * 1024**2,
    "Bytes that points may take on disk while InfluxDB is away; the oldest go first, counted.",
    "1000000000",
    "monitor",
)
GRAPHITE: Final = Variable[Address | None](
    "HOTPATH_GRAPHITE",
    types.address,
    None,
    "Your own Graphite (carbon, or what speaks its plaintext protocol with tags), which the monitor tells the same.",
    "graphite.example.org:2003",
    "monitor",
)
INFLUXD: Final = Variable[Path | None](
    "HOTPATH_INFLUXD",
    types.path,
    None,
    "The program `influxd` (2.x) that `up` starts.",
    "/usr/bin/influxd",
    "`hotpath`",
    default_in_words="the one on PATH, else none is started",
)

# a Grafana of the team's own
GRAFANA_URL: Final = Variable[str | None](
    "HOTPATH_GRAFANA_URL",
    types.http_url,
    None,
    "Your own Grafana, to which `hotpath grafana push` brings dashboards and alert rules.",
    "https://grafana.example.org",
    "`hotpath`",
)
GRAFANA_TOKEN: Final = Variable[str | None](
    "HOTPATH_GRAFANA_TOKEN",
    types.text,
    None,
    "A token of a service account there, of the role Admin.",
    "secret",
    "`hotpath`",
    secret=True,
)

# other
DATA: Final = Variable(
    "HOTPATH_DATA",
    types.path,
    Path(".hotpath"),
    "The data folder. `hotpath` takes the one in its checkout by default, a part the one in its working directory.",
    "/var/lib/hotpath",
    "everything",
)
WEBHOOK: Final = Variable[str | None](
    "HOTPATH_WEBHOOK",
    types.text,
    None,
    "Where alerts are posted.",
    "https://alerts.example.org/hook",
    "monitor",
    secret=True,
)
WEBHOOK_FORMAT: Final = Variable(
    "HOTPATH_WEBHOOK_FORMAT",
    types.one_of("json", "slack"),
    "json",
    "The body of a post: `json`, every field of the alert; `slack`, a text as Slack's webhooks take it.",
    "slack",
    "monitor",
)
ALERTS: Final = Variable(
    "HOTPATH_ALERTS",
    types.one_of("webhook", "grafana", "both"),
    "webhook",
    "Who sends alerts: the monitor to the webhook, or Grafana's rules over the series `hotpath_alert_state`.",
    "both",
    "monitor",
)
REPLAY: Final = Variable[tuple[str, ...]](
    "HOTPATH_REPLAY", types.words, (), "Further arguments of the example's replay.", "--backfill 7200", "`hotpath`"
)
PYTHON: Final = Variable[str](
    "HOTPATH_PYTHON", types.text, "python3", "The Python with which `.venv` is made.", "python3.12", "`./hotpath`"
)
SPARK_JARS: Final = Variable[Path | None](
    "HOTPATH_SPARK_JARS",
    types.path,
    None,
    "The folder with the jars of Delta and of Spark's Kafka source.",
    "/opt/hotpath/jars/spark",
    "Spark job",
    default_in_words="`up` names what it has installed",
)
CODE_VERSION: Final = Variable[str | None](
    "HOTPATH_CODE_VERSION",
    types.text,
    None,
    "The version of the code that a candidate's manifest names.",
    "4f2a9c1",
    "trainer",
    default_in_words="the commit of the checkout, else the package's version",
)
PARITY: Final = Variable[int | None](
    "HOTPATH_PARITY",
    types.whole_number(1, 10**9),
    None,
    "How many drawn expressions the tests compare with Spark SQL.",
    "100",
    "`hotpath test`",
    default_in_words="330",
)
PARITY_SEED: Final = Variable[int | None](
    "HOTPATH_PARITY_SEED",
    types.whole_number(0, 10**18),
    None,
    "Other expressions than the usual ones.",
    "7",
    "`hotpath test`",
)
JAVA_HOME: Final = Variable[Path | None](
    "JAVA_HOME",
    types.path,
    None,
    "Used when it is a Java 17; otherwise the packaged one is.",
    "/usr/lib/jvm/java-17",
    "`hotpath`, Spark job",
)

# docker compose: read by docker-compose.yml alone
_COMPOSE: Final = "docker compose"
PIPELINES: Final = Variable(
    "HOTPATH_PIPELINES",
    types.path,
    Path("examples/flights"),
    "The folder whose pipeline files (`*.toml`) are deployed when the service `topics` starts.",
    "/srv/hotpath/pipelines",
    _COMPOSE,
)
PUBLISH_SCORERS: Final = Variable(
    "HOTPATH_PUBLISH_SCORERS",
    types.host,
    LOOPBACK,
    "The address of this machine at which the hot addresses are opened, ports 17020 to 17029.",
    "0.0.0.0",
    _COMPOSE,
)
PUBLISH_PAGES: Final = Variable(
    "HOTPATH_PUBLISH_PAGES",
    types.host,
    LOOPBACK,
    "The address at which the status page (17013) and Grafana (3000) are opened. The status page asks for no password.",
    "10.0.0.7",
    _COMPOSE,
)
BASE_IMAGE: Final = Variable(
    "HOTPATH_BASE_IMAGE", types.text, "debian:12.12-slim", "The Debian 12 of our images.", "debian:12-slim", _COMPOSE
)
BUILD_IMAGE: Final = Variable(
    "HOTPATH_BUILD_IMAGE",
    types.text,
    "rust:1.95.0-slim-bookworm",
    "Where our images are built: the same Debian, with Rust 1.89 or newer.",
    "rust:1.95.0-slim-bookworm",
    _COMPOSE,
)
INFLUXDB_IMAGE: Final = Variable(
    "HOTPATH_INFLUXDB_IMAGE", types.text, "influxdb:2.7.12", "The image of InfluxDB 2.", "influxdb:2.7.12", _COMPOSE
)
GRAFANA_IMAGE: Final = Variable(
    "HOTPATH_GRAFANA_IMAGE",
    types.text,
    "grafana/grafana:12.2.0",
    "The image of Grafana.",
    "grafana/grafana:12.2.0",
    _COMPOSE,
)

GROUPS: Final[Mapping[str, tuple[Variable[Any], ...]]] = {
    "engines": (
        ONPREM_KAFKA,
        CLOUD_KAFKA,
        *(variable for client in KAFKA_CLIENT.values() for variable in client.values()),
        HDFS,
        HDFS_HTTP,
        HDFS_REPLICATION,
        H2O,
        H2O_USERNAME,
        H2O_PASSWORD,
        SPARK_MASTER,
    ),
    "addresses": (
        PORT_BASE,
        BIND,
        ADVERTISE,
        METRICS_BIND,
        METRICS_PORT,
        SPARK_BIND,
        ADMIN,
        PAGE,
        SCORER.member(SCORER.name),
    ),
    "memory": tuple(MEMORY.values()),
    "times": (TRIGGER_S, UPKEEP_S, STUCK_S, CALL_S),
    "scorers": (KEYS, MAX_BODY, RATE, SPOOL, SLOTS),
    "history": (INFLUX_URL, INFLUX_ORG, INFLUX_BUCKET, INFLUX_TOKEN, INFLUX_SPOOL, INFLUXD, GRAPHITE),
    "alerts": (WEBHOOK, WEBHOOK_FORMAT, ALERTS),
    "grafana": (GRAFANA_URL, GRAFANA_TOKEN),
    "other": (DATA, REPLAY, SPARK_JARS, CODE_VERSION, PYTHON, JAVA_HOME, PARITY, PARITY_SEED),
    "compose": (
        PIPELINES,
        PUBLISH_SCORERS,
        PUBLISH_PAGES,
        BASE_IMAGE,
        BUILD_IMAGE,
        INFLUXDB_IMAGE,
        GRAFANA_IMAGE,
    ),
}
"""All of them, by the tables of docs/operations.md; the last one's is in docs/compose.md."""
FAMILIES: Final[tuple[Family[Any], ...]] = (SCORER,)


def declared() -> Iterator[str]:
    """The name of every variable that is no member of a family."""
    families = {family.name for family in FAMILIES}
    return (each.name for group in GROUPS.values() for each in group if each.name not in families)


def misspelt(names: Mapping[str, str]) -> list[str]:
    """What is wrong with the names in an environment: each that is ours and not declared, with the nearest that is."""
    known = [*declared()]
    return [_unknown(name, known) for name in sorted(names) if name.startswith(PREFIX) and not _is_known(name, known)]


def _is_known(name: str, known: list[str]) -> bool:
    plain = name.removesuffix(FILE_SUFFIX)
    return name in known or plain in known or any(family.has(plain) for family in FAMILIES)


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name.removesuffix(FILE_SUFFIX), known, n=1)
    hint = f"did you mean {near[0]}?" if near else "docs/operations.md lists those that are"
    return f"{name} is no variable of hotpath and does nothing; {hint}"
