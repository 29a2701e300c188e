"""Every metric of hotpath, declared once: name, type, unit, meaning, labels.

A process uses the objects below and calls `serve` once. Names follow Prometheus: `hotpath_<stage>_<what>_<unit>`.
Whoever reads samples names them by the same objects (`sample_name`, `sum_name`, `count_name`), so that mypy finds a
metric that was renamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram, start_http_server
from prometheus_client.samples import Sample

from contract import variables
from contract.environment import Environment


class MomentGauge(Gauge):
    """A moment as Unix time. It has no sample until it is set: the 0 of a fresh gauge would read as 1970."""

    def _child_samples(self) -> Iterable[Sample]:
        return [sample for sample in super()._child_samples() if sample.value != 0]


L = TypeVar("L", bound="tuple[str, ...]")


class ReplacedGauge(Gauge):
    """A gauge whose samples are replaced all at once: a scrape finds the old ones or the new ones, never none."""

    _shown: tuple[tuple[tuple[str, ...], float], ...] = ()

    def replace(self, samples: Mapping[L, float]) -> None:
        """Show these values by their labels' values, and nothing else."""
        self._shown = tuple(samples.items())

    def _multi_samples(self) -> Iterable[Sample]:
        return [
            Sample("", dict(zip(self._labelnames, labels, strict=True)), value, None, None)
            for labels, value in self._shown
        ]


def sample_name(metric: Counter | Gauge) -> str:
    """The name under which the metric's values are scraped."""
    return f"{_family(metric)}_total" if isinstance(metric, Counter) else _family(metric)


def sum_name(metric: Histogram) -> str:
    """The name of the sum of what a histogram observed."""
    return f"{_family(metric)}_sum"


def count_name(metric: Histogram) -> str:
    """The name of the number of a histogram's observations."""
    return f"{_family(metric)}_count"


def _family(metric: Counter | Gauge | Histogram) -> str:
    (family,) = metric.describe()
    return str(family.name)


# every process
PROBLEMS = Counter("hotpath_problems", "Errors that a process's outermost loop caught and logged.", ["part"])
"""A process counts here what it could not do, once per turn of its loop."""

UNREADABLE_RECORDS = Counter(
    "hotpath_unreadable_records", "Records of hotpath's own topics that were passed over: they do not read.", ["topic"]
)

# the replay of the example, and the application that it plays
REPLAY_PRODUCED = Counter("hotpath_replay_produced_records", "Records handed to the on-prem broker.", ["topic"])
REPLAY_BEHIND_SECONDS = Gauge("hotpath_replay_behind_seconds", "How late the replay is with its next record.")
APP_ANSWERS = Counter("hotpath_app_answers", "Answers, by HTTP status; failed, or not_asked when busy.", ["status"])
APP_ANSWER_SECONDS = Histogram(
    "hotpath_app_answer_seconds", "From a question to its answer, as the application sees it."
)

# the scorer: traffic at its addresses; golden requests are in none of these but their own
REQUESTS = Counter("hotpath_scorer_requests", "Requests to predict, by HTTP status.", ["pipeline", "status"])
REQUEST_SECONDS = Histogram(
    "hotpath_scorer_request_seconds",
    "From a request's last byte to its answer, in the scorer, whatever its status.",
    ["pipeline"],
    buckets=(0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0),
)
ANSWER_WARNINGS = Counter("hotpath_scorer_warnings", "Warnings in answers, by code.", ["pipeline", "code"])
GOLDEN_REQUESTS = Counter("hotpath_scorer_golden_requests", "Golden requests, by HTTP status.", ["pipeline", "status"])
PREDICTIONS_LOGGED = Counter(
    "hotpath_scorer_predictions",
    "Logged predictions: delivered, spooled (written to disk, delivered later), refused by the broker, or dropped.",
    ["pipeline", "outcome"],
)
PREDICTION_QUEUE = Gauge("hotpath_scorer_prediction_queue_records", "Predictions not yet taken by Kafka.", ["pipeline"])
PREDICTION_SPOOL = Gauge("hotpath_scorer_prediction_spool_bytes", "Predictions on disk, not yet sent.", ["pipeline"])
MODEL_AGE_SECONDS = Gauge(
    "hotpath_scorer_model_age_seconds", "Now minus the newest question in training.", ["pipeline", "model"]
)

