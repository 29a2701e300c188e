"""The first line says whether the model can be trusted, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.pipeline import Pipeline
from monitoring.alerts.alert_entry import problems_of
from monitoring.collect.scrape import Snapshot
from monitoring.judge import trust
from monitoring.judge.alert_rules import rules_of
from monitoring.judge.model_health import Realised
from monitoring.judge.stage import Problem, StageInputs
from monitoring.judge.trust_inputs import Pin, TrustInputs
from streaming.pipeline_file.load import load
from tests.monitoring.judge.looks import bad
from training.evaluation.confidence_intervals import Interval

PIPELINE = load(Path(__file__).parents[3] / "examples/flights/pipeline.toml")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def reasons_against(pipeline: Pipeline, seen: TrustInputs) -> list[Problem]:
    """What speaks against the model, as far as it is seen."""
    against = {rule.name for rule in rules_of(pipeline) if rule.is_against_model}
    entries = bad(StageInputs(pipeline, None, Snapshot(0.0), seen=seen))
    return [problem for _, problem in problems_of(entry for entry in entries if entry.alert in against)]


def verdict(pipeline: Pipeline, seen: TrustInputs, trouble: str | None = None) -> trust.Verdict:
    return trust.verdict(seen, reasons_against(pipeline, seen), trouble)


def first_line(pipeline: Pipeline, seen: TrustInputs, trouble: str | None = None) -> str:
    return trust.first_line(pipeline, seen, reasons_against(pipeline, seen), trouble)


def realised(auc: float) -> Realised:
    figures = {"auc": Interval(auc, auc - 0.05, auc + 0.05), "log_loss": Interval(0.4, 0.35, 0.45)}
    return Realised(0, 60, auc, 0.4, 200, 50, "flights-1", figures)


def test_the_first_line_says_who_pinned_which_version_and_since_when() -> None:
    seen = TrustInputs("flights-1", 600.0, None, {}, Pin("flights-1", "ann", 86_400.0))
    assert first_line(PIPELINE, seen).endswith(
        "flights-1 is pinned by ann since 1970-01-02 00:00:00 UTC: newer models wait."
    )


def test_a_fresh_model_above_its_floor_can_be_trusted() -> None:
    seen = TrustInputs("flights-1", 600.0, realised(0.8), {"ops-1": 0.1})
    assert reasons_against(PIPELINE, seen) == []
    assert "can be trusted now: realised AUC 0.800 over the last 200 outcomes, 10 min old" in first_line(PIPELINE, seen)


def test_without_enough_outcomes_the_line_says_so_and_nothing_fires() -> None:
    seen = TrustInputs("flights-1", 600.0, None, {})
    assert reasons_against(PIPELINE, seen) == []
    assert verdict(PIPELINE, seen) == "not_known"
    assert first_line(PIPELINE, seen) == (
        f"{PIPELINE.name}: not known yet whether the model can be trusted: flights-1 answers, 10 min old; "
        "too few outcomes yet to say how well."
    )


def test_while_something_is_broken_nobody_knows_whether_figures_still_hold() -> None:
    seen, trouble = TrustInputs("flights-1", 600.0, realised(0.8), {}), "mirror: the mirror is 90 s behind"
    assert verdict(PIPELINE, seen) == "trusted"
    assert verdict(PIPELINE, seen, trouble) == "not_known"
    said = f"not known yet whether the model can be trusted: {trouble}; realised AUC 0.800"
    assert said in first_line(PIPELINE, seen, trouble)
    below = replace(seen, realised=realised(0.5))
    assert verdict(PIPELINE, below, trouble) == "not_trusted", "a reason against stands whatever is broken"
    assert "do not trust" in first_line(PIPELINE, below, trouble)


@pytest.mark.parametrize(
    ("seen", "code", "words"),
    [
        (TrustInputs(None, None, None, {}), "no_model", "no model has been admitted yet"),
        (TrustInputs("m", 3601.0, None, {}), "model_age", "the model is 60 min old, the limit is 60 min"),
        (
            TrustInputs("m", 1.0, realised(0.5), {}),
            "auc",
            "realised AUC 0.500 (90 % interval 0.450 to 0.550) over 200 outcomes, the floor is 0.6",
        ),
        (TrustInputs("m", 1.0, None, {"ops-1": -60.0}), "clock_ahead:ops-1", "the clock of ops-1 is 60 s ahead"),
    ],
)
def test_every_reason_is_named(seen: TrustInputs, code: str, words: str) -> None:
    assert [reason.code for reason in reasons_against(PIPELINE, seen)] == [code]
    assert words in first_line(PIPELINE, seen)
    assert "do not trust" in first_line(PIPELINE, seen)


def test_many_wrong_clocks_are_one_reason_and_names_are_made_printable() -> None:
    many = {f"host-{number}": -60.0 - number for number in range(1500)}
    seen = TrustInputs("m", 1.0, None, many)
    (reason,) = reasons_against(PIPELINE, seen)
    assert reason.code == "clock_ahead"
    assert reason.text.startswith("the clock of host-1499 is 26 min ahead; and 1499 more: host-0, host-1, host-10")
    hostile = TrustInputs("m", 1.0, None, {"a\x1b[31m\0\n" + "x" * 250: -60.0})
    line = first_line(PIPELINE, hostile)
    assert r"the clock of a\x1b[31m\x00\n" in line
    assert line.isprintable()
    assert len(line) < 200


def test_a_figure_beyond_its_floor_by_less_than_chance_is_no_reason() -> None:
    floors = {"auc": 0.6, "log_loss": 0.36, "f1": 0.5}
    strict = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, floors=floors))

    def codes(**figures: Interval) -> list[str]:
        usual = {**realised(0.7).figures, "f1": Interval(0.6, 0.5, 0.7)}
        given = replace(realised(0.7), figures={**usual, **figures})
        return [reason.code for reason in reasons_against(strict, TrustInputs("m", 1.0, given, {}))]

    assert codes() == []
    assert codes(auc=Interval(0.58, 0.55, 0.6), log_loss=Interval(0.4, 0.36, 0.5)) == []
    assert codes(auc=Interval(0.58, 0.57, 0.599)) == ["auc"]
    assert codes(log_loss=Interval(0.38, 0.361, 0.4)) == ["log_loss"]
    assert codes(f1=Interval(0.4, 0.3, 0.49), auc=Interval(0.5, 0.4, 0.55)) == ["auc", "f1"]


def test_a_log_loss_has_a_ceiling_and_the_reason_says_so() -> None:
    strict = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, floors={"log_loss": 0.3}))
    (reason,) = reasons_against(strict, TrustInputs("m", 1.0, realised(0.8), {}))
    assert reason.text == "realised log loss 0.400 (90 % interval 0.350 to 0.450) over 200 outcomes, the ceiling is 0.3"


def test_a_model_is_too_old_by_the_monitorings_own_limit_else_by_that_of_answers() -> None:
    seen = TrustInputs("m", 1801.0, None, {})
    own = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, max_model_age=timedelta(minutes=30)))
    none = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, max_model_age=None))
    assert [reason.code for reason in reasons_against(own, seen)] == ["model_age"]
    assert reasons_against(none, seen) == []
    assert [reason.code for reason in reasons_against(none, replace(seen, model_age_s=3601.0))] == ["model_age"]


def test_an_offset_within_the_tolerance_is_no_alarm() -> None:
    assert reasons_against(PIPELINE, TrustInputs("m", 1.0, None, {"ops-1": -4.9})) == []
    assert reasons_against(PIPELINE, TrustInputs("m", 1.0, None, {"ops-1": 60.0})) == [], (
        "its events come late, no more"
    )
