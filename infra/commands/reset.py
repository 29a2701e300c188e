"""`hotpath reset`: asks, then clears the data folder."""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction

from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.announce import say
from infra.stack.live_scorers import stop_live_scorers
from infra.supervisor.supervisor import end_leftovers


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("reset", help="clear the data folder, after asking")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = Settings.from_environment()
    if not settings.data.exists():
        say(f"{settings.data} is empty already")
        return 0
    if control_socket.is_running(settings.control):
        print("hotpath: the stack runs; stop it first with `hotpath down`", file=sys.stderr)
        return 1
    if not (settings.data / "run").is_dir():
        print(f"hotpath: {settings.data} was not made by `hotpath up`; it is left as it is", file=sys.stderr)
        return 1
    if not args.yes and not _agreed(f"Delete everything in {settings.data}: events, rows, models, keys? [y/N] "):
        say("nothing was deleted")
        return 1
    end_leftovers(settings.folder)
    stop_live_scorers(settings.folder, patience_s=5)
    shutil.rmtree(settings.data)
    say(f"{settings.data} is empty")
    return 0


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False
