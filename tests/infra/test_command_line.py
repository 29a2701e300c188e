"""Exit codes: 0 well, 1 a problem found, 2 usage."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from contract.messages.model_states import ModelState
from contract.timestamps import rfc3339
from contract.unix_socket import unix_path
from infra.cli import main
from infra.commands.status import (
    judge,
    line_of,
    model_of,
    restart_troubles,
    told_by_monitor,
    troubles_of,
    with_unreadable_file,
)
from infra.install.command_list import COMMANDS
from infra.settings import ROOT, Settings
from monitoring.judge.stage import Problem
from monitoring.page.page_server import Pages, serve_page
from monitoring.page.view import unjudged
from serving.candidates.state_store import ModelStates, write_states
from serving.rollout.scorer_processes import ScorerProcess
from tests.manifests import manifest_of
from tests.monitoring.page.test_page_server import a_view

READY = {
    "part": "kafka-onprem",
    "state": "ready",
    "problem": "",
    "look_first": "hotpath logs kafka-onprem",
    "pss_mb": 256,
}
BROKEN = {
    "part": "trainer",
    "state": "crashed",
    "problem": "exited with 1",
    "look_first": "hotpath logs trainer",
    "pss_mb": 0,
}
WITH_MODEL = {"pipeline": "flights", "model": "flights-20261121T021700Z"}


@pytest.fixture(autouse=True)
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def test_an_unknown_command_is_usage() -> None:
    with pytest.raises(SystemExit) as left:
        main(["dance"])
    assert left.value.code == 2


def test_help_tells_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    told = re.findall(r"^    (\w+)(?: |$)", capsys.readouterr().out, re.MULTILINE)
    assert (left.value.code, told) == (0, list(COMMANDS))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert left.value.code == 0
    assert told.startswith(f"usage: hotpath {name}")
    assert COMMANDS[name].help in told


def test_status_imports_nothing_that_takes_long() -> None:
    shown = "import sys; from infra.cli import main; main(['status']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", shown], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"numpy", "pyarrow", "sqlglot", "infra.stack.stack"} & set(done.stdout.split())


def test_status_without_a_stack_is_a_problem_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert "`hotpath up` starts it" in capsys.readouterr().err


def test_down_without_a_stack_is_well() -> None:
    assert main(["down"]) == 0


def test_up_with_a_broken_file_names_every_problem_and_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.toml"
    file.write_text('name = "Bad Name"\n[event]\ntopic = 1\n')
    assert main(["up", str(file)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1
    assert all(re.match(rf"{re.escape(str(file))}:[0-9]+:[0-9]+: ", line) for line in lines)
    assert not (tmp_path / "data").exists()


def test_up_that_is_refused_leaves_nothing_of_a_data_folder_that_it_has_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("HOTPATH_PORT_BASE", str(taken.getsockname()[1]))
        for made in (False, True):
            assert main(["up"]) == 1
            assert "busy ports" in capsys.readouterr().err
            assert (tmp_path / "data").exists() is made
            (tmp_path / "data").mkdir(exist_ok=True)


@pytest.mark.parametrize(
    "words",
    [
        ["remove", "third"],
        ["reset", "third", "--yes"],
        ["train", "third"],
        ["models", "list", "third"],
        ["models", "list", "--pipeline", "third"],
        ["losses", "list", "--pipeline", "third"],
    ],
)
def test_a_pipeline_that_is_not_there_is_a_problem_in_the_same_words_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (tmp_path / "data" / "pipelines").mkdir(parents=True)
    (tmp_path / "data" / "pipelines" / "first.toml").touch()
    assert main(words) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "hotpath: there is no pipeline third; there are: first\n")


def test_why_a_running_stack_refuses_is_told_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "run").mkdir(parents=True)
    with a_stack(Settings.from_environment().control, {"say": "there is no pipeline third", "code": 1}):
        assert main(["remove", "third"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "hotpath: there is no pipeline third\n")


def test_logs_of_a_scorer_are_those_of_its_pipelines_scorers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Settings.from_environment().folder
    folder.scorers.mkdir(parents=True)
    folder.logs.mkdir()
    scorer = ScorerProcess("flights-20261121T021700Z-ab12", "flights", None, 1, 1)
    (folder.scorers / f"{scorer.name}.json").write_text(json.dumps(asdict(scorer)))
    folder.log("scorers-flights").write_text("up\n")
    assert main(["logs", scorer.name]) == 0
    assert capsys.readouterr().out == "up\n"


def test_a_data_folder_that_cannot_be_made_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTPATH_DATA", "/dev/null")
    assert main(["up"]) == 1
    assert (
        "hotpath: the data folder /dev/null cannot be made: Not a directory; set HOTPATH_DATA"
        in capsys.readouterr().err
    )


def test_a_file_that_should_name_a_python_and_is_not_there_is_told(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOTPATH_PYTHON_FILE": str(tmp_path / "nowhere")}
    done = subprocess.run([ROOT / "hotpath", "status"], env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"hotpath: HOTPATH_PYTHON_FILE={tmp_path}/nowhere: the file cannot be read; name a file"
    )


def test_logs_of_an_unknown_part_name_those_that_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = tmp_path / "data" / "logs"
    logs.mkdir(parents=True)
    (logs / "mirror.log").write_text("up\n")
    assert main(["logs", "miror"]) == 1
    assert "there are: mirror" in capsys.readouterr().err
    assert main(["logs", "mirror"]) == 0


def test_reset_leaves_a_folder_that_up_has_not_made(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("years of work")
    assert main(["reset", "--yes"]) == 1
    assert (tmp_path / "data" / "thesis.txt").exists()


def test_reset_clears_what_up_has_made(tmp_path: Path) -> None:
    (tmp_path / "data" / "run").mkdir(parents=True)
    assert main(["reset", "--yes"]) == 0
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yes please\n"])
def test_reset_deletes_nothing_unless_one_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    (tmp_path / "data" / "run").mkdir(parents=True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main(["reset"]) == 1
    assert (tmp_path / "data" / "run").is_dir()
    monkeypatch.setattr("sys.stdin", io.StringIO("Yes\n"))
    assert main(["reset"]) == 0
    assert not (tmp_path / "data").exists()


def test_reset_leaves_the_data_of_a_stack_that_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "run").mkdir(parents=True)
    with a_stack(Settings.from_environment().control, {"code": 0, "parts": []}):
        assert main(["reset", "--yes"]) == 1
    assert "stop it first with `hotpath down`" in capsys.readouterr().err
    assert (tmp_path / "data" / "run").is_dir()


@contextmanager
def a_stack(control: Path, status: dict[str, Any]) -> Iterator[None]:
    """What other terminals see of a running stack: its control socket, and what that says of its parts."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(unix_path(control))
        listening.listen()

        def serve() -> None:
            with suppress(OSError):  # closed
                while True:
                    with listening.accept()[0] as caller:
                        caller.makefile().readline()
                        caller.sendall(json.dumps(status).encode() + b"\n")

        answering = threading.Thread(target=serve)
        answering.start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            answering.join(10)


