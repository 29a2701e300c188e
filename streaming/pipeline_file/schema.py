"""Every key of the pipeline file, declared once: kind, default, meaning. docs/pipeline.md is generated from here.

A default is the text that docs/pipeline.md shows, made of the value in a dataclass of `contract.pipeline` or taken from
`defaults.py`, which computes it. None: the key is required.
"""

from __future__ import annotations

from contract.alert_catalogue import FIGURE_WORDS
from contract.pipeline import Clock, Events, Label, Monitoring, Promotion, Serving, Training
from contract.topics import APPEND_TIME_HEADER
from streaming.pipeline_file.alert_tables import ALERT_TABLES
from streaming.pipeline_file.algorithm_sections import ALGORITHM, ALGORITHM_SECTIONS
from streaming.pipeline_file.defaults import FACTS as NO_FACTS
from streaming.pipeline_file.defaults import GROUP, LABEL_KEY, MAX_AGE, RAW_RETENTION, RETENTION, stated, written
from streaming.pipeline_file.scorecard_tables import SCORECARD
from streaming.pipeline_file.sections import Key, Section
from streaming.pipeline_file.table_types import FEATURES, FIELDS
from streaming.pipeline_file.value_types import (
    BOOLEAN,
    DURATION,
    EXPRESSION,
    NAME,
    NAMES,
    POSITIVE_DURATION,
    SLICES,
    TOPIC,
    TOPICS,
    WAIT,
    integer,
    number,
    table_of,
)

_AUC, _COUNT = number(0, 1), integer(0, 10**12)
_FLOORS = {name: number(0, 1000) if name in ("log_loss", "calibration") else number(0, 1) for name in FIGURE_WORDS}

ROOT = Section(
    "",
    "Before the first table.",
    (
        Key(
            "name",
            NAME,
            None,
            "The pipeline's name: of its tables, topics, metrics, paths and model versions.",
        ),
        Key(
            "features",
            FEATURES,
            None,
            "What the model sees, in this order: name = SQL over fields and `as_of`.",
        ),
        Key("scorecard", SCORECARD, "none", "Risk tolerances: the tables below."),
    ),
    required=True,
)

EVENTS = Section(
    "events",
    "The questions that applications ask.",
    (
        Key("topic", TOPIC, None, "The on-prem topic of the events."),
        Key("key", NAMES, None, "The fields that name the entity: what has one outcome."),
        Key("id", NAME, None, "The field that names the question; a retry repeats it. A string or an int."),
        Key("time", NAME, None, "The timestamp field that says when the question was asked."),
        Key("host", NAME, stated(Events, "host"), "The string field that names the producing host."),
        Key("fields", FIELDS, None, "The record's fields: name = type, or { type, required, sensitive }."),
    ),
    required=True,
)

LABEL = Section(
    "label",
    "The outcomes.",
    (
        Key("topic", TOPIC, None, "The on-prem topic of the labels."),
        Key(
            "key",
            NAMES,
            LABEL_KEY.says,
            "The label's fields of the entity, in the order of `[events] key`.",
        ),
        Key("time", NAME, stated(Label, "time"), "The timestamp field that says when the outcome was known."),
        Key("value", EXPRESSION, None, "SQL over the label's fields, boolean; NULL says: no outcome (yet)."),
        Key(
            "wait",
            WAIT,
            None,
            "When a label must have come: a time after `as_of`, or SQL over the event's fields.",
        ),
        Key("max_wait", POSITIVE_DURATION, None, "How far `as_of` and `due` may lie from the append time."),
        Key("max_late", DURATION, stated(Label, "max_late"), "How long after its bucket's end a label still counts."),
        Key(
            "missing",
            BOOLEAN,
            stated(Label, "missing"),
            "The outcome of a question whose label never came; without it, it expires.",
        ),
        Key("fields", FIELDS, None, "The record's fields: name = type, or { type, required, sensitive }."),
    ),
    required=True,
)

FACTS = Section(
    "facts",
    "Topics that are neither questions nor labels; their records are kept as they are.",
    (Key("topics", TOPICS, written(NO_FACTS), "On-prem topics whose records land in the table `facts`."),),
)

