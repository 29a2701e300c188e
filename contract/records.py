"""Every record and table of a pipeline, declared once: names, types, units.

Times are UTC. In tables they are timestamps in microseconds; in JSON records RFC 3339 text with milliseconds,
except fields whose names end in `_ms`. A bucket is named by its start in seconds since 1970.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

OUTSIDE: Final = -1
"""The one bucket of quarantined questions, whose `as_of` or `due` is out of bounds."""

SPAN_BUCKETS: Final = 24
"""How many buckets one partition of `rows` and `outcomes` holds."""

STATES: Final = ("row", "duplicate", "waiting", "known", "expired", "quarantined")
"""Every question is in exactly one of these."""

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")

IDENTITY: Final = ("topic", "partition", "offset", "append_time")
"""The columns that identify a record, whatever reads it how often."""

POSITION = (
    pa.field("topic", pa.string()),
    pa.field("partition", pa.int32()),
    pa.field("offset", pa.int64()),
    pa.field("append_time", TIMESTAMP),  # the on-prem broker's stamp, or an import's header
    pa.field("kafka_time", TIMESTAMP),  # the broker's stamp, whatever a header says
    pa.field("imported", pa.bool_()),
    pa.field("host", pa.string()),
)
"""The columns with which every table begins."""

EVENTS = (
    *POSITION,
    pa.field("id", pa.string()),
    pa.field("key", pa.string()),  # JSON array of the key's values, as the native decoder prints it
    pa.field("as_of", TIMESTAMP),
    pa.field("due", TIMESTAMP),
    pa.field("value", pa.binary()),  # the record without its sensitive fields; NULL after `raw_retention`
    # `event`: a struct of the pipeline's fields, sensitive ones left out
    pa.field("bucket", pa.int64()),  # partition column
)

LABELS = (
    *POSITION,
    pa.field("key", pa.string()),
    pa.field("time", TIMESTAMP),
    pa.field("value", pa.binary()),
    # `label`: a struct of the label's fields
    pa.field("append_hour", pa.int64()),  # partition column: append_time floored to the hour, seconds
)

FACTS = (
    *POSITION,
    pa.field("kafka_key", pa.binary()),
    pa.field("value", pa.binary()),
    pa.field("append_hour", pa.int64()),
)

DEAD_LETTERS = (
    *POSITION,
    pa.field("reason", pa.string()),  # a code of `DEAD_LETTER_REASONS`
    pa.field("field", pa.string()),
    pa.field("detail", pa.string()),
    pa.field("at_byte", pa.int64()),
    pa.field("value", pa.binary()),  # NULL where the pipeline declares sensitive fields
    pa.field("sha256", pa.string()),
    pa.field("bytes", pa.int64()),
    pa.field("append_hour", pa.int64()),
)

DEAD_LETTER_REASONS: Final = (
    "not_json",
    "not_an_object",
    "duplicate_field",
    "wrong_type",
    "missing",
    "too_large",
    "append_time",  # the broker's stamp, or the one that an import states, cannot be
)

QUARANTINE_REASONS: Final = (
    "as_of_null",
    "due_null",
    "as_of_in_1970",  # seconds since 1970 where milliseconds are meant
    "due",  # it lies too far from the append time
    "as_of_past",
    "as_of_future",
)
"""Why a question is in the bucket OUTSIDE."""

ROW_STATE = (
    *POSITION,
    pa.field("bucket", pa.int64()),
    pa.field("id", pa.string()),
    pa.field("key", pa.string()),
    pa.field("group", pa.string()),
    pa.field("as_of", TIMESTAMP),
    pa.field("due", TIMESTAMP),
    pa.field("label", pa.bool_()),
    pa.field("label_append_time", TIMESTAMP),
    pa.field("label_missing", pa.bool_()),
    # one column per feature, named as the feature with the prefix `f_`
    pa.field("span", pa.int64()),  # partition column: start of SPAN_BUCKETS buckets, seconds
    pa.field("state", pa.string()),  # partition column: one of STATES
)
"""`rows`: one record per question of a built bucket, in its state; features only where the state is `row`."""

FEATURE_PREFIX: Final = "f_"

PREDICTIONS = (
    *POSITION,
    pa.field("prediction_id", pa.string()),
    pa.field("id", pa.string()),
    pa.field("key", pa.string()),
    pa.field("as_of", TIMESTAMP),
    pa.field("due", TIMESTAMP),
    pa.field("answered", TIMESTAMP),
    pa.field("model", pa.string()),
    pa.field("pipeline_hash", pa.string()),
    pa.field("probability", pa.float64()),
    pa.field("decision", pa.string()),
    pa.field("hypothetical", pa.bool_()),
    pa.field("features", pa.string()),  # JSON object
    pa.field("event", pa.string()),  # JSON object, sensitive fields left out
    pa.field("bucket", pa.int64()),  # partition column, by `due`
)

OUTCOMES = (
    *POSITION,
    pa.field("bucket", pa.int64()),
    pa.field("prediction_id", pa.string()),
    pa.field("id", pa.string()),
    pa.field("key", pa.string()),
    pa.field("model", pa.string()),
    pa.field("as_of", TIMESTAMP),
    pa.field("due", TIMESTAMP),
    pa.field("answered", TIMESTAMP),
    pa.field("probability", pa.float64()),
    pa.field("decision", pa.string()),
    pa.field("label", pa.bool_()),
    pa.field("label_append_time", TIMESTAMP),
    pa.field("label_missing", pa.bool_()),
    pa.field("slices", pa.string()),  # JSON object: the level of each of the pipeline's slices
    pa.field("span", pa.int64()),  # partition column
    pa.field("state", pa.string()),  # partition column: as `rows`; `duplicate`: not the first per id and model
)
"""`outcomes`: predictions joined with labels as `rows` are built; needs no event."""


PREDICTION: Final = {
    "prediction_id": "string",
    "id": "string",
    "key": "string",
    "as_of": "timestamp",
    "due": "timestamp",
    "answered": "timestamp",
    "model": "string",
    "pipeline_hash": "string",
    "probability": "double",  # from 0 to 1
    "decision": "string",
    "tolerance": "string",  # the one that decided; null: the model's threshold
    "reason": "string",  # why it abstained, else null
    "hypothetical": "boolean",
    "features": "object",
    "event": "object",
    "model_age_s": "double",
    "as_of_source": "string",  # query | body | clock
    "scorer": "string",
    "traceparent": "string",
}
"""The JSON record on `<pipeline>.predictions`; the Kafka key is the entity's `key`."""

PREDICTION_REQUIRED: Final = ("prediction_id", "key", "as_of", "model", "probability")
"""What no prediction lacks; a record without one of them is a dead letter."""

MODEL_STATES: Final = ("candidate", "rejected", "admitted", "shadow", "champion", "retired")

MODEL_STATE: Final = {
    "version": "string",
    "state": "string",  # one of MODEL_STATES
    "pinned": "boolean",
    "who": "string",  # `rollout` or a person's login name
    "when": "timestamp",
    "why": "string",
    "auc": "double",  # on the holdout, for lists
}
"""The JSON record on `<pipeline>.models`; the Kafka key is the version."""
