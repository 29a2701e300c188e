"""Models of every algorithm, each on 5,000 hostile rows: the compiled bundle answers as H2O does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h2o
import pytest
from h2o.tree import H2OTree

from contract.hyperparameters import AlgorithmName, Drf, Gbm, Glm, Hyperparameters, Xgboost
from contract.pipeline import Pipeline
from serving._native import Bundle, compile_bundle
from serving.candidates.h2o_equality import row_difference
from streaming.pipeline_file.load import load
from tests.integration.flights_for_h2o import TYPES, training_and_later_rows, write_parquet
from tests.integration.h2o_process import running_h2o
from tests.integration.hostile_rows import hostile_rows
from tests.serving.models import manifest, spec
from tests.streaming.pipelines import MINIMAL
from training.algorithms.by_name import algorithm_of
from training.h2o.frames import values_by_column

pytestmark = [
    pytest.mark.engines,
    pytest.mark.filterwarnings("ignore:(Dropping bad|Test/Validation dataset|Converting H2O frame)"),
]

ROWS = 5000
COLUMN_TYPES = {"string": "enum", "boolean": "enum", "int": "numeric", "double": "numeric"}
CATEGORICAL = ("carrier", "tail", "route", "odd", "weekend")
NUMERIC = ("delay", "distance", "share", "scheduled", "large")
FEW_LEVELS = ("carrier", "odd", "weekend", "delay", "distance", "scheduled")
RISING = {"delay": 1, "distance": -1}


@dataclass(frozen=True)
class Animal:
    """A model of the zoo. `of` is what the pipeline file could say; `more` is what H2O is told besides."""

    of: Hyperparameters
    features: tuple[str, ...] = tuple(TYPES)
    more: Mapping[str, Any] = field(default_factory=dict)


ONE_EACH = {
    "gbm": Animal(Gbm(ntrees=20)),
    "drf": Animal(Drf(ntrees=10, max_depth=12)),
    "xgboost": Animal(Xgboost(ntrees=20)),
    "glm": Animal(Glm(), FEW_LEVELS),
}
THE_REST = {
    "gbm, one tree": Animal(Gbm(ntrees=1)),
    "gbm, 1,000 trees": Animal(Gbm(ntrees=1000, max_depth=3), NUMERIC),
    "gbm, deep": Animal(Gbm(ntrees=8, max_depth=25, min_rows=1)),
    "gbm, balanced": Animal(Gbm(ntrees=15, balance_classes=True)),
    "gbm, by response": Animal(Gbm(ntrees=15, categorical_encoding="SortByResponse")),
    "gbm, levels in few bins": Animal(Gbm(ntrees=15, nbins_cats=16), CATEGORICAL),
    "gbm, all levels apart": Animal(Gbm(ntrees=15, nbins_cats=8192, min_rows=2)),
    "gbm, monotone": Animal(Gbm(ntrees=20, monotone_constraints=RISING)),
    "gbm, annealed and sampled": Animal(Gbm(ntrees=30, learn_rate_annealing=0.95, col_sample_rate_per_tree=0.5)),
    "gbm, no split": Animal(Gbm(ntrees=3, min_split_improvement=1e9)),
    "gbm, weights": Animal(Gbm(ntrees=15), more={"weights_column": "weight"}),
    "drf, one tree": Animal(Drf(ntrees=1)),
    "drf, 1,000 trees": Animal(Drf(ntrees=1000, max_depth=3), NUMERIC),
    "drf, deep": Animal(Drf(ntrees=10, max_depth=30)),
    "drf, balanced": Animal(Drf(ntrees=10, max_depth=10, balance_classes=True)),
    "drf, by response": Animal(Drf(ntrees=10, max_depth=10, categorical_encoding="SortByResponse")),
    "drf, few columns a split": Animal(Drf(ntrees=20, max_depth=8, mtries=1)),
    "drf, weights": Animal(Drf(ntrees=10, max_depth=10), more={"weights_column": "weight"}),
    "xgboost, one tree": Animal(Xgboost(ntrees=1)),
    "xgboost, 1,000 trees": Animal(Xgboost(ntrees=1000, max_depth=3), NUMERIC),
    "xgboost, deep": Animal(Xgboost(ntrees=10, max_depth=20), FEW_LEVELS),
    "xgboost, sparse": Animal(Xgboost(ntrees=15, dmatrix_type="sparse")),
    "xgboost, dense": Animal(Xgboost(ntrees=15, dmatrix_type="dense"), FEW_LEVELS),
    "xgboost, numbers": Animal(Xgboost(ntrees=15), NUMERIC),
    "xgboost, levels": Animal(Xgboost(ntrees=15), CATEGORICAL),
    "xgboost, monotone": Animal(Xgboost(ntrees=15, monotone_constraints=RISING)),
    "xgboost, histograms": Animal(Xgboost(ntrees=15, tree_method="hist", max_bins=32), FEW_LEVELS),
    "xgboost, exact": Animal(Xgboost(ntrees=15, tree_method="exact"), FEW_LEVELS),
    "xgboost, positives weigh more": Animal(Xgboost(ntrees=15, scale_pos_weight=3.0, reg_alpha=0.5)),
    "xgboost, weights": Animal(Xgboost(ntrees=15), FEW_LEVELS, {"weights_column": "weight"}),
    "glm, many levels": Animal(Glm(lambda_=1e-3)),
    "glm, ridge": Animal(Glm(alpha=0.0, lambda_=1e-3), FEW_LEVELS),
    "glm, lasso": Animal(Glm(alpha=1.0, lambda_=1e-2), FEW_LEVELS),
    "glm, no penalty": Animal(Glm(lambda_=0.0), NUMERIC),
    "glm, as it is": Animal(Glm(standardize=False, lambda_=1e-4), ("carrier", "odd", "weekend", "delay", "distance")),
    "glm, hardly a penalty": Animal(Glm(lambda_=1e-8), FEW_LEVELS),
    "glm, levels": Animal(Glm(lambda_=1e-3), ("carrier", "odd", "weekend")),
    "glm, not negative": Animal(Glm(non_negative=True, lambda_=1e-3), FEW_LEVELS),
    "glm, weights": Animal(Glm(), FEW_LEVELS, {"weights_column": "weight"}),
}
NAMES: dict[type, AlgorithmName] = {Gbm: "gbm", Drf: "drf", Xgboost: "xgboost", Glm: "glm"}


@dataclass(frozen=True)
class Zoo:
    """The training rows in H2O, and later rows to make hostile ones of."""

    folder: Path
    training: Any
    later: list[dict[str, Any]]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zoo]:
    folder = tmp_path_factory.mktemp("zoo")
    training, later = training_and_later_rows(ROWS)
    with running_h2o(folder, xgboost=True) as address:
        h2o.connect(url=address, verbose=False, strict_version_check=False)
        h2o.no_progress()
        frame = _imported(folder / "training.parquet", training)
        weight = (frame["f_distance"] > 1000).ifelse(2.0, 0.5)
        weight.set_names(["weight"])
        yield Zoo(folder, frame.cbind(weight), later)
        h2o.connection().close()


def _imported(path: Path, rows: list[dict[str, Any]]) -> Any:
    write_parquet(path, rows)
    types = {f"f_{name}": COLUMN_TYPES[kind] for name, kind in TYPES.items()}
    return h2o.import_file(str(path), col_types=types | {"label": "enum"})


def _pipeline(animal: Animal) -> Pipeline:
    pipeline, name = load(MINIMAL), NAMES[type(animal.of)]
    told: dict[str, Any] = {"algorithm": name, name: animal.of}
    training = replace(pipeline.training, **told)
    return replace(pipeline, training=training, features=dict.fromkeys(animal.features, ""))


def _thresholds(model: Any, animal: Animal) -> dict[str, list[float]]:
    """By feature, numbers that the first trees split at."""
    found: dict[str, list[float]] = {}
    for number in range(0 if isinstance(animal.of, Glm) else min(3, animal.of.ntrees)):
        tree = H2OTree(model, number)
        for column, threshold in zip(tree.features, tree.thresholds, strict=True):
            if column and threshold == threshold:
                found.setdefault(column.removeprefix("f_"), []).append(float(threshold))
    return found


def _agrees(zoo: Zoo, animal: Animal) -> None:
    pipeline = _pipeline(animal)
    algorithm = algorithm_of(pipeline)
    model = algorithm.estimator(pipeline.training, "animal")
    for name, value in animal.more.items():
        setattr(model, name, value)
    model.train(x=[f"f_{name}" for name in animal.features], y="label", training_frame=zoo.training)
    rows = hostile_rows(zoo.later, _thresholds(model, animal), seed=7)
    frame = _imported(zoo.folder / "hostile.parquet", rows)
    rows = _as_imported(frame, rows)
    said = values_by_column(model.predict(frame)[:, 2])[0]
    labels, leaves = algorithm.labels(model, frame), algorithm.leaves(model, frame)
    bundle = _bundle(zoo.folder, model)
    assert bundle.threshold == algorithm.threshold(model)
    for row, probability, positive, nodes in zip(rows, said, labels, leaves, strict=True):
        expected = {"probability": float(probability), "positive": positive, "leaves": nodes}
        found, ours = bundle.score_features({name: row[name] for name in TYPES})
        difference = row_difference(expected, found, found >= bundle.threshold, ours)
        assert difference is None, f"{difference}: {row}"
    assert len({*said}) > 1 or getattr(animal.of, "min_split_improvement", 0) > 1, "the model tells rows apart"
    h2o.remove([frame.frame_id, "animal"])


def _as_imported(frame: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the doubles that H2O has: its import gives some numbers as the double beside them."""
    doubles = [name for name, kind in TYPES.items() if kind == "double"]
    _, *columns = values_by_column(frame[["label", *(f"f_{name}" for name in doubles)]])
    read = [[float(cell) if cell else None for cell in column] for column in columns]
    return [row | dict(zip(doubles, cells, strict=True)) for row, *cells in zip(rows, *read, strict=True)]


def _bundle(folder: Path, model: Any) -> Bundle:
    mojo, path = Path(model.download_mojo(path=str(folder))), folder / "animal.bundle"
    compile_bundle(mojo.read_bytes(), spec(TYPES), json.dumps(manifest(TYPES)), str(path))
    mojo.unlink()
    return Bundle(str(path))


@pytest.mark.parametrize("name", ONE_EACH)
def test_a_model_of_each_algorithm_answers_as_h2o_does(zoo: Zoo, name: str) -> None:
    _agrees(zoo, ONE_EACH[name])


@pytest.mark.deep
@pytest.mark.parametrize("name", THE_REST)
def test_the_whole_zoo_answers_as_h2o_does(zoo: Zoo, name: str) -> None:
    _agrees(zoo, THE_REST[name])
