"""What the rows look like: drift and missing values by feature, and how long labels take; shown as metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract import metrics
from contract.layout import Places
from contract.pipeline import Pipeline
from contract.records import FEATURE_PREFIX
from monitoring.collect.feature_rows import FeatureReader, Sampled
from training.evaluation.drift import binned, counted, has_drifted, stability_indexes

EVERY_S = 60.0
SHARE = 20
"""It rests for so many times as long as a look took: where rows are very many, looks are fewer."""
QUANTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
log = logging.getLogger("data_health")


@dataclass(frozen=True)
class DataHealth:
    """Of the newest whole window. `psi` and `drifted` by feature; `label_delay_s` by the names of QUANTILES."""

    psi: Mapping[str, float]
    drifted: Mapping[str, bool]
    missing: Mapping[str, float]
    label_delay_s: Mapping[str, float]


def data_health(sampled: Sampled) -> DataHealth | None:
    """None while there is no whole window with another one before it."""
    numbers = np.asarray(sampled.rows["bucket"], np.int64) // sampled.window_s
    newest = int(numbers.max()) - 1  # the last window may still grow
    rows = sampled.rows.filter(pa.array(numbers <= newest))
    numbers = numbers[numbers <= newest]
    present, windows = np.unique(numbers, return_inverse=True)
    if len(present) < 2 or present[-1] != newest:
        return None
    last = pa.array(windows == len(present) - 1)
    features = [name for name in rows.schema.names if name.startswith(FEATURE_PREFIX)]
    psi, drifted, missing = {}, {}, {}
    for column in features:
        name, values = column.removeprefix(FEATURE_PREFIX), rows[column].combine_chunks()
        indexes = stability_indexes(counted(windows, binned(values), len(present)))
        psi[name], drifted[name] = float(indexes[-1]), has_drifted(indexes)
        own = values.filter(last)
        missing[name] = own.null_count / len(own)
    return DataHealth(psi, drifted, missing, _label_delays_s(rows.filter(last)))


def _label_delays_s(rows: pa.Table) -> dict[str, float]:
    """Of rows whose label came; a pipeline may have none."""
    asked, came = (
        rows[name].cast(pa.timestamp("us", "UTC")).cast(pa.int64()) for name in ("as_of", "label_append_time")
    )
    delays_us = pc.drop_null(pc.subtract(came, asked))
    if not len(delays_us):
        return {}
    found = np.quantile(np.asarray(delays_us, np.float64), list(QUANTILES.values())) / 1e6
    return dict(zip(QUANTILES, found.tolist(), strict=True))


class DataFollower:
    """Looks at the rows of every deployed pipeline; `follow` runs in a thread of its own."""

    def __init__(self, places: Places, deployed: Callable[[], list[Pipeline]]) -> None:
        self._places, self._deployed = places, deployed
        self._readers: dict[str, tuple[str, FeatureReader]] = {}
        self._found: dict[str, DataHealth] = {}

    def follow(self) -> None:
        """For ever."""
        while True:
            began_s = time.monotonic()
            self.look()
            time.sleep(max(EVERY_S, SHARE * (time.monotonic() - began_s)))

    def look(self) -> None:
        """Look at every pipeline once; what cannot be read is tried again, and until then the last found stays."""
        pipelines = self._deployed()
        for pipeline in pipelines:
            try:
                sampled = self._reader_of(pipeline).read()
                found = data_health(sampled) if sampled else None
            except Exception:
                metrics.PROBLEMS.labels(part="monitor").inc()
                log.exception("rows not read, trying again pipeline=%s", pipeline.name)
                continue
            if found is not None:
                self._found[pipeline.name] = found
        names = {pipeline.name for pipeline in pipelines}
        self._found = {name: found for name, found in self._found.items() if name in names}
        self._show()

    def _reader_of(self, pipeline: Pipeline) -> FeatureReader:
        known = self._readers.get(pipeline.name)
        if known is None or known[0] != pipeline.file_hash:
            self._readers[pipeline.name] = known = (pipeline.file_hash, FeatureReader(self._places, pipeline))
        return known[1]

    def _show(self) -> None:
        found = self._found.items()
        metrics.DRIFT_PSI.replace({(p, f): value for p, each in found for f, value in each.psi.items()})
        metrics.DRIFT_ALARM.replace({(p, f): float(value) for p, each in found for f, value in each.drifted.items()})
        metrics.MISSING_RATIO.replace({(p, f): value for p, each in found for f, value in each.missing.items()})
        delays = {(p, q): value for p, each in found for q, value in each.label_delay_s.items()}
        metrics.LABEL_DELAY_SECONDS.replace(delays)
