"""InfluxDB 2, where an `influxd` is named or on PATH: the history of everything that the monitor measures."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from typing import Any, Final

from contract import variables
from contract.environment import VariableError
from contract.files import write_durably
from infra.ports import Ports
from infra.settings import Settings
from infra.supervisor.service import Service

ORG: Final = "hotpath"
BUCKET: Final = "hotpath"
USER: Final = "hotpath"
KEPT_S: Final = 30 * 86_400
"""How long points are kept."""
_VERSION: Final = re.compile(r"InfluxDB v?(\d+)\.\S*")


def program(settings: Settings) -> Path | None:
    """The `influxd` to start: the one that is named, else the one on PATH if it is of version 2; None without one.

    Raises:
        VariableError: what is named is no InfluxDB 2.
    """
    named = settings.environment.get(variables.INFLUXD)
    if named is not None:
        version = _version(named)
        if not version.startswith("2"):
            said = f"it is of version {version}" if version else "it is no influxd that runs here"
            raise VariableError(f"{variables.INFLUXD.with_value(str(named))}: {said}; name an influxd of version 2")
        return named
    found = shutil.which("influxd", path=settings.env.get("PATH"))
    return Path(found) if found and _version(Path(found)).startswith("2") else None


@cache
def _version(influxd: Path) -> str:
    """What it prints, such as `2.7.12`; empty where it does not run."""
    try:
        printed = subprocess.run([str(influxd), "version"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
    found = _VERSION.match(printed)
    return found[0].removeprefix("InfluxDB ").removeprefix("v") if found else ""


def influxdb(settings: Settings, ports: Ports, influxd: Path) -> Service:
    """The part `influxdb`. It is set up at its first start: one user, one bucket, the token of the data folder."""
    address, folder = ports.address("influxdb"), settings.folder.engine("influxdb")
    return Service(
        name="influxdb",
        command=(
            str(influxd),
            "--reporting-disabled",
            *("--http-bind-address", ports.listens_at("influxdb")),
            *("--bolt-path", str(folder / "influxd.bolt"), "--sqlite-path", str(folder / "influxd.sqlite")),
            *("--engine-path", str(folder / "engine"), "--log-level", "warn"),
        ),
        prepare=lambda: folder.mkdir(parents=True, exist_ok=True),
        ready=lambda _: is_set_up(f"http://{address}", token(settings)),
        address=f"http://{address}",
        look_first="hotpath logs influxdb",
    )


def make_token(settings: Settings) -> None:
    """Write the data folder's token, where it lacks; `up` does so before it describes the parts' environment."""
    file = settings.folder.influx_token
    if not file.exists():
        write_durably(file, f"{secrets.token_urlsafe(32)}\n".encode(), mode=0o600)


def token(settings: Settings) -> str:
    """The one that the environment gives, else that of the data folder.

    Raises:
        FileNotFoundError: nobody has made one; see `make_token`.
    """
    return settings.environment.get(variables.INFLUX_TOKEN) or settings.folder.influx_token.read_text().strip()


def is_set_up(url: str, own_token: str) -> bool:
    """Whether it answers and has its user and bucket; an InfluxDB that is new gets them."""
    known = _answer(f"{url}/api/v2/setup")
    if not isinstance(known, dict):
        return False
    if not known.get("allowed"):
        return True
    wanted = {"username": USER, "password": own_token, "org": ORG, "bucket": BUCKET, "token": own_token}
    return _answer(f"{url}/api/v2/setup", wanted | {"retentionPeriodSeconds": KEPT_S}) is not None


def _answer(url: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON that a GET, or a POST with a body, is answered with; None without an answer of that kind."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)
    except (OSError, ValueError, urllib.error.HTTPError):
        return None
