"""Scorecards as a manifest has them, for tests of whatever reads one."""

from __future__ import annotations

from typing import Any

import msgspec

from contract.pipeline import WhenExpired
from contract.scorecard import Card, Counted, Coverage, Rate, Shortfall, Side, ToleranceCard


def tolerance_card(
    name: str,
    at_least: float | None = None,
    at_most: float | None = None,
    valid_until: str = "2026-11-24T12:00:00.000Z",
    when_expired: WhenExpired = "abstain",
) -> ToleranceCard:
    """A tolerance that bounds both error rates among answers; a side without a threshold was not attainable."""
    share = 0.25 * (at_least is not None) + 0.5 * (at_most is not None)
    return ToleranceCard(
        name=name,
        confidence=0.95,
        per="both",
        positive=side("false_discovery_rate", at_least, 0.25),
        negative=side("false_omission_rate", at_most, 0.5),
        cost=None,
        at_least=at_least,
        at_most=at_most,
        coverage=Coverage(share=share, low=max(share - 0.05, 0.0), high=share + 0.05, rows=4000),
        slices=[],
        valid_until=valid_until,
        when_expired=when_expired,
    )


def side(rate: str, threshold: float | None, share: float) -> Side:
    lacking = Shortfall(
        rate=rate, per="answer", bound=0.05, n=41.2, k=1.0, needed=93, holdout_hours=1.8, largest_three=0.4
    )
    seen = Counted(n=300.0, k=6.0, observed=0.02, upper=0.04)
    return Side(
        threshold=threshold,
        level=0.025,
        rates=[Rate(name=rate, bound=0.05, entity=seen, answer=seen)],
        share=share if threshold is not None else 0.0,
        shortfall=None if threshold is not None else lacking,
        curve=[],
    )


def card_of(*tolerances: ToleranceCard, default: str | None = None) -> Card:
    return Card(
        compare_rows=2000,
        calibrate_rows=4000,
        calibrate_groups=900,
        clock_hours=1,
        tolerances=list(tolerances),
        default=default,
        calibration=[],
    )


def as_json(card: Card) -> dict[str, Any]:
    """The card as a manifest's JSON has it."""
    built: dict[str, Any] = msgspec.to_builtins(card)
    return built
