"""Events on their way to InfluxDB: each once, with its own moment, also when the monitor starts again in between."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from contract import metrics
from contract.measurements import EVENTS
from monitoring.judge.event_points import EventPoints
from monitoring.judge.stage import Problem
from tests.monitoring.judge.looks import OWN, START_S, Looks

CHAMPION = {**OWN, "model": "flights-1", "who": "rollout", "reason": "newer than the champion"}
AHEAD = Problem("clock_ahead:ops-1", "the clock of ops-1 is 3 h ahead", "")
BEHIND = Problem("clock_behind:ops-2", "the events of ops-2 come 9 min later", "")


def told(events: EventPoints, looks: Looks, *problems: Problem) -> list[str]:
    """A look, and the lines that come of it, without the measurement and the pipeline."""
    events.take(looks.snapshot(), {"flights": problems, "": [AHEAD]})
    lines = [cast(str, point.to_line_protocol()) for point in events.points()]
    assert all(line.startswith(f"{EVENTS.name},") and ",pipeline=flights" in line for line in lines)
    return [line.removeprefix(f"{EVENTS.name},").replace(",pipeline=flights", "") for line in lines]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.json"


def test_a_switch_is_told_once_at_its_own_moment_with_who_and_why(file: Path) -> None:
    looks, events = Looks(), EventPoints(file)
    looks.set(metrics.CHAMPION_SINCE, START_S - 5, "rollout-flights", **CHAMPION)
    expected = 'kind=switch,model=flights-1 text="flights-1 serves, by rollout: newer than the champion"'
    assert told(events, looks) == [f"{expected} {round(START_S - 5) * 1000}"]
    assert told(events, looks) == []
    assert told(EventPoints(file), looks) == [], "a monitor that starts again knows it"
    looks.figures.clear()
    assert told(events, looks) == [], "a rollout that is silent for a look has switched nothing"
    looks.set(metrics.CHAMPION_SINCE, START_S - 5, "rollout-flights", **CHAMPION)
    assert told(events, looks) == []


def test_what_nobody_took_is_told_by_the_monitor_that_starts_next(file: Path) -> None:
    looks, events = Looks(), EventPoints(file)
    looks.set(metrics.CHAMPION_SINCE, START_S, "rollout-flights", **CHAMPION)
    events.take(looks.snapshot(), {"flights": []})
    assert len(told(EventPoints(file), looks)) == 1


def test_a_rejection_says_why(file: Path) -> None:
    looks, events = Looks(), EventPoints(file)
    why = 'not proposed: auc 0.51 is below its floor 0.6, "as it were"'
    looks.set(metrics.REJECTED_SINCE, START_S, "rollout-flights", **OWN, model="flights-2", reason=why)
    (line,) = told(events, looks)
    assert line.startswith('kind=rejection,model=flights-2 text="flights-2 is rejected: not proposed: auc 0.51')


def test_a_pin_is_told_again_only_when_it_is_another(file: Path) -> None:
    looks, events = Looks(), EventPoints(file)
    pin = {**OWN, "model": "flights-1", "who": "ann"}
    looks.set(metrics.MODEL_PINNED, START_S, "rollout-flights", **pin)
    assert 'text="flights-1 is pinned by ann: newer models wait"' in told(events, looks)[0]
    assert told(events, looks) == []
    looks.figures.clear()
    assert told(events, looks) == []
    looks.set(metrics.MODEL_PINNED, START_S + 60, "rollout-flights", **pin)
    assert len(told(events, looks)) == 1


def test_each_failed_training_run_is_told_and_a_good_one_is_not(file: Path) -> None:
    looks, events = Looks(), EventPoints(file)
    looks.set(metrics.TRAINING_FAILING, 1, "trainer", **OWN, reason="H2O is away")
    found = []
    for failures in (0, 1, 1, 2, 0, 1):
        looks.set(metrics.TRAINING_FAILURES, failures, "trainer", **OWN)
        found.append([line.partition('"')[2].partition('"')[0] for line in told(events, looks)])
    one, two = ["a training run failed: H2O is away"], ["a training run failed (2 in a row): H2O is away"]
    assert found == [[], one, [], two, [], one]


def test_a_loss_is_told_and_its_acknowledgement_is_not(file: Path) -> None:
    looks, events = Looks(), EventPoints(file)
    found = []
    for losses in (0, 1, 3, 2, 0):
        looks.set(metrics.LOSSES_UNACKNOWLEDGED, losses, **OWN)
        found.append([line.partition('"')[2].partition(":")[0] for line in told(events, looks)])
    assert found == [[], ["records were lost"], ["records were lost 2 times"], [], []]


def test_a_clock_names_its_host_and_is_told_again_after_it_was_right(file: Path) -> None:
    looks, events = Looks(), EventPoints(file)
    looks.set(metrics.CLOCK_OFFSET_SECONDS, -3.0, **OWN, host="ops-1")
    first = told(events, looks, AHEAD, BEHIND, Problem("model_age", "no clock", ""))
    assert [line.partition(" ")[0] for line in first] == ["host=ops-1,kind=clock_alert", "host=ops-2,kind=clock_alert"]
    assert told(events, looks, AHEAD) == []
    assert len(told(events, looks, AHEAD, BEHIND)) == 1
    looks.figures.clear()
    assert told(events, looks) == [], "nobody shows offsets, so nothing is known of clocks"
    looks.set(metrics.CLOCK_OFFSET_SECONDS, -3.0, **OWN, host="ops-1")
    assert told(events, looks, AHEAD, BEHIND) == []


def test_a_damaged_file_is_replaced(file: Path) -> None:
    file.write_bytes(b"{")
    looks = Looks()
    looks.set(metrics.CHAMPION_SINCE, START_S, "rollout-flights", **CHAMPION)
    assert len(told(EventPoints(file), looks)) == 1
    assert told(EventPoints(file), looks) == []
