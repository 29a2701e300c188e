"""One gradient boosting machine by H2O, and what it says of the holdout."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import h2o
import numpy as np
from h2o.estimators import H2OGradientBoostingEstimator

from contract.pipeline import Pipeline
from contract.records import FEATURE_PREFIX
from training.evaluation.holdout_metrics import Scored, Slice
from training.h2o.import_window import IDENTITY


def train_gbm(pipeline: Pipeline, train: Any, own: str) -> Any:
    """A binomial GBM on the feature columns of the training frame, by the pipeline's hyperparameters."""
    name = f"{own}.model"
    model = H2OGradientBoostingEstimator(model_id=name, distribution="bernoulli", **asdict(pipeline.training.gbm))
    model.train(x=[FEATURE_PREFIX + name for name in pipeline.features], y="label", training_frame=train)
    return model


def threshold(model: Any) -> float:
    """The probability from which H2O calls a row positive: where its F1 on the training rows is largest."""
    return float(model._model_json["output"]["default_threshold"])


def score(model: Any, holdout: Any, slices: tuple[str, ...]) -> Scored:
    """The holdout's predictions, brought to this process: one row of numbers a question.

    The slices' levels come as their numbers: a level may be megabytes long.
    """
    scored = model.predict(holdout)[:, 2].cbind(holdout[["group", *IDENTITY, "label"]])
    for name in slices:
        scored = scored.cbind(holdout[FEATURE_PREFIX + name].asnumeric())
    probability, group, partition, offset, append_us, label, *codes = _columns(scored)
    return Scored(
        probability=np.array(probability, np.float64),
        label=np.array([value.lower() == "true" for value in label]),
        group=np.array([int(number or -1) for number in group], np.int64),
        partition=np.array(partition, np.int64),
        offset=np.array(offset, np.int64),
        append_us=np.array(append_us, np.int64),
        slices={
            name: Slice(_domain(holdout, FEATURE_PREFIX + name), np.array([int(code or -1) for code in column]))
            for name, column in zip(slices, codes, strict=True)
        },
    )


def predictions(model: Any, rows: Any) -> tuple[list[bool], list[list[int]]]:
    """H2O's label and the node id of the leaf in every tree, for each row of a small frame."""
    labels = [value.lower() == "true" for value in _columns(model.predict(rows)[:, 0])[0]]
    leaves = _columns(model.predict_leaf_node_assignment(rows, "Node_ID"))
    return labels, [[int(node) for node in row] for row in zip(*leaves, strict=True)]


def described(frame: Any) -> dict[str, dict[str, Any]]:
    """By column: its levels if it is categorical, else its smallest and largest value."""
    columns = h2o.api(f"GET /3/Frames/{frame.frame_id}/summary")["frames"][0]["columns"]
    return {column["label"]: _described(column) for column in columns}


def _described(column: dict[str, Any]) -> dict[str, Any]:
    if column["domain"] is not None:
        return {"levels": column["domain"], "min": None, "max": None}
    return {"levels": None, "min": _number(column["mins"]), "max": _number(column["maxs"])}


def _number(values: list[Any]) -> float | None:
    """The first of H2O's extreme values; it writes those of an empty column as text."""
    return float(values[0]) if values and isinstance(values[0], int | float) and np.isfinite(values[0]) else None


def _domain(frame: Any, column: str) -> list[str]:
    """The levels, for people: H2O's JSON names some control characters wrongly (U+001F becomes `ñ`)."""
    return list(h2o.api(f"GET /3/Frames/{frame.frame_id}/columns/{column}/domain")["domain"][0] or [])


def _columns(frame: Any) -> list[list[str]]:
    rows = h2o.as_list(frame, use_pandas=False, header=False)
    return [list(column) for column in zip(*rows, strict=True)]
