"""A host whose clock is behind the others' is told once it lasts; a slow way of all hosts is none."""

from __future__ import annotations

import pytest

from contract import metrics
from monitoring.alerts.alert_entry import MOST_EACH
from monitoring.judge.clocks_behind import behind_by
from tests.monitoring.judge.looks import OWN, Looks

NEAR = {"a": 0.05, "b": 0.2, "c": 0.1, "d": 0.3}


@pytest.mark.parametrize(
    ("offsets_s", "behind"),
    [
        (NEAR, {}),
        (NEAR | {"wrong": 900.0}, {"wrong"}),
        (NEAR | {"wrong": 4.0}, set()),  # within the tolerance of 5 s
        (NEAR | {"ahead": -900.0, "wrong": 900.0}, {"wrong"}),
        ({host: 40.0 + offset for host, offset in NEAR.items()}, set()),  # a long way, for all of them
        ({"a": 1.0, "b": 20.0, "c": 40.0, "d": 60.0, "e": 80.0}, set()),  # no fleet to stand apart from
        ({"a": 0.1, "b": 0.1, "wrong": 900.0}, set()),  # too few others to say who is wrong
        (NEAR | {"one": 900.0, "two": 1000.0}, {"one", "two"}),
    ],
)
def test_who_stands_apart_from_the_others(offsets_s: dict[str, float], behind: set[str]) -> None:
    assert set(behind_by(offsets_s, 5.0)) == set(behind)


def looks_with(offsets_s: dict[str, float]) -> Looks:
    looks = Looks()
    for host, offset_s in offsets_s.items():
        looks.set(metrics.CLOCK_OFFSET_SECONDS, offset_s, host=host, **OWN)
    return looks


def test_it_is_told_beyond_the_tolerance_and_only_so_long() -> None:
    looks = looks_with(NEAR | {"slow": 4.0})
    assert looks.texts("producers") == [], "within the tolerance of 5 s"
    looks.set(metrics.CLOCK_OFFSET_SECONDS, 900.0, host="slow", **OWN)
    (problem,) = looks.problems("producers")
    assert problem.code == "clock_behind:slow"
    assert problem.text == (
        "the events of slow come 15 min later than those of other hosts: its clock is behind, or it sends late"
    )
    looks.set(metrics.CLOCK_OFFSET_SECONDS, 0.1, host="slow", **OWN)
    assert looks.texts("producers") == []


def test_many_are_told_together() -> None:
    many = {f"slow-{number}": 900.0 + number for number in range(MOST_EACH + 1)}
    looks = looks_with({f"well-{number}": 0.1 for number in range(40)} | many)
    (problem,) = looks.problems("producers")
    assert problem.code == "clock_behind"
    assert problem.text.startswith(f"the events of slow-{MOST_EACH} come 15 min later than those of other hosts")
    assert problem.text.endswith(f"; and {MOST_EACH} more: slow-0, slow-1, slow-2, slow-3, slow-4")
