"""Every alert that is there without being asked for, and what a team's own alerts may measure: declared once.

docs/operations.md is made from this list (`python -m contract.alert_docs`), `hotpath check` holds pipeline files
against it, and the monitor judges by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

import contract.metrics  # noqa: F401  it fills DECLARED
from contract.alert_types import AlertDefault, FromPipeline, Measure
from contract.metric_types import DECLARED, Declared
from contract.pipeline import Pipeline

FIGURE_WORDS: Final[Mapping[str, str]] = {
    "auc": "AUC", "log_loss": "log loss", "f1": "F1", "f2": "F2", "accuracy": "accuracy", "brier": "Brier score",
    "calibration": "calibration (observed positives by expected ones)",
}  # fmt: skip
"""The realised figures of `contract.measurements`, by name, as sentences call them."""
CEILINGS: Final = frozenset({"log_loss", "brier"})
"""Figures of which more is worse: their `floors` are ceilings."""
FEWEST_OF_EACH_CLASS: Final = 30
"""So many positives and negatives a realised figure rests on at least."""

_LOGS, _MODELS = "./hotpath logs ", "./hotpath models list"
_STREAMING, _PIPELINE = f"{_LOGS}streaming", "{pipeline}"


def _figure(name: str, words: str) -> AlertDefault:
    side = "ceiling" if name in CEILINGS else "floor"
    measure = Measure(
        name,
        "1",
        f"Realised {words} of the answers whose outcomes came last.",
        counts="positives, and negatives",
        is_realised=True,
        limit_word=side,
    )
    return AlertDefault(
        name,
        measure,
        "above" if name in CEILINGS else "below",
        FromPipeline(
            f"`[monitoring] floors` {name}; none without", lambda pipeline: pipeline.monitoring.floors.get(name)
        ),
        f"The whole 90 % interval of the realised {words} is on the wrong side of its {side}.",
        "Roll back to a version that was better; look at the slices, hosts and features that the message names.",
        _MODELS,
        minimum=FEWEST_OF_EACH_CLASS,
        severity="critical",
        is_against_model=True,
    )


def _oldest_model_s(pipeline: Pipeline) -> float:
    return (pipeline.monitoring.max_model_age or pipeline.serving.max_age).total_seconds()


def _rows_late_s(pipeline: Pipeline) -> float:
    return 300 + 2 * pipeline.lake.buckets.total_seconds()


def _no_run_s(pipeline: Pipeline) -> float:
    """A run that takes longer than 15 minutes is ended and counts as failed; another pipeline's may come before it."""
    return 1200 + pipeline.training.every.total_seconds()


def _clock_s(pipeline: Pipeline) -> float:
    return pipeline.clock.tolerance.total_seconds()


_TOLERANCE: Final = FromPipeline("`[clock] tolerance`", _clock_s)

UNDECIDED: Final = Measure(
    "undecided",
    "s",
    "For how long a realised figure could not be judged: its interval lies on both sides of its limit, or there are "
    "fewer outcomes than it takes.",
    each="alert about a figure",
)

