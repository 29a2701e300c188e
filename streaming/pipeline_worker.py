"""One pipeline in the streaming process: its hot query kept running, its rows job and upkeep one after the other."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from contract.layout import Places
from contract.metrics import (
    PROBLEMS,
    STREAM_BEHIND_RECORDS,
    STREAM_CAUGHT_UP_TO_SECONDS,
    STREAM_RESTARTS,
    UPKEEP_SECONDS,
)
from contract.pipeline import Pipeline
from streaming.ingest.hot_query import HotQuery
from streaming.ingest.record_decoder import decoder_of, tables_by_topic
from streaming.ingest.stalled_batch import StalledBatch
from streaming.lake.built_table import BuiltTable, outcomes_table, rows_table
from streaming.lake.built_upkeep import keep_up_built
from streaming.lake.hot_tables import ensure_tables
from streaming.lake.hot_upkeep import keep_up
from streaming.lake.old_programs import remove_old_programs
from streaming.lake.pinned_versions import folder_of, kept_versions
from streaming.pipeline_file.compile_pipeline import Compiled, compile_pipeline
from streaming.progress.watermark import Progress, ProgressUpdates
from streaming.rows.rows_job import run_once

log = logging.getLogger("streaming")

TURN_S = 2.0
AGAIN_S = 5.0
PATIENCE_S = 30.0
"""How long a stop waits for the running batch."""


@dataclass(frozen=True)
class Pace:
    """How often the hot queries take a batch, and how often the tables are kept up."""

    trigger: timedelta
    upkeep: timedelta
    stuck: timedelta
    """A batch has at most some ten thousand records: one that runs for longer hangs in a call that will not return."""


class PipelineLoop(threading.Thread):
    """Until `end`: whatever fails is logged, counted and tried again, as the tables lose nothing by it."""

    def __init__(
        self,
        spark: SparkSession,
        places: Places,
        pipeline: Pipeline,
        board: ProgressUpdates,
        pace: Pace,
    ) -> None:
        super().__init__(name=pipeline.name)
        self.pipeline = pipeline
        self._spark, self._places, self._pace = spark, places, pace
        self._told_to_end = threading.Event()
        self._topics = tuple(tables_by_topic(pipeline))
        self._progress = Progress(board)
        self._stuck = StalledBatch()
        self._query: StreamingQuery | None = None
        self._next_upkeep = time.monotonic() + pace.upkeep.total_seconds()

    def end(self) -> None:
        """Finish the running batch and build, then leave; `join` waits for it."""
        self._told_to_end.set()

    def batch_runs_s(self) -> float:
        """For how long the hot query has been seen at the same batch; 0 between batches."""
        return self._stuck.runs_s(self._query)

    def run(self) -> None:
        compiled = compile_pipeline(self.pipeline)
        while not self._told_to_end.is_set():
            done = (
                self._try("hot query", lambda: self._keep_query(compiled))
                and self._try("rows job", lambda: self._build(compiled))
                and self._try("upkeep", lambda: self._upkeep(compiled))
            )
            self._measure()
            self._told_to_end.wait(TURN_S if done else AGAIN_S)
        self._end_query()

    def _try(self, what: str, step: Callable[[], object]) -> bool:
        try:
            step()
        except Exception as error:
            log.error("%s: its %s failed and is tried again: %s", self.name, what, _cause(str(error)))
            log.debug("%s", what, exc_info=True)
            PROBLEMS.labels(part="streaming").inc()
            return False
        return True

    def _keep_query(self, compiled: Compiled) -> None:
        """Start the hot query, or start it anew where it ended.

        Raises:
            RuntimeError: it ended, and why; the next turn starts it.
        """
        if self._query is None:
            ensure_tables(self._spark, self._places, self.pipeline)
            decoding = decoder_of(self.pipeline, compiled.spec)
            query = HotQuery(self._spark, self._places, self.pipeline, decoding, self._progress, self._pace.trigger)
            self._query = query.run()
        elif not self._query.isActive:
            error, self._query = self._query.exception(), None
            STREAM_RESTARTS.labels(pipeline=self.name).inc()
            raise RuntimeError(f"the query ended: {error}")

    def _build(self, compiled: Compiled) -> None:
        self._spark.sparkContext.setLocalProperty("spark.scheduler.pool", "rows")
        run_once(self._spark, self._places, self.pipeline, compiled, self._progress)

    def _upkeep(self, compiled: Compiled) -> None:
        if time.monotonic() < self._next_upkeep:
            return
        with UPKEEP_SECONDS.labels(pipeline=self.name).time():
            now = datetime.now(UTC)
            keep_up(self._spark, self._places, self.pipeline, now)
            kept = kept_versions(self._places, self.pipeline)
            for table in self._built_tables(compiled):
                keep_up_built(self._spark, table, self.pipeline, now, kept.get(folder_of(table.url), ()))
            remove_old_programs(self._places, self.pipeline, kept, now)
        self._next_upkeep = time.monotonic() + self._pace.upkeep.total_seconds()

    def _built_tables(self, compiled: Compiled) -> tuple[BuiltTable, ...]:
        rows = rows_table(self._places, self.pipeline, compiled.feature_types)
        return rows, outcomes_table(self._places, self.pipeline)

    def _measure(self) -> None:
        moment = self._progress.caught_up_to(self._topics)
        STREAM_BEHIND_RECORDS.labels(pipeline=self.name).set(self._progress.behind_records(self._topics))
        if moment is not None:
            STREAM_CAUGHT_UP_TO_SECONDS.labels(pipeline=self.name).set(moment.timestamp())

    def _end_query(self) -> None:
        """Let the running batch finish; one that is cut off is written again after the next start."""
        until = time.monotonic() + PATIENCE_S
        while (
            self._query and self._query.isActive and self._query.status["isTriggerActive"] and time.monotonic() < until
        ):
            time.sleep(0.1)
        if self._query:
            self._query.stop()


def _cause(text: str) -> str:
    """The line of a long Java and Python trace that says what was wrong: the last that names an error."""
    named = re.findall(r"^(?:Caused by: )?[\w.]*(?:Error|Exception): .+", text, flags=re.MULTILINE)
    return str(named[-1] if named else text.strip().partition("\n")[0])[:500]
