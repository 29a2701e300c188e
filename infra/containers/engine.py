"""Becomes an engine: writes its configuration, formats its folder the first time, and execs its program.

Run: python -m infra.containers.engine NAME
"""

from __future__ import annotations

import os
import sys

from contract.environment import VariableError
from contract.log_lines import start_logging
from infra.containers.compose_services import ENGINES, engine
from infra.engines.kafka_broker import EngineError
from infra.settings import Settings
from infra.supervisor.service import Service


def main() -> int:
    """2 on wrong usage, 1 when it cannot be prepared; else it does not come back."""
    start_logging()
    if sys.argv[1:2] == [] or sys.argv[1] not in ENGINES:
        print(f"usage: python -m infra.containers.engine {'|'.join(ENGINES)}", file=sys.stderr)
        return 2
    try:
        settings = Settings.from_environment()
        become(engine(sys.argv[1], settings), settings)
    except (VariableError, EngineError, OSError) as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr)
    return 1


def become(part: Service, settings: Settings) -> None:
    """Prepare the part and become its program."""
    scratch = settings.scratch(part.name)
    scratch.mkdir(parents=True, exist_ok=True)
    if part.prepare:
        part.prepare()
    os.execvpe(part.command[0], part.command, {**settings.env, **part.env, "TMPDIR": str(scratch)})


if __name__ == "__main__":
    sys.exit(main())
