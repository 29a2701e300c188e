"""The stack: which parts there are, and what each needs before it starts.

serving      socket manager, a rollout for each pipeline: from local state, at once
engines      Kafka on-prem and cloud, NameNode, DataNode, H2O, InfluxDB where there is one: in parallel;
             SecondaryNameNode, after the flow
flow         topics -> mirror, watcher -> Spark job -> trainer -> pull
sight        monitor
example      replay of the flights, when the example is deployed
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from contract import variables
from contract.environment import Environment, Variable
from contract.layout import Places
from contract.variable_types import Address, reachable
from infra.engines import h2o_node, hdfs_daemons, influxdb, java, kafka_broker, mirror_maker
from infra.ports import Ports
from infra.settings import ROOT, Settings
from infra.stack.deployments import Deployment
from infra.stack.live_scorers import stop_live_scorers
from infra.stack.part_environment import is_local, started_kafkas, starts_influxdb
from infra.supervisor.readiness import when_answering, when_listening
from infra.supervisor.service import Service
from streaming.kafka.topic_admin import ensure_topics

log = logging.getLogger("stack")


class Stack:
    """The declaration of all parts, for one data folder."""

    def __init__(self, settings: Settings, ports: Ports, env: Mapping[str, str]) -> None:
        self._settings, self._ports, self._environment = settings, ports, Environment(env)
        self._places = Places.from_environment(env, needs=("onprem", "cloud"))

    def common(self, deployed: Callable[[], list[Deployment]]) -> list[Service]:
        """Every part that there is once, in the order in which it is told."""
        engines = self.engines()
        ours = {part.name for part in engines}
        flow = self._flow(ours, deployed)
        page = _reached(self._environment.get(variables.PAGE))
        monitor = self._module("monitor", "monitoring", address=f"http://{page}", ready=when_listening(page))
        return [*self._serving(), *engines, *flow, monitor]

    def of_pipeline(self, deployment: Deployment) -> list[Service]:
        """The parts that a pipeline brings: its rollout, and a replay where its folder has one."""
        name = deployment.pipeline.name
        address = self._ports.address(f"scorer:{name}")
        rollout = self._module(
            f"rollout-{name}", "serving.rollout.rollout", name, after=("socket_manager",), address=f"http://{address}"
        )
        replay = deployment.source.parent / "replay.py" if deployment.source else None
        if replay is None or not replay.is_file():
            return [rollout]
        return [rollout, self._replay(name, replay, deployment.path)]

    def engines(self) -> list[Service]:
        """Those engines that the environment does not name already."""
        settings, ports = self._settings, self._ports
        makers: list[tuple[Variable[str | None], Callable[[], Service]]] = [
            (variables.ONPREM_KAFKA, partial(kafka_broker.broker, settings, ports, "onprem")),
            (variables.CLOUD_KAFKA, partial(kafka_broker.broker, settings, ports, "cloud")),
            (variables.HDFS, partial(hdfs_daemons.namenode, settings, ports)),
            (variables.HDFS, partial(hdfs_daemons.datanode, settings, ports)),
            # hours can pass without it: the first answer comes first
            (variables.HDFS, partial(hdfs_daemons.secondarynamenode, settings, ports, after=("streaming", "trainer"))),
            (variables.H2O, partial(h2o_node.h2o, settings, ports)),
        ]
        engines = [make() for variable, make in makers if is_local(settings, variable)]
        influxd = influxdb.program(settings) if starts_influxdb(settings) else None
        return [*engines, influxdb.influxdb(settings, ports, influxd)] if influxd else engines

    def render_mirror(self, deployed: list[Deployment]) -> bool:
        """Write the mirror's configuration for these pipelines; whether it has to start again."""
        topics = [topic for each in deployed for topic in each.pipeline.mirrored_topics]
        return mirror_maker.render(self._settings, self._ports, self._places, topics)

    def ensure_topics(self, deployed: list[Deployment]) -> None:
        """Make the topics of these pipelines at both brokers; see `streaming.kafka.topic_admin`.

        Raises:
            RuntimeError: a broker refused, or a topic that is not ours cannot be used as it is.
        """
        pipelines = [each.pipeline for each in deployed]
        for difference in ensure_topics(self._places, pipelines, started_kafkas(self._settings)):
            log.info("topic differs where=%s what=%s", difference.where, difference.text)

    def _serving(self) -> list[Service]:
        admin = _reached(self._environment.required(variables.ADMIN))
        manager = self._module(
            "socket_manager",
            "serving.listener.socket_manager",
            address=f"http://{admin}",
            before_stop=partial(stop_live_scorers, self._settings.folder),
            ready=when_listening(admin),
        )
        return [manager]

    def _flow(self, ours: set[str], deployed: Callable[[], list[Deployment]]) -> list[Service]:
        brokers = tuple(name for name in ("kafka-onprem", "kafka-cloud") if name in ours)
        storage = tuple(name for name in ("datanode",) if name in ours)
        trainer_needs = storage + tuple(name for name in ("h2o",) if name in ours)

        def make_topics() -> None:
            self.ensure_topics(deployed())
            self.render_mirror(deployed())

        spark = self._module("streaming", "streaming.job", after=("topics", *storage), patience_s=30)
        topics = Service("topics", (), after=brokers, prepare=make_topics, look_first="hotpath logs kafka-onprem")
        return [
            topics,
            mirror_maker.mirror(self._settings, self._ports, self._places, after=("topics",)),
            self._module("watcher", "streaming.progress.mirror_watcher", after=("topics",)),
            replace(spark, env={**spark.env, **java.ENVIRONMENT}),
            self._module("trainer", "infra.stack.trainer_process", after=trainer_needs),
            self._module("pull", "serving.candidates.pull", after=storage),
        ]

    def _replay(self, name: str, program: Path, file: Path) -> Service:
        part = self._python(
            f"replay-{name}", str(program), "--file", str(file), *self._environment.get(variables.REPLAY)
        )
        return part(after=("topics", "watcher", f"rollout-{name}"))

    def _module(self, name: str, module: str, *arguments: str, **more: object) -> Service:
        return self._python(name, "-m", module, *arguments)(**more)

    def _python(self, name: str, *arguments: str) -> Callable[..., Service]:
        """A process of ours; it is ready when it serves its metrics."""
        port = self._ports[f"metrics:{name}"]
        bind = self._environment.get(variables.METRICS_BIND) or self._settings.bind
        metrics = f"{reachable(bind)}:{port}"
        return partial(
            Service,
            name,
            (sys.executable, *arguments),
            env={variables.METRICS_PORT.name: str(port)},
            cwd=ROOT,
            look_first=f"hotpath logs {name}",
            metrics_port=port,
            ready=when_answering(metrics, "/metrics"),
        )


def _reached(address: Address) -> str:
    """host:port at which what listens at this address is reached from this host."""
    return f"{reachable(address[0])}:{address[1]}"
