"""Every metric of hotpath, declared once by the process that emits it; docs/metrics.md is made from this list.

A process uses the objects below and calls `serve` once. Whoever reads samples names them by the same objects
(`sample_name`, `sum_name`, `count_name`), so that mypy finds a metric that was renamed.
"""

from __future__ import annotations

import sys
from typing import Final

from prometheus_client import start_http_server

from contract import variables
from contract.environment import Environment
from contract.metric_types import Emitter

EVERY_PROCESS: Final = Emitter("every process")
REPLAY: Final = Emitter("replay")
SCORER: Final = Emitter("scorer")
SOCKET_MANAGER: Final = Emitter("socket manager")
PULL: Final = Emitter("pull")
ROLLOUT: Final = Emitter("rollout")
TRAINER: Final = Emitter("trainer")
WATCHER: Final = Emitter("watcher")
SPARK_JOB: Final = Emitter("Spark job")
MONITOR: Final = Emitter("monitor")

PROBLEMS = EVERY_PROCESS.counter(
    "hotpath_problems",
    "errors",
    "Errors that a process's outermost loop caught and logged, once for each turn of the loop.",
    "part",
)
UNREADABLE_RECORDS = EVERY_PROCESS.counter(
    "hotpath_unreadable_records",
    "records",
    "Records of hotpath's own topics that were passed over: they do not read.",
    "topic",
    only_by_fault=True,
)
PROCESS_CPU_SECONDS = EVERY_PROCESS.from_library(
    "process_cpu_seconds", "counter", "s", "Processor time that the process has used."
)
PROCESS_MEMORY_BYTES = EVERY_PROCESS.from_library(
    "process_resident_memory_bytes", "gauge", "bytes", "Memory of the process that is in RAM."
)
PROCESS_OPEN_FILES = EVERY_PROCESS.from_library("process_open_fds", "gauge", "files", "Open file descriptors.")
PROCESS_STARTED_SECONDS = EVERY_PROCESS.from_library(
    "process_start_time_seconds", "gauge", "s since 1970", "When the process started."
)

# the replay of the example, and the application that it plays
REPLAY_PRODUCED = REPLAY.counter(
    "hotpath_replay_produced_records", "records", "Records handed to the on-prem broker.", "topic"
)
REPLAY_BEHIND_SECONDS = REPLAY.gauge("hotpath_replay_behind_seconds", "s", "How late the replay is.")
APP_ANSWERS = REPLAY.counter(
    "hotpath_app_answers", "answers", "Answers, by HTTP status; failed, or not_asked when busy.", "status"
)
APP_ANSWER_SECONDS = REPLAY.seconds(
    "hotpath_app_answer_seconds", "From a question to its answer, as the application sees it."
)

# traffic at the scorer's addresses; golden requests are in none of these but their own
REQUESTS = SCORER.counter(
    "hotpath_scorer_requests", "requests", "Requests to predict, by HTTP status.", "pipeline", "status"
)
REQUEST_SECONDS = SCORER.seconds(
    "hotpath_scorer_request_seconds",
    "From a request's last byte to its answer, in the scorer, whatever its status.",
    "pipeline",
    buckets=(0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0),
)
ANSWER_WARNINGS = SCORER.counter(
    "hotpath_scorer_warnings",
    "warnings",
    "Warnings in answers, by code.",
    "pipeline",
    "code",
    only_by_fault=True,
)
GOLDEN_REQUESTS = SCORER.counter(
    "hotpath_scorer_golden_requests", "requests", "Golden requests, by HTTP status.", "pipeline", "status"
)
PREDICTIONS_LOGGED = SCORER.counter(
    "hotpath_scorer_predictions",
    "predictions",
    "Logged predictions: delivered, spooled (written to disk, delivered later), refused by the broker, or dropped.",
    "pipeline",
    "outcome",
)
PREDICTION_QUEUE = SCORER.gauge(
    "hotpath_scorer_prediction_queue_records", "records", "Predictions not yet taken by Kafka.", "pipeline"
)
PREDICTION_SPOOL = SCORER.gauge(
    "hotpath_scorer_prediction_spool_bytes", "bytes", "Predictions on disk, not yet sent.", "pipeline"
)
MODEL_AGE_SECONDS = SCORER.gauge(
    "hotpath_scorer_model_age_seconds", "s", "Now minus the newest question in training.", "pipeline", "model"
)
ACCEPT_PAUSES = SCORER.counter(
    "hotpath_scorer_accept_pauses",
    "pauses",
    "Times that a scorer stopped accepting for a while, being short of descriptors.",
)
SCORER_FORCED_CLOSES = SCORER.counter(
    "hotpath_scorer_forced_closes", "connections", "Connections that the drain deadline closed."
)

