"""Golden requests: real events whose answers H2O has given, asked of a scorer at its own socket before it serves."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from serving.candidates.h2o_equality import Difference, probability_difference
from serving.golden_header import GOLDEN_HEADER

GOLDEN_ROWS: Final = 50
_TIMEOUT_S: Final = 10.0


class GoldenError(Exception):
    """The scorer does not answer as H2O does; the message names the first row that differs, and how."""


class NotReady(Exception):
    """The scorer does not answer at its socket, or says that it is not ready."""


def try_golden(unix_socket: Path, pipeline: str, reference: Path) -> int:
    """Ask every golden request; how many there were.

    Raises:
        NotReady: the scorer is not up.
        GoldenError: an answer differs, or the reference rows are gone, damaged, or hold no golden request to ask.
        OSError: the reference rows cannot be read now.
    """
    rows = _golden_rows(reference)
    if not rows:
        raise GoldenError(f"{reference} has no row with an event among its first {GOLDEN_ROWS}")
    transport = httpx.HTTPTransport(uds=str(unix_socket), verify=False)  # else it reads all certificates first
    with httpx.Client(transport=transport, timeout=_TIMEOUT_S) as client:
        try:
            if (ready := client.get("http://scorer/health/ready")).status_code != 200:
                raise NotReady(f"{unix_socket.name} is not ready: {ready.status_code} {ready.text[:200]}")
            for number, row in enumerate(rows):
                difference = _difference(row, _ask(client, pipeline, row))
                if difference:
                    raise GoldenError(f"golden request {number} of {reference.parent.name}: {difference}")
        except httpx.TransportError as error:
            raise NotReady(f"{unix_socket.name} does not answer: {error}") from error
    return len(rows)


def is_live(unix_socket: Path, timeout_s: float) -> bool:
    """Whether the scorer answers at its own socket, whatever it says."""
    transport = httpx.HTTPTransport(uds=str(unix_socket), verify=False)
    with httpx.Client(transport=transport, timeout=timeout_s) as client:
        try:
            client.get("http://scorer/health/live")
        except httpx.TransportError:
            return False
    return True


def _golden_rows(reference: Path) -> list[dict[str, Any]]:
    try:
        with reference.open("rb") as lines:
            rows = [json.loads(line) for line in islice(lines, GOLDEN_ROWS)]
        return [row for row in rows if row["event"] is not None and row["as_of"] is not None]
    except FileNotFoundError as error:
        raise GoldenError(f"{reference} is not there any more, so nothing shows that it answers as H2O does") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GoldenError(f"{reference} is damaged: {error!r}") from error


def _ask(client: httpx.Client, pipeline: str, row: dict[str, Any]) -> httpx.Response:
    url = f"http://scorer/v1/pipelines/{pipeline}/predict?{urlencode({'as_of': row['as_of']})}"
    return client.post(url, content=json.dumps(row["event"]).encode(), headers={GOLDEN_HEADER: "1"})


def _difference(row: dict[str, Any], response: httpx.Response) -> Difference | str | None:
    if response.status_code != 200:
        return f"the scorer says {response.status_code}: {response.text[:500]}"
    answer = response.json()
    label = "positive" if row["positive"] else "negative"
    if answer["tolerance"] is None and answer["decision"] != label:  # H2O knows the model's own threshold alone
        return Difference("decision", label, answer["decision"])
    return probability_difference(row["probability"], answer["probability"])
