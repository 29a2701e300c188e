"""The streaming process: one Spark driver for the hot queries, rows jobs and tables of all deployed pipelines.

Run as `python -m streaming.job`. It alone writes the tables.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable

from pyspark.sql import SparkSession

from contract import metrics, variables
from contract.environment import Environment
from contract.layout import Places
from contract.log_lines import start_logging
from contract.metrics import PROBLEMS
from contract.pipeline import Pipeline
from contract.process_end import VitalThread, give_up, log_all_stacks
from streaming.lake import hang_watchdog
from streaming.lake.hang_watchdog import expected_back
from streaming.pipeline_file.deployed_files import Deployed
from streaming.pipeline_worker import Pace, PipelineLoop
from streaming.progress.progress_consumer import follow_progress
from streaming.progress.watermark import ProgressUpdates
from streaming.spark_session import start_spark

log = logging.getLogger("streaming")

LOOK_EVERY_S = 2.0
CALL_S = 90.0
"""A call to HDFS that takes longer never comes back, or HDFS is away: either way no table can be written."""
STOP_S = 120.0
"""How long a stop waits for the loops; what they leave undone is done after the next start."""


class Loops:
    """The loops of the deployed pipelines, one each."""

    def __init__(self, start: Callable[[Pipeline], PipelineLoop]) -> None:
        self._start = start
        self._loops: dict[str, PipelineLoop] = {}

    def __call__(self) -> tuple[PipelineLoop, ...]:
        return tuple(self._loops.values())

    def serve(self, deployed: Iterable[Pipeline]) -> None:
        """Start the loop of each pipeline that has none. A loop whose file has changed or was removed is told to end.

        Nothing is waited for here: a later call starts the new loop, once the old one has ended.
        """
        pipelines = {pipeline.name: pipeline for pipeline in deployed}
        for name in self._loops.keys() - pipelines.keys():
            self._end(name)
        for pipeline in pipelines.values():
            loop = self._loops.get(pipeline.name)
            if loop is None or (loop.is_told_to_end and not loop.is_alive()):
                self._loops[pipeline.name] = self._start(pipeline)
            elif loop.pipeline.file_hash != pipeline.file_hash and not loop.is_told_to_end:
                log.info("pipeline file changed, its loop begins anew pipeline=%s", pipeline.name)
                loop.end()

    def _end(self, name: str) -> None:
        """Of a pipeline that was removed: tell it once, and forget it when it has ended."""
        loop = self._loops[name]
        if not loop.is_told_to_end:
            log.info("pipeline removed, its loop ends pipeline=%s", name)
            loop.end()
        elif not loop.is_alive():
            del self._loops[name]


def run(places: Places, spark: SparkSession, pace: Pace, stop: threading.Event) -> None:
    """Serve what is deployed until `stop`: each pipeline in a loop of its own, begun anew when its file changes."""
    updates, deployed = ProgressUpdates(), Deployed(places)

    def start(pipeline: Pipeline) -> PipelineLoop:
        loop = PipelineLoop(spark, places, pipeline, updates, pace)
        loop.start()
        return loop

    loops = Loops(start)
    progress = VitalThread("progress", lambda: follow_progress(places.cloud, updates, stop), stop)
    guard = VitalThread("guard", lambda: watch_loops(loops, pace, stop), stop)
    progress.start()
    guard.start()
    while not stop.is_set():
        try:
            loops.serve(deployed.pipelines())
        except Exception:
            log.exception("could not look for pipelines, trying again folder=%s", places.pipelines)
            PROBLEMS.labels(part="streaming").inc()
        stop.wait(LOOK_EVERY_S)
    for loop in loops():
        loop.end()
    wait_for_end((*loops(), progress, guard), STOP_S)


def watch_loops(loops: Callable[[], Iterable[PipelineLoop]], pace: Pace, stop: threading.Event) -> None:
    """Show how far the tables are, and end the process when a batch hangs.

    The next process takes the batch again, and no table has it twice. Builds and upkeep are watched by `hang_watchdog`.
    This has a thread of its own, so that nothing holds it up; should Spark not even tell how its query is,
    `hang_watchdog` ends the process.
    """
    while not stop.wait(LOOK_EVERY_S):
        for loop in loops():
            loop.measure()
            with expected_back(f"Spark's answer about the hot query of {loop.name}"):
                runs_s = loop.batch_runs_s()
            if runs_s > pace.stuck.total_seconds():
                give_up(f"{loop.name}: a batch has not ended for {runs_s:.0f} s")


def wait_for_end(threads: Iterable[threading.Thread], within_s: float) -> None:
    """Wait until they have ended, but no longer than that."""
    until = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            log_all_stacks(f"the thread {thread.name} has not ended within {within_s:g} s; the process ends without it")


def main() -> None:
    start_logging()
    stop = threading.Event()
    try:
        places = Places.from_environment(needs=("cloud", "hdfs"))
        environment = Environment()
        pace = Pace(
            trigger=environment.get(variables.TRIGGER_S),
            upkeep=environment.get(variables.UPKEEP_S),
            stuck=environment.get(variables.STUCK_S),
        )
        hang_watchdog.start(CALL_S)
        spark = start_spark(places)
    except (RuntimeError, ValueError) as error:
        sys.exit(f"streaming: {error}")
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    metrics.serve("streaming")
    run(places, spark, pace, stop)
    spark.stop()
    log.info("stopped")


if __name__ == "__main__":
    main()