_MODEL: Final = (
    AlertDefault(
        "no_model",
        Measure("models_missing", "models", "1 while no model serves."),
        "above",
        0,
        "No model has been admitted yet.",
        "Wait for the first training run; `hotpath logs trainer` says what it waits for.",
        _MODELS,
        severity="critical",
        is_against_model=True,
    ),
    AlertDefault(
        "model_age",
        Measure("model_age", "s", "Now minus the newest question in the champion's training.", limit_word="limit"),
        "above",
        FromPipeline("`[monitoring] max_model_age`, else `[serving] max_age`", _oldest_model_s),
        "The model that serves is older than it may be.",
        "See why no newer one came: training, its floors, admission, or a version that is pinned.",
        _MODELS,
        severity="critical",
        is_against_model=True,
    ),
    *(_figure(name, words) for name, words in FIGURE_WORDS.items()),
    AlertDefault(
        "clock_ahead",
        Measure("clock_ahead", "s", "By how much a host's clock is ahead of the on-prem broker's.", each="host"),
        "above",
        _TOLERANCE,
        "The events of a host come before they have happened: its clock is ahead.",
        "Set the host's clock (`chronyc tracking` there).",
        _STREAMING,
        severity="critical",
        is_against_model=True,
    ),
    AlertDefault(
        "pinned",
        Measure("pinned", "models", "1 while a version is pinned by hand."),
        "above",
        0,
        "Somebody holds a version by hand: newer models wait.",
        "`hotpath models unpin PIPELINE` once it is not needed any more.",
        _MODELS,
        no_data="ok",
        is_note=True,
    ),
    AlertDefault(
        "drift",
        Measure("drift", "features", "1 while a feature's distribution has moved away from its past.", each="feature"),
        "above",
        0,
        "A feature is distributed otherwise than in the windows before, twice running.",
        "Ask whoever produces the feature's fields what has changed.",
        _MODELS,
        is_note=True,
    ),
    AlertDefault(
        "constant_answers",
        Measure(
            "distinct_answers",
            "answers",
            "How many different probabilities the newest answers of the serving version have, with labels or without: "
            "those of a minute, and at least a hundred.",
            counts="such answers",
        ),
        "below",
        2,
        "Every question gets the same answer.",
        "Look at the model's features with `hotpath try`: are they all NULL? Then roll back.",
        _MODELS,
        minimum=30,
        severity="critical",
        is_against_model=True,
    ),
    AlertDefault(
        "undecided",
        UNDECIDED,
        "above",
        6 * 3600,
        "A floor has not been judged for hours: there are too few labels, and nobody would see that the model is bad.",
        "The message says how many are missing. Do labels come? Figures that need fewer are `log_loss` and `auc`.",
        _MODELS,
        is_note=True,
    ),
)