# the hot address: the socket manager, and the scorer's hold on it
SWITCHES = Counter(
    "hotpath_serving_switches",
    "Switches of the hot address to another scorer: done or failed.",
    ["pipeline", "outcome"],
)
RESCUES = Counter(
    "hotpath_serving_rescues", "Times a draining scorer was called back, since none accepted.", ["pipeline"]
)
SCORERS = Gauge("hotpath_serving_scorers", "Scorers that the socket manager knows.", ["pipeline", "state"])
SOCKET_HELD = Gauge("hotpath_serving_socket_held", "1 while the socket manager holds the socket.", ["pipeline"])
ACCEPT_PAUSES = Counter(
    "hotpath_scorer_accept_pauses", "Times that a scorer stopped accepting for a while, being short of descriptors."
)
SCORER_FORCED_CLOSES = Counter("hotpath_scorer_forced_closes", "Connections that the drain deadline closed.")

# pull and rollout: candidates on-prem, and the models that serve
PULLED_CANDIDATES = Counter("hotpath_pull_candidates", "Candidates copied on-prem, complete.", ["pipeline"])
PULLED_BYTES = Counter("hotpath_pull_bytes", "Bytes copied from the registry.", ["pipeline"])
PULL_FAILURES = Counter(
    "hotpath_pull_failures", "Turns in which a pipeline's registry could not be reached or copied.", ["pipeline"]
)
ADMISSIONS = Counter("hotpath_rollout_admissions", "Candidates admitted or rejected.", ["pipeline", "outcome"])
CURRENT_MODEL = ReplacedGauge("hotpath_rollout_model", "1 for the version that is champion.", ["pipeline", "model"])
MODEL_NEWEST_AS_OF = MomentGauge(
    "hotpath_rollout_model_newest_as_of_seconds",
    "The newest question in the champion's training, Unix time.",
    ["pipeline"],
)
MODEL_PINNED = ReplacedGauge(
    "hotpath_rollout_pinned_since_seconds",
    "When a version was pinned by hand, Unix time; no sample while none is.",
    ["pipeline", "model", "who"],
)
DRAINING_SCORERS = Gauge("hotpath_rollout_draining_scorers", "Scorers that drain or stay warm.", ["pipeline"])
OPERATOR_COMMANDS = Counter(
    "hotpath_rollout_commands",
    "Operator commands: done, or refused (the answer or the log says why).",
    ["pipeline", "outcome"],
)
UNSENT_MODEL_STATES = Gauge(
    "hotpath_rollout_unsent_model_states", "Records of models' states that wait for the broker.", ["pipeline"]
)

# training
TRAINING_RUNS = Counter("hotpath_training_candidates", "Candidates written to the registry.", ["pipeline"])
TRAINING_SECONDS = Histogram(
    "hotpath_training_run_seconds",
    "One run, from the import to the candidate.",
    ["pipeline"],
    buckets=(5, 10, 20, 40, 80, 160),
)
TRAINING_AUC = Gauge("hotpath_training_auc", "The newest candidate's AUC on its holdout.", ["pipeline"])
TRAINING_IDLE = Gauge("hotpath_training_idle", "1 while there are no new rows to train on.", ["pipeline"])
TRAINING_WAITING = Gauge("hotpath_training_waiting", "1 while the rows are too few yet to train on.", ["pipeline"])
TRAINING_FAILURES = Gauge(
    "hotpath_training_failures_in_a_row", "Training runs that failed since the last one that did not.", ["pipeline"]
)
TRAINING_FAILING = Gauge(
    "hotpath_training_failing",
    "1 while the newest training run of a pipeline failed: for which reason, in words. Absent while all is well.",
    ["pipeline", "reason"],
)

# the monitor
WEBHOOK_FAILURES = Counter(
    "hotpath_monitor_webhook_failures", "Times that the webhook took no alert, which is sent again."
)
ALERTS_DROPPED = Counter(
    "hotpath_monitor_alerts_dropped",
    "Alerts that never reached the webhook: refused for good (a 4xx), or the oldest of too many that waited.",
    ["why"],
)


