"""The `hotpath` command, once everything is installed. Exit codes: 0 well, 1 a problem found, 2 usage."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from contract.env_file import read_env_file
from contract.environment import VariableError
from infra.stack import control_socket
from infra.stack.preflight import Unfit

COMMANDS = {
    "up": "infra.commands.up",
    "down": "infra.commands.down",
    "status": "infra.commands.status",
    "logs": "infra.commands.logs",
    "remove": "infra.commands.remove",
    "reset": "infra.commands.reset",
    "check": "infra.commands.check",
    "try": "infra.commands.try_event",
    "replay": "infra.commands.replay",
    "models": "infra.commands.models",
    "train": "infra.commands.train",
    "losses": "infra.commands.tell_losses",
    "imports": "infra.commands.tell_imports",
    "test": "infra.commands.run_tests",
    "bench": "infra.commands.bench",
}
"""Command -> the module that brings it: `add_parser(subparsers)`, which sets `run`. Only what is asked for is
imported, since `status` is asked over and over."""


def main(argv: list[str] | None = None) -> int:
    try:
        read_env_file(Path(".env"), os.environ)
        words = sys.argv[1:] if argv is None else argv
        args = _parser(words[:1] if words and words[0] in COMMANDS else COMMANDS).parse_args(words)
        code: int = args.run(args)
        return code
    except (VariableError, Unfit, control_socket.NotRunning) as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0


def _parser(names: Iterable[str]) -> ArgumentParser:
    parser = ArgumentParser(prog="hotpath", description="Trains on the stream and scores in the hot path.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in names:
        import_module(COMMANDS[name]).add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
