"""Gradient boosting by H2O."""

from __future__ import annotations

from typing import Any

from h2o.estimators import H2OGradientBoostingEstimator

from contract.pipeline import Training
from training.algorithms.algorithm import Algorithm, constrained_parameters


class GradientBoosting(Algorithm):
    name = "gbm"

    def estimator(self, training: Training, model_id: str) -> Any:
        parameters = constrained_parameters(training.gbm)
        return H2OGradientBoostingEstimator(model_id=model_id, distribution="bernoulli", **parameters)
