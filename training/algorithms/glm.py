"""Logistic regression by H2O."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from h2o.estimators import H2OGeneralizedLinearEstimator

from contract.pipeline import Training
from training.algorithms.algorithm import Algorithm


class LogisticRegression(Algorithm):
    name = "glm"

    def estimator(self, training: Training, model_id: str) -> Any:
        return H2OGeneralizedLinearEstimator(model_id=model_id, family="binomial", **asdict(training.glm))

    def leaves(self, model: Any, rows: Any) -> list[list[int]]:
        return [[] for _ in range(rows.nrows)]
