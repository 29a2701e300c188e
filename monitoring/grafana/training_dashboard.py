"""Training: its runs, what they cost, and why a candidate does not serve."""

from __future__ import annotations

from typing import Final

from contract import metrics
from monitoring.grafana.figures import gauge, increase, per_second, quantile
from monitoring.grafana.flux_queries import Events, Series
from monitoring.grafana.panel_specs import (
    DATA,
    HOT_PATH,
    MODEL_HEALTH,
    PLATFORM,
    SOME,
    TRAINING,
    DashboardSpec,
    Limit,
    Link,
    PanelSpec,
    Section,
)

_TO_H2O: Final = Link("H2O", PLATFORM, "H2O: free memory")
_TO_ROWS: Final = Link("The rows that it trains on", DATA, "Questions by state")

_REFUSED = PanelSpec(
    "Why candidates were refused, and runs failed",
    "A candidate is refused where it is below a floor of `[promotion.floors]` on its holdout, or where the scorer's "
    "compiled bundle does not answer as H2O does. The newest first; `hotpath models list` says the same.",
    (Events(("rejection", "retrain_failure")),),
    kind="table",
    width=16,
    height=8,
    links=(Link("What the floors are compared with", TRAINING, "AUC on the holdout"), _TO_H2O),
)
_ADMISSIONS = PanelSpec(
    "Admissions",
    "Candidates that reproduce H2O's answers on their reference rows, and those that were rejected.",
    (Series(increase(metrics.ADMISSIONS), by=("pipeline", "outcome"), within="sum"),),
    height=8,
    links=(Link("Golden requests", HOT_PATH, "Golden requests"),),
)
_RUNS = PanelSpec(
    "Candidates",
    "Candidates that the trainer wrote to the registry.",
    (Series(increase(metrics.TRAINING_RUNS), by=("pipeline",), within="sum"),),
    links=(_TO_ROWS,),
)
_SECONDS = PanelSpec(
    "Seconds of a run",
    "One run, from the import to the candidate.",
    tuple(
        Series(quantile(metrics.TRAINING_SECONDS, each), each, ("pipeline",), within="max", across="max")
        for each in ("p50", "p99")
    ),
    links=(_TO_H2O,),
)
_STEPS = PanelSpec(
    "Seconds by step",
    "What the newest run's time went to.",
    (Series(gauge(metrics.TRAINING_STEP_SECONDS), by=("pipeline", "step"), within="last", across="max"),),
    links=(_TO_H2O,),
)
_ROWS = PanelSpec(
    "Rows",
    "In the newest run's window, and in its holdout.",
    (Series(gauge(metrics.TRAINING_ROWS), by=("pipeline", "part"), within="last", across="max"),),
    links=(_TO_ROWS,),
)
_VERDICTS = PanelSpec(
    "Verdicts",
    "How runs ended: the candidate was proposed, it was below a floor, or the run failed.",
    (Series(increase(metrics.TRAINING_VERDICTS), by=("pipeline", "verdict"), within="sum"),),
    links=(Link("Why", TRAINING, "Why candidates were refused, and runs failed"),),
)
_COST = PanelSpec(
    "Processor time of a run",
    "Of trainer and H2O, over the last half hour; of H2O where `hotpath up` runs it.",
    (Series(gauge(metrics.RETRAIN_CPU_SECONDS), by=("pipeline",), within="last", across="max"),),
    links=(Link("This host", PLATFORM, "CPU of this host"),),
)
_AUC = PanelSpec(
    "AUC on the holdout",
    "The newest candidate's, which the floors of `[promotion.floors]` are compared with.",
    (Series(gauge(metrics.TRAINING_AUC), by=("pipeline",), within="last", across="max"),),
    low=0.4,
    high=1.0,
    links=(Link("What it turned out to be", MODEL_HEALTH, "Realised AUC of each version"),),
)
_FAILURES = PanelSpec(
    "Failures in a row",
    "Training runs that failed since the last one that did not: `hotpath logs trainer`.",
    (Series(gauge(metrics.TRAINING_FAILURES), by=("pipeline",), within="last", across="max"),),
    limits=(Limit(1, "yellow"), Limit(3, "red")),
    links=(_TO_H2O,),
)
_FAILING = PanelSpec(
    "Why the newest run failed",
    "1 while the newest run of a pipeline failed, with its reason.",
    (Series(gauge(metrics.TRAINING_FAILING), by=("pipeline", "reason"), within="last", across="max"),),
    limits=SOME,
    links=(_TO_H2O,),
)
_IDLE = PanelSpec(
    "Idle, or waiting",
    "Idle: there are no new rows. Waiting: they are too few yet.",
    (
        Series(gauge(metrics.TRAINING_IDLE), "idle", ("pipeline",), within="last", across="max"),
        Series(gauge(metrics.TRAINING_WAITING), "waiting", ("pipeline",), within="last", across="max"),
    ),
    kind="states",
    links=(_TO_ROWS,),
)
_CPU = PanelSpec(
    "Cores that the trainer uses",
    "Of the trainer's own process; H2O's work is the host's.",
    (Series(per_second("process_cpu_seconds"), by=("part",), where={"part": "trainer"}),),
    links=(Link("This host", PLATFORM, "CPU of this host"),),
)
_PULLED = PanelSpec(
    "Candidates pulled on-prem",
    "Copied from the registry, complete.",
    (Series(increase(metrics.PULLED_CANDIDATES), by=("pipeline",), within="sum"),),
    links=(Link("HDFS", PLATFORM, "HDFS: live nodes"),),
)
_PULLED_BYTES = PanelSpec(
    "Bytes pulled on-prem",
    "Copied from the registry.",
    (Series(per_second(metrics.PULLED_BYTES), by=("pipeline",)),),
    links=(Link("HDFS", PLATFORM, "HDFS: live nodes"),),
)
_PULL_FAILURES = PanelSpec(
    "Failures to pull",
    "Turns in a row in which a pipeline's registry could not be reached or copied.",
    (Series(gauge(metrics.PULL_FAILURES_IN_A_ROW), by=("pipeline",), within="max", across="max"),),
    limits=(Limit(3, "red"),),
    links=(Link("HDFS", PLATFORM, "HDFS: live nodes"),),
)
_PULL_TURNS = PanelSpec(
    "Turns of the pull that failed",
    "All that failed, whether or not the next one succeeded.",
    (Series(increase(metrics.PULL_FAILURES), by=("pipeline",), within="sum"),),
    limits=(Limit(1, "yellow"),),
    links=(Link("HDFS", PLATFORM, "HDFS: live nodes"),),
)

TRAINING_DASHBOARD: Final = DashboardSpec(
    TRAINING,
    "hotpath: Training",
    "Runs of the training, what they cost, and why a candidate does not serve.",
    ("pipeline",),
    (
        Section("Why a candidate does not serve", (_REFUSED, _ADMISSIONS)),
        Section(
            "Runs",
            (_RUNS, _SECONDS, _STEPS, _ROWS, _VERDICTS, _AUC, _FAILURES, _FAILING, _IDLE, _COST, _CPU),
        ),
        Section("From the registry to this host", (_PULLED, _PULLED_BYTES, _PULL_FAILURES, _PULL_TURNS)),
    ),
)
