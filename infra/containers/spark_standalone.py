"""Becomes the master, or a worker, of a Spark cluster of PySpark's own version.

Run: python -m infra.containers.spark_standalone master|worker
"""

from __future__ import annotations

import os
import sys
from typing import Final

from infra.engines.spark_jars import packaged
from infra.settings import Settings

MASTER: Final = "spark-master"
PORT: Final = 7077
_DEPLOY: Final = "org.apache.spark.deploy"


def command(kind: str, settings: Settings) -> list[str]:
    """The program of a master or a worker.

    Raises:
        ValueError: it is neither.
    """
    launcher = str(packaged("pyspark") / "bin" / "spark-class")
    if kind == "master":
        return [launcher, f"{_DEPLOY}.master.Master", "--host", MASTER, "--port", str(PORT)]
    if kind == "worker":
        work = str(settings.folder.spark)
        return [launcher, f"{_DEPLOY}.worker.Worker", "--work-dir", work, f"spark://{MASTER}:{PORT}"]
    raise ValueError(f"{kind}: say master or worker")


def main() -> int:
    """2 on wrong usage; else it does not come back."""
    try:
        wanted = command(" ".join(sys.argv[1:]), settings := Settings.from_environment())
    except ValueError as error:
        print(f"usage: python -m infra.containers.spark_standalone master|worker: {error}", file=sys.stderr)
        return 2
    env = {**settings.env, "SPARK_LOCAL_DIRS": str(settings.folder.spark), "SPARK_DAEMON_MEMORY": "256m"}
    os.execve(wanted[0], wanted, env)


if __name__ == "__main__":
    sys.exit(main())
