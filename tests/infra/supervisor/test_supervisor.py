"""The supervisor keeps real processes: order, readiness, restarts with a growing pause, stopping in reverse."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from contract.data_folder import DataFolder
from contract.process_identity import Process
from contract.restarts import read_restarts
from infra.supervisor import process_runner
from infra.supervisor.process_runner import LONGEST_PAUSE_S, pause_s
from infra.supervisor.processes import stop
from infra.supervisor.readiness import listens
from infra.supervisor.service import Service, in_order
from infra.supervisor.supervisor import Record, Supervisor, end_leftovers
from tests.waiting import until

RUNS_UNTIL_TOLD = """
import signal, sys, time
def leave(*_):
    with open({journal!r}, "a") as file: file.write("stop {name}\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
with open({journal!r}, "a") as file: file.write("start {name}\\n")
print("{name} is up", flush=True)
while True: time.sleep(60)
"""


def part(journal: Path, name: str, *after: str) -> Service:
    """A process that notes its start and its stop, and is ready once it has said that it is up."""
    program = RUNS_UNTIL_TOLD.format(journal=str(journal), name=name)
    up = f"{name} is up"
    return Service(name, (sys.executable, "-Sc", program), after=after, ready=lambda running: running.printed(up))


def supervise(folder: Path, parts: list[Service], during: Callable[[Supervisor], None]) -> None:
    """Run the parts; once all are ready call `during` in a thread; then stop."""

    async def run() -> None:
        supervisor = Supervisor(os.environ, DataFolder(folder), lambda _: None)
        supervisor.add(parts)
        try:
            await asyncio.wait_for(supervisor.ready([each.name for each in parts]), 20)
            await asyncio.to_thread(during, supervisor)
        finally:
            await supervisor.stop()

    asyncio.run(run())


def record(supervisor: Supervisor, name: str) -> Record:
    return next(each for each in supervisor.records() if each.part == name)


def nothing(_: Supervisor) -> None:
    return None


def test_a_part_starts_when_what_it_needs_is_ready_and_all_stop_in_reverse(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    parts = [part(journal, "job", "broker", "storage"), part(journal, "broker"), part(journal, "storage", "broker")]
    supervise(tmp_path, parts, nothing)
    lines = journal.read_text().splitlines()
    assert lines[:3] == ["start broker", "start storage", "start job"]
    assert lines[3:] == ["stop job", "stop storage", "stop broker"]


def test_a_killed_part_starts_again_and_is_ready_again(tmp_path: Path) -> None:
    def kill_and_wait(supervisor: Supervisor) -> None:
        before = record(supervisor, "broker").pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        until(lambda: record(supervisor, "broker").restarts == 1, 5, "the crash to be seen")
        until(lambda: record(supervisor, "broker").state == "ready", 10, "the broker ready again")
        assert record(supervisor, "broker").pid != before

    supervise(tmp_path, [part(tmp_path / "journal", "broker")], kill_and_wait)


def test_a_part_that_ends_itself_is_a_trouble_that_the_monitor_can_read(tmp_path: Path) -> None:
    once = f"import os, pathlib, time; seen = pathlib.Path({str(tmp_path / 'seen')!r});"
    once += "exists = seen.exists(); seen.touch(); print('up', flush=True); time.sleep(60) if exists else os._exit(70)"

    def look(supervisor: Supervisor) -> None:
        until(lambda: record(supervisor, "tired").restarts == 1, 10, "it to be started again")
        assert record(supervisor, "tired").trouble.startswith("tired ended itself")
        (restart,) = read_restarts(DataFolder(tmp_path).restarts)
        assert (restart.part, restart.why) == ("tired", "exited with 70: up")

    tired = Service("tired", (sys.executable, "-Sc", once), ready=lambda running: running.printed("up"))
    supervise(tmp_path, [tired], look)


def test_what_a_killed_part_left_among_its_temporary_files_is_gone_when_it_starts_again(tmp_path: Path) -> None:
    program = (
        "import os, tempfile, time; there = os.listdir(tempfile.gettempdir()); tempfile.mkstemp();"
        "print('finds', there, flush=True); time.sleep(60)"
    )
    untidy = Service("untidy", (sys.executable, "-Sc", program), ready=lambda running: running.printed("finds []"))

    def kill_and_wait(supervisor: Supervisor) -> None:
        before = record(supervisor, "untidy").pid
        assert before is not None
        assert len(list((tmp_path / "run" / "tmp" / "untidy").iterdir())) == 1
        os.kill(before, signal.SIGKILL)
        until(lambda: record(supervisor, "untidy").restarts == 1, 5, "the crash to be seen")
        until(lambda: record(supervisor, "untidy").state == "ready", 10, "it to find its folder empty")

    supervise(tmp_path, [untidy], kill_and_wait)


def test_that_a_part_is_ready_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []

    async def run() -> None:
        supervisor = Supervisor(os.environ, DataFolder(tmp_path), lambda part: told.append(part.name))
        supervisor.add([part(tmp_path / "journal", "broker")])
        await asyncio.wait_for(supervisor.ready(["broker"]), 20)
        await supervisor.restart("broker")
        while not (record(supervisor, "broker").state == "ready" and started(tmp_path) == 2):
            await asyncio.sleep(0.05)
        await supervisor.stop()

    asyncio.run(run())
    assert told == ["broker"]


def started(folder: Path) -> int:
    return (folder / "journal").read_text().count("start")


def test_what_must_be_done_before_a_part_stops_is_done_while_it_runs_and_then_nothing_is_left(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    seen: list[str] = []
    broker = replace(part(journal, "broker"), before_stop=lambda: seen.extend(journal.read_text().splitlines()))
    supervise(tmp_path, [broker], nothing)
    assert seen == ["start broker"]
    assert not (tmp_path / "run" / "pids.json").exists()


def test_a_part_that_has_run_steadily_starts_again_after_the_shortest_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process_runner, "STEADY_S", 0.0)

    async def run() -> None:
        supervisor = Supervisor(os.environ, DataFolder(tmp_path), lambda _: None)
        supervisor.add([Service("broken", (sys.executable, "-Sc", ""), ready=lambda _: False)])
        while record(supervisor, "broken").restarts < 3:
            await asyncio.sleep(0.05)
        await supervisor.stop()

    asyncio.run(run())
    pauses = [message.rpartition("=")[2] for message in caplog.messages if "starts_again_s" in message]
    assert pauses == ["0.5"] * 3


def test_a_part_that_is_restarted_on_purpose_has_not_crashed(tmp_path: Path) -> None:
    async def run() -> tuple[Record, Record]:
        supervisor = Supervisor(os.environ, DataFolder(tmp_path), lambda _: None)
        supervisor.add([part(tmp_path / "journal", "mirror")])
        await asyncio.wait_for(supervisor.ready(["mirror"]), 20)
        before = record(supervisor, "mirror")
        await supervisor.restart("mirror")
        while (after := record(supervisor, "mirror")).state != "ready" or after.pid == before.pid:
            await asyncio.sleep(0.05)
        await supervisor.stop()
        return before, after

    _, after = asyncio.run(run())
    assert after.restarts == 0
    assert (tmp_path / "journal").read_text().splitlines() == ["start mirror", "stop mirror"] * 2


def test_the_pause_before_a_restart_doubles_up_to_half_a_minute() -> None:
    assert [pause_s(crashes) for crashes in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert pause_s(40) == LONGEST_PAUSE_S


def test_a_part_that_exits_is_told_with_its_code_and_last_line(tmp_path: Path) -> None:
    program = "import sys; print('cannot: set HOTPATH_X'); sys.exit(3)"

    async def run() -> Record:
        supervisor = Supervisor(os.environ, DataFolder(tmp_path), lambda _: None)
        supervisor.add([Service("broken", (sys.executable, "-Sc", program), ready=lambda _: False)])
        while record(supervisor, "broken").restarts == 0:
            await asyncio.sleep(0.05)
        found = record(supervisor, "broken")
        await supervisor.stop()
        return found

    found = asyncio.run(run())
    assert found.state == "crashed"
    assert found.problem == "exited with 3: cannot: set HOTPATH_X"


def test_a_part_that_says_it_does_not_work_any_more_is_started_again(tmp_path: Path) -> None:
    program = (
        "import time; print('well\\nERROR x', end='', flush=True); time.sleep(.2); print(' gave up: y'); time.sleep(60)"
    )

    async def run() -> Record:
        supervisor = Supervisor(os.environ | {"PYTHONUNBUFFERED": "1"}, DataFolder(tmp_path), lambda _: None)
        supervisor.add([Service("half-dead", (sys.executable, "-Sc", program), dead_when_printed="x gave up")])
        while record(supervisor, "half-dead").restarts == 0:
            await asyncio.sleep(0.05)
        found = record(supervisor, "half-dead")
        await supervisor.stop()
        return found

    assert asyncio.run(run()).problem == "did not work any more: ERROR x gave up: y"


def test_a_part_that_ignores_sigterm_is_killed_after_its_patience(tmp_path: Path) -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    deaf = Service(
        "deaf", (sys.executable, "-Sc", program), ready=lambda running: running.printed("up"), patience_s=0.3
    )
    pids: list[int | None] = []
    supervise(tmp_path, [deaf], lambda supervisor: pids.append(record(supervisor, "deaf").pid))
    assert pids[0] is not None
    assert Process.of(pids[0]) is None


LEAVES_A_CHILD = """
import subprocess, time
child = subprocess.Popen(["sh", "-c", "trap '' TERM; exec sleep 600"])
with open({file!r}, "w") as file: file.write(str(child.pid))
print("up", flush=True)
time.sleep(600)
"""


def test_the_children_of_a_part_that_crashed_do_not_survive_it(tmp_path: Path) -> None:
    def kill_and_wait(supervisor: Supervisor) -> None:
        pid, child = record(supervisor, "parent").pid, Process.of(int((tmp_path / "child").read_text()))
        assert pid is not None
        assert child is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not child.is_alive, 10, "the child's end")

    program = LEAVES_A_CHILD.format(file=str(tmp_path / "child"))
    parent = Service("parent", (sys.executable, "-Sc", program), ready=lambda running: running.printed("up"))
    supervise(tmp_path, [parent], kill_and_wait)


def test_a_part_that_is_late_is_told_until_it_is_ready(tmp_path: Path) -> None:
    is_up = threading.Event()
    late = Service("late", ("sleep", "600"), ready=lambda _: is_up.is_set(), ready_within_s=0.0)

    async def run() -> list[Record]:
        supervisor = Supervisor(os.environ, DataFolder(tmp_path), lambda _: None)
        supervisor.add([late])
        while not record(supervisor, "late").problem:
            await asyncio.sleep(0.02)
        before = record(supervisor, "late")
        is_up.set()
        await asyncio.wait_for(supervisor.ready(["late"]), 20)
        after = record(supervisor, "late")
        await supervisor.stop()
        return [before, after]

    assert [(told.state, told.problem) for told in asyncio.run(asyncio.wait_for(run(), 30))] == [
        ("starting", "is not ready after 0 s"),
        ("ready", ""),
    ]


def test_a_step_is_done_once_and_tried_again_after_a_failure(tmp_path: Path) -> None:
    tries: list[int] = []

    def step() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("the broker refused")

    supervise(tmp_path, [Service("topics", (), prepare=step)], nothing)
    assert len(tries) == 2


SUPERVISOR_OF_ONE = """
import asyncio, os, sys
from pathlib import Path
from contract.data_folder import DataFolder
from infra.supervisor.service import Service
from infra.supervisor.supervisor import Supervisor
async def main():
    folder = Path(sys.argv[1])
    supervisor = Supervisor(os.environ, DataFolder(folder), lambda part: print("ready", flush=True))
    supervisor.add([Service("sleeper", ("sleep", "600"))])
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_nothing_survives_kill_9_of_the_supervisor(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR_OF_ONE, str(tmp_path)]
    supervisor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    supervisor.stdout.readline()
    pids = tmp_path / "run" / "pids.json"
    sleeper = until(lambda: json.loads(pids.read_text()).get("sleeper"), 5, "the recorded process")
    supervisor.kill()
    supervisor.wait()
    until(lambda: not Process(**sleeper).is_alive, 5, "the part's end")


def test_leftovers_are_ended_by_pid_and_start_time_and_nobody_else(tmp_path: Path) -> None:
    left, stranger = (subprocess.Popen(["sleep", "600"]) for _ in range(2))
    try:
        recorded, other = Process.of(left.pid), Process.of(stranger.pid)
        assert recorded is not None
        assert other is not None
        as_it_was = {"pid": other.pid, "started": other.started - 1}
        fields = {"kafka": {"pid": recorded.pid, "started": recorded.started}, "reused": as_it_was}
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "pids.json").write_text(json.dumps(fields))
        assert end_leftovers(DataFolder(tmp_path)) == ["kafka"]
        assert left.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_that_ignores_sigterm_is_killed_when_the_patience_is_over() -> None:
    deaf = subprocess.Popen(["sh", "-c", "trap '' TERM; echo up; exec sleep 600"], stdout=subprocess.PIPE)
    try:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        process = Process.of(deaf.pid)
        assert process is not None
        stopping = threading.Thread(target=stop, args=([process], 0.2), daemon=True)
        stopping.start()
        assert deaf.wait(10) == -signal.SIGKILL
        stopping.join(10)
    finally:
        deaf.kill()
        deaf.wait()


def test_parts_that_need_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="never ready: a after"):
        in_order([Service("a", (), after=("b",)), Service("b", (), after=("a",))])


def test_a_closed_port_does_not_listen() -> None:
    began = time.monotonic()
    assert not listens("127.0.0.1:1")
    assert time.monotonic() - began < 1


def test_a_removed_part_is_stopped_and_forgotten_and_may_be_added_again(tmp_path: Path) -> None:
    async def run() -> None:
        supervisor = Supervisor(os.environ, DataFolder(tmp_path), lambda _: None)
        sleepers = [Service(name, ("sleep", "600")) for name in ("stays", "goes")]
        supervisor.add(sleepers)
        await asyncio.wait_for(supervisor.ready(["stays", "goes"]), 20)
        pid = record(supervisor, "goes").pid
        assert pid is not None
        await supervisor.remove(["goes", "was never there"])
        assert (Process.of(pid), supervisor.names()) == (None, ["stays"])
        assert list(json.loads(DataFolder(tmp_path).pids.read_text())) == ["stays"]
        supervisor.add(sleepers)
        await asyncio.wait_for(supervisor.ready(["goes"]), 20)
        await supervisor.stop()

    asyncio.run(run())
