"""The algorithms and their hyperparameters, by H2O's own names: `[training.NAME]`, one class an algorithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

from contract.hashed_fields import ADDED_LATER

AlgorithmName: TypeAlias = Literal["gbm", "drf", "xgboost", "glm"]
ALGORITHMS: Final[tuple[AlgorithmName, ...]] = ("gbm", "drf", "xgboost", "glm")
Constraints: TypeAlias = Mapping[str, int]
"""Numeric feature -> 1 where a higher value never lowers the probability, -1 where it never raises it."""


@dataclass(frozen=True)
class Gbm:
    """`[training.gbm]`: H2O's gradient boosting."""

    ntrees: int = 50
    max_depth: int = 5
    learn_rate: float = 0.1
    min_rows: float = 10.0
    sample_rate: float = 0.8
    col_sample_rate: float = 0.8
    seed: int = 1
    col_sample_rate_per_tree: float = field(default=1.0, metadata=ADDED_LATER)
    learn_rate_annealing: float = field(default=1.0, metadata=ADDED_LATER)
    min_split_improvement: float = field(default=1e-5, metadata=ADDED_LATER)
    nbins: int = field(default=20, metadata=ADDED_LATER)
    nbins_cats: int = field(default=1024, metadata=ADDED_LATER)
    categorical_encoding: str = field(default="AUTO", metadata=ADDED_LATER)
    balance_classes: bool = field(default=False, metadata=ADDED_LATER)
    monotone_constraints: Constraints = field(default_factory=dict, metadata=ADDED_LATER)


@dataclass(frozen=True)
class Drf:
    """`[training.drf]`: H2O's random forest."""

    ntrees: int = 50
    max_depth: int = 20
    min_rows: float = 1.0
    sample_rate: float = 0.632
    mtries: int = -1
    col_sample_rate_per_tree: float = 1.0
    min_split_improvement: float = 1e-5
    nbins: int = 20
    nbins_cats: int = 1024
    categorical_encoding: str = "AUTO"
    balance_classes: bool = False
    seed: int = 1


@dataclass(frozen=True)
class Xgboost:
    """`[training.xgboost]`: XGBoost within H2O, with the booster `gbtree`."""

    ntrees: int = 50
    max_depth: int = 6
    learn_rate: float = 0.3
    min_rows: float = 1.0
    sample_rate: float = 1.0
    col_sample_rate: float = 1.0
    col_sample_rate_per_tree: float = 1.0
    min_split_improvement: float = 0.0
    reg_lambda: float = 1.0
    reg_alpha: float = 0.0
    scale_pos_weight: float = 1.0
    max_bins: int = 256
    tree_method: str = "auto"
    dmatrix_type: str = "auto"
    monotone_constraints: Constraints = field(default_factory=dict)
    seed: int = 1


@dataclass(frozen=True)
class Glm:
    """`[training.glm]`: H2O's logistic regression. `lambda_` is H2O's lambda; None: H2O chooses it."""

    alpha: float = 0.5
    lambda_: float | None = None
    standardize: bool = True
    missing_values_handling: str = "MeanImputation"
    non_negative: bool = False
    max_iterations: int = -1
    seed: int = 1


Hyperparameters: TypeAlias = Gbm | Drf | Xgboost | Glm


def said(hyperparameters: Hyperparameters) -> dict[str, Any]:
    """By H2O's names, as the manifest has them."""
    return {name.rstrip("_"): value for name, value in asdict(hyperparameters).items()}
