"""Data and clocks: what producers send, what of it cannot be used, and which of their clocks are wrong."""

from __future__ import annotations

from typing import Final

from contract import metrics
from monitoring.grafana.figures import gauge, increase, per_second
from monitoring.grafana.flux_queries import Events, Newest, Series
from monitoring.grafana.panel_specs import (
    DATA,
    MODEL_HEALTH,
    PLATFORM,
    SOME,
    DashboardSpec,
    Limit,
    Link,
    PanelSpec,
    Section,
)

_CLOCK_LIMITS: Final = (Limit(-5, "yellow"), Limit(0, "green"))
_TO_FLOW: Final = Link("Spark's batches", PLATFORM, "Spark: seconds of a batch")

_AHEAD = PanelSpec(
    "Clocks ahead: smallest delay of each host",
    "The smallest time from an event to its arrival in the last minutes, the furthest clock ahead first. Below 0 the "
    "host's clock is ahead: set it (`chronyc tracking` there).",
    (Newest((gauge(metrics.CLOCK_OFFSET_SECONDS),), by=("pipeline", "host"), sort=("value",)),),
    kind="table",
    below="red",
    heads={"value": "smallest delay"},
    limits=_CLOCK_LIMITS,
    links=(Link("What the rows make of it", DATA, "Questions by state"),),
)
_BEHIND = PanelSpec(
    "Clocks behind: by how much each host is late",
    "By how much a host's smallest delay is above the median of the others', the furthest first; 0 while it does not "
    "stand apart. Its clock is behind, or it sends late.",
    (Newest((gauge(metrics.CLOCK_BEHIND_SECONDS),), by=("pipeline", "host"), sort=("value",), descending=True),),
    kind="table",
    heads={"value": "behind"},
    limits=SOME,
    links=(Link("What the rows make of it", DATA, "Questions by state"),),
)
_MEDIANS = PanelSpec(
    "Median delay of each host",
    "The median time from an event to its arrival: how long a host takes to send, where its clock is right.",
    (Series(gauge(metrics.CLOCK_MEDIAN_OFFSET_SECONDS), by=("host",), within="mean", across="max"),),
    width=12,
    links=(_TO_FLOW,),
)
_OVER_TIME = PanelSpec(
    "Smallest delay of each host over time",
    "A step is a clock that was set; a slope one that drifts.",
    (Series(gauge(metrics.CLOCK_OFFSET_SECONDS), by=("host",), within="min", across="min"),),
    below="red",
    limits=_CLOCK_LIMITS,
    width=12,
    links=(_TO_FLOW,),
)
_CLOCK_ALERTS = PanelSpec(
    "Clocks that were told of",
    "When the monitor said that a host's clock is ahead or behind.",
    (Events(("clock_alert",)),),
    kind="table",
    links=(Link("How the models fared", MODEL_HEALTH, "Realised AUC"),),
)
_RECORDS = PanelSpec(
    "Records by table",
    "What Spark commits, dead letters among it.",
    (Series(per_second(metrics.STREAM_RECORDS), by=("pipeline", "table_name")),),
    links=(Link("What Kafka gets", PLATFORM, "Records that Kafka gets"),),
)
_DEAD = PanelSpec(
    "Dead letters",
    "Records that could not be decoded, by topic and reason. They are in the table `dead_letters`, with the byte at "
    "which each went wrong: tell the team that produces the topic.",
    (Series(increase(metrics.DEAD_LETTERS), by=("topic", "reason"), within="sum"),),
    limits=(Limit(1, "yellow"),),
    links=(_TO_FLOW,),
)
_QUARANTINED = PanelSpec(
    "Quarantined questions",
    "Questions whose `as_of` or `due` is missing or further than `max_wait` from their arrival, by the likely cause.",
    (Series(increase(metrics.QUARANTINED_QUESTIONS), by=("pipeline", "reason"), within="sum"),),
    limits=(Limit(1, "yellow"),),
    links=(Link("Clocks", DATA, "Clocks ahead: smallest delay of each host"),),
)
_STATES = PanelSpec(
    "Questions by state",
    "Of all buckets that are built: rows are trained on, duplicates are retries, expired ones never got a label.",
    (Series(gauge(metrics.QUESTIONS), by=("state",), where={"table_name": "rows"}, within="last"),),
    links=(Link("How the rows job fares", PLATFORM, "Rows job: seconds of a build"),),
)
_DUPLICATES = PanelSpec(
    "Duplicate questions",
    "Retries, and records that a producer sent twice: all but the first are left out of training and of figures.",
    (
        Series(
            gauge(metrics.QUESTIONS),
            by=("pipeline", "table_name"),
            where={"state": "duplicate"},
            within="last",
            rare=True,
        ),
    ),
    links=(Link("What Kafka gets", PLATFORM, "Records that Kafka gets"),),
)
_DRIFT = PanelSpec(
    "Drift of each feature",
    "Population stability index: how far the newest rows' values are from all the others'. Below 0.1 nothing has "
    "changed, above 0.25 much has.",
    (Series(gauge(metrics.DRIFT_PSI), by=("pipeline", "feature"), within="last", across="max"),),
    low=0.0,
    limits=(Limit(0.1, "yellow"), Limit(0.25, "red")),
    links=(Link("Does it hurt?", MODEL_HEALTH, "Realised AUC"),),
)
_DRIFT_ALARM = PanelSpec(
    "Features that drift",
    "1 while a feature's last two windows stand out from those before.",
    (Newest((gauge(metrics.DRIFT_ALARM),), ("pipeline", "feature"), sort=("value",), descending=True),),
    kind="table",
    heads={"value": "drifts"},
    limits=SOME,
    links=(Link("Does it hurt?", MODEL_HEALTH, "Realised AUC"),),
)
_MISSING = PanelSpec(
    "Missing values of each feature",
    "The share of NULL in the newest rows. A step is a field that a producer has stopped to send.",
    (Series(gauge(metrics.MISSING_RATIO), by=("pipeline", "feature"), within="last", across="max"),),
    low=0.0,
    high=1.0,
    as_percent=True,
    links=(Link("What could not be decoded", DATA, "Dead letters"),),
)
_LABEL_DELAY = PanelSpec(
    "Delay of labels",
    "From a question to its label's arrival. A label that comes after `due` leaves its question expired.",
    (Series(gauge(metrics.LABEL_DELAY_SECONDS), by=("pipeline", "quantile"), within="last", across="max"),),
    low=0.0,
    links=(Link("Questions that expire", DATA, "Questions by state"),),
)
_LOST = PanelSpec(
    "Losses that nobody acknowledged",
    "Records that retention took before they were read, or that went with a topic: `hotpath losses list`.",
    (Series(gauge(metrics.LOSSES_UNACKNOWLEDGED), by=("pipeline",), within="last", across="max"),),
    limits=SOME,
    links=(Link("The mirror", PLATFORM, "Mirror: behind by topic"),),
)
_UNREADABLE = PanelSpec(
    "Records of hotpath's own topics that do not read",
    "Somebody else writes to them; they are passed over.",
    (Series(increase(metrics.UNREADABLE_RECORDS), by=("part", "topic"), within="sum"),),
    limits=(Limit(1, "yellow"),),
    links=(Link("Errors of the parts", PLATFORM, "Errors of the parts"),),
)
_IMPORTS = PanelSpec(
    "Imports of history",
    "1 while somebody imports into the topic; meanwhile no bucket of it closes: `hotpath imports list`.",
    (Series(gauge(metrics.IMPORT_OPEN), by=("topic",), within="last", across="max"),),
    limits=(Limit(1, "yellow"),),
    links=(Link("The mirror", PLATFORM, "Mirror: behind by topic"),),
)

DATA_DASHBOARD: Final = DashboardSpec(
    DATA,
    "hotpath: Data and clocks",
    "What producers send, what of it cannot be used, and which of their clocks are wrong.",
    ("pipeline", "host"),
    (
        Section("Clocks", (_AHEAD, _BEHIND, _CLOCK_ALERTS, _OVER_TIME, _MEDIANS)),
        Section("Records that cannot be used", (_RECORDS, _DEAD, _QUARANTINED, _UNREADABLE, _LOST, _IMPORTS)),
        Section("Features and labels", (_DRIFT, _DRIFT_ALARM, _MISSING, _LABEL_DELAY, _STATES, _DUPLICATES)),
    ),
)
