"""How long `hotpath up` takes with InfluxDB and without: `hotpath bench start [--influxd FILE] [--rounds 1]`.

Starts the stack with the example in an empty data folder, without InfluxDB and then with the `influxd` that is named;
prints the seconds until the first answer by a trained model and until every part is ready, the ratio of both, and the
processor time that all parts, and InfluxDB, had used by then: that differs less where other programs run. More
rounds tell how much the seconds differ by themselves. The hundred ports from `--port-base` on must be free.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from contract import variables
from contract.data_folder import DataFolder
from contract.environment import PREFIX
from infra.settings import ROOT, Settings
from infra.supervisor import child
from monitoring.collect.host_figures import processor_seconds

FIRST_ANSWER: Final = re.compile(r"^ *([\d.]+) s  \S+ answers with ", re.MULTILINE)
WHOLE: Final = re.compile(r"^ *([\d.]+) s  everything is ready", re.MULTILINE)
LONGEST_S: Final = 1800.0


class Start(NamedTuple):
    """Seconds since the beginning, and of processor time when everything was ready, scorers apart."""

    first_answer: float
    whole: float
    used: float = 0.0
    used_by_influxdb: float = 0.0


class NotStartedError(Exception):
    """The stack ended, or did not answer in time."""


def started(influxd: Path | None, port_base: int) -> Start:
    """What one start in an empty data folder took.

    Raises:
        NotStartedError: with the last lines that `up` printed.
    """
    data = Path(tempfile.mkdtemp(prefix="hotpath-"))  # short: Unix sockets lie in it
    output = data / "up.log"
    try:
        with output.open("wb") as log:
            command = [*child.bound_to_us(signal.SIGTERM), sys.executable, "-m", "infra.cli", "up"]
            env = environment(data, influxd, port_base)
            up = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            start = _until_started(up, output)
            used = processor_seconds(DataFolder(data).pids)
            return start._replace(used=sum(used.values()), used_by_influxdb=used.get("influxdb", 0.0))
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait()
    finally:
        shutil.rmtree(data, ignore_errors=True)


def environment(data: Path, influxd: Path | None, port_base: int) -> dict[str, str]:
    """That of this process without its settings, but for where things are installed."""
    installed = (variables.SPARK_JARS.name, variables.JAVA_HOME.name)
    ours = Settings.from_environment().env
    env = {name: value for name, value in ours.items() if name in installed or not name.startswith(PREFIX)}
    env |= {variables.DATA.name: str(data), variables.PORT_BASE.name: str(port_base)}
    env["PATH"] = os.pathsep.join(
        folder for folder in env.get("PATH", "").split(os.pathsep) if not (Path(folder) / "influxd").exists()
    )
    return env | ({variables.INFLUXD.name: str(influxd)} if influxd else {})


def _until_started(up: subprocess.Popen[bytes], output: Path) -> Start:
    deadline_s = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline_s and up.poll() is None:
        start = told(output.read_text(errors="replace"))
        if start is not None:
            return start
        time.sleep(0.5)
    raise NotStartedError("\n".join(output.read_text(errors="replace").splitlines()[-10:]))


def told(printed: str) -> Start | None:
    """From what `up` has printed; None while something is missing."""
    found = [pattern.search(printed) for pattern in (FIRST_ANSWER, WHOLE)]
    return Start(*(float(each[1]) for each in found if each)) if all(found) else None


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="hotpath bench start", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    named = Settings.from_environment().environment.get(variables.INFLUXD)
    parser.add_argument(
        "--influxd", type=Path, default=named, help=f"one of version 2; {variables.INFLUXD.name} by default"
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--port-base", type=int, default=19000)
    arguments = parser.parse_args()
    if arguments.influxd is None or not arguments.influxd.is_file():
        parser.error("name an influxd of version 2 that is there")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the stack is stopped, and its folder removed
    for number in range(1, arguments.rounds + 1):
        without, with_influxd = (started(each, arguments.port_base) for each in (None, arguments.influxd.resolve()))
        for name, start in (("without InfluxDB", without), ("with InfluxDB", with_influxd)):
            print(
                f"round {number}, {name:<16}  first answer {start.first_answer:6.1f} s  whole {start.whole:6.1f} s  "
                f"processor time {start.used:.1f} s, of which InfluxDB {start.used_by_influxdb:.1f} s"
            )
        ratio, of_whole = with_influxd.first_answer / without.first_answer, with_influxd.whole / without.whole
        load = " ".join(f"{each:.1f}" for each in os.getloadavg())
        print(f"round {number}, ratio {ratio:.2f} and {of_whole:.2f}; load of the last 1, 5 and 15 minutes {load}")


if __name__ == "__main__":
    main()
