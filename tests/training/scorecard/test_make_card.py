"""A model's scorecard: what its thresholds, shortfalls and figures say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from contract.pipeline import Costs, Scorecard, Tolerance
from contract.scorecard import Card, ToleranceCard
from tests.training.scorecard.holdouts import parts
from training.evaluation.holdout_metrics import Scored
from training.scorecard.bounds import least_support
from training.scorecard.make_card import make_card

END = datetime(2026, 11, 24, 12, tzinfo=UTC)
COSTS = Costs(false_positive=1.0, false_negative=5.0, abstain=0.2, bound=0.16)


def card_of(tolerance: Tolerance, groups: int = 3000, sharpness: float = 3.0) -> ToleranceCard:
    compare, calibrate = parts(groups, sharpness=sharpness)
    return make_card(compare, calibrate, Scorecard((tolerance,), tolerance.name), END).tolerances[0]


def share_wrong(scored: Scored, card: ToleranceCard) -> float:
    """Of the answers `negative`, those that are wrong."""
    return float(scored.label[scored.probability <= (card.at_most or 0)].mean())


def test_a_bound_on_omissions_gives_a_threshold_below_which_negatives_may_be_trusted() -> None:
    card = card_of(Tolerance("careful", false_omission_rate=0.02))
    assert card.positive is None
    assert card.at_least is None, "a side without a bound abstains"
    assert card.negative is not None
    assert card.at_most == card.negative.threshold is not None
    assert card.negative.level == pytest.approx(0.05)
    assert share_wrong(parts(20_000, seed=9)[1], card) <= 0.02
    rate = card.negative.rates[0]
    assert rate.answer.observed is not None
    assert rate.answer.observed <= rate.answer.upper <= 0.02
    assert rate.entity.upper <= 0.02


def test_two_sides_share_what_may_go_wrong() -> None:
    card = card_of(Tolerance("both", false_discovery_rate=0.1, false_omission_rate=0.05))
    assert card.positive is not None
    assert card.negative is not None
    assert card.positive.level == card.negative.level == pytest.approx(0.025)
    assert card.at_most is not None
    assert card.at_least is not None
    assert card.at_most < card.at_least
    calibrate = parts(3000)[1]
    decided = (calibrate.probability >= card.at_least) | (calibrate.probability <= card.at_most)
    assert card.coverage.share == pytest.approx(decided.mean())
    assert card.coverage.low < decided.mean() < card.coverage.high


def test_what_is_not_attainable_says_in_numbers_what_it_lacks_and_has_no_threshold() -> None:
    card = card_of(Tolerance("strict", false_omission_rate=0.001), groups=600)
    assert card.negative is not None
    assert card.at_most is None
    assert not card.is_attainable
    assert card.coverage.share == 0.0
    lacking = card.negative.shortfall
    assert lacking is not None
    assert lacking.needed is None or lacking.needed > lacking.n
    assert lacking.needed is None or lacking.needed >= least_support(0.001, 0.05)
    assert 0 <= lacking.largest_three <= 1


def test_the_hours_that_a_holdout_would_need_grow_with_what_is_needed() -> None:
    card = card_of(Tolerance("strict", false_omission_rate=0.004), groups=1500, sharpness=6.0)
    assert card.negative is not None
    lacking = card.negative.shortfall
    assert lacking is not None
    assert lacking.needed is not None
    assert lacking.holdout_hours == pytest.approx(3.0 * lacking.needed / lacking.n, rel=0.05)


def test_a_rate_that_is_too_high_would_need_no_number_of_rows() -> None:
    card = card_of(Tolerance("hopeless", false_discovery_rate=0.01), sharpness=0.2)
    assert card.positive is not None
    assert card.positive.shortfall is not None
    assert card.positive.shortfall.needed is None
    assert card.positive.shortfall.holdout_hours is None


def test_where_both_sides_would_decide_the_negative_side_gives_way() -> None:
    card = card_of(Tolerance("lax", false_positive_rate=0.2, false_negative_rate=0.2), sharpness=6.0)
    assert card.at_least is not None
    assert card.at_most is not None
    assert card.at_most < card.at_least


def test_a_stricter_bound_never_trusts_more() -> None:
    shares = [
        card_of(Tolerance("t", false_omission_rate=bound)).coverage.share or 0.0 for bound in (0.01, 0.02, 0.05, 0.1)
    ]
    assert shares == sorted(shares)


def test_per_both_is_no_laxer_than_either() -> None:
    at_most = {
        per: card_of(Tolerance("t", false_omission_rate=0.02, per=per)).at_most or 0.0
        for per in ("both", "entity", "answer")
    }
    assert at_most["both"] <= min(at_most["entity"], at_most["answer"])


def test_a_cost_gives_two_thresholds_and_its_bound_holds_for_fresh_rows() -> None:
    card = card_of(Tolerance("cheap", cost=COSTS), groups=6000)
    assert card.cost is not None
    assert card.is_attainable
    fresh = parts(20_000, seed=9)[1]
    positive = fresh.probability >= (np.inf if card.at_least is None else card.at_least)
    negative = ~positive & (fresh.probability <= (-np.inf if card.at_most is None else card.at_most))
    cost = np.where(positive, ~fresh.label * 1.0, np.where(negative, fresh.label * 5.0, 0.2)).mean()
    assert cost <= COSTS.bound
    assert card.cost.observed <= max(card.cost.upper_answer, card.cost.upper_entity) <= COSTS.bound * 1.01


def test_a_cost_that_no_threshold_reaches_is_not_attainable() -> None:
    card = card_of(Tolerance("dear", cost=replace(COSTS, bound=0.0001)))
    assert card.cost is not None
    assert not card.is_attainable
    assert card.cost.observed > COSTS.bound / 1000


def test_slices_tell_their_coverage_and_what_was_wrong_in_them() -> None:
    card = card_of(Tolerance("t", false_omission_rate=0.02))
    assert {each.level for each in card.slices} == {"EWR", "JFK"}
    assert sum(each.coverage.rows for each in card.slices) == len(parts(3000)[1].label)
    assert all(each.wrong_positive is None and each.wrong_negative is not None for each in card.slices)


def test_a_card_survives_json_and_a_holdout_without_rows_makes_one_too() -> None:
    compare, calibrate = parts(300)
    none = calibrate.rows(np.zeros(len(calibrate.label), bool))
    wanted = Scorecard((Tolerance("a", false_omission_rate=0.02), Tolerance("b", cost=COSTS)))
    for parted in ((compare, calibrate), (compare, none), (none, none)):
        card = make_card(*parted, wanted, END)
        text = json.dumps(msgspec.to_builtins(card), allow_nan=False)
        assert msgspec.json.decode(text, type=Card) == card
    assert card.clock_hours == 0
    assert not any(each.is_attainable for each in card.tolerances)


def test_the_calibration_has_a_tenth_of_the_rows_in_each_bin() -> None:
    compare, calibrate = parts(3000)
    card = make_card(compare, calibrate, Scorecard(), END)
    assert sum(each.rows for each in card.calibration) == len(calibrate.label)
    assert len(card.calibration) == 10
    predicted = [each.predicted for each in card.calibration]
    assert predicted == sorted(predicted)
    assert all(each.low <= each.observed <= each.high for each in card.calibration)
    assert card.clock_hours == 3
