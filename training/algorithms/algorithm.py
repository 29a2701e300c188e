"""What every algorithm does here: train in H2O, say what it thinks of rows, and by which leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np

from contract.hyperparameters import AlgorithmName, Gbm, Xgboost
from contract.pipeline import Pipeline, Training
from contract.records import FEATURE_PREFIX
from training.evaluation.holdout_metrics import Scored, Slice
from training.h2o.frames import levels, values_by_column
from training.h2o.import_window import IDENTITY


class Algorithm(ABC):
    """A binomial model of one kind. Models and frames are H2O's own."""

    name: ClassVar[AlgorithmName]

    @abstractmethod
    def estimator(self, training: Training, model_id: str) -> Any:
        """H2O's estimator with the hyperparameters of the pipeline."""

    def train(self, pipeline: Pipeline, train: Any, own: str) -> Any:
        """A model on the feature columns of the training frame."""
        model = self.estimator(pipeline.training, f"{own}.model")
        model.train(x=[FEATURE_PREFIX + name for name in pipeline.features], y="label", training_frame=train)
        return model

    def threshold(self, model: Any) -> float:
        """The probability from which H2O calls a row positive: where its F1 on the training rows is largest."""
        return float(model._model_json["output"]["default_threshold"])

    def score(self, model: Any, holdout: Any, slices: tuple[str, ...]) -> Scored:
        """The holdout's predictions, brought to this process: one row of numbers a question.

        The slices' levels come as their numbers: a level may be megabytes long.
        """
        scored = model.predict(holdout)[:, 2].cbind(holdout[["group", *IDENTITY, "label"]])
        for name in slices:
            scored = scored.cbind(holdout[FEATURE_PREFIX + name].asnumeric())
        probability, group, partition, offset, append_us, label, *codes = values_by_column(scored)
        return Scored(
            probability=np.array(probability, np.float64),
            label=np.array([value.lower() == "true" for value in label]),
            group=np.array([int(number or -1) for number in group], np.int64),
            partition=np.array(partition, np.int64),
            offset=np.array(offset, np.int64),
            append_us=np.array(append_us, np.int64),
            slices={
                name: Slice(levels(holdout, FEATURE_PREFIX + name), np.array([int(code or -1) for code in column]))
                for name, column in zip(slices, codes, strict=True)
            },
        )

    def labels(self, model: Any, rows: Any) -> list[bool]:
        """H2O's label of each row of a small frame."""
        return [value.lower() == "true" for value in values_by_column(model.predict(rows)[:, 0])[0]]

    def leaves(self, model: Any, rows: Any) -> list[list[int]]:
        """The node id of the leaf in every tree, for each row of a small frame; nothing where there are no trees."""
        leaves = values_by_column(model.predict_leaf_node_assignment(rows, "Node_ID"))
        return [[int(node) for node in row] for row in zip(*leaves, strict=True)]


def constrained_parameters(hyperparameters: Gbm | Xgboost) -> dict[str, Any]:
    """By H2O's names, the monotone constraints by its columns; None where there are none."""
    constraints = hyperparameters.monotone_constraints.items()
    by_column = {FEATURE_PREFIX + name: direction for name, direction in constraints}
    return asdict(hyperparameters) | {"monotone_constraints": by_column or None}
