"""The scorecard of a model: from which probability on its answers may be trusted, at each of a team's risk tolerances.

Training writes it into the manifest; serving, status page and monitor read it there. A rate or share without any rows
to count is None. Which rates there are, and what they mean: `contract.pipeline.Tolerance`.
"""

from __future__ import annotations

import msgspec

from contract.pipeline import Per, WhenExpired


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A rate as it was seen on calibrate rows."""

    n: float
    """How many count: entities where the rate is per entity, an effective number of answers where it is per answer."""
    k: float
    """How many of them are wrong."""
    observed: float | None
    upper: float
    """The rate is below this, with the confidence of its side of the tolerance."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A rate that the tolerance bounds, of a random answer of a random entity, and of all answers."""

    name: str
    bound: float
    entity: Counted
    answer: Counted


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """What trusting answers from this threshold on would mean; the rates by the order of `Side.rates`."""

    threshold: float
    share: float
    """Of all answers, those that are trusted."""
    observed: list[float | None]
    """Per answer."""
    upper: list[float]
    """Of the unit that the tolerance is about; of both the larger."""


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """Why a side is not attainable, in the numbers of the threshold at which it is nearest to being so."""

    rate: str
    per: str
    """`entity` or `answer`: the one that is further off."""
    bound: float
    n: float
    k: float
    needed: int | None
    """How many would have to count, at the rate that was seen; None where none would do: the rate is too high."""
    holdout_hours: float | None
    """How long a holdout that is, if it goes on as this one."""
    largest_three: float
    """The share of the trusted answers that the three largest groups hold."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One decision of a tolerance: `positive` from the threshold up, or `negative` from it down."""

    threshold: float | None
    """None: not attainable, so that this side always abstains."""
    level: float
    """One minus the confidence of this side."""
    rates: list[Rate]
    """At the threshold; where there is none, at the one that came nearest."""
    share: float
    """Of all answers, those that get this decision."""
    shortfall: Shortfall | None
    curve: list[CurvePoint]


class ExpectedCost(msgspec.Struct, frozen=True, kw_only=True):
    """The expected cost of an answer, abstaining included, at the thresholds; where there are none, at the cheapest."""

    bound: float
    level: float
    observed: float
    """Per answer."""
    upper_entity: float
    upper_answer: float
    groups: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The share of answers that get a decision, and its interval with the tolerance's confidence."""

    share: float | None
    low: float
    high: float
    rows: int


class SliceRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A level of a slice: what was seen there. The guarantee is for all answers together, not for a level."""

    slice: str
    level: str
    coverage: Coverage
    wrong_positive: float | None
    """Of the answers `positive`, the share that was wrong."""
    wrong_negative: float | None


class ToleranceCard(msgspec.Struct, frozen=True, kw_only=True):
    """What one risk tolerance means for this model. A side that the tolerance does not bound is None, and abstains."""

    name: str
    confidence: float
    per: Per
    positive: Side | None
    negative: Side | None
    cost: ExpectedCost | None
    at_least: float | None
    """`positive` from this probability on; None: never."""
    at_most: float | None
    """`negative` up to this probability; None: never. Where both would hold, the answer abstains."""
    coverage: Coverage
    slices: list[SliceRisk]
    valid_until: str
    """RFC 3339: for questions of later moments the card says nothing more."""
    when_expired: WhenExpired

    @property
    def is_attainable(self) -> bool:
        """Whether any answer gets a decision."""
        return self.at_least is not None or self.at_most is not None


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """A tenth of the calibrate rows, by probability."""

    predicted: float
    observed: float
    low: float
    high: float
    rows: int


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """The scorecard. Compare rows chose where to look; calibrate rows, which decided nothing, tested it."""

    compare_rows: int
    calibrate_rows: int
    calibrate_groups: int
    clock_hours: int
    """From so many hours by the clock the calibrate rows come: one hour of traffic is one draw of the hour."""
    tolerances: list[ToleranceCard]
    default: str | None
    """The tolerance that decides where the caller names none; None: the model's threshold does."""
    calibration: list[CalibrationBin]

    def tolerance(self, name: str) -> ToleranceCard | None:
        return next((each for each in self.tolerances if each.name == name), None)
