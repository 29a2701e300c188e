"""`hotpath down`: stop the stack, and return when it has stopped."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction

from infra import control, up
from infra.announce import say
from infra.settings import Settings


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    commands.add_parser("down", help="stop the stack").set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = Settings.from_environment()
    try:
        for _ in control.ask(settings.control, {"do": "down"}):
            pass
    except control.NotRunning:
        say(f"no stack runs at {settings.data}")
        return 0
    return up.wait_until_stopped(settings)
