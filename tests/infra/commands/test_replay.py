"""`hotpath replay`: refuses numbers that are none, and its process ends with the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contract.process_identity import Process
from infra.cli import main
from infra.settings import ROOT
from tests.waiting import until


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--rate", "0"], "--rate: '0': it must be a whole number from 1"),
        (["--rate", "1.5"], "--rate: '1.5': it must be a whole number from 1"),
        (["--rate", "99999999999999999999"], "it must be a whole number from 1"),
        (["--speed", "0"], "--speed: '0': it must be a number above 0"),
        (["--speed", "nan"], "--speed: 'nan': it must be a number above 0"),
        (["--speed", "fast"], "--speed: 'fast': it must be a number above 0"),
        (["--backfill", "inf"], "--backfill: 'inf': it must be a number from 0"),
        (["--backfill", "1e400"], "--backfill: '1e400': it must be a number from 0"),
    ],
)
@pytest.mark.parametrize("equals", [False, True])
def test_a_number_that_is_none_is_usage_in_words(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str, equals: bool
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["replay", "=".join(arguments)] if equals else ["replay", *arguments])
    assert left.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--rate=-1"], ["--speed=-1"], ["--backfill=-0.1"]])
def test_a_number_below_the_least_is_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["replay", *arguments])
    assert left.value.code == 2


PLAYS = """
import sys
from pathlib import Path
from infra.commands import replay
from infra.settings import Settings
replay.PROGRAM, replay.PATIENCE_S = Path(sys.argv[1]), float(sys.argv[2])
sys.exit(replay._play(Settings.from_environment(), []))
"""
LEAVES_WHEN_TOLD = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, {handler})
print(os.getpid(), flush=True)
time.sleep(600)
"""


def play(folder: Path, handler: str, patience_s: float) -> tuple[subprocess.Popen[str], Process]:
    """A command that plays, and its child."""
    program = folder / "one" / "two" / "three" / "replay.py"
    program.parent.mkdir(parents=True)
    program.write_text(LEAVES_WHEN_TOLD.format(handler=handler))
    command = [sys.executable, "-c", PLAYS, str(program), str(patience_s)]
    env = os.environ | {"HOTPATH_DATA": str(folder / "data"), "PYTHONPATH": str(ROOT)}
    started = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    child = Process.of(int(started.stdout.readline()))
    assert child is not None
    return started, child


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_replay_ends_with_its_command(tmp_path: Path, number: int) -> None:
    command, child = play(tmp_path, "lambda *_: sys.exit(0)", 60)
    command.send_signal(number)
    assert command.wait(60) == 0
    assert not child.is_alive
    command.communicate()


def test_a_replay_that_does_not_stop_is_killed_and_that_is_told(tmp_path: Path) -> None:
    command, child = play(tmp_path, "signal.SIG_IGN", 0.2)
    command.terminate()
    said, _ = command.communicate(timeout=60)
    assert "the replay was killed, as it did not stop within 0.2 s" in said
    assert not child.is_alive


def test_the_replay_ends_when_its_command_is_killed(tmp_path: Path) -> None:
    command, child = play(tmp_path, "signal.SIG_DFL", 60)
    command.kill()
    command.communicate()
    until(lambda: not child.is_alive, 10, "the end of the replay")
