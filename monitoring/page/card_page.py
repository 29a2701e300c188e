"""The page of one model: its scorecard, for data scientists and for whoever answers for the risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contract.manifest import Manifest
from contract.scorecard import Card, Rate, Side, SliceRisk, ToleranceCard
from monitoring.page.card_charts import calibration_chart, risk_chart
from training.scorecard.card_words import (
    cost_words,
    coverage_words,
    decision_words,
    guarantees,
    no_guarantees,
    percent,
    promise_words,
    shortfall_words,
)


@dataclass(frozen=True)
class SideView:
    """One decision of a tolerance."""

    decision: str
    side: Side

    @property
    def rates(self) -> list[tuple[Rate, str]]:
        """Each rate with its chart."""
        return [(rate, risk_chart(self.side, place)) for place, rate in enumerate(self.side.rates)]

    @property
    def lacking(self) -> str | None:
        """Why there is no threshold."""
        if self.side.shortfall is not None:
            return f"Not attainable: {shortfall_words(self.side.shortfall)}."
        return None if self.side.threshold is not None else "Nothing is left: the other decision is trusted there."


@dataclass(frozen=True)
class ToleranceView:
    """One tolerance."""

    card: ToleranceCard
    is_default: bool

    @property
    def promise(self) -> str:
        return promise_words(self.card)

    @property
    def decision(self) -> str:
        return decision_words(self.card)

    @property
    def coverage(self) -> str:
        return coverage_words(self.card)

    @property
    def cost(self) -> str | None:
        return None if self.card.cost is None else cost_words(self.card.cost)

    @property
    def sides(self) -> list[SideView]:
        both = (("positive", self.card.positive), ("negative", self.card.negative))
        return [SideView(name, side) for name, side in both if side is not None]

    @property
    def slices(self) -> Sequence[SliceRisk]:
        return self.card.slices if self.card.is_attainable else ()


@dataclass(frozen=True)
class CardView:
    """The whole page."""

    manifest: Manifest
    card: Card

    @property
    def tolerances(self) -> list[ToleranceView]:
        return [ToleranceView(each, each.name == self.card.default) for each in self.card.tolerances]

    @property
    def summary(self) -> str:
        """In a line, which share of the answers each tolerance decides."""
        return ", ".join(
            f"{each.name} {percent(each.coverage.share)}" if each.is_attainable else f"{each.name} not attainable"
            for each in self.card.tolerances
        )

    @property
    def calibration(self) -> str:
        return calibration_chart(self.card.calibration)

    @property
    def guarantees(self) -> list[str]:
        return guarantees(self.card)

    @property
    def no_guarantees(self) -> list[str]:
        return no_guarantees(self.card)

    @staticmethod
    def percent(share: float | None) -> str:
        return percent(share)
