"""The `hotpath` command, once everything is installed. Exit codes: 0 well, 1 a problem found, 2 usage."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

from contract.env_file import read_env_file
from contract.environment import VariableError
from infra.install.command_list import COMMANDS, answer_at_once
from infra.stack import control_socket
from infra.stack.preflight import Unfit


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    try:
        if (answered := answer_at_once(words, is_installed=True)) is not None:
            return answered
        read_env_file(Path(".env"), os.environ)
        args = _parser(words[0]).parse_args(words)
        code: int = args.run(args)
        return code
    except (VariableError, Unfit, control_socket.NotRunning) as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0


def _parser(name: str) -> ArgumentParser:
    """Knows this command alone: others are not imported, since `status` is asked over and over."""
    parser = ArgumentParser(prog="hotpath")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    import_module(COMMANDS[name].module).add_parser(commands)
    commands.choices[name].description = COMMANDS[name].help
    return parser


if __name__ == "__main__":
    sys.exit(main())
