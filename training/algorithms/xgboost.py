"""XGBoost's boosted trees, within H2O."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from h2o.estimators import H2OXGBoostEstimator

from contract.pipeline import Training
from training.algorithms.algorithm import Algorithm, constraints_of_columns


class BoostedTrees(Algorithm):
    name = "xgboost"

    def estimator(self, training: Training, model_id: str) -> Any:
        constraints = {"monotone_constraints": constraints_of_columns(training.xgboost.monotone_constraints)}
        parameters = asdict(training.xgboost) | constraints
        return H2OXGBoostEstimator(model_id=model_id, booster="gbtree", distribution="bernoulli", **parameters)
