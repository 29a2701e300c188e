"""The pipeline file as frozen, typed structures: what a team says, with every default filled in.

`streaming.pipeline_file.load.load` makes a `Pipeline` from a file; nothing else builds one outside tests.
Durations are `timedelta`; expressions are the SQL text as written, which
`streaming.pipeline_file.compile_pipeline` types and compiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Literal, TypeAlias

from contract.hashed_fields import ADDED_LATER, ONLY_TOLD
from contract.hyperparameters import AlgorithmName, Drf, Gbm, Glm, Hyperparameters, Xgboost
from contract.topics import commands_topic, models_topic, predictions_topic

HOST_SLICE: Final = "producing_host"
"""The slice by the host that asked, which every pipeline has that names `[events] host`."""


class Type(Enum):
    """The types of fields and expressions. int is 64 bits; timestamp counts microseconds since 1970 UTC."""

    STRING = "string"
    INT = "int"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True)
class Field:
    """One field of a JSON record. A sensitive one is decoded, never stored; a required one may not be missing."""

    name: str
    type: Type
    required: bool = False
    sensitive: bool = False


@dataclass(frozen=True)
class Events:
    """`[events]`: the questions. `key` names the fields of the entity, `id` the question, `time` its moment."""

    topic: str
    key: tuple[str, ...]
    id: str
    time: str
    fields: tuple[Field, ...]
    host: str | None = None


@dataclass(frozen=True)
class Label:
    """`[label]`: the outcomes. `key` gives, in the order of `Events.key`, the label's fields of the entity."""

    topic: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    value: str
    """SQL over the label's fields, boolean; NULL says that there is no outcome (yet)."""
    wait: timedelta | str
    """`due` is `as_of` plus this duration, or this SQL expression over the event's fields: a timestamp."""
    max_wait: timedelta
    """The furthest that `as_of` or `due` may lie from `append_time`: beyond it a question is quarantined."""
    max_late: timedelta = timedelta(0)
    """How long after its bucket's end a label still counts."""
    time: str | None = None
    missing: bool | None = None
    """The value of a question whose label never came; None: such a question expires."""


@dataclass(frozen=True)
class Clock:
    """`[clock]`: whether records may state their own append time, and how far a stated time may be off."""

    imports: bool = False
    tolerance: timedelta = timedelta(seconds=5)


@dataclass(frozen=True)
class Lake:
    """`[lake]`: the length of a bucket, how long tables keep records, and how long raw bytes stay beside them."""

    buckets: timedelta
    retention: timedelta
    raw_retention: timedelta


@dataclass(frozen=True)
class Training:
    """`[training]`: a rolling window by `due`, the holdout after it, and how often."""

    window: timedelta
    holdout: timedelta
    every: timedelta
    group: tuple[str, ...]
    """The fields whose equal values splits keep whole; by default the entity's key."""
    keep: int = 100
    slices: tuple[str, ...] = ()
    """Categorical features by whose levels the holdout's metrics are also given."""
    gbm: Gbm = field(default_factory=Gbm)
    algorithm: AlgorithmName = field(default="gbm", metadata=ADDED_LATER)
    drf: Drf = field(default_factory=Drf, metadata=ADDED_LATER)
    xgboost: Xgboost = field(default_factory=Xgboost, metadata=ADDED_LATER)
    glm: Glm = field(default_factory=Glm, metadata=ADDED_LATER)

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Those of the algorithm that trains."""
        found: Hyperparameters = getattr(self, self.algorithm)
        return found


@dataclass(frozen=True)
class Promotion:
    """`[promotion]`: a candidate below a floor on its holdout is kept, not proposed. Keys: auc, rows, positives."""

    floors: Mapping[str, float] = field(default_factory=dict)


Per: TypeAlias = Literal["both", "entity", "answer"]
WhenExpired: TypeAlias = Literal["abstain", "answer"]
RATES: Final = ("false_positive_rate", "false_negative_rate", "false_discovery_rate", "false_omission_rate")
"""The rates that a tolerance can bound, by their names in the file and in `Tolerance`."""


@dataclass(frozen=True)
class Costs:
    """What an answer costs: a wrong one of each kind, and none. `bound` is what an answer may cost on average."""

    false_positive: float
    false_negative: float
    abstain: float
    bound: float

    @property
    def highest(self) -> float:
        """The most that one answer can cost."""
        return max(self.false_positive, self.false_negative, self.abstain)


@dataclass(frozen=True)
class Tolerance:
    """`[scorecard.NAME]`: rates that must not be above their bounds, or an expected cost; one of the two."""

    name: str
    false_positive_rate: float | None = None
    """Of the negatives, the share that is answered `positive`."""
    false_negative_rate: float | None = None
    """Of the positives, the share that is answered `negative`."""
    false_discovery_rate: float | None = None
    """Of the answers `positive`, the share that is wrong."""
    false_omission_rate: float | None = None
    """Of the answers `negative`, the share that is wrong."""
    cost: Costs | None = None
    confidence: float = 0.95
    per: Per = "both"
    when_expired: WhenExpired = "abstain"

    @property
    def rates(self) -> dict[str, float]:
        """The bounds that are stated, by name."""
        return {name: getattr(self, name) for name in RATES if getattr(self, name) is not None}


@dataclass(frozen=True)
class Scorecard:
    """`[scorecard]`: the team's risk tolerances, in the order of the file, and the one that decides unless asked."""

    tolerances: tuple[Tolerance, ...] = ()
    default: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(tolerance.name for tolerance in self.tolerances)


