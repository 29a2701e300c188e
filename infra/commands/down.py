"""`hotpath down`: stop the stack, and return when it has stopped."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction

from infra.settings import Settings
from infra.stack import control_socket, start_stack
from infra.stack.announce import say


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    commands.add_parser("down").set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = Settings.from_environment()
    try:
        for _ in control_socket.ask(settings.control, {"do": "down"}):
            pass
    except control_socket.NotRunning:
        say(f"no stack runs at {settings.data}")
        return 0
    return start_stack.wait_until_stopped(settings)
