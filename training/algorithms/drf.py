"""A random forest by H2O."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from h2o.estimators import H2ORandomForestEstimator

from contract.pipeline import Training
from training.algorithms.algorithm import Algorithm


class RandomForest(Algorithm):
    name = "drf"

    def estimator(self, training: Training, model_id: str) -> Any:
        return H2ORandomForestEstimator(model_id=model_id, **asdict(training.drf))
