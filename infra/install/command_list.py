"""The commands, and what is answered before anything is installed: help, the version, what cannot be right.

The installer and `infra.cli` read the one list. Standard library only.
"""

from __future__ import annotations

import os
import sys
import tomllib
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HELP: Final = ("-h", "--help")


@dataclass(frozen=True)
class Command:
    """One command: `module` brings it, `add_parser(subparsers)` there sets `run`."""

    module: str
    help: str


COMMANDS: Final = {
    "up": Command("infra.commands.up", "start the stack, or add pipelines to the one that runs"),
    "down": Command("infra.commands.down", "stop the stack"),
    "status": Command("infra.commands.status", "how the stack is; exit 1 when unwell"),
    "logs": Command("infra.commands.logs", "what a part has written"),
    "remove": Command("infra.commands.remove", "stop a pipeline and keep its data"),
    "reset": Command("infra.commands.reset", "delete all data, or that of one pipeline, after asking"),
    "check": Command("infra.commands.check", "check pipeline files and run their examples; connects to nothing"),
    "try": Command("infra.commands.try_event", "show every field and feature of one event; connects to nothing"),
    "replay": Command("infra.commands.replay", "play more of the example, or play it at another speed"),
    "models": Command("infra.commands.models", "the models of a pipeline: list, show, promote, rollback, unpin"),
    "scorecard": Command("infra.commands.tell_scorecard", "from which probability on a model's answers may be trusted"),
    "train": Command("infra.commands.train", "train a pipeline now, whether it is due and has new rows or not"),
    "losses": Command(
        "infra.commands.tell_losses", "records that were lost before hotpath read them: list, acknowledge"
    ),
    "alerts": Command("infra.commands.tell_alerts", "alerts of the running stack: list, history, test, silence, lift"),
    "imports": Command("infra.commands.tell_imports", "imports of history, during which no bucket closes: list, end"),
    "grafana": Command("infra.commands.push_grafana", "push dashboards and alert rules to a Grafana of your own"),
    "test": Command("infra.commands.run_tests", "run every linter and test"),
    "bench": Command("infra.commands.bench", "measure this checkout: speed, delay, growth"),
}


def parser_of_all() -> ArgumentParser:
    """Knows every command by its name and its line of help, and none of its options."""
    parser = ArgumentParser(prog="hotpath", description="Trains on the stream and scores in the hot path.")
    parser.add_argument("--version", action="version", version=f"hotpath {version()}", help="tell the version and exit")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.help)
    return parser


def version() -> str:
    """That of the checkout, or of the installed package where this is none."""
    project = ROOT / "pyproject.toml"
    if not project.exists():
        return installed_version("hotpath")
    with project.open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def answer_at_once(words: Sequence[str], is_installed: bool) -> int | None:
    """The exit code of what needs no installation, told already; None for all else.

    Raises:
        SystemExit: help and version were told, or the command is none.
    """
    if not words or words[0] not in COMMANDS:
        parser_of_all().parse_args(words)
        return 2
    command, rest = words[0], words[1:]
    if rest[:1] and rest[0] in HELP:
        return None
    if not is_installed and command in ("status", "down"):
        return _nothing_runs(command)
    return _missing_file(command, rest) if command in ("up", "check") else None


def _nothing_runs(command: str) -> int:
    """`down` has nothing to do then."""
    print(
        "hotpath: nothing is installed here yet, so no stack runs; `./hotpath up` installs and starts it",
        file=sys.stderr,
    )
    return int(command == "status")


def _missing_file(command: str, rest: Sequence[str]) -> int | None:
    missing = next((word for word in rest if not word.startswith("-") and not os.path.lexists(word)), None)
    if missing is None:
        return None
    print(f"hotpath: {missing} cannot be read: No such file or directory", file=sys.stderr)
    return 2 if command == "check" else 1
