"""The one place that talks to InfluxDB; what goes wrong is told in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, cast

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from contract.layout import Influx
from contract.variables import INFLUX_BUCKET, INFLUX_ORG, INFLUX_TOKEN, INFLUX_URL

TIMEOUT_MS: Final = 10_000


class InfluxError(Exception):
    """InfluxDB did not do what it was asked; the message says what it was, and the remedy."""


class InfluxAway(InfluxError):
    """It does not answer, or is overloaded: the same call may succeed later."""


class InfluxUnfit(InfluxError):
    """It answers, and no call succeeds until somebody changes a setting."""


class PointsRefused(InfluxError):
    """It will never take these points; others it may."""


class InfluxClient:
    """One bucket. Points are lines of line protocol, with times in milliseconds."""

    def __init__(self, influx: Influx) -> None:
        self._influx = influx
        self._client = InfluxDBClient(
            influx.url, influx.token, org=influx.org, timeout=TIMEOUT_MS, retries=Retry(0), enable_gzip=True
        )
        self._write = self._client.write_api(write_options=SYNCHRONOUS)

    def __enter__(self) -> InfluxClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def write(self, lines: bytes) -> None:
        """Write points.

        Raises:
            InfluxError: one of its three kinds.
        """
        with self._in_words("write to"):
            self._write.write(self._influx.bucket, self._influx.org, lines, cast(WritePrecision, WritePrecision.MS))

    def query(self, flux: str) -> list[dict[str, Any]]:
        """The rows of a Flux query.

        Raises:
            InfluxAway, InfluxUnfit.
        """
        with self._in_words("read from"):
            tables = self._client.query_api().query(flux, self._influx.org)
        return [record.values for table in tables for record in table.records]

    @contextmanager
    def _in_words(self, act: str) -> Iterator[None]:
        try:
            yield
        except ApiException as error:
            raise _error_of(error, act, self._influx) from error
        except (HTTPError, OSError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise InfluxAway(f"InfluxDB at {self._influx.url} does not answer ({reason})") from error


def _error_of(error: ApiException, act: str, influx: Influx) -> InfluxError:
    at, said = f"InfluxDB at {influx.url}", _said(error)
    where = f"bucket {influx.bucket!r} of organisation {influx.org!r}"
    if error.status == 401:
        return InfluxUnfit(f"{at} does not know the token; set {INFLUX_TOKEN.name} to one that may read and write")
    if error.status == 403:
        return InfluxUnfit(f"{at} does not let the token {act} {where}; set {INFLUX_TOKEN.name} to one that may")
    if error.status == 404 and act == "write to":
        return InfluxUnfit(
            f"{at} has no {where}, or is older than 1.8 and knows no v2 interface ({said}); "
            f"look at {INFLUX_URL.name}, {INFLUX_ORG.name} and {INFLUX_BUCKET.name}"
        )
    if error.status == 404:
        return InfluxUnfit(
            f"{at} took points, and does not let the token read {where}: a token that may only write gets this answer; "
            f"set {INFLUX_TOKEN.name} to one that may read as well"
        )
    if error.status in (400, 413, 422):
        return PointsRefused(f"{at} refuses points ({error.status}: {said})")
    return InfluxAway(f"{at} answered {error.status}: {said}")


def _said(error: ApiException) -> str:
    body = error.body if isinstance(error.body, str) else (error.body or b"").decode("utf-8", "replace")
    return (body or str(error.reason)).strip()[:200]
