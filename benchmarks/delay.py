"""How long events take from the on-prem broker to their table: `hotpath bench delay NAME MINUTES`.

Reads what the running stack has committed: for every record of the last minutes, the moment at which the file of its
Delta commit was closed, by the NameNode's clock, minus its on-prem append time. Imported records are left out.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC

import numpy as np
import pyarrow.parquet as pq

from contract.layout import Places
from contract.records import TIMESTAMP
from streaming.lake.delta_tables import opened
from streaming.lake.filesystem import file_system


def delays_s(url: str, since_s: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Seconds from append to commit of each record that was committed since a moment."""
    files, root = file_system(url)
    found: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = [np.empty(0)]
    with opened(url) as table:
        newest = table.version()
    for version in range(newest, -1, -1):
        path = f"{root}/_delta_log/{version:020d}.json"
        if not files.exists(path):
            break
        committed_s = files.modified(path).replace(tzinfo=UTC).timestamp()
        if committed_s < since_s:
            break
        with files.open(path, "rb") as log:
            actions = [json.loads(line) for line in log.read().splitlines()]
        for add in (action["add"] for action in actions if "add" in action and action["add"]["dataChange"]):
            with files.open(f"{root}/{add['path']}", "rb") as data:
                rows = pq.ParquetFile(data).read(columns=["append_time", "imported"])
            live = rows.filter(np.logical_not(rows["imported"].to_numpy(zero_copy_only=False)))
            append_us = live["append_time"].cast(TIMESTAMP).cast("int64").to_numpy()
            found.append(committed_s - append_us / 1e6)
    return np.concatenate(found)


def main() -> None:
    parser = argparse.ArgumentParser(prog="hotpath bench delay", description=__doc__)
    parser.add_argument("pipeline")
    parser.add_argument("minutes", type=float)
    args = parser.parse_args()
    url = Places.from_environment(needs=("hdfs",)).table(args.pipeline, "events")
    delays = delays_s(url, time.time() - 60 * args.minutes)
    if not len(delays):
        raise SystemExit(f"{url}: nothing was committed in the last {args.minutes:g} minutes")
    rate = len(delays) / 60 / args.minutes
    p50, p99, most = np.percentile(delays, [50, 99, 100])
    print(f"{len(delays)} events, {rate:.0f} a second: p50 {p50:.1f} s, p99 {p99:.1f} s, longest {most:.1f} s")


if __name__ == "__main__":
    main()
