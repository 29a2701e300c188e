"""The `hotpath` command, once everything is installed. Exit codes: 0 well, 1 a problem found, 2 usage."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from infra import control, listing, logs_command, reset, status, up
from infra.addresses import EXAMPLE
from infra.announce import say
from infra.changes import changes
from infra.deployed import deployment, deployments
from infra.preflight import Unfit
from infra.settings import Settings, SettingsError, read_env_file
from streaming.load import PipelineError, load
from streaming.pipeline import Pipeline
from streaming.places import PlacesError


def main(argv: list[str] | None = None) -> int:
    try:
        read_env_file(Path(".env"), os.environ)
        args = _parser().parse_args(argv)
        code: int = args.run(args)
        return code
    except (SettingsError, PlacesError, Unfit, control.NotRunning) as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0


def run_up(args: Namespace) -> int:
    """Start the stack, or add pipelines to the one that runs."""
    settings = Settings.from_environment()
    loaded = [(file, _load(file)) for file in args.files]
    if any(pipeline is None for _, pipeline in loaded):
        return 1
    files = [(file, pipeline) for file, pipeline in loaded if pipeline]
    running = control.is_running(settings.control)
    if not files and running:
        say("the stack runs already; `hotpath status` tells how it is")
        return 0
    if not files and not deployments(settings):
        files = [(EXAMPLE, load(EXAMPLE))]
    allowed = [_may_change(settings, pipeline) for _, pipeline in files]
    if not all(allowed):
        return 1
    if running:
        return _tell(settings, {"do": "deploy", "files": [str(file.absolute()) for file, _ in files]})
    return up.start(settings, files)


def run_down(args: Namespace) -> int:
    settings = Settings.from_environment()
    try:
        for _ in control.ask(settings.control, {"do": "down"}):
            pass
    except control.NotRunning:
        say(f"no stack runs at {settings.data}")
        return 0
    return up.wait_until_stopped(settings)


def _tell(settings: Settings, request: control.Message) -> int:
    """Print what the running stack says; its code."""
    code = 1
    for message in control.ask(settings.control, request):
        if "say" in message:
            say(message["say"])
        code = message.get("code", code)
    return code


def _load(file: Path) -> Pipeline | None:
    try:
        return load(file)
    except PipelineError as error:
        for problem in error.problems:
            print(f"{file}: {problem}", file=sys.stderr)
    except OSError as error:
        print(f"hotpath: {file} cannot be read: {error.strerror}", file=sys.stderr)
    return None


def _may_change(settings: Settings, pipeline: Pipeline) -> bool:
    """Say what a changed file will do; False where it is refused."""
    old = deployment(settings, pipeline.name)
    found = changes(old.pipeline, pipeline) if old else None
    for line in found.effects if found else ():
        say(f"{pipeline.name}: {line}")
    for line in found.refused if found else ():
        print(f"{pipeline.name}: {line}", file=sys.stderr)
    return not (found and found.refused)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="hotpath", description="Trains on the stream and scores in the hot path.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    starting = commands.add_parser("up", help="start the stack, or add pipelines to the one that runs")
    starting.add_argument("files", nargs="*", type=Path, metavar="FILE", help="pipeline files (default: the example)")
    starting.set_defaults(run=run_up)
    commands.add_parser("down", help="stop the stack").set_defaults(run=run_down)
    for module in (status, logs_command, reset):
        module.add_parser(commands)
    listing.add_others(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
