"""Platform: Kafka, the mirror, Spark, HDFS, H2O, this host, and the monitor itself."""

from __future__ import annotations

from typing import Final

from contract import metrics, variables
from monitoring.grafana.figures import gauge, increase, per_second, quantile
from monitoring.grafana.flux_queries import Series
from monitoring.grafana.panel_specs import (
    DATA,
    HOT_PATH,
    OVERVIEW,
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

_TO_STAGES: Final = Link("Which stage stands", OVERVIEW, "Which stage stands")
_TO_ENGINES: Final = Link("Engines that answer", PLATFORM, "Engines that answer")

_ENGINES = PanelSpec(
    "Engines that answer",
    "1 while the engine answers the monitor: `hotpath logs ENGINE` where it does not.",
    (Series(gauge(metrics.ENGINE_ANSWERS), by=("engine",), within="min", across="min"),),
    kind="states",
    below="red",
    limits=(Limit(1, "green"),),
    links=(_TO_STAGES,),
)
_ERRORS = PanelSpec(
    "Errors of the parts",
    "Errors that a process's outermost loop caught and logged: `hotpath logs PART`.",
    (Series(increase(metrics.PROBLEMS), by=("part",), within="sum"),),
    limits=SOME,
    links=(_TO_STAGES,),
)
_STEPS = PanelSpec(
    "Spark: steps that fail",
    "How often a step of a pipeline has failed since it last succeeded.",
    (Series(gauge(metrics.STREAM_FAILURES_IN_A_ROW), by=("pipeline", "step"), within="max", across="max"),),
    limits=(Limit(3, "red"),),
    links=(_TO_ENGINES,),
)
_APPENDED = PanelSpec(
    "Records that Kafka gets",
    "By cluster and topic; markers of transactions count as records.",
    (Series(gauge(metrics.KAFKA_APPENDED_RECORDS), by=("side", "topic"), change="rate"),),
    links=(Link("Records by table", DATA, "Records by table"),),
)
_BYTES_IN = PanelSpec(
    "Bytes that Kafka gets",
    "Appended to the logs of brokers that `hotpath up` started.",
    (Series(per_second(metrics.KAFKA_BYTES_IN), by=("side",)),),
    links=(Link("Kafka's logs", PLATFORM, "Kafka: logs on disk"),),
)
_UNDER = PanelSpec(
    "Kafka: under-replicated partitions",
    "Partitions with fewer replicas in sync than they should have.",
    (Series(gauge(metrics.KAFKA_UNDER_REPLICATED), by=("side",), within="max", across="max"),),
    limits=SOME,
    links=(_TO_ENGINES,),
)
_KAFKA_LOG = PanelSpec(
    "Kafka: logs on disk",
    "Of brokers that `hotpath up` started.",
    (Series(gauge(metrics.KAFKA_LOG_BYTES), by=("side",), within="last"),),
    links=(Link("Disk of this host", PLATFORM, "Free disk of this host"),),
)
_PRODUCED = PanelSpec(
    "Replay: records produced",
    "What the example's replay hands to the on-prem broker.",
    (Series(per_second(metrics.REPLAY_PRODUCED), by=("topic",)),),
    links=(_TO_ENGINES,),
)
_REPLAY_BEHIND = PanelSpec(
    "Replay: behind",
    "How late the example's replay is.",
    (Series(gauge(metrics.REPLAY_BEHIND_SECONDS), within="max", across="max"),),
    limits=(Limit(30, "red"),),
    links=(TO_HOST,),
)
_MIRROR = PanelSpec(
    "Mirror: behind by topic",
    "How old the newest moment is up to which everything of the topic is in the cloud.",
    (Series(gauge(metrics.MIRROR_CAUGHT_UP_TO_SECONDS), by=("topic",), within="max", across="max", change="age"),),
    limits=(Limit(60, "yellow"), Limit(300, "red")),
    links=(_TO_ENGINES,),
)
_MIRROR_RECORDS = PanelSpec(
    "Mirror: records behind",
    "On-prem records that are not yet in the cloud.",
    (Series(gauge(metrics.MIRROR_LAG_RECORDS), by=("topic",), within="max"),),
    links=(_TO_ENGINES,),
)
_WATCHER = PanelSpec(
    "Watcher: last look at both brokers",
    "While it cannot see both, no bucket closes: no news means not caught up.",
    (Series(gauge(metrics.WATCHER_LOOKED_SECONDS), within="max", across="max", change="age"),),
    limits=(Limit(60, "red"),),
    links=(_TO_ENGINES,),
)
_BATCHES = PanelSpec(
    "Spark: seconds of a batch",
    "A batch of the hot query, from its start to its last commit.",
    tuple(
        Series(quantile(metrics.STREAM_BATCH_SECONDS, each), each, ("pipeline",), within="max", across="max")
        for each in QUANTILES
    ),
    limits=(Limit(15, "yellow"), Limit(60, "red")),
    links=(TO_HOST,),
)
_DELAY = PanelSpec(
    "Spark: from the broker's stamp to the table",
    "The oldest record of each batch; imports aside.",
    tuple(
        Series(quantile(metrics.STREAM_DELAY_SECONDS, each), each, ("pipeline",), within="max", across="max")
        for each in QUANTILES
    ),
    limits=(Limit(30, "yellow"), Limit(60, "red")),
    links=(Link("The mirror", PLATFORM, "Mirror: behind by topic"),),
)
_BEHIND = PanelSpec(
    "Spark: records that wait",
    "Cloud offsets that are not yet committed to tables.",
    (Series(gauge(metrics.STREAM_BEHIND_RECORDS), by=("pipeline",), within="max"),),
    links=(TO_HOST,),
)
_LAG_BY_TOPIC = PanelSpec(
    "Spark: records that wait, by topic",
    "How far the hot query is behind in each topic.",
    (Series(gauge(metrics.STREAM_LAG_RECORDS), by=("pipeline", "topic"), within="max"),),
    links=(Link("What Kafka gets", PLATFORM, "Records that Kafka gets"),),
)
_RESTARTS = PanelSpec(
    "Spark: hot queries that ended",
    "And were started anew.",
    (Series(increase(metrics.STREAM_RESTARTS), by=("pipeline",), within="sum"),),
    limits=SOME,
    links=(_TO_ENGINES,),
)
_BUILDS = PanelSpec(
    "Rows job: seconds of a build",
    "A build of all buckets that were ready.",
    tuple(
        Series(quantile(metrics.BUILD_SECONDS, each), each, ("pipeline", "table_name"), within="max", across="max")
        for each in ("p50", "p99")
    ),
    limits=(Limit(60, "yellow"),),
    links=(TO_HOST,),
)
_BUCKETS = PanelSpec(
    "Rows job: buckets built",
    "Closed for the first time, or reopened by what came late.",
    (Series(increase(metrics.BUILT_BUCKETS), by=("table_name", "why"), within="sum"),),
    links=(Link("Training", TRAINING),),
)
_PENDING = PanelSpec(
    "Rows job: buckets to be built anew",
    "Closed buckets that have changed since.",
    (Series(gauge(metrics.PENDING_BUCKETS), by=("table_name",), within="max"),),
    limits=(Limit(100, "yellow"),),
    links=(TO_HOST,),
)
_UPKEEP = PanelSpec(
    "Spark: seconds of the tables' upkeep",
    "Compaction and removal of old files, every ten minutes.",
    (Series(quantile(metrics.UPKEEP_SECONDS, "p99"), "p99", ("pipeline",), within="max", across="max"),),
    links=(Link("HDFS", PLATFORM, "HDFS: live nodes"),),
)
_HDFS_BYTES = PanelSpec(
    "HDFS: capacity and what is free",
    "Over all DataNodes.",
    (
        Series(gauge(metrics.HDFS_CAPACITY_BYTES), "capacity", within="last", across="max"),
        Series(gauge(metrics.HDFS_REMAINING_BYTES), "free", within="last", across="max"),
    ),
    low=0.0,
    links=(Link("Disk of this host", PLATFORM, "Free disk of this host"),),
)
_HDFS_BLOCKS = PanelSpec(
    "HDFS: missing blocks",
    "Blocks of which no copy is left.",
    (Series(gauge(metrics.HDFS_MISSING_BLOCKS), within="max", across="max"),),
    kind="number",
    limits=SOME,
    links=(_TO_ENGINES,),
)
_HDFS_NODES = PanelSpec(
    "HDFS: live nodes",
    "DataNodes that report.",
    (Series(gauge(metrics.HDFS_LIVE_NODES), within="min", across="min"),),
    kind="number",
    below="red",
    limits=(Limit(1, "green"),),
    links=(_TO_ENGINES,),
)
_H2O_NODES = PanelSpec(
    "H2O: nodes",
    "Of the cluster.",
    (Series(gauge(metrics.H2O_NODES), within="min", across="min"),),
    kind="number",
    below="red",
    limits=(Limit(1, "green"),),
    links=(_TO_ENGINES,),
)
_H2O_MEMORY = PanelSpec(
    "H2O: free memory",
    f"Free heap over all nodes: raise {variables.MEMORY['H2O'].name}, or shorten the window, where it ends.",
    (Series(gauge(metrics.H2O_FREE_MEMORY_BYTES), within="min", across="min"),),
    low=0.0,
    links=(Link("Training", TRAINING, "Seconds of a run"),),
)
_H2O_JOBS = PanelSpec(
    "H2O: jobs",
    "That it works on.",
    (Series(gauge(metrics.H2O_RUNNING_JOBS), within="max", across="max"),),
    links=(Link("Training", TRAINING, "Seconds of a run"),),
)
_CPU = PanelSpec(
    "CPU of this host",
    "The share of its cores that is busy.",
    (Series(gauge(metrics.HOST_CPU_RATIO), within="mean", across="max"),),
    low=0.0,
    high=1.0,
    as_percent=True,
    limits=(Limit(0.9, "yellow"),),
    links=(Link("Which part", PLATFORM, "Cores that every process uses"),),
)
_MEMORY = PanelSpec(
    "Available memory of this host",
    "That programs can still have.",
    (Series(gauge(metrics.HOST_AVAILABLE_MEMORY_BYTES), within="min", across="min"),),
    low=0.0,
    links=(Link("Which part", PLATFORM, "Memory of the parts"),),
)
_DISK = PanelSpec(
    "Free disk of this host",
    "Of the disk of the data folder.",
    (Series(gauge(metrics.HOST_FREE_DISK_BYTES), within="min", across="min"),),
    low=0.0,
    below="red",
    limits=(Limit(2e9, "yellow"), Limit(1e10, "green")),
    links=(Link("Kafka's logs", PLATFORM, "Kafka: logs on disk"),),
)
_NETWORK = PanelSpec(
    "Network of this host",
    "Received and sent, over all interfaces.",
    (Series(gauge(metrics.HOST_NETWORK_BYTES), by=("direction",), change="rate"),),
    links=(Link("Records that Kafka gets", PLATFORM, "Records that Kafka gets"),),
)
_PART_CPU = PanelSpec(
    "Cores that the parts use",
    "Of our own processes; all scorers of a pipeline are one.",
    (Series(per_second("process_cpu_seconds"), by=("part",)),),
    links=(Link("The hot path", HOT_PATH, "Latency in the scorer"),),
)
_ALL_CPU = PanelSpec(
    "Cores that every process uses",
    "Of all that `hotpath up` runs on this host, the engines among it.",
    (Series(gauge(metrics.PART_CPU_SECONDS), by=("part",), change="rate"),),
    links=(Link("Training", TRAINING, "Processor time of a run"),),
)
_PART_MEMORY = PanelSpec(
    "Memory of the parts",
    "Of our own processes, in RAM.",
    (Series(gauge("process_resident_memory_bytes"), by=("part",), within="max"),),
    links=(TO_HOST,),
)
_PART_FILES = PanelSpec(
    "Open files of the parts",
    "File descriptors.",
    (Series(gauge("process_open_fds"), by=("part",), within="max"),),
    links=(Link("Pauses in accepting", HOT_PATH, "Pauses in accepting"),),
)
_PART_AGE = PanelSpec(
    "How long the parts have run",
    "A line that falls to 0 again and again is a part that ends and is started again: `hotpath logs PART`.",
    (Series(gauge("process_start_time_seconds"), by=("part",), within="min", across="min", change="age"),),
    links=(_TO_STAGES,),
)
_POINTS = PanelSpec(
    "InfluxDB: points",
    "That the monitor wrote, that InfluxDB refused for good, and that were dropped since too many waited.",
    (Series(per_second(metrics.INFLUX_POINTS), by=("outcome",)),),
    links=(Link("Points that wait", PLATFORM, "InfluxDB: points that wait on disk"),),
)
_LINES = PanelSpec(
    "Graphite: lines",
    "That were sent, and that were dropped since too many waited; without a Graphite of yours there are none.",
    (Series(per_second(metrics.GRAPHITE_LINES), by=("outcome",)),),
    links=(Link("Network of this host", PLATFORM, "Network of this host"),),
)
_POINT_SPOOL = PanelSpec(
    "InfluxDB: points that wait on disk",
    f"While InfluxDB is away; beyond {variables.INFLUX_SPOOL.name} the oldest go.",
    (Series(gauge(metrics.INFLUX_SPOOL_BYTES), within="max", across="max"),),
    limits=(Limit(10e6, "yellow"), Limit(200e6, "red")),
    links=(Link("Disk of this host", PLATFORM, "Free disk of this host"),),
)
_WEBHOOK = PanelSpec(
    "Alerts that the webhook did not take",
    "They are sent again.",
    (Series(increase(metrics.WEBHOOK_FAILURES), within="sum"),),
    limits=(Limit(1, "yellow"),),
    links=(_TO_STAGES,),
)
_DROPPED = PanelSpec(
    "Alerts that were dropped",
    "The webhook refused them for good, or too many waited.",
    (Series(increase(metrics.ALERTS_DROPPED), by=("why",), within="sum"),),
    limits=SOME,
    links=(_TO_STAGES,),
)

PLATFORM_DASHBOARD: Final = DashboardSpec(
    PLATFORM,
    "hotpath: Platform",
    "Kafka on both sides, the mirror, Spark, HDFS, H2O, this host, and the monitor itself.",
    ("pipeline",),
    (
        Section("What does not answer", (_ENGINES, _ERRORS, _STEPS)),
        Section("Kafka", (_APPENDED, _BYTES_IN, _UNDER, _KAFKA_LOG, _PRODUCED, _REPLAY_BEHIND)),
        Section("The mirror", (_MIRROR, _MIRROR_RECORDS, _WATCHER)),
        Section(
            "Spark and the rows job",
            (_BATCHES, _DELAY, _BEHIND, _LAG_BY_TOPIC, _BUILDS, _BUCKETS, _PENDING, _UPKEEP, _RESTARTS),
        ),
        Section("HDFS and H2O", (_HDFS_BYTES, _HDFS_BLOCKS, _HDFS_NODES, _H2O_NODES, _H2O_MEMORY, _H2O_JOBS)),
        Section(
            "This host and its parts",
            (_CPU, _MEMORY, _DISK, _NETWORK, _ALL_CPU, _PART_CPU, _PART_MEMORY, _PART_FILES, _PART_AGE),
        ),
        Section("The monitor", (_POINTS, _POINT_SPOOL, _LINES, _WEBHOOK, _DROPPED)),
    ),
)
