"""Model health: what the models said against what then happened.

A figure needs at least `MINIMUM` positives and negatives: the span behind it grows until it has them, and while
there are fewer there is no figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from monitoring.collect.outcomes import Outcome
from training.evaluation.holdout_metrics import auc, log_loss

MINIMUM = 30
MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Realised:
    """The figures of the outcomes due in the `span_s` seconds that end with a minute."""

    minute_s: int
    span_s: int
    auc: float
    log_loss: float
    outcomes: int
    positives: int
    newest_model: str


def by_minute(outcomes: Iterable[Outcome], minimum: int = MINIMUM) -> list[Realised]:
    """Realised figures at every minute of `due` that has outcomes, over as many minutes before it as it takes."""
    ordered = sorted(outcomes, key=lambda outcome: outcome.due_s)
    found = []
    for end in _minute_ends(ordered):
        figures = _figures(ordered[:end], minimum)
        if figures is not None:
            found.append(figures)
    return found


def by_model(outcomes: Iterable[Outcome], minimum: int = MINIMUM) -> dict[str, Realised | None]:
    """The figures of each model version over all its outcomes; None where they are too few."""
    models: dict[str, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda outcome: outcome.due_s):
        models.setdefault(outcome.model, []).append(outcome)
    return {model: _whole(of_model, minimum) for model, of_model in sorted(models.items())}


def _minute_ends(ordered: Sequence[Outcome]) -> list[int]:
    """Where in the list each minute ends."""
    minutes = [int(outcome.due_s // MINUTE_S) for outcome in ordered]
    return [i + 1 for i in range(len(minutes)) if i + 1 == len(minutes) or minutes[i + 1] != minutes[i]]


def _figures(until: Sequence[Outcome], minimum: int) -> Realised | None:
    """Over the shortest span of whole minutes that holds the minimum of both classes."""
    counts = {True: 0, False: 0}
    for start in range(len(until) - 1, -1, -1):
        counts[until[start].label] += 1
        begins_minute = start == 0 or until[start - 1].due_s // MINUTE_S != until[start].due_s // MINUTE_S
        if begins_minute and min(counts.values()) >= minimum:
            return _whole(until[start:], minimum)
    return None


def _whole(outcomes: Sequence[Outcome], minimum: int) -> Realised | None:
    label = np.array([outcome.label for outcome in outcomes])
    probability = np.array([outcome.probability for outcome in outcomes])
    area = auc(probability, label)
    if area is None or min(label.sum(), (~label).sum()) < minimum:
        return None
    first, last = (int(outcomes[i].due_s // MINUTE_S) * MINUTE_S for i in (0, -1))
    return Realised(
        minute_s=last,
        span_s=last - first + MINUTE_S,
        auc=area,
        log_loss=log_loss(probability, label),
        outcomes=len(outcomes),
        positives=int(label.sum()),
        newest_model=max(outcome.model for outcome in outcomes),
    )
