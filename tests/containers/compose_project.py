"""A compose project of the checkout's docker-compose.yml, with stand-ins for images of registries, and no Grafana."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from infra.settings import ROOT
from tests.containers import stand_ins

NAME: Final = "hotpath-test"
SETTINGS: Final = {
    "COMPOSE_PROJECT_NAME": NAME,
    "COMPOSE_PROFILES": "demo",
    "HOTPATH_BASE_IMAGE": stand_ins.BASE,
    "HOTPATH_BUILD_IMAGE": stand_ins.BUILD,
    "HOTPATH_INFLUXDB_IMAGE": stand_ins.INFLUXDB,
}
HOT: Final = "http://127.0.0.1:17020"
PIPELINE: Final = "flights"


class Project:
    """`docker compose` with these settings; nothing is read from a .env of the checkout."""

    def __init__(self, **more: str) -> None:
        self._env = os.environ | SETTINGS | more | {"DOCKER_BUILDKIT": "1"}

    def run(self, *arguments: str, check: bool = True, text: str = "") -> str:
        """What a command of docker compose prints."""
        done = subprocess.run(
            ["docker", "compose", "--env-file", "/dev/null", *arguments],
            cwd=ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            input=text or None,
        )
        assert done.returncode == 0 or not check, f"{' '.join(arguments)}: {done.stdout[-3000:]}{done.stderr[-6000:]}"
        return done.stdout

    def services(self) -> list[str]:
        """Every service but Grafana, of which no image can be made here."""
        return [name for name in self.run("config", "--services").split() if name != "grafana"]

    def build(self) -> None:
        self.run("build", "--quiet")

    def up(self) -> None:
        self.run("up", "--detach", "--wait", "--quiet-pull", *self.services())

    def hotpath(self, *arguments: str, check: bool = True) -> str:
        return self.run("exec", "-T", "topics", "hotpath", *arguments, check=check)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Name of each container that runs -> what Docker says of it."""
        ids = self.run("ps", "--quiet").split()
        told = json.loads(subprocess.check_output(["docker", "inspect", *ids], text=True)) if ids else []
        return {each["Name"].removeprefix("/"): each for each in told}

    def kill(self, container: str) -> None:
        """End a container's program as a crash would: Docker starts it again."""
        os.kill(self.containers()[container]["State"]["Pid"], signal.SIGKILL)

    def is_well(self, container: str) -> bool:
        state = self.containers().get(container, {"State": {}})["State"]
        return bool(state.get("Running")) and state.get("Health", {"Status": "healthy"})["Status"] == "healthy"

    def key(self) -> str:
        return self.run("exec", "-T", "topics", "cat", "/data/secrets/keys").split()[0]

    def models(self) -> dict[str, str]:
        """Version -> state."""
        listed = json.loads(self.hotpath("models", "list", PIPELINE, "--json"))
        return {model["version"]: model["state"] for model in listed}

    def down(self) -> None:
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)


class Caller:
    """Asks the example's first question at the published hot address."""

    def __init__(self, key: str, body: bytes) -> None:
        self._key, self._body = key, body

    def model(self) -> str | None:
        """The version that answers; None where it is no answer of a model."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{HOT}/v1/pipelines/{PIPELINE}/predict", self._body, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return str(json.load(answer)["model"])
        except (OSError, urllib.error.HTTPError):
            return None


def wait_for(condition: Any, seconds: float, what: str) -> float:
    """Until it holds; how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, f"not within {seconds:g} s: {what}"
        time.sleep(1.0)
    return time.monotonic() - began


def image_bytes(image: str) -> int:
    return int(subprocess.check_output(["docker", "image", "inspect", "--format", "{{.Size}}", image], text=True))


def docker_root() -> Path:
    return Path(subprocess.check_output(["docker", "info", "--format", "{{.DockerRootDir}}"], text=True).strip())
