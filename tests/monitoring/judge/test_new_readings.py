"""What was not judged before there were alerts by name: silence of topics, latency, engines, disks, drift, figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contract import metrics
from contract.metric_types import bucket_name
from contract.restarts import Restart
from monitoring.collect.provisional import NewestAnswers
from monitoring.collect.scrape import Snapshot
from monitoring.judge.alert_rules import Judged, rules_of, stack_rules
from monitoring.judge.measures import judge_pipeline, judge_stack
from monitoring.judge.model_health import OfLevel, Realised
from monitoring.judge.outcome_follower import Found
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StackInputs, StageInputs
from monitoring.judge.trust_inputs import TrustInputs
from tests.monitoring.judge.looks import OWN, PIPELINE, START_S, Looks
from training.evaluation.confidence_intervals import Interval

PLAIN = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, alerts=()))


def judged(look: StageInputs, alert: str) -> list[Judged]:
    return [each for each in judge_pipeline(rules_of(look.pipeline), look) if each.rule.name == alert]


def reading(look: StageInputs, alert: str) -> Reading:
    (found,) = judged(look, alert)
    assert found.reading is not None
    return found.reading


def look_at(looks: Looks, **more: Any) -> StageInputs:
    now = looks.snapshot()
    looks.windows.update(now)
    return StageInputs(PLAIN, None, now, None, looks.windows, looks.stillness, **more)


def stream(looks: Looks, minutes: int, labels_per_s: float, until_s: float | None = None) -> None:
    """Labels come for so many minutes, questions go on until `until_s` after them."""
    looks.start("streaming")
    for step in range(minutes * 6 + round((until_s or 0) / 10)):
        looks.now_s += 10
        questions = looks.figures.get(("streaming", "hotpath_streaming_records_total", _labels("events")), 0.0)
        looks.set(metrics.STREAM_RECORDS, questions + 200, table="events", **OWN)
        if step < minutes * 6:
            labels = looks.figures.get(("streaming", "hotpath_streaming_records_total", _labels("labels")), 0.0)
            looks.set(metrics.STREAM_RECORDS, labels + 10 * labels_per_s, table="labels", **OWN)
        looks.set(metrics.STREAM_CAUGHT_UP_TO_SECONDS, looks.now_s - 2, **OWN)
        looks.windows.update(looks.snapshot())


def _labels(table: str) -> tuple[tuple[str, str], ...]:
    return (("pipeline", "flights"), ("table", table))


@pytest.mark.parametrize(
    ("minutes", "per_s", "silent_s", "finding"),
    [
        (10, 2.0, 0, "good"),
        (10, 2.0, 10, "no_data"),  # 20 are expected, and 30 is the minimum
        (10, 2.0, 60, "bad"),
        (10, 0.1, 60, "no_data"),  # 6 in a minute: nobody can tell
        (2, 2.0, 60, "no_data"),  # no rhythm is known yet
    ],
)
def test_labels_that_stop_are_told_once_so_many_are_missing_that_it_is_no_chance(
    minutes: int, per_s: float, silent_s: float, finding: str
) -> None:
    looks = Looks()
    stream(looks, minutes, per_s, silent_s)
    (found,) = judged(look_at(looks), "no_labels")
    assert found.finding == finding
    assert [each.finding for each in judged(look_at(looks), "no_traffic")] == ["good"], "questions go on"


def test_a_spark_job_that_stands_is_no_silence_of_the_labels() -> None:
    looks = Looks()
    stream(looks, 10, 2.0)
    looks.now_s += 300
    assert reading(look_at(looks), "no_labels").value < 20


def test_labels_that_come_again_are_well() -> None:
    looks = Looks()
    stream(looks, 10, 2.0, 60)
    stream(looks, 1, 2.0)
    assert [each.finding for each in judged(look_at(looks), "no_labels")] == ["good"]


def test_the_slowest_answers_of_two_minutes_are_told() -> None:
    looks = Looks()
    looks.start("scorers-1")
    name = bucket_name(metrics.REQUEST_SECONDS)
    for bound, count in (("0.1", 900.0), ("0.5", 1000.0), ("+Inf", 1000.0)):
        looks.figures["scorers-1", name, (("le", bound), ("pipeline", "flights"))] = count
    slow = reading(look_at(looks), "scorer_latency")
    assert (round(slow.value, 2), slow.count) == (0.46, 1000.0)
    looks.now_s += 130
    assert judged(look_at(looks), "scorer_latency")[0].finding == "no_data"


def stack(looks: Looks, alert: str, **more: Any) -> list[Judged]:
    whole = StackInputs(looks.snapshot(), **more)
    return [each for each in judge_stack(stack_rules([PLAIN]), whole) if each.rule.name == alert]


def test_an_engine_that_does_not_answer_is_bad_and_one_that_may_be_starting_is_not_known() -> None:
    looks = Looks()
    for engine, answers in (("kafka-cloud", 0), ("hdfs", 0), ("h2o", 1), ("host", 0)):
        looks.set(metrics.ENGINE_ANSWERS, answers, part="monitor", engine=engine)
    found = {each.item: each.finding for each in stack(looks, "engine_down", may_be_starting={"hdfs"})}
    assert found == {"kafka-cloud": "bad", "hdfs": "unknown", "h2o": "good"}


def test_a_part_that_was_killed_is_told_for_a_minute_with_what_ended_it() -> None:
    looks = Looks(restarts=[Restart("kafka-cloud", START_S - 5, "was killed by signal 9")])
    (found,) = stack(looks, "part_ended", restarts=looks.restarts)
    assert found.reading is not None
    assert found.reading.text == "kafka-cloud ended 5 s ago and was started again: it was killed by signal 9"
    looks.now_s += 56
    assert [each.finding for each in stack(looks, "part_ended", restarts=looks.restarts)] == ["no_data"]


def test_a_disk_that_is_nearly_full_is_told() -> None:
    looks = Looks()
    looks.set(metrics.HOST_FREE_DISK_BYTES, 1e9, part="monitor")
    looks.set(metrics.HDFS_REMAINING_BYTES, 3e9, part="monitor")
    looks.set(metrics.HDFS_CAPACITY_BYTES, 9e9, part="monitor")
    assert [each.finding for each in stack(looks, "disk")] == ["bad"]
    assert [each.finding for each in stack(looks, "hdfs_space")] == ["good"]


def test_an_hdfs_whose_datanodes_have_not_come_yet_is_not_full() -> None:
    looks = Looks()
    for metric in (metrics.HDFS_CAPACITY_BYTES, metrics.HDFS_REMAINING_BYTES):
        looks.set(metric, 0, part="monitor")
    assert [each.finding for each in stack(looks, "hdfs_space")] == ["no_data"]


@pytest.mark.parametrize("history", ["influxdb", "graphite"])
def test_a_history_is_judged_where_there_is_one(history: str) -> None:
    alert = {"influxdb": "influx_down", "graphite": "graphite_down"}[history]

    def findings(**unwritten: str | None) -> list[str]:
        return [each.finding for each in stack(Looks(), alert, unwritten=unwritten)]

    assert findings() == ["no_data"]
    assert findings(**{history: None}) == ["good"]
    assert findings(**{history: "401"}) == ["bad"]


def test_a_feature_that_drifts_is_named_with_its_index() -> None:
    looks = Looks()
    for feature, alarm in (("distance", 0.0), ("wind", 1.0)):
        looks.set(metrics.DRIFT_ALARM, alarm, part="monitor", feature=feature, **OWN)
        looks.set(metrics.DRIFT_PSI, 0.3, part="monitor", feature=feature, **OWN)
    found = {each.item: each for each in judged(look_at(looks), "drift")}
    assert {item: each.finding for item, each in found.items()} == {"distance": "good", "wind": "bad"}
    assert found["wind"].reading is not None
    assert found["wind"].reading.text == "the feature wind is distributed otherwise than it used to be (PSI 0.30)"


@pytest.mark.parametrize(("answers", "different", "finding"), [(40, 1, "bad"), (20, 1, "no_data"), (40, 2, "good")])
def test_one_answer_to_every_question_is_told_of_the_serving_version(
    answers: int, different: int, finding: str
) -> None:
    newest = {"m": NewestAnswers(answers, different), "older": NewestAnswers(40, 1)}
    seen = TrustInputs("m", 1.0, None, {})
    look = StageInputs(PLAIN, None, Snapshot(0.0), seen=seen, found=Found(newest_answers=newest))
    assert [each.finding for each in judged(look, "constant_answers")] == [finding]


def realised(auc: float, positives: int = 40) -> Realised:
    figures = {name: Interval(auc, auc - 0.05, auc + 0.05) for name in ("auc", "log_loss", "f1")}
    return Realised(0, 60, auc, 0.4, 200, positives, "m", figures)


def test_each_level_of_a_slice_is_an_alert_of_its_own_and_one_level_can_be_named() -> None:
    by_slice = [
        OfLevel("origin", "JFK", realised(0.5)),
        OfLevel("origin", "EWR", realised(0.7)),
        OfLevel("carrier", "UA", realised(0.4)),
    ]
    look = StageInputs(PIPELINE, None, Snapshot(0.0), found=Found(by_slice=by_slice))
    found = {each.item: each.finding for each in judged(look, "origin_auc")}
    assert found == {"origin=JFK": "inconclusive", "origin=EWR": "good"}, "the example's own alert, below 0.55"
    (own,) = (each for each in PIPELINE.monitoring.alerts if each.name == "origin_auc")
    one = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, alerts=(replace(own, slice="origin=JFK"),)))
    assert {each.item for each in judged(replace(look, pipeline=one), "origin_auc")} == {"origin=JFK"}


def test_where_more_outcomes_are_asked_for_than_the_newest_hold_the_serving_versions_count() -> None:
    (own,) = (each for each in PIPELINE.monitoring.alerts if each.name == "origin_auc")
    many = replace(own, slice=None, minimum=100)
    pipeline = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, alerts=(many,)))
    seen = TrustInputs("m", 1.0, realised(0.5), {})
    look = StageInputs(
        pipeline, None, Snapshot(0.0), seen=seen, found=Found(by_model={"m": realised(0.7, positives=100)})
    )
    assert reading(look, "origin_auc").value == 0.7
    assert reading(replace(look, found=Found()), "origin_auc").value == 0.5
    assert judged(replace(look, found=Found()), "origin_auc")[0].finding == "no_data"
