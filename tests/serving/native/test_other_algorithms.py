"""What tells the other algorithms from gradient boosting; `tests/integration/test_zoo_h2o.py` compares with H2O."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest

from serving._native import Bundle, compile_bundle
from tests.serving.booster_bytes import booster_bytes
from tests.serving.models import LEVELS, columns, manifest, spec
from tests.serving.mojo_zip import LEFT, RIGHT, Model, Split, Tree, mojo_zip, unzipped, zipped

ROW: dict[str, Any] = {"n": 1.0, "i": 1, "s": "a", "t": "level 3", "b": True}
TREES: list[Tree] = [Split(0, 0.5, LEFT, 0.25, 1.0), 0.5]


def compiled(folder: Path, mojo: bytes) -> Bundle:
    path = folder / "model.bundle"
    compile_bundle(mojo, spec(), json.dumps(manifest()), str(path))
    return Bundle(str(path))


def test_a_forest_votes_for_the_negative_class(tmp_path: Path) -> None:
    info = {"algo": "drf", "binomial_double_trees": "false"}
    bundle = compiled(tmp_path, mojo_zip(Model(columns(["n"]), TREES, info=info)))
    assert bundle.score_features(ROW) == (1 - (1.0 + 0.5) / 2, [2, 0])
    assert bundle.score_features(ROW | {"n": None})[0] == 1 - (0.25 + 0.5) / 2


@pytest.mark.parametrize(("algo", "probability"), [("gbm", 0.2), ("drf", 0.2)])
def test_balanced_classes_are_put_back_to_their_shares(tmp_path: Path, algo: str, probability: float) -> None:
    info = {"algo": algo, "binomial_double_trees": "false", "balance_classes": "true"}
    shares = {"prior_class_distrib": "[0.8, 0.2]", "model_class_distrib": "[0.5, 0.5]"}
    leaf = 0.0 if algo == "gbm" else 0.5
    bundle = compiled(tmp_path, mojo_zip(Model(columns(["n"]), [leaf], info=info | shares)))
    assert bundle.score_features(ROW)[0] == probability


def glm(all_levels: bool = False) -> bytes:
    beta = [*([0.5] if all_levels else []), 1.0, 2.0, -1.0]
    info = {
        "algo": "glm",
        "family": "binomial",
        "link": "logit",
        "mean_imputation": "true",
        "use_all_factor_levels": str(all_levels).lower(),
        "cats": "1",
        "cat_modes": "[1]",
        "cat_offsets": f"[0, {2 if all_levels else 1}]",
        "nums": "1",
        "num_means": "[3.0]",
        "beta": str(beta),
    }
    return mojo_zip(Model(columns(["b", "n"]), [], info=info))


def logit(eta: float) -> float:
    return 1 / (math.exp(-eta) + 1)


@pytest.mark.parametrize(
    ("features", "eta"),
    [
        ({"b": True, "n": 0.5}, 1.0 + 2 * 0.5 - 1),
        ({"b": False, "n": 0.5}, 2 * 0.5 - 1),
        ({"b": None, "n": 0.5}, 1.0 + 2 * 0.5 - 1),
        ({"b": False, "n": None}, 2 * 3.0 - 1),
        ({"b": False, "n": math.inf}, 2 * 3.0 - 1),
    ],
)
def test_a_linear_model_imputes_the_mean_and_the_most_frequent_level(
    tmp_path: Path, features: dict[str, Any], eta: float
) -> None:
    assert compiled(tmp_path, glm()).score_features(ROW | features) == (logit(eta), [])


def test_a_linear_model_may_have_a_coefficient_for_the_first_level_too(tmp_path: Path) -> None:
    bundle = compiled(tmp_path, glm(all_levels=True))
    assert bundle.score_features(ROW | {"b": False, "n": 0.5})[0] == logit(0.5 + 2 * 0.5 - 1)


def test_coefficients_that_do_not_fit_the_columns_are_refused(tmp_path: Path) -> None:
    files = unzipped(glm())
    broken = files["model.ini"].replace(b"beta = [1.0, ", b"beta = [")
    with pytest.raises(ValueError, match=r"model\.ini: 2 coefficients at \[0, 1\] for 2 columns"):
        compiled(tmp_path, zipped(files | {"model.ini": broken}))


def xgboost(trees: list[Tree], sparse: bool) -> bytes:
    """Columns of the booster: 0 and 1 are the levels of `b`, 2 is its being missing, 3 is `n`."""
    info = {
        "algo": "xgboost",
        "use_all_factor_levels": "true",
        "cats": "1",
        "nums": "1",
        "cat_offsets": f"[0, {len(LEVELS['b']) + 1}]",
        "sparse": str(sparse).lower(),
    }
    mojo = mojo_zip(Model(columns(["b", "n"]), [], info=info))
    return zipped(unzipped(mojo) | {"boosterBytes": booster_bytes(trees)})


def side(folder: Path, column: int, missing: int, sparse: bool, **features: Any) -> str:
    """Where a tree of one split by 0.5 sends a row."""
    bundle = compiled(folder, xgboost([Split(column, 0.5, missing, -1.0, 1.0)], sparse))
    probability, [leaf] = bundle.score_features(ROW | features)
    assert (probability > 0.5) == (leaf == 2)
    return "right" if leaf == 2 else "left"


@pytest.mark.parametrize("sparse", [False, True])
def test_a_level_is_a_column_of_its_own(tmp_path: Path, sparse: bool) -> None:
    assert side(tmp_path, 1, LEFT, sparse, b=True) == "right"
    assert side(tmp_path, 1, LEFT, sparse, b=False) == "left"
    assert side(tmp_path, 2, LEFT, sparse, b=None) == "right"
    assert side(tmp_path, 2, LEFT, sparse, b=True) == "left"


def test_a_level_that_a_row_has_not_is_missing_only_where_zeros_are(tmp_path: Path) -> None:
    assert side(tmp_path, 1, RIGHT, False, b=False) == "left"
    assert side(tmp_path, 1, RIGHT, True, b=False) == "right"


def test_a_zero_is_missing_where_the_model_is_sparse(tmp_path: Path) -> None:
    for zero in (0.0, -0.0, 1e-46):
        assert side(tmp_path, 3, RIGHT, False, n=zero) == "left"
        assert side(tmp_path, 3, RIGHT, True, n=zero) == "right"


def test_numbers_are_compared_as_the_nearest_floats(tmp_path: Path) -> None:
    below = math.nextafter(0.5, 0)
    assert side(tmp_path, 3, LEFT, False, n=below) == "right", "its nearest float is 0.5"
    assert side(tmp_path, 3, RIGHT, False, n=None) == "right"


def test_leaves_are_added_as_floats(tmp_path: Path) -> None:
    probability, _ = compiled(tmp_path, xgboost([0.1, 0.2, 0.7], False)).score_features(ROW)
    assert probability == struct.unpack("<f", struct.pack("<f", probability))[0]
    assert probability == pytest.approx(logit(1.0), abs=1e-7)
