"""`hotpath train PIPELINE`: tells the trainer, through the cloud's Kafka, to train now."""

from __future__ import annotations

import argparse
import getpass
import sys
import time
from typing import TYPE_CHECKING

from contract.layout import Kafka, Places
from contract.messages.codec import encode
from contract.messages.commands import TrainNow
from contract.topics import TRAINING_COMMANDS_TOPIC
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.deployments import NoSuchPipeline
from infra.stack.part_environment import environment
from streaming.kafka.send_record import TAKEN_WITHIN_S, send_record

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("train")
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when the broker has the command, 1 when it does not take it."""
    settings = Settings.from_environment()
    deployed = settings.deployed_names()
    if args.pipeline not in deployed:
        raise NoSuchPipeline(args.pipeline, deployed)
    env = environment(settings, Ports.of(settings), deployed)
    cloud = Places.from_environment(env, needs=("cloud",)).cloud
    command = TrainNow(pipeline=args.pipeline, who=getpass.getuser(), at_ms=round(time.time() * 1000))
    if refusal := send(cloud, command):
        print(f"hotpath: the cloud's Kafka at {cloud.bootstrap} did not take it: {refusal}", file=sys.stderr)
        return 1
    print(
        f"{args.pipeline} is trained as soon as the trainer has finished what it does now. "
        "Look with: hotpath logs trainer; the new model is in: hotpath models list"
    )
    return 0


def send(cloud: Kafka, command: TrainNow) -> str | None:
    """Hand the command to the broker; None once it has it, else what it says."""
    return send_record(cloud, TRAINING_COMMANDS_TOPIC, command.key, encode(command), TAKEN_WITHIN_S)
