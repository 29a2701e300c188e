"""`hotpath reset [PIPELINE]`: lists what goes, asks, and deletes it: everything, or all of one pipeline."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Sequence

from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.announce import say
from infra.stack.deletions import Deletion, DeletionFailed, engines_that_do_not_run, of_everything, of_pipeline
from infra.stack.deployments import NoSuchPipeline, deployment
from infra.stack.live_scorers import stop_live_scorers
from infra.supervisor.supervisor import end_leftovers
from streaming.pipeline_file.diagnostics import PipelineError


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("reset")
    parser.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="only this one (default: everything)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = Settings.from_environment()
    try:
        return _reset_pipeline(settings, args.pipeline, args.yes) if args.pipeline else _reset_all(settings, args.yes)
    except (DeletionFailed, PipelineError) as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 1


def _reset_all(settings: Settings, agreed: bool) -> int:
    if not settings.data.exists():
        say(f"{settings.data} is not there: nothing is to be deleted")
        return 0
    if control_socket.is_running(settings.control):
        return _refused("the stack runs; stop it first with `hotpath down`")
    if not settings.run.is_dir():
        return _refused(f"{settings.data} was not made by `hotpath up`; it is left as it is")
    found = of_everything(settings)
    if not _agreed(found, agreed):
        return 1
    end_leftovers(settings.folder)
    stop_live_scorers(settings.folder, patience_s=5)
    _delete(found)
    say(f"{settings.data} is gone")
    return 0


def _reset_pipeline(settings: Settings, name: str, agreed: bool) -> int:
    """The engines that hold its data must answer: those that `up` starts do so while the stack runs."""
    gone = deployment(settings, name)
    if gone is None:
        raise NoSuchPipeline(name, {*settings.deployed_names(), *settings.removed_names()})
    if control_socket.is_running(settings.control) and settings.folder.pipeline_file(name).exists():
        return _refused(f"{name} runs; stop it first with `hotpath remove {name}`")
    if ours := engines_that_do_not_run(settings):
        remedy = f"first hotpath up, then hotpath remove {name} and hotpath reset {name}"
        return _refused(f"{', '.join(ours)} hold data of {name} and do not run: {remedy}")
    found = of_pipeline(settings, gone)
    if not _agreed(found, agreed):
        return 1
    stop_live_scorers(settings.folder, patience_s=5, pipeline=name)
    _delete(found)
    say(f"nothing is left of {name}")
    return 0


def _delete(found: Sequence[Deletion]) -> None:
    for each in found:
        each.do()
        say(f"deleted {each.what}")


def _agreed(found: Sequence[Deletion], already: bool) -> bool:
    say("this goes:")
    for each in found:
        say(f"  {each.what}")
    if already:
        return True
    try:
        answer = input("Delete all of it? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() in ("y", "yes"):
        return True
    say("nothing was deleted")
    return False


def _refused(why: str) -> int:
    print(f"hotpath: {why}", file=sys.stderr)
    return 1
