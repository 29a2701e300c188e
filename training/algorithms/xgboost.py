"""XGBoost's boosted trees, within H2O."""

from __future__ import annotations

from typing import Any

from h2o.estimators import H2OXGBoostEstimator

from contract.pipeline import Training
from training.algorithms.algorithm import Algorithm, constrained_parameters


class BoostedTrees(Algorithm):
    name = "xgboost"

    def estimator(self, training: Training, model_id: str) -> Any:
        parameters = constrained_parameters(training.xgboost)
        return H2OXGBoostEstimator(model_id=model_id, booster="gbtree", distribution="bernoulli", **parameters)
