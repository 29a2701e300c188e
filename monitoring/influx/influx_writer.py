"""Sends what the spool holds to InfluxDB, in a thread of its own: a slow server holds up no look of the monitor."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event

from contract import metrics
from contract.layout import Influx
from monitoring.influx.influx_client import InfluxAway, InfluxClient, InfluxError, InfluxUnfit, PointsRefused
from monitoring.influx.influx_probe import probe
from monitoring.influx.point_spool import PointSpool

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0
TOLD_AFTER_S = 30.0
"""An InfluxDB that is away for less is not worth an alert."""
log = logging.getLogger("influx_writer")


class InfluxWriter:
    """`add` is called by the monitor's loop; `run` sends for ever, after it has seen a point come back."""

    def __init__(self, influx: Influx, spool: PointSpool) -> None:
        self._influx, self._spool = influx, spool
        self._client = InfluxClient(influx)
        self._added = Event()
        self._failed_since_s: float | None = None
        self._error: InfluxError | None = None

    def add(self, lines: Iterable[str]) -> None:
        """Keep points until InfluxDB has them; a disk that takes none is logged and counted."""
        try:
            self._spool.add(lines)
        except OSError as error:
            metrics.PROBLEMS.labels(part="monitor").inc()
            log.error("points not kept error=%r", str(error))
        self._added.set()

    def problem(self) -> str | None:
        """Why InfluxDB has no new points, in one sentence; None while all is well."""
        error, since_s = self._error, self._failed_since_s
        if error is None or since_s is None:
            return None
        if not isinstance(error, InfluxUnfit) and time.monotonic() < since_s + TOLD_AFTER_S:
            return None
        return f"{error}; {self._spool.size() / 1e6:,.1f} MB of points wait on disk"

    def run(self) -> None:
        """Probe, then send: both again after a pause when they fail, for ever."""
        pause_s = FIRST_PAUSE_S
        is_proven = False
        while True:
            try:
                if not is_proven:
                    probe(self._influx)
                    log.info(
                        "InfluxDB gives back what it takes url=%s bucket=%s", self._influx.url, self._influx.bucket
                    )
                    is_proven = True
                self._send_all()
            except InfluxError as error:
                self._fail(error, pause_s)
                is_proven = is_proven and isinstance(error, InfluxAway)
                time.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
                continue
            pause_s, self._error, self._failed_since_s = FIRST_PAUSE_S, None, None
            self._added.wait()

    def _send_all(self) -> None:
        self._added.clear()
        for file in self._spool.files():
            self._send(file)

    def _send(self, file: Path) -> None:
        try:
            lines = file.read_bytes()
        except FileNotFoundError:
            return  # dropped meanwhile, and counted
        points = lines.count(b"\n")
        try:
            self._client.write(lines)
            metrics.INFLUX_POINTS.labels(outcome="written").inc(points)
        except PointsRefused as error:
            metrics.INFLUX_POINTS.labels(outcome="refused").inc(points)
            log.error("points dropped, since InfluxDB refuses them points=%d error=%s", points, error)
        self._spool.remove(file)

    def _fail(self, error: InfluxError, pause_s: float) -> None:
        self._error = error
        if self._failed_since_s is None:
            self._failed_since_s = time.monotonic()
        log.warning("points not written, trying again in %.0f s error=%s", pause_s, error)
