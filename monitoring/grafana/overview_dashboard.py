"""Overview: whether the models can be trusted, where the flow stands, and what happened."""

from __future__ import annotations

from typing import Final

from contract import metrics
from contract.measurements import STAGE, STATUS_SENTENCE
from monitoring.grafana.figures import field_of, gauge, per_second, quantile
from monitoring.grafana.flux_queries import Events, Newest, Series
from monitoring.grafana.panel_specs import (
    DATA,
    HOT_PATH,
    MODEL_HEALTH,
    OVERVIEW,
    PLATFORM,
    SOME,
    TRAINING,
    DashboardSpec,
    Limit,
    Link,
    PanelSpec,
    Section,
    Word,
)
from monitoring.influx.influx_points import QUANTILES

_TRUST: Final = {
    "1": Word("can be trusted", "green"),
    "0": Word("not known yet", "yellow"),
    "-1": Word("do not trust", "red"),
}
_LAGS: Final = (Limit(60, "yellow"), Limit(300, "red"))

_SENTENCE = PanelSpec(
    "What the status page says",
    "The first line of hotpath's own status page, pipeline by pipeline: whether the model can be trusted now, and why "
    "not.",
    (Newest((field_of(STATUS_SENTENCE, "trust"), field_of(STATUS_SENTENCE, "text")), by=("pipeline",)),),
    kind="table",
    width=24,
    height=5,
    words=_TRUST,
    word_columns=("trust",),
    links=(
        Link("How good the models' answers are", MODEL_HEALTH, "Realised AUC"),
        Link("Which clocks are wrong", DATA, "Clocks ahead: smallest delay of each host"),
    ),
)

STATES_OF_ALERTS: Final = Series(
    gauge(metrics.ALERT_STATE),
    by=("pipeline", "alert", "severity"),
    within="last",
    across="max",
    absent={"pipeline": "the stack"},
)
ALERT_STATES: Final = PanelSpec(
    "Alerts",
    "Every alert as the monitor judges it. `inconclusive`: the figure's interval reaches across the limit, so that "
    "chance alone may explain it. `hotpath alerts list` says the same.",
    (STATES_OF_ALERTS,),
    kind="states",
    width=24,
    height=8,
    words={
        "0": Word("ok", "green"),
        "1": Word("pending", "yellow"),
        "2": Word("firing", "red"),
        "3": Word("inconclusive", "gray"),
        "4": Word("silenced", "blue"),
        "5": Word("explained by another", "orange"),
    },
    links=(
        Link("How good the models' answers are", MODEL_HEALTH, "Realised AUC"),
        Link("Clocks, drift, dead letters", DATA),
        Link("Scorers", HOT_PATH),
        Link("Engines and this host", PLATFORM, "Engines that answer"),
    ),
)
_STAGES = PanelSpec(
    "Which stage stands",
    "Every stage in the order of the flow, with its first problem and the command that looks closer. The first stage "
    "that has a problem is the one to look at: those after it often only wait for it.",
    (
        Newest(
            tuple(field_of(STAGE, name) for name in ("place", "problems", "problem", "command", "figures")),
            by=("pipeline", "stage"),
            sort=("pipeline", "place"),
        ),
    ),
    kind="table",
    width=24,
    height=9,
    limits=SOME,
    links=(
        Link("Mirror, Spark, HDFS, H2O and this host", PLATFORM, "Engines that answer"),
        Link("Producers, dead letters, quarantine", DATA),
        Link("Training", TRAINING),
        Link("Scorers and rollout", HOT_PATH),
    ),
)