CLOCK = Section(
    "clock",
    "Whose clock counts.",
    (
        Key(
            "imports",
            BOOLEAN,
            stated(Clock, "imports"),
            f"Whether a record's header `{APPEND_TIME_HEADER}`, in milliseconds since 1970, is its append time. "
            "The last header of that name counts. Before 1990 or after the broker's own stamp, the record is a dead "
            "letter.",
        ),
        Key(
            "tolerance",
            POSITIVE_DURATION,
            stated(Clock, "tolerance"),
            "How far a stated `as_of` may lie from a scorer's clock.",
        ),
    ),
)

LAKE = Section(
    "lake",
    "The tables.",
    (
        Key(
            "buckets",
            POSITIVE_DURATION,
            None,
            "Questions become final by buckets of `due` this long. Whole seconds.",
        ),
        Key(
            "retention",
            POSITIVE_DURATION,
            RETENTION.says,
            "How long tables keep records.",
        ),
        Key(
            "raw_retention",
            DURATION,
            RAW_RETENTION.says,
            "How long raw bytes stay beside decoded fields.",
        ),
    ),
    required=True,
)

TRAINING = Section(
    "training",
    "When and on what a model is trained.",
    (
        Key("window", POSITIVE_DURATION, None, "How much of the past, by `due`, a model is trained on."),
        Key("holdout", POSITIVE_DURATION, None, "How much after the window it is evaluated on."),
        Key("every", POSITIVE_DURATION, None, "How often a model is trained."),
        ALGORITHM,
        Key(
            "group",
            NAMES,
            GROUP.says,
            "The fields of the event whose equal values splits keep whole.",
        ),
        Key("keep", integer(1, 100_000), stated(Training, "keep"), "How many of the newest candidates are kept."),
        Key(
            "slices", SLICES, stated(Training, "slices"), "String features by whose levels the holdout is measured too."
        ),
    ),
    required=True,
)

PROMOTION = Section(
    "promotion",
    "What a candidate must reach to be proposed.",
    (
        Key(
            "floors",
            table_of({"auc": _AUC, "rows": _COUNT, "positives": _COUNT}),
            stated(Promotion, "floors"),
            "A candidate below one of these on its holdout is kept and not proposed.",
        ),
    ),
)

SERVING = Section(
    "serving",
    "Answers, and how one scorer hands over to the next.",
    (
        Key(
            "max_age",
            POSITIVE_DURATION,
            MAX_AGE.says,
            "An answer of an older model is `expired`. At least max_wait + holdout + 2 x every.",
        ),
        Key("watch", DURATION, stated(Serving, "watch"), "How long blue stays warm after a switch, should green die."),
        Key("drain", POSITIVE_DURATION, stated(Serving, "drain"), "How long blue waits for its connections to end."),
        Key(
            "log_predictions",
            BOOLEAN,
            stated(Serving, "log_predictions"),
            "Whether answers are recorded: without, no model health.",
        ),
    ),
)

MONITORING = Section(
    "monitoring",
    "What is worth an alert.",
    (
        Key(
            "floors",
            table_of(_FLOORS),
            stated(Monitoring, "floors"),
            "An alert when a realised figure's whole 90 % interval is below its floor; of log loss and Brier score "
            "above its ceiling. Calibration is observed positives by expected ones: 1 is right.",
        ),
        Key(
            "max_model_age",
            POSITIVE_DURATION,
            stated(Monitoring, "max_model_age"),
            "An alert when the serving model is older.",
        ),
        Key(
            "alerts",
            ALERT_TABLES,
            "none",
            "Alerts of your own, and changes of hotpath's: the tables below.",
        ),
    ),
)

SECTIONS = (EVENTS, LABEL, FACTS, CLOCK, LAKE, TRAINING, *ALGORITHM_SECTIONS, PROMOTION, SERVING, MONITORING)

EXAMPLE_KEYS = {
    "event": "A record as it would be on the topic.",
    "expected": "Feature = value, for any of the features; a feature that must be NULL is listed in `expected_null`.",
    "expected_null": "The features that must be NULL.",
    "as_of": "The moment of the question; the event's own time by default.",
}

NOT_IN_THIS_VERSION = frozenset({
    "clock.on_skew", "clock.stamp", "lake.compaction", "training.algorithms", "training.recency", "training.sampling",
    "training.refit", "training.drf.binomial_double_trees", "training.xgboost.booster",
    "training.xgboost.categorical_encoding", "training.glm.lambda_search", "grid", "promotion.metric",
    "promotion.margin", "promotion.confidence", "promotion.latency", "serving.shadow", "serving.split",
    "serving.audit"
})  # fmt: skip
"""Keys and tables of the design that do not act yet, and are therefore refused."""
