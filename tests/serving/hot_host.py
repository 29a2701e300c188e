"""One host's serving processes for tests: a real socket manager and scorers, in a folder and on ports of their own."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

import msgspec

from contract.messages.listener import AskState, Done, PoolState, Question
from serving.listener.fd_passing import PeerGone, ask_manager
from tests.waiting import until

NAMED_SCORER = Path(__file__).with_name("named_scorer.py")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class HotHost:
    """A data folder with one deployed pipeline `p`; every process started here ends with `close`."""

    data: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="hp")))
    port: int = field(default_factory=free_port)
    admin_port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.data / "pipelines").mkdir()
        (self.data / "pipelines" / "p.toml").touch()
        self.log = (self.data / "log").open("ab")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def env(self) -> dict[str, str]:
        """The on-prem settings, with no broker there; nothing of the cloud."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOTPATH_")}
        return inherited | {
            "PYTHONPATH": str(Path.cwd()),
            "HOTPATH_DATA": str(self.data),
            "HOTPATH_ONPREM_KAFKA": "127.0.0.1:1",
            "HOTPATH_ADMIN": f"127.0.0.1:{self.admin_port}",
            "HOTPATH_SCORER_P": f"127.0.0.1:{self.port}",
        }

    @property
    def sockets(self) -> Path:
        return self.data / "onprem" / "sockets"

    def start(self, *command: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *command], env=self.env | (env or {}), stdout=self.log, stderr=self.log, cwd=Path.cwd()
        )
        self.processes.append(process)
        return process

    def manager(self) -> subprocess.Popen[bytes]:
        """A started socket manager that answers."""
        process = self.start(
            "-m", "serving.listener.socket_manager", env={"HOTPATH_ONPREM_KAFKA": ""}
        )  # it needs no engine
        self.waits(lambda: self.state() is not None, "the socket manager answers")
        return process

    def scorer(self, name: str, model: str | None = None) -> subprocess.Popen[bytes]:
        """A started scorer that the manager knows."""
        process = self.start(str(NAMED_SCORER), name, model or f"model-of-{name}")
        self.waits(lambda: name in self.states(), f"scorer {name} is connected")
        return process

    def ask(self, **question: Any) -> dict[str, Any]:
        """A rollout's question and its answer, both as the dictionaries that go over the socket."""
        typed = msgspec.convert({"pipeline": "p"} | question, cast("type[Question]", Question))
        answer: type[PoolState] | type[Done] = PoolState if isinstance(typed, AskState) else Done
        return cast("dict[str, Any]", msgspec.to_builtins(ask_manager(self.sockets, typed, answer)))

    def switch(self, to: str, drain_s: float = 10.0, stay_s: float = 0.0) -> dict[str, Any]:
        return self.ask(do="switch", to=to, drain_s=drain_s, stay_s=stay_s)

    def state(self) -> dict[str, Any] | None:
        """What the manager says; None while there is none."""
        try:
            return self.ask(do="state")
        except PeerGone:
            return None

    def states(self) -> dict[str, str]:
        """Scorer -> its state."""
        return {scorer["name"]: scorer["state"] for scorer in (self.state() or {"scorers": []})["scorers"]}

    def has_left(self, scorer: str) -> bool:
        return scorer not in self.states()

    def reaches(self, states: dict[str, str]) -> None:
        self.waits(lambda: states.items() <= self.states().items(), str(states))

    def waits(self, condition: Callable[[], object], what: str, timeout_s: float = 30) -> None:
        try:
            until(condition, timeout_s, what, 0.01)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the processes said:\n{self.said()}") from error

    def said(self, characters: int = 2000) -> str:
        return (self.data / "log").read_text()[-characters:]

    def close(self) -> None:
        for process in self.processes:
            kill(process)
        self.log.close()
        shutil.rmtree(self.data)


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a GET on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read().decode()


def kill(process: subprocess.Popen[bytes], how: int = signal.SIGKILL) -> None:
    """End a process that we started, and wait for it."""
    if process.poll() is None:
        process.send_signal(how)
    process.wait(20)


def all_gone(processes: Sequence[subprocess.Popen[bytes]]) -> bool:
    return all(process.poll() is not None for process in processes)
