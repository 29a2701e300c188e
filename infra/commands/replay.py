"""`hotpath replay`: play the example's records into the running stack, in the foreground, until Ctrl-C.

At the usual speed: further copies of every flight, with keys of their own, beside those that the stack itself plays.
At another speed: a copy of the pipeline file under its own name and topics, deployed first.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from argparse import ArgumentParser, Namespace, _SubParsersAction
from contextlib import suppress
from pathlib import Path

from contract.arguments import number_above_0, number_from_0, whole_number_from
from contract.files import write_durably
from infra.ports import Ports
from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.announce import say
from infra.stack.deployments import deployments
from infra.stack.part_environment import EXAMPLE, environment
from infra.supervisor import child

USUAL_SPEED = 60.0
PROGRAM = EXAMPLE.with_name("replay.py")
PATIENCE_S = 60.0
"""How long the replay may take to stop."""
FIRST_COPY = 1000
"""The number of the first copy: the stack's own replay counts from 0."""


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("replay")
    parser.add_argument(
        "--speed",
        type=number_above_0,
        default=USUAL_SPEED,
        help="flight seconds in a second (60; the example keeps its data long enough for 46 and more)",
    )
    parser.add_argument("--rate", type=whole_number_from(1), default=1, help="copies of every flight (1)")
    parser.add_argument(
        "--backfill",
        type=number_from_0,
        metavar="SECONDS",
        help="of the past to import first (none, or at another speed the window)",
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Deploy what is needed, then play; 0 when it was ended by Ctrl-C or SIGTERM."""
    settings = Settings.from_environment()
    if not control_socket.is_running(settings.control):
        raise control_socket.NotRunning(f"no stack runs at {settings.data}; `hotpath up` starts it")
    more = ["--rate", str(args.rate), "--speed", f"{args.speed:g}"]
    if args.speed == USUAL_SPEED:
        more += ["--first-copy", str(FIRST_COPY), "--file", str(EXAMPLE)]
        backfill = args.backfill or 0.0
    else:
        file = _file_at(settings, args.speed)
        if file is None or not _deployed(settings, file):
            return 1
        more += ["--file", str(file)]
        backfill = args.backfill
    return _play(settings, more if backfill is None else [*more, "--backfill", f"{backfill:g}"])


def _file_at(settings: Settings, speed: float) -> Path | None:
    """The example's file at another speed, in the data folder."""
    command = [sys.executable, str(EXAMPLE.with_name("scale.py")), str(EXAMPLE), f"{speed:g}", f"{USUAL_SPEED:g}"]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        print(made.stderr.strip(), file=sys.stderr)
        return None
    path = settings.folder.replay / f"speed-{speed:g}.toml"
    write_durably(path, made.stdout.encode())
    return path


def _deployed(settings: Settings, file: Path) -> bool:
    return control_socket.tell(settings.control, {"do": "deploy", "files": [str(file)]}, say) == 0


def _play(settings: Settings, arguments: list[str]) -> int:
    ports = Ports.of(settings)
    env = environment(settings, ports, [each.pipeline.name for each in deployments(settings)])
    command = [*child.bound_to_us(signal.SIGTERM), sys.executable, str(PROGRAM), *arguments]
    told = threading.Event()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return _wait(subprocess.Popen(command, env=env, cwd=PROGRAM.parents[2]), told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(process: subprocess.Popen[bytes], told: threading.Event) -> int:
    """Until the replay ends; once told to stop it ends when all that it produced is on the broker, or is killed."""
    while not told.is_set():
        with suppress(subprocess.TimeoutExpired):
            return process.wait(0.2)
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        say(f"the replay was killed, as it did not stop within {PATIENCE_S:g} s: is the on-prem Kafka well?")
        return process.wait()