_FLOW: Final = (
    AlertDefault(
        "replay_lag",
        Measure("replay_lag", "s", "How late the replay of the example is."),
        "above",
        30,
        "The replay of the example does not keep up.",
        "The machine is too slow or too busy for this speed: `hotpath replay` takes another one.",
        f"{_LOGS}replay-{_PIPELINE}",
        "producers",
        no_data="ok",
    ),
    AlertDefault(
        "clock_behind",
        Measure(
            "clock_behind",
            "s",
            "By how much a host's events come later than those of the other hosts; 0 within six deviations.",
            each="host",
        ),
        "above",
        _TOLERANCE,
        "A host's clock is behind the fleet's, or it sends late; three others at least.",
        "Set the host's clock (`chronyc tracking` there), or find what holds its events up.",
        _STREAMING,
        "producers",
        timedelta(seconds=100),
    ),
    AlertDefault(
        "no_traffic",
        Measure(
            "questions_silence",
            "s",
            "For how long no question has come, up to the moment to which the tables are complete.",
            counts="questions that usually come in that time",
        ),
        "above",
        20,
        "No question comes any more, although they usually do.",
        "Ask the team whose application asks; is the on-prem topic still written?",
        _STREAMING,
        "producers",
        minimum=30,
        is_note=True,
    ),
    AlertDefault(
        "no_labels",
        Measure(
            "labels_silence",
            "s",
            "For how long no label has come, up to the moment to which the tables are complete.",
            counts="labels that usually come in that time",
        ),
        "above",
        20,
        "No label comes any more, although they usually do: nothing new can be learnt, nor said of the model.",
        "Ask the team that produces the labels; is the on-prem topic still written?",
        _STREAMING,
        "producers",
        minimum=30,
        is_note=True,
    ),
    AlertDefault(
        "import_open",
        Measure("import_silence", "s", "For how long an open import has had no record.", each="topic"),
        "above",
        300,
        "An import of history was begun and not ended: mirror, tables and rows are behind by intent.",
        "`hotpath imports end TOPIC`.",
        "./hotpath imports list",
        "mirror",
        no_data="ok",
    ),
    AlertDefault(
        "mirror_lag",
        Measure(
            "mirror_lag",
            "s",
            "How far the cloud's copy of a topic is behind; not while history is imported.",
            each="topic",
        ),
        "above",
        60,
        "The mirror does not keep up, or stands.",
        "`hotpath logs mirror`; it resumes where it stood, exactly once.",
        f"{_LOGS}mirror",
        "mirror",
        severity="critical",
    ),
    AlertDefault(
        "records_lost",
        Measure("losses", "losses", "Losses of records that nobody has acknowledged."),
        "above",
        0,
        "Retention took records before they were read, or a topic was made anew.",
        "[Lost records](#lost-records).",
        "./hotpath losses list",
        "mirror",
        severity="critical",
    ),
    AlertDefault(
        "batch_stall",
        Measure("batch_stall", "s", "For how long no batch was committed although records wait."),
        "above",
        300,
        "The hot query commits nothing although it has work.",
        "A batch that hangs ends the Spark job by itself; its log names the cause.",
        _STREAMING,
        "events",
        severity="critical",
    ),
    AlertDefault(
        "tables_lag",
        Measure("tables_lag", "s", "How far the tables are behind; not while history is imported."),
        "above",
        120,
        "The tables do not keep up.",
        "Look at the stages before it first, then at the Spark job.",
        _STREAMING,
        "events",
        severity="critical",
    ),
    AlertDefault(
        "tables_unknown",
        Measure("tables_unknown", "s", "How long the Spark job runs without knowing how far the tables are."),
        "above",
        300,
        "The watcher's messages do not come.",
        "Does the watcher see both brokers?",
        f"{_LOGS}watcher",
        "events",
        no_data="ok",
    ),
    AlertDefault(
        "step_failing",
        Measure("step_failures", "failures", "How often a step of the Spark job has failed in a row.", each="step"),
        "above",
        2,
        "The hot query, the rows job, the losses or the upkeep fail again and again; other pipelines go on.",
        "`step failed` in the log names the cause; it is tried again every few seconds.",
        _STREAMING,
        "events",
        severity="critical",
    ),
    AlertDefault(
        "query_ends",
        Measure(
            "query_ends", "ends", "How often the hot query ended in ten minutes; 0 two minutes after the last end."
        ),
        "above",
        2,
        "The hot query starts, and a batch ends it.",
        "`step failed` in the log names the cause.",
        _STREAMING,
        "events",
    ),
    AlertDefault(
        "dead_letters",
        Measure(
            "dead_letters",
            "share",
            "The share of a topic's records of ten minutes that could not be decoded.",
            each="topic",
            counts="records of the topic",
        ),
        "above",
        0.01,
        "A producer sends records that cannot be decoded.",
        "Tell the team that produces the topic; the records are in the table `dead_letters`.",
        _STREAMING,
        "events",
        minimum=100,
    ),
    AlertDefault(
        "quarantined",
        Measure(
            "quarantined",
            "share",
            "The share of the questions of ten minutes that are further than `max_wait` from when they came.",
            counts="questions",
        ),
        "above",
        0.05,
        "Questions come with moments that cannot be.",
        "Tell the team that produces the topic; quarantined questions are in bucket -1 of the table `events`.",
        _STREAMING,
        "events",
        minimum=100,
    ),
    AlertDefault(
        "rows_lag",
        Measure("rows_lag", "s", "How long ago the newest closed bucket ended; not while history is imported."),
        "above",
        FromPipeline("5 min and two buckets", _rows_late_s),
        "No bucket closes.",
        "Look at the stages before it first, then at the Spark job.",
        _STREAMING,
        "rows",
        severity="critical",
    ),
    AlertDefault(
        "training_failures",
        Measure("training_failures", "runs", "How many training runs have failed in a row."),
        "above",
        2,
        "Training fails again and again; the champion goes on, and ages.",
        "The message names the reason; `hotpath train PIPELINE` trains at once.",
        f"{_LOGS}trainer",
        "training",
        severity="critical",
    ),
    AlertDefault(
        "training_stands",
        Measure("training_silence", "s", "For how long no training run has ended although there are new rows."),
        "above",
        FromPipeline("20 min and `[training] every`", _no_run_s),
        "The trainer has work and ends no run.",
        "Kill the part: it starts again.",
        f"{_LOGS}trainer",
        "training",
    ),
    AlertDefault(
        "states_unsent",
        Measure("states_unsent", "records", "Records of models' states that wait for the on-prem broker."),
        "above",
        0,
        "The rollout cannot tell what serves.",
        "Is the on-prem Kafka well?",
        f"{_LOGS}rollout-{_PIPELINE}",
        "rollout",
        timedelta(seconds=15),
    ),
    AlertDefault(
        "pull_failures",
        Measure("pull_failures", "turns", "For how many turns in a row no candidate could be copied on-prem."),
        "above",
        9,
        "New candidates do not come on-prem; what is there goes on.",
        "Is HDFS well? It resumes by itself.",
        f"{_LOGS}pull",
        "rollout",
    ),
    AlertDefault(
        "scorer_cannot_start",
        Measure("scorer_trouble", "hosts", "1 while no scorer can start on this host."),
        "above",
        0,
        "No scorer can start, for a reason of the host.",
        "The message names the reason.",
        f"{_LOGS}scorers-{_PIPELINE}",
        "scorers",
        severity="critical",
        no_data="ok",
    ),
    AlertDefault(
        "scorer_silent",
        Measure(
            "silent_scorers", "scorers", "1 while a scorer that is listed does not show its metrics.", each="scorer"
        ),
        "above",
        0,
        "A scorer does not answer; one that has just ended is still listed for a moment.",
        "The rollout replaces one that has ended; see its log.",
        f"{_LOGS}scorers-{_PIPELINE}",
        "scorers",
        timedelta(seconds=5),
        no_data="ok",
    ),
    AlertDefault(
        "scorer_errors",
        Measure("scorer_errors", "answers", "Answers of ten minutes that were errors of ours (status 500)."),
        "above",
        0,
        "The scorer failed at a question.",
        "Its log has the question's id and the cause.",
        f"{_LOGS}scorers-{_PIPELINE}",
        "scorers",
        severity="critical",
    ),
    AlertDefault(
        "scorer_latency",
        Measure(
            "answer_seconds",
            "s",
            "The 99th percentile of the time that a scorer takes for an answer, over two minutes.",
            counts="answers",
        ),
        "above",
        0.1,
        "Answers take long.",
        "Is the host busy, or do other programs share its cores?",
        f"{_LOGS}scorers-{_PIPELINE}",
        "scorers",
        timedelta(seconds=30),
        minimum=100,
        is_note=True,
    ),
    AlertDefault(
        "outcomes_unread",
        Measure("outcomes_unread", "s", "For how long the monitor could not read the tables."),
        "above",
        60,
        "The monitor cannot read HDFS: figures of the models are old.",
        "Is HDFS well?",
        f"{_LOGS}namenode",
        "outcomes",
    ),
    AlertDefault(
        "predictions_on_disk",
        Measure("predictions_on_disk", "bytes", "Predictions that wait on disk for the on-prem broker."),
        "above",
        0,
        "Answers go on; what was answered waits for the broker.",
        "Is the on-prem Kafka well? They are sent when it answers again.",
        f"{_LOGS}kafka-onprem",
        "outcomes",
        timedelta(seconds=10),
    ),
    AlertDefault(
        "predictions_lost",
        Measure("predictions_lost", "predictions", "Predictions of ten minutes that were refused or dropped."),
        "above",
        0,
        "Answers were given that no figure will count.",
        "The log of the scorers says why.",
        f"{_LOGS}scorers-{_PIPELINE}",
        "outcomes",
    ),
    AlertDefault(
        "own_part_silent",
        Measure("own_silent_parts", "parts", "1 while a part of this pipeline does not show its metrics.", each="part"),
        "above",
        0,
        "The rollout or the replay of this pipeline does not answer.",
        "It starts again by itself; its log says why it ended.",
        f"{_LOGS}{{item}}",
        lasts=timedelta(seconds=10),
        severity="critical",
        no_data="ok",
    ),
    AlertDefault(
        "own_part_restarts",
        Measure(
            "own_restarts",
            "parts",
            "1 while a part of this pipeline is restarted often or had ended itself.",
            each="part",
        ),
        "above",
        0,
        "The rollout or the replay was started again three times in ten minutes, or ended itself (told for 5 min).",
        "Its log says why; report the stacks of an exit code 70.",
        f"{_LOGS}{{item}}",
        no_data="ok",
    ),
    AlertDefault(
        "vanished",
        Measure("files_vanished", "files", "1 while the deployed file is gone although nobody removed the pipeline."),
        "above",
        0,
        "The pipeline goes on with what its file said until its parts start again.",
        "`hotpath up FILE` deploys it again, `hotpath remove NAME` stops it.",
        "./hotpath up FILE",
        no_data="ok",
    ),
    AlertDefault(
        "unjudged",
        Measure("unjudged", "pipelines", "1 while the monitor fails at this pipeline's figures."),
        "above",
        0,
        "The monitor cannot judge the pipeline; what fired before stays.",
        "Report what the log says.",
        f"{_LOGS}monitor",
        no_data="ok",
    ),
)

