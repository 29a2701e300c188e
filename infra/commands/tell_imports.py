"""`hotpath imports list|end`: which imports of history are open, and how to end one that its sender has forgotten."""

from __future__ import annotations

import getpass
import json
import sys
import time
from argparse import ArgumentParser, Namespace, _SubParsersAction
from typing import Final

from confluent_kafka import KafkaException

from contract.layout import Kafka, Places
from contract.messages.codec import encode
from contract.messages.imports import ImportNotice
from contract.topics import IMPORTS_TOPIC
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.part_environment import environment
from streaming.kafka.send_record import TAKEN_WITHIN_S, send_record
from streaming.kafka.topic_reader import TopicReader
from streaming.progress.open_imports import OpenImports

TIMEOUT_S: Final = 10.0


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    actions = commands.add_parser("imports").add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every import that is open, with the age of its last record")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(act=_list)
    ending = actions.add_parser("end", help="end an import that its sender has forgotten: buckets close again")
    ending.add_argument("topic", metavar="TOPIC")
    ending.set_defaults(act=_end)
    for each in (listing, ending):
        each.set_defaults(run=run)


def run(args: Namespace) -> int:
    """0 when done, 1 when the on-prem Kafka does not answer or there is no such import."""
    settings = Settings.from_environment()
    env = environment(settings, Ports.of(settings), settings.deployed_names())
    onprem = Places.from_environment(env, needs=("onprem",)).onprem
    try:
        found = open_imports(onprem)
    except (KafkaException, TimeoutError) as error:
        print(f"hotpath: {IMPORTS_TOPIC} at {onprem.bootstrap} cannot be read: {error}", file=sys.stderr)
        return 1
    code: int = args.act(args, onprem, found)
    return code


def open_imports(onprem: Kafka) -> OpenImports:
    """What the topic says now.

    Raises:
        KafkaException, TimeoutError: it cannot be read.
    """
    found, reader = OpenImports(), TopicReader(onprem, IMPORTS_TOPIC, committed=False)
    try:
        for message in reader.to_end(TIMEOUT_S):
            found.take(message)
    finally:
        reader.close()
    return found


def _list(args: Namespace, _: Kafka, found: OpenImports) -> int:
    now_s = time.time()
    ages_s = {topic: max(0.0, now_s - each.said_s) for topic, each in sorted(found.items())}
    if args.json:
        told = [{"topic": topic, "by": found[topic].by, "age_s": round(age, 1)} for topic, age in ages_s.items()]
        print(json.dumps(told, indent=1))
        return 0
    lines = [
        f"{topic}  opened by {found[topic].by or 'somebody'}; the last record that says so is {age:.0f} s old"
        for topic, age in ages_s.items()
    ]
    print("\n".join(lines) or "no import is open")
    return 0


def _end(args: Namespace, onprem: Kafka, found: OpenImports) -> int:
    if args.topic not in found:
        there = ", ".join(sorted(found)) or "none"
        print(f"hotpath: no import into {args.topic} is open; open are: {there}", file=sys.stderr)
        return 1
    notice = ImportNotice(topic=args.topic, open=False, at_ms=round(time.time() * 1000), by=getpass.getuser())
    if refusal := send_record(onprem, IMPORTS_TOPIC, notice.key, encode(notice), TAKEN_WITHIN_S):
        print(f"hotpath: the on-prem Kafka at {onprem.bootstrap} did not take it: {refusal}", file=sys.stderr)
        return 1
    print(f"the import into {args.topic} is ended; its buckets close as soon as the watcher has seen it")
    return 0
