"""Holdouts from a known world, so that the true risk of a threshold is known: entities with one label and several rows.

Hard entities are further into the other class. Scores are normal, and correlated within an entity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from training.evaluation.holdout_metrics import Floats
from training.scorecard.side_rows import SideRows

SHARE_HARD: Final = 0.3
MEANS: Final = {(0, 0): 0.0, (0, 1): 0.7, (1, 0): 3.0, (1, 1): 1.9}
"""Of the scores, by label and hardness."""


@dataclass(frozen=True)
class World:
    """`sizes`: the fewest and most rows of an easy and of a hard entity."""

    correlation: float
    sizes: tuple[tuple[int, int], tuple[int, int]]


INDEPENDENT: Final = World(0.7, ((1, 8), (1, 8)))
TIGHT: Final = World(0.95, ((1, 8), (1, 8)))
HARD_IS_BIG: Final = World(0.7, ((1, 4), (4, 8)))


@dataclass(frozen=True)
class Setting:
    """What is bounded: `side` 1 trusts high scores as positives, -1 low ones as negatives."""

    world: World
    positives: float
    side: int
    bound: float


def rows_of(setting: Setting, rows: int, rng: np.random.Generator) -> SideRows:
    """About so many rows."""
    world = setting.world
    mean_size = (1 - SHARE_HARD) * np.mean(world.sizes[0]) + SHARE_HARD * np.mean(world.sizes[1])
    groups = round(rows / mean_size)
    label = (rng.random(groups) < setting.positives).astype(int)
    hard = (rng.random(groups) < SHARE_HARD).astype(int)
    fewest, most = np.array(world.sizes).T
    size = rng.integers(fewest[hard], most[hard] + 1)
    group = np.repeat(np.arange(groups), size)
    centre = _means()[label, hard] + math.sqrt(world.correlation) * rng.standard_normal(groups)
    score = centre[group] + math.sqrt(1 - world.correlation) * rng.standard_normal(len(group))
    stands = np.zeros(len(group), bool)
    stands[np.cumsum(size) - size + (rng.random(groups) * size).astype(int)] = True
    wrong = label[group] == (0 if setting.side > 0 else 1)
    return SideRows(setting.side * score, wrong, group, stands)


def true_risks(setting: Setting, threshold: float) -> tuple[float, float]:
    """(per answer, per entity): the share of the trusted that is wrong, in the world and not in a sample."""
    trusted = _share_above(threshold - setting.side * _means())
    entities = np.outer([1 - setting.positives, setting.positives], [1 - SHARE_HARD, SHARE_HARD])
    answers = entities * np.mean(setting.world.sizes, axis=1)
    wrong = 0 if setting.side > 0 else 1
    return _share_of(wrong, answers * trusted), _share_of(wrong, entities * trusted)


def _share_of(label: int, weights: Floats) -> float:
    return float(weights[label].sum() / weights.sum())


def _means() -> Floats:
    return np.array([[MEANS[label, hard] for hard in (0, 1)] for label in (0, 1)])


def _share_above(distance: Floats) -> Floats:
    shares: Floats = np.vectorize(lambda z: 0.5 * math.erfc(z / math.sqrt(2)))(distance)
    return shares