# the hot address
SWITCHES = SOCKET_MANAGER.counter(
    "hotpath_serving_switches",
    "switches",
    "Switches of the hot address to another scorer: done or failed.",
    "pipeline",
    "outcome",
)
RESCUES = SOCKET_MANAGER.counter(
    "hotpath_serving_rescues",
    "calls",
    "Times a draining scorer was called back, since none accepted.",
    "pipeline",
    only_by_fault=True,
)
SCORERS = SOCKET_MANAGER.gauge(
    "hotpath_serving_scorers", "scorers", "Scorers that the socket manager knows.", "pipeline", "state"
)
SOCKET_HELD = SOCKET_MANAGER.gauge(
    "hotpath_serving_socket_held", "1 or 0", "1 while the socket manager holds the socket.", "pipeline"
)

# candidates on-prem, and the models that serve
PULLED_CANDIDATES = PULL.counter(
    "hotpath_pull_candidates", "candidates", "Candidates copied on-prem, complete.", "pipeline"
)
PULLED_BYTES = PULL.counter("hotpath_pull_bytes", "bytes", "Bytes copied from the registry.", "pipeline")
PULL_FAILURES = PULL.counter(
    "hotpath_pull_failures",
    "turns",
    "Turns in which a pipeline's registry could not be reached or copied.",
    "pipeline",
    only_by_fault=True,
)
PULL_FAILURES_IN_A_ROW = PULL.gauge(
    "hotpath_pull_failures_in_a_row",
    "turns",
    "Turns for a pipeline that failed since the last one that did not.",
    "pipeline",
)
ADMISSIONS = ROLLOUT.counter(
    "hotpath_rollout_admissions", "candidates", "Candidates admitted or rejected.", "pipeline", "outcome"
)
CURRENT_MODEL = ROLLOUT.replaced(
    "hotpath_rollout_model", "1", "1 for the version that is champion.", "pipeline", "model"
)
MODEL_NEWEST_AS_OF = ROLLOUT.moment(
    "hotpath_rollout_model_newest_as_of_seconds", "The newest question in the champion's training.", "pipeline"
)
MODEL_PINNED = ROLLOUT.replaced(
    "hotpath_rollout_pinned_since_seconds",
    "s since 1970",
    "When a version was pinned by hand; no sample while none is.",
    "pipeline",
    "model",
    "who",
    only_by_fault=True,
)
CHAMPION_SINCE = ROLLOUT.replaced(
    "hotpath_rollout_champion_since_seconds",
    "s since 1970",
    "When the version that serves became champion: by whom and why, in words.",
    "pipeline",
    "model",
    "who",
    "reason",
)
REJECTED_SINCE = ROLLOUT.replaced(
    "hotpath_rollout_rejected_since_seconds",
    "s since 1970",
    "When the newest of the rejected candidates was rejected: why, in words. Absent while none is.",
    "pipeline",
    "model",
    "reason",
    only_by_fault=True,
)
HOST_TROUBLE = ROLLOUT.replaced(
    "hotpath_rollout_host_trouble",
    "1",
    "1 while no scorer can start on this host: for which reason, in words. Absent while all is well.",
    "pipeline",
    "reason",
    only_by_fault=True,
)
DRAINING_SCORERS = ROLLOUT.gauge(
    "hotpath_rollout_draining_scorers", "scorers", "Scorers that drain or stay warm.", "pipeline"
)
OPERATOR_COMMANDS = ROLLOUT.counter(
    "hotpath_rollout_commands",
    "commands",
    "Operator commands: done, or refused (the answer or the log says why).",
    "pipeline",
    "outcome",
    only_by_fault=True,
)
UNSENT_MODEL_STATES = ROLLOUT.gauge(
    "hotpath_rollout_unsent_model_states", "records", "Records of models' states that wait for the broker.", "pipeline"
)

