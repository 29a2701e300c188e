"""`hotpath remove PIPELINE`: stop a pipeline and keep its data; `hotpath up FILE` takes it up again."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, _SubParsersAction

from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.announce import say
from infra.stack.deployments import NoSuchPipeline, take_back
from infra.stack.live_scorers import stop_live_scorers


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("remove")
    parser.add_argument("pipeline", metavar="PIPELINE", help="the name of a deployed pipeline")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Ask the running stack to do it; where none runs, only the file is to be moved and scorers to be stopped."""
    settings = Settings.from_environment()
    if control_socket.is_running(settings.control):
        return control_socket.tell(settings.control, {"do": "remove", "pipeline": args.pipeline}, say)
    if not settings.folder.pipeline_file(args.pipeline).exists():
        raise NoSuchPipeline(args.pipeline, settings.deployed_names())
    take_back(settings, args.pipeline)
    stop_live_scorers(settings.folder, pipeline=args.pipeline)
    say(f"{args.pipeline} is removed; its data stays until hotpath reset {args.pipeline}")
    return 0
