"""Gradient boosting by H2O."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from h2o.estimators import H2OGradientBoostingEstimator

from contract.pipeline import Training
from training.algorithms.algorithm import Algorithm, constraints_of_columns


class GradientBoosting(Algorithm):
    name = "gbm"

    def estimator(self, training: Training, model_id: str) -> Any:
        constraints = {"monotone_constraints": constraints_of_columns(training.gbm.monotone_constraints)}
        parameters = asdict(training.gbm) | constraints
        return H2OGradientBoostingEstimator(model_id=model_id, distribution="bernoulli", **parameters)
