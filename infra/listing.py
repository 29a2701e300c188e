"""The commands that other modules bring: each has `add_parser(subparsers)`, which sets `run`."""

from __future__ import annotations

from argparse import ArgumentParser, _SubParsersAction
from importlib import import_module
from importlib.util import find_spec

Commands = "_SubParsersAction[ArgumentParser]"
MODULES = ("infra.check", "infra.try_event", "infra.replay", "infra.models", "infra.test_command")


def add_others(commands: _SubParsersAction[ArgumentParser]) -> None:
    for name in MODULES:
        if find_spec(name) is None:
            continue
        module = import_module(name)
        module.add_parser(commands)