# training
TRAINING_RUNS = TRAINER.counter(
    "hotpath_training_candidates", "candidates", "Candidates written to the registry.", "pipeline"
)
TRAINING_SECONDS = TRAINER.seconds(
    "hotpath_training_run_seconds",
    "One run, from the import to the candidate.",
    "pipeline",
    buckets=(5, 10, 20, 40, 80, 160),
)
TRAINING_STEP_SECONDS = TRAINER.gauge(
    "hotpath_training_step_seconds",
    "s",
    "How long a step of the newest run took: import, train, score, scorecard, reference_rows, write.",
    "pipeline",
    "step",
)
TRAINING_ROWS = TRAINER.gauge(
    "hotpath_training_rows", "rows", "Rows of the newest run: in its window, and in its holdout.", "pipeline", "part"
)
TRAINING_VERDICTS = TRAINER.counter(
    "hotpath_training_verdicts",
    "runs",
    "Runs by their end: the candidate was proposed, it was below a floor, or the run failed.",
    "pipeline",
    "verdict",
)
TRAINING_AUC = TRAINER.gauge("hotpath_training_auc", "0 to 1", "The newest candidate's AUC on its holdout.", "pipeline")
TRAINING_IDLE = TRAINER.gauge(
    "hotpath_training_idle", "1 or 0", "1 while there are no new rows to train on.", "pipeline"
)
TRAINING_WAITING = TRAINER.gauge(
    "hotpath_training_waiting", "1 or 0", "1 while the rows are too few yet to train on.", "pipeline"
)
TRAINING_FAILURES = TRAINER.gauge(
    "hotpath_training_failures_in_a_row",
    "runs",
    "Training runs that failed since the last one that did not.",
    "pipeline",
)
TRAINING_FAILING = TRAINER.gauge(
    "hotpath_training_failing",
    "1",
    "1 while the newest training run of a pipeline failed: for which reason, in words. Absent while all is well.",
    "pipeline",
    "reason",
    only_by_fault=True,
)

# the monitor
WEBHOOK_FAILURES = MONITOR.counter(
    "hotpath_monitor_webhook_failures", "calls", "Times that the webhook took no alert, which is sent again."
)
ALERTS_DROPPED = MONITOR.counter(
    "hotpath_monitor_alerts_dropped",
    "alerts",
    "Alerts that never reached the webhook: refused for good (a 4xx), or the oldest of too many that waited.",
    "why",
    only_by_fault=True,
)

ALERT_STATE = MONITOR.replaced(
    "hotpath_alert_state",
    "0 to 5",
    "Each alert: 0 ok, 1 pending, 2 firing, 3 inconclusive, 4 firing and silenced, 5 firing and explained by another. "
    "Without a pipeline, the stack's.",
    "pipeline",
    "alert",
    "severity",
)
INFLUX_POINTS = MONITOR.counter(
    "hotpath_monitor_influx_points",
    "points",
    "Points for InfluxDB: written, refused by it for good, or dropped since too many waited.",
    "outcome",
)
INFLUX_SPOOL_BYTES = MONITOR.gauge(
    "hotpath_monitor_influx_spool_bytes", "bytes", "Points on disk that InfluxDB has not taken yet."
)

