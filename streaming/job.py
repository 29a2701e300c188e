"""The streaming process: one Spark driver for the hot queries, rows jobs and tables of all deployed pipelines.

Run as `python -m streaming.job`. It alone writes the tables.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterable

from pyspark.sql import SparkSession

from contract import metrics, variables
from contract.environment import Environment
from contract.layout import Places, PlacesError
from contract.log_lines import start_logging
from contract.metrics import PROBLEMS
from contract.pipeline import Pipeline
from contract.process_end import give_up
from streaming.lake import hang_watchdog
from streaming.pipeline_file.deployed_files import Deployed
from streaming.pipeline_worker import Pace, PipelineLoop
from streaming.progress.progress_consumer import follow_progress
from streaming.progress.watermark import ProgressUpdates
from streaming.spark_session import start_spark

log = logging.getLogger("streaming")

LOOK_EVERY_S = 2.0
CALL_S = 90.0
"""A call to HDFS that takes longer never comes back, or HDFS is away: either way no table can be written."""


def run(places: Places, spark: SparkSession, pace: Pace, stop: threading.Event) -> None:
    """Serve what is deployed until `stop`: each pipeline in a loop of its own, begun anew when its file changes."""
    board, deployed = ProgressUpdates(), Deployed(places)
    loops: dict[str, PipelineLoop] = {}
    news = threading.Thread(target=follow_progress, args=(places.cloud, board, stop), name="news")
    news.start()

    def serve_what_is_deployed() -> None:
        for pipeline in deployed.pipelines():
            if _has_changed(loops.get(pipeline.name), pipeline):
                loops.pop(pipeline.name).join()
            if pipeline.name not in loops:
                loops[pipeline.name] = PipelineLoop(spark, places, pipeline, board, pace)
                loops[pipeline.name].start()

    while not stop.is_set():
        _try("look for batches that hang", lambda: _give_up_when_stuck(loops.values(), pace))
        _try(f"look for pipelines in {places.pipelines}", serve_what_is_deployed)
        stop.wait(LOOK_EVERY_S)
    for loop in loops.values():
        loop.end()
    for thread in (*loops.values(), news):
        thread.join()


def _try(what: str, step: Callable[[], None]) -> None:
    try:
        step()
    except Exception:
        log.exception("could not %s; tried again", what)
        PROBLEMS.labels(part="streaming").inc()


def _has_changed(loop: PipelineLoop | None, pipeline: Pipeline) -> bool:
    """Whether the loop serves another version of the file; it is then told to end."""
    if loop is None or loop.pipeline.file_hash == pipeline.file_hash:
        return False
    log.info("%s: its file has changed; the loop begins anew", pipeline.name)
    loop.end()
    return True


def _give_up_when_stuck(loops: Iterable[PipelineLoop], pace: Pace) -> None:
    """End the process at once when a batch hangs: the next one takes the batch again, and no table has it twice."""
    for loop in loops:
        if (runs_s := loop.batch_runs_s()) > pace.stuck.total_seconds():
            give_up(f"{loop.name}: a batch has not ended for {runs_s:.0f} s")


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
    except (PlacesError, RuntimeError, ValueError) as error:
        sys.exit(f"streaming: {error}")
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    metrics.serve("streaming")
    run(places, spark, pace, stop)
    spark.stop()
    log.info("stopped")


if __name__ == "__main__":
    main()
