"""What the monitor needs for many outcomes: `hotpath bench monitor [--outcomes 5000000] [--predictions 0]`.

Makes outcomes of three hours, and predictions of one hour with their labels, in Delta tables in a folder of its own;
reads and aggregates them as the monitor does, in a process of its own; prints its seconds and its largest memory.
Needs no broker, no HDFS and no Spark.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

import monitoring.monitor  # noqa: F401  what the monitor has loaded counts, too
from benchmarks.small_pipeline import PIPELINE
from contract import variables
from contract.layout import Places
from contract.records import SPAN_BUCKETS, TIMESTAMP
from monitoring.collect.outcomes import OutcomeReader
from monitoring.collect.provisional import ProvisionalReader
from monitoring.judge.model_health import by_minute, by_model, by_slice
from streaming.pipeline_file.load import load

START_S = 1_767_225_600
MINUTES, MINUTE_S = 180, 60
LEVELS = [f'{{"region": "r{region}", "producing_host": "h{host}"}}' for region in range(5) for host in range(20)]
AS_THE_MONITOR = (
    "from monitoring.process_memory import keep_small; keep_small(); from benchmarks.monitor import main; main()"
)
LATEST_MODELS = 30
"""A question is answered by one of so many models, as it is asked up to half an hour before it is due."""


def fill(places: Places, outcomes: int, models: int) -> None:
    """Three hours of outcomes, a file for each bucket of a minute."""
    numbers = np.random.default_rng(1)
    for minute in range(MINUTES):
        bucket_s, count = START_S + minute * MINUTE_S, outcomes // MINUTES
        newest = minute * models // MINUTES
        model = np.maximum(0, newest - numbers.integers(0, LATEST_MODELS, count))
        label = numbers.random(count) < 0.3
        due_us = (bucket_s + numbers.integers(0, MINUTE_S, count)) * 1_000_000
        table = pa.table({
            "bucket": np.full(count, bucket_s),
            "due": pa.array(due_us).cast(TIMESTAMP),
            "model": pa.array([f"benchmark-{n:06d}" for n in range(models)]).take(pa.array(model)),
            "key": [f'["order {minute}-{n // 3}"]' for n in range(count)],
            "probability": np.clip(numbers.normal(0.4 + 0.2 * label, 0.2), 0, 1),
            "decision": pa.array(["positive", "negative"]).take(pa.array(numbers.integers(0, 2, count))),
            "slices": pa.array(LEVELS).take(pa.array(numbers.integers(0, len(LEVELS), count))),
            "label": label,
            "span": np.full(count, bucket_s // (SPAN_BUCKETS * MINUTE_S) * SPAN_BUCKETS * MINUTE_S),
            "state": pa.array(["row"]).take(pa.array(np.zeros(count, np.int64))),
        })  # fmt: skip
        write_deltalake(places.table("benchmark", "outcomes"), table, mode="append", partition_by=["span", "state"])


def fill_predictions(places: Places, predictions: int) -> None:
    """The last hour's predictions, each of an order of its own whose label came a minute before it was due."""
    for minute in range(MINUTES - 60, MINUTES):
        bucket_s, count = START_S + minute * MINUTE_S, predictions // 60
        due = pa.array(np.full(count, bucket_s * 1_000_000)).cast(TIMESTAMP)
        names = [f'["order {minute}-{n}"]' for n in range(count)]
        came = due.cast(pa.int64()).to_numpy() - 60_000_000
        table = pa.table({
            "id": names,
            "key": names,
            "model": pa.array(["benchmark-000001"]).take(pa.array(np.zeros(count, np.int64))),
            "due": due,
            "probability": np.random.default_rng(minute).random(count),
            "decision": pa.array(["positive"]).take(pa.array(np.zeros(count, np.int64))),
            "append_time": pa.array(came - 1_800_000_000).cast(TIMESTAMP),
            "partition": np.zeros(count, np.int32),
            "offset": np.arange(count),
            "hypothetical": np.zeros(count, np.bool_),
            "bucket": np.full(count, bucket_s),
        })  # fmt: skip
        write_deltalake(places.table("benchmark", "predictions"), table, mode="append", partition_by=["bucket"])
        label = {"order": pa.array(names), "late": pa.array(np.arange(count) % 3 == 0)}
        labels = table.select(["key", "partition", "offset"]).append_column(
            "append_time", pa.array(came).cast(TIMESTAMP)
        )
        labels = labels.append_column("label", pa.StructArray.from_arrays(list(label.values()), list(label)))
        labels = labels.append_column("append_hour", pa.array(np.full(count, bucket_s // 3600 * 3600)))
        write_deltalake(places.table("benchmark", "labels"), labels, mode="append", partition_by=["append_hour"])


def measure_provisional(places: Places) -> None:
    """Read predictions and labels, and give every model's figures."""
    began_s = time.monotonic()
    reader = ProvisionalReader(places, load(places.data / "benchmark.toml"))
    models = by_model(reader.read(START_S))
    count = sum(figures.outcomes for figures in models.values() if figures)
    print(f"{count:,} provisional outcomes: in {time.monotonic() - began_s:.1f} s; peak RSS {peak_mib():.0f} MiB")


def measure(places: Places) -> None:
    """Read all outcomes, and give every figure."""
    before_mib, began_s = peak_mib(), time.monotonic()
    reader = OutcomeReader(places, load(places.data / "benchmark.toml"))
    outcomes = reader.read(START_S)
    read_s = time.monotonic() - began_s
    minutes, models, levels = by_minute(outcomes), by_model(outcomes), by_slice(outcomes)
    count = sum(figures.outcomes for figures in models.values() if figures)
    whole_s = time.monotonic() - began_s
    print(f"{count:,} outcomes: read in {read_s:.1f} s; figures of {len(minutes)} minutes, {len(models)} models and "
          f"{len(levels)} levels in {whole_s - read_s:.1f} s; "
          f"peak RSS {peak_mib():.0f} MiB, of which {before_mib:.0f} before")  # fmt: skip


def peak_mib() -> float:
    """The largest resident memory of this process; `getrusage` would count that of its parent before the exec, too."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="hotpath bench monitor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--outcomes", type=int, default=5_000_000)
    parser.add_argument("--models", type=int, default=180)
    parser.add_argument("--predictions", type=int, default=0)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    if arguments.measure:
        measure(places_in(arguments.measure))
        if arguments.predictions:
            measure_provisional(places_in(arguments.measure))
        return
    with tempfile.TemporaryDirectory() as folder:
        places = places_in(folder)
        (places.data / "benchmark.toml").write_text(PIPELINE)
        fill(places, arguments.outcomes, arguments.models)
        fill_predictions(places, arguments.predictions)
        own = ["--measure", folder, "--predictions", str(arguments.predictions)]
        subprocess.run([sys.executable, "-c", AS_THE_MONITOR, *own], check=True)


def places_in(folder: str) -> Places:
    return Places(Path(folder), {variables.HDFS.name: f"file://{folder}"})


if __name__ == "__main__":
    main()
