"""Can the model be trusted now, and why: the first line of the status page, and what the alerts say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from contract.pipeline import Pipeline
from monitoring.judge.clocks_behind import MOST_EACH
from monitoring.judge.model_health import Realised
from monitoring.judge.wording import in_words, printable
from training.evaluation.confidence_intervals import LOWER_IS_BETTER

Verdict = Literal["trusted", "not_trusted", "not_known"]
IN_WORDS: Final = {
    "auc": "AUC",
    "log_loss": "log loss",
    "f1": "F1",
    "f2": "F2",
    "accuracy": "accuracy",
    "brier": "Brier score",
    "calibration": "calibration",
}


@dataclass(frozen=True)
class Pin:
    """Who holds a version by hand, and since when (Unix time)."""

    model: str
    who: str
    since_s: float

    @property
    def text(self) -> str:
        since = datetime.fromtimestamp(self.since_s, UTC)
        return f"{self.model} is pinned by {self.who} since {since:%Y-%m-%d %H:%M:%S} UTC: newer models wait"


@dataclass(frozen=True)
class TrustInputs:
    """What the judgement rests on; None is not known (yet)."""

    model: str | None
    model_age_s: float | None
    realised: Realised | None
    clock_offsets_s: Mapping[str, float]
    """By producing host: the smallest (append time - event time) of the last minutes."""
    pinned: Pin | None = None


@dataclass(frozen=True)
class Reason:
    """One reason not to trust, in words; `code` is stable: alerts are told apart by it."""

    code: str
    text: str


def reasons_against(pipeline: Pipeline, seen: TrustInputs) -> list[Reason]:
    """Every reason not to trust the answers now; none when they may be trusted."""
    found = []
    if seen.model is None:
        found.append(Reason("no_model", "no model has been admitted yet"))
    oldest = pipeline.monitoring.max_model_age or pipeline.serving.max_age
    if seen.model_age_s is not None and seen.model_age_s > oldest.total_seconds():
        age = in_words(seen.model_age_s)
        found.append(
            Reason("model_too_old", f"the model is {age} old, the limit is {in_words(oldest.total_seconds())}")
        )
    if seen.realised is not None:
        found += _below_floors(pipeline, seen.realised)
    found += _clocks_ahead(pipeline, seen.clock_offsets_s)
    return found


def verdict(pipeline: Pipeline, seen: TrustInputs, trouble: str | None = None) -> Verdict:
    """`trouble` is what is broken in the flow: while anything is, the figures may be those of yesterday."""
    if reasons_against(pipeline, seen):
        return "not_trusted"
    return "not_known" if trouble or seen.realised is None else "trusted"


def first_line(pipeline: Pipeline, seen: TrustInputs, trouble: str | None = None) -> str:
    """Trusted or not, or not known yet, and why; then who holds a version by hand."""
    said = _sentence(pipeline, seen, trouble)
    return f"{pipeline.name}: {said}." + ("" if seen.pinned is None else f" {seen.pinned.text}.")


def _sentence(pipeline: Pipeline, seen: TrustInputs, trouble: str | None) -> str:
    against = reasons_against(pipeline, seen)
    if against:
        return "do not trust the model now: " + "; ".join(reason.text for reason in against)
    age = "" if seen.model_age_s is None else f", {in_words(seen.model_age_s)} old"
    if seen.realised is None:
        figures = f"{seen.model} answers{age}; too few outcomes yet to say how well"
    else:
        figures = f"realised AUC {seen.realised.auc:.3f} over the last {seen.realised.outcomes} outcomes{age}"
    if verdict(pipeline, seen, trouble) == "trusted":
        return f"the model can be trusted now: {figures}"
    return f"not known yet whether the model can be trusted: {f'{trouble}; ' if trouble else ''}{figures}"


def _below_floors(pipeline: Pipeline, realised: Realised) -> Iterator[Reason]:
    """A floor counts as broken when the whole 90 % interval is beyond it: chance alone is no reason to distrust."""
    over = f"over {realised.outcomes} outcomes"
    for name, floor in pipeline.monitoring.floors.items():
        found, words = realised.figures[name], IN_WORDS[name]
        if name in LOWER_IS_BETTER and found.low > floor:
            text = f"realised {words} {found.value:.3f} {over}, the ceiling is {floor:g}"
            yield Reason(f"{name}_above_ceiling", text)
        if name not in LOWER_IS_BETTER and found.high < floor:
            yield Reason(f"{name}_below_floor", f"realised {words} {found.value:.3f} {over}, the floor is {floor:g}")


def _clocks_ahead(pipeline: Pipeline, offsets_s: Mapping[str, float]) -> list[Reason]:
    """A host whose events are appended before they happen has a clock ahead of the broker's."""
    tolerance = pipeline.clock.tolerance.total_seconds()
    ahead = {host: -offset for host, offset in offsets_s.items() if offset < -tolerance}
    if len(ahead) > MOST_EACH:
        furthest = max(ahead, key=lambda host: ahead[host])
        told = (
            f"the clocks of {len(ahead)} hosts are ahead, that of {printable(furthest)} by {in_words(ahead[furthest])}"
        )
        return [Reason("clocks_ahead", told)]
    return [
        Reason(f"clock_ahead:{host}", f"the clock of {printable(host)} is {in_words(by_s)} ahead")
        for host, by_s in sorted(ahead.items())
    ]
