"""For how long a realised figure could not be judged, and how many outcomes are missing until it can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contract.alert_catalogue import FEWEST_OF_EACH_CLASS
from monitoring.judge.alert_rules import Judged, Rule
from monitoring.judge.outcome_follower import OUTCOMES_S
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StageInputs
from monitoring.judge.wording import in_words, printable


def undecided(look: StageInputs, judged: Iterable[Judged]) -> Iterator[Reading]:
    """One for each realised figure that has a limit, while a model serves; `judged`: the alerts about them."""
    for each in judged:
        if look.seen.model is None or not each.rule.measure.is_realised:
            continue
        name = f"{each.rule.name}:{each.item}" if each.item else each.rule.name
        is_decided = each.finding in ("good", "bad")
        seconds = look.unchanged_s(f"undecided.{name}", float(is_decided))
        text = f"{printable(name)} has not been judged for {in_words(seconds)}: {_why(each, look)}"
        yield Reading(0.0 if is_decided else seconds, text, name)


def _why(judged: Judged, look: StageInputs) -> str:
    reading, rule = judged.reading, judged.rule
    if reading is None or reading.count is None:
        return _too_few(look)
    if reading.count < rule.minimum:
        return f"{reading.text}; {rule.minimum - reading.count:.0f} more of the rarer class are missing"
    return f"{reading.text} lies on both sides of {rule.threshold:g}{_missing(reading, rule)}"


def _too_few(look: StageInputs) -> str:
    """There is no figure at all."""
    classes = dict(zip(("positive", "negative"), look.found.classes, strict=True))
    rarer = min(classes, key=classes.__getitem__)
    came = " and ".join(f"{count:,} {name}" for name, count in classes.items())
    missing = max(1, FEWEST_OF_EACH_CLASS - classes[rarer])
    return (
        f"{came} outcomes came in {in_words(OUTCOMES_S)}, and a figure takes {FEWEST_OF_EACH_CLASS} entities of each: "
        f"{missing} more {rarer} ones are missing at least"
    )


def _missing(reading: Reading, rule: Rule) -> str:
    """How many more of the rarer class would make the interval short enough: its length falls with their root."""
    limit = rule.threshold
    if limit is None or reading.low is None or reading.high is None or reading.count is None:
        return ""
    side = reading.high if reading.value < limit else reading.low
    distance, half = abs(reading.value - limit), abs(side - reading.value)
    if distance < half / 30:
        return ": it is at its limit, and no number of outcomes would tell soon"
    missing = round(reading.count * ((half / distance) ** 2 - 1))
    return f": about {max(1, missing):,} more of the rarer class would tell"
