"""The same Kafka connection for clients in Java (Spark, MirrorMaker): librdkafka's names translated."""

from __future__ import annotations

import json
from pathlib import Path

from contract.environment import VariableError
from contract.layout import Kafka

_SAME = ("security.protocol", "sasl.mechanism")
_LOGIN_MODULES = {"PLAIN": "plain.PlainLoginModule"}
_PKCS8 = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY")
_SCRAM = "scram.ScramLoginModule"


def java_settings(kafka: Kafka) -> dict[str, str]:
    """Properties of a Java client of this cluster; certificates and keys are PEM files.

    Raises:
        OSError: a certificate or key cannot be read.
        VariableError: the key is of a kind that Java does not read.
    """
    own = {"bootstrap.servers": kafka.bootstrap}
    own |= {name: kafka.settings[name] for name in _SAME if name in kafka.settings}
    return own | _login(kafka) | _certificates(kafka)


def _login(kafka: Kafka) -> dict[str, str]:
    if "sasl.username" not in kafka.settings:
        return {}
    module = _LOGIN_MODULES.get(kafka.settings.get("sasl.mechanism", "PLAIN"), _SCRAM)
    user, password = (json.dumps(kafka.settings.get(f"sasl.{name}", "")) for name in ("username", "password"))
    login = f"org.apache.kafka.common.security.{module} required username={user} password={password};"
    return {"sasl.jaas.config": login}


def _certificates(kafka: Kafka) -> dict[str, str]:
    found: dict[str, str] = {}
    if authority := kafka.settings.get("ssl.ca.location"):
        found |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": authority}
    if key := kafka.settings.get("ssl.key.location"):
        chain = Path(kafka.settings.get("ssl.certificate.location", key)).read_text()
        found |= {"ssl.keystore.type": "PEM", "ssl.keystore.key": _pkcs8(Path(key))}
        found |= {"ssl.keystore.certificate.chain": chain}
    if password := kafka.settings.get("ssl.key.password"):
        found["ssl.key.password"] = password
    return found


def _pkcs8(file: Path) -> str:
    text = file.read_text()
    if not any(f"-----BEGIN {kind}-----" in text for kind in _PKCS8):
        remedy = f"openssl pkcs8 -topk8 -in {file} -out key.pem (-nocrypt for one without a password)"
        raise VariableError(f"{file} is no private key in PKCS#8, the only kind that Java reads; make one: {remedy}")
    return text
