"""What is read of the model that serves: its age, its realised figures, and the clocks and features behind them."""

from __future__ import annotations

from collections.abc import Iterator

from contract import metrics
from contract.alert_catalogue import CEILINGS, FEWEST_OF_EACH_CLASS, FIGURE_WORDS
from monitoring.judge.model_health import Realised
from monitoring.judge.reading import Reading
from monitoring.judge.stage import StageInputs
from monitoring.judge.wording import in_words, printable


def missing_model(look: StageInputs) -> Iterator[Reading]:
    yield Reading(float(look.seen.model is None), "no model has been admitted yet")


def model_age(look: StageInputs) -> Iterator[Reading]:
    if look.seen.model_age_s is not None:
        yield Reading(look.seen.model_age_s, f"the model is {in_words(look.seen.model_age_s)} old")


def clocks_ahead(look: StageInputs) -> Iterator[Reading]:
    """A host whose events are appended before they happen has a clock ahead of the broker's."""
    for host, offset_s in sorted(look.seen.clock_offsets_s.items()):
        yield Reading(-offset_s, f"the clock of {printable(host)} is {in_words(abs(offset_s))} ahead", host)


def pinned(look: StageInputs) -> Iterator[Reading]:
    if look.seen.pinned is not None:
        yield Reading(1, look.seen.pinned.text)


def vanished(look: StageInputs) -> Iterator[Reading]:
    """A pipeline whose deployed file is gone, although nobody removed it, goes on until a process starts again."""
    if look.has_vanished:
        yield Reading(1, "the deployed file has vanished, and the pipeline goes on with what it said")


def drift(look: StageInputs) -> Iterator[Reading]:
    """One for each feature that is watched."""
    psi = {
        sample.labels["feature"]: sample.value
        for sample in look.now.find(metrics.DRIFT_PSI, pipeline=look.pipeline.name)
    }
    for sample in look.now.find(metrics.DRIFT_ALARM, pipeline=look.pipeline.name):
        feature = sample.labels["feature"]
        by = f" (PSI {psi[feature]:.2f})" if feature in psi else ""
        yield Reading(sample.value, f"the feature {feature} is distributed otherwise than it used to be{by}", feature)


def distinct_answers(look: StageInputs) -> Iterator[Reading]:
    """Of the answers that the serving version gave last, whether their labels are there or not."""
    newest = look.found.newest_answers.get(look.seen.model or "")
    if newest is not None:
        text = f"the newest {newest.answers:,} answers have {newest.probabilities:,} different probabilities"
        yield Reading(newest.probabilities, text, count=newest.answers)


def figure(look: StageInputs, name: str, minimum: int, slice_name: str) -> Iterator[Reading]:
    """One realised figure with its interval: of all that was served, or of a slice's levels."""
    if not slice_name:
        realised = _with_enough(look, minimum)
        if realised is not None:
            yield _figure(name, realised, "")
        return
    wanted, _, level = slice_name.partition("=")
    for each in look.found.by_slice:
        if each.slice == wanted and level in ("", each.level):
            yield _figure(name, each.realised, f"{wanted}={each.level}")


def _with_enough(look: StageInputs, minimum: int) -> Realised | None:
    """The newest outcomes, whoever answered; where more are asked for than they hold, all of the serving version."""
    newest = look.seen.realised
    if newest is None or _fewer_class(newest) >= minimum or minimum <= FEWEST_OF_EACH_CLASS:
        return newest
    of_version = look.found.by_model.get(look.seen.model or "")
    return of_version if of_version is not None and _fewer_class(of_version) > _fewer_class(newest) else newest


def _figure(name: str, realised: Realised, level: str) -> Reading:
    found = realised.figures[name]
    of = f" of {printable(level)}" if level else ""
    text = (
        f"realised {FIGURE_WORDS[name]}{of} {found.value:.3f} (90 % interval {found.low:.3f} to {found.high:.3f}) "
        f"over {realised.outcomes} outcomes"
    )
    return Reading(found.value, text, level, found.low, found.high, _fewer_class(realised))


def _fewer_class(realised: Realised) -> int:
    return min(realised.positives, realised.outcomes - realised.positives)


def beyond(name: str, realised: Realised, threshold: float) -> bool:
    """Whether the whole interval is on the wrong side."""
    found = realised.figures[name]
    return found.low > threshold if name in CEILINGS else found.high < threshold
