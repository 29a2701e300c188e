"""Brings folder, data source, dashboards and alert rules to a Grafana that runs elsewhere; again changes nothing.

What is pushed are the committed files, so neither builders nor the SDK are needed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from grafana_api.grafana_api import GrafanaClientError, GrafanaException
from grafana_api.grafana_face import GrafanaFace
from requests import RequestException

from contract import variables
from contract.layout import Influx

FOLDER: Final = Path(__file__).resolve().parent
FOLDER_UID: Final = "hotpath"
DATA_SOURCE_UID: Final = "hotpath-influxdb"
RULES: Final = "/v1/provisioning/folder/{folder}/rule-groups/{group}"
CHANGEABLE: Final = {"X-Disable-Provenance": "true"}
"""Else nobody could change the rules in Grafana."""


class GrafanaError(Exception):
    """Grafana did not do what it was asked; the message says what it was, and the remedy."""


def push(url: str, token: str, influx: Influx) -> Iterator[str]:
    """Do it all; each step is told once it is done.

    Raises:
        GrafanaError: it is no Grafana, does not answer, or refuses; what was done until then stays.
    """
    grafana = _Grafana.at(url, token)
    yield f"Grafana {grafana.version()} at {url} is well"
    yield f"folder {FOLDER_UID}: {grafana.put_folder()}"
    yield f"data source {DATA_SOURCE_UID}: {grafana.put_data_source(influx)}"
    if _is_loopback(influx.url) and not _is_loopback(url):
        yield f"note: Grafana must reach InfluxDB at {influx.url}, which is this host's own address"
    for path in sorted((FOLDER / "dashboards").glob("*.json")):
        yield f"dashboard {path.stem}: {grafana.put_dashboard(json.loads(path.read_text(encoding='utf-8')))}"
    yield f"alert rules: {grafana.put_rules(json.loads((FOLDER / 'alert_rules.json').read_text(encoding='utf-8')))}"


@dataclass(frozen=True)
class _Grafana:
    """One Grafana. `face` is the client's; the methods of its `api` are the verbs of HTTP."""

    url: str
    face: Any

    @classmethod
    def at(cls, url: str, token: str) -> _Grafana:
        parts = urlsplit(url)
        prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        return cls(url, GrafanaFace(token, parts.hostname, parts.port, prefix, parts.scheme))

    def version(self) -> str:
        with self._in_words("tell how it is"):
            health = self.face.api.GET("/health")
        if not isinstance(health, dict) or "database" not in health:
            raise GrafanaError(f"what answers at {self.url} is no Grafana; look at {variables.GRAFANA_URL.name}")
        if health["database"] != "ok":
            raise GrafanaError(f"Grafana at {self.url} is not well: its database is {health['database']!r}")
        return str(health.get("version", "(it does not tell its version)"))

    def put_folder(self) -> str:
        if self._find(lambda: self.face.folder.get_folder(FOLDER_UID), "read folders") is not None:
            return "is there"
        with self._in_words("make folders"):
            self.face.folder.create_folder(FOLDER_UID, FOLDER_UID)
        return "made"

    def put_data_source(self, influx: Influx) -> str:
        wanted = _data_source(influx)
        path = f"/datasources/uid/{DATA_SOURCE_UID}"
        is_there = self._find(lambda: self.face.api.GET(path), "read data sources") is not None
        with self._in_words("write data sources"):
            if is_there:
                self.face.api.PUT(path, json=wanted)
            else:
                self.face.datasource.create_datasource(wanted)
        return "updated" if is_there else "made"

    def put_dashboard(self, dashboard: dict[str, Any]) -> str:
        with self._in_words("write dashboards"):
            answer = self.face.dashboard.update_dashboard(
                {
                    "dashboard": dashboard,
                    "folderUid": FOLDER_UID,
                    "overwrite": True,
                    "message": "pushed by hotpath grafana push",
                }
            )
        return f"version {answer['version']} at {answer['url']}"

    def put_rules(self, group: dict[str, Any]) -> str:
        path = RULES.format(folder=group["folderUid"], group=group["title"])
        with self._in_words("write alert rules"):
            self.face.api.PUT(path, json=group, headers=CHANGEABLE)
        return f"{len(group['rules'])} written"

    def _find(self, call: Any, act: str) -> Any:
        """What the call gives; None where there is no such thing."""
        with self._in_words(act):
            try:
                return call()
            except GrafanaClientError as error:
                if error.status_code != 404:
                    raise
                return None

    @contextmanager
    def _in_words(self, act: str) -> Iterator[None]:
        at = f"Grafana at {self.url}"
        try:
            yield
        except GrafanaException as error:
            raise GrafanaError(f"{at} {_why(error, act)}") from error
        except RequestException as error:
            if isinstance(error, ValueError):
                raise GrafanaError(
                    f"what answers at {self.url} speaks no JSON, so it is no Grafana, or a page before it asks for a "
                    f"login; look at {variables.GRAFANA_URL.name}"
                ) from error
            raise GrafanaError(f"{at} does not answer ({type(error).__name__}: {error})") from error


def _why(error: GrafanaException, act: str) -> str:
    if error.status_code == 401:
        return f"does not know the token; set {variables.GRAFANA_TOKEN.name} to one of a service account"
    if error.status_code == 403:
        return f"does not let the token {act}; give its service account the role Admin"
    return f"refuses to {act} ({error.message})"


def _data_source(influx: Influx) -> dict[str, Any]:
    return {
        "name": "hotpath InfluxDB",
        "uid": DATA_SOURCE_UID,
        "type": "influxdb",
        "access": "proxy",
        "url": influx.url,
        "jsonData": {"version": "Flux", "organization": influx.org, "defaultBucket": influx.bucket},
        "secureJsonData": {"token": influx.token},
    }


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
