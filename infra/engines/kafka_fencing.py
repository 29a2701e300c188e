"""After a broker's unclean end: its controller runs alone for a moment and takes the former life's registration back.

A broker whose controller still believes the former life alive takes up that life's transactions at once, can finish
none of them, since nobody can connect to it yet, and drops them when the former life is fenced at last (Kafka 4.3.1
says "likely deleted already and hence can be skipped"). Their records, and all that come after them in their
partitions, then stay invisible for ever: the mirror would wait for its own offsets and never start. A broker that was
fenced before takes its transactions up once it can finish them, and need not wait for its former life's session.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from typing import Final

from infra.engines import java
from infra.settings import Settings
from infra.supervisor import child

_CLEAN: Final = ".kafka_cleanshutdown"
"""A broker that ends in order leaves this file beside its partitions."""
_SESSION_MS: Final = 500
_ACTIVE: Final = b"Activated periodic tasks"
_FENCED: Final = b"Fencing broker 1"
_WRITTEN_WITHIN_S: Final = 10.0
_PATIENCE_S: Final = 60.0
_NOTHING_TO_FENCE_S: Final = 5.0
"""A controller that has run for so long has fenced every broker that it had to fence."""


def fence_former_life(
    settings: Settings, name: str, classpath: str, configuration: Mapping[str, object], controller: str
) -> None:
    """Fence the former life of the broker `name` where it did not end in order. Takes some four seconds.

    `controller` is the address that the broker's own controller has.
    """
    folder = settings.folder.engine(f"kafka-{name}")
    metadata = folder / "__cluster_metadata-0"
    if (folder / _CLEAN).exists() or not metadata.exists():
        return
    conf = settings.conf / f"kafka-{name}-controller.properties"
    java.write(conf, java.properties(_alone(configuration, controller)))
    command = java.command(settings, f"kafka-{name}", "128m", classpath, "kafka.Kafka", str(conf))
    running = subprocess.Popen(
        [*child.bound_to_us(signal.SIGKILL), *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    timers = [Timer(_PATIENCE_S, running.kill)]
    timers[0].start()
    try:
        assert running.stdout is not None
        for line in running.stdout:  # until it has ended
            if _FENCED in line:
                _wait_until_written(metadata)
                running.terminate()
            elif _ACTIVE in line:
                timers.append(Timer(_NOTHING_TO_FENCE_S, running.terminate))
                timers[-1].start()
    finally:
        for timer in timers:
            timer.cancel()
        running.kill()
        running.wait()


def _wait_until_written(metadata: Path) -> None:
    """Wait for two appends to the metadata log.

    The second comes after the fencing record, since an idle controller also appends records that say nothing.
    """
    deadline = time.monotonic() + _WRITTEN_WITHIN_S
    for _ in range(2):
        size = _size(metadata)
        while _size(metadata) == size and time.monotonic() < deadline:
            time.sleep(0.02)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.log"))


def _alone(configuration: Mapping[str, object], controller: str) -> dict[str, object]:
    """The broker's configuration for its controller alone, with a session so short that it fences the broker soon."""
    of_brokers = ("advertised.listeners", "inter.broker.listener.name")
    kept = {key: value for key, value in configuration.items() if key not in of_brokers}
    return kept | {
        "process.roles": "controller",
        "listeners": f"CONTROLLER://{controller}",
        "broker.session.timeout.ms": _SESSION_MS,
        "broker.heartbeat.interval.ms": _SESSION_MS // 5,
        "metadata.max.idle.interval.ms": _SESSION_MS // 5,
    }
