"""The replay: the flights of 2013 as if they happened now, and the application that asks about them.

First the past, at full speed and marked as an import; then each record at its moment. What was produced is
remembered in the data folder: a restart goes on from there, as far back as `--backfill`.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from application import Application
from flights_clock import Clock, load_or_anchor, store
from flights_records import Record, records
from producing import Producing

from contract import metrics, variables
from contract.arguments import number_above_0, number_from_0, whole_number_from
from contract.environment import Environment, VariableError
from contract.layout import Places
from contract.log_lines import start_logging
from contract.pipeline import Pipeline
from contract.state_file import read_state
from contract.variable_types import reachable
from streaming.pipeline_file.diagnostics import PipelineError
from streaming.pipeline_file.load import load

SETTLE_RECORDS = 20_000
SETTLE_S = 1.0
log = logging.getLogger("replay")


class Position:
    """How far the replay has come, in flight time; stored only once everything before it is on the broker."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, earliest: float) -> float:
        stored = read_state(self._path, dict[str, float], "the flights are played from the earliest moment on")
        return max(earliest, (stored or {}).get("flight", earliest))

    def store(self, flight: float) -> None:
        store(self._path, {"flight": flight})


def main() -> None:
    args = _arguments()
    start_logging()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        places, pipeline = Places.from_environment(needs=("onprem",)), load(args.file)
    except (VariableError, PipelineError) as error:
        sys.exit(f"replay: {error}")
    metrics.serve("replay")
    folder = places.folder.replay
    clock = load_or_anchor(folder / f"{pipeline.name}.clock.json", args.speed, time.time())
    copies = f".{args.first_copy}" if args.first_copy else ""
    position = Position(folder / f"{pipeline.name}{copies}.position.json")
    backfill_s = args.backfill if args.backfill is not None else _window_s(pipeline)
    start = position.load(earliest=clock.flight(time.time() - backfill_s))
    stream = records(start, args.rate, args.first_copy, stopping.is_set)
    producing = Producing(places.onprem, pipeline, clock)
    first = catch_up(stream, producing, clock, position, stopping)
    if first is None:
        return
    application = Application(_address(pipeline), pipeline.name, _key(places), callers=2 + args.rate // 50)
    play(itertools.chain([first], stream), producing, clock, position, application, stopping)
    application.stop()


def catch_up(
    stream: Iterator[Record], producing: Producing, clock: Clock, position: Position, stopping: threading.Event
) -> Record | None:
    """Import the past; returns the first record that is still to come, or None when it was told to stop."""
    producing.announce_import(is_open=True)
    try:
        return _import(stream, producing, clock, position, stopping)
    finally:
        producing.announce_import(is_open=False)


def _import(
    stream: Iterator[Record], producing: Producing, clock: Clock, position: Position, stopping: threading.Event
) -> Record | None:
    for number, record in enumerate(stream, 1):
        if record.moment >= clock.flight(time.time()) or stopping.is_set():
            producing.settle()
            position.store(record.moment)
            log.info("imported %d records", number - 1)
            return None if stopping.is_set() else record
        producing.produce(record, producing.body(record), imported=True)
        if number % SETTLE_RECORDS == 0:
            producing.settle()
            position.store(record.moment)
            log.info("imported %d records so far", number)
    return None  # told to stop; what is not known to be on the broker comes once more, with the same ids


def play(
    stream: Iterator[Record],
    producing: Producing,
    clock: Clock,
    position: Position,
    application: Application,
    stopping: threading.Event,
) -> None:
    """Produce each record at its moment, and ask about each question."""
    settled = time.monotonic()
    for record in stream:
        ahead_s = clock.real(record.moment) - time.time()
        metrics.REPLAY_BEHIND_SECONDS.set(max(0.0, -ahead_s))
        if stopping.wait(ahead_s) if ahead_s > 0 else stopping.is_set():
            break
        body = producing.body(record)
        producing.produce(record, body, imported=False)
        if record.kind == "asked":
            application.ask(body)
        if time.monotonic() > settled + SETTLE_S:
            producing.settle()
            position.store(record.moment)
            settled = time.monotonic()
    producing.settle()
    position.store(record.moment)


def _window_s(pipeline: Pipeline) -> float:
    return pipeline.training.window.total_seconds() + pipeline.label.max_wait.total_seconds()


def _address(pipeline: Pipeline) -> str:
    host, port = Environment().required(variables.SCORER.of(pipeline.name))
    return f"{reachable(host)}:{port}"


def _key(places: Places) -> str:
    if keys := Environment().get(variables.KEYS):
        return keys[0]
    return places.folder.keys.read_text().split()[0]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=Path(__file__).with_name("pipeline.toml"))
    text = "copies of every flight, each with keys of its own"
    parser.add_argument("--speed", type=number_above_0, default=60.0, help="flight seconds in a second")
    parser.add_argument("--rate", type=whole_number_from(1), default=1, help=text)
    parser.add_argument("--first-copy", type=whole_number_from(0), default=0, help="the number of the first copy")
    text = "seconds of the past to import at most (default: the window)"
    parser.add_argument("--backfill", type=number_from_0, help=text)
    return parser.parse_args()


if __name__ == "__main__":
    main()
