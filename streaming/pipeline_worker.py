"""One pipeline in the streaming process: keeps its hot query running, and takes turns at its rows job and upkeep."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from threading import Event
from typing import Final

import msgspec
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from contract.layout import Places
from contract.messages.progress import LossNotice
from contract.metrics import (
    LOSSES_UNACKNOWLEDGED,
    PROBLEMS,
    STREAM_BEHIND_RECORDS,
    STREAM_CAUGHT_UP_TO_SECONDS,
    STREAM_FAILURES_IN_A_ROW,
    STREAM_LAG_RECORDS,
    STREAM_RESTARTS,
    UPKEEP_SECONDS,
)
from contract.pipeline import Pipeline
from contract.process_end import OnEnd, VitalThread, give_up
from streaming.ingest.hot_query import HotQuery
from streaming.ingest.record_decoder import decoder_of, tables_by_topic
from streaming.ingest.stalled_batch import StalledBatch
from streaming.lake.built_table import BuiltTable, outcomes_table, rows_table
from streaming.lake.built_upkeep import keep_up_built
from streaming.lake.delta_log import newest_version
from streaming.lake.hang_watchdog import expected_back
from streaming.lake.hot_tables import ensure_tables
from streaming.lake.hot_upkeep import keep_up
from streaming.lake.losses import Loss, record_loss, stored_losses
from streaming.lake.old_programs import remove_old_programs
from streaming.lake.pinned_versions import KeptVersions, UnknownVersions, folder_of, kept_versions
from streaming.pipeline_file.compile_pipeline import Compiled, compile_pipeline
from streaming.progress.watermark import Progress, ProgressUpdates
from streaming.rows.build_watermark import read_build_watermark
from streaming.rows.rows_job import run_once

log = logging.getLogger("streaming")

TURN_S = 2.0
AGAIN_S = 5.0
PATIENCE_S = 30.0
"""How long a stop waits for the running batch."""
COUNT_LOSSES_S = 60.0
HOT_QUERY: Final = "hot query"
ROWS_JOB: Final = "rows job"
UPKEEP: Final = "upkeep"
LOSSES: Final = "losses"
"""The steps of a turn, as log lines and the metric of failures name them."""


@dataclass(frozen=True)
class Pace:
    """How often the hot queries take a batch, and how often the tables are kept up."""

    trigger: timedelta
    upkeep: timedelta
    stuck: timedelta
    """A batch has at most some ten thousand records: one that runs for longer hangs in a call that will not return."""

    @property
    def step_s(self) -> float:
        """A build or a turn of upkeep that takes longer hangs: it may be as large as six batches of the longest."""
        return 6 * self.stuck.total_seconds()


class PipelineLoop(VitalThread):
    """Takes turns until `end` is called. A step that fails is logged, counted and tried again; no record is lost by it.

    Should the loop itself end without `end`, `on_end` ends the process.
    """

    def __init__(
        self,
        spark: SparkSession,
        places: Places,
        pipeline: Pipeline,
        updates: ProgressUpdates,
        pace: Pace,
        on_end: OnEnd = give_up,
    ) -> None:
        self._told_to_end = Event()
        super().__init__(pipeline.name, self._take_turns, self._told_to_end, on_end)
        self.pipeline = pipeline
        self._spark, self._places, self._pace = spark, places, pace
        self._topics = tuple(tables_by_topic(pipeline))
        self._progress = Progress(updates)
        self._stuck = StalledBatch()
        self._query: StreamingQuery | None = None
        self._failures = Counter({HOT_QUERY: 0, LOSSES: 0, ROWS_JOB: 0, UPKEEP: 0})
        self._next_upkeep = time.monotonic() + pace.upkeep.total_seconds()
        self._next_count = time.monotonic()
        UPKEEP_SECONDS.labels(pipeline=pipeline.name)  # shown from the beginning, with no observation

    def end(self) -> None:
        """Finish the running batch and build, then leave; the thread lives until that is done."""
        self._told_to_end.set()

    @property
    def is_told_to_end(self) -> bool:
        return self._told_to_end.is_set()

    def batch_runs_s(self) -> float:
        """For how long the hot query has been seen at the same batch; 0 between batches."""
        return self._stuck.runs_s(self._query)

    @cached_property
    def _compiled(self) -> Compiled:
        return compile_pipeline(self.pipeline)

    def _take_turns(self) -> None:
        while not self._told_to_end.is_set():
            done = (
                self._try(HOT_QUERY, self._keep_query)
                and self._try(LOSSES, self._note_losses)
                and self._try(ROWS_JOB, self._build)
                and self._try(UPKEEP, self._upkeep)
            )
            self._show_failures()
            self._told_to_end.wait(TURN_S if done else AGAIN_S)
        with expected_back(f"the end of the hot query of {self.name}", self._pace.step_s):
            self._end_query()

    def _try(self, step: str, take: Callable[[], bool]) -> bool:
        """Whether the step did not fail. `take` says whether it has succeeded: a step may not have got so far yet."""
        try:
            with expected_back(f"the {step} of {self.name}", self._pace.step_s):
                has_succeeded = take()
        except Exception as error:
            self._failures[step] += 1
            cause, again = _cause(str(error) or repr(error)), self._failures[step]
            log.error("step failed, trying again pipeline=%s step=%r in_a_row=%d: %s", self.name, step, again, cause)
            log.debug("%s", step, exc_info=True)
            PROBLEMS.labels(part="streaming").inc()
            return False
        if has_succeeded:
            self._failures[step] = 0
        return True

    def _keep_query(self) -> bool:
        """Start the hot query where it does not run; whether it has finished a batch, or found nothing new, since then.

        Raises:
            RuntimeError: it ended, and why; the next turn starts it.
        """
        if self._query is None:
            ensure_tables(self._spark, self._places, self.pipeline)
            decoding = decoder_of(self.pipeline, self._compiled.spec)
            query = HotQuery(
                self._spark, self._places, self.pipeline, decoding, self._progress, self._pace.trigger, self._lose
            )
            self._query = query.run()
        elif not self._query.isActive:
            error, self._query = self._query.exception(), None
            STREAM_RESTARTS.labels(pipeline=self.name).inc()
            raise RuntimeError(f"the query ended: {error}")
        return self._query.lastProgress is not None

    def _note_losses(self) -> bool:
        """Write down what the watcher says was lost; every minute, count what nobody has acknowledged.

        The topic keeps old notices for ever: those of a time that the tables do not keep are left alone.
        """
        kept_since_ms = round((time.time() - self.pipeline.lake.retention.total_seconds()) * 1000)
        for notice in self._progress.unrecorded(self._topics):
            if notice.before_ms >= kept_since_ms:
                self._lose(notice)
            self._progress.recorded(notice)
        if time.monotonic() >= self._next_count:
            stored = stored_losses(self._places, self.name)
            unknown = sum(not loss.is_acknowledged for loss in stored.losses) + len(stored.damaged)
            LOSSES_UNACKNOWLEDGED.labels(pipeline=self.name).set(unknown)
            if stored.damaged:
                log.error("losses do not read, nothing is trained pipeline=%s: %s", self.name, stored.told())
            self._next_count = time.monotonic() + COUNT_LOSSES_S
        return True

    def _lose(self, notice: LossNotice) -> None:
        """Write a loss down. Where nobody knows its beginning, it is that of the first bucket that is not built."""
        if notice.after_ms is None and (built_to_s := self._built_to_s()):
            notice = msgspec.structs.replace(notice, after_ms=min(built_to_s * 1000, notice.before_ms))
        if record_loss(self._places, self.name, notice):
            self._next_count = time.monotonic()
            said = Loss(id=notice.id, found=notice).sentence
            log.error("records lost pipeline=%s loss=%s: %s", self.name, notice.id, said)

    def _built_to_s(self) -> int:
        """Every record stamped before was in the tables once; 0 where nothing is built."""
        rows, _ = self._built_tables()
        newest = newest_version(rows.url)
        return 0 if newest is None else read_build_watermark(rows.url, newest).closed_to_s

    def _build(self) -> bool:
        self._spark.sparkContext.setLocalProperty("spark.scheduler.pool", "rows")
        run_once(self._spark, self._places, self.pipeline, self._compiled, self._progress)
        return True

    def _upkeep(self) -> bool:
        if time.monotonic() < self._next_upkeep:
            return True
        with UPKEEP_SECONDS.labels(pipeline=self.name).time():
            now = datetime.now(UTC)
            keep_up(self._spark, self._places, self.pipeline, now)
            kept = self._kept_versions()
            for table in self._built_tables():
                versions = None if kept is None else kept.get(folder_of(table.url), ())
                keep_up_built(self._spark, table, self.pipeline, now, versions)
            if kept is not None:
                remove_old_programs(self._places, self.pipeline, kept, now)
        self._next_upkeep = time.monotonic() + self._pace.upkeep.total_seconds()
        return True

    def _kept_versions(self) -> KeptVersions | None:
        """What candidates name; None while that is not known, so that no version of a table may go."""
        try:
            return kept_versions(self._places, self.pipeline)
        except UnknownVersions as error:
            PROBLEMS.labels(part="streaming").inc()
            log.error("no table version is removed pipeline=%s why=%r", self.name, str(error))
            return None

    def _built_tables(self) -> tuple[BuiltTable, ...]:
        rows = rows_table(self._places, self.pipeline, self._compiled.feature_types)
        return rows, outcomes_table(self._places, self.pipeline)

    def _show_failures(self) -> None:
        for step, failures in self._failures.items():
            STREAM_FAILURES_IN_A_ROW.labels(pipeline=self.name, step=step).set(failures)

    def measure(self) -> None:
        """Show how far the tables are. Another thread asks for it: batches are committed during a build of minutes."""
        moment = self._progress.caught_up_to(self._topics)
        behind = self._progress.behind_records(self._topics)
        STREAM_BEHIND_RECORDS.labels(pipeline=self.name).set(sum(behind.values()))
        for topic, records in behind.items():
            STREAM_LAG_RECORDS.labels(pipeline=self.name, topic=topic).set(records)
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
