"""Every engine killed with -9, one after the other: answers go on, and the loop closes again by itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from streaming.pipeline_file.load import load
from tests.integration.conftest import RunningStack
from tests.integration.test_alerts import message, moment_s
from tests.integration.test_cut_off import asked, scorer_of
from tests.integration.test_models import champion
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.restarts]

ENGINES = (
    "kafka-cloud", "mirror", "namenode", "datanode", "secondarynamenode", "h2o", "streaming", "kafka-onprem",
)  # fmt: skip


def killed(stack: RunningStack, engine: str, since_s: float) -> dict[str, Any] | None:
    """The message that names it: that it ended, or that it is away, in which that is listed."""
    ended = message(stack, "part_ended", since_s=since_s, item=engine)
    by_engine = (each for each in list(stack.webhook.taken) if moment_s(each["when"]) >= since_s)
    return ended or next((each for each in by_engine if f"part_ended:{engine}" in str(each["explains"])), None)


def test_a_newer_model_serves_after_every_engine_was_killed(stack: RunningStack) -> None:
    pipeline = load(stack.places.pipelines / "flights.toml")
    began_s: dict[str, float] = {}
    with scorer_of(stack) as client:
        for engine in ENGINES:
            began_s[engine] = time.time()
            stack.kill_part(engine)
            asked(client, pipeline)
        alive = f"flights-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        until(lambda: champion(stack) > alive, 300, "a model that was trained after the last kill")
        asked(client, pipeline)
    for engine in ENGINES:
        told = until(partial(killed, stack, engine, began_s[engine]), 60, f"a message that {engine} was killed")
        print(f"{engine}: told {moment_s(told['when']) - began_s[engine]:.0f} s after it was killed")
    stack.until_well(120)
