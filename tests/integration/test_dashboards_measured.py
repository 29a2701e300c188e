"""Every query of the dashboards and rules against what the running stack has written; those of faults apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.layout import Influx
from monitoring.grafana.all_dashboards import ANNOTATIONS, SPECS, VARIABLES
from monitoring.influx.influx_client import InfluxClient
from tests.integration.conftest import RunningStack
from tests.monitoring.grafana.sent_queries import Sent, of_rules
from tests.waiting import until

pytestmark = pytest.mark.engines
HOURS = 6.0
OUTCOMES_WITHIN_S = 900
"""Realised figures wait for labels of both kinds, and the tables' upkeep for ten minutes."""


def asked_in_an_ordinary_run() -> Iterator[Sent]:
    """All that needs no fault."""
    for uid, spec in SPECS.items():
        for panel in spec.panels:
            for query in panel.queries:
                if not query.only_by_fault:
                    yield Sent(f"{uid}: {panel.title}", query.flux(spec.variables))
    yield from (Sent(name, events.flux(())) for name, _, events in ANNOTATIONS if not events.only_by_fault)
    yield from of_rules()


def values_of_variables(client: InfluxClient, influx: Influx) -> Mapping[str, Sequence[str]]:
    """What a person could choose."""
    asked = {name: Sent(name, values.flux()) for name, values in VARIABLES.items()}
    now = datetime.now(UTC)
    found = {name: client.query(sent.replaced(influx.bucket, now, {})) for name, sent in asked.items()}
    return {name: [str(row["_value"]) for row in rows] for name, rows in found.items()}


@pytest.mark.ends
@pytest.mark.patient
@pytest.mark.timeout(1800)
def test_every_query_gives_rows_in_a_stack_that_is_well(stack: RunningStack) -> None:
    influx = stack.places.influx
    if influx is None:
        pytest.skip("there is no influxd")
    lacking: list[str] = []
    with InfluxClient(influx) as client:

        def rows(sent: Sent, chosen: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
            return client.query(sent.replaced(influx.bucket, datetime.now(UTC), chosen, HOURS))

        def all_give_rows() -> bool:
            nonlocal lacking
            chosen = values_of_variables(client, influx)
            lacking = [name for name in chosen if not chosen[name]]
            lacking += [sent.of for sent in asked_in_an_ordinary_run() if not rows(sent, chosen)]
            return not lacking

        try:
            until(all_give_rows, OUTCOMES_WITHIN_S, "rows of every query", every_s=10)
        except TimeoutError as error:
            raise AssertionError(f"no rows of: {lacking}") from error
        chosen = values_of_variables(client, influx)
        assert "flights" in chosen["pipeline"]
        for sent in asked_in_an_ordinary_run():
            numbers = [row["_value"] for row in rows(sent, chosen) if isinstance(row.get("_value"), float)]
            assert all(math.isfinite(number) for number in numbers), sent.of
