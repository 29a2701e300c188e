"""A checked draft into a `Pipeline`, with every default filled in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from contract.hyperparameters import Drf, Gbm, Glm, Xgboost
from contract.pipeline import (
    Clock,
    Events,
    Example,
    Label,
    Lake,
    Monitoring,
    Pipeline,
    Promotion,
    Scorecard,
    Serving,
    Training,
)
from streaming.pipeline_file.defaults import FACTS, GROUP, MAX_AGE, RAW_RETENTION, RETENTION
from streaming.pipeline_file.hashes import file_hash, rows_hash
from streaming.pipeline_file.read_sections import Draft
from streaming.pipeline_file.references import label_key


def assemble(draft: Draft) -> Pipeline:
    """The pipeline that a draft without problems says."""
    events, label, training = _events(draft), _label(draft), _training(draft)
    parts: dict[str, Any] = {
        "name": draft[""]["name"],
        "events": events,
        "features": draft[""]["features"],
        "label": label,
        "facts": draft["facts"].get("topics", FACTS),
        "clock": Clock(**draft["clock"]),
        "lake": _lake(draft, training, label),
        "training": training,
        "promotion": Promotion(**draft["promotion"]),
        "scorecard": draft[""].get("scorecard", Scorecard()),
        "serving": _serving(draft, training, label),
        "monitoring": Monitoring(**draft["monitoring"]),
    }
    meaning, rows = file_hash(parts), rows_hash(events, parts["features"], label)
    return Pipeline(**parts, examples=_examples(draft), file_hash=meaning, rows_hash=rows)


def _events(draft: Draft) -> Events:
    values = draft["events"]
    return Events(**{**values, "fields": tuple(values["fields"].values())})


def _label(draft: Draft) -> Label:
    values = draft["label"]
    return Label(**{**values, "fields": tuple(values["fields"].values()), "key": label_key(draft)})


def _training(draft: Draft) -> Training:
    return Training(
        **{"group": GROUP.of(draft["events"]["key"]), **draft["training"]},
        gbm=Gbm(**draft["training.gbm"]),
        drf=Drf(**draft["training.drf"]),
        xgboost=Xgboost(**draft["training.xgboost"]),
        glm=Glm(**{"lambda_" if name == "lambda" else name: value for name, value in draft["training.glm"].items()}),
    )


def _lake(draft: Draft, training: Training, label: Label) -> Lake:
    retention: timedelta = draft["lake"].get("retention", RETENTION.of(training, label))
    raw_retention = RAW_RETENTION.of(training, retention)
    return Lake(**{"raw_retention": raw_retention, **draft["lake"], "retention": retention})


def _serving(draft: Draft, training: Training, label: Label) -> Serving:
    return Serving(**{"max_age": MAX_AGE.of(training, label), **draft["serving"]})


def _examples(draft: Draft) -> tuple[Example, ...]:
    return tuple(_example(values) for values in draft["examples"]["examples"])


def _example(values: dict[str, Any]) -> Example:
    expected = {**values.get("expected", {}), **dict.fromkeys(values.get("expected_null", []))}
    return Example(event=values["event"], expected=expected, as_of=values.get("as_of"))
