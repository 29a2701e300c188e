"""A rows job that is killed with kill -9 at a chosen place, with its Spark: a process of its own.

`python -m tests.integration.killed_build FOLDER PLACE UPTO_S AT_S`
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
from pyspark import TaskContext

from streaming.lake.built_table import rows_table
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from streaming.rows.build_buckets import build
from streaming.rows.label_join import LabelJoin
from streaming.rows.rows_job import run_once
from tests.integration.small_lake import PIPELINE_FILE, Far, places_in
from tests.integration.spark import start_session
from tests.waiting import until

ROOT = Path(__file__).parents[2]
DATA_WRITTEN = "data-written"
"""Nothing is committed yet."""
ROWS_COMMITTED = "rows-committed"
"""Outcomes are not begun."""


def build_killed(folder: Path, place: str, far: Far, at_s: float) -> None:
    """Run the job over the lake in `folder` until it dies at `place`."""
    command = [sys.executable, "-m", __name__, str(folder), place, str(far.upto_s), str(at_s)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, start_new_session=True, capture_output=True, text=True)
    assert ran.returncode == -signal.SIGKILL, ran.stdout + ran.stderr


@dataclass(frozen=True)
class KilledLabelJoin(LabelJoin):
    """The second task kills all once the first has written its files: no commit can have begun."""

    folder: Path
    before: frozenset[Path]
    group: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from super().__call__(batches)
        context = TaskContext.get()
        assert context is not None
        if context.partitionId() == 1:
            until(self._written, 60, "the first task's files")
            os.killpg(self.group, signal.SIGKILL)

    def _written(self) -> bool:
        new = set(self.folder.rglob("*.parquet")) - self.before
        return any(file.read_bytes().endswith(b"PAR1") for file in new)


def die_once_written(folder: Path) -> None:
    before = frozenset(folder.rglob("*.parquet"))
    patch(
        "streaming.rows.build_buckets.LabelJoin",
        partial(KilledLabelJoin, folder=folder, before=before, group=os.getpid()),
    ).start()


def die_once_committed(_: Path) -> None:
    def build_and_die(*given: Any) -> None:
        build(*given)
        os.killpg(os.getpid(), signal.SIGKILL)

    patch("streaming.rows.rows_job.build", build_and_die).start()


PLACES: dict[str, Callable[[Path], None]] = {DATA_WRITTEN: die_once_written, ROWS_COMMITTED: die_once_committed}


def main(folder: Path, place: str, upto_s: float, at_s: float) -> None:
    places, pipeline = places_in(folder), load(folder / PIPELINE_FILE)
    compiled = compile_pipeline(pipeline)
    PLACES[place](Path(rows_table(places, pipeline, compiled.feature_types).url.removeprefix("file://")))
    spark = start_session(folder / "spark" / place)
    run_once(spark, places, pipeline, compiled, Far(upto_s), lambda: at_s)
    sys.exit("nothing was killed")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
