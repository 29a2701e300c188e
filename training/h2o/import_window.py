"""The window as H2O frames: which columns are imported, how they are typed, and which rows train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h2o

from contract.pipeline import Pipeline, Type
from contract.records import FEATURE_PREFIX
from training.training_errors import NotEnoughRows
from training.window import Window

_COLUMN_TYPES = {Type.STRING: "enum", Type.BOOLEAN: "enum", Type.INT: "numeric", Type.DOUBLE: "numeric"}
_ROW_COLUMNS = {"bucket": "numeric", "partition": "numeric", "offset": "numeric", "group": "enum", "label": "enum"}


def import_window(window: Window, pipeline: Pipeline, types: Mapping[str, Type], own: str) -> tuple[Any, Any]:
    """The training and the holdout frame; only the columns that a run needs, with explicit types.

    Raises:
        NotEnoughRows: one of the two is empty, or all its labels are equal.
    """
    wanted = _ROW_COLUMNS | {FEATURE_PREFIX + name: _COLUMN_TYPES[types[name]] for name in pipeline.features}
    raw = h2o.lazy_import(list(window.files))
    setup = h2o.parse_setup(raw)
    names = [name.strip('"') for name in setup["column_names"]]
    skipped = [index for index, name in enumerate(names) if name not in wanted]
    frame = h2o.import_file(
        list(window.files), destination_frame=f"{own}.window", col_types=wanted, skipped_columns=skipped
    )
    train = frame[(frame["bucket"] >= window.start) & (frame["bucket"] < window.split), :]
    holdout = frame[(frame["bucket"] >= window.split) & (frame["bucket"] < window.end), :]
    for what, part in (("training", train), ("holdout", holdout)):
        if part.nrows == 0:
            raise NotEnoughRows(f"no rows in the {what} part of the window: wait for more buckets")
        if part["label"].unique().nrows < 2:
            raise NotEnoughRows(f"all labels are equal in the {what} part of the window: wait for more buckets")
    return h2o.assign(_without_groups_of(train, holdout), f"{own}.train"), h2o.assign(holdout, f"{own}.holdout")


def _without_groups_of(train: Any, holdout: Any) -> Any:
    """The training rows whose group is not in the holdout as well: a group that is in both would leak."""
    groups = holdout[["group"]].group_by("group").count().get_frame()
    shared = train.merge(groups, all_x=True, by_x=["group"], by_y=["group"])
    return shared[shared["nrow"].isna(), :].drop("nrow")