GRAPHITE_LINES = MONITOR.counter(
    "hotpath_monitor_graphite_lines",
    "lines",
    "Lines for Graphite: sent, or dropped since too many waited. Where no Graphite is named there are none.",
    "outcome",
    only_by_fault=True,
)

# engines and this host, as the monitor asks them
ENGINE_ANSWERS = MONITOR.replaced(
    "hotpath_engine_answers", "1 or 0", "1 while the engine answers the monitor, 0 while it does not.", "engine"
)
KAFKA_UNDER_REPLICATED = MONITOR.replaced(
    "hotpath_kafka_under_replicated_partitions",
    "partitions",
    "Partitions with fewer replicas in sync than they should have.",
    "side",
)
KAFKA_APPENDED_RECORDS = MONITOR.replaced(
    "hotpath_kafka_appended_records",
    "records",
    "The sum of a topic's ends: how many records it has ever had, markers of transactions included.",
    "side",
    "topic",
)
KAFKA_LOG_BYTES = MONITOR.replaced(
    "hotpath_kafka_log_bytes", "bytes", "The logs of a broker that `hotpath up` started, on disk.", "side"
)
KAFKA_BYTES_IN = MONITOR.counter(
    "hotpath_kafka_bytes_in",
    "bytes",
    "Appended to the logs of a broker that `hotpath up` started, since the monitor began to look.",
    "side",
)
HDFS_CAPACITY_BYTES = MONITOR.replaced("hotpath_hdfs_capacity_bytes", "bytes", "What HDFS can hold.")
HDFS_REMAINING_BYTES = MONITOR.replaced("hotpath_hdfs_remaining_bytes", "bytes", "What is free of it.")
HDFS_MISSING_BLOCKS = MONITOR.replaced("hotpath_hdfs_missing_blocks", "blocks", "Blocks of which no copy is left.")
HDFS_LIVE_NODES = MONITOR.replaced("hotpath_hdfs_live_nodes", "nodes", "DataNodes that report.")
H2O_NODES = MONITOR.replaced("hotpath_h2o_nodes", "nodes", "Nodes of the H2O cluster.")
H2O_FREE_MEMORY_BYTES = MONITOR.replaced("hotpath_h2o_free_memory_bytes", "bytes", "Free heap over all nodes of H2O.")
H2O_RUNNING_JOBS = MONITOR.replaced("hotpath_h2o_running_jobs", "jobs", "Jobs that H2O works on.")
HOST_CPU_RATIO = MONITOR.replaced("hotpath_host_cpu_ratio", "0 to 1", "The share of this host's cores that is busy.")
HOST_AVAILABLE_MEMORY_BYTES = MONITOR.replaced(
    "hotpath_host_available_memory_bytes", "bytes", "Memory that programs can still have."
)
HOST_FREE_DISK_BYTES = MONITOR.replaced("hotpath_host_free_disk_bytes", "bytes", "Free on the disk of the data folder.")
HOST_NETWORK_BYTES = MONITOR.replaced(
    "hotpath_host_network_bytes", "bytes", "Since the host started: received, or sent.", "direction"
)

PART_CPU_SECONDS = MONITOR.replaced(
    "hotpath_part_cpu_seconds",
    "s",
    "Processor time of a process that `hotpath up` runs on this host, since it started; its children aside.",
    "part",
)

