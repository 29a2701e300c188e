"""`[training] algorithm`, and the tables `[training.NAME]`: what an algorithm can be told, by H2O's own names.

A value that H2O knows and serving does not is refused here, so that no candidate is made that could not serve.
"""

from __future__ import annotations

from typing import Final

from contract.hyperparameters import ALGORITHMS, Drf, Gbm, Glm, Xgboost
from contract.pipeline import Training
from streaming.pipeline_file.defaults import stated
from streaming.pipeline_file.sections import Key, Section
from streaming.pipeline_file.table_types import CONSTRAINTS
from streaming.pipeline_file.value_types import BOOLEAN, ValueType, count_or_default, integer, number, one_of

ALGORITHM: Final = Key(
    "algorithm",
    one_of(*ALGORITHMS),
    stated(Training, "algorithm"),
    "What learns: gradient boosting, a random forest, XGBoost's trees, or logistic regression. Its hyperparameters are "
    "in the table of its name; the other three tables wait.",
)

_SEED = integer(0, 2**62)
_TREES = integer(1, 10_000)
_DEPTH = integer(1, 30)
_SHARE = number(0.01, 1)
_BINS = integer(2, 65_000)
_ENCODINGS = one_of("AUTO", "Enum", "SortByResponse")
_MEANINGS: Final = {
    "ntrees": "Trees.",
    "max_depth": "Splits from root to leaf, at most.",
    "learn_rate": "How much of each tree counts.",
    "learn_rate_annealing": "By how much each tree counts less than the one before.",
    "min_rows": "Rows in a leaf, at least.",
    "sample_rate": "Share of rows that a tree sees.",
    "col_sample_rate": "Share of columns that a split sees.",
    "col_sample_rate_per_tree": "Share of columns that a tree sees.",
    "mtries": "Columns that a split sees; -1: the square root of their number.",
    "min_split_improvement": "What a split must gain, at least.",
    "nbins": "Bins of a numeric column.",
    "nbins_cats": "Bins of the levels of a column.",
    "max_bins": "Bins of a column, where `tree_method` is `hist`.",
    "categorical_encoding": "How levels are split; `SortByResponse` numbers them by their share of positives.",
    "balance_classes": "Whether the rarer class is drawn more often. Probabilities are put back afterwards.",
    "scale_pos_weight": "By how much a positive row weighs more than a negative one. Probabilities stay distorted.",
    "monotone_constraints": "Numeric feature = 1 where a higher value never lowers the probability, -1 where it never "
    "raises it.",
    "reg_lambda": "L2 penalty of the leaves.",
    "reg_alpha": "L1 penalty of the leaves.",
    "tree_method": "How splits are found.",
    "dmatrix_type": "How rows are kept; with `sparse` a zero counts as missing. `auto` decides by the share of zeros.",
    "alpha": "Share of the L1 penalty; 0 is ridge, 1 is lasso.",
    "lambda": "Strength of the penalty; without it H2O chooses one.",
    "standardize": "Whether numbers are brought to one scale for training.",
    "missing_values_handling": "A missing number counts as the mean, a missing or unseen level as the most frequent "
    "one. With H2O's `Skip` a question with a missing value would have no answer.",
    "non_negative": "Whether no coefficient may be below 0.",
    "max_iterations": "At most; -1: H2O chooses.",
    "seed": "Of the sampling.",
}


def _section(name: str, meaning: str, of: type, kinds: dict[str, ValueType]) -> Section:
    keys = (
        Key(key, kind, stated(of, "lambda_" if key == "lambda" else key), _MEANINGS[key]) for key, kind in kinds.items()
    )
    return Section(f"training.{name}", meaning, tuple(keys))


ALGORITHM_SECTIONS: Final = (
    _section(
        "gbm",
        "H2O's gradient boosting, by its own names.",
        Gbm,
        {
            "ntrees": _TREES,
            "max_depth": _DEPTH,
            "learn_rate": number(0.0001, 1),
            "min_rows": number(1, 1e9),
            "sample_rate": _SHARE,
            "col_sample_rate": _SHARE,
            "seed": _SEED,
            "col_sample_rate_per_tree": _SHARE,
            "learn_rate_annealing": number(0.5, 1),
            "min_split_improvement": number(0, 1e9),
            "nbins": _BINS,
            "nbins_cats": _BINS,
            "categorical_encoding": _ENCODINGS,
            "balance_classes": BOOLEAN,
            "monotone_constraints": CONSTRAINTS,
        },
    ),
    _section(
        "drf",
        "H2O's random forest, by its own names.",
        Drf,
        {
            "ntrees": _TREES,
            "max_depth": _DEPTH,
            "min_rows": number(1, 1e9),
            "sample_rate": _SHARE,
            "mtries": count_or_default(100_000),
            "col_sample_rate_per_tree": _SHARE,
            "min_split_improvement": number(0, 1e9),
            "nbins": _BINS,
            "nbins_cats": _BINS,
            "categorical_encoding": _ENCODINGS,
            "balance_classes": BOOLEAN,
            "seed": _SEED,
        },
    ),
    _section(
        "xgboost",
        "XGBoost within H2O, by H2O's own names. The booster is `gbtree`, levels are columns of their own.",
        Xgboost,
        {
            "ntrees": _TREES,
            "max_depth": _DEPTH,
            "learn_rate": number(0.0001, 1),
            "min_rows": number(0, 1e9),
            "sample_rate": _SHARE,
            "col_sample_rate": _SHARE,
            "col_sample_rate_per_tree": _SHARE,
            "min_split_improvement": number(0, 1e9),
            "reg_lambda": number(0, 1e9),
            "reg_alpha": number(0, 1e9),
            "scale_pos_weight": number(1e-6, 1e6),
            "max_bins": integer(2, 65_000),
            "tree_method": one_of("auto", "exact", "approx", "hist"),
            "dmatrix_type": one_of("auto", "dense", "sparse"),
            "monotone_constraints": CONSTRAINTS,
            "seed": _SEED,
        },
    ),
    _section(
        "glm",
        "H2O's logistic regression, by its own names.",
        Glm,
        {
            "alpha": number(0, 1),
            "lambda": number(0, 1e9),
            "standardize": BOOLEAN,
            "missing_values_handling": one_of("MeanImputation"),
            "non_negative": BOOLEAN,
            "max_iterations": count_or_default(1_000_000),
            "seed": _SEED,
        },
    ),
)
