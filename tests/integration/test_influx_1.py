"""The monitor's writer against InfluxDB 1.8 by its v2 interface: the oldest one that takes and gives back points."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import httpx
import pytest

from contract.layout import Influx
from infra.install.influxd_build import cached
from monitoring.collect.scrape import Snapshot
from monitoring.influx.influx_client import InfluxClient, InfluxUnfit, PointsRefused
from monitoring.influx.influx_points import PointMaker
from monitoring.influx.influx_probe import probe
from monitoring.influx.influx_writer import InfluxWriter
from monitoring.influx.point_feed import own_samples
from monitoring.influx.point_spool import PointSpool
from tests.serving.hot_host import free_port
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.deep]

VERSION = "1.8.10"
USER, PASSWORD = "hotpath", "secret12"
CONFIG = """
bind-address = "127.0.0.1:{rpc}"
reporting-disabled = true
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = true
  flux-enabled = true
"""


def program() -> Path:
    """It is built by Go alone, in some minutes, and kept beside the other one."""
    kept = cached().with_name(f"influxd-{VERSION}")
    if not kept.exists():
        if shutil.which("go") is None:
            pytest.skip("there is no Go to build InfluxDB 1.8")
        kept.parent.mkdir(parents=True, exist_ok=True)
        module = f"github.com/influxdata/influxdb/cmd/influxd@v{VERSION}"
        command = ["go", "install", "-ldflags", f"-X main.version={VERSION}", module]
        subprocess.run(["env", f"GOBIN={kept.parent / 'built'}", *command], check=True, timeout=1200)
        (kept.parent / "built" / "influxd").replace(kept)
    return kept


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    folder, port = tmp_path_factory.mktemp("influx-1"), free_port()
    (folder / "conf").write_text(CONFIG.format(folder=folder, port=port, rpc=free_port()))
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(program()), "-config", str(folder / "conf")], stdout=log, stderr=log)
    try:
        until(lambda: answers(url), 60, "InfluxDB 1.8")
        ask(url, f"CREATE USER {USER} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES")
        ask(url, "CREATE DATABASE hotpath")
        yield Influx(url, "-", "hotpath/autogen", f"{USER}:{PASSWORD}")
    finally:
        process.terminate()
        process.wait(60)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ping").is_success
    except httpx.HTTPError:
        return False


def ask(url: str, statement: str) -> None:
    httpx.post(f"{url}/query", data={"q": statement}, auth=(USER, PASSWORD)).raise_for_status()


def test_the_probe_passes_and_wrong_settings_are_told_in_words(influx: Influx) -> None:
    probe(influx)
    with pytest.raises(InfluxUnfit, match="does not know the token"):
        probe(replace(influx, token=f"{USER}:wrong"))
    with pytest.raises(InfluxUnfit, match="has no bucket 'nowhere/autogen'"):
        probe(replace(influx, bucket="nowhere/autogen"))


def test_the_monitors_points_are_given_back(influx: Influx, tmp_path: Path) -> None:
    maker, now_s = PointMaker(), time.time()
    maker.points(Snapshot(now_s - 10, own_samples()))
    made = maker.points(Snapshot(now_s, own_samples()))
    writer = InfluxWriter(influx, PointSpool(tmp_path / "points", 10**8))
    Thread(target=writer.run, daemon=True).start()
    writer.add(point.to_line_protocol() for point in made)
    wanted = {str(point._name) for point in made}

    def measured() -> set[str]:
        flux = f'from(bucket: "{influx.bucket}") |> range(start: -1h) |> last()'
        with InfluxClient(influx) as client:
            return {str(row["_measurement"]) for row in client.query(flux)}

    until(lambda: wanted <= measured(), 60, "every measurement")
    assert len(wanted) > 3


def test_a_clash_of_types_is_refused_and_not_tried_again(influx: Influx) -> None:
    with InfluxClient(influx) as client:
        client.write(b"clash value=1 1800000000000\n")
        with pytest.raises(PointsRefused, match="field type conflict"):
            client.write(b'clash value="text" 1800000000000\n')
