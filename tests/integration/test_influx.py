"""Points on their way into a real InfluxDB: what is refused is told in words, and an outage loses nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource

from contract.layout import Influx
from monitoring.influx.influx_client import InfluxAway, InfluxClient, InfluxUnfit, PointsRefused
from monitoring.influx.influx_probe import probe
from monitoring.influx.influx_writer import InfluxWriter
from monitoring.influx.point_spool import PointSpool
from tests.integration.influx_server import InfluxServer, server
from tests.waiting import until

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    found = server(tmp_path_factory.mktemp("influx"))
    with found.run():
        yield found


def values(influx: Influx, measurement: str) -> list[float]:
    with InfluxClient(influx) as client:
        rows = client.query(
            f"from(bucket: {json.dumps(influx.bucket)}) |> range(start: -1h) "
            f'|> filter(fn: (r) => r._measurement == "{measurement}")'
        )
    return sorted(float(row["_value"]) for row in rows)


def points(measurement: str, numbers: range) -> list[str]:
    now_ms = round(time.time() * 1000)
    return [f"{measurement} value={number} {now_ms + number}" for number in numbers]


def token_that_may(influx: Influx, *actions: str) -> str:
    """A token for the bucket that may do this and nothing else."""
    with InfluxDBClient(influx.url, influx.token, org=influx.org) as client:
        org = client.organizations_api().find_organizations(org=influx.org)[0]
        bucket = client.buckets_api().find_bucket_by_name(influx.bucket)
        resource = PermissionResource(id=bucket.id, type="buckets", org_id=org.id)
        permissions = [Permission(action=action, resource=resource) for action in actions]
        return str(client.authorizations_api().create_authorization(org.id, permissions=permissions).token)


def test_a_bucket_that_gives_back_what_it_takes_is_well(influxd: InfluxServer) -> None:
    probe(influxd.influx)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"token": "wrong"}, r"does not know the token; set HOTPATH_INFLUX_TOKEN"),
        ({"bucket": "nowhere"}, r"has no bucket 'nowhere' .*HOTPATH_INFLUX_BUCKET"),
        ({"org": "nobody"}, r"has no bucket 'hotpath' of organisation 'nobody'.*HOTPATH_INFLUX_ORG"),
    ],
)
def test_a_wrong_setting_is_told_in_words(influxd: InfluxServer, change: dict[str, str], told: str) -> None:
    with pytest.raises(InfluxUnfit, match=told):
        probe(replace(influxd.influx, **change))


def test_a_token_that_may_only_write_is_told_in_words(influxd: InfluxServer) -> None:
    only_writes = replace(influxd.influx, token=token_that_may(influxd.influx, "write"))
    with pytest.raises(InfluxUnfit, match=r"does not let the token read bucket 'hotpath' .* may only write"):
        probe(only_writes)
    probe(replace(influxd.influx, token=token_that_may(influxd.influx, "write", "read")))


def test_a_token_that_may_only_read_is_told_in_words(influxd: InfluxServer) -> None:
    only_reads = replace(influxd.influx, token=token_that_may(influxd.influx, "read"))
    with pytest.raises(InfluxUnfit, match="does not let the token write to bucket 'hotpath'"):
        probe(only_reads)


def test_points_that_it_will_never_take_are_told_apart(influxd: InfluxServer) -> None:
    with InfluxClient(influxd.influx) as client:
        with pytest.raises(PointsRefused, match="400"):
            client.write(b"no line protocol\n")
        client.write(f"clash value=1 {round(time.time() * 1000)}\n".encode())
        with pytest.raises(PointsRefused, match="422"):
            client.write(f'clash value="text" {round(time.time() * 1000)}\n'.encode())


def test_a_server_that_answers_and_drops_everything_is_told_in_words() -> None:
    """As Debian's 1.6.7 does: health answers, writes find no page."""

    class Old(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(404)
            self.end_headers()
            self.wfile.write(b"404 page not found\n")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Old) as old:
        threading.Thread(target=old.serve_forever).start()
        with pytest.raises(InfluxUnfit, match=r"older than 1\.8 and knows no v2 interface"):
            probe(Influx(f"http://127.0.0.1:{old.server_port}", "o", "b", "t"))
        old.shutdown()


def test_an_outage_loses_no_point(tmp_path: Path) -> None:
    own = server(tmp_path)
    spool = PointSpool(tmp_path / "points", 10**8)
    writer = InfluxWriter(own.influx, spool)
    with pytest.raises(InfluxAway):
        probe(own.influx)
    threading.Thread(target=writer.run, daemon=True).start()
    writer.add(points("outage", range(10)))
    with own.run():
        until(lambda: values(own.influx, "outage") == list(range(10)), 30, "the points of before it started")
    writer.add(points("outage", range(10, 20)))
    writer.add(["refused: no line protocol"])
    writer.add(points("outage", range(20, 12_000)))
    assert len(spool.files()) >= 4
    with own.run():
        until(lambda: len(values(own.influx, "outage")) == 12_000, 60, "the points of the outage")
        until(lambda: not spool.files(), 10, "an empty spool")
        writer.add(points("outage", range(12_000, 12_001)))
        until(lambda: len(values(own.influx, "outage")) == 12_001, 30, "what comes after it")
