"""Can the model be trusted now, and why: the first line of the status page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from contract.pipeline import Pipeline
from monitoring.judge.stage import Problem
from monitoring.judge.trust_inputs import TrustInputs
from monitoring.judge.wording import in_words

Verdict = Literal["trusted", "not_trusted", "not_known"]


def verdict(seen: TrustInputs, against: Sequence[Problem], trouble: str | None = None) -> Verdict:
    """`against` is what speaks against the model; `trouble` what is broken in the flow: while anything is, the figures
    may be those of yesterday."""
    if against:
        return "not_trusted"
    return "not_known" if trouble or seen.realised is None else "trusted"


def first_line(pipeline: Pipeline, seen: TrustInputs, against: Sequence[Problem], trouble: str | None = None) -> str:
    """Trusted or not, or not known yet, and why; then who holds a version by hand."""
    said = _sentence(seen, against, trouble)
    return f"{pipeline.name}: {said}." + ("" if seen.pinned is None else f" {seen.pinned.text}.")


def _sentence(seen: TrustInputs, against: Sequence[Problem], trouble: str | None) -> str:
    if against:
        return "do not trust the model now: " + "; ".join(problem.text for problem in against)
    age = "" if seen.model_age_s is None else f", {in_words(seen.model_age_s)} old"
    if seen.realised is None:
        figures = f"{seen.model} answers{age}; too few outcomes yet to say how well"
    else:
        figures = f"realised AUC {seen.realised.auc:.3f} over the last {seen.realised.outcomes} outcomes{age}"
    if verdict(seen, against, trouble) == "trusted":
        return f"the model can be trusted now: {figures}"
    return f"not known yet whether the model can be trusted: {f'{trouble}; ' if trouble else ''}{figures}"