# what the monitor works out
CLOCK_BEHIND_SECONDS = MONITOR.replaced(
    "hotpath_clock_behind_seconds",
    "s",
    "By how much a host's smallest offset is above the median of the others'; 0 while it does not stand apart.",
    "pipeline",
    "host",
)
DRIFT_PSI = MONITOR.replaced(
    "hotpath_data_drift_psi",
    "1",
    "Population stability index of a feature: its newest window of rows against all the others.",
    "pipeline",
    "feature",
)
DRIFT_ALARM = MONITOR.replaced(
    "hotpath_data_drift_alarm",
    "1 or 0",
    "1 while a feature's last two windows stand out from those before.",
    "pipeline",
    "feature",
)
MISSING_RATIO = MONITOR.replaced(
    "hotpath_data_missing_ratio",
    "0 to 1",
    "The share of NULL in a feature, in the newest window of rows.",
    "pipeline",
    "feature",
)
LABEL_DELAY_SECONDS = MONITOR.replaced(
    "hotpath_data_label_delay_seconds",
    "s",
    "From a question to its label's append time: p50, p90 and p99 of the newest window of rows.",
    "pipeline",
    "quantile",
)
ANSWERS_CPU_SECONDS = MONITOR.replaced(
    "hotpath_cost_answers_cpu_seconds",
    "s per million answers",
    "Processor time of the scorers for a million answers, over the last ten minutes.",
    "pipeline",
)
RETRAIN_CPU_SECONDS = MONITOR.replaced(
    "hotpath_cost_retrain_cpu_seconds",
    "s per run",
    "Processor time of trainer and H2O for a run, over the last half hour; of H2O where `hotpath up` runs it.",
    "pipeline",
)

# the mirror, as the watcher sees it, and what the hot query makes of it
# moments, not ages: an age would stand still with the process that tells it
MIRROR_LAG_RECORDS = WATCHER.gauge(
    "hotpath_mirror_lag_records", "records", "On-prem records not yet in the cloud.", "topic", "partition"
)
MIRROR_CAUGHT_UP_TO_SECONDS = WATCHER.moment(
    "hotpath_mirror_caught_up_to_seconds", "All stamped before is in the cloud.", "topic", "partition"
)
WATCHER_LOOKED_SECONDS = WATCHER.moment(
    "hotpath_watcher_looked_seconds", "When the watcher last saw both brokers and told the cloud of it."
)
IMPORT_OPEN = WATCHER.gauge(
    "hotpath_mirror_import_open", "1 or 0", "1 while somebody imports history into the topic.", "topic"
)
IMPORT_NEWS_SECONDS = WATCHER.moment(
    "hotpath_mirror_import_news_seconds",
    "When the last record about an open import came; no sample while none is open.",
    "topic",
    only_by_fault=True,
)
STREAM_RECORDS = SPARK_JOB.counter(
    "hotpath_streaming_records", "records", "Records committed, by table.", "pipeline", "table"
)
DEAD_LETTERS = SPARK_JOB.counter(
    "hotpath_streaming_dead_letters",
    "records",
    "Records that could not be decoded, by the code of their reason.",
    "pipeline",
    "topic",
    "reason",
    only_by_fault=True,
)
QUARANTINED_QUESTIONS = SPARK_JOB.counter(
    "hotpath_streaming_quarantined_questions",
    "questions",
    "Questions committed to the one bucket of those whose as_of or due is NULL or out of bounds, by the likely cause.",
    "pipeline",
    "reason",
    only_by_fault=True,
)
LOSSES_UNACKNOWLEDGED = SPARK_JOB.gauge(
    "hotpath_losses_unacknowledged",
    "losses",
    "Losses of records (taken by retention, or with a topic that was made anew) that nobody has acknowledged.",
    "pipeline",
)
STREAM_BATCH_SECONDS = SPARK_JOB.seconds(
    "hotpath_streaming_batch_seconds",
    "A batch of the hot query, from its start to its last commit; the count is that of batches.",
    "pipeline",
    buckets=(0.5, 1, 2, 3, 4, 5, 7, 10, 15, 30, 60),
)
STREAM_DELAY_SECONDS = SPARK_JOB.seconds(
    "hotpath_streaming_delay_seconds",
    "From the on-prem stamp of a batch's oldest record to its commit; imports aside.",
    "pipeline",
    buckets=(1, 2, 3, 5, 7, 10, 15, 20, 30, 60, 300),
)
STREAM_BEHIND_RECORDS = SPARK_JOB.gauge(
    "hotpath_streaming_behind_records", "records", "Cloud offsets not yet committed.", "pipeline"
)
STREAM_LAG_RECORDS = SPARK_JOB.gauge(
    "hotpath_streaming_lag_records",
    "records",
    "The same by topic: how far the hot query is behind.",
    "pipeline",
    "topic",
)
STREAM_CAUGHT_UP_TO_SECONDS = SPARK_JOB.moment(
    "hotpath_streaming_caught_up_to_seconds", "All stamped before is in the tables.", "pipeline"
)
IMPORTED_SECONDS = SPARK_JOB.moment(
    "hotpath_streaming_imported_seconds",
    "When a record was last committed that is marked as imported.",
    "pipeline",
    only_by_fault=True,
)
STREAM_RESTARTS = SPARK_JOB.counter(
    "hotpath_streaming_restarts",
    "restarts",
    "Hot queries that ended and were started anew.",
    "pipeline",
    only_by_fault=True,
)
STREAM_FAILURES_IN_A_ROW = SPARK_JOB.gauge(
    "hotpath_streaming_failures_in_a_row",
    "failures",
    "How often a step (hot query, losses, rows job, upkeep) has failed since it last succeeded; 0 while it is well.",
    "pipeline",
    "step",
)
CLOCK_OFFSET_SECONDS = SPARK_JOB.gauge(
    "hotpath_clock_offset_seconds",
    "s",
    "Per producing host, the smallest (append time - event time) of the last minutes; negative: its clock is ahead.",
    "pipeline",
    "host",
)
CLOCK_MEDIAN_OFFSET_SECONDS = SPARK_JOB.gauge(
    "hotpath_clock_median_offset_seconds",
    "s",
    "Per producing host, the median (append time - event time) of the last minutes, within 5 %.",
    "pipeline",
    "host",
)
UPKEEP_SECONDS = SPARK_JOB.seconds("hotpath_streaming_upkeep_seconds", "A turn of the tables' upkeep.", "pipeline")