@dataclass(frozen=True)
class Serving:
    """`[serving]`: when an answer counts as expired, and how blue hands over to green."""

    max_age: timedelta
    watch: timedelta = timedelta(seconds=10)
    """How long blue stays warm after a switch, to take over should green die."""
    drain: timedelta = timedelta(seconds=75)
    """How long blue waits for its connections to end before it closes them."""
    log_predictions: bool = True


Severity: TypeAlias = Literal["warning", "critical"]
NoData: TypeAlias = Literal["ok", "firing", "keep"]


@dataclass(frozen=True)
class AlertSettings:
    """`[monitoring.alerts.NAME]`: an alert of the team's own, or what one of hotpath's does otherwise. None: not said.

    The alerts that there are without it are in `contract.alert_catalogue`.
    """

    name: str
    metric: str | None = None
    above: float | None = None
    below: float | None = None
    lasts: timedelta | None = None
    """`for`: how long it must have been so before it fires."""
    minimum: int | None = None
    slice: str | None = None
    """A slice (`origin`: each of its levels), or one level of it (`origin=JFK`)."""
    severity: Severity | None = None
    no_data: NoData | None = None
    off: bool = False


@dataclass(frozen=True)
class Monitoring:
    """`[monitoring]`: floors of realised metrics (log_loss and brier are ceilings), the oldest model, other alerts."""

    floors: Mapping[str, float] = field(default_factory=dict)
    max_model_age: timedelta | None = None
    alerts: tuple[AlertSettings, ...] = field(default=(), metadata=ONLY_TOLD)


@dataclass(frozen=True)
class Example:
    """`[[examples]]`: a team's own test of its features, run by `hotpath check`."""

    event: Mapping[str, object]
    expected: Mapping[str, object]
    as_of: datetime | None = None


@dataclass(frozen=True)
class Pipeline:
    """One pipeline. `file_hash` names its meaning (comments and order aside), `rows_hash` its features and label."""

    name: str
    events: Events
    features: Mapping[str, str]
    """Feature name -> SQL, in the order of the file: the order of the columns that the model sees."""
    label: Label
    facts: tuple[str, ...]
    """Topics whose records land in `facts` as they are."""
    clock: Clock
    lake: Lake
    training: Training
    promotion: Promotion
    scorecard: Scorecard
    serving: Serving
    monitoring: Monitoring
    examples: tuple[Example, ...]
    file_hash: str
    rows_hash: str

    @property
    def predictions_topic(self) -> str:
        """The on-prem topic of the answers that were given."""
        return predictions_topic(self.name)

    @property
    def models_topic(self) -> str:
        """The on-prem compacted topic of the models' states."""
        return models_topic(self.name)

    @property
    def commands_topic(self) -> str:
        """The on-prem topic of operator commands; the mirror does not carry it."""
        return commands_topic(self.name)

    @property
    def mirrored_topics(self) -> tuple[str, ...]:
        """Every on-prem topic that the mirror carries for this pipeline."""
        own = (self.predictions_topic, self.models_topic)
        return (self.events.topic, self.label.topic, *self.facts, *own)
