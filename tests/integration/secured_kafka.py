"""A plain on-prem Kafka, one in the cloud that asks for TLS, a client's certificate and a login, and the mirror."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from contract.layout import Kafka, Places
from contract.pipeline import Pipeline
from infra.engines import java, kafka_broker, mirror_maker
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.readiness import broker_answers
from infra.supervisor.service import Service
from streaming.kafka.topic_admin import ensure_topics
from tests.waiting import until

USER, PASSWORD = "ann", 'sesame "open"\\'
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


@dataclass(frozen=True)
class Secured:
    """`env` is what a person sets; `logs` is the folder of what the engines printed."""

    env: Mapping[str, str]
    settings: Settings
    ports: Ports

    @property
    def places(self) -> Places:
        return Places.from_environment(self.env, needs=("onprem", "cloud"))

    @contextmanager
    def mirror(self, pipeline: Pipeline) -> Iterator[None]:
        """The mirror of a pipeline's topics, which are made first."""
        ensure_topics(self.places, [pipeline])
        mirror_maker.render(self.settings, self.ports, self.places, pipeline.mirrored_topics)
        part = mirror_maker.mirror(self.settings, self.ports, self.places, after=())
        log = self.settings.data / "mirror.log"
        with running(self.settings, part, log):
            until(lambda: mirror_maker.STARTED in log.read_text(), 120, "the mirror's tasks", every_s=0.5)
            yield


@contextmanager
def secured_kafka(folder: Path, port_base: int) -> Iterator[Secured]:
    """Both brokers, until the end."""
    ports = Ports(port_base, folder / "ports.json")
    env = {
        "HOTPATH_DATA": str(folder),
        "HOTPATH_PORT_BASE": str(port_base),
        "HOTPATH_ONPREM_KAFKA": ports.address("onprem"),
        "HOTPATH_CLOUD_KAFKA": ports.address("cloud"),
        **_certificates(folder),
        "HOTPATH_CLOUD_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "HOTPATH_CLOUD_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "HOTPATH_CLOUD_KAFKA_SASL_USERNAME": USER,
        "HOTPATH_CLOUD_KAFKA_SASL_PASSWORD": PASSWORD,
    }
    settings = Settings.from_environment({**os.environ, **env})
    secured = Secured(env, settings, ports)
    with ExitStack() as brokers:
        brokers.enter_context(running(settings, kafka_broker.broker(settings, ports, "onprem"), folder / "onprem.log"))
        brokers.enter_context(running(settings, _secured_broker(settings, ports), folder / "cloud.log"))
        until(lambda: broker_answers(secured.places.onprem), 120, "the plain broker")
        inner = ports.address("h2o")
        until(lambda: broker_answers(Kafka(inner, {})), 120, "the inner door of the secured broker")
        _add_user(inner)
        until(lambda: broker_answers(secured.places.cloud), 30, "the secured broker")
        yield secured


def _secured_broker(settings: Settings, ports: Ports) -> Service:
    """The cloud's broker as `up` makes it, with its door replaced: what it says to itself goes by another one."""
    plain = kafka_broker.broker(settings, ports, "cloud")
    inner, controller = ports.address("h2o"), ports.address("cloud_controller")
    door = {
        "listeners": f"PLAINTEXT://{inner},SECURED://{ports.address('cloud')},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{inner},SECURED://{ports.address('cloud')}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.secured.scram-sha-512.sasl.jaas.config": f"{SCRAM} required;",
        "listener.name.secured.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": settings.data / "server.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": settings.data / "ca.pem",
    }
    conf = settings.conf / "kafka-cloud.properties"

    def prepare() -> None:
        java.write(conf, java.properties(kafka_broker.configuration(settings, ports, "cloud") | door))
        arguments = ("format", "--cluster-id=c2VjdXJlZC1zZWN1cmVkLQ", "-c", str(conf))
        tool = "kafka.tools.StorageTool"
        command = java.command(settings, plain.name, "128m", kafka_broker.classpath(), tool, *arguments)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return Service(plain.name, plain.command, env=plain.env, prepare=prepare)


def _add_user(address: str) -> None:
    """By the inner door."""
    admin = AdminClient({"bootstrap.servers": address})
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192)
    user = UserScramCredentialUpsertion(USER, scram, PASSWORD.encode())
    for done in admin.alter_user_scram_credentials([user]).values():
        done.result(30)


def _certificates(folder: Path) -> dict[str, str]:
    """An authority of the test's own; certificates of the broker and of a client, which is told in the variables."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert("ann@example.org")
    (folder / "server.pem").write_bytes(_key(server) + server.cert_chain_pems[0].bytes())
    (folder / "client.key").write_bytes(_key(client))
    (folder / "client.pem").write_bytes(client.cert_chain_pems[0].bytes())
    return {
        "HOTPATH_CLOUD_KAFKA_SSL_CA": str(folder / "ca.pem"),
        "HOTPATH_CLOUD_KAFKA_SSL_CERTIFICATE": str(folder / "client.pem"),
        "HOTPATH_CLOUD_KAFKA_SSL_KEY": str(folder / "client.key"),
    }


def _key(certificate: trustme.LeafCert) -> bytes:
    """In PKCS#8, as Java wants it."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@contextmanager
def running(settings: Settings, part: Service, log: Path) -> Iterator[None]:
    settings.scratch(part.name).mkdir(parents=True, exist_ok=True)
    if part.prepare:
        part.prepare()
    with log.open("wb") as output:
        process = subprocess.Popen(part.command, env={**os.environ, **part.env}, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.kill()
        process.wait(30)