def test_status_exits_with_1_when_the_monitor_does_not_answer_and_with_0_when_all_is_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data" / "run").mkdir(parents=True)
    part = {"part": "monitor", "state": "ready", "pid": None, "uptime_s": None, "restarts": 0, "problem": ""}
    part |= {"address": "http://127.0.0.1:1", "look_first": "hotpath logs monitor"}
    for name, code, verdict in (("monitor", 1, "unwell: the monitor does not answer"), ("other", 0, "well: 1 parts")):
        with a_stack(Settings.from_environment().control, {"code": 0, "parts": [part | {"part": name}]}):
            assert main(["status"]) == code
        assert capsys.readouterr().out.startswith(verdict)
        Settings.from_environment().control.unlink()


def test_status_is_unwell_while_the_supervisor_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "run").mkdir(parents=True)
    problem = "the supervisor cannot write pids.json: No space left on device"
    with a_stack(Settings.from_environment().control, {"code": 0, "parts": [], "unwritten": [problem]}):
        assert main(["status", "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["troubles"] == [f"{problem}; make room on that disk, and it goes on by itself"]
    assert shown["verdict"] == f"unwell: {shown['troubles'][0]}"


class BusyMonitor(BaseHTTPRequestHandler):
    """It answers the first request only when the second one comes: the caller has given the first one up by then."""

    asked_again = threading.Event()
    looked = datetime.now(UTC)

    def do_GET(self) -> None:
        first = not self.server.__dict__.setdefault("asked", [])
        self.server.__dict__["asked"].append(self.path)
        if first:
            self.asked_again.wait(10)
            return
        self.asked_again.set()
        body = json.dumps({"time": rfc3339(self.looked), "pipelines": []}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("minutes_ago", "told"), [(0, []), (5, ["the monitor has not looked for 300 s"])])
def test_a_busy_monitor_is_asked_again_with_more_patience_and_one_that_does_not_look_is_told(
    monkeypatch: pytest.MonkeyPatch, minutes_ago: int, told: list[str]
) -> None:
    monkeypatch.setattr("infra.commands.status.MONITOR_WITHIN_S", (0.2, 10.0))
    BusyMonitor.asked_again.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), BusyMonitor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    now_s = BusyMonitor.looked.timestamp() + 60 * minutes_ago
    found = told_by_monitor({"address": address, "look_first": "hotpath logs monitor"}, now_s)
    server.shutdown()
    server.server_close()
    assert [trouble.partition(";")[0] for trouble in found] == told


def test_status_and_page_tell_what_belongs_to_the_stack_or_to_a_pipeline_as_a_whole() -> None:
    unreadable = Problem(
        "unreadable:zz", "the deployed file /data/zz.toml is not taken up: 1:1: no TOML", "./hotpath up F"
    )
    view = a_view()
    view = replace(view, pipelines=[unjudged(view.pipelines[0].pipeline, "ValueError: no")], problems=[unreadable])
    pages = Pages()
    pages.show(view)
    server = serve_page(("127.0.0.1", 0), pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monitor = {"address": f"http://127.0.0.1:{server.server_port}", "look_first": "hotpath logs monitor"}
    troubles = told_by_monitor(monitor, view.time_s)
    server.shutdown()
    server.server_close()
    assert troubles == [
        "flights: the monitor cannot judge it: ValueError: no; look with: hotpath logs monitor",
        f"{unreadable.text}; look with: hotpath up F",
    ]
    without = {"pipeline": "zz", "model": None, "problem": ""}
    pipelines = [WITH_MODEL, with_unreadable_file(without, troubles)]
    assert judge([READY], pipelines, troubles) == (f"unwell: {troubles[1]}", False), "not that it waits for a trainer"
    assert with_unreadable_file(WITH_MODEL, troubles) == WITH_MODEL
    page = pages.answer("/")[2].decode()
    assert "The stack as a whole is not well." in page
    assert all(text in page for text in (unreadable.text, "the monitor cannot judge it: ValueError: no"))
    assert json.loads(pages.answer("/status.json")[2])["well"] is False


def test_a_file_that_has_vanished_is_told_once() -> None:
    vanished = {"code": "vanished", "text": "the deployed file F has vanished", "command": "./hotpath up FILE"}
    seen = {"name": "flights", "trusted": True, "headline": "", "stages": [], "problems": [vanished]}
    assert troubles_of(seen) == [], "the supervisor says it"


def test_status_tells_a_part_whose_restarts_are_a_trouble_once() -> None:
    ended = "trainer ended itself 5 s ago, as it could not go on"
    troubled = READY | {"part": "trainer", "trouble": ended, "look_first": "hotpath logs trainer"}
    expected = f"{ended}; look with: hotpath logs trainer"
    assert restart_troubles([READY, troubled], []) == [expected]
    assert restart_troubles([troubled], [f"flights: training: {expected}"]) == []


def test_status_says_that_the_record_of_models_is_broken(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text("{")
    told = model_of(tmp_path, "flights")
    assert told["model"] is None
    assert "models.json is broken" in line_of(told)


def test_status_names_the_first_broken_part_in_the_order_of_the_flow() -> None:
    verdict, well = judge([READY, BROKEN], [WITH_MODEL], [])
    assert not well
    assert verdict == "unwell: trainer is crashed: exited with 1; look with: hotpath logs trainer"


@pytest.mark.parametrize("state", ["waiting", "starting", "crashed", "stopped"])
def test_status_is_unwell_until_a_part_is_ready(state: str) -> None:
    verdict, well = judge([READY, BROKEN | {"state": state, "problem": ""}], [WITH_MODEL], [])
    assert (verdict, well) == (f"unwell: trainer is {state}; look with: hotpath logs trainer", False)


def test_status_is_well_when_every_part_is_ready_and_each_pipeline_has_a_model() -> None:
    assert judge([READY], [WITH_MODEL], []) == ("well: 1 parts, 0.2 GiB", True)
    assert not judge([READY], [{"pipeline": "flights", "model": None}], [])[1]


def test_status_is_unwell_when_the_monitor_finds_a_stage_standing_still_or_a_model_not_to_trust() -> None:
    behind = {"code": "behind", "text": "the mirror is 90 s behind", "command": "./hotpath logs mirror"}
    stages = [{"name": "producers", "problems": []}, {"name": "mirror", "problems": [behind]}]
    seen = {"name": "flights", "trusted": True, "headline": "", "stages": stages}
    assert judge([READY], [WITH_MODEL], troubles_of(seen)) == (
        "unwell: flights: mirror: the mirror is 90 s behind; look with: hotpath logs mirror",
        False,
    )
    doubted = {"name": "flights", "trusted": False, "headline": "flights: do not trust the model now.", "stages": []}
    verdict, well = judge([READY], [WITH_MODEL], troubles_of(doubted))
    assert not well
    assert verdict.startswith("unwell: flights: do not trust the model now.")


def test_status_tells_the_age_of_the_model_that_serves(tmp_path: Path) -> None:
    assert model_of(tmp_path, "flights")["model"] is None
    champion = ModelState(
        "flights-20261121T021700Z", "champion", False, "rollout", "2026-11-21T02:17:00.000Z", "", 0.75
    )
    write_states(tmp_path, ModelStates({champion.version: champion}))
    assert model_of(tmp_path, "flights")["model_age_s"] is None, "its candidate is not on this host"
    assert model_of(tmp_path, "flights")["pinned"] is None


def test_status_tells_who_pinned_a_model_and_since_when(tmp_path: Path) -> None:
    version, since = "flights-20261121T021700Z", "2026-11-21T02:17:00.000Z"
    pinned = ModelState(version, "champion", True, "ann", since, "a bad week", 0.75)
    write_states(tmp_path, ModelStates({pinned.version: pinned}))
    told = line_of(model_of(tmp_path, "flights"))
    assert told.endswith(f"{version} is pinned by ann since {since}: a bad week")
    (tmp_path / "candidates" / version).mkdir(parents=True)
    newest = datetime.now(UTC) - timedelta(minutes=10)
    manifest = tmp_path / "candidates" / version / "manifest.json"
    manifest.write_text(json.dumps(manifest_of(version, newest_as_of=rfc3339(newest))))
    assert 600 <= model_of(tmp_path, "flights")["model_age_s"] < 660
    assert f"{version} (gbm) since" in line_of(model_of(tmp_path, "flights"))
    manifest.write_bytes(b"{")
    assert model_of(tmp_path, "flights")["model_age_s"] is None, "a damaged one says nothing"
