"""The stack of the integration tests: one, real, for the whole session, on free ports in a folder of its own."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.layout import Places
from infra.engines import influxdb
from infra.ports import SPAN, Ports, is_free
from infra.settings import ROOT, Settings
from infra.stack import control_socket
from infra.stack.part_environment import environment
from infra.supervisor import child
from tests.monitoring.alerts.receiver import Receiver, receiving
from tests.waiting import until

UP_WITHIN_S = 600
BACKFILL_S = 7200
"""Five days of flights: enough for a model, and no more than a test needs."""


@dataclass
class RunningStack:
    """A stack that `hotpath up` runs. `env` is what its parts are started with."""

    settings: Settings
    env: dict[str, str]
    process: subprocess.Popen[bytes]
    output: Path
    webhook: Receiver
    """Where the monitor of this stack sends its messages."""

    @property
    def places(self) -> Places:
        return Places.from_environment(self.env)

    @property
    def data(self) -> Path:
        return self.settings.data

    def hotpath(self, *arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run the command against this stack."""
        command = [sys.executable, "-m", "infra.cli", *arguments]
        env = dict(self.settings.env)
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=timeout_s)

    def parts(self) -> dict[str, dict[str, Any]]:
        """What the supervisor tells of each part."""
        answer = next(control_socket.ask(self.settings.control, {"do": "status"}))
        return {part["part"]: part for part in answer["parts"]}

    def part_pid(self, name: str) -> int | None:
        pid: int | None = self.parts()[name]["pid"]
        return pid

    def restart_part(self, name: str) -> None:
        """End a part as `down` would, and wait until it is ready again."""
        before = self.part_pid(name)
        list(control_socket.ask(self.settings.control, {"do": "restart", "part": name}))
        self._until_ready_again(name, before)

    def kill_part(self, name: str) -> None:
        """kill -9 a part, and wait until the supervisor has it ready again."""
        before = self.part_pid(name)
        assert before is not None, f"{name} does not run"
        os.kill(before, signal.SIGKILL)
        self._until_ready_again(name, before)

    def kill_everything(self) -> None:
        """kill -9 the supervisor: every part dies with it, scorers apart."""
        pids = [part["pid"] for part in self.parts().values() if part["pid"]]
        self.process.kill()
        self.process.wait()
        until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids), 10, "the parts' end")

    def begin_again(self) -> None:
        """`up` with the same folder and ports; returns when its supervisor answers."""
        self.process = _up(self.settings, self.output)
        until(lambda: control_socket.is_running(self.settings.control), 60, "the supervisor")

    def until_well(self, timeout_s: float = UP_WITHIN_S) -> None:
        """Wait until status says that all is well, a model included."""
        deadline = time.monotonic() + timeout_s
        while (status := self.hotpath("status")).returncode:
            if self.process.poll() is not None:
                pytest.fail(f"`hotpath up` ended with {self.process.returncode}:\n{self.output.read_text()[-4000:]}")
            if time.monotonic() > deadline:
                pytest.fail(f"not well within {timeout_s} s:\n{status.stdout}{status.stderr}\n{self.last_lines()}")
            time.sleep(1)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def _until_ready_again(self, name: str, before: int | None) -> None:
        def is_ready() -> bool:
            part = self.parts()[name]
            return bool(part["state"] == "ready" and part["pid"] != before)

        until(is_ready, 120, f"{name} ready again")

    def last_lines(self) -> str:
        """The end of every part's log."""
        logs = sorted(self.settings.logs.glob("*.log"))
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(line[:300] for line in log.read_text().splitlines()[-6:]) for log in logs
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what begins something long, last what looks at its end: other tests run while it goes on."""
    items.sort(key=lambda item: ("ends" in item.keywords) - ("begins" in item.keywords))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed on the stack shows what the stack said."""
    report = yield
    running = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(running, RunningStack):
        status = running.hotpath("status")
        report.sections.append(("the stack", f"{status.stdout}{status.stderr}\n{running.last_lines()}"))
    return report


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """The whole stack with the example, fed with a short past, answering with a trained model."""
    data = Path(tempfile.mkdtemp(prefix="hotpath-"))  # short: Unix sockets lie in it
    with receiving() as webhook:
        settings = _settings(data, webhook.address)
        ports = Ports(settings.port_base, settings.run / "ports.json")
        influxdb.make_token(settings)
        env, output = environment(settings, ports, ["flights"]), data / "up.log"
        running = RunningStack(settings, env, _up(settings, output), output, webhook)
        try:
            running.until_well()
            yield running
        finally:
            running.stop()
            shutil.rmtree(data, ignore_errors=True)


def _settings(data: Path, webhook: str) -> Settings:
    own = {
        "HOTPATH_DATA": str(data),
        "HOTPATH_WEBHOOK": webhook,
        "HOTPATH_PORT_BASE": str(free_base()),
        "HOTPATH_REPLAY": f"--backfill {BACKFILL_S}",
        # a call to HDFS may never return after its NameNode stood still, as some tests let it: not minutes of that
        "HOTPATH_STUCK_S": "120",
        "HOTPATH_CALL_S": "60",
    }
    kept = {n: value for n, value in os.environ.items() if not n.startswith("HOTPATH_") or n == "HOTPATH_INFLUXD"}
    return Settings.from_environment(kept | own)


def free_base() -> int:
    """The beginning of a hundred free ports, below those that the kernel gives out."""
    bases = list(range(18000, 32000, SPAN))
    random.shuffle(bases)
    return next(base for base in bases if all(is_free("127.0.0.1", base + offset) for offset in range(SPAN)))


def _up(settings: Settings, output: Path) -> subprocess.Popen[bytes]:
    """`hotpath up` as a child that is told to stop when we die, however that happens."""
    with output.open("ab") as log:
        return subprocess.Popen(
            [*child.bound_to_us(signal.SIGTERM), sys.executable, "-m", "infra.cli", "up"],
            cwd=ROOT,
            env=dict(settings.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
