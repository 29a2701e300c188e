"""A scorecard in sentences: what it allows, what it lacks, what it guarantees and what not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from contract.scorecard import Card, Counted, ExpectedCost, Rate, Shortfall, Side, ToleranceCard

RATE_WORDS: Final = {
    "false_positive_rate": "of the negatives, the share that is answered positive",
    "false_negative_rate": "of the positives, the share that is answered negative",
    "false_discovery_rate": "of the answers positive, the share that is wrong",
    "false_omission_rate": "of the answers negative, the share that is wrong",
}
_PER_WORDS: Final = {
    "both": "per entity and per answer",
    "entity": "per entity (one random answer of each)",
    "answer": "per answer (all traffic)",
}


def percent(share: float | None) -> str:
    return "none seen" if share is None else f"{100 * share:.3g} %"


def decision_words(card: ToleranceCard) -> str:
    """From which probability on which decision is given."""
    sides = [
        *([] if card.at_least is None else [f"positive from {card.at_least:.4f}"]),
        *([] if card.at_most is None else [f"negative up to {card.at_most:.4f}"]),
    ]
    if not sides:
        return "not attainable with this model: every answer abstains"
    return f"{', '.join(sides)}, else it abstains"


def coverage_words(card: ToleranceCard) -> str:
    """How much of the traffic gets a decision."""
    seen = card.coverage
    if seen.share is None:
        return "no rows to tell its coverage"
    interval = f"{percent(seen.low)} to {percent(seen.high)}"
    return f"{percent(seen.share)} of the answers get a decision ({percent(card.confidence)} interval {interval})"


def promise_words(card: ToleranceCard) -> str:
    """What the tolerance promises."""
    bounds = [
        f"{rate.name} at most {percent(rate.bound)} ({RATE_WORDS[rate.name]})"
        for side in (card.positive, card.negative)
        for rate in (side.rates if side else ())
    ]
    if card.cost is not None:
        bounds = [f"an answer costs at most {card.cost.bound:g} on average"]
    return f"{'; '.join(bounds)}; {_PER_WORDS[card.per]}, with {percent(card.confidence)} confidence"


def tolerance_lines(card: ToleranceCard) -> Iterator[str]:
    """Everything that the card says of a tolerance, a sentence a line."""
    yield f"promised: {promise_words(card)}"
    yield f"decides: {decision_words(card)}"
    yield f"covers: {coverage_words(card)}"
    for name, side in (("positive", card.positive), ("negative", card.negative)):
        if side is not None:
            yield from _side_lines(name, side)
    if card.cost is not None:
        yield f"cost: {cost_words(card.cost)}"
    then = "abstains" if card.when_expired == "abstain" else "goes on, and says that it is expired"
    yield f"valid until {card.valid_until}; then it {then}"


def _side_lines(name: str, side: Side) -> Iterator[str]:
    for rate in side.rates:
        yield f"{name}: {rate_words(rate)}"
    if side.shortfall is not None:
        yield f"{name}: not attainable: {shortfall_words(side.shortfall)}"
    elif side.threshold is None:
        yield f"{name}: nothing is left, since the other decision is trusted wherever this one would be"


def rate_words(rate: Rate) -> str:
    """A rate as it was seen, and below what it is."""
    return (
        f"{rate.name}, bound {percent(rate.bound)}: per entity {_counted_words(rate.entity)}; "
        f"per answer {_counted_words(rate.answer)}"
    )


def _counted_words(seen: Counted) -> str:
    return f"{percent(seen.observed)} seen (n {seen.n:.5g}), below {percent(seen.upper)}"


def cost_words(cost: ExpectedCost) -> str:
    uppers = f"per entity below {cost.upper_entity:.4g}, per answer below {cost.upper_answer:.4g}"
    return f"{cost.observed:.4g} an answer was seen (n {cost.groups} entities), {uppers}; bound {cost.bound:g}"


def shortfall_words(lacking: Shortfall) -> str:
    """Why a side is not attainable, and what would help."""
    seen = (
        f"{lacking.k:.3g} of {lacking.n:.4g} wrong per {lacking.per} ({lacking.rate}, bound {percent(lacking.bound)})"
    )
    if not lacking.n:
        return f"too few rows to begin with; {lacking.needed} would be needed with nothing wrong per {lacking.per}"
    if lacking.needed is None:
        return f"{seen}: the rate is too high, more rows would not help; a looser bound or a better model would"
    hours = lacking.holdout_hours
    time = "" if hours is None else f", some {hours:.2g} hours of holdout"
    held = ""
    if lacking.per == "answer" and lacking.largest_three > 0.2:
        held = f'; three groups hold {percent(lacking.largest_three)} of these answers, per = "entity" counts each once'
    return f"{seen}; {lacking.needed} would be needed at that rate{time}{held}"


def guarantees(card: Card) -> list[str]:
    """What the card guarantees, for someone who answers for the risk."""
    return [
        "Of many scorecards made like this one, at most the stated share (one minus the confidence) has a rate above "
        "its bound. This holds for each tolerance by itself, and for answers like those of the holdout.",
        "Per entity it is a theorem: thresholds were chosen on some entities and tested once on others, by the exact "
        "binomial test. Per answer it is a correction for answers that belong together; in simulations it was broken "
        "in 1.5 % of cards where 5 % were allowed, or 3.1 % with the finest grid.",
        "A tolerance that cannot be shown to hold has no threshold and abstains; nothing is estimated in its place.",
    ]


def no_guarantees(card: Card) -> list[str]:
    """What it does not guarantee."""
    hours = "one clock hour" if card.clock_hours == 1 else f"{card.clock_hours} clock hours"
    return [
        f"Other traffic. The rows come from {hours}. Where the risk wanders from hour to hour, a card of few hours is "
        "broken more often than promised: in simulations 3, 16, 32 and 45 % of cards of one hour at a standard "
        "deviation of 0, 0.15, 0.3 and 0.5 on the logit; with 24 hours 3.5, 6 and 12 % at 0.15, 0.3 and 0.5.",
        "Any single answer, any slice of the answers, or several tolerances at once: figures by slice are only seen.",
        "What comes after the date on which the card ends: it is the one on which the model is too old for the "
        "pipeline ([serving] max_age), not one on which the model is known to have become worse.",
    ]
