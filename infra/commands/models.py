"""`hotpath models list|show|promote|rollback|unpin`: asks the rollout that runs, which alone changes states."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from infra.settings import Settings
from serving.rollout.command_socket import NoRollout, ask_rollout

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

SERVES_WITHIN_S: Final = 120.0
_HELP: Final = {
    "list": "every model of this host and its state",
    "show": "one model",
    "promote": "serve this version, and pin it: newer ones wait until unpin",
    "rollback": "serve the version before (or the one named), and pin it",
    "unpin": "let the newest admitted model serve again",
}


def add_parser(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("models", help="the models of a pipeline: list, show, promote, rollback, unpin")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for action, text in _HELP.items():
        each = actions.add_parser(action, help=text)
        if action in ("show", "promote"):
            each.add_argument("version", metavar="VERSION")
        if action == "rollback":
            each.add_argument("version", metavar="VERSION", nargs="?")
        if action in ("promote", "rollback", "unpin"):
            each.add_argument("--why", default="", help="the reason, kept with the state")
        each.add_argument("--pipeline", metavar="NAME", help="needed where several are deployed")
        each.add_argument("--json", action="store_true", help="print JSON")
        each.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when done, 1 when the rollout refused or does not run, 2 when the pipeline is not clear."""
    settings = Settings.from_environment()
    version = getattr(args, "version", None)
    names = [args.pipeline] if args.pipeline else _pipelines(settings, version)
    if not names or (len(names) > 1 and args.action != "list"):
        deployed = ", ".join(_pipelines(settings, None)) or "none is deployed; `hotpath up` deploys one"
        print(f"hotpath: which pipeline? Say --pipeline NAME; there are: {deployed}", file=sys.stderr)
        return 2
    request = {"do": args.action, "version": version, "who": getpass.getuser(), "why": getattr(args, "why", "")}
    try:
        replies = {name: ask_rollout(_sockets(settings), name, request) for name in names}
        return _tell(args, settings, replies)
    except NoRollout as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 1


def _tell(args: argparse.Namespace, settings: Settings, replies: dict[str, dict[str, Any]]) -> int:
    refused = [reply["why"] for reply in replies.values() if not reply["ok"]]
    for why in refused:
        print(f"hotpath: {why}", file=sys.stderr)
    if refused:
        return 1
    if args.action == "list":
        models = [{"pipeline": name} | model for name, reply in replies.items() for model in reply["models"]]
        print(json.dumps(models, indent=1) if args.json else _table(models))
        return 0
    ((name, reply),) = replies.items()
    print(json.dumps(reply["model"], indent=1) if args.json else _lines(reply["model"]))
    if args.action in ("promote", "rollback"):
        return _wait_until_it_serves(settings, name, reply["model"]["version"])
    return 0


def _wait_until_it_serves(settings: Settings, pipeline: str, version: str) -> int:
    deadline, model = time.monotonic() + SERVES_WITHIN_S, {"state": "unknown", "why": ""}
    while time.monotonic() < deadline:
        reply = ask_rollout(_sockets(settings), pipeline, {"do": "show", "version": version})
        model = reply.get("model", model)
        if model["state"] == "champion":
            print(f"{version} serves", file=sys.stderr)
            return 0
        if model["state"] == "rejected":
            break
        time.sleep(0.2)
    print(f"hotpath: {version} does not serve: {model['state']}, {model['why']}", file=sys.stderr)
    return 1


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


def _pipelines(settings: Settings, version: str | None) -> list[str]:
    """The deployed pipelines; where a version is named, the one that it is of."""
    deployed = settings.deployed_names()
    named = version.rpartition("-")[0] if version else ""
    return [named] if named in deployed else deployed


def _sockets(settings: Settings) -> Path:
    return settings.folder.sockets