_STACK: Final = (
    AlertDefault(
        "engine_down",
        Measure(
            "engines_away", "engines", "1 while an engine does not answer the monitor.", each="engine", of_stack=True
        ),
        "above",
        0,
        "Kafka, HDFS or H2O does not answer.",
        "Its log says why: mostly memory, a full disk or a taken port. It starts again by itself.",
        f"{_LOGS}{{item}}",
        lasts=timedelta(seconds=12),
        severity="critical",
    ),
    AlertDefault(
        "influx_down",
        Measure("influx_away", "databases", "1 while InfluxDB takes no points.", of_stack=True),
        "above",
        0,
        "The history has a gap until InfluxDB is back: points wait on disk.",
        "The message says what InfluxDB answered.",
        f"{_LOGS}monitor",
    ),
    AlertDefault(
        "graphite_down",
        Measure("graphite_away", "databases", "1 while Graphite takes no points.", of_stack=True),
        "above",
        0,
        "Graphite has a gap when it stays away for long: some twenty minutes of points wait in memory.",
        "The message says why nothing can be sent.",
        f"{_LOGS}monitor",
    ),
    AlertDefault(
        "part_silent",
        Measure("silent_parts", "parts", "1 while a part does not show its metrics.", each="part", of_stack=True),
        "above",
        0,
        "A part of the stack does not answer.",
        "It starts again by itself; its log says why it ended.",
        f"{_LOGS}{{item}}",
        lasts=timedelta(seconds=10),
        severity="critical",
        no_data="ok",
    ),
    AlertDefault(
        "part_ended",
        Measure(
            "ended_parts",
            "parts",
            "1 for a minute after a part has ended, or was killed, and was started again.",
            each="part",
            of_stack=True,
        ),
        "above",
        0,
        "A part, or an engine that `up` runs, ended without being asked to; it is started again by itself.",
        "None where it was once; its log says why it ended.",
        f"{_LOGS}{{item}}",
        no_data="ok",
        is_note=True,
    ),
    AlertDefault(
        "part_restarts",
        Measure(
            "restarts", "parts", "1 while a part is restarted often or had ended itself.", each="part", of_stack=True
        ),
        "above",
        0,
        "A part was started again three times in ten minutes, or ended itself (told for 5 min).",
        "Its log says why; report the stacks of an exit code 70.",
        f"{_LOGS}{{item}}",
        no_data="ok",
    ),
    AlertDefault(
        "mirror_blind",
        Measure("watcher_silence", "s", "For how long the watcher has not seen both brokers.", of_stack=True),
        "above",
        60,
        "No bucket closes: no news means not caught up. Nothing is lost.",
        "The watcher's log names the broker; it goes on when both answer.",
        f"{_LOGS}watcher",
        "mirror",
        severity="critical",
    ),
    AlertDefault(
        "disk",
        Measure("disk_free", "bytes", "Free on the disk of the data folder.", of_stack=True),
        "below",
        2e9,
        "The disk is nearly full: brokers, HDFS and logs stop when it is.",
        "Make room, or shorten `[lake] retention`; never delete `hdfs/name`.",
        "./hotpath status",
        lasts=timedelta(seconds=20),
        severity="critical",
    ),
    AlertDefault(
        "hdfs_space",
        Measure("hdfs_free", "bytes", "What is free of HDFS.", of_stack=True),
        "below",
        2e9,
        "HDFS is nearly full.",
        "Add a DataNode or a disk, or shorten `[lake] retention`.",
        f"{_LOGS}namenode",
        lasts=timedelta(seconds=20),
        severity="critical",
    ),
    AlertDefault(
        "blocks_missing",
        Measure("blocks_missing", "blocks", "Blocks of HDFS of which no copy is left.", of_stack=True),
        "above",
        0,
        "Tables have lost data, or their DataNodes are away.",
        "Start the DataNodes that are away; what stays missing is in no copy: restore HDFS from a backup.",
        f"{_LOGS}namenode",
        lasts=timedelta(seconds=60),
        severity="critical",
    ),
    AlertDefault(
        "under_replicated",
        Measure(
            "under_replicated",
            "partitions",
            "Partitions of a Kafka cluster with fewer replicas in sync than they should have.",
            each="side",
            of_stack=True,
        ),
        "above",
        0,
        "A broker of a cluster is away or does not keep up: one more that fails may lose records.",
        "Ask whoever runs the cluster.",
        f"{_LOGS}watcher",
        lasts=timedelta(seconds=60),
    ),
    AlertDefault(
        "file_unreadable",
        Measure("unreadable_files", "files", "1 while a deployed file does not load.", each="file", of_stack=True),
        "above",
        0,
        "A deployed pipeline file does not load; other pipelines go on.",
        "`hotpath check FILE` names every mistake; `hotpath up FILE` deploys it again.",
        "./hotpath up FILE",
        no_data="ok",
    ),
)

