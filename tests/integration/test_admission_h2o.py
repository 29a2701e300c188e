"""What a real H2O says of real flights, the compiled bundle says too: leaves, labels, and probability within 4 ulp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h2o
import pytest
from h2o.estimators import (
    H2OGeneralizedLinearEstimator,
    H2OGradientBoostingEstimator,
    H2ORandomForestEstimator,
)

from serving._native import Bundle
from serving.candidates.admission import Refused, admit
from tests.integration.flights_for_h2o import TYPES, training_and_later_rows, write_parquet
from tests.integration.h2o_process import running_h2o
from tests.serving.admission_candidates import write_candidate

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore:(Dropping bad|Test/Validation dataset)")]

ROWS = 5000
COLUMN_TYPES = {"string": "enum", "boolean": "enum", "int": "numeric", "double": "numeric"}
MODELS: dict[str, dict[str, Any]] = {
    "as usual": {"ntrees": 50, "max_depth": 5, "sample_rate": 0.8, "col_sample_rate": 0.8},
    "deep": {"ntrees": 12, "max_depth": 20, "min_rows": 1, "learn_rate": 0.3},
    "levels in few bins": {"ntrees": 20, "max_depth": 8, "nbins_cats": 16},
    "all levels apart": {"ntrees": 20, "max_depth": 8, "nbins_cats": 8192, "min_rows": 2},
    "one leaf a tree": {"ntrees": 3, "max_depth": 5, "min_split_improvement": 1e9},
}


@dataclass(frozen=True)
class Flights:
    """Frames in H2O, and the rows that the second one was made of."""

    training: Any
    later: Any
    rows: list[dict[str, Any]]


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flights]:
    folder = tmp_path_factory.mktemp("h2o")
    training, later = training_and_later_rows(ROWS)
    write_parquet(folder / "training.parquet", training)
    write_parquet(folder / "later.parquet", later)
    with running_h2o(folder) as address:
        h2o.connect(url=address, verbose=False, strict_version_check=False)
        h2o.no_progress()
        yield Flights(_imported(folder / "training.parquet"), _imported(folder / "later.parquet"), later)
        h2o.connection().close()


def _imported(path: Path) -> Any:
    types = {f"f_{name}": COLUMN_TYPES[kind] for name, kind in TYPES.items()}
    return h2o.import_file(str(path), col_types=types | {"label": "enum"})


def _trained(flights: Flights, estimator: Any, features: Iterable[str] = TYPES) -> Any:
    estimator.train(x=[f"f_{name}" for name in features], y="label", training_frame=flights.training)
    return estimator


def _mojo(model: Any, folder: Path) -> bytes:
    return Path(model.download_mojo(path=str(folder))).read_bytes()


def _reference(model: Any, flights: Flights) -> list[dict[str, Any]]:
    answers = model.predict(flights.later).cbind(model.predict_leaf_node_assignment(flights.later, "Node_ID"))
    rows = h2o.as_list(answers, use_pandas=False, header=False)
    return [
        {
            "features": {name: row[name] for name in TYPES},
            "probability": float(positive),
            "positive": label == "True",
            "leaves": [int(leaf) for leaf in leaves],
            "event": None,
            "as_of": None,
        }
        for row, (label, _, positive, *leaves) in zip(flights.rows, rows, strict=True)
    ]


@pytest.mark.parametrize("name", MODELS)
def test_every_row_agrees_with_h2o(flights: Flights, tmp_path: Path, name: str) -> None:
    model = _trained(flights, H2OGradientBoostingEstimator(seed=1, **MODELS[name]))
    candidate = write_candidate(tmp_path / "candidate", _mojo(model, tmp_path), _reference(model, flights), TYPES)
    admission = admit(candidate, tmp_path / "p.bundle")
    assert admission.rows == ROWS
    assert Bundle(str(admission.bundle)).threshold == model._model_json["output"]["default_threshold"]


def test_a_row_that_h2o_answered_otherwise_is_named(flights: Flights, tmp_path: Path) -> None:
    model = _trained(flights, H2OGradientBoostingEstimator(seed=1, ntrees=5))
    reference = _reference(model, flights)
    reference[4321]["leaves"][3] += 1
    candidate = write_candidate(tmp_path / "candidate", _mojo(model, tmp_path), reference, TYPES)
    with pytest.raises(Refused, match=r"reference\.jsonl row 4322: leaf of tree 3: H2O has "):
        admit(candidate, tmp_path / "p.bundle")


OTHERS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "offset": (H2OGradientBoostingEstimator, {"offset_column": "f_distance"}, r"an offset \(f_distance\)"),
    "one hot": (H2OGradientBoostingEstimator, {"categorical_encoding": "one_hot_explicit"}, "_genmodel_encoding ="),
    "two forests": (H2ORandomForestEstimator, {"binomial_double_trees": True}, "binomial_double_trees = true"),
    "skipped rows": (H2OGeneralizedLinearEstimator, {"missing_values_handling": "Skip"}, "mean_imputation = false"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_model_of_another_kind_is_refused_by_name(flights: Flights, tmp_path: Path, name: str) -> None:
    estimator, more, message = OTHERS[name]
    trees = {} if estimator is H2OGeneralizedLinearEstimator else {"ntrees": 2, "max_depth": 3}
    model = _trained(flights, estimator(seed=1, **trees, **more), ["carrier", "delay"])
    candidate = write_candidate(tmp_path / "candidate", _mojo(model, tmp_path), [], TYPES)
    with pytest.raises(Refused, match=f"{message}.*not in this version"):
        admit(candidate, tmp_path / "p.bundle")


def test_a_calibrated_model_is_refused_by_name(flights: Flights, tmp_path: Path) -> None:
    more = {"calibrate_model": True, "calibration_frame": flights.later, "ntrees": 2}
    model = _trained(flights, H2OGradientBoostingEstimator(seed=1, **more), ["carrier", "delay"])
    candidate = write_candidate(tmp_path / "candidate", _mojo(model, tmp_path), [], TYPES)
    with pytest.raises(Refused, match=r"calibration \(calib.*not in this version"):
        admit(candidate, tmp_path / "p.bundle")
