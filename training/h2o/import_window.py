"""The window as H2O frames: which columns are imported, how they are typed, and which rows train.

H2O's Python client reads the domain of every categorical column of a frame that it looks at. `group` may have millions
of levels, so it is replaced by its numbers in H2O before the client looks at it; nothing reads its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import h2o
from h2o.job import H2OJob

from contract.pipeline import Pipeline, Type
from contract.records import FEATURE_PREFIX
from training.h2o.confusable_texts import is_refusal_of_texts, raw_keys_without_replaced
from training.training_errors import NotEnoughRows, TrainingFailed
from training.window import Window

_COLUMN_TYPES = {Type.STRING: "enum", Type.BOOLEAN: "enum", Type.INT: "numeric", Type.DOUBLE: "numeric"}
IDENTITY = ("partition", "offset", "append_time")
"""Which of the events topic's records a row came from; H2O reads `append_time` as microseconds since 1970."""
_ROW_COLUMNS = {"bucket": "numeric", "group": "enum", "label": "enum"} | dict.fromkeys(IDENTITY, "numeric")


def import_window(window: Window, pipeline: Pipeline, types: Mapping[str, Type], own: str) -> tuple[Any, Any]:
    """The training frame (label and features), and the holdout (its rows' identity and the number of their group, too).

    Raises:
        NotEnoughRows: one of the two is empty, or all its labels are equal.
        TrainingFailed: no training row is left once the holdout's groups are removed.
    """
    frame = _imported(window.files, _wanted(pipeline, types), own)
    train = frame[_within(frame["bucket"], window, window.start, window.split), :]
    holdout = frame[_within(frame["bucket"], window, window.split, window.end), :]
    for what, part in (("training", train), ("holdout", holdout)):
        if part.nrows == 0:
            raise NotEnoughRows(f"no rows {_in_part(what, window)}: wait for more buckets")
        if not _has_both_labels(part):
            raise NotEnoughRows(f"all labels are equal {_in_part(what, window)}: wait for more buckets")
    kept = _without_groups_of(train, holdout)
    _check_kept(pipeline, train.nrows, kept)
    columns = ["label", *(FEATURE_PREFIX + name for name in pipeline.features)]
    held_out = holdout[[*columns, "group", *IDENTITY]]
    return h2o.assign(kept[columns], f"{own}.train"), h2o.assign(held_out, f"{own}.holdout")


def _in_part(what: str, window: Window) -> str:
    without = " without the buckets around lost records (hotpath losses list)" if window.excluded else ""
    return f"in the {what} part of the window{without}"


def _wanted(pipeline: Pipeline, types: Mapping[str, Type]) -> dict[str, str]:
    """H2O's type of every column that a run needs."""
    return _ROW_COLUMNS | {FEATURE_PREFIX + name: _COLUMN_TYPES[types[name]] for name in pipeline.features}


def _imported(files: Sequence[str], wanted: Mapping[str, str], own: str) -> Any:
    """These columns of the Parquet files as one frame, `group` as a number."""
    parsed, frame = f"{own}.window", f"{own}.rows"
    try:
        names = _parse(h2o.lazy_import(list(files)), wanted, parsed)
    except OSError as error:
        if not is_refusal_of_texts(error):
            raise
        names = _parse(raw_keys_without_replaced(files, wanted, own), wanted, parsed)
    group = names.index("group")
    h2o.rapids(f"(tmp= {frame} (:= {parsed} (as.numeric (cols_py {parsed} {group})) {group} []))")
    return h2o.get_frame(frame)


def _parse(raw: Any, wanted: Mapping[str, str], destination: str) -> list[str]:
    """Parse imported files into a frame of the wanted columns, whose names are returned in order."""
    names = [column.strip('"') for column in h2o.parse_setup(raw)["column_names"]]
    skipped = [index for index, column in enumerate(names) if column not in wanted]
    setup = h2o.parse_setup(raw, destination_frame=destination, column_types=dict(wanted), skipped_columns=skipped)
    H2OJob(h2o.api("POST /3/Parse", data=_parse_request(setup)), "Parse").poll()
    return [column for column in names if column in wanted]


_PARSE_PARAMETERS = (
    *("destination_frame", "parse_type", "separator", "check_header", "number_columns", "chunk_size"),
    *("column_names", "column_types", "skipped_columns", "single_quotes", "escapechar"),
)


def _parse_request(setup: Mapping[str, Any]) -> dict[str, Any]:
    asked = {name: setup[name] for name in _PARSE_PARAMETERS if setup.get(name) is not None}
    sources = [f'"{source["name"]}"' for source in setup["source_frames"]]
    return asked | {"source_frames": sources, "delete_on_done": True, "blocking": False}


def _within(bucket: Any, window: Window, start: int, end: int) -> Any:
    """Which rows lie in the buckets of [start, end) that are not excluded."""
    inside = (bucket >= start) & (bucket < end)
    for first, after in window.excluded:
        if first < end and after > start:
            inside = inside & ((bucket < first) | (bucket >= after))
    return inside


def _has_both_labels(frame: Any) -> bool:
    return bool(frame["label"].unique().nrows == 2)


def _without_groups_of(train: Any, holdout: Any) -> Any:
    """The training rows whose group is not in the holdout as well: a group that is in both would leak."""
    groups = holdout[["group"]].group_by("group").count().get_frame()
    shared = train.merge(groups, all_x=True, by_x=["group"], by_y=["group"])
    return shared[shared["nrow"].isna(), :].drop("nrow")


def _check_kept(pipeline: Pipeline, before: int, kept: Any) -> None:
    """Refuse what removing the holdout's groups has left, when it is too little to train on."""
    gone, fields = before - kept.nrows, ", ".join(pipeline.training.group)
    of = f"{gone} of {before} training rows have a group (by {fields}) that the holdout has as well, and were removed"
    if kept.nrows == 0:
        raise TrainingFailed(f"{of}: none is left; {_FINER}", f"no training row is left: {_TOO_COARSE}")
    if not _has_both_labels(kept):
        raise TrainingFailed(
            f"{of}: all labels of the rest are equal; {_FINER}",
            f"the training rows that are left have one label only: {_TOO_COARSE}",
        )


_TOO_COARSE = "almost every group of the window is in the holdout too, and a group must not be in both"
_FINER = "name a field of finer values in [training] group, lengthen window, or shorten holdout"