ALERTS: Final[Mapping[str, AlertDefault]] = {each.name: each for each in (*_MODEL, *_FLOW, *_STACK)}
"""By name, in the order in which they are told: what is about the model first, then the flow, then the stack."""
_OWN_MEASURES: Final = {each.measure.name: each.measure for each in ALERTS.values()}


def measures() -> Iterator[str]:
    """Every name that `metric` may have."""
    yield from _OWN_MEASURES
    yield from (each.name for each in DECLARED if _is_scraped(each))


def measure_of(name: str) -> Measure | None:
    """A measure by its name: one of the catalogue, or a gauge or counter of docs/metrics.md; None: there is none."""
    if name in _OWN_MEASURES:
        return _OWN_MEASURES[name]
    declared = next((each for each in DECLARED if each.name == name and _is_scraped(each)), None)
    if declared is None:
        return None
    others = [label for label in declared.labels if label != "pipeline"]
    more = " Its increase in ten minutes." if declared.kind == "counter" else ""
    return Measure(
        name, declared.unit, declared.meaning + more, ", ".join(others), of_stack="pipeline" not in declared.labels
    )


def _is_scraped(declared: Declared) -> bool:
    """A gauge or counter of ours: histograms have no one value, moments are of no use as such."""
    return declared.metric is not None and declared.kind in ("gauge", "counter") and declared.unit != "s since 1970"
