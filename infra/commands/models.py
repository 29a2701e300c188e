"""`hotpath models list|show|promote|rollback|unpin`: asks the rollout that runs, which alone changes states."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from contract.manifest import pipeline_of
from contract.messages.operator_commands import (
    ListedModel,
    ListModels,
    PromoteCommand,
    Reply,
    Request,
    RollbackCommand,
    ShowModel,
    UnpinCommand,
)
from infra.settings import Settings
from infra.stack.deployments import NoSuchPipeline
from serving.rollout.command_socket import NoRollout, ask_rollout

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

SERVES_WITHIN_S: Final = 120.0
_HELP: Final = {
    "list": "every model of this host and its state",
    "show": "one model",
    "promote": "serve this version, and pin it: newer ones wait until unpin",
    "rollback": "serve the version before (or the one named), and pin it",
    "unpin": "let newer models serve again as they come; until then the pinned one goes on",
}

_NAMES: Final = {
    "list": "[PIPELINE]",
    "show": "[PIPELINE] VERSION",
    "promote": "[PIPELINE] VERSION",
    "rollback": "[PIPELINE] [VERSION]",
    "unpin": "[PIPELINE]",
}


def add_parser(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("models")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, text in _HELP.items():
        each = actions.add_parser(action, help=text)
        each.add_argument("names", metavar="NAME", nargs="*", help=_NAMES[action])
        if action in ("promote", "rollback", "unpin"):
            each.add_argument("--why", default="", help="the reason, kept with the state")
        each.add_argument("--pipeline", metavar="NAME", help="needed where several are deployed")
        each.add_argument("--json", action="store_true", help="print JSON")
        each.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when done, 1 when the rollout refused or does not run, 2 when pipeline or version is not clear."""
    settings = Settings.from_environment()
    try:
        asked = named(args.action, args.names, args.pipeline, settings.deployed_names())
    except NotClear as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 2
    request = _request(args.action, asked.version, getattr(args, "why", ""))
    try:
        replies = {name: ask_rollout(_sockets(settings), name, request) for name in asked.pipelines}
        return _tell(args, settings, replies)
    except NoRollout as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 1


class NotClear(ValueError):
    """The command line leaves open which pipeline or version is meant; the message says what to type."""


@dataclass(frozen=True)
class Asked:
    """What the command line names."""

    pipelines: tuple[str, ...]
    version: str | None


def named(action: str, names: Sequence[str], pipeline: str | None, deployed: Sequence[str]) -> Asked:
    """Sort names into pipelines and a version, in any order. A version names its pipeline, so it is enough alone.

    Raises:
        NotClear: a version lacks, or there is one too many, or several pipelines could be meant.
        NoSuchPipeline: a pipeline that is named is not deployed.
    """
    if pipeline is not None and pipeline not in deployed:
        raise NoSuchPipeline(pipeline, deployed)
    pipelines = list(dict.fromkeys([*([pipeline] if pipeline else []), *(n for n in names if n in deployed)]))
    versions = [name for name in names if name not in deployed]
    if action in ("list", "unpin") and versions:
        raise NoSuchPipeline(versions[0], deployed)
    if len(versions) > 1:
        raise NotClear(f"{_usage(action)}: {' and '.join(versions)} are not both versions; {_deployed(deployed)}")
    if action in ("show", "promote") and not versions:
        raise NotClear(f"{_usage(action)}: which version? `hotpath models list` shows them")
    version = versions[0] if versions else None
    of_version = [name for name in deployed if version and name == pipeline_of(version)]
    meant = pipelines or of_version or list(deployed)
    if not meant or (len(meant) > 1 and action != "list"):
        raise NotClear(f"which pipeline? Name one: {_usage(action)}; {_deployed(deployed)}")
    return Asked(tuple(meant), version)


def _usage(action: str) -> str:
    return f"hotpath models {action} {_NAMES[action]}"


def _deployed(deployed: Sequence[str]) -> str:
    return f"deployed: {', '.join(deployed) or 'none; `hotpath up` deploys a pipeline'}"


def _request(action: str, version: str | None, why: str) -> Request:
    who = getpass.getuser()
    match action:
        case "list":
            return ListModels()
        case "show":
            return ShowModel(version=version or "")
        case "promote":
            return PromoteCommand(version=version or "", who=who, why=why)
        case "rollback":
            return RollbackCommand(version=version, who=who, why=why)
    return UnpinCommand(who=who, why=why)


def _tell(args: argparse.Namespace, settings: Settings, replies: dict[str, Reply]) -> int:
    refused = [reply.why for reply in replies.values() if not reply.ok]
    for why in refused:
        print(f"hotpath: {why}", file=sys.stderr)
    if refused:
        return 1
    if args.action == "list":
        models = [{"pipeline": name} | _json(model) for name, reply in replies.items() for model in reply.models or []]
        print(json.dumps(models, indent=1) if args.json else _table(models))
        return 0
    ((name, reply),) = replies.items()
    found = reply.model
    if found and args.action in ("promote", "rollback"):
        found = _when_it_serves(settings, name, found.version)
    if found is None:
        return 1
    print(json.dumps(_json(found), indent=1) if args.json else _lines(_json(found)))
    if args.action == "unpin" and not args.json:
        print(f"{found.version} is unpinned: the next model that is admitted after it takes its place", file=sys.stderr)
    return 0


def _json(model: ListedModel | None) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(model)
    return fields


def _when_it_serves(settings: Settings, pipeline: str, version: str) -> ListedModel | None:
    """The model as soon as it serves; None, and the reason on stderr, when it does not within the time."""
    deadline, why = time.monotonic() + SERVES_WITHIN_S, "its state is not known"
    while time.monotonic() < deadline:
        model = ask_rollout(_sockets(settings), pipeline, ShowModel(version=version)).model
        if model and model.state == "champion":
            print(f"{version} serves", file=sys.stderr)
            return model
        why = f"{model.state}, {model.why}" if model else why
        if model and model.state == "rejected":
            break
        time.sleep(0.2)
    print(f"hotpath: {version} does not serve: {why}", file=sys.stderr)
    return None


def _table(models: list[dict[str, Any]]) -> str:
    if not models:
        return "no model yet"
    rows = [("PIPELINE", "VERSION", "STATE", "AUC", "SINCE", "WHO", "WHY"), *(_row(model) for model in models)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return "\n".join("  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows)


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    state = model["state"] + (" (pinned)" if model["pinned"] else "")
    auc = "" if model["auc"] is None else f"{model['auc']:.4f}"
    return (model["pipeline"], model["version"], state, auc, model["when"], model["who"], model["why"])


def _lines(model: dict[str, Any]) -> str:
    return "\n".join(f"{name:8} {value}" for name, value in model.items())


def _sockets(settings: Settings) -> Path:
    return settings.folder.sockets
