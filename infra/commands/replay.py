"""`hotpath replay`: play the example's records into the running stack, in the foreground, until Ctrl-C.

At the usual speed: further copies of every flight, with keys of their own, beside those that the stack itself plays.
At another speed: a copy of the pipeline file under its own name and topics, deployed first.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from pathlib import Path

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
FIRST_COPY = 1000
"""The number of the first copy: the stack's own replay counts from 0."""


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("replay", help="play more of the example, or play it at another speed")
    parser.add_argument(
        "--speed",
        type=_positive,
        default=USUAL_SPEED,
        help="flight seconds in a second (60; the example keeps its data long enough for 46 and more)",
    )
    parser.add_argument("--rate", type=int, default=1, help="copies of every flight (1)")
    parser.add_argument(
        "--backfill",
        type=float,
        metavar="SECONDS",
        help="of the past to import first (none, or at another speed the window)",
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Deploy what is needed, then play; 0 when it was ended by Ctrl-C."""
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
    command = [*child.bound_to_us(signal.SIGINT), sys.executable, str(PROGRAM), *arguments]
    process = subprocess.Popen(command, env=env, cwd=PROGRAM.parents[2])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # it has got the signal too, and ends once all that it produced is on the broker


def _positive(text: str) -> float:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) or float(text) == 0:
        raise ValueError(text)
    return float(text)
