"""Points for Graphite, taken by a real carbon and read back from its files."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

import pytest
import whisper
from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision
from prometheus_client import REGISTRY

from contract.metric_types import DECLARED
from monitoring.collect.scrape import Sample, Snapshot
from monitoring.influx import graphite_writer
from monitoring.influx.graphite_writer import GraphiteWriter, graphite_lines
from monitoring.influx.influx_points import PointMaker
from tests.serving.hot_host import free_port
from tests.waiting import until

CONFIG = """
[cache]
LOCAL_DATA_DIR = {folder}/whisper
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {port}
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = 0
MAX_CREATES_PER_MINUTE = inf
ENABLE_TAGS = False
ENABLE_LOGROTATION = False
"""


@dataclass(frozen=True)
class Carbon:
    """Graphite's own receiver; `run` starts it, and again at the same address."""

    folder: Path
    port: int

    @contextmanager
    def run(self) -> Iterator[None]:
        (self.folder / "storage").mkdir(exist_ok=True)
        (self.folder / "carbon.conf").write_text(CONFIG.format(folder=self.folder, port=self.port))
        (self.folder / "storage-schemas.conf").write_text("[all]\npattern = .*\nretentions = 1s:1d\n")
        program = Path(sys.executable).parent / "carbon-cache.py"
        command = [sys.executable, str(program), f"--config={self.folder}/carbon.conf", "--nodaemon", "start"]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, "GRAPHITE_ROOT": str(self.folder)}
            )
        try:
            until(self._listens, 60, "carbon")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            (self.folder / "storage" / "carbon-cache-a.pid").unlink(missing_ok=True)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def value(self, series: str, at_s: int) -> float | None:
        """What carbon has stored at a second."""
        name = hashlib.sha256(series.encode()).hexdigest()
        tagged, plain = f"_tagged/{name[:3]}/{name[3:6]}/{name}.wsp", f"{series.replace('.', '/')}.wsp"
        file = self.folder / "whisper" / (tagged if ";" in series else plain)
        if not file.exists():
            return None
        (start, _, step), values = whisper.fetch(str(file), at_s - 1, at_s)
        return dict(zip(range(start, start + len(values) * step, step), values, strict=True)).get(at_s)

    def has(self, series: str, at_s: int, value: float) -> bool:
        return self.value(series, at_s) == pytest.approx(value)

    @property
    def refused(self) -> list[str]:
        return [line for line in (self.folder / "log").read_text().splitlines() if "invalid line" in line]


@contextmanager
def sending(writer: GraphiteWriter) -> Iterator[None]:
    thread = Thread(target=writer.run)
    thread.start()
    try:
        yield
    finally:
        writer.end()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def carbon(tmp_path: Path) -> Carbon:
    return Carbon(tmp_path, free_port())


def test_names_and_values_of_a_point_as_lines() -> None:
    point = Point("hotpath_stage").tag("pipeline", "a b;c").tag("stage", "~x").field("value", 2.5).field("count", 3)
    point.field("text", "no number").field("flag", True).time(1_795_252_000_400, WritePrecision.MS)
    assert list(graphite_lines(point)) == [
        "hotpath_stage;pipeline=a_b_c;stage=x 2.5 1795252000",
        "hotpath_stage.count;pipeline=a_b_c;stage=x 3 1795252000",
    ]


def test_carbon_takes_every_metric_that_there_is(carbon: Carbon) -> None:
    made = PointMaker()
    now_s = int(time.time())
    made.points(scrape(now_s - 10, 1.0))
    lines = [line for point in made.points(scrape(now_s, 3.0)) for line in graphite_lines(point)]
    writer = GraphiteWriter(("127.0.0.1", carbon.port))
    with carbon.run(), sending(writer):
        writer.add(lines)
        for line in lines:
            series, value, at_s = line.split(" ")
            until(partial(carbon.has, series, int(at_s), float(value)), 60, line)
    assert not carbon.refused
    assert {line.split(";")[0].split(" ")[0].split(".")[0] for line in lines} >= {
        each.name for each in DECLARED if each.kind == "gauge"
    }


def scrape(at_s: float, value: float) -> Snapshot:
    """One sample of every gauge and counter, its labels with what people put into labels."""
    samples = [
        Sample("part", each.name + ("_total" if each.kind == "counter" else ""), labels(each.labels), value)
        for each in DECLARED
        if each.kind != "histogram"
    ]
    return Snapshot(at_s, tuple(samples))


def labels(names: tuple[str, ...]) -> dict[str, str]:
    return {name: f"~{name} of; é=1" for name in names}


def test_lines_wait_while_carbon_is_away_and_nothing_is_lost(carbon: Carbon) -> None:
    writer, at_s = GraphiteWriter(("127.0.0.1", carbon.port)), int(time.time())
    writer.add([f"early;n=1 1 {at_s}"])
    with sending(writer):
        with carbon.run():
            until(lambda: carbon.value("early;n=1", at_s) == 1, 60, "what waited")
        writer.add([f"late;n=1 2 {at_s}"])
        with carbon.run():
            until(lambda: carbon.value("late;n=1", at_s) == 2, 60, "what came while carbon was away")


def test_of_too_many_lines_the_oldest_go_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def dropped() -> float:
        return REGISTRY.get_sample_value("hotpath_monitor_graphite_lines_total", {"outcome": "dropped"}) or 0.0

    monkeypatch.setattr(graphite_writer, "MOST_WAITING", 3)
    writer, before = GraphiteWriter(("127.0.0.1", free_port())), dropped()
    writer.add(f"line {n}" for n in range(5))
    assert list(writer._waiting) == ["line 2", "line 3", "line 4"]
    assert dropped() - before == 2


def test_a_graphite_that_stays_away_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphite_writer, "TOLD_AFTER_S", 0.0)
    port = free_port()
    writer = GraphiteWriter(("127.0.0.1", port))
    assert writer.problem() is None
    writer.add(["a 1 2"])
    with sending(writer):
        until(lambda: writer.problem() is not None, 30, "the problem")
    assert writer.problem() == (
        f"Graphite at 127.0.0.1:{port} takes no points (Connection refused); 1 lines wait in memory"
    )
