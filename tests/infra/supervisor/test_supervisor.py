"""The supervisor keeps real processes: order, readiness, restarts with a growing pause, stopping in reverse."""

from __future__ import annotations

import asyncio
import json
import os
import resource
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
from infra.supervisor.service import Running, Service, in_order
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


TELLS_ITS_RECORDS = """
import asyncio, json, os, signal, sys
from dataclasses import asdict
from pathlib import Path
from contract.data_folder import DataFolder
from infra.supervisor.service import Service
from infra.supervisor.supervisor import Supervisor
async def main():
    supervisor = Supervisor(os.environ, DataFolder(Path(sys.argv[1])), lambda part: None)
    told_to_stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_stop.set)
    chatty = "import time\\nwhile True: print('tick', flush=True); time.sleep(.1)"
    waits = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(0)); time.sleep(600)"
    supervisor.add([
        Service("chatty", (sys.executable, "-Sc", chatty), ready=lambda running: running.printed("tick")),
        Service("user", (sys.executable, "-Sc", waits), after=("chatty",)),
    ])
    while not told_to_stop.is_set():
        parts = [asdict(each) for each in supervisor.records()]
        print(json.dumps({"parts": parts, "unwritten": supervisor.unwritten()}), flush=True)
        await asyncio.sleep(.1)
    await supervisor.stop()
    print("stopped", flush=True)
asyncio.run(main())
"""


class OtherProcess:
    """A supervisor of two parts in a process of its own, whose disk can be made full: no file may grow."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-c", TELLS_ITS_RECORDS, str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def disk_is_full(self, full: bool) -> None:
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))

    def wait_for(self, condition: Callable[[dict[str, Record], list[str]], bool], what: str) -> dict[str, Record]:
        """The records once they are so."""
        assert self.process.stdout is not None

        def look() -> dict[str, Record] | None:
            assert self.process.stdout is not None
            told = json.loads(self.process.stdout.readline())
            parts = {part["part"]: Record(**part) for part in told["parts"]}
            return parts if condition(parts, told["unwritten"]) else None

        return until(look, 20, what, every_s=0)


def test_a_full_disk_ends_no_task_of_the_supervisor_and_all_goes_on_when_it_is_free(tmp_path: Path) -> None:
    other, folder = OtherProcess(tmp_path), DataFolder(tmp_path)
    try:
        before = other.wait_for(lambda parts, _: parts["user"].state == "ready", "both parts")
        other.disk_is_full(True)
        for part in before.values():
            assert part.pid is not None
            os.kill(part.pid, signal.SIGKILL)
        again = other.wait_for(
            lambda parts, _: all(part.restarts == 1 and part.state == "ready" for part in parts.values()),
            "both parts to be started again",
        )
        other.wait_for(lambda parts, told: parts["chatty"].dropped_lines > 5 and len(told) > 2, "dropped lines")
        other.disk_is_full(False)
        other.wait_for(lambda _, told: not any("cannot write" in line for line in told), "the notes to be written")
        pids = json.loads(folder.pids.read_text())
        assert {name: fields["pid"] for name, fields in pids.items()} == {
            each.part: each.pid for each in again.values()
        }
        assert {restart.part for restart in read_restarts(folder.restarts)} == {"chatty", "user"}
        until(lambda: "lines could not be written here" in folder.log("chatty").read_text(), 10, "the log to go on")
        other.disk_is_full(True)
        other.process.terminate()
        said, errors = other.process.communicate(timeout=60)
        assert (other.process.returncode, said.endswith("stopped\n")) == (0, True), errors
        assert "Traceback" not in errors
        assert not folder.pids.exists()
        assert all(each.pid is None or Process.of(each.pid) is None for each in again.values())
    finally:
        other.process.kill()
        other.process.communicate()


def test_a_failure_of_our_own_while_a_part_is_looked_after_is_told(tmp_path: Path) -> None:
    reasons = list[str]()

    def is_ready(_: Running) -> bool:
        raise KeyError("x")

    async def run() -> None:
        supervisor = Supervisor(os.environ, DataFolder(tmp_path), lambda _: None, reasons.append)
        supervisor.add([Service("sleeper", ("sleep", "600"), ready=is_ready)])
        while not reasons:
            await asyncio.sleep(0.02)
        await supervisor.stop()

    asyncio.run(asyncio.wait_for(run(), 30))
    assert reasons == ["the task sleeper: whether it is ready ended by KeyError: 'x'"]


def test_a_part_whose_preparation_fails_in_any_way_is_started_again(tmp_path: Path) -> None:
    tries: list[int] = []

    def step() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("somebody's configuration")

    supervise(tmp_path, [Service("topics", (), prepare=step)], nothing)
    assert len(tries) == 2


def test_all_parts_are_stopped_although_what_was_to_be_done_before_fails(tmp_path: Path) -> None:
    journal = tmp_path / "journal"

    def fails() -> None:
        raise ValueError("a damaged file")

    broker = replace(part(journal, "broker"), before_stop=fails)
    supervise(tmp_path, [broker, part(journal, "job", "broker")], nothing)
    assert journal.read_text().splitlines()[2:] == ["stop job", "stop broker"]
    assert not (tmp_path / "run" / "pids.json").exists()