# the mirror, as the watcher sees it, and what the hot query makes of it
# moments, not ages: an age would stand still with the process that tells it
MIRROR_LAG_RECORDS = Gauge(
    "hotpath_mirror_lag_records", "On-prem records not yet in the cloud.", ["topic", "partition"]
)
MIRROR_CAUGHT_UP_TO_SECONDS = MomentGauge(
    "hotpath_mirror_caught_up_to_seconds", "All stamped before is in the cloud, Unix time.", ["topic", "partition"]
)
WATCHER_LOOKED_SECONDS = MomentGauge(
    "hotpath_watcher_looked_seconds", "When the watcher last saw both brokers and told the cloud of it, Unix time."
)
IMPORT_OPEN = Gauge("hotpath_mirror_import_open", "1 while somebody imports history into the topic.", ["topic"])
IMPORT_NEWS_SECONDS = MomentGauge(
    "hotpath_mirror_import_news_seconds",
    "When the last record about an open import came, Unix time; no sample while none is open.",
    ["topic"],
)
STREAM_RECORDS = Counter("hotpath_streaming_records", "Records committed, by table.", ["pipeline", "table"])
DEAD_LETTERS = Counter(
    "hotpath_streaming_dead_letters",
    "Records that could not be decoded, by the code of their reason.",
    ["pipeline", "topic", "reason"],
)
QUARANTINED_QUESTIONS = Counter(
    "hotpath_streaming_quarantined_questions",
    "Questions committed to the one bucket of those whose as_of or due is NULL or out of bounds, by the likely cause.",
    ["pipeline", "reason"],
)
LOSSES_UNACKNOWLEDGED = Gauge(
    "hotpath_losses_unacknowledged",
    "Losses of records (taken by retention, or with a topic that was made anew) that nobody has acknowledged.",
    ["pipeline"],
)
STREAM_BATCH_SECONDS = Histogram(
    "hotpath_streaming_batch_seconds",
    "A batch of the hot query, from its start to its last commit; the count is that of batches.",
    ["pipeline"],
    buckets=(0.5, 1, 2, 3, 4, 5, 7, 10, 15, 30, 60),
)
STREAM_DELAY_SECONDS = Histogram(
    "hotpath_streaming_delay_seconds",
    "From the on-prem stamp of a batch's oldest record to its commit; imports aside.",
    ["pipeline"],
    buckets=(1, 2, 3, 5, 7, 10, 15, 20, 30, 60, 300),
)
STREAM_BEHIND_RECORDS = Gauge("hotpath_streaming_behind_records", "Cloud offsets not yet committed.", ["pipeline"])
STREAM_CAUGHT_UP_TO_SECONDS = MomentGauge(
    "hotpath_streaming_caught_up_to_seconds", "All stamped before is in the tables, Unix time.", ["pipeline"]
)
STREAM_RESTARTS = Counter("hotpath_streaming_restarts", "Hot queries that ended and were started anew.", ["pipeline"])
STREAM_FAILURES_IN_A_ROW = Gauge(
    "hotpath_streaming_failures_in_a_row",
    "How often a step (hot query, losses, rows job, upkeep) has failed since it last succeeded; 0 while it is well.",
    ["pipeline", "step"],
)
CLOCK_OFFSET_SECONDS = Gauge(
    "hotpath_clock_offset_seconds",
    "Per producing host, the smallest (append time - event time) of the last minutes; negative: its clock is ahead.",
    ["pipeline", "host"],
)
UPKEEP_SECONDS = Histogram("hotpath_streaming_upkeep_seconds", "A turn of the tables' upkeep.", ["pipeline"])

# the rows job: buckets of `rows` and `outcomes`
BUILT_BUCKETS = Counter("hotpath_rows_buckets", "Buckets built: closed or reopened.", ["pipeline", "table", "why"])
BUILD_SECONDS = Histogram(
    "hotpath_rows_build_seconds",
    "A build, of all buckets that were ready.",
    ["pipeline", "table"],
    buckets=(1, 2, 5, 10, 20, 40, 80, 160),
)
BUILT_UPTO_SECONDS = MomentGauge(
    "hotpath_rows_built_upto_seconds", "Every bucket that ends before has been built, Unix time.", ["pipeline", "table"]
)
PENDING_BUCKETS = Gauge(
    "hotpath_rows_pending_buckets", "Closed buckets that have changed and are to be built anew.", ["pipeline", "table"]
)
QUESTIONS = Gauge(
    "hotpath_rows_questions", "Questions, or predictions, of built buckets by state.", ["pipeline", "table", "state"]
)


def serve(part: str) -> None:
    """Serve `/metrics` of this process at METRICS_BIND and METRICS_PORT; without a port, at none."""
    environment = Environment()
    port = environment.get(variables.METRICS_PORT)
    if port:
        start_http_server(port, addr=environment.get(variables.METRICS_BIND) or environment.get(variables.BIND))
    PROBLEMS.labels(part=part).inc(0)


__all__ = ["PROBLEMS", "Counter", "Gauge", "Histogram", "MomentGauge", "serve"]
