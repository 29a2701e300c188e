"""Scored holdouts in two parts, for tests of cards."""

from __future__ import annotations

import numpy as np

from training.evaluation.holdout_metrics import Scored, Slice
from training.evaluation.holdout_split import split


def parts(groups: int, seed: int = 3, sharpness: float = 3.0) -> tuple[Scored, Scored]:
    """(compare, calibrate) of entities of one to eight rows asked over three hours, a quarter of them positive."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 9, groups)
    label = rng.random(groups) < 0.25
    group = np.repeat(np.arange(groups), size)
    rows = len(group)
    z = sharpness * label[group] + 0.8 * rng.standard_normal(groups)[group] + 0.6 * rng.standard_normal(rows)
    append_us = rng.integers(0, 3 * 3600 * 10**6, rows)
    origin = Slice(["EWR", "JFK"], rng.integers(0, 2, groups)[group])
    probability = 1 / (1 + np.exp(-(z - sharpness / 2) * 2))
    scored = Scored(
        probability, label[group], group, np.zeros(rows, np.int64), np.arange(rows), append_us, {"origin": origin}
    )
    return split(scored, True)
