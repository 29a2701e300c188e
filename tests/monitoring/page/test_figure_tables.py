"""Figures with their limits, and slices, as the page and its JSON show them."""

from __future__ import annotations

from dataclasses import replace

from monitoring.judge.model_health import OfLevel, Realised
from monitoring.page.figure_tables import LEVELS_SHOWN, figure_rows, slice_tables
from tests.monitoring.page.test_page_server import PIPELINE, a_view, showing
from training.evaluation.confidence_intervals import Interval

FIGURES = {
    "auc": Interval(0.75, 0.7, 0.8),
    "log_loss": Interval(0.5, 0.45, 0.55),
    "brier": Interval(0.2, 0.15, 0.25),
    "calibration": Interval(1.0, 0.9, 1.1),
}
ONE = Realised(1_795_252_000, 600, 0.75, 0.5, 400, 90, "flights-1", FIGURES)


def said(**floors: float) -> list[tuple[str, str, str]]:
    """Name, limit and what comes of it, of the figures that have a limit."""
    pipeline = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, floors=floors, alerts=()))
    return [(row.name, row.limit, row.said) for row in figure_rows(pipeline, ONE) if row.limit]


def test_a_floor_is_met_by_the_whole_interval_and_missed_by_the_whole_interval() -> None:
    assert said(auc=0.65) == [("AUC", "at least 0.65", "met")]
    assert said(auc=0.75) == [("AUC", "at least 0.75", "inconclusive")]
    assert said(auc=0.85) == [("AUC", "at least 0.85", "not met")]


def test_of_log_loss_and_brier_the_floor_is_a_ceiling() -> None:
    found = said(log_loss=0.6, brier=0.1)
    assert sorted(found) == [("Brier score", "at most 0.1", "not met"), ("log loss", "at most 0.6", "met")]


def test_every_figure_is_shown_those_with_a_limit_first() -> None:
    pipeline = replace(PIPELINE, monitoring=replace(PIPELINE.monitoring, floors={"brier": 0.3}, alerts=()))
    rows = figure_rows(pipeline, ONE)
    assert rows[0].name == "Brier score"
    assert len(rows) == len(FIGURES)
    assert figure_rows(pipeline, None) == []


def test_of_a_slice_the_worst_levels_are_shown_and_the_rest_are_counted() -> None:
    levels = [OfLevel("carrier", f"c{n}", replace(ONE, auc=0.9 - n / 100)) for n in range(LEVELS_SHOWN + 3)]
    carrier, origin = slice_tables([OfLevel("origin", "JFK", ONE), *levels])
    assert (carrier.name, carrier.levels[0].level, carrier.left_out) == ("carrier", f"c{LEVELS_SHOWN + 2}", 3)
    assert (origin.name, len(origin.levels), origin.left_out) == ("origin", 1, 0)


def test_the_page_and_its_json_show_figures_floors_and_slices() -> None:
    view = a_view()
    (pipeline,) = view.pipelines
    view = replace(view, pipelines=[replace(pipeline, slices=[OfLevel("origin", "JFK <b>", ONE)])])
    text = showing(view).answer("/")[2].decode()
    assert "JFK &lt;b&gt;" in text
    assert "0.700 to 0.800" in text
    assert '<polygon class="interval"' in text
    told = view.as_json()["pipelines"][0]
    assert told["slices"][0]["level"] == "JFK <b>"
    assert {row["name"] for row in told["figures"]} >= {"AUC", "log loss"}
