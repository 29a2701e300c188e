"""Every engine killed with -9, one after the other: answers go on, and the loop closes again by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streaming.pipeline_file.load import load
from tests.integration.conftest import RunningStack
from tests.integration.test_cut_off import asked, scorer_of
from tests.integration.test_models import champion
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.restarts]

ENGINES = (
    "kafka-cloud", "mirror", "namenode", "datanode", "secondarynamenode", "h2o", "streaming", "kafka-onprem",
)  # fmt: skip


def test_a_newer_model_serves_after_every_engine_was_killed(stack: RunningStack) -> None:
    pipeline = load(stack.places.pipelines / "flights.toml")
    with scorer_of(stack) as client:
        for engine in ENGINES:
            stack.kill_part(engine)
            asked(client, pipeline)
        alive = f"flights-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        until(lambda: champion(stack) > alive, 300, "a model that was trained after the last kill")
        asked(client, pipeline)
    stack.until_well(120)