# the rows job: buckets of `rows` and `outcomes`
BUILT_BUCKETS = SPARK_JOB.counter(
    "hotpath_rows_buckets", "buckets", "Buckets built: closed or reopened.", "pipeline", "table", "why"
)
BUILD_SECONDS = SPARK_JOB.seconds(
    "hotpath_rows_build_seconds",
    "A build, of all buckets that were ready.",
    "pipeline",
    "table",
    buckets=(1, 2, 5, 10, 20, 40, 80, 160),
)
BUILT_UPTO_SECONDS = SPARK_JOB.moment(
    "hotpath_rows_built_upto_seconds", "Every bucket that ends before has been built.", "pipeline", "table"
)
PENDING_BUCKETS = SPARK_JOB.gauge(
    "hotpath_rows_pending_buckets",
    "buckets",
    "Closed buckets that have changed and are to be built anew.",
    "pipeline",
    "table",
)
QUESTIONS = SPARK_JOB.gauge(
    "hotpath_rows_questions",
    "questions",
    "Questions, or predictions, of built buckets by state.",
    "pipeline",
    "table",
    "state",
)


def serve(part: str) -> None:
    """Serve `/metrics` of this process at METRICS_BIND and METRICS_PORT; without a port, at none.

    Where one cannot listen there, the process ends with 1 and says why.
    """
    environment = Environment()
    port = environment.get(variables.METRICS_PORT)
    host = environment.get(variables.METRICS_BIND) or environment.get(variables.BIND)
    try:
        if port:
            start_http_server(port, addr=host)
    except OSError as error:
        remedy = f"stop what listens there, or choose other ports with {variables.PORT_BASE.name}"
        sys.exit(f"{part}: /metrics cannot be served at {host}:{port} ({error.strerror or error}); {remedy}")
    PROBLEMS.labels(part=part).inc(0)
