"""A stand-in for what the page uses of `kafka-topics.sh`: that tool is not among the jars that hotpath installs."""

from __future__ import annotations

import argparse
from concurrent.futures import Future

from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic


def main() -> None:
    args = parsed()
    admin = AdminClient({"bootstrap.servers": args.bootstrap_server})
    done: Future[None] | None = None
    if args.create and args.if_not_exists and args.topic in admin.list_topics(timeout=10).topics:
        return
    if args.create:
        settings = dict(pair.split("=", 1) for pair in args.config)
        done = admin.create_topics([NewTopic(args.topic, args.partitions, config=settings)])[args.topic]
    elif args.alter:
        done = admin.create_partitions([NewPartitions(args.topic, args.partitions)])[args.topic]
    if done:
        done.result(30)
    print(args.topic, len(admin.list_topics(args.topic, timeout=10).topics[args.topic].partitions))


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    action = parser.add_mutually_exclusive_group(required=True)
    for name in ("--create", "--alter", "--describe"):
        action.add_argument(name, action="store_true")
    parser.add_argument("--if-not-exists", action="store_true")
    parser.add_argument("--bootstrap-server", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, default=-1)
    parser.add_argument("--config", action="append", default=[])
    return parser.parse_args()


if __name__ == "__main__":
    main()
