"""`hotpath losses list|acknowledge`: what was lost of the topics, and what a person says of it."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from contract.layout import Places
from contract.messages.codec import Unreadable
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.deployments import DeploymentUnreadable, NoSuchPipeline, deployment
from infra.stack.part_environment import environment
from streaming.lake.losses import Loss, UnknownLoss, acknowledge, stored_losses


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    actions = commands.add_parser("losses").add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every loss, the oldest first; exit 1 where one is not acknowledged")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(act=_list)
    known = actions.add_parser("acknowledge", help="say that you know of a loss: status is well again")
    known.add_argument("id", metavar="ID")
    known.add_argument("--use", action="store_true", help="also train on the buckets around it, though rows may lack")
    known.set_defaults(act=_acknowledge)
    for each in (listing, known):
        each.add_argument("--pipeline", metavar="NAME", help="by default all that are deployed")
        each.set_defaults(run=run)


def run(args: Namespace) -> int:
    """0 when done, 1 when HDFS does not answer or the loss is not there, 2 when no pipeline is deployed."""
    settings = Settings.from_environment()
    names = [args.pipeline] if args.pipeline else settings.deployed_names()
    if not names:
        print("hotpath: no pipeline is deployed; say --pipeline NAME", file=sys.stderr)
        return 2
    known = [*settings.deployed_names(), *settings.removed_names()]
    if args.pipeline and args.pipeline not in known:
        raise NoSuchPipeline(args.pipeline, known)
    places = Places.from_environment(environment(settings, Ports.of(settings), names), needs=("hdfs",))
    try:
        code: int = args.act(args, places, names)
    except (OSError, Unreadable) as error:
        print(f"hotpath: the losses at {places.hdfs} cannot be read: {error}", file=sys.stderr)
        return 1
    return code


def _list(args: Namespace, places: Places, names: list[str]) -> int:
    training = _training_topics(names)
    stored = {name: stored_losses(places, name) for name in names}
    losses = [(name, loss) for name, found in stored.items() for loss in found.losses]
    damaged = [line for found in stored.values() for line in found.damaged.values()]
    for line in damaged:
        print(f"hotpath: {line}", file=sys.stderr)
    if args.json:
        told = [{"pipeline": name} | msgspec.to_builtins(loss) | {"says": loss.sentence} for name, loss in losses]
        print(json.dumps(told, indent=1))
    else:
        print(
            "\n".join(_line(name, loss, training) for name, loss in losses) or ("" if damaged else "nothing was lost")
        )
    return int(bool(damaged) or not all(loss.is_acknowledged for _, loss in losses))


def _line(name: str, loss: Loss, training: Mapping[str, Collection[str]]) -> str:
    """`training`: by pipeline the topics whose losses leave buckets out; of one that is not known all of them do."""
    noted = f"acknowledged by {loss.acknowledged_by}" if loss.is_acknowledged else "not acknowledged"
    leaves_out = loss.found.topic in training.get(name, (loss.found.topic,)) and not loss.use
    trained = "its buckets are left out of training" if leaves_out else "its buckets are trained on"
    return f"{loss.id}  {name}  {loss.sentence}; {noted}; {trained}"


def _acknowledge(args: Namespace, places: Places, names: list[str]) -> int:
    """A loss of a topic that several pipelines read is acknowledged for all of them."""
    training = _training_topics(names)
    who, found, reasons = getpass.getuser(), False, list[str]()
    for name in names:
        try:
            loss = acknowledge(places, name, args.id, who, datetime.now(UTC), args.use)
        except UnknownLoss as error:
            reasons.append(str(error))
            continue
        gone = f"{args.id}  {name}  its damaged file is removed; nothing is left out for it"
        print(_line(name, loss, training) if loss else gone)
        found = True
    if not found:
        print("\n".join(f"hotpath: {reason}" for reason in reasons), file=sys.stderr)
    return int(not found)


def _training_topics(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The topics of questions and labels, of each pipeline whose file loads."""
    settings, found = Settings.from_environment(), dict[str, tuple[str, str]]()
    for name in names:
        with suppress(DeploymentUnreadable):
            if each := deployment(settings, name):
                found[name] = (each.pipeline.events.topic, each.pipeline.label.topic)
    return found