_STEPS = (
    PanelSpec(
        "Producers",
        "Records that the on-prem Kafka gets, all topics together.",
        (Series(gauge(metrics.KAFKA_APPENDED_RECORDS), where={"side": "onprem"}, change="rate"),),
        kind="number",
        width=3,
        height=4,
        links=(Link("By topic", PLATFORM, "Records that Kafka gets"),),
    ),
    PanelSpec(
        "Mirror behind",
        "How old the newest moment is up to which everything on-prem is in the cloud: the worst topic.",
        (Series(gauge(metrics.MIRROR_CAUGHT_UP_TO_SECONDS), within="max", across="max", change="age"),),
        kind="number",
        width=3,
        height=4,
        limits=_LAGS,
        links=(Link("The mirror by topic", PLATFORM, "Mirror: behind by topic"),),
    ),
    PanelSpec(
        "Events behind",
        "How old the newest moment is up to which everything is in the tables.",
        (Series(gauge(metrics.STREAM_CAUGHT_UP_TO_SECONDS), within="max", across="max", change="age"),),
        kind="number",
        width=3,
        height=4,
        limits=_LAGS,
        links=(Link("Spark's batches", PLATFORM, "Spark: seconds of a batch"),),
    ),
    PanelSpec(
        "Rows behind",
        "How long ago the last bucket of training rows ended that is built.",
        (
            Series(
                gauge(metrics.BUILT_UPTO_SECONDS),
                where={"table_name": "rows"},
                within="max",
                across="max",
                change="age",
            ),
        ),
        kind="number",
        width=3,
        height=4,
        limits=(Limit(300, "yellow"), Limit(900, "red")),
        links=(Link("How the rows job fares", PLATFORM, "Rows job: seconds of a build"),),
    ),
    PanelSpec(
        "Training failures",
        "Training runs that failed since the last one that did not.",
        (Series(gauge(metrics.TRAINING_FAILURES), within="last", across="max"),),
        kind="number",
        width=3,
        height=4,
        limits=(Limit(1, "yellow"), Limit(3, "red")),
        links=(Link("Why", TRAINING, "Why candidates were refused, and runs failed"),),
    ),
    PanelSpec(
        "Model age",
        "Now minus the newest question in the champion's training.",
        (Series(gauge(metrics.MODEL_NEWEST_AS_OF), within="max", across="max", change="age"),),
        kind="number",
        width=3,
        height=4,
        limits=(Limit(3600, "yellow"),),
        links=(Link("Why no newer model serves", TRAINING, "Why candidates were refused, and runs failed"),),
    ),
    PanelSpec(
        "Answers",
        "Requests to predict that the scorers answered, whatever the status.",
        (Series(per_second(metrics.REQUESTS)),),
        kind="number",
        width=3,
        height=4,
        links=(Link("By status, and how fast", HOT_PATH, "Requests by status"),),
    ),
    PanelSpec(
        "Outcomes behind",
        "How long ago the last bucket of outcomes ended that is built: realised figures are as old.",
        (
            Series(
                gauge(metrics.BUILT_UPTO_SECONDS),
                where={"table_name": "outcomes"},
                within="max",
                across="max",
                change="age",
            ),
        ),
        kind="number",
        width=3,
        height=4,
        limits=(Limit(300, "yellow"), Limit(900, "red")),
        links=(Link("How the rows job fares", PLATFORM, "Rows job: seconds of a build"),),
    ),
)

_RATES = PanelSpec(
    "Rates of the flow",
    "Records that Spark commits, by table. Labels come later than the events that they belong to.",
    (Series(per_second(metrics.STREAM_RECORDS), by=("table_name",)),),
    width=8,
    links=(Link("What could not be decoded", DATA, "Dead letters"),),
)
_LAG_LINES = PanelSpec(
    "Lags of the flow",
    "How far behind each stage is. A line that rises with the clock stands still.",
    (
        Series(gauge(metrics.MIRROR_CAUGHT_UP_TO_SECONDS), "mirror", within="max", across="max", change="age"),
        Series(gauge(metrics.STREAM_CAUGHT_UP_TO_SECONDS), "events", within="max", across="max", change="age"),
        Series(gauge(metrics.BUILT_UPTO_SECONDS), by=("table_name",), within="max", across="max", change="age"),
    ),
    width=8,
    limits=_LAGS,
    links=(Link("Engines and this host", PLATFORM, "Engines that answer"),),
)
_LATENCY = PanelSpec(
    "How fast answers are",
    "From a request's last byte to its answer, in the scorer: half, nine tenths and 99 of 100 are faster.",
    tuple(Series(quantile(metrics.REQUEST_SECONDS, each), each, within="max", across="max") for each in QUANTILES),
    width=8,
    limits=(Limit(0.01, "yellow"),),
    links=(Link("The hot path", HOT_PATH, "Latency in the scorer"),),
)
_HAPPENED = PanelSpec(
    "What happened",
    "Switches, rejections, pins, failed training runs, losses and clocks that are wrong, the newest first. The "
    "dashboards show the same as annotations.",
    (Events(),),
    kind="table",
    width=12,
    height=8,
    links=(Link("How the models fared before and after", MODEL_HEALTH, "Realised AUC of each version"),),
)
_CLOCKS = PanelSpec(
    "Furthest clock ahead",
    "The smallest time from an event to its arrival of any host; below 0 events arrive before they have happened, "
    "since their host's clock is ahead.",
    (Series(gauge(metrics.CLOCK_OFFSET_SECONDS), within="min", across="min"),),
    kind="number",
    width=4,
    height=8,
    below="red",
    limits=(Limit(-5, "yellow"), Limit(0, "green")),
    links=(Link("Which host", DATA, "Clocks ahead: smallest delay of each host"),),
)
_REFUSED = PanelSpec(
    "Why the last candidate was refused",
    "Candidates that were rejected, by their own figures on the holdout or since they did not answer as H2O does, and "
    "training runs that failed.",
    (Events(("rejection", "retrain_failure")),),
    kind="table",
    width=8,
    height=8,
    links=(Link("Training", TRAINING, "Why candidates were refused, and runs failed"),),
)

OVERVIEW_DASHBOARD: Final = DashboardSpec(
    OVERVIEW,
    "hotpath: Overview",
    "Whether the models can be trusted, where the flow stands, and what happened. Every panel links to where its cause "
    "is seen.",
    ("pipeline",),
    (
        Section("Can the answers be trusted?", (_SENTENCE, ALERT_STATES)),
        Section("The flow, from producers to outcomes", (_STAGES, *_STEPS, _RATES, _LAG_LINES, _LATENCY)),
        Section("Events", (_HAPPENED, _CLOCKS, _REFUSED)),
    ),
)
