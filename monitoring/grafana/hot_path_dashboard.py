"""Hot path: the scorers that answer, the socket that they share, and the predictions that they log."""

from __future__ import annotations

from typing import Final

from contract import metrics, variables
from monitoring.grafana.figures import gauge, increase, per_second, quantile
from monitoring.grafana.flux_queries import Events, Series
from monitoring.grafana.panel_specs import (
    HOT_PATH,
    MODEL_HEALTH,
    PLATFORM,
    SOME,
    TO_HOST,
    TRAINING,
    DashboardSpec,
    Limit,
    Link,
    PanelSpec,
    Section,
)
from monitoring.influx.influx_points import QUANTILES

_TO_KAFKA: Final = Link("Is the on-prem Kafka well?", PLATFORM, "Engines that answer")

_REQUESTS = PanelSpec(
    "Requests by status",
    "Requests to predict. 200 is an answer, 4xx a question that cannot be answered, 500 an error of hotpath's own.",
    (Series(per_second(metrics.REQUESTS), by=("pipeline", "status")),),
    links=(TO_HOST,),
)
_SECONDS = PanelSpec(
    "Latency in the scorer",
    "From a request's last byte to its answer, whatever the status.",
    tuple(
        Series(quantile(metrics.REQUEST_SECONDS, each), each, ("pipeline",), within="max", across="max")
        for each in QUANTILES
    ),
    limits=(Limit(0.01, "yellow"), Limit(0.1, "red")),
    links=(TO_HOST,),
)
_ERRORS = PanelSpec(
    "Errors of our own",
    "Requests that the scorer answered with 500.",
    (Series(increase(metrics.REQUESTS), by=("pipeline",), where={"status": "500"}, within="sum", rare=True),),
    limits=SOME,
    links=(Link("Errors of the parts", PLATFORM, "Errors of the parts"),),
)
_APPLICATION = PanelSpec(
    "Latency as the application sees it",
    "From a question to its answer, by the application that the example plays.",
    tuple(Series(quantile(metrics.APP_ANSWER_SECONDS, each), each, within="max", across="max") for each in QUANTILES),
    limits=(Limit(0.1, "yellow"),),
    links=(TO_HOST,),
)
_APP_ANSWERS = PanelSpec(
    "Answers as the application sees them",
    "By HTTP status; `failed` got none, `not_asked` was not asked since the application was busy.",
    (Series(per_second(metrics.APP_ANSWERS), by=("status",)),),
    links=(Link("Requests by status", HOT_PATH, "Requests by status"),),
)
_WARNINGS = PanelSpec(
    "Warnings in answers",
    "By code: the answer stands, and says what is doubtful, such as a model that is too old.",
    (Series(increase(metrics.ANSWER_WARNINGS), by=("pipeline", "code"), within="sum"),),
    limits=(Limit(1, "yellow"),),
    links=(Link("Age of the models", MODEL_HEALTH, "Age of the models that answer"),),
)
_COST = PanelSpec(
    "Processor time of a million answers",
    "Of the scorers, over the last ten minutes.",
    (Series(gauge(metrics.ANSWERS_CPU_SECONDS), by=("pipeline",), within="last", across="max"),),
    links=(Link("This host", PLATFORM, "Cores that every process uses"),),
)
_SCORERS = PanelSpec(
    "Scorers by state",
    "Those that the socket manager knows: one accepts, others drain or stay warm.",
    (Series(gauge(metrics.SCORERS), by=("pipeline", "state"), within="last"),),
    links=(TO_HOST,),
)
_SOCKET = PanelSpec(
    "The listening socket is held",
    "1 while the socket manager holds the pipeline's hot address.",
    (Series(gauge(metrics.SOCKET_HELD), by=("pipeline",), within="min", across="min"),),
    kind="number",
    below="red",
    limits=(Limit(1, "green"),),
    links=(Link("Errors of the parts", PLATFORM, "Errors of the parts"),),
)
_SWITCHES = PanelSpec(
    "Switches",
    "Of the hot address to another scorer: done, or failed.",
    (Series(increase(metrics.SWITCHES), by=("pipeline", "outcome"), within="sum"),),
    links=(Link("Which models, and why", MODEL_HEALTH, "Switches, pins and rejections"),),
)
_DRAINS = PanelSpec(
    "Scorers that drain or stay warm",
    "After a switch the scorer before answers what is open, and waits in case it is called back.",
    (Series(gauge(metrics.DRAINING_SCORERS), by=("pipeline",), within="max"),),
    links=(Link("Switches", HOT_PATH, "Switches"),),
)
_FORCED = PanelSpec(
    "Connections that a drain closed",
    "Connections that were still open at the drain's deadline.",
    (Series(increase(metrics.SCORER_FORCED_CLOSES), within="sum"),),
    limits=(Limit(1, "yellow"),),
    links=(Link("Switches", HOT_PATH, "Switches"),),
)
_RESCUES = PanelSpec(
    "Scorers that were called back",
    "Times a draining scorer was called back, since none accepted: the new one had died.",
    (Series(increase(metrics.RESCUES), by=("pipeline",), within="sum"),),
    limits=SOME,
    links=(Link("Errors of the parts", PLATFORM, "Errors of the parts"),),
)
_PAUSES = PanelSpec(
    "Pauses in accepting",
    "Times a scorer was short of descriptors: raise `ulimit -n`.",
    (Series(increase(metrics.ACCEPT_PAUSES), within="sum"),),
    limits=SOME,
    links=(Link("Open files", PLATFORM, "Open files of the parts"),),
)
_TROUBLE = PanelSpec(
    "No scorer can start",
    "1 while no scorer can start on this host, and why.",
    (Series(gauge(metrics.HOST_TROUBLE), by=("pipeline", "reason"), within="last", across="max"),),
    limits=SOME,
    links=(TO_HOST,),
)
_GOLDEN = PanelSpec(
    "Golden requests",
    "Reference rows that a new scorer is asked before it gets the hot address, by HTTP status.",
    (Series(increase(metrics.GOLDEN_REQUESTS), by=("pipeline", "status"), within="sum"),),
    links=(Link("Why candidates were refused", TRAINING, "Why candidates were refused, and runs failed"),),
)
_LOGGED = PanelSpec(
    "Predictions logged",
    "Delivered to Kafka; spooled, which wait on disk; refused by the broker; or dropped.",
    (Series(per_second(metrics.PREDICTIONS_LOGGED), by=("pipeline", "outcome")),),
    links=(_TO_KAFKA,),
)
_QUEUE = PanelSpec(
    "Predictions that wait in memory",
    "Not yet taken by Kafka.",
    (Series(gauge(metrics.PREDICTION_QUEUE), by=("pipeline",), within="max"),),
    limits=(Limit(10_000, "yellow"),),
    links=(_TO_KAFKA,),
)
_SPOOL = PanelSpec(
    "Predictions that wait on disk",
    f"They are sent when the on-prem Kafka answers again; beyond {variables.SPOOL.name} the newest are dropped, and "
    "counted.",
    (Series(gauge(metrics.PREDICTION_SPOOL), by=("pipeline",), within="max"),),
    limits=(Limit(1, "yellow"),),
    links=(_TO_KAFKA,),
)
_UNSENT = PanelSpec(
    "Model states that wait for the broker",
    "The rollout goes on without it; whoever reads `<pipeline>.models` sees old states meanwhile.",
    (Series(gauge(metrics.UNSENT_MODEL_STATES), by=("pipeline",), within="max", across="max"),),
    limits=(Limit(1, "yellow"),),
    links=(_TO_KAFKA,),
)
_COMMANDS = PanelSpec(
    "Commands by hand",
    "promote, rollback and unpin: done, or refused.",
    (Series(increase(metrics.OPERATOR_COMMANDS), by=("pipeline", "outcome"), within="sum"),),
    links=(Link("Which models, and why", MODEL_HEALTH, "Switches, pins and rejections"),),
)
_HAPPENED = PanelSpec(
    "Switches and pins",
    "Which version serves since when, by whom and why.",
    (Events(("switch", "pin")),),
    kind="table",
    links=(Link("How they fared", MODEL_HEALTH, "Realised AUC of each version"),),
)

HOT_PATH_DASHBOARD: Final = DashboardSpec(
    HOT_PATH,
    "hotpath: Hot path",
    "The scorers that answer, the socket that they share, and the predictions that they log.",
    ("pipeline",),
    (
        Section("Answers", (_REQUESTS, _SECONDS, _ERRORS, _APP_ANSWERS, _APPLICATION, _WARNINGS, _COST)),
        Section("Scorers and switches", (_SCORERS, _SOCKET, _SWITCHES, _DRAINS, _FORCED, _HAPPENED)),
        Section("When a switch goes wrong", (_GOLDEN, _TROUBLE, _RESCUES, _PAUSES, _COMMANDS)),
        Section("Predictions on their way", (_LOGGED, _QUEUE, _SPOOL, _UNSENT)),
    ),
)
