"""`hotpath up [FILE...]`: start the stack, or add pipelines to the one that runs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from pathlib import Path

from contract.pipeline import Pipeline
from contract.variables import misspelt
from infra.settings import Settings
from infra.stack import control_socket, start_stack
from infra.stack.announce import say
from infra.stack.deployments import DeploymentUnreadable, deployment
from infra.stack.file_changes import changes
from infra.stack.part_environment import EXAMPLE
from infra.stack.team_topics import ADOPT
from streaming.pipeline_file.load import PipelineError, load


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("up")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="pipeline files (default: the example)")
    text = "change topics that hotpath did not make where they are not as it needs them; without this it tells how"
    parser.add_argument(ADOPT, action="store_true", help=text)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Nothing is started or deployed unless every file is well and may change what it changes."""
    settings = Settings.from_environment()
    for problem in misspelt(settings.env):
        print(f"hotpath: {problem}", file=sys.stderr)
    loaded = [(file, _load(file)) for file in args.files]
    if any(pipeline is None for _, pipeline in loaded):
        return 1
    files = [(file, pipeline) for file, pipeline in loaded if pipeline]
    running = control_socket.is_running(settings.control)
    if not files and running and not args.adopt_topics:
        say("the stack runs already; `hotpath status` tells how it is")
        return 0
    if not files and not running and not settings.deployed_names():
        files = [(EXAMPLE, load(EXAMPLE))]
    allowed = [_may_change(settings, pipeline) for _, pipeline in files]
    if not all(allowed):
        return 1
    if running:
        paths = [str(file.absolute()) for file, _ in files]
        request = {"do": "deploy", "files": paths, "adopt": args.adopt_topics}
        return control_socket.tell(settings.control, request, say)
    return start_stack.start(settings, files, adopt=args.adopt_topics)


def _load(file: Path) -> Pipeline | None:
    try:
        return load(file)
    except PipelineError as error:
        for problem in error.problems:
            print(f"{file}:{problem}", file=sys.stderr)
    except OSError as error:
        print(f"hotpath: {file} cannot be read: {error.strerror}", file=sys.stderr)
    return None


def _may_change(settings: Settings, pipeline: Pipeline) -> bool:
    """Say what a changed file will do; False where it is refused."""
    try:
        old = deployment(settings, pipeline.name)
    except DeploymentUnreadable as error:
        say(f"{pipeline.name}: {error}; it is replaced, and what changes is not known")
        return True
    found = changes(old.pipeline, pipeline) if old else None
    for line in found.effects if found else ():
        say(f"{pipeline.name}: {line}")
    for line in found.refused if found else ():
        print(f"{pipeline.name}: {line}", file=sys.stderr)
    return not (found and found.refused)
