"""A compose project of the checkout's docker-compose.yml, with stand-ins for images of registries."""

from __future__ import annotations

import http.client
import json
import os
import re
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
    "HOTPATH_GRAFANA_IMAGE": stand_ins.GRAFANA,
    "COMPOSE_ENV_FILES": os.devnull,
    "COMPOSE_FILE": str(ROOT / "docker-compose.yml"),
    "DOCKER_BUILDKIT": "1",
}
"""No .env of the checkout is read for them."""
IMAGES: Final = ("hotpath-engines:0.1.0", "hotpath:0.1.0", "hotpath-scorer:0.1.0")
HOT_PORT: Final = 17020
HOT: Final = f"http://127.0.0.1:{HOT_PORT}"
PIPELINE: Final = "flights"


class Project:
    """`docker compose` with these settings, and with the pipeline files of a folder."""

    def __init__(self, pipelines: Path) -> None:
        self.pipelines = pipelines
        self.env = os.environ | SETTINGS | {"HOTPATH_PIPELINES": str(pipelines)}

    def run(self, *arguments: str, check: bool = True) -> str:
        """What a command of docker compose prints."""
        return self._output(["docker", "compose", *arguments], " ".join(arguments), check)

    def shell(self, commands: str, folder: Path = ROOT) -> str:
        """What commands of the documents print, which name the project `hotpath`; the first to fail ends them."""
        own = commands.replace("hotpath_", f"{NAME}_")
        return self._output(["bash", "-euo", "pipefail", "-c", own], own, True, folder)

    def _output(self, command: list[str], what: str, check: bool, folder: Path = ROOT) -> str:
        done = subprocess.run(command, cwd=folder, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0 or not check, f"{what}: {done.stdout[-3000:]}{done.stderr[-6000:]}"
        return done.stdout

    def build(self) -> None:
        self.run("build", "--quiet")

    def up(self, *options: str) -> None:
        self.run("up", "--detach", "--wait", "--quiet-pull", *options)

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

    def becomes_well(self) -> None:
        """Wait until every container is; a slot whose scorer has ended has just been started again."""
        wait_for(lambda: all(map(self.is_well, self.containers())), 300, "every container is well")

    def volume(self, name: str) -> Path:
        """Where a named volume lies on this machine."""
        command = ["docker", "volume", "inspect", "--format", "{{.Mountpoint}}", f"{NAME}_{name}"]
        return Path(subprocess.check_output(command, text=True).strip())

    def keys(self) -> list[str]:
        """The keys of callers."""
        return (self.volume("secrets") / "keys").read_text(encoding="utf-8").split()

    def models(self) -> dict[str, str]:
        """Version -> state."""
        listed = json.loads(self.hotpath("models", "list", PIPELINE, "--json"))
        return {model["version"]: model["state"] for model in listed}

    def down(self) -> None:
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)


class Caller:
    """Asks the example's first question at the published hot address, with the first key of callers."""

    def __init__(self, project: Project, body: bytes) -> None:
        self._project, self._body = project, body

    def model(self) -> str | None:
        """The version that answers; None where it is no answer of a model."""
        code, answer = self.answer()
        return str(json.loads(answer)["model"]) if code == 200 else None

    def answer(self, key: str | None = None) -> tuple[int, bytes]:
        """Status and body; 0 where there is no answer at all."""
        headers = {"Authorization": f"Bearer {key or self._project.keys()[0]}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{HOT}/v1/pipelines/{PIPELINE}/predict", self._body, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()
        except (OSError, http.client.HTTPException):
            return 0, b""


def wait_for(condition: Any, seconds: float, what: str, every_s: float = 1.0) -> float:
    """Until it holds; how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + seconds, f"not within {seconds:g} s: {what}"
        time.sleep(every_s)
    return time.monotonic() - began


def image_bytes(image: str) -> int:
    return int(subprocess.check_output(["docker", "image", "inspect", "--format", "{{.Size}}", image], text=True))


def documented(*first_words: str) -> str:
    """The block of shell commands in docs/compose.md that begins with these words."""
    text = (ROOT / "docs" / "compose.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"(?s)```sh\n(.*?)```", text) if block.startswith(" ".join(first_words))]
    assert len(blocks) == 1, f"{len(blocks)} blocks begin with {first_words}"
    return str(blocks[0])
