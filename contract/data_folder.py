"""Every path in the data folder, which is what hotpath keeps on this host (HOTPATH_DATA)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DataFolder:
    """The folder at `path`. Nothing is made here: whoever writes a file makes its folder."""

    path: Path

    # what is deployed
    @property
    def pipelines(self) -> Path:
        """The deployed pipeline files, `<name>.toml`: what every multi-pipeline process serves."""
        return self.path / "pipelines"

    def pipeline_file(self, pipeline: str) -> Path:
        return self.pipelines / f"{pipeline}.toml"

    def pipeline_address(self, pipeline: str) -> Path:
        """One line, host:port: the pipeline's hot address."""
        return self.pipelines / f"{pipeline}.address"

    def pipeline_source(self, pipeline: str) -> Path:
        """JSON: the file that the deployed one was copied from."""
        return self.pipelines / f"{pipeline}.source.json"

    @property
    def removed_pipelines(self) -> Path:
        """The files of pipelines that `hotpath remove` has stopped; their data stays."""
        return self.pipelines / "removed"

    def removed_file(self, pipeline: str) -> Path:
        return self.removed_pipelines / f"{pipeline}.toml"

    def reset_mark(self, pipeline: str) -> Path:
        """The empty file that a reset leaves, so that the deployed file does not seem to have vanished."""
        return self.removed_pipelines / f"{pipeline}.reset"

    def was_removed(self, pipeline: str) -> bool:
        """Whether a person stopped the pipeline, so that nothing goes on with what its file said."""
        if self.pipeline_file(pipeline).exists():
            return False
        return self.removed_file(pipeline).exists() or self.reset_mark(pipeline).exists()

    def files_of_deployment(self, pipeline: str) -> tuple[Path, ...]:
        """What deploying a pipeline writes."""
        return (self.pipeline_file(pipeline), self.pipeline_address(pipeline), self.pipeline_source(pipeline))

    @property
    def made_topics(self) -> Path:
        """JSON: the topics that hotpath made, and so may alter and delete, and those that it was told to adopt."""
        return self.path / "made_topics.json"

    @property
    def keys(self) -> Path:
        """The keys of callers, one a line."""
        return self.path / "keys"

    @property
    def secrets(self) -> Path:
        """In containers: the secrets that compose makes, a file each; `keys` of the data folder leads to it."""
        return self.path / "secrets"

    # what serving keeps: enough to answer without a broker and without a cloud
    @property
    def onprem(self) -> Path:
        return self.path / "onprem"

    def of_pipeline(self, pipeline: str) -> Path:
        """What serving keeps of a pipeline: `candidates/<version>/`, `bundles/<version>.bundle`, `models.json`."""
        return self.onprem / pipeline

    def bundle(self, pipeline: str, version: str) -> Path:
        return self.of_pipeline(pipeline) / "bundles" / f"{version}.bundle"

    def spool(self, pipeline: str) -> Path:
        """Predictions that wait for the on-prem broker."""
        return self.of_pipeline(pipeline) / "spool"

    @property
    def sockets(self) -> Path:
        """Unix sockets of the socket manager and the scorers."""
        return self.onprem / "sockets"

    @property
    def scorers(self) -> Path:
        """`<name>.json` for each scorer process."""
        return self.onprem / "scorers"

    def scorer_trouble(self, name: str) -> Path:
        """Why a scorer could not start, in words, where the host and not its model is to blame."""
        return self.scorers / f"{name}.trouble"

    @property
    def slots(self) -> Path:
        """What slots and rollouts say to each other; see contract/messages/slots.py."""
        return self.onprem / "slots"

    @property
    def slots_lock(self) -> Path:
        """Held for a moment by whoever looks at slots or changes what is said there."""
        return self.slots / "changes.lock"

    def slot_lock(self, slot: str) -> Path:
        """Held by the process of the slot while it lives."""
        return self.slots / f"{slot}.lock"

    def slot_report(self, slot: str) -> Path:
        return self.slots / f"{slot}.report.json"

    def slot_order(self, slot: str) -> Path:
        return self.slots / f"{slot}.order.json"

    def slot_signal(self, slot: str) -> Path:
        return self.slots / f"{slot}.signal.json"

    @property
    def ended_scorers(self) -> Path:
        """`<name>.json` for each scorer whose slot has ended and whose rollout has not noted it yet."""
        return self.slots / "ended"

    # the running stack
    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def lock(self) -> Path:
        """Held by whoever runs a stack here."""
        return self.run / "supervisor.lock"

    @property
    def control(self) -> Path:
        """The supervisor's control socket."""
        return self.run / "supervisor.sock"

    @property
    def ports(self) -> Path:
        """JSON: which port was given to which name."""
        return self.run / "ports.json"

    @property
    def pids(self) -> Path:
        """JSON: the processes that the supervisor runs."""
        return self.run / "pids.json"

    @property
    def targets(self) -> Path:
        """JSON: where each part serves `/metrics`, as Prometheus reads it."""
        return self.run / "targets.json"

    @property
    def restarts(self) -> Path:
        """JSON: the restarts of the last minutes, which the supervisor writes and the monitor reads."""
        return self.run / "restarts.json"

    def example_event(self, pipeline: str) -> Path:
        """The body that `up` shows how to ask with."""
        return self.run / f"{pipeline}.event.json"

    def scratch(self, part: str) -> Path:
        """A part's temporary files. Its supervisor empties the folder before every start."""
        return self.run / "tmp" / part

    @property
    def conf(self) -> Path:
        """Rendered configuration of the engines."""
        return self.path / "conf"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def files_of_logs(self, pipeline: str) -> list[Path]:
        """The logs of what one pipeline brings, older ones too."""
        names = (f"rollout-{pipeline}", f"scorers-{pipeline}", f"replay-{pipeline}")
        return [file for name in names for file in sorted(self.logs.glob(f"{name}.log*"))]

    # what engines, monitor and others keep
    def engine(self, name: str) -> Path:
        """What a local engine keeps: `kafka-onprem`, `kafka-cloud`, `hdfs`, `h2o`, `influxdb`."""
        return self.path / name

    @property
    def spark(self) -> Path:
        """Scratch files of the Spark driver, emptied when it starts."""
        return self.path / "spark"

    @property
    def monitor_history(self) -> Path:
        return self.path / "monitor" / "history.sqlite"

    @property
    def monitor_alerts(self) -> Path:
        """JSON: what fires, and what waits for the webhook."""
        return self.path / "monitor" / "alerts.json"

    @property
    def silences(self) -> Path:
        """JSON: which alerts are silenced, by whom and until when; `hotpath alerts` writes it."""
        return self.path / "monitor" / "silences.json"

    @property
    def alert_tests(self) -> Path:
        """One JSON file for each test message that the monitor is asked for, until it has taken it."""
        return self.path / "monitor" / "alert_tests"

    @property
    def monitor_events(self) -> Path:
        """JSON: what the monitor has told as an event, so that a restart neither repeats nor forgets one."""
        return self.path / "monitor" / "events.json"

    @property
    def monitor_memory(self) -> Path:
        """JSON: what the monitor needs to go on judging after a restart."""
        return self.path / "monitor" / "memory.json"

    @property
    def influx_points(self) -> Path:
        """Points that wait for InfluxDB, as files of line protocol."""
        return self.path / "monitor" / "points"

    @property
    def influx_token(self) -> Path:
        """The token of the InfluxDB that `up` starts."""
        return self.path / "influx.token"

    @property
    def replay(self) -> Path:
        """How far the example's replay has come, and its files at other speeds."""
        return self.path / "replay"

    @property
    def benchmarks(self) -> Path:
        return self.path / "benchmarks"
