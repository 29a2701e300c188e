"""The algorithm that a pipeline file names."""

from __future__ import annotations

from typing import Final

from contract.hyperparameters import AlgorithmName
from contract.pipeline import Pipeline
from training.algorithms.algorithm import Algorithm
from training.algorithms.drf import RandomForest
from training.algorithms.gbm import GradientBoosting
from training.algorithms.glm import LogisticRegression
from training.algorithms.xgboost import BoostedTrees

_KNOWN: Final[dict[AlgorithmName, Algorithm]] = {
    each.name: each for each in (GradientBoosting(), RandomForest(), BoostedTrees(), LogisticRegression())
}


def algorithm_of(pipeline: Pipeline) -> Algorithm:
    return _KNOWN[pipeline.training.algorithm]
